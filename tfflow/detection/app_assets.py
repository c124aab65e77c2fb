"""A detector in an app's assets; :mod:`tfflow.tflite.app_assets` says what else is there."""

import pathlib

from tfflow.checks import whole_number
from tfflow.checksum import sha256_of
from tfflow.detection.interpreter import DetectorInterpreter
from tfflow.folder_lock import folder_lock
from tfflow.tflite.app_assets import (
    LIST,
    check_names,
    files_of,
    list_file,
    read_list,
    write_assets,
)
from tfflow.types import PathLike

SCORE, OVERLAP = 0.3, 0.5  # what the app shows, and when two boxes are one object


def detector_assets(path, interval=10):
    """What an app needs for a detector.

    Args:
        path: ``NAME_key.tflite``, or ``NAME.tflite`` for both files.
        interval: Frames from one key frame to the next.

    Returns:
        (its entry in the list, a dict of file name -> path).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no exported detector.
    """
    interpreter = DetectorInterpreter(path, threads=1)
    if not interpreter.has_flow:
        raise ValueError(
            f"{path} is for single images; the app runs the two files of export_detector."
        )
    entry = {**interpreter.metadata}
    for part, file in interpreter.paths.items():
        entry[part] = file.name
        entry[f"{part}_sha256"] = sha256_of(file)
    entry |= {
        "classes": list(interpreter.classes),
        "interval": whole_number("interval", interval),
        "score": SCORE,
        "overlap": OVERLAP,
        "inputs": "image, key_image: (1, height, width, 3) float32 RGB in [0, 1]; features of the "
        "last key frame, zeros at first",
        "output": "boxes: (1, places, 4) x1, y1, x2, y2 in px; scores: (1, places, classes) in "
        "[0, 1]; features or flow",
    }
    return entry, {file.name: file for file in interpreter.paths.values()}


def add_detector_to_assets(path: PathLike, folder: PathLike, *, interval: int = 10) -> None:
    """Puts an exported detector into an app's assets, as the one that the app runs.

    It becomes the first of the list's detectors. One of the same files is replaced; others, and the
    flow networks, stay as they are.

    Args:
        path: A file of :func:`tfflow.detection.export_detector`, or ``NAME.tflite`` for both.
        folder: The assets, such as ``app/src/main/assets``, with a flow network in them.
        interval: Frames from one key frame to the next.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no exported detector, or the assets have no flow network, or one whose
            file has the same name, or a damaged list. Nothing is written then.
    """
    folder = pathlib.Path(folder)
    entry, files = detector_assets(path, interval)
    if not read_list(folder)["models"]:
        raise ValueError(
            f"{folder} has no flow network, which the app needs too. Add one before: tfflow export "
            f"rillflow --android-assets {folder} -o rillflow_int8.tflite"
        )
    contents = {name: file.read_bytes() for name, file in files.items()}
    with folder_lock(folder):
        listing = read_list(folder)
        check_names(folder, contents, [files_of(listing)])
        others = [each for each in listing.get("detectors", []) if each["key"] != entry["key"]]
        listing["detectors"] = [entry, *others]
        write_assets(folder, {**contents, LIST: list_file(listing)})
