"""tfflow detect: objects in a video, carried along the flow between key frames."""

import json
import pathlib
import statistics
import sys

from tfflow.atomic_file import atomic_file
from tfflow.cli import shared
from tfflow.startup import start_backend_quietly


def add(commands):
    parser = shared.command(
        commands,
        "detect",
        run,
        "objects in a video, on key frames and along the flow between them",
        "Writes the video with a box around each object; key frames are marked.",
    )
    parser.add_argument("input", help="a video, or a folder of its frames")
    parser.add_argument("-o", "--output", required=True, help="a .mp4 or .gif file")
    parser.add_argument(
        "--model",
        default="shapes",
        help="a preset's name, a detector's .keras file, NAME_key.tflite beside "
        "NAME_between.tflite, or NAME.tflite for images [%(default)s]",
    )
    parser.add_argument(
        "--flow",
        metavar="NETWORK",
        help="what carries the boxes of a detector without flow of its own: a preset's name, or a "
        ".keras or .tflite file [rillflow's file at 192x256]",
    )
    shared.import_option(parser)
    parser.add_argument(
        "--interval",
        type=int,
        default=10,
        help="frames from one key frame to the next; with --by-..., at most [10]",
    )
    sooner = parser.add_mutually_exclusive_group()
    sooner.add_argument(
        "--by-motion",
        type=float,
        metavar="PX",
        help="a key frame as soon as the picture has moved so far",
    )
    sooner.add_argument(
        "--by-error",
        type=float,
        metavar="SHARE",
        help="a key frame as soon as the last one no longer explains this share of the picture",
    )
    sooner.add_argument(
        "--by-confidence",
        type=float,
        metavar="LEAST",
        help="for carried boxes: a key frame as soon as the network trusts its flow less, 0 to 1, "
        "within some object",
    )
    parser.add_argument("--score", type=float, default=0.3, help="objects below are left out [0.3]")
    parser.add_argument(
        "--classes",
        metavar="NAME,NAME",
        help="names for the classes of a .keras file that has none",
    )
    parser.add_argument("--threads", type=int, help="of a .tflite file [one a core, at most 4]")
    shared.size_option(parser)
    shared.fps_option(parser)
    parser.add_argument("--limit", type=shared.whole_number, help="only the first so many frames")
    parser.add_argument("--json", help="write the boxes to this .json file too")


def run(arguments):
    from tfflow.data.files.video import read_video
    from tfflow.detection import ByConfidence, ByError, ByMotion, FixedInterval
    from tfflow.detection.files import detect_video
    from tfflow.progress import progress_bar

    shared.check_json("--json", arguments.json)
    detector, names = _detector(arguments)
    if arguments.by_motion is not None:
        schedule = ByMotion(arguments.by_motion, arguments.interval)
    elif arguments.by_error is not None:
        schedule = ByError(arguments.by_error, arguments.interval)
    elif arguments.by_confidence is not None:
        schedule = ByConfidence(arguments.by_confidence, arguments.interval, score=arguments.score)
    else:
        schedule = FixedInterval(arguments.interval)
    options = {"score": arguments.score, "size": arguments.size}
    video = shared.video_detector(detector, schedule, arguments.flow, **options)
    first = next(read_video(arguments.input, [], fps=arguments.fps), None)
    shared.say_size(detector, first and first.image, arguments.size)
    left_out = []
    with shared.noting_interrupts() as interrupted, progress_bar("frames") as update:

        def progress(done, total):
            update(done, total)
            return not interrupted()

        results = detect_video(
            video,
            arguments.input,
            arguments.output,
            classes=names,
            limit=arguments.limit,
            fps=arguments.fps,
            progress=progress,
            complaints=left_out,
        )
    if arguments.json:
        with atomic_file(arguments.json) as temporary:
            temporary.write_text(json.dumps(results) + "\n", encoding="utf-8")
    keys = sum(each["key"] for each in results)
    found = statistics.mean(len(each["boxes"]) for each in results)
    print(
        f"{len(results)} frames, {keys} of them key frames, {found:.1f} objects a frame -> "
        f"{arguments.output}"
    )
    shared.check_complete(left_out)
    if interrupted():
        raise KeyboardInterrupt  # a script must not take it for the whole


def _detector(arguments):
    """(the detector for VideoDetector, class names or None)."""
    path = pathlib.Path(arguments.model)
    if path.suffix == ".keras":
        start_backend_quietly()
        from tfflow.detection import load_detector

        detector = load_detector(path)
        if arguments.threads is not None:
            raise ValueError("--threads is for .tflite files; leave it out")
        names = arguments.classes.split(",") if arguments.classes else detector.class_names
        if names and len(names) != detector.classes:
            raise ValueError(f"{path} has {detector.classes} classes; --classes has {len(names)}")
        return detector, names
    from tfflow.detection import DetectorInterpreter
    from tfflow.detection.presets import detector_files

    if path.suffix != ".tflite":
        path = detector_files(arguments.model)
        print(
            f"The detector {arguments.model} is a demonstration: it knows synthetic shapes alone, "
            "no real objects. For those, train one of your own and give it as --model.",
            file=sys.stderr,
        )
    if arguments.classes:
        raise ValueError("the files have the names of their classes; leave out --classes")
    detector = DetectorInterpreter(path, threads=arguments.threads)
    return detector, detector.classes
