"""Checks that a file is a .tflite file."""

import pathlib

from tfflow.types import PathLike


def check_model_file(path: PathLike) -> pathlib.Path:
    """The path as a ``pathlib.Path``, if a .tflite file is there.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a .tflite file.
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no model file {path}.")
    if not path.is_file():
        raise ValueError(f"{path} is not a file; expected a .tflite file.")
    with path.open("rb") as file:
        head = file.read(8)
    # Every .tflite flatbuffer carries its schema's name after the offset of the root table.
    if head[4:8] != b"TFL3":
        found = "it is empty" if not head else f"it begins with {head!r}"
        raise ValueError(
            f"{path} is not a .tflite file: {found}, and TFL3 is missing from its fifth byte on."
        )
    return path
