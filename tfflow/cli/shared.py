"""What the commands share. Nothing heavy is imported before a command runs."""

import argparse
import pathlib

import tfflow
from tfflow.startup import start_backend_quietly


def command(commands, name, run, summary, description):
    parser = commands.add_parser(name, help=summary, description=description)
    parser.set_defaults(run=run)
    return parser


def model_option(parser):
    parser.add_argument(
        "--model",
        default="lightflow",
        help="a preset's name (tfflow models), a .keras or a .tflite file [%(default)s]",
    )


def load(source):
    """tfflow.load, with the backend started quietly where one is needed."""
    if pathlib.Path(source).suffix != ".tflite":
        start_backend_quietly()
    return tfflow.load(source)


def parse_size(text):
    """HxW as (height, width)."""
    height, separator, width = text.lower().partition("x")
    if not (separator and height.isdecimal() and width.isdecimal()):
        raise argparse.ArgumentTypeError(f"expected HEIGHTxWIDTH like 384x512, got {text!r}")
    return int(height), int(width)
