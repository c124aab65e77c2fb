"""A detector's .keras file."""

import tfflow
from tfflow.detection.detector import FlowGuidedDetector
from tfflow.types import PathLike


def load_detector(path: PathLike) -> FlowGuidedDetector:
    """The :class:`tfflow.detection.FlowGuidedDetector` in a .keras file, its flow network included.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a .keras file, is damaged, or holds another model.
    """
    model = tfflow.load(path)
    if not isinstance(model, FlowGuidedDetector):
        raise ValueError(
            f"{path} holds a {type(model).__name__}; expected a "
            "tfflow.detection.FlowGuidedDetector."
        )
    return model
