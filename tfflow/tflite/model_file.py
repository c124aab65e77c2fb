"""What a .tflite file must be, and what it says about itself."""

import json
import pathlib
from typing import Any

from tfflow.types import PathLike

# Which of them a file has tells a reader what it can do.
_OWN = (
    *("model", "size", "quantization", "units", "tfflow", "classes", "pair"),
    *("streaming", "confidence", "warp_radius"),
)


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


def description_with(own: dict[str, Any], metadata: dict[str, Any] | None) -> dict[str, Any]:
    """What an export says about its file, and what its user adds.

    Raises:
        ValueError: If ``metadata`` is not a dict that JSON can hold, or has a key that the export
            writes itself.
    """
    metadata = {} if metadata is None else metadata
    if not isinstance(metadata, dict):
        raise ValueError(f"metadata must be a dict; got {type(metadata).__name__}.")
    if taken := [key for key in _OWN if key in metadata]:
        raise ValueError(
            f"metadata can't have {', '.join(map(repr, taken))}: the export writes that itself. "
            "Choose another key."
        )
    try:
        json.dumps(metadata, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"metadata must be what JSON can hold: {error}.") from error
    return own | metadata
