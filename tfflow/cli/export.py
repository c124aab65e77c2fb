"""tfflow export: a .tflite file for phones."""

import argparse
import pathlib

from tfflow.cli import shared


def add(commands):
    parser = shared.command(
        commands,
        "export",
        run,
        "make a .tflite file for phones",
        "Converts a model to .tflite with builtin operators only, and reports size, operators, "
        "latency and the difference from Keras. An output named *.onnx, or a new folder for a "
        "SavedModel, is made by Keras, in float32 and for images of any size unless --size is "
        "given.",
    )
    shared.exported_model(parser)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        help="the .tflite or .onnx file to write, or a SavedModel's folder",
    )
    shared.size_option(parser, "height x width that the file runs at, multiples of 64 [384x512]")
    parser.add_argument(
        "--quantize",
        metavar="KIND",
        help="float32, float16, weights, dynamic, int8, int8_uint8 (int8 with uint8 images), "
        "int16x8 [int8]",
    )
    shared.calibration_options(parser)
    parser.add_argument(
        "--keep-float",
        action="append",
        metavar="LAYER",
        help="keep this layer in float within int8, named as by tfflow sensitivity; may be "
        "given again",
    )
    parser.add_argument(
        "--streaming",
        action="store_true",
        help="also write encode and match, which take a video's frames one by one",
    )
    parser.add_argument(
        "--confidence",
        action="store_true",
        help="also give how far the network trusts its flow at each pixel",
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
        help="compare EPE on this data set too",
    )
    report = parser.add_mutually_exclusive_group()
    report.add_argument(
        "--report",
        metavar="FILE",
        help="write the report to this .json file, and beside it as .md and .png",
    )
    report.add_argument(
        "--no-report",
        action="store_true",
        help="write the file and measure nothing, which takes minutes for a large network",
    )
    parser.add_argument(
        "--android-assets",
        metavar="DIR",
        help="also put the file into an app's assets, with what the app checks it with",
    )


def run(arguments):
    from tfflow import tflite
    from tfflow.data import open_dataset
    from tfflow.progress import working
    from tfflow.tflite.quantization import CALIBRATED

    _check(arguments)
    by_keras = pathlib.Path(arguments.output).suffix != ".tflite"
    if by_keras:
        _check_for_keras(arguments)
    arguments.quantize = arguments.quantize or "int8"
    shared.check_calibration(arguments, {*tflite.QUANTIZATIONS} - {*CALIBRATED})
    model = shared.load(arguments.model)
    if by_keras:
        return _export_by_keras(model, arguments)
    dataset = open_dataset(arguments.evaluate) if arguments.evaluate else None
    options = {} if arguments.warp_radius is None else {"warp_radius": arguments.warp_radius}
    left_out = []
    with working(f"exporting {arguments.model} to {arguments.quantize}"):
        path = tflite.export(
            model,
            arguments.output,
            size=arguments.size or (384, 512),
            quantization=arguments.quantize,
            calibration=arguments.calibration,
            outliers=arguments.outliers,
            keep_float=arguments.keep_float,
            streaming=arguments.streaming,
            confidence=arguments.confidence,
            **options,
        )
    if not arguments.no_report:
        _report(path, model, None if dataset is None else _readable(dataset, left_out), arguments)
    print(tflite.usage(path))
    if arguments.android_assets:
        name = tflite.add_to_assets(path, arguments.android_assets)
        print(f"\n{arguments.android_assets}: the app's list of networks has {name} now")
    shared.check_complete(left_out)


def _readable(dataset, left_out):
    """The pairs of a data set, but those that can't be read, which are noted."""
    from tfflow.evaluation.evaluate import read_sample

    for index in range(len(dataset)):
        sample = read_sample(dataset, index, left_out)
        if sample is not None:
            yield sample
    if len(left_out) == len(dataset):
        shared.check_complete(left_out)


def _report(path, model, pairs, arguments):
    from tfflow import tflite
    from tfflow.progress import working

    options = {} if arguments.threads is None else {"threads": arguments.threads}
    with working(f"measuring {path} (--no-report leaves this out)"):
        report = tflite.report(path, model, pairs=pairs, **options)
    print(f"{report.as_text()}\n")
    if arguments.report:
        report.write(arguments.report)


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
        "--confidence": arguments.confidence,
        "--warp-radius": arguments.warp_radius is not None,
        "--threads": arguments.threads,
        "--evaluate": arguments.evaluate,
        "--report": arguments.report,
        "--android-assets": arguments.android_assets,
    }
    for name, given in for_tflite.items():
        if given:
            raise ValueError(f"{name} is for .tflite files; leave it out")


def _export_by_keras(model, arguments):
    from tfflow.progress import working

    path = pathlib.Path(arguments.output)
    signature = model.input_signature(arguments.size)
    with working(f"exporting {arguments.model} to {path}"):
        kind = "onnx" if path.suffix == ".onnx" else "tf_saved_model"
        model.export(path, kind, verbose=False, input_signature=signature)
    size = "any size" if arguments.size is None else "x".join(map(str, arguments.size))
    print(f"{path}: float32, image1 and image2 of {size} to flow in px")


def _check(arguments):
    """Raises now what would fail only at the end."""
    if pathlib.Path(arguments.model).suffix == ".tflite":
        raise ValueError(
            f"{arguments.model} is exported already; export takes a .keras file or a preset's name"
        )
    shared.check_json("--report", arguments.report)
    if arguments.android_assets:
        from tfflow.tflite.app_assets import open_list

        open_list(arguments.android_assets)
    for name, given in {"--threads": arguments.threads, "--evaluate": arguments.evaluate}.items():
        if given and arguments.no_report:
            raise ValueError(f"{name} is for the report; leave out {name} or --no-report")
    if arguments.android_assets and arguments.quantize == "int8_uint8":
        raise ValueError(
            "--android-assets is for files that take float32 images, as LiteRT on Android has "
            "them; give --quantize int8, float16 or float32"
        )


def _numbers(text):
    """N,N,… as a tuple of whole numbers of at least 1."""
    numbers = text.split(",")
    if not all(number.isdecimal() and int(number) > 0 for number in numbers):
        raise argparse.ArgumentTypeError(f"expected numbers of threads like 1,2,4, got {text!r}")
    return tuple(map(int, numbers))
