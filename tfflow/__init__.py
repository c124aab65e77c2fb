"""tfflow: optical flow for TensorFlow and Keras, from training to the phone.

>>> import tfflow
>>> model = tfflow.load()                          # our own network, trained
>>> flow = model.predict_flow(image1, image2)      # (H, W, 2): pixels to the right and down

Submodules are imported when first used, so that ``import tfflow`` takes no time and needs nothing
that is not installed.
"""

import importlib

from tfflow import keras_classes as _keras_classes
from tfflow.models import registry as _registry

__version__ = "0.1.0"

_SUBMODULES = (
    "addons",
    "cli",
    "data",
    "detection",
    "evaluation",
    "losses",
    "metrics",
    "models",
    "ops",
    "recipes",
    "tflite",
    "training",
    "visualization",
    "weights",
)

__all__ = ["load", *_SUBMODULES]


def load(source="rillflow", *, engine=None, compile=False):
    """Loads a preset or a model file that predicts flow, all with the same ``predict_flow``.

    Args:
        source: A preset's name (``tfflow.weights.list_presets()``), a ``.keras`` file, or a
            ``.tflite`` file. By default our own network.
        engine: What a preset runs on: ``"keras"``, or ``"tflite"`` for its exported int8 file,
            which loads at once and needs no TensorFlow. None = Keras. A file has its own.
        compile: For a ``.keras`` file: restore loss, metrics and optimizer too, so that ``fit``
            continues the training.

    Returns:
        A :class:`tfflow.models.FlowModel` or a :class:`tfflow.tflite.FlowInterpreter`.

    Raises:
        FileNotFoundError: If it names a file that does not exist.
        ValueError: If it is neither a known preset nor a model file, the engine is unknown or not
            the file's, or ``compile`` is given for a model that was never compiled.

    Example:
        >>> tfflow.load("lightflow_int8.tflite").predict_flow(image1, image2)
    """
    return importlib.import_module("tfflow.loading").load(source, engine, compile)


def _load_preset(name, preset, arguments):
    return importlib.import_module("tfflow.loading").create_from_preset(name, preset, arguments)


# Models and presets know nothing of each other; they meet here.
_registry.preset_loader = _load_preset

_keras_classes.announce()


def __getattr__(name):
    if name in _SUBMODULES:
        return importlib.import_module(f"tfflow.{name}")
    raise AttributeError(f"module 'tfflow' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_SUBMODULES])
