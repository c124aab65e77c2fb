"""A clip: frames with a box around every object.

A set of clips is a sequence of clips, a clip is a sequence of `VideoFrame`, and the set's `classes`
names the classes. Nothing is read or drawn before it is asked for.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, overload

import numpy as np


class VideoFrame(NamedTuple):
    """One frame of a clip and the objects in it.

    Attributes:
        image: (H, W, 3) uint8, RGB.
        boxes: (N, 4) float32, x1, y1, x2, y2 in pixels; edges, so that a box around the whole image
            is (0, 0, W, H).
        classes: (N,) int64, positions in the set's `classes`.
        tracks: (N,) int64, the same for one object in all frames of a clip.
    """

    image: np.ndarray
    boxes: np.ndarray
    classes: np.ndarray
    tracks: np.ndarray


class Clip(Sequence[VideoFrame]):
    """The frames of one video, each read when it is asked for.

    Args:
        name: what to call it.
        keys: one key per frame, of any type.
        read: function from a key to its `VideoFrame`.
    """

    def __init__(self, name: str, keys: Iterable[Any], read: Callable[[Any], VideoFrame]) -> None:
        self.name = name
        self._keys, self._read = tuple(keys), read

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, index: int) -> VideoFrame: ...
    @overload
    def __getitem__(self, index: slice) -> "Clip": ...
    def __getitem__(self, index: int | slice) -> "VideoFrame | Clip":
        if isinstance(index, slice):
            return Clip(self.name, self._keys[index], self._read)
        return self._read(self._keys[index])


class Clips(Protocol):
    """A set of clips: a sequence of them, and the names of the classes."""

    @property
    def classes(self) -> Sequence[str]: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Sequence[VideoFrame]]: ...
    def __getitem__(self, index: int, /) -> Sequence[VideoFrame]: ...


def make_frame(image, boxes, classes, tracks):
    """A `VideoFrame`, its boxes cut at the image's edges; those without area are left out."""
    height, width = image.shape[:2]
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    boxes = np.clip(boxes, 0, np.float32([width, height, width, height]))
    real = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    classes, tracks = (np.asarray(each, np.int64).reshape(-1) for each in (classes, tracks))
    return VideoFrame(image, boxes[real], classes[real], tracks[real])
