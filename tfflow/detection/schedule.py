"""Key frames: when features are computed anew, and how long the last ones are propagated.

NumPy only. A schedule is asked once for every frame but the first of a video, which is always a key
frame.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tfflow.checks import whole_number
from tfflow.detection.boxes import Detections, places_in
from tfflow.tools.tracking import sampled


class KeyFrameSchedule:
    """Chooses a :class:`tfflow.detection.VideoDetector`'s key frames; subclasses define ``is_key``.

    The schedules here keep no state, so that one may serve several videos.

    Attributes:
        needs_flow: Whether it decides by the flow and the images; it is False for a schedule that
            goes by time alone, and exported files then run once for a key frame, not twice.
        needs_confidence: Whether it decides by the flow's confidence too, and what was found on the
            key frame. It then gets ``confidence``, (H, W) in [0, 1], and ``found``,
            :class:`tfflow.detection.Detections` in pixels of the flow's grid. A
            :class:`tfflow.detection.BoxPropagator` has both.
        longest: After this many frames there is a new key frame anyway.
    """

    needs_flow = True
    needs_confidence = False
    longest: float = math.inf

    def is_key(
        self,
        age: int,
        *,
        flow: npt.NDArray[Any] | None = None,
        image: npt.NDArray[Any] | None = None,
        key_image: npt.NDArray[Any] | None = None,
        frame_size: tuple[int, int] | None = None,
    ) -> bool:
        """Whether a frame is a key frame.

        Args:
            age: How many frames ago the last key frame was, from 1 up.
            flow: (H, W, 2), from this frame to that key frame, in pixels of its own grid.
            image: (H, W, 3), this frame, float RGB in [0, 1], of the flow's size.
            key_image: (H, W, 3), that key frame.
            frame_size: (height, width) of the video's frames; None if the flow is of their size.
        """
        raise TypeError(f"{type(self).__name__} must define is_key(age, …).")

    def reset(self) -> None:
        """Another video begins. For schedules with a state."""


class FixedInterval(KeyFrameSchedule):
    """Every n-th frame is a key frame; the papers use n = 10.

    Args:
        n: From 1 up; 1 makes every frame a key frame.

    Raises:
        ValueError: If ``n`` is not a whole number from 1 up.
    """

    needs_flow = False

    def __init__(self, n: int = 10) -> None:
        self.n = whole_number("n", n)

    def is_key(self, age: int, **motion: Any) -> bool:
        return age >= self.n


class ByMotion(KeyFrameSchedule):
    """A key frame when the picture has moved far enough from the last one.

    Args:
        px: The mean length of the flow to the key frame above which a new one is made, in pixels
            of the video's frames.
        longest: After this many frames there is a new key frame anyway: otherwise, what appears in
            a still picture would never be seen.
        percentile: Take this percentile of the lengths (0 to 100) in place of their mean: 95 looks
            at what is fastest, even if it is small.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self, px: float = 16.0, longest: int = 30, *, percentile: float | None = None
    ) -> None:
        if not 0 <= px < math.inf:
            raise ValueError(f"px must be a length from 0 up; got {px!r}.")
        if percentile is not None and not 0 <= percentile <= 100:
            raise ValueError(f"percentile must lie in 0..100, or be None; got {percentile!r}.")
        self.px, self.longest = px, whole_number("longest", longest)
        self.percentile = percentile

    def is_key(
        self,
        age: int,
        *,
        flow: npt.NDArray[Any] | None = None,
        image: npt.NDArray[Any] | None = None,
        key_image: npt.NDArray[Any] | None = None,
        frame_size: tuple[int, int] | None = None,
    ) -> bool:
        if age >= self.longest:
            return True
        flow = _needed(flow, "flow", self)
        scale = (1.0, 1.0) if frame_size is None else np.divide(frame_size, flow.shape[:2])
        lengths = np.hypot(flow[..., 0] * scale[1], flow[..., 1] * scale[0])
        if self.percentile is None:
            return bool(lengths.mean() > self.px)
        return bool(np.percentile(lengths, self.percentile) > self.px)


