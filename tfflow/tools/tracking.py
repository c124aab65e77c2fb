"""Points, tracked through a clip along the flow.

The flows from frame to frame are chained. A point is lost where the flows of both directions
disagree: Sundaram, Brox and Keutzer, "Dense Point Trajectories by GPU-Accelerated Large
Displacement Optical Flow", ECCV 2010.
"""

import copy
import itertools
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tfflow.tools.both_ways import both_ways
from tfflow.tools.clips import picture, pictures
from tfflow.tools.consistency import agreement
from tfflow.types import Array, Predictor


class Tracks(NamedTuple):
    """Where points are, in one frame or in T frames.

    Attributes:
        points: (N, 2) or (T, N, 2) float32, (x, y) in pixels; (0, 0) is the middle of the upper
            left pixel. A lost point stays where it was seen last.
        visible: (N,) or (T, N) bool, False from the frame on in which a point is lost.
        confidence: (N,) or (T, N) float32 in [0, 1], the product of the confidences of all steps
            so far. It orders points by how far they may have drifted; 0 for a lost one.
    """

    points: npt.NDArray[np.float32]
    visible: npt.NDArray[np.bool_]
    confidence: npt.NDArray[np.float32]


class PointTracker:
    """Tracks points from frame to frame, one frame at a time.

    A point is lost when it leaves the image, or when the flows of both directions disagree about
    its step (:func:`confidence`): it is hidden, or its flow is wrong. A lost point does not come
    back.

    Args:
        predictor: Anything with ``predict_flow(image1, image2)``.
        points: (N, 2), (x, y) in pixels of the first frame.
        least: A step's smallest confidence, in [0, 1]. By default 1/e, where :func:`occlusion`
            begins; higher ones keep fewer and better points.
        size: (height, width) that the network runs at; None: the predictor's own choice.

    Raises:
        ValueError: If ``points`` or ``least`` are no such numbers.

    Example:
        >>> tracker = PointTracker(tfflow.load(), [(120, 80), (200, 95)])
        >>> for frame in frames:
        ...     points, visible, confidence = tracker.next(frame)
    """

    def __init__(
        self,
        predictor: Predictor,
        points: npt.ArrayLike,
        *,
        least: float = np.exp(-1),
        size: tuple[int, int] | None = None,
    ) -> None:
        points = np.array(points, np.float32)
        if points.ndim != 2 or points.shape[1] != 2:
            raise ValueError(f"points must be (N, 2), x and y of each; got {points.shape}.")
        if not 0 <= least <= 1:
            raise ValueError(f"least must be a confidence from 0 to 1; got {least}.")
        self._predictor, self._least, self._size = predictor, least, size
        self._frame: Array | None = None
        count = len(points)
        self._now = Tracks(points, np.ones(count, bool), np.ones(count, np.float32))

    def next(self, frame: Array) -> Tracks:
        """Where the points are in the next frame; in the first one, where they were put.

        Args:
            frame: (H, W, 3), as the predictor takes it.

        Raises:
            ValueError: If a point lies outside of the first frame, or a frame differs in size.
        """
        frame = picture(frame)
        if self._frame is None:
            self._check(frame)
        else:
            self._step(*both_ways(self._predictor, self._frame, frame, self._size))
        self._frame = frame
        return copy.deepcopy(self._now)  # who gets it may change it

    def _check(self, frame):
        if frame.ndim not in (2, 3):
            raise ValueError(f"a frame must be a picture (H, W, 3); got shape {frame.shape}.")
        height, width = frame.shape[:2]
        outside = ~_inside(self._now.points, height, width)
        if outside.any():
            x, y = self._now.points[outside][0]
            raise ValueError(
                f"points must lie in the first frame, {width} wide and {height} high; got "
                f"{outside.sum()} that do not, the first at ({x:g}, {y:g})."
            )

    def _step(self, forward, backward):
        points, visible, confidence = (each.copy() for each in self._now)
        (seen,) = np.nonzero(visible)
        step = _at(forward, points[seen])
        there = points[seen] + step
        trust = np.where(
            _inside(there, *forward.shape[:2]), agreement(step, _at(backward, there)), 0
        )
        kept = (trust >= self._least) & (trust > 0)
        points[seen[kept]] = there[kept]
        visible[seen] = kept
        confidence[seen] *= np.where(kept, trust, 0)
        self._now = Tracks(points, visible, confidence)


def track(
    predictor: Predictor,
    frames: Iterable[Array],
    points: npt.ArrayLike,
    *,
    least: float = np.exp(-1),
    size: tuple[int, int] | None = None,
) -> Tracks:
    """Tracks points through a clip; see :class:`PointTracker`.

    Args:
        predictor: Anything with ``predict_flow(image1, image2)``.
        frames: The T frames, (H, W, 3) each: a list, or an iterator, of which two frames are kept.
        points: (N, 2), (x, y) in pixels of the first frame.
        least: A step's smallest confidence, in [0, 1].
        size: (height, width) that the network runs at; None: the predictor's own choice.

    Returns:
        :class:`Tracks` of (T, N) points.

    Raises:
        ValueError: If there is no frame, they differ in size, or a point lies outside of the first.
    """
    tracker = PointTracker(predictor, points, least=least, size=size)
    each = [tracker.next(frame) for frame in pictures(frames)]
    if not each:
        raise ValueError("there are no frames to track points in.")
    return Tracks(*map(np.stack, zip(*each)))


def grid_points(height: int, width: int, step: int) -> npt.NDArray[np.float32]:
    """Points on a regular grid, for :func:`track`.

    Args:
        height: Of the frames, px.
        width: Likewise.
        step: From one point to the next, px.

    Returns:
        (N, 2) float32, (x, y), line by line; the margins are equal on both sides.

    Raises:
        ValueError: If the step is not from 1 up to the frame's smaller side.
    """
    if not 1 <= step <= min(height, width):
        raise ValueError(f"step must be from 1 to {min(height, width)} px; got {step}.")
    y, x = (np.arange((side - 1) % step / 2, side, step) for side in (height, width))
    return np.array([(column, row) for row, column in itertools.product(y, x)], np.float32)


def _inside(points, height, width):
    """Which points lie in an image; none that is not finite."""
    return ((points >= 0) & (points <= (width - 1, height - 1))).all(axis=1)


def _at(values, points):
    """Bilinear ``values`` (H, W, C) at points (N, 2): (N, C); the border is repeated outside."""
    height, width = values.shape[:2]
    x, y = np.clip(np.nan_to_num(points), 0, (width - 1, height - 1)).T
    return sampled(values, x, y)


def sampled(values, x, y):
    """Bilinear ``values`` (H, W, C) at points that lie within them: x and y (…) -> (…, C)."""
    left, top = x.astype(int), y.astype(int)
    right = np.minimum(left + 1, values.shape[1] - 1)
    bottom = np.minimum(top + 1, values.shape[0] - 1)
    x, y = (x - left)[..., None], (y - top)[..., None]
    above = values[top, left] * (1 - x) + values[top, right] * x
    below = values[bottom, left] * (1 - x) + values[bottom, right] * x
    return above * (1 - y) + below * y
