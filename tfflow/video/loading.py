"""A detector's .keras file."""

import pathlib

import keras

from tfflow.models import registry
from tfflow.video.detector import FlowGuidedDetector


def load_detector(path):
    """The :class:`tfflow.video.FlowGuidedDetector` in a .keras file, its flow network included.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no .keras file, damaged, or holds another model.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No detector at {path}.")
    for name in registry.list():
        registry.entry(name).model_class()  # imported, the class is known to Keras
    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:
        raise ValueError(f"{path} can't be loaded as a Keras model: {error}") from error
    if not isinstance(model, FlowGuidedDetector):
        raise ValueError(
            f"{path} holds a {type(model).__name__}; expected a tfflow.video.FlowGuidedDetector."
        )
    return model
