"""The detectors that come with the package: exported files and a card."""

import pathlib

from tfflow.suggestion import suggestion
from tfflow.weights.presets import checked_file, preset_card

FOLDER = pathlib.Path(__file__).parent / "presets"


def list_detectors():
    """Names of the detectors in the package; see :func:`detector_files`."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def detector_card(name):
    """The card of a detector in the package, a dict."""
    return preset_card(name, FOLDER)


def detector_files(name):
    """The path of a detector's file for key frames; the file for the other frames lies beside it.

    Args:
        name: Name of the detector.

    Raises:
        ValueError: If there is no such detector, or a file is damaged.
    """
    if name not in list_detectors():
        raise ValueError(
            f"{name!r} is no detector's preset, nor a .keras or .tflite file. "
            f"{suggestion(name, list_detectors())}"
        )
    files = detector_card(name)["tflite"]
    paths = {part: checked_file(FOLDER / f"{name}_{part}.tflite", files[part]) for part in files}
    return paths["key"]
