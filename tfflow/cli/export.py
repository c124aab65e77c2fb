"""tfflow export: a .tflite file for phones."""

from tfflow.cli.shared import command, load, parse_size


def add(commands):
    parser = command(
        commands,
        "export",
        run,
        "make a .tflite file for phones",
        "Converts a model to .tflite with builtin operators only, and reports size, operators, "
        "latency and the difference from Keras.",
    )
    parser.add_argument("model", help="a .keras file or a preset's name")
    parser.add_argument("-o", "--output", required=True, help="the .tflite file to write")
    parser.add_argument(
        "--size",
        type=parse_size,
        default=(384, 512),
        metavar="HxW",
        help="height x width that the file runs at, multiples of 64 [384x512]",
    )
    parser.add_argument(
        "--quantize",
        default="int8",
        metavar="KIND",
        help="float32, float16, dynamic, int8, int8_uint8 (int8 with uint8 images) [%(default)s]",
    )
    parser.add_argument(
        "--calibration",
        metavar="DATASET",
        help="data set (as for evaluate) that int8's ranges are taken from [synthetic scenes]",
    )
    parser.add_argument("--evaluate", metavar="DATASET", help="compare EPE on this data set too")
    parser.add_argument("--report", help="write the report to this .json file")


def run(arguments):
    from tfflow import tflite
    from tfflow.data import open_dataset
    from tfflow.progress import working

    model = load(arguments.model)
    calibration = open_dataset(arguments.calibration) if arguments.calibration else None
    pairs = open_dataset(arguments.evaluate) if arguments.evaluate else None
    with working(f"exporting {arguments.model} to {arguments.quantize}"):
        path = tflite.export(
            model,
            arguments.output,
            size=arguments.size,
            quantization=arguments.quantize,
            calibration=calibration,
        )
    with working(f"measuring {path}"):
        report = tflite.report(path, model, pairs=pairs)
    print(report.as_text())
    if arguments.report:
        report.write(arguments.report)
