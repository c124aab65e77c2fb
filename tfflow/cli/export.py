"""tfflow export: a .tflite file for phones."""

import argparse
import itertools
import pathlib

from tfflow.atomic_file import atomic_file
from tfflow.cli.shared import command, import_option, load, parse_size

# Of a video that a detector is calibrated on: how many clips, and how long.
_CLIPS, _FRAMES = 24, 18


def add(commands):
    parser = command(
        commands,
        "export",
        run,
        "make a .tflite file for phones",
        "Converts a model to .tflite with builtin operators only, and reports size, operators, "
        "latency and the difference from Keras. With --sensitivity it writes no file, but measures "
        "what int8 costs layer by layer. Of a detector for videos it makes two files, NAME_key and "
        "NAME_between. An output named *.onnx, or a new folder for a SavedModel, is made by Keras, "
        "in float32 and for images of any size unless --size is given.",
    )
    parser.add_argument("model", help="a .keras file or a preset's name")
    import_option(parser)
    parser.add_argument(
        "-o", "--output", help="the .tflite or .onnx file to write, or a SavedModel's folder"
    )
    parser.add_argument(
        "--size",
        type=parse_size,
        metavar="HxW",
        help="height x width that the file runs at, multiples of 64 [384x512; detectors 256x384]",
    )
    parser.add_argument(
        "--quantize",
        metavar="KIND",
        help="float32, float16, weights, dynamic, int8, int8_uint8 (int8 with uint8 images), "
        "int16x8 [int8]",
    )
    parser.add_argument(
        "--calibration",
        metavar="SOURCE",
        help="what int8's ranges are taken from: a folder of frames or pairs, a video, or a data "
        "set (as for evaluate) [synthetic scenes]; of a detector, a video",
    )
    parser.add_argument(
        "--outliers",
        type=float,
        metavar="SHARE",
        help="share of a tensor's values outside its range at either end; 0: minimum and maximum "
        "[0.001]",
    )
    parser.add_argument(
        "--keep-float",
        action="append",
        metavar="LAYER",
        help="keep this layer in float within int8, named as by --sensitivity; may be given again",
    )
    parser.add_argument(
        "--sensitivity",
        action="store_true",
        help="print what each layer loses in int8, instead of exporting",
    )
    parser.add_argument(
        "--streaming",
        action="store_true",
        help="also write encode and match, which take a video's frames one by one",
    )
    parser.add_argument(
        "--warp-radius",
        type=int,
        metavar="PX",
        help="warp without gathering, for mobile GPUs, by at most so many pixels at each level",
    )
    parser.add_argument(
        "--threads",
        type=_numbers,
        metavar="N,N",
        help="numbers of threads that the report's latency is measured at, as 1,2,4",
    )
    parser.add_argument(
        "--evaluate",
        metavar="DATASET",
        help="compare EPE on this data set too; with --sensitivity, measure on it",
    )
    parser.add_argument("--report", help="write the report to this .json file")
    parser.add_argument(
        "--android-assets",
        metavar="DIR",
        help="also put the file into an app's assets, with what the app checks it with",
    )
    parser.add_argument("--classes", metavar="NAME,NAME", help="of a detector: its classes' names")


def run(arguments):
    from tfflow import tflite
    from tfflow.data import open_dataset
    from tfflow.progress import working

    _check(arguments)
    by_keras = arguments.output and pathlib.Path(arguments.output).suffix != ".tflite"
    if by_keras:
        _check_for_keras(arguments)
    arguments.quantize = arguments.quantize or "int8"
    model = load(arguments.model, detectors=True)
    if not hasattr(model, "predict_flow"):
        return _export_detector(model, arguments)
    if by_keras:
        return _export_by_keras(model, arguments)
    if arguments.classes:
        raise ValueError(f"--classes is for detectors; {arguments.model} predicts flow.")
    size = arguments.size or (384, 512)
    pairs = open_dataset(arguments.evaluate) if arguments.evaluate else None
    calibration = {"calibration": arguments.calibration, "outliers": arguments.outliers}
    if arguments.sensitivity:
        report = tflite.sensitivity(model, size=size, pairs=pairs, **calibration)
    else:
        options = {} if arguments.warp_radius is None else {"warp_radius": arguments.warp_radius}
        with working(f"exporting {arguments.model} to {arguments.quantize}"):
            path = tflite.export(
                model,
                arguments.output,
                size=size,
                quantization=arguments.quantize,
                keep_float=arguments.keep_float,
                streaming=arguments.streaming,
                **calibration,
                **options,
            )
        options = {} if arguments.threads is None else {"threads": arguments.threads}
        with working(f"measuring {path}"):
            report = tflite.report(path, model, pairs=pairs, **options)
    print(report.as_text())
    if arguments.report:
        report.write(arguments.report)
    if not arguments.sensitivity:
        print(f"\n{tflite.usage(path)}")
    if arguments.android_assets:
        name = tflite.add_to_assets(path, arguments.android_assets)
        print(f"\n{arguments.android_assets}: the app's list of networks has {name} now")


