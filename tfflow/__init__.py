"""tfflow: optical flow for TensorFlow and Keras, from training to the phone.

>>> import tfflow
>>> model = tfflow.load()                          # our own network, trained
>>> flow = model.predict_flow(image1, image2)      # (H, W, 2): pixels to the right and down

Submodules are imported when first used, so that ``import tfflow`` takes no time and needs nothing
that is not installed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Literal, overload

from tfflow import keras_classes as _keras_classes
from tfflow.lazy import importer as _importer
from tfflow.models import registry as _registry

if TYPE_CHECKING:
    from tfflow import addons as addons
    from tfflow import cli as cli
    from tfflow import data as data
    from tfflow import detection as detection
    from tfflow import evaluation as evaluation
    from tfflow import losses as losses
    from tfflow import metrics as metrics
    from tfflow import models as models
    from tfflow import ops as ops
    from tfflow import recipes as recipes
    from tfflow import tflite as tflite
    from tfflow import tools as tools
    from tfflow import training as training
    from tfflow import visualization as visualization
    from tfflow import weights as weights
    from tfflow.types import PathLike

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
    "tools",
    "training",
    "visualization",
    "weights",
)

__all__ = ["load", *_SUBMODULES]


@overload
def load(
    source: PathLike = ..., *, engine: Literal["tflite"], compile: bool = ...
) -> tflite.FlowInterpreter: ...
# Any: a .tflite file gives a FlowInterpreter, whatever the engine.
@overload
def load(
    source: PathLike = ..., *, engine: Literal["keras"] | None = ..., compile: bool = ...
) -> models.FlowModel | Any: ...
def load(
    source: PathLike = "rillflow",
    *,
    engine: Literal["keras", "tflite"] | None = None,
    compile: bool = False,
) -> models.FlowModel | tflite.FlowInterpreter:
    """Loads a preset or a model file that predicts flow, all with the same ``predict_flow``.

    Args:
        source: By default our own network. Or:

            * a preset's name (``tfflow.weights.list_presets()``);
            * the name of a published checkpoint (``tfflow.weights.list_checkpoints()``), which is
              downloaded the first time: ``"mmflow/liteflownet2_8x1_500k_flyingthing3d_subset…"``;
            * a ``.keras`` or ``.tflite`` file, or its http(s) address;
            * a folder that ``model.save_preset`` wrote, or one on the Hugging Face Hub,
              ``"hf://user/name"``.

            A model from elsewhere (an address, a preset's folder) may name only Keras's classes,
            this library's, and those that you have registered, so that loading it runs no code.
        engine: What a preset runs on: ``"keras"``, or ``"tflite"`` for its exported int8 file,
            which loads at once and needs no TensorFlow. None = Keras. A file has its own.
        compile: For a ``.keras`` file: restore loss, metrics and optimizer too, so that ``fit``
            continues the training.

    Returns:
        A :class:`tfflow.models.FlowModel` or a :class:`tfflow.tflite.FlowInterpreter`.

    Raises:
        ConnectionError: If it can't be downloaded.
        FileNotFoundError: If it names a file that does not exist.
        ImportError: If reading it needs a package that is missing.
        ValueError: If it is nothing of the above, damaged, the engine is unknown or not the file's,
            or ``compile`` is given for a model that was never compiled.

    Example:
        >>> tfflow.load("lightflow_int8.tflite").predict_flow(image1, image2)
    """
    return importlib.import_module("tfflow.loading").load(source, engine, compile)


# Models and presets know nothing of each other; they meet here.
_registry.loading = lambda: importlib.import_module("tfflow.loading")

_keras_classes.announce()


if not TYPE_CHECKING:  # to type checkers, any other name is an error
    __getattr__ = _importer(__name__, {}, _SUBMODULES)


def __dir__() -> list[str]:
    return sorted([*globals(), *_SUBMODULES])
