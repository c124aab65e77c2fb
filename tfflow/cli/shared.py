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
    parser.add_argument(
        "--engine",
        choices=("keras", "tflite"),
        help="what a preset runs on; tflite: its int8 file, without TensorFlow [keras]",
    )


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


def check_complete(left_out):
    """Ends a command whose other work is done with an error that lists what was left out.

    Raises:
        ValueError: If anything was.
    """
    if left_out:
        what = "\n  ".join(left_out)
        raise ValueError(f"not complete; the rest is done. What is left out:\n  {what}")
