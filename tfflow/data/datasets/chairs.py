"""FlyingChairs."""

from pathlib import Path
from types import MappingProxyType
from typing import Literal

from tfflow.data.datasets.base import FlowDataset
from tfflow.data.datasets.layout import check_folder, listing, named_pairs, one_of
from tfflow.data.files.errors import CorruptFileError
from tfflow.types import PathLike


class FlyingChairs(FlowDataset):
    """FlyingChairs: 22,872 pairs of 512x384, chairs moving over photographs, dense ground truth.

    Source: Dosovitskiy et al., FlowNet: Learning Optical Flow with Convolutional Networks, ICCV
    2015; https://lmb.informatik.uni-freiburg.de/resources/datasets/FlyingChairs.en.html

    The layout::

        FlyingChairs_release/data/00001_img1.ppm, 00001_img2.ppm, 00001_flow.flo, ...
        FlyingChairs_release/FlyingChairs_train_val.txt

    The last is the split: a line for each pair, 1 = training, 2 = validation.

    Args:
        root: the folder FlyingChairs_release or its parent.
        split: "train", "val" or "all" (which needs no split file).

    Raises:
        ValueError: an unknown split.
        FileNotFoundError: `root` does not have this layout, or a file is missing.
        CorruptFileError: a split file that does not have one line per pair, or has anything but 1
            and 2 in it; pairs that are not numbered from 1.
    """

    SPLIT_FILE = "FlyingChairs_train_val.txt"
    _SPLITS = MappingProxyType(  # split: (name of the data set, its mark in the split file)
        {"train": ("chairs", "1"), "val": ("chairs-val", "2"), "all": ("chairs-all", None)}
    )

    def __init__(self, root: PathLike, split: Literal["train", "val", "all"] = "train") -> None:
        name, label = self._SPLITS[one_of("split", split, self._SPLITS)]
        release = self.find(root)
        if release is None:
            check_folder(root, "FlyingChairs, that is a folder with data/*_img1.ppm,")
            raise FileNotFoundError(
                f"no FlyingChairs at {root}: looked for data/*_img1.ppm there and in "
                f"FlyingChairs_release; there is {listing(root)}"
            )
        pairs = named_pairs(release / "data", (".ppm",), (".flo",), flow_alone=False)
        for pair in pairs:
            if pair.flow is None:
                raise FileNotFoundError(f"{pair.image1} has no {pair.name}_flow.flo beside it")
        if label is not None:
            labels = self._labels(release / self.SPLIT_FILE, pairs)
            pairs = [pair for pair, given in zip(pairs, labels, strict=True) if given == label]
            if not pairs:
                raise CorruptFileError(
                    f"{release / self.SPLIT_FILE} has no line {label}, of {name}"
                )
        super().__init__(name, pairs)

    @staticmethod
    def find(root: PathLike) -> Path | None:
        """The folder FlyingChairs_release at or in `root`, recognised by its pairs; or None."""
        for folder in (Path(root), Path(root) / "FlyingChairs_release"):
            if next((folder / "data").glob("*_img1.ppm"), None) is not None:
                return folder
        return None

    @staticmethod
    def _labels(path, pairs):
        if not path.is_file():
            raise FileNotFoundError(
                f"expected the split file {path}; it is a separate download from the data set's "
                "page, or open all pairs with split='all' (chairs-all:)"
            )
        labels = path.read_text().split()
        if len(labels) != len(pairs):
            raise CorruptFileError(
                f"{path}: expected {len(pairs)} lines, one for each pair in data/, found "
                f"{len(labels)}"
            )
        for number, pair in enumerate(pairs, start=1):  # line N is for pair N
            if not (pair.name.isdecimal() and int(pair.name) == number):
                raise CorruptFileError(
                    f"{path}: line {number} is of the pair {number:05d}, but {pair.image1.parent} "
                    f"has {pair.name} in its place; unpack the data set again"
                )
        for line, label in enumerate(labels, start=1):
            if label not in ("1", "2"):
                raise CorruptFileError(
                    f"{path}, line {line}: expected 1 (training) or 2 (validation), got {label!r}"
                )
        return labels
