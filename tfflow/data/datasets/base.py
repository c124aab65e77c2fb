"""The base of every data set: a sequence of pairs stored in files."""

import contextlib
import copy
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np

from tfflow.data.files.errors import CorruptFileError, error_text
from tfflow.data.files.flows import read_flow
from tfflow.data.files.images import read_image

_MASK_THRESHOLD = 127  # Sintel's masks are 0 and 255


class FlowSample(NamedTuple):
    """Two images and the flow from the first to the second.

    Attributes:
        image1: (H, W, 3) uint8, RGB.
        image2: (H, W, 3) uint8, RGB.
        flow: (H, W, 2) float32, pixels, u to the right and v downwards; None where it is not known.
        valid: (H, W) bool, where `flow` is known; None where `flow` is None.
        name: the pair's name within its data set; the part before the last slash is its scene,
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


def named(dataset: Sequence[FlowSample]) -> str:
    """What messages call a data set; of a list of samples, not all of its pixels."""
    if isinstance(dataset, (list, tuple)):
        return f"a {type(dataset).__name__} of {len(dataset)} samples"
    return repr(dataset)


class PairFiles(NamedTuple):
    """The files of one pair; None for those that don't exist.

    Attributes:
        name: as `FlowSample.name`.
        image1, image2: the images.
        flow: the flow, in a format of `read_flow`.
        occlusion: a grey image, over 127 where the second image does not show the pixel (Sintel).
        invalid: a grey image, over 127 where the flow does not count (Sintel).
        flow_noc: the flow of the pixels that are not occluded (KITTI); only its validity is used.
    """

    name: str
    image1: Path
    image2: Path
    flow: Path | None = None
    occlusion: Path | None = None
    invalid: Path | None = None
    flow_noc: Path | None = None


class FlowDataset(Sequence[FlowSample]):
    """A sequence of pairs stored in files, each read on access.

    `dataset[3]` is a `FlowSample`, `dataset[:100]` a data set of the first hundred pairs.

    Args:
        name: what to call the data set in tables and captions.
        pairs: the files of each pair, `PairFiles`.
    """

    def __init__(self, name: str, pairs: Iterable[PairFiles]) -> None:
        self.name = name
        self.pairs = tuple(pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    @overload
    def __getitem__(self, index: int) -> FlowSample: ...
    @overload
    def __getitem__(self, index: slice) -> "FlowDataset": ...
    def __getitem__(self, index: int | slice) -> "FlowSample | FlowDataset":
        """Reads a pair, or takes a part of the data set when `index` is a slice.

        Raises:
            IndexError: there is no such pair.
            CorruptFileError: a file of the pair can't be read, or the sizes of the files differ.
            FileNotFoundError: a file of the pair is no longer there.
        """
        if isinstance(index, slice):
            return self._with(self.pairs[index])
        files = self.pairs[index]
        image1, image2 = read_image(files.image1), read_image(files.image2)
        if image1.shape != image2.shape:
            raise CorruptFileError(
                f"expected two images of one size, got {_size(image1)} in {files.image1} and "
                f"{_size(image2)} in {files.image2}"
            )

        def of_image_size(what, array, path):
            if array.shape[:2] != image1.shape[:2]:
                raise CorruptFileError(
                    f"expected a {what} of its image's size, got {_size(array)} in {path} and "
                    f"{_size(image1)} in {files.image1}"
                )
            return array

        flow = valid = occluded = None
        if files.flow is not None:
            flow, valid = read_flow(files.flow)
            of_image_size("flow", flow, files.flow)
            if files.flow_noc is not None:
                _, visible = read_flow(files.flow_noc)
                occluded = valid & ~of_image_size("flow", visible, files.flow_noc)
            if files.invalid is not None:
                valid = valid & ~of_image_size("mask", _read_mask(files.invalid), files.invalid)
        if files.occlusion is not None:
            occluded = of_image_size("mask", _read_mask(files.occlusion), files.occlusion)
        return FlowSample(image1, image2, flow, valid, files.name, occluded)

    def readable(
        self, progress: Callable[[int, int], object] | None = None
    ) -> tuple["FlowDataset", list[str]]:
        """Reads every pair once, and leaves out those that can't be read.

        One damaged file should not end a run of hours: it is found first, skipped and reported.

        Args:
            progress: called as progress(done, total) after each pair.

        Returns:
            dataset: the pairs that can be read.
            complaints: a message for each pair that can't, with the file and what is wrong.
        """

        def complaint(index):
            try:
                self[index]
            except (OSError, ValueError) as error:
                return f"{self.pairs[index].name}: {error_text(error)}"
            return None

        complaints = []
        # If `progress` raises, closing the results cancels the remaining reads.
        with (
            ThreadPoolExecutor() as pool,
            contextlib.closing(  # type: ignore[type-var]  # typeshed has no close for it
                pool.map(complaint, range(len(self)))
            ) as results,
        ):
            for result in results:
                complaints.append(result)
                if progress is not None:
                    progress(len(complaints), len(self))
        pairs = [pair for pair, text in zip(self.pairs, complaints, strict=True) if text is None]
        return self._with(pairs), [text for text in complaints if text is not None]

    def without(self, left_out: Iterable[str | int]) -> "FlowDataset":
        """The data set without the pairs of these names, or at these positions.

        Raises:
            ValueError: there is no such pair, or a single name instead of several.
        """
        if isinstance(left_out, str):
            raise ValueError(f"expected several names, got {left_out!r}; write [{left_out!r}]")
        left_out = set(left_out)
        there = {each for n, pair in enumerate(self.pairs) for each in (pair.name, n)}
        if unknown := sorted(map(repr, left_out - there)):
            raise ValueError(f"{self!r} has no pair {', '.join(unknown)}")
        return self._with(
            pair
            for position, pair in enumerate(self.pairs)
            if pair.name not in left_out and position not in left_out
        )

    def _with(self, pairs):
        """The same data set, of a class of its own too, with other pairs."""
        part = copy.copy(self)
        part.pairs = tuple(pairs)
        return part

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {len(self)} pairs>"


def _read_mask(path):
    return read_image(path)[..., 0] > _MASK_THRESHOLD


def _size(array):
    return f"{array.shape[1]}x{array.shape[0]}"
