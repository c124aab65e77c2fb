"""What all reports share: numbers in a dict, a table for people, files of both."""

import pathlib
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from tfflow.atomic_file import atomic_file, write_json
from tfflow.types import PathLike


class Report(dict[str, Any]):
    """A plain dict of numbers, for JSON; a subclass writes :meth:`as_text`.

    Attributes:
        picture: (H, W, 3) uint8, or None.
    """

    picture: npt.NDArray[np.uint8] | None = None

    def as_text(self) -> str:
        """The numbers as a Markdown table, which reads well in a terminal too."""
        raise TypeError(f"{type(self).__name__} must define as_text().")

    def write(self, path: PathLike) -> pathlib.Path:
        """Writes the report as JSON, and beside it its table (.md) and its picture (.png), if any.

        Args:
            path: A file whose name ends in ``.json``.

        Returns:
            The path, a ``pathlib.Path``.

        Raises:
            ValueError: If the path does not end in .json.
            OSError: If a file can't be written.
        """
        path = pathlib.Path(path)
        if path.suffix != ".json":
            raise ValueError(f"A report must be named *.json; got {path}.")
        write_json(path, self)
        with atomic_file(path.with_suffix(".md")) as temporary:
            temporary.write_text(self.as_text() + "\n", encoding="utf-8")
        if self.picture is not None:
            with atomic_file(path.with_suffix(".png")) as temporary:
                Image.fromarray(self.picture).save(temporary, format="png")
        return path
