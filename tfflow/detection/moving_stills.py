"""Clips made of single images, by a camera that moves over them."""

from typing import Any

import numpy as np
from PIL import Image

from tfflow.checks import whole_number
from tfflow.detection.clips import Clip, Clips, ClipSet, VideoFrame, description
from tfflow.detection.sampling import boxes_within

_SHARES = 0.7, 0.9  # of the image's sides: the window where it begins
_BILINEAR = Image.Resampling.BILINEAR


class MovingStills(ClipSet):
    """Each image becomes a clip: a window that glides over it and grows or shrinks.

    Boxes stay exact, as the window neither turns nor bends. So does the flow: everything moves as
    the camera does. Nothing in such a clip moves by itself, is uncovered, blurred or turned: a
    detector learns to use its flow from them, and to join key frames, but no motion of things.

    Args:
        images: clips, of which the first frame is used.
        frames: how many frames each clip has.
        paths: how many clips are made of each image, each with another path of the window.
        speed: the most that the picture moves from frame to frame, as a share of its sides; 0.008
            is 3 px in 384, as a phone in a hand moves.
        zoom: the most that it grows or shrinks from frame to frame, as a share.
        least: an object is left out of a frame where less than this share of its box is seen.
        seed: of the paths; the same seed gives the same clips.

    Attributes:
        classes: the names of the classes.

    Raises:
        ValueError: a number is out of its range.
    """

    def __init__(
        self,
        images: Clips,
        *,
        frames: int = 21,
        paths: int = 1,
        speed: float = 0.008,
        zoom: float = 0.005,
        least: float = 0.3,
        seed: int = 0,
    ) -> None:
        for name, value in {"frames": frames, "paths": paths}.items():
            whole_number(name, value)
        for name, share in {"speed": speed, "zoom": zoom, "least": least}.items():
            if not 0 <= share < 1:
                raise ValueError(f"{name} must lie in 0..1, below 1, got {share}")
        self.images, self.frames, self.paths = images, frames, paths
        self.speed, self.zoom, self.least, self.seed = speed, zoom, least, seed
        self.classes = tuple(images.classes)

    def __len__(self) -> int:
        return self.paths * len(self.images)

    def __repr__(self) -> str:
        return f"{self.frames} frames of a moving window on each of {self.images!r}"

    def describe(self) -> dict[str, Any]:
        """A dict, for JSON, of what tells these clips from others."""
        names = ("frames", "paths", "speed", "zoom", "least", "seed")
        numbers = {name: getattr(self, name) for name in names}
        return {"images": description(self.images), **numbers}

    def _clip(self, index: int) -> Clip:
        still = self.images[index % len(self.images)]
        windows = self._windows(index)
        read: list[VideoFrame] = []  # the image, when the first frame is asked for

        def frame(time):
            if not read:
                if not len(still):
                    raise ValueError(f"the clip {still.name} of {self.images!r} has no frame")
                read.append(still[0])
            return self._seen(read[0], windows[time])

        path, number = divmod(index, len(self.images))
        return Clip(f"image{number}_path{path}", range(self.frames), frame)

    def _windows(self, index):
        """(frames, 4): the window's left, top, right and bottom, as shares of the image."""
        rng = np.random.default_rng([self.seed, index])
        span = np.arange(self.frames)
        sizes = rng.uniform(*_SHARES) * (1 + self.zoom * rng.uniform(-1, 1)) ** span
        sizes *= min(1.0, 1.0 / sizes.max())
        angle = rng.uniform(0, 2 * np.pi)
        step = rng.uniform(0, self.speed) * sizes.mean() * np.array([np.cos(angle), np.sin(angle)])
        centres = (span - span.mean())[:, None] * step
        # The path as a whole lies anywhere that the window stays inside; too long a one is cut.
        low, high = sizes[:, None] / 2 - centres, 1 - sizes[:, None] / 2 - centres
        low, high = low.max(axis=0), high.min(axis=0)
        centres = centres + np.where(low < high, rng.uniform(low, np.maximum(low, high)), 0.5)
        centres = np.clip(centres, sizes[:, None] / 2, 1 - sizes[:, None] / 2)
        return np.hstack([centres - sizes[:, None] / 2, centres + sizes[:, None] / 2])

    def _seen(self, still, window):
        """What the window shows, at one size for all frames."""
        height, width = still.image.shape[:2]
        size = max(1, round(_SHARES[1] * height)), max(1, round(_SHARES[1] * width))
        part = tuple((np.clip(window, 0, 1) * (width, height, width, height)).tolist())
        picture = Image.fromarray(still.image).resize(size[::-1], _BILINEAR, box=part)
        boxes, kept = boxes_within(still.boxes, part, size, self.least)
        return VideoFrame(np.asarray(picture), boxes, still.classes[kept], still.tracks[kept])
