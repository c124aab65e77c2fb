"""tfflow sensitivity: what int8 costs, layer by layer."""

from tfflow.cli import shared


def add(commands):
    parser = shared.command(
        commands,
        "sensitivity",
        run,
        "measure what int8 costs layer by layer",
        "Tries each layer alone in int8, and each in float within int8; tfflow export --keep-float "
        "then keeps those in float that cost the most.",
    )
    shared.exported_model(parser)
    what = "height x width that the network runs at, multiples of 64 [384x512]"
    shared.size_option(parser, what, default=(384, 512))
    shared.calibration_options(parser)
    parser.add_argument(
        "--evaluate", metavar="DATASET", help="measure on this data set [synthetic scenes]"
    )
    parser.add_argument(
        "--report", metavar="FILE", help="write the table to this .json file, and beside it as .md"
    )


def run(arguments):
    from tfflow import tflite
    from tfflow.data import open_dataset

    shared.check_json("--report", arguments.report)
    model = shared.load(arguments.model)
    report = tflite.sensitivity(
        model,
        size=arguments.size,
        pairs=open_dataset(arguments.evaluate) if arguments.evaluate else None,
        calibration=arguments.calibration,
        outliers=arguments.outliers,
    )
    print(report.as_text())
    if arguments.report:
        report.write(arguments.report)
