"""Pairs of images, most with the true flow between them, in the layouts they are published in.

A data set is a sequence of `FlowSample`. The command line and the recipes name one as
`open_dataset("chairs:/data/FlyingChairs_release")` does. A new data set is a class here and a line
in `DATASETS`.
"""

import difflib
import functools
import os
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from tfflow.data.formats import (
    FLOW_EXTENSIONS,
    IMAGE_EXTENSIONS,
    CorruptFileError,
    read_flow,
    read_image,
)


class FlowSample(NamedTuple):
    """Two images and the flow from the first to the second.

    Attributes:
        image1: (H, W, 3) uint8, RGB.
        image2: (H, W, 3) uint8, RGB.
        flow: (H, W, 2) float32, pixels, u to the right and v downwards; None where it is not known.
        valid: (H, W) bool, where `flow` is known; None where `flow` is None.
        name: names the pair within its data set; what stands before the last slash is its scene,
            as in "alley_1/frame_0001".
        occluded: (H, W) bool, pixels of the first image that the second one does not show; None
            where that is not known.
    """

    image1: np.ndarray
    image2: np.ndarray
    flow: np.ndarray | None
    valid: np.ndarray | None
    name: str
    occluded: np.ndarray | None = None


class PairFiles(NamedTuple):
    """The files of one pair; None for what there is not.

    Attributes:
        name: as `FlowSample.name`.
        image1, image2: the images.
        flow: the flow, in a format of `read_flow`.
        occlusion: a grey image, over 127 where the second image does not show the pixel (Sintel).
        invalid: a grey image, over 127 where the flow does not count (Sintel).
        flow_noc: the flow of the pixels that are not occluded alone (KITTI); only its validity is
            looked at.
    """

    name: str
    image1: Path
    image2: Path
    flow: Path | None = None
    occlusion: Path | None = None
    invalid: Path | None = None
    flow_noc: Path | None = None


class FlowDataset(Sequence):
    """A sequence of pairs that lie in files, each read when it is asked for.

    `dataset[3]` is a `FlowSample`, `dataset[:100]` a data set of the first hundred pairs.

    Args:
        name: what to call the data set in tables and captions.
        pairs: the files of each pair, `PairFiles`.
    """

    def __init__(self, name, pairs):
        self.name = name
        self.pairs = tuple(pairs)

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        """Reads a pair, or takes a part of the data set when `index` is a slice.

        Raises:
            IndexError: there is no such pair.
            CorruptFileError: a file of the pair can't be read, or the sizes of the files differ.
        """
        if isinstance(index, slice):
            return FlowDataset(self.name, self.pairs[index])
        files = self.pairs[index]
        image1, image2 = read_image(files.image1), read_image(files.image2)
        flow, valid = (None, None) if files.flow is None else read_flow(files.flow)
        if image1.shape != image2.shape:
            raise CorruptFileError(
                f"expected two images of one size, got {_size(image1)} in {files.image1} and "
                f"{_size(image2)} in {files.image2}"
            )
        if flow is not None and flow.shape[:2] != image1.shape[:2]:
            raise CorruptFileError(
                f"expected a flow of its image's size, got {_size(flow)} in {files.flow} and "
                f"{_size(image1)} in {files.image1}"
            )
        return FlowSample(image1, image2, flow, valid, files.name)

    def __repr__(self):
        return f"<{type(self).__name__} {self.name}: {len(self)} pairs>"


