"""What the commands share. Nothing heavy is imported before a command runs."""

import argparse
import importlib
import os
import pathlib
import sys

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
    parser.add_argument(
        "--engine",
        choices=("keras", "tflite"),
        help="what a preset runs on; tflite: its int8 file, without TensorFlow [keras]",
    )
    import_option(parser)


def import_option(parser):
    parser.add_argument(
        "--import",
        dest="imports",
        action="append",
        default=[],
        metavar="MODULE",
        help="import this module first, as python -m finds it: one that registers the classes of a "
        ".keras file of your own, or a network; may be given again",
    )


def import_modules(names):
    """Imports modules by name, from the current folder too."""
    if names:
        start_backend_quietly()  # which they import
        sys.path.insert(0, os.getcwd())
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise  # it lacks a module of its own
            raise ValueError(
                f"--import {name}: there is no such module in {os.getcwd()} or among what is "
                "installed. Name it as for python -m, without .py"
            ) from None


def weights_option(parser):
    parser.add_argument(
        "--weights",
        metavar="FILE",
        help="weights for the network that --model names (tfflow models): another project's "
        "checkpoint (.pth, .safetensors, .npz) or a .weights.h5",
    )


def load(source, weights=None, engine=None, detectors=False):
    """tfflow.load of what predicts flow, with the backend started quietly where one is needed.

    With ``weights``, ``source`` is a network's name, and the file is imported as import-weights
    does it, or loaded where Keras wrote it.
    """
    if pathlib.Path(source).suffix != ".tflite" and engine != "tflite":
        start_backend_quietly()
    if weights is None:
        model = tfflow.load(source, engine=engine)
        if not detectors and not hasattr(model, "predict_flow"):
            raise ValueError(
                f"{source} holds a {type(model).__name__}, which predicts no flow. For a detector: "
                "tfflow detect."
            )
        return model
    if engine == "tflite":
        raise ValueError("--weights are for a Keras model; leave out --engine tflite.")
    if source not in tfflow.models.list():
        raise ValueError(
            f"--weights goes with a network's name as --model (tfflow models); got {source!r}, "
            "which needs no weights or is no network."
        )
    if weights.endswith(".weights.h5"):
        if not pathlib.Path(weights).is_file():
            raise FileNotFoundError(f"No weights at {weights}.")
        model = tfflow.models.create(source)
        model.load_weights(weights)
        return model
    from tfflow.weights.checkpoints import import_checkpoint

    return import_checkpoint(source, weights).model


def parse_size(text):
    """HxW as (height, width)."""
    height, separator, width = text.lower().partition("x")
    if not (separator and height.isdecimal() and width.isdecimal()):
        raise argparse.ArgumentTypeError(f"expected HEIGHTxWIDTH like 384x512, got {text!r}")
    return int(height), int(width)
