"""tfflow track: points, tracked through a video."""

import argparse
import csv
import pathlib

from tfflow.atomic_file import atomic_file
from tfflow.cli import shared


def add(commands):
    parser = shared.command(
        commands,
        "track",
        run,
        "track points through a video",
        "Tracks points of the first frame along the flow. A point is lost when it leaves the "
        "image, or when the flows of both directions disagree about it.",
    )
    shared.clip_options(
        parser, "a .mp4 or .gif file with the tracks drawn, or a .csv file with numbers"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--point",
        type=_point,
        action="append",
        metavar="X,Y",
        help="a point of the first frame, px from its upper left corner; may be given again",
    )
    which.add_argument(
        "--grid",
        type=shared.whole_number,
        metavar="PX",
        help="points all over the first frame, so far apart [32]",
    )


def run(arguments):
    from tfflow import tools

    if pathlib.Path(arguments.output).suffix.lower() not in (".mp4", ".gif", ".csv"):
        raise ValueError(f"-o must be a .mp4, .gif or .csv file; got {arguments.output}")
    predictor = shared.load_for_clip(arguments)
    with shared.open_clip(arguments) as (frames, counted):
        tracker, tracked = None, None

        def steps():
            nonlocal tracker, tracked
            for image, time in counted(frames):
                if tracker is None:
                    points = arguments.point or _grid(*image.shape[:2], arguments.grid)
                    tracker = tools.PointTracker(predictor, points, size=arguments.size)
                tracked = tracker.next(image)
                yield image, time, tracked

        write = _write_csv if arguments.output.lower().endswith(".csv") else _write_video
        write(arguments.output, steps())
    if tracked is not None:
        print(
            f"{tracked.visible.sum()} of {len(tracked.visible)} points reach the end -> "
            f"{arguments.output}"
        )


def _grid(height, width, step):
    from tfflow import tools

    most = min(height, width)
    if step is not None and step > most:
        raise ValueError(f"--grid must be at most {most}, the frame's smaller side; got {step}")
    return tools.grid_points(height, width, step or min(32, most))


def _point(text):
    """X,Y as two numbers."""
    try:
        x, y = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected X,Y like 120,80.5; got {text!r}") from None
    return x, y


def _write_video(path, steps):
    from tfflow.visualization import TrackDrawing, write_video

    drawing = TrackDrawing()
    write_video(path, ((drawing.next(image, *now[:2]), time) for image, time, now in steps))


def _write_csv(path, steps):
    with (
        atomic_file(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(("frame", "time", "point", "x", "y", "visible", "confidence"))
        for number, (_, time, now) in enumerate(steps):
            for point, ((x, y), visible, confidence) in enumerate(zip(*now)):
                row = (f"{time:.6f}", point, f"{x:.3f}", f"{y:.3f}", int(visible))
                writer.writerow((number, *row, f"{confidence:.4f}"))
