"""Batches to train a detector on: images, or key frames and a frame after them."""

import dataclasses
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from PIL import Image

from tfflow.checks import whole_number
from tfflow.detection.boxes import encode
from tfflow.detection.clips import Clips
from tfflow.models.prediction import size_text


@dataclasses.dataclass(frozen=True)
class ClipAugmentation:
    """Random changes, the same for all frames of a sample, so that its motion stays consistent.

    Attributes:
        flip: Probability of a mirror image, left for right.
        reverse: Probability that time runs backwards; without effect on images.
        zoom: A part of each frame is taken whose sides are at least 1 / zoom of the frame's.
        contrast: Largest relative change of the contrast.
        brightness: Largest change of the brightness, in values of [0, 1].
        color: Largest relative change of one colour channel.
        least: An object is left out if less than this share of its box lies in the part taken.
    """

    flip: float = 0.5
    reverse: float = 0.5
    zoom: float = 1.4
    contrast: float = 0.2
    brightness: float = 0.1
    color: float = 0.1
    least: float = 0.3

    def __post_init__(self) -> None:
        for name in ("flip", "reverse", "least"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in 0..1; got {getattr(self, name)!r}.")
        for name in ("contrast", "brightness", "color"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must lie in 0..1, below 1; got {getattr(self, name)!r}.")
        if not 1 <= self.zoom < np.inf:
            raise ValueError(f"zoom must be at least 1; got {self.zoom!r}.")


NONE = ClipAugmentation(0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)


class ClipBatches(keras.utils.PyDataset):
    """Batches for ``FlowGuidedDetector.fit``, drawn as the paper draws its n + 1 frames.

    Objects are to be found in a random frame of a random clip. The last key frame lies 0 to
    ``interval`` - 1 frames before it, the others ``interval`` frames apart before that. Where a
    clip begins too late, its first frame stands in for the missing ones, as if nothing had moved.

    A batch is ``({"keys": (B, K, H, W, 3), "image": (B, H, W, 3)}, {"classes", "sides",
    "centreness"})``, images float32 in [0, 1]; without ``"keys"`` if there are none. The same seed
    gives the same batches; each epoch has different ones.

    Args:
        clips: A sequence of clips of ``tfflow.detection.VideoFrame`` with an attribute ``classes``.
        size: (height, width) that frames are stretched to, multiples of 32.
        batch_size: Samples per batch.
        batches: Batches per epoch.
        keys: How many key frames; 0 = images alone. The GRU needs at least 2 to learn.
        interval: Distance of key frames, in frames.
        augmentation: A :class:`ClipAugmentation`, or None.
        stride: Pixels of the image per feature.
        seed: Of the random choice.
        **kwargs: ``workers``, ``max_queue_size``, as for every ``keras.utils.PyDataset``.

    Raises:
        ValueError: If a number is out of its range, or there are no clips.
    """

    def __init__(
        self,
        clips: Clips,
        size: tuple[int, int],
        *,
        batch_size: int = 8,
        batches: int = 500,
        keys: int = 2,
        interval: int = 10,
        augmentation: ClipAugmentation | None = None,
        stride: int = 16,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        numbers = {"batch_size": batch_size, "batches": batches, "interval": interval}
        for name, value in numbers.items():
            whole_number(name, value)
        if keys < 0:
            raise ValueError(f"keys must be at least 0; got {keys!r}.")
        if len(clips) == 0:
            raise ValueError("ClipBatches expects clips; there are none.")
        check_size(size)
        self.clips, self.size = clips, tuple(size)
        self.batch_size, self.batches = batch_size, batches
        self.keys, self.interval, self.stride = keys, interval, stride
        self.augmentation = augmentation or NONE
        self.seed, self.epoch = seed, 0

    def __len__(self) -> int:
        return self.batches

    def on_epoch_end(self) -> None:
        self.epoch += 1

    def __getitem__(
        self, index: int
    ) -> tuple[dict[str, npt.NDArray[np.float32]], dict[str, npt.NDArray[np.float32]]]:
        return self.batch(self.epoch * self.batches + index)

    def batch(
        self, number: int
    ) -> tuple[dict[str, npt.NDArray[np.float32]], dict[str, npt.NDArray[np.float32]]]:
        """The batch with this number, counted through all epochs."""
        epoch, index = divmod(number, self.batches)
        rng = np.random.default_rng([self.seed, epoch, index])
        samples = [self._sample(rng) for _ in range(self.batch_size)]
        images = np.stack([frames for frames, _ in samples])
        inputs = {"image": images[:, -1]}
        if self.keys:
            inputs["keys"] = images[:, :-1]
        return inputs, {name: np.stack([t[name] for _, t in samples]) for name in samples[0][1]}

    def _sample(self, rng):
        """(frames (K + 1, H, W, 3) in order of time, the targets of the last one)."""
        clip = self.clips[int(rng.integers(len(self.clips)))]
        if not len(clip):
            raise ValueError(f"The clip {clip.name} has no frame; leave it out.")
        current = int(rng.integers(len(clip)))
        times = [current]
        if self.keys:
            last = current - int(rng.integers(self.interval))
            times = [last - self.interval * back for back in reversed(range(self.keys))] + times
        if rng.random() < self.augmentation.reverse:
            times = [len(clip) - 1 - time for time in times]
        frames = [clip[min(max(0, time), len(clip) - 1)] for time in times]
        try:
            images, boxes, classes = augment(frames, self.size, self.augmentation, rng)
        except ValueError as error:
            raise ValueError(f"{getattr(clip, 'name', 'A clip')}: {error}") from error
        features = tuple(side // self.stride for side in self.size)
        count = len(self.clips.classes)
        return images, encode(boxes, classes, features, stride=self.stride, count=count)


def check_size(size):
    """Raises ValueError unless the detector can be trained on images (height, width)."""
    if any(side < 32 or side % 32 for side in size):
        raise ValueError(f"size must be two multiples of 32; got {tuple(size)}.")


def augment(frames, size, augmentation, rng):
    """Augments the frames of one sample, all in the same way.

    Args:
        frames: ``tfflow.detection.VideoFrame``, all of one size.
        size: (height, width) of the result.
        augmentation: :class:`ClipAugmentation`; :data:`NONE` only stretches the frames.
        rng: ``numpy.random.Generator``.

    Returns:
        (images (T, height, width, 3) float32 in [0, 1], boxes (N, 4) and classes (N,) of the last
        frame in pixels of the result).

    Raises:
        ValueError: If the frames are of several sizes.
    """
    height, width = frames[-1].image.shape[:2]
    sizes = sorted({frame.image.shape[:2] for frame in frames})
    if len(sizes) > 1:
        raise ValueError(
            "the frames of a clip must be of one size; got "
            f"{' and '.join(map(size_text, sizes))} (height x width). Make it two clips."
        )
    share = 1 / rng.uniform(1, augmentation.zoom)
    left, top = rng.uniform(0, 1 - share, 2) * (width, height)
    part = float(left), float(top), float(left + share * width), float(top + share * height)
    mirrored = rng.random() < augmentation.flip
    levels = _levels(augmentation, rng)
    images = []
    for frame in frames:
        picture = Image.fromarray(frame.image)
        if picture.size != size[::-1] or share < 1:
            picture = picture.resize(size[::-1], Image.Resampling.BILINEAR, box=part)
        image = np.asarray(picture)
        image = image[:, ::-1] if mirrored else image
        images.append(np.stack([levels[c][image[..., c]] for c in range(3)], axis=-1))

    boxes, kept = boxes_within(frames[-1].boxes, part, size, augmentation.least)
    if mirrored:
        boxes = np.float32([size[1], 0, size[1], 0]) + boxes[:, [2, 1, 0, 3]] * [-1, 1, -1, 1]
    return np.stack(images), boxes.astype(np.float32), frames[-1].classes[kept]


def boxes_within(boxes, part, size, least):
    """The boxes of what lies in a part of an image, in pixels of that part as it is resized.

    Args:
        boxes: (N, 4) in pixels of the image.
        part: Left, top, right and bottom, in pixels of the image.
        size: (height, width) that the part is resized to.
        least: Boxes of which a smaller share lies in the part are left out.

    Returns:
        (boxes (M, 4) float32, cut at the part's edges; kept (N,) bool).
    """
    # As x, y, x, y.
    low = np.float32(part[:2] * 2)
    span = np.float32((part[2] - part[0], part[3] - part[1]) * 2)
    inside = np.clip(boxes, low, low + span)
    seen = _areas(inside) / np.maximum(_areas(boxes), 1e-6)
    kept = (seen >= least) & (seen > 0)
    return (inside[kept] - low) / span * np.float32(tuple(size[::-1]) * 2), kept


def _levels(augmentation, rng):
    """(3, 256) float32: the new value of each grey level of each channel."""
    contrast = 1 + augmentation.contrast * rng.uniform(-1, 1)
    brightness = augmentation.brightness * rng.uniform(-1, 1)
    gains = 1 + augmentation.color * rng.uniform(-1, 1, (3, 1))
    levels = np.linspace(0, 1, 256)
    return np.clip(gains * ((levels - 0.5) * contrast + 0.5 + brightness), 0, 1).astype(np.float32)


def _areas(boxes):
    return np.maximum(boxes[:, 2:] - boxes[:, :2], 0).prod(-1)
