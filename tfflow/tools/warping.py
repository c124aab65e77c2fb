"""Backward warping of pictures, masks and labels."""

from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from tfflow.tools.consistency import look_up
from tfflow.types import Array

# What OpenCV interpolates as it is; the rest goes by way of float64.
_NATIVE = (np.uint8, np.uint16, np.int16, np.float32, np.float64)


@overload
def warp(
    image: Array,
    flow: Array,
    *,
    fill: npt.ArrayLike = ...,
    nearest: bool = ...,
    return_mask: Literal[False] = False,
) -> npt.NDArray[Any]: ...
@overload
def warp(
    image: Array,
    flow: Array,
    *,
    fill: npt.ArrayLike = ...,
    nearest: bool = ...,
    return_mask: Literal[True],
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]: ...
def warp(
    image: Array,
    flow: Array,
    *,
    fill: npt.ArrayLike = 0,
    nearest: bool = False,
    return_mask: bool = False,
) -> npt.NDArray[Any] | tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Samples ``image`` at p + flow(p): ``warp(image2, flow)`` looks like image1.

    Pixels of image1 that image2 does not show get what covers them there: :func:`occlusion` finds
    them. :func:`tfflow.ops.warp` is the differentiable form, for networks; with
    ``mask_threshold=0.9999`` it gives the same numbers.

    Args:
        image: (H, W) or (H, W, C), of any real dtype and any number of channels; a batch is
            (B, H, W, C).
        flow: (H, W, 2), or (B, H, W, 2) for a batch, in pixels: u to the right, v downwards.
        fill: Value of the pixels whose flow leads out of the image or is not finite: a number, or
            one for each channel.
        nearest: Take the nearest pixel instead of interpolating: for labels, whose numbers have no
            mean.
        return_mask: Also return where the flow stays in the image.

    Returns:
        The warped image, of the shape and dtype of ``image``; integers are rounded. With
        ``return_mask``, also a mask (H, W) or (B, H, W), bool. OpenCV before version 5 rounds
        positions to 1/32 px.

    Raises:
        ValueError: If the shapes do not fit each other.
    """
    image, flow = np.asarray(image), np.asarray(flow, np.float32)
    batch = flow.ndim == 4
    if not (
        flow.ndim in (3, 4)
        and flow.shape[-1] == 2
        and image.ndim in ((4,) if batch else (2, 3))
        and image.shape[: flow.ndim - 1] == flow.shape[:-1]
    ):
        raise ValueError(
            "image must be (H, W) or (H, W, C) and flow (H, W, 2), or both batches, (B, H, W, C) "
            f"and (B, H, W, 2), of one size; got {image.shape} and {flow.shape}."
        )
    if batch:
        warped, inside = np.empty_like(image), np.empty(flow.shape[:3], bool)
        for number, pair in enumerate(zip(image, flow)):
            warped[number], inside[number] = _warp(*pair, fill, nearest)
    else:
        warped, inside = _warp(image, flow, fill, nearest)
    return (warped, inside) if return_mask else warped


def _warp(image, flow, fill, nearest):
    if nearest:
        # Indices, as pixels of any type.
        indices = np.arange(flow[..., 0].size).reshape(flow.shape[:2])
        index, inside = look_up(indices.astype(np.int32), flow, nearest=True)
        warped = image.reshape(-1, *image.shape[2:])[index]
    else:
        warped, inside = look_up(native(image), flow)
        warped = as_dtype(warped.reshape(image.shape), image.dtype)
    warped[~inside] = fill
    return warped, inside


def native(image):
    """The image in a dtype that OpenCV interpolates."""
    return image if image.dtype in _NATIVE else image.astype(np.float64)


def as_dtype(values, dtype):
    """Values in a dtype; integers are rounded and stay in its range."""
    if dtype.kind in "iu" and values.dtype.kind == "f":
        limits = np.iinfo(dtype)
        # The largest int64 has no double: that is one more.
        highest = min(float(limits.max), np.nextafter(limits.max + 1.0, 0.0))
        values = np.clip(np.rint(values), limits.min, highest)
    elif dtype.kind == "b":
        values = np.rint(values)
    return values.astype(dtype, copy=False)