def _check_for_keras(arguments):
    path = pathlib.Path(arguments.output)
    if path.suffix not in ("", ".onnx"):
        raise ValueError(
            f"-o must be named *.tflite or *.onnx, or be a new folder without a dot in its name "
            f"for a SavedModel; got {path}"
        )
    if path.suffix == "" and path.exists():
        raise ValueError(f"{path} is there already; name a new folder for the SavedModel")
    if arguments.quantize not in (None, "float32"):
        raise ValueError(
            f"{path} will be float32; leave out --quantize {arguments.quantize}, which is for "
            ".tflite files"
        )
    for_tflite = {
        "--calibration": arguments.calibration,
        "--outliers": arguments.outliers is not None,
        "--keep-float": arguments.keep_float,
        "--streaming": arguments.streaming,
        "--warp-radius": arguments.warp_radius is not None,
        "--threads": arguments.threads,
        "--evaluate": arguments.evaluate,
        "--report": arguments.report,
        "--classes": arguments.classes,
    }
    for name, given in for_tflite.items():
        if given:
            raise ValueError(f"{name} is for .tflite files; leave it out")


def _export_by_keras(model, arguments):
    from tfflow.progress import working

    path = pathlib.Path(arguments.output)
    signature = model.input_signature(arguments.size)
    with working(f"exporting {arguments.model} to {path}"):
        if path.suffix == ".onnx":
            with atomic_file(path) as temporary:
                model.export(str(temporary), "onnx", verbose=False, input_signature=signature)
        else:
            model.export(str(path), verbose=False, input_signature=signature)
    size = "any size" if arguments.size is None else "x".join(map(str, arguments.size))
    print(f"{path}: float32, image1 and image2 of {size} to flow in px")


def _export_detector(detector, arguments):
    from tfflow.data.files.video import read_video
    from tfflow.detection.export import CLIP_TIMES
    from tfflow.progress import working
    from tfflow.tflite import export_detector, operators

    of_flow = {
        "--keep-float": arguments.keep_float,
        "--streaming": arguments.streaming,
        "--warp-radius": arguments.warp_radius is not None,
        "--threads": arguments.threads,
        "--evaluate": arguments.evaluate,
        "--report": arguments.report,
        "--sensitivity": arguments.sensitivity,
        "--android-assets": arguments.android_assets,
    }
    for name, given in of_flow.items():
        if given:
            raise ValueError(f"{name} is for networks that predict flow; leave it out")
    calibration = None
    if arguments.calibration:
        frames = itertools.islice(read_video(arguments.calibration), _CLIPS * _FRAMES)
        # Of a clip, a few frames are looked at; large videos would fill the memory.
        frames = [f.image if i % _FRAMES in CLIP_TIMES else None for i, f in enumerate(frames)]
        calibration = [frames[start : start + _FRAMES] for start in range(0, len(frames), _FRAMES)]
    with working(f"exporting {arguments.model} to {arguments.quantize}"):
        paths = export_detector(
            detector,
            arguments.output,
            classes=arguments.classes.split(",") if arguments.classes else None,
            size=arguments.size or (256, 384),
            quantization=arguments.quantize,
            calibration=calibration,
            outliers=arguments.outliers,
        )
    for path in paths:
        megabytes, count = path.stat().st_size / 1e6, sum(operators(path).values())
        print(f"{path}: {megabytes:.2f} MB, {count} operators")


def _check(arguments):
    """What could only fail at the end fails before."""
    if pathlib.Path(arguments.model).suffix == ".tflite":
        raise ValueError(
            f"{arguments.model} is exported already; export takes a .keras file or a preset's name"
        )
    if arguments.report and pathlib.Path(arguments.report).suffix != ".json":
        raise ValueError(f"--report must be named *.json; got {arguments.report}")
    if not arguments.sensitivity:
        if not arguments.output:
            raise ValueError("-o FILE.tflite is missing: where to write to (or --sensitivity)")
        if arguments.android_assets and arguments.quantize == "int8_uint8":
            raise ValueError(
                "--android-assets is for files that take float32 images, as LiteRT on Android has "
                "them; give --quantize int8, float16 or float32"
            )
        return
    useless = {
        "-o": arguments.output,
        "--keep-float": arguments.keep_float,
        "--streaming": arguments.streaming,
        "--warp-radius": arguments.warp_radius is not None,
        "--threads": arguments.threads,
        "--android-assets": arguments.android_assets,
    }
    for name, given in useless.items():
        if given:
            raise ValueError(f"--sensitivity writes no .tflite file; leave out {name}")
    if not (arguments.quantize or "int8").startswith("int8"):
        raise ValueError(f"--sensitivity is of int8; leave out --quantize {arguments.quantize}")


def _numbers(text):
    """N,N,… as a tuple of whole numbers of at least 1."""
    numbers = text.split(",")
    if not all(number.isdecimal() and int(number) > 0 for number in numbers):
        raise argparse.ArgumentTypeError(f"expected numbers of threads like 1,2,4, got {text!r}")
    return tuple(map(int, numbers))
