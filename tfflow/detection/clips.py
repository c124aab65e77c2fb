"""A clip: frames with a box around every object.

A set of clips is a sequence of clips, a clip is a sequence of `VideoFrame`, and the set's `classes`
names the classes. Nothing is read or drawn before it is asked for.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, overload

import numpy as np
import numpy.typing as npt

from tfflow.data.files.errors import CorruptFileError
from tfflow.types import PathLike


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


class ClipSet(Sequence[Clip]):
    """A set of clips, of which a slice is one too; the base of those that tfflow brings along."""

    classes: tuple[str, ...]
    stills = False  # whether each clip is one image alone

    @overload
    def __getitem__(self, index: int) -> Clip: ...
    @overload
    def __getitem__(self, index: slice) -> "ClipSet": ...
    def __getitem__(self, index: int | slice) -> "Clip | ClipSet":
        places = range(len(self))[index]  # negative ones too, and IndexError beyond the last
        return _Part(self, places) if isinstance(places, range) else self._clip(places)

    def _clip(self, index: int) -> Clip:
        """The clip at ``index``, from 0 up."""
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """A dict, for JSON, of what tells these clips from others."""
        raise NotImplementedError


class _Part(ClipSet):
    """Some clips of a set."""

    def __init__(self, whole: ClipSet, places: range) -> None:
        self._whole, self._places = whole, places
        self.classes, self.stills = whole.classes, whole.stills

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        return f"{len(self)} of {self._whole!r}"

    def _clip(self, index: int) -> Clip:
        return self._whole[self._places[index]]

    def describe(self) -> dict[str, Any]:
        part = self._places
        return {**self._whole.describe(), "part": [part.start, part.stop, part.step]}


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


def check_labelled_size(
    path: PathLike, image: npt.NDArray[Any], labels: PathLike, size: tuple[int | None, ...]
) -> None:
    """Refuses an image of another size than its labels say.

    Args:
        path: of the image.
        image: (H, W, 3).
        labels: the file that holds its boxes.
        size: (height, width) by that file; None where it does not say.

    Raises:
        CorruptFileError: they differ.
    """
    if None not in size and image.shape[:2] != tuple(size):
        raise CorruptFileError(
            f"{path} is {image.shape[0]}x{image.shape[1]} (height x width), {labels} says "
            f"{size[0]}x{size[1]}: its boxes would be in the wrong places. Photos that are stored "
            "turned (EXIF) are read upright; label them so."
        )


def description(clips: Clips) -> dict[str, Any]:
    """A dict, for JSON, of what tells clips from others.

    Of those without a method `describe`, as a list, the first one stands for all: its name, how
    many frames it has, and the size and boxes of the first.
    """
    described = {"clips": len(clips), "classes": list(clips.classes)}
    if hasattr(clips, "describe"):
        return described | clips.describe()
    if len(clips) and len(clips[0]):
        first, frame = clips[0], clips[0][0]
        described["first"] = {
            "name": getattr(first, "name", None),
            "frames": len(first),
            "size": list(frame.image.shape[:2]),
            "boxes": frame.boxes.tolist(),
        }
    return described
