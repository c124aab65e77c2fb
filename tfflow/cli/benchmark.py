"""tfflow benchmark: latency of .tflite files on this machine."""

import pathlib

from tfflow.cli.shared import check_complete, command


def add(commands):
    parser = command(
        commands,
        "benchmark",
        run,
        "latency of .tflite files on this machine",
        "Runs each file in turn, several times, and prints medians in milliseconds.",
    )
    parser.add_argument("models", nargs="+", help=".tflite files, or presets for their int8 file")
    parser.add_argument("--threads", type=int, nargs="+", default=[1], help="[1]")
    parser.add_argument("--runs", type=int, default=30, help="timed runs each [%(default)s]")


def run(arguments):
    from tfflow import tflite
    from tfflow.data.files.errors import error_text
    from tfflow.progress import print_table

    rows, left_out = [], []
    for model in arguments.models:
        try:
            path = _file(model)
            results = [
                tflite.benchmark(path, threads=threads, runs=arguments.runs)
                for threads in arguments.threads
            ]
        except (OSError, ValueError) as error:
            if len(arguments.models) == 1:
                raise
            left_out.append(error_text(error))
            continue
        megabytes = f"{path.stat().st_size / 1e6:.2f}"
        for each in results:
            times = f"{each['median_ms']:.2f}", f"{each['p90_ms']:.2f}"
            rows.append((model, str(each["threads"]), *times, megabytes))
    print_table("latency", ("file", "threads", "median ms", "p90 ms", "MB"), rows)
    check_complete(left_out)


def _file(model):
    """The .tflite file that a preset's name or a path stands for."""
    from tfflow.weights import presets

    if model in presets.list_presets():
        return presets.preset_tflite(model)
    path = pathlib.Path(model)
    if path.suffix == ".tflite":
        return path
    raise ValueError(
        f"expected .tflite files or presets ({', '.join(presets.list_presets())}); got {model}. "
        "tfflow export makes a .tflite file of a model"
    )
