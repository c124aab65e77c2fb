"""tfflow export-detector: a detector's .tflite files for phones."""

import itertools
import pathlib

from tfflow.cli import shared
from tfflow.startup import start_backend_quietly

# The clips that a calibration video is cut into: their number and length.
_CLIPS, _FRAMES = 24, 18


def add(commands):
    parser = shared.command(
        commands,
        "export-detector",
        run,
        "make a detector's .tflite files",
        "Converts a detector for videos to NAME_key.tflite, which looks at key frames, and "
        "NAME_between.tflite, which carries what was found to the frames between them. One without "
        "a flow network becomes NAME.tflite, for single images.",
    )
    parser.add_argument("model", help="a detector's .keras file")
    shared.import_option(parser)
    parser.add_argument("-o", "--output", required=True, help="NAME.tflite")
    what = "height x width that the files run at, multiples of 32 [256x384]"
    shared.size_option(parser, what, default=(256, 384))
    parser.add_argument(
        "--quantize",
        default="int8",
        metavar="KIND",
        help="float32, float16, weights or int8 [%(default)s]",
    )
    parser.add_argument(
        "--calibration",
        metavar="SOURCE",
        help="what int8's ranges are taken from: a video, or a folder in COCO's layout [synthetic "
        "clips]",
    )
    parser.add_argument(
        "--outliers",
        type=float,
        metavar="SHARE",
        help="share of a tensor's values outside its range at either end [0.001 in the flow "
        "network, 0 elsewhere]",
    )
    parser.add_argument(
        "--classes", metavar="NAME,NAME", help="the classes' names [those it was trained with]"
    )
    parser.add_argument(
        "--android-assets",
        metavar="DIR",
        help="also put the files into an app's assets, as the detector that it runs",
    )


def run(arguments):
    start_backend_quietly()
    from tfflow.detection import export_detector, export_image_detector, load_detector
    from tfflow.detection.app_assets import add_detector_to_assets
    from tfflow.progress import working
    from tfflow.tflite import operators

    shared.check_calibration(arguments, ("float32", "float16", "weights"))
    detector = load_detector(arguments.model)
    pair = detector.flow_network is not None
    if arguments.android_assets and not pair:
        raise ValueError(
            f"{arguments.model} has no flow network, which --android-assets needs; train it on "
            "clips (docs/video.md)"
        )
    with working(f"exporting {arguments.model} to {arguments.quantize}"):
        exported = (export_detector if pair else export_image_detector)(
            detector,
            arguments.output,
            classes=arguments.classes.split(",") if arguments.classes else None,
            size=arguments.size,
            quantization=arguments.quantize,
            calibration=_clips_of(arguments.calibration) if arguments.calibration else None,
            outliers=arguments.outliers,
        )
    paths = exported if pair else [exported]
    for path in paths:
        megabytes, count = path.stat().st_size / 1e6, sum(operators(path).values())
        print(f"{path}: {megabytes:.2f} MB, {count} operators")
    if arguments.android_assets:
        add_detector_to_assets(paths[0], arguments.android_assets)
        print(f"{arguments.android_assets}: the app's detector is {paths[0].name} now")


def _clips_of(source):
    """Clips of a folder in COCO's layout, or of a video; frames that are not used are None."""
    from tfflow.data import read_video
    from tfflow.detection.export import CLIP_TIMES, MAX_CLIPS

    if pathlib.Path(source).is_dir():
        from tfflow.detection.training import in_motion, open_coco

        train, _ = open_coco(source)
        clips = in_motion(train)
        return [clips[number] for number in range(0, len(clips), -(-len(clips) // MAX_CLIPS))]
    frames = itertools.islice(read_video(source), _CLIPS * _FRAMES)
    frames = [f.image if i % _FRAMES in CLIP_TIMES else None for i, f in enumerate(frames)]
    return [frames[start : start + _FRAMES] for start in range(0, len(frames), _FRAMES)]
