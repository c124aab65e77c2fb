"""An evaluation as files: a CSV with a line for each pair, and JSON."""

import csv
import math

from tfflow.atomic_file import atomic_file
from tfflow.atomic_file import write_json as write_json_file
from tfflow.evaluation.result import Evaluation
from tfflow.types import PathLike


def write_csv(path: PathLike, evaluation: Evaluation) -> None:
    """Writes a line for each pair, in the data set's order, completely or not at all.

    Columns: ``name``, ``scene``, ``milliseconds``, then the numbers of
    :meth:`PixelErrors.as_dict` over the pair's valid pixels; where a pair has a mask of
    occlusions, the same again with ``matched_`` and ``unmatched_`` before each. Errors are in px,
    shares in percent. A cell is empty where there is no such pixel, no mask, or the flow is NaN.

    Args:
        path: The file; its folder must exist.
        evaluation: An :class:`Evaluation`.

    Raises:
        OSError: If the file can't be written.
    """
    rows = [_row(pair) for pair in evaluation.per_pair]
    longest = max(rows, key=len)  # pairs without a mask have fewer columns
    keep = "surrogateescape"  # file names need not be UTF-8: their bytes stay
    with (
        atomic_file(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8", errors=keep) as file,
    ):
        writer = csv.DictWriter(file, list(longest), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_json(path: PathLike, evaluation: Evaluation) -> None:
    """Writes all numbers but those of single pairs, completely or not at all.

    A value that is not a number, such as the EPE of no pixels, is ``null``.

    Args:
        path: The file; its folder must exist.
        evaluation: An :class:`Evaluation`, whose ``as_dict`` is written.

    Raises:
        OSError: If the file can't be written.
    """
    write_json_file(path, without_nan(evaluation.as_dict()))


def _row(pair):
    row = {"name": pair.name, "scene": pair.scene, "milliseconds": pair.milliseconds}
    for prefix, errors in (
        ("", pair.errors),
        ("matched_", pair.matched),
        ("unmatched_", pair.unmatched),
    ):
        if errors is not None:
            row |= {prefix + name: value for name, value in errors.as_dict().items()}
    return {name: "" if value != value else value for name, value in row.items()}


def without_nan(value):
    """A number, or a dict of them, for JSON: what is not finite becomes None."""
    if isinstance(value, dict):
        return {name: without_nan(each) for name, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
