"""The tfflow command, a module for each of its commands: arguments in, tables out, no logic.

Each has ``add(commands)``, which describes its arguments, and ``run(arguments)``.
"""

import argparse
import gc
import os
import sys
import warnings
from collections.abc import Sequence

import tfflow
from tfflow.cli import (
    benchmark,
    build_ops,
    detect,
    download,
    evaluate,
    evaluate_detector,
    export,
    export_detector,
    flow,
    import_weights,
    interpolate,
    models,
    motion_mask,
    sensitivity,
    shared,
    stabilize,
    submit,
    synthesize,
    track,
    train,
    train_detector,
    warp,
)
from tfflow.suggestion import suggestion

DESCRIPTION = "Optical flow for TensorFlow and Keras, from training to the phone."
EXAMPLES = """\
examples:
  tfflow flow a.png b.png -o out
  tfflow flow clip.mp4 -o flow.mp4 --model lightflow_int8.tflite
  tfflow stabilize clip.mp4 -o stable.mp4
  tfflow detect clip.mp4 -o boxes.mp4 --interval 10
  tfflow evaluate --model my.keras --dataset chairs-val:/data/FlyingChairs_release
  tfflow submit --dataset sintel-test:/data/MPI-Sintel-complete --benchmark sintel -o sintel
  tfflow export lightflow --size 384x512 --quantize int8 -o lightflow_int8.tflite
  tfflow download mmflow/liteflownet2_ft_4x1_600k_sintel_kitti_320x768
  tfflow import-weights liteflownet2 checkpoint.pth -o liteflownet2.keras
  tfflow benchmark lightflow_int8.tflite --threads 1 2
  tfflow train lightflow_chairs --data-dir /data

Help on one of them: tfflow flow --help
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point. Returns the exit status: 0, or 1 with one line that says what went wrong."""
    parsed = _parse(sys.argv[1:] if arguments is None else arguments)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            shared.import_modules(getattr(parsed, "imports", ()))
            parsed.run(parsed)
        return 0
    except (ValueError, OSError, ImportError) as error:
        from tfflow.data.files.errors import error_text

        print(f"tfflow {parsed.command}: {error_text(error)}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        status = 130
    # A data pipeline that was left behind would still call Python while that ends, and hang it.
    gc.collect()
    return status


def _parse(arguments):
    """Parses the arguments; exits with a suggestion if a word is misspelt."""
    # A file may be named -x.mp4, which would be taken for an option.
    arguments = [f"./{a}" if a[:1] == "-" and os.path.isfile(a) else a for a in arguments]
    parser = build_parser()
    commands = next(a.choices for a in parser._actions if a.dest == "command")
    command = next((word for word in arguments if not word.startswith("-")), None)
    if command is not None and command not in commands:
        parser.error(f"there is no command {command!r}. {suggestion(command, commands)}")
    if "" in arguments:
        parser.error('an argument is empty (""); is it a variable of the shell that is not set?')
    parsed, unknown = parser.parse_known_args(arguments)
    if unknown:
        options = parsed.parser._option_string_actions
        hint = suggestion(unknown[0].partition("=")[0], options)
        parsed.parser.error(f"unknown argument {unknown[0]!r}. {hint}")
    return parsed


def _show_warning(message, *_):
    """Prints a warning without the line of code that it came from."""
    print(f"warning: {message}", file=sys.stderr)


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="tfflow",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tfflow {tfflow.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in (
        flow,
        detect,
        warp,
        track,
        stabilize,
        interpolate,
        motion_mask,
        evaluate,
        submit,
        export,
        export_detector,
        sensitivity,
        benchmark,
        import_weights,
        train,
        train_detector,
        evaluate_detector,
        synthesize,
        models,
        download,
        build_ops,
    ):
        module.add(commands)
    return parser