class FlyingChairs(FlowDataset):
    """FlyingChairs: 22,872 pairs of 512x384, chairs that move before photographs, with dense truth.

    Source: Dosovitskiy et al., FlowNet: Learning Optical Flow with Convolutional Networks, ICCV
    2015; https://lmb.informatik.uni-freiburg.de/resources/datasets/FlyingChairs.en.html

    The layout:

        FlyingChairs_release/data/00001_img1.ppm, 00001_img2.ppm, 00001_flow.flo, ...
        FlyingChairs_release/FlyingChairs_train_val.txt

    The last is the split: a line for each pair, 1 = training, 2 = validation.

    Args:
        root: the folder FlyingChairs_release or the one that holds it.
        split: "train", "val" or "all" (which needs no split file).

    Raises:
        ValueError: an unknown split.
        FileNotFoundError: no data set of this layout there, or a file of it is missing.
        CorruptFileError: a split file with another number of lines than there are pairs, or with
            something else than 1 and 2 in it.
    """

    SPLIT_FILE = "FlyingChairs_train_val.txt"
    _SPLITS = MappingProxyType(  # split: (name of the data set, its mark in the split file)
        {"train": ("chairs", "1"), "val": ("chairs-val", "2"), "all": ("chairs-all", None)}
    )

    def __init__(self, root, split="train"):
        if split not in self._SPLITS:
            raise ValueError(f"expected split 'train', 'val' or 'all', got {split!r}")
        name, label = self._SPLITS[split]
        release = self.find(root)
        if release is None:
            _check_folder(root)
            raise FileNotFoundError(
                f"no FlyingChairs at {root}: looked for data/*_img1.ppm there and in "
                f"FlyingChairs_release; there is {_listing(root)}"
            )
        pairs = _named_pairs(release / "data", (".ppm",), (".flo",))
        for pair in pairs:
            if pair.flow is None:
                raise FileNotFoundError(f"{pair.image1} has no {pair.name}_flow.flo beside it")
        if label is not None:
            labels = self._labels(release / self.SPLIT_FILE, len(pairs))
            pairs = [pair for pair, given in zip(pairs, labels, strict=True) if given == label]
        super().__init__(name, pairs)

    @staticmethod
    def find(root):
        """The folder FlyingChairs_release at or in `root`, known by its pairs; None: not there."""
        for folder in (Path(root), Path(root) / "FlyingChairs_release"):
            if next((folder / "data").glob("*_img1.ppm"), None) is not None:
                return folder
        return None

    @staticmethod
    def _labels(path, count):
        if not path.is_file():
            raise FileNotFoundError(
                f"expected the split file {path}; it is a separate download from the data set's "
                "page, or open all pairs with split='all' (chairs-all:)"
            )
        labels = path.read_text().split()
        if len(labels) != count:
            raise CorruptFileError(
                f"{path}: expected {count} lines, one for each pair in data/, found {len(labels)}"
            )
        for line, label in enumerate(labels, start=1):
            if label not in ("1", "2"):
                raise CorruptFileError(
                    f"{path}, line {line}: expected 1 (training) or 2 (validation), got {label!r}"
                )
        return labels


class PairFolder(FlowDataset):
    """A plain folder of images: named pairs, or the frames of a video.

    Where files are named NAME_img1.* and NAME_img2.*, these are the pairs, with the true flow in
    NAME_flow.flo, .pfm or .png (KITTI) where there is one; other files are not looked at. Else all
    images in the folder are frames of one video, each a pair with the next, ordered by name with
    numbers as numbers (frame9 before frame10); *_flow.* and hidden files are never frames.

    Args:
        root: the folder.

    Raises:
        FileNotFoundError: no such folder, no images in it, or a pair without its second image.
        ValueError: one image only.
    """

    def __init__(self, root):
        root = _check_folder(root)
        pairs = _named_pairs(root, IMAGE_EXTENSIONS, FLOW_EXTENSIONS) or self._video(root)
        super().__init__(root.resolve().name, pairs)

    @staticmethod
    def _video(root):
        frames = sorted(
            (
                path
                for path in root.iterdir()
                if path.suffix.lower() in IMAGE_EXTENSIONS
                and not path.name.startswith(".")
                and not path.stem.endswith("_flow")
            ),
            key=_natural_order,
        )
        if not frames:
            raise FileNotFoundError(
                f"no images in {root}: expected {', '.join(IMAGE_EXTENSIONS)}; "
                f"there is {_listing(root)}"
            )
        if len(frames) == 1:
            raise ValueError(f"expected two images or more in {root}, found only {frames[0].name}")
        return [PairFiles(first.stem, first, second) for first, second in pairwise(frames)]


