"""The picture between two pictures.

Motion is linear. Both flows are splatted to the time in between, as in Baker et al., "A Database
and Evaluation Methodology for Optical Flow", IJCV 2011; where several pixels land,
those count that both images show, in the manner of Niklaus and Liu, "Softmax Splatting for Video
Frame Interpolation", CVPR 2020. Both images are then sampled backwards along these motions, and
each counts as far as its own flow agrees with the motion: what only one of them shows is taken from
that one.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from tfflow.checks import whole_number
from tfflow.tools.both_ways import both_ways
from tfflow.tools.clips import timed_pictures
from tfflow.tools.consistency import agreement, confidence, look_up, same_scene
from tfflow.tools.warping import as_dtype
from tfflow.types import Array, Predictor

# Hidden pixels' share in a mean: they count where there is nothing else.
_FAINT = 1e-3


def interpolate(
    image1: Array, image2: Array, forward: Array, backward: Array, *, time: float = 0.5
) -> npt.NDArray[Any]:
    """The picture at a time between two pictures.

    Args:
        image1: (H, W) or (H, W, C), of any real dtype.
        image2: Of the same shape and dtype.
        forward: Flow from ``image1`` to ``image2``, (H, W, 2), pixels.
        backward: Flow from ``image2`` to ``image1``, of the same shape.
        time: From 0 (``image1``) to 1 (``image2``).

    Returns:
        The picture, of the shape and dtype of the images; integers are rounded. Where the flow is
        not finite, it is a mean of both images.

    Raises:
        ValueError: If the shapes or dtypes do not fit each other, or ``time`` is not from 0 to 1.

    Example:
        >>> flows = model.predict_flow(image1, image2, backward=True)
        >>> middle = interpolate(image1, image2, *flows)
    """
    image1, image2 = np.asarray(image1), np.asarray(image2)
    forward, backward = np.asarray(forward, np.float32), np.asarray(backward, np.float32)
    size = (*image1.shape[:2], 2)
    if image1.shape != image2.shape or not forward.shape == backward.shape == size:
        raise ValueError(
            "the images and flows must be of one size, (H, W, C) and (H, W, 2); got images "
            f"{image1.shape} and {image2.shape}, flows {forward.shape} and {backward.shape}."
        )
    if image1.dtype != image2.dtype:
        raise ValueError(
            f"the images must be of one dtype; got {image1.dtype} and {image2.dtype}, whose values "
            "may mean different things."
        )
    if not 0 <= time <= 1:
        raise ValueError(f"time must be from 0 to 1, between the two images; got {time}.")
    time = float(time)  # a float64 of NumPy would make all else one
    trusts = confidence(forward, backward), confidence(backward, forward)
    forward, backward = (
        np.where(np.isfinite(each).all(axis=-1, keepdims=True), each, np.float32(0))
        for each in (forward, backward)
    )
    # A motion is px from image1's time to image2's, at a place of the picture in between.
    flows = forward, -backward
    crossing = (1 - time) * forward - time * backward  # where nothing lands
    parts = (image1, forward, -time, 1 - time), (image2, -backward, 1 - time, time)
    dtype = np.result_type(image1.dtype, np.float32)  # float64 for what float32 can't hold
    total, weights = np.zeros(image1.shape, dtype), np.zeros(image1.shape, dtype)
    for flow, trust, ahead in zip(flows, trusts, (time, time - 1)):
        motion, landed = _splat(flow, flow * ahead, trust + _FAINT)
        lands = landed > _FAINT / 4
        motion = np.where(lands[..., None], motion, crossing)
        for image, own, until, nearness in parts:
            values, inside = look_up(image.astype(dtype), until * motion)
            moves, _ = look_up(own, until * motion)
            share = agreement(motion, -moves) * inside + _FAINT
            weight = nearness * share * np.where(lands, 1, _FAINT)
            weight = weight.reshape(weight.shape + (1,) * (image1.ndim - 2))
            total, weights = total + weight * values.reshape(image1.shape), weights + weight
    mean = total / weights
    return as_dtype(mean, image1.dtype)


def interpolate_clip(
    predictor: Predictor,
    frames: Iterable[tuple[Array, float]],
    factor: int = 2,
    *,
    size: tuple[int, int] | None = None,
) -> Iterator[tuple[npt.NDArray[Any], float]]:
    """Puts pictures between the frames of a clip.

    Args:
        predictor: Anything with ``predict_flow(image1, image2)``.
        frames: Of each, (picture, time in seconds), like :class:`tfflow.data.TimedFrame`: a list,
            or an iterator, of which two frames are kept.
        factor: How many times as many frames there will be, a whole number from 2 up.
        size: (height, width) that the network runs at; None: the predictor's own choice.

    Yields:
        (picture, time): each frame, and ``factor - 1`` evenly spaced pictures between it and the
        next. Where the scene changes, they are copies of the nearer frame.

    Raises:
        ValueError: If the factor is out of its range; while frames are taken, if they differ in
            size.
    """
    return _interpolated(predictor, frames, whole_number("factor", factor, 2), size)


def _interpolated(predictor, frames, factor, size):
    before, start = None, 0.0
    for image, now in timed_pictures(frames):
        if before is not None:
            flows = both_ways(predictor, before, image, size)
            together = same_scene(confidence(*flows))
            for number in range(1, factor):
                time = number / factor
                if together:
                    middle = interpolate(before, image, *flows, time=time)
                else:
                    middle = (before if time < 0.5 else image).copy()
                yield middle, start + time * (now - start)
        yield image.copy(), now  # who gets it may draw into it
        before, start = image, now


def _splat(values, flow, weights):
    """The weighted mean of ``values`` (H, W, 2), moved along ``flow``, and the sum of weights.

    Each pixel is shared by the four pixels around the place where it lands.
    """
    height, width = weights.shape
    x = (np.arange(width, dtype=np.float32) + flow[..., 0]).ravel()
    y = (np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]).ravel()
    # Far outside, and where the flow is not finite, nothing lands.
    lands = (x > -1) & (y > -1) & (x < width) & (y < height)
    x, y, weights, values = x[lands], y[lands], weights.ravel()[lands], values.reshape(-1, 2)[lands]
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    # With a margin of a pixel all around, which is cut off.
    line, size = width + 2, (height + 2, width + 2)
    sums = np.zeros((3, size[0] * size[1]))
    for row in (0, 1):
        for column in (0, 1):
            share = weights * (1 - abs(x - left - column)) * (1 - abs(y - top - row))
            place = (top + row + 1) * line + left + column + 1
            for total, part in zip(sums, (share, share * values[:, 0], share * values[:, 1])):
                total += np.bincount(place, part, total.size)
    weight, u, v = sums.reshape(3, *size)[:, 1:-1, 1:-1].astype(np.float32)
    return np.stack([u, v], axis=-1) / np.maximum(weight, 1e-12)[..., None], weight