class ByError(KeyFrameSchedule):
    """A key frame when the last one no longer explains the picture.

    The key frame is warped to the frame along the flow. A pixel is unexplained where both differ
    by more than ``tolerance``, and where the flow leaves the key frame: features there are zero.
    Occlusion, new objects, changes of light and wrong flow all count.

    Args:
        share: The share of unexplained pixels, 0 to 1, above which a new key frame is made.
        longest: After this many frames there is a new key frame anyway.
        tolerance: A difference of colours, the mean over the channels, for images in [0, 1].
        step: Only every ``step``-th row and column is looked at.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self, share: float = 0.2, longest: int = 30, *, tolerance: float = 0.1, step: int = 4
    ) -> None:
        for name, value in (("share", share), ("tolerance", tolerance)):
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must lie in 0..1; got {value!r}.")
        self.share, self.tolerance = share, tolerance
        self.longest, self.step = whole_number("longest", longest), whole_number("step", step)

    def is_key(
        self,
        age: int,
        *,
        flow: npt.NDArray[Any] | None = None,
        image: npt.NDArray[Any] | None = None,
        key_image: npt.NDArray[Any] | None = None,
        frame_size: tuple[int, int] | None = None,
    ) -> bool:
        if age >= self.longest:
            return True
        return self.error(flow, image, key_image) > self.share

    def error(self, flow: Any, image: Any, key_image: Any) -> float:
        """The share of unexplained pixels, 0 to 1; arguments as for ``is_key``."""
        flow = _needed(flow, "flow", self)
        image, key_image = _needed(image, "image", self), _needed(key_image, "key_image", self)
        if not flow.shape[:2] == image.shape[:2] == key_image.shape[:2]:
            raise ValueError(
                "ByError expects flow and images of one size; got "
                f"{flow.shape}, {image.shape} and {key_image.shape}."
            )
        rows, columns = (np.arange(0, side, self.step) for side in flow.shape[:2])
        picked = np.ix_(rows, columns)
        x = columns + flow[picked][..., 0]
        y = rows[:, None] + flow[picked][..., 1]
        height, width = flow.shape[:2]
        inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
        seen = sampled(key_image, np.where(inside, x, 0), np.where(inside, y, 0))
        difference = np.abs(seen - image[picked]).mean(-1)
        return float(np.mean(~inside | (difference > self.tolerance)))


class ByConfidence(KeyFrameSchedule):
    """A key frame when the flow network no longer trusts its flow within some object.

    For a :class:`tfflow.detection.BoxPropagator` and a network that tells how far it trusts its
    flow, as RillFlow does. The key frame's boxes are looked at, each in its inner part.

    Args:
        least: The mean confidence in a box, 0 to 1, below which there is a new key frame.
        longest: After this many frames there is a new key frame anyway: what appears would never be
            seen otherwise.
        score: Objects with a lower score are not looked at.

    Raises:
        ValueError: If an argument is out of its range.
    """

    needs_confidence = True

    def __init__(self, least: float = 0.6, longest: int = 20, *, score: float = 0.3) -> None:
        for name, value in (("least", least), ("score", score)):
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must lie in 0..1; got {value!r}.")
        self.least, self.longest, self.score = least, whole_number("longest", longest), score

    def is_key(
        self,
        age: int,
        *,
        confidence: npt.NDArray[Any] | None = None,
        found: Detections | None = None,
        **motion: Any,
    ) -> bool:
        if age >= self.longest:
            return True
        confidence = _needed(confidence, "confidence", self)
        if found is None:
            raise ValueError("ByConfidence decides by the objects of the key frame: give found.")
        x, y = places_in(found.boxes[found.scores >= self.score], confidence.shape)
        inside = confidence[y[:, :, None], x[:, None, :]]  # (N, rows, columns)
        return bool(inside.size and inside.mean((1, 2)).min() < self.least)


def _needed(array, name, schedule):
    if array is None:
        raise ValueError(f"{type(schedule).__name__} decides by the {name}, which is missing.")
    return np.asarray(array)
