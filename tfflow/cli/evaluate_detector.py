"""tfflow evaluate-detector: average precision on held-out images or clips."""

import math
import pathlib

from tfflow.atomic_file import write_json
from tfflow.cli import shared
from tfflow.startup import start_backend_quietly

DESCRIPTION = """\
Measures COCO's average precision of a detector on the validation set of what it was trained on.

    tfflow evaluate-detector runs/detector_images/model.keras --dataset coco --data-dir folder
    tfflow evaluate-detector my_key.tflite --dataset coco --data-dir folder --in-motion

Of images without videos, each is looked at by itself, unless --in-motion: a window then moves over
each, and the detector looks for its objects along the flow. Needs pycocotools.
"""
_SCORE = 0.05  # precision is measured over all scores; these are too low to matter


def add(commands):
    parser = shared.command(
        commands, "evaluate-detector", run, "average precision of a detector", DESCRIPTION
    )
    parser.add_argument("model", help="a detector's .keras file, NAME_key.tflite, or NAME.tflite")
    parser.add_argument("--dataset", choices=("synthetic", "vid", "coco"), default="synthetic")
    parser.add_argument("--data-dir", default="clips", help="where the clips lie [%(default)s]")
    parser.add_argument(
        "--interval",
        type=shared.whole_number,
        help="frames from one key frame to the next [10; 1 for a detector of the stage images]",
    )
    parser.add_argument(
        "--flow",
        metavar="NETWORK",
        help="what carries the boxes of a detector of the stage images [rillflow]",
    )
    parser.add_argument(
        "--in-motion", action="store_true", help="move a window over each image without video"
    )
    shared.size_option(
        parser, "height x width that a .keras file runs at, multiples of 32 [256x384]"
    )
    parser.add_argument("--threads", type=int, help="of a .tflite file [one a core, at most 4]")
    parser.add_argument("--limit", type=shared.whole_number, help="only the first so many clips")
    parser.add_argument("--json", help="write the numbers to this .json file too")
    shared.import_option(parser)


def run(arguments):
    shared.check_json("--json", arguments.json)
    start_backend_quietly()
    from tfflow.detection import evaluate, training
    from tfflow.evaluation.tables import without_nan
    from tfflow.progress import progress_bar

    read, _ = training.DATASETS[arguments.dataset]
    _, clips = read(pathlib.Path(arguments.data_dir))
    if arguments.in_motion:
        clips = training.in_motion(clips)
    print(f"on {clips!r}")
    video = _video(arguments, clips.classes)
    with progress_bar("clips") as progress:
        result = evaluate(video, clips, limit=arguments.limit, progress=progress)
    _print(arguments.model, result, getattr(clips, "stills", False))
    if arguments.json:
        of_speed = {name: part.ap for name, part in result.of_speed.items()}
        write_json(arguments.json, without_nan({**result._asdict(), "of_speed": of_speed}))


def _video(arguments, classes):
    """The detector as a VideoDetector, once it is known to be one of these classes."""
    from tfflow.detection import DetectorInterpreter, FixedInterval, load_detector
    from tfflow.detection.training import SIZE

    interval, options = arguments.interval or 10, {}
    if pathlib.Path(arguments.model).suffix == ".keras":
        detector = load_detector(arguments.model)
        same_number = detector.classes == len(classes)
        names = detector.class_names or (classes if same_number else range(detector.classes))
        options["size"] = arguments.size or SIZE
        has_flow = detector.flow_network is not None
    else:
        if arguments.size:
            raise ValueError(f"{arguments.model} has its own size; leave out --size")
        detector = DetectorInterpreter(arguments.model, threads=arguments.threads)
        names, has_flow = detector.classes, detector.has_flow
    if not has_flow and arguments.interval is None:
        interval = 1
    if tuple(names) != tuple(classes):
        raise ValueError(
            f"{arguments.model} knows other classes ({', '.join(map(str, names))}) than the data "
            f"has ({', '.join(classes)})"
        )
    options["score"] = _SCORE
    return shared.video_detector(detector, FixedInterval(interval), arguments.flow, **options)


def _print(title, result, stills):
    from tfflow.progress import print_table

    speeds = {} if stills else result.of_speed
    rows = [
        ("AP", _percent(result.ap)),
        ("AP at an overlap of 0.5", _percent(result.ap50)),
        ("AP at an overlap of 0.75", _percent(result.ap75)),
        *((f"AP of what is {name}", _percent(part.ap)) for name, part in speeds.items()),
        ("frames", f"{result.frames:,}, {result.key_frames:,} of them key frames"),
        ("time a frame (mean)", f"{result.ms:.1f} ms"),
    ]
    print_table(title, ("", "all classes"), rows)
    of_class = [(name, _percent(value)) for name, value in result.of_class.items()]
    print_table("by class", ("class", "AP"), of_class)


def _percent(value):
    return "no such object" if math.isnan(value) else f"{100 * value:.1f} %"
