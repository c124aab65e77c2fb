"""Warping by small displacements without a gather, for GPUs that have none.

LiteRT's mobile GPU delegates don't support a gather by computed positions. Where motion is small, a
warp is also a sum of shifted copies of the image, weighted pixel by pixel: slices, multiplications
and additions, which they support.
"""

import contextlib
import contextvars
import functools
import operator
from collections.abc import Iterator
from typing import Any

from keras import ops

from tfflow.ops.arguments import MASK_THRESHOLD, Padding, checked_flow
from tfflow.types import Tensor

MAX_RADIUS = 16  # 33² copies; far beyond where this pays
STEEPNESS = 32768.0  # two in a row tell 1e-9 from 0; float16 can still hold one

_in_use: contextvars.ContextVar["_Shifts | None"] = contextvars.ContextVar(
    "_warp_by_shifts", default=None
)


def shifted_warp(
    image: Tensor,
    flow: Tensor,
    radius: int,
    *,
    padding: Padding = "zeros",
    mask_threshold: float | None = None,
    return_mask: bool = False,
) -> Tensor:
    """:func:`tfflow.ops.warp` by a flow of at most ``radius`` pixels, as a sum of shifted images.

    Shapes: (B, H, W, C) and (B, H, W, 2) -> (B, H, W, C). With flow (u, v) in pixels, first clipped
    to [-radius, radius], and hat(t) = max(0, 1 - abs(t)), the output at (x, y) is::

        sum over dy of hat(v - dy) · sum over dx of hat(u - dx) · image(x + dx, y + dy)

    with dx and dy from -radius to radius. These are the bilinear weights, all but two of them zero
    in either direction. So the result equals ``warp``'s, up to rounding, wherever abs(u) and abs(v)
    are at most ``radius``; elsewhere it is ``warp``'s by the clipped flow. The error of the sampled
    position is thus (max(0, abs(u) - radius), max(0, abs(v) - radius)) pixels.

    It takes about (2·radius + 1)² slices and multiplications of whole maps. Only displacements are
    computed, never positions: in half precision it is as exact at the right end of a row as at the
    left.

    Args:
        image: An image or feature map, (B, H, W, C).
        flow: Optical flow in pixels, (B, H, W, 2).
        radius: The largest displacement along either axis, a whole number of pixels, 1 to 16.
        padding: As in ``warp``.
        mask_threshold: As in ``warp``.
        return_mask: As in ``warp``.

    Returns:
        The warped image in the image's dtype, or (warped, mask).

    Raises:
        ValueError: If the shapes do not match, or ``padding`` or ``radius`` is wrong.
    """
    flow = checked_flow(image, flow, padding)
    radius = checked_radius(radius)
    image, flow = ops.convert_to_tensor(image), ops.convert_to_tensor(flow)
    flow = ops.clip(flow, -radius, radius)
    has_mask = mask_threshold is not None or return_mask
    if padding == "border" or has_mask:
        inside = _held_inside(flow, radius, *ops.shape(image)[1:3])
    if padding == "border":
        flow = inside  # positions outside move to the border, so nothing outside is seen
    warped = _sum_of_shifts(image, flow, radius)
    if not has_mask:
        return warped

    # The share of the weights that lies outside. It comes from distances to the border, which are
    # exact in half precision where 0.9999 is 1.
    beyond = ops.stop_gradient(ops.minimum(ops.abs(flow - inside), 1.0))
    beyond_x, beyond_y = beyond[..., :1], beyond[..., 1:]
    outside = beyond_x + beyond_y - beyond_x * beyond_y
    threshold = MASK_THRESHOLD if mask_threshold is None else mask_threshold
    mask = ops.cast(_is_positive((1.0 - threshold) - outside), image.dtype)
    if mask_threshold is not None:
        warped = warped * mask
    return (warped, mask) if return_mask else warped