def _open_scene_cache(root):
    from tfflow.data.scene_cache import SceneCache  # needs what drawing needs: only where asked for

    return SceneCache(root)


DATASETS = {
    "chairs": functools.partial(FlyingChairs, split="train"),
    "chairs-val": functools.partial(FlyingChairs, split="val"),
    "chairs-all": functools.partial(FlyingChairs, split="all"),
    "folder": PairFolder,
    "scenes": _open_scene_cache,
}


def open_dataset(spec):
    """Opens the data set that a text names.

    Args:
        spec: "kind:path" with a kind of `DATASETS`, as "chairs-val:/data/FlyingChairs_release"; or
            a path alone: FlyingChairs' layout (then all its pairs), a cache of synthetic scenes or
            a plain folder, whichever is there.

    Returns:
        A sequence of `FlowSample` with a `name`.

    Raises:
        ValueError: an unknown kind; the nearest known one is named.
        FileNotFoundError: there is no such path.
        Whatever the data set raises on files that are not as they should be.
    """
    spec = os.fspath(spec)
    path = Path(spec).expanduser()
    if path.exists():
        return DATASETS[_guess_kind(path)](path)
    kind, colon, root = spec.partition(":")
    if not colon:
        raise FileNotFoundError(
            f"no data set at {spec}: no such folder (with a kind it is written kind:path, "
            f"kinds: {', '.join(DATASETS)})"
        )
    if kind not in DATASETS:
        nearest = difflib.get_close_matches(kind, DATASETS, n=1)
        hint = f"did you mean {nearest[0]!r}? " if nearest else ""
        raise ValueError(
            f"unknown kind of data set {kind!r} in {spec!r}; {hint}Kinds: {', '.join(DATASETS)}"
        )
    if not root:
        raise ValueError(f"expected {kind}:path, got {spec!r} without a path")
    return DATASETS[kind](Path(root).expanduser())


def _guess_kind(path):
    if FlyingChairs.find(path):
        return "chairs-all"
    return "scenes" if (path / "scenes.json").is_file() else "folder"


def _named_pairs(folder, image_extensions, flow_extensions):
    """The pairs NAME_img1.*, NAME_img2.*, NAME_flow.* of a folder, sorted by NAME; [] if none."""
    present = {}  # one look at the folder: FlyingChairs has 68,616 files
    for entry in os.scandir(folder):
        stem, extension = os.path.splitext(entry.name)
        name, _, role = stem.rpartition("_")
        allowed = {"img1": image_extensions, "img2": image_extensions, "flow": flow_extensions}
        if extension.lower() in allowed.get(role, ()) and not name.startswith("."):
            if role in present.setdefault(name, {}):
                raise ValueError(
                    f"{folder} has both {present[name][role].name} and {entry.name}; remove one"
                )
            present[name][role] = Path(entry.path)
    pairs = []
    for name in sorted(present):
        files = present[name]
        if "img1" in files or "img2" in files:
            for role in ("img1", "img2"):
                if role not in files:
                    raise FileNotFoundError(f"the pair {name} in {folder} has no {name}_{role}.*")
            pairs.append(PairFiles(name, files["img1"], files["img2"], files.get("flow")))
    return pairs


def _check_folder(root):
    root = Path(root)
    if not root.is_dir():
        what = "a file, not a folder" if root.exists() else "no such folder"
        raise FileNotFoundError(f"expected a folder of images at {root}: {what}")
    return root


def _listing(folder, limit=5):
    names = sorted(path.name for path in Path(folder).iterdir())
    if not names:
        return "nothing (the folder is empty)"
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def _natural_order(path):
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path.name)]


def _size(array):
    return f"{array.shape[1]}x{array.shape[0]}"
