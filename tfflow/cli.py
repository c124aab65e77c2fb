"""The tfflow command: flow, evaluate, export, benchmark, synthesize, models. No logic here."""

import argparse
import json
import math
import pathlib
import sys

import tfflow
from tfflow.startup import start_backend_quietly

DESCRIPTION = "Optical flow for TensorFlow and Keras, from training to the phone."
EXAMPLES = """\
examples:
  tfflow flow a.png b.png -o out
  tfflow flow clip.mp4 -o flow.mp4 --model lightflow_int8.tflite
  tfflow evaluate --model my.keras --dataset chairs-val:/data/FlyingChairs_release
  tfflow export lightflow --size 384x512 --quantize int8 -o lightflow_int8.tflite
  tfflow benchmark lightflow_int8.tflite --threads 1 2

Help on one of them: tfflow flow --help
"""


def main(arguments=None):
    """Entry point. Returns the exit status: 0, or 1 with one line that says what went wrong."""
    parsed = build_parser().parse_args(arguments)
    try:
        parsed.run(parsed)
    except (ValueError, OSError, ImportError) as error:
        print(f"tfflow {parsed.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


def build_parser():
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="tfflow",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tfflow {tfflow.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for add in (
        _add_flow,
        _add_evaluate,
        _add_export,
        _add_benchmark,
        _add_synthesize,
        _add_models,
    ):
        add(commands)
    return parser


# flow ----------------------------------------------------------------------------------------


def _add_flow(commands):
    parser = _command(
        commands,
        "flow",
        _flow,
        "flow between two images, in a folder of images, or in a video",
        "Writes for each pair the flow (.flo), its colours (_colors.png), and frames and flow side "
        "by side (_figure.png); for a video, a video of frames and flow.",
    )
    parser.add_argument(
        "input", nargs="+", help="two images; or a folder of frames or pairs; or a video"
    )
    parser.add_argument(
        "-o", "--output", required=True, help="folder; for a video a .mp4 or .gif file"
    )
    _model_option(parser)
    parser.add_argument(
        "--format",
        default="flo",
        choices=("flo", "pfm", "png"),
        help="png is KITTI's [%(default)s]",
    )
    parser.add_argument(
        "--max-flow", type=float, help="motion in px of full colour [each picture's largest]"
    )
    parser.add_argument("--limit", type=int, help="only the first so many pairs")


def _flow(arguments):
    from tfflow.data.datasets import FlowDataset, PairFiles, open_dataset
    from tfflow.data.video import VIDEO_EXTENSIONS
    from tfflow.evaluation import predict_pairs, predict_video

    inputs = [pathlib.Path(path) for path in arguments.input]
    if len(inputs) == 1 and inputs[0].suffix.lower() in VIDEO_EXTENSIONS:
        predictor = _load(arguments.model)
        with _progress("frames") as progress:
            count = predict_video(
                predictor,
                inputs[0],
                arguments.output,
                max_flow=arguments.max_flow,
                limit=arguments.limit,
                progress=progress,
            )
        print(f"{count} pairs of frames -> {arguments.output}")
        return
    if len(inputs) == 1:
        if inputs[0].resolve() == pathlib.Path(arguments.output).resolve():
            raise ValueError("-o is the input's own folder; its pictures would be the next input")
        dataset = open_dataset(arguments.input[0])
    elif len(inputs) == 2:
        dataset = FlowDataset("images", [PairFiles(inputs[0].stem, *inputs)])
    else:
        raise ValueError(f"expected two images, a folder or a video; got {len(inputs)} names")
    if arguments.limit:
        dataset = dataset[: arguments.limit]
    predictor = _load(arguments.model)
    with _progress("pairs") as progress:
        results = predict_pairs(
            predictor,
            dataset,
            arguments.output,
            extension=f".{arguments.format}",
            max_flow=arguments.max_flow,
            progress=progress,
        )
    for result in results:
        epe = "" if result["epe"] is None else f", EPE {result['epe']:.2f} px"
        print(f"{result['name']}: mean motion {result['motion']:.2f} px{epe}")
    print(f"wrote {sum(len(result['files']) for result in results)} files to {arguments.output}")


# evaluate ------------------------------------------------------------------------------------


def _add_evaluate(commands):
    parser = _command(
        commands,
        "evaluate",
        _evaluate,
        "end-point error of a model on a data set",
        "EPE, outliers (Fl) and EPE by speed of a .keras file, a preset or a .tflite file.",
    )
    _model_option(parser)
    parser.add_argument(
        "--dataset",
        required=True,
        help="kind:folder, e.g. chairs-val:/data/FlyingChairs_release, scenes:scenes, "
        "folder:pairs; or a folder alone",
    )
    parser.add_argument("--limit", type=int, help="only the first so many pairs")
    parser.add_argument("--json", help="also write the numbers to this file")


def _evaluate(arguments):
    from tfflow.data import open_dataset
    from tfflow.evaluation import evaluate

    dataset = open_dataset(arguments.dataset)
    predictor = _load(arguments.model)
    with _progress("pairs") as progress:
        result = evaluate(
            predictor,
            dataset,
            limit=arguments.limit,
            progress=lambda done, total, epe: progress(done, total),
        )
    speeds = {"s0_10": "0-10 px", "s10_40": "10-40 px", "s40_plus": "over 40 px"}
    _print_table(
        f"{arguments.model} on {arguments.dataset}",
        ("", ""),
        [
            ("EPE", f"{result.epe:.3f} px"),
            ("EPE of zero flow", f"{result.zero_flow_epe:.3f} px"),
            ("Fl (over 3 px and 5 %)", f"{result.fl:.2f} %"),
            *(
                (f"EPE at {speeds[key]}", "no such pixels" if math.isnan(epe) else f"{epe:.3f} px")
                for key, epe in result.by_speed.items()
            ),
            ("pairs", str(result.pairs)),
            ("time a pair (median)", f"{result.milliseconds:.1f} ms"),
        ],
    )
    if arguments.json:
        path = pathlib.Path(arguments.json)
        path.write_text(json.dumps(result.as_dict(), indent=2) + "\n", encoding="utf-8")


# export --------------------------------------------------------------------------------------


def _add_export(commands):
    parser = _command(
        commands,
        "export",
        _export,
        "make a .tflite file for phones",
        "Converts a model to .tflite with builtin operators only, and reports size, operators, "
        "latency and the difference from Keras.",
    )
    parser.add_argument("model", help="a .keras file or a preset's name")
    parser.add_argument("-o", "--output", required=True, help="the .tflite file to write")
    parser.add_argument(
        "--size",
        type=_size,
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


def _export(arguments):
    from tfflow import tflite
    from tfflow.data import open_dataset
    from tfflow.progress import working

    model = _load(arguments.model)
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


# benchmark -----------------------------------------------------------------------------------


def _add_benchmark(commands):
    parser = _command(
        commands,
        "benchmark",
        _benchmark,
        "latency of .tflite files on this machine",
        "Runs each file in turn, several times, and prints medians in milliseconds.",
    )
    parser.add_argument("models", nargs="+", help=".tflite files")
    parser.add_argument("--threads", type=int, nargs="+", default=[1], help="[1]")
    parser.add_argument("--runs", type=int, default=30, help="timed runs each [%(default)s]")


def _benchmark(arguments):
    from tfflow import tflite

    rows = []
    for model in arguments.models:
        for threads in arguments.threads:
            result = tflite.benchmark(model, threads=threads, runs=arguments.runs)
            rows.append(
                (
                    model,
                    str(threads),
                    f"{result['median_ms']:.2f}",
                    f"{result['p90_ms']:.2f}",
                    f"{pathlib.Path(model).stat().st_size / 1e6:.2f}",
                )
            )
    _print_table("latency", ("file", "threads", "median ms", "p90 ms", "MB"), rows)


# synthesize ----------------------------------------------------------------------------------


def _add_synthesize(commands):
    parser = _command(
        commands,
        "synthesize",
        _synthesize,
        "draw synthetic scenes with exact flow",
        "Draws pairs of frames of layered moving worlds into a folder, to train and calibrate on. "
        "Interrupted, it goes on where it was when called again.",
    )
    parser.add_argument("output", help="folder")
    parser.add_argument("--count", type=int, default=1000, help="number of pairs [%(default)s]")
    parser.add_argument("--size", type=_size, default=(384, 512), metavar="HxW", help="[384x512]")
    parser.add_argument("--seed", type=int, default=0, help="the same seed, the same scenes [0]")
    parser.add_argument("--motion-scale", type=float, default=1.0, help="factor on all motion [1]")
    parser.add_argument("--workers", type=int, help="processes [one a core]")
    parser.add_argument(
        "--layout", default="shards", choices=("shards", "chairs"), help="chairs: FlyingChairs' own"
    )


def _synthesize(arguments):
    from tfflow.data import SceneConfig, synthesize

    config = SceneConfig(
        height=arguments.size[0], width=arguments.size[1], motion_scale=arguments.motion_scale
    )
    with _progress("scenes") as progress:
        synthesize(
            arguments.output,
            arguments.count,
            config=config,
            seed=arguments.seed,
            workers=arguments.workers,
            layout=arguments.layout,
            progress=progress,
        )
    print(f"{arguments.count} scenes in {arguments.output}")


# models --------------------------------------------------------------------------------------


def _add_models(commands):
    _command(commands, "models", _models, "list the networks and presets", "The networks by name.")


def _models(arguments):
    from tfflow.weights import presets

    rows = []
    for name in tfflow.models.list():
        entry = tfflow.models.entry(name)
        parameters = "" if entry.parameters is None else f"{entry.parameters:,}"
        rows.append((name, parameters, ", ".join(presets.list_presets(name)), entry.description))
    _print_table("networks", ("name", "parameters", "presets", ""), rows)


# Shared pieces -------------------------------------------------------------------------------


def _command(commands, name, run, summary, description):
    parser = commands.add_parser(name, help=summary, description=description)
    parser.set_defaults(run=run)
    return parser


def _model_option(parser):
    parser.add_argument(
        "--model",
        default="lightflow",
        help="a preset's name (tfflow models), a .keras or a .tflite file [%(default)s]",
    )


def _load(source):
    """tfflow.load, with the backend started quietly where one is needed."""
    if pathlib.Path(source).suffix != ".tflite":
        start_backend_quietly()
    return tfflow.load(source)


def _size(text):
    """HxW as (height, width)."""
    height, separator, width = text.lower().partition("x")
    if not (separator and height.isdecimal() and width.isdecimal()):
        raise argparse.ArgumentTypeError(f"expected HEIGHTxWIDTH like 384x512, got {text!r}")
    return int(height), int(width)


def _progress(what):
    from tfflow.progress import progress_bar

    return progress_bar(what)


def _print_table(title, header, rows):
    from tfflow.progress import print_table

    print_table(title, header, rows)


if __name__ == "__main__":
    sys.exit(main())
