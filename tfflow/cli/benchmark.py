"""tfflow benchmark: latency of .tflite files on this machine."""

import pathlib

from tfflow.cli import shared

ROWS = 16  # per table of a profile


def add(commands):
    parser = shared.command(
        commands,
        "benchmark",
        run,
        "latency of .tflite files on this machine",
        "Runs each file in turn, several times, and prints medians in milliseconds; with --profile "
        "where they go, by kind of operator and by layer.",
    )
    parser.add_argument("models", nargs="+", help=".tflite files, or presets for their int8 file")
    parser.add_argument("--threads", type=int, nargs="+", help="[1]")
    parser.add_argument("--runs", type=int, default=30, help="timed runs each [%(default)s]")
    parser.add_argument("--profile", action="store_true", help="time each operator, on one thread")


def run(arguments):
    from tfflow import tflite
    from tfflow.data.files.errors import error_text
    from tfflow.progress import print_table

    if arguments.profile and arguments.threads:
        raise ValueError("--profile is of one thread; leave out --threads")
    rows, left_out = [], []
    for model in arguments.models:
        try:
            path = _file(model)
            if arguments.profile:
                _print_profile(tflite.profile(path, runs=arguments.runs))
                continue
            results = [
                tflite.benchmark(path, threads=threads, runs=arguments.runs)
                for threads in arguments.threads or [1]
            ]
        except (OSError, ValueError, RuntimeError) as error:
            if len(arguments.models) == 1:
                raise ValueError(error_text(error)) from error
            left_out.append(error_text(error))
            continue
        megabytes = f"{path.stat().st_size / 1e6:.2f}"
        for each in results:
            times = f"{each['median_ms']:.2f}", f"{each['p90_ms']:.2f}"
            rows.append((model, str(each["threads"]), *times, megabytes))
    if rows:
        print_table("latency", ("file", "threads", "median ms", "p90 ms", "MB"), rows)
    shared.check_complete(left_out)


def _print_profile(found):
    from tfflow.progress import print_table

    title = (
        f"{found['file']}: {found['ms']:.2f} ms on one thread; {found['delegated']} of "
        f"{found['operators']} operators in LiteRT's delegate, in {found['partitions']} "
        "partitions\n\n"
    )
    for heading, name in (
        ("by kind of operator", "kinds"),
        ("by layer", "layers"),
        ("outside of the delegate", "outside"),
    ):
        rows = [
            (row["name"], f"{row['ms']:.2f}", f"{row['ms'] / found['ms']:.0%}", str(row["calls"]))
            for row in found[name][:ROWS]
        ]
        rest = found[name][ROWS:]
        if rest:
            milliseconds = sum(row["ms"] for row in rest)
            calls = str(sum(row["calls"] for row in rest))
            share = f"{milliseconds / found['ms']:.0%}"
            rows.append((f"{len(rest)} others", f"{milliseconds:.2f}", share, calls))
        if rows:
            print_table(title + heading, ("", "ms", "share", "operators"), rows)
            title = ""


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