@contextlib.contextmanager
def warp_by_shifts(radius: int | None) -> "Iterator[_Shifts]":
    """Within it, :func:`tfflow.ops.warp` is :func:`shifted_warp`; for tracing exports.

    It applies to the thread (more exactly, the context) that enters it.

    Args:
        radius: As in :func:`shifted_warp`; None for the usual ``warp``, also within another one.

    Yields:
        An object whose ``count`` says how many warps were computed this way.

    Raises:
        ValueError: If ``radius`` is not a whole number from 1 to 16.

    Example:
        >>> with warp_by_shifts(4) as shifts:
        ...     content = convert(model, size)
        >>> shifts.count
        14
    """
    shifts = _Shifts(None if radius is None else checked_radius(radius))
    token = _in_use.set(shifts)
    try:
        yield shifts
    finally:
        _in_use.reset(token)


def warp_in_context(image: Tensor, flow: Tensor, **settings: Any) -> Tensor:
    """:func:`shifted_warp` if :func:`warp_by_shifts` asks for it; else None."""
    shifts = _in_use.get()
    if shifts is None or shifts.radius is None:
        return None
    shifts.count += 1
    return shifted_warp(image, flow, shifts.radius, **settings)


class _Shifts:
    def __init__(self, radius: int | None) -> None:
        self.radius = radius
        self.count = 0


def _sum_of_shifts(image, flow, radius):
    # A shift by the image's whole size or more gives zero everywhere.
    reach_y, reach_x = (
        radius if side is None else max(min(radius, side - 1), 0) for side in image.shape[1:3]
    )
    padded = ops.pad(image, ((0, 0), (reach_y, reach_y), (reach_x, reach_x), (0, 0)))
    # Both axes' weights at once, in a map of two channels: the int8 form keeps those in float.
    reach = max(reach_x, reach_y)
    weights = {
        d: ops.cast(ops.relu(1.0 - ops.abs(flow - float(d))), image.dtype)
        for d in range(-reach, reach + 1)
    }

    def row(dy):
        lines = padded[:, _window(dy, reach_y)]
        return _total(
            lines[:, :, _window(dx, reach_x)] * weights[dx][..., :1]
            for dx in range(-reach_x, reach_x + 1)
        )

    # Not one weight per copy: that would be twice the multiplications, and in int8 a sum of
    # (2·radius + 1)² terms is rounded more often than two sums of 2·radius + 1.
    return _total(row(dy) * weights[dy][..., 1:] for dy in range(-reach_y, reach_y + 1))


def _window(displacement, reach):
    """The slice of an axis, padded by ``reach`` at both ends, that a displacement reads."""
    return slice(reach + displacement, (displacement - reach) or None)


def _total(terms):
    return functools.reduce(operator.add, terms)


def _held_inside(flow, radius, height, width):
    """The flow with its targets moved to the nearest pixel of the image."""
    # One line of bounds for each axis, which broadcasts; the other channel keeps its bounds of
    # ±radius.
    for axis, size in ((2, width), (1, height)):
        position = ops.cast(ops.arange(size, dtype="int32"), flow.dtype)
        low = ops.maximum(-position, float(-radius))
        high = ops.minimum(ops.cast(size - 1, flow.dtype) - position, float(radius))
        free = ops.full_like(position, float(radius))
        shape = (1, 1, -1, 2) if axis == 2 else (1, -1, 1, 2)
        order = slice(None) if axis == 2 else slice(None, None, -1)
        low = ops.reshape(ops.stack([low, -free][order], axis=-1), shape)
        high = ops.reshape(ops.stack([high, free][order], axis=-1), shape)
        flow = ops.maximum(ops.minimum(flow, high), low)
    return flow


def _is_positive(values):
    """1.0 or 0.0, without comparisons: XNNPACK has none, and only recent GPU delegates do."""
    return ops.minimum(ops.minimum(ops.relu(values) * STEEPNESS, 1.0) * STEEPNESS, 1.0)


def checked_radius(radius: int, name: str = "radius") -> int:
    """The radius as an int.

    Raises:
        ValueError: If it is not a whole number from 1 to 16.
    """
    try:
        number = 0 if isinstance(radius, bool) else operator.index(radius)
    except TypeError:
        number = 0
    if not 1 <= number <= MAX_RADIUS:
        raise ValueError(
            f"{name} must be a whole number of pixels from 1 to {MAX_RADIUS}; got {radius!r}."
        )
    return number
