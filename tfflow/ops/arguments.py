"""What the ops check and convert in their arguments."""

from typing import Literal, TypeAlias, get_args

import keras
import numpy as np
from keras import ops

from tfflow.types import Tensor

Padding: TypeAlias = Literal["zeros", "border"]
PADDINGS = get_args(Padding)
MASK_THRESHOLD = 0.9999  # of a warp's mask, as in mmflow


def full_precision(x: Tensor) -> Tensor:
    """float16 and bfloat16 as float32: half precision rounds large flows to whole pixels."""
    half = keras.backend.standardize_dtype(x.dtype) in ("float16", "bfloat16")
    return ops.cast(x, "float32") if half else x


def floating(x: Tensor) -> Tensor:
    """Integers as float32, floating point as it is."""
    is_float = keras.backend.is_float_dtype(keras.backend.standardize_dtype(x.dtype))
    return x if is_float else ops.cast(x, "float32")


def may_equal(size1: int | None, size2: int | None) -> bool:
    """Whether two sizes are equal or one of them is unknown: None, or one of JAX's symbols."""
    known = isinstance(size1, int) and isinstance(size2, int)
    return not known or size1 == size2


def checked_threshold(threshold: float | None) -> None:
    """Raises ValueError unless a warp's mask_threshold is None or in [0, 1)."""
    # The kernels compare in float32, where 1 - 1e-9 is 1, and no share is more than that.
    if threshold is not None and not (
        isinstance(threshold, (int, float)) and threshold >= 0 and np.float32(threshold) < 1
    ):
        raise ValueError(f"mask_threshold must be None or a share in [0, 1); got {threshold!r}.")


def checked_flow(image: Tensor, flow: Tensor, padding: Padding) -> Tensor:
    """The flow of a warp, as float32 if it is in half precision or integer.

    Raises:
        ValueError: If ``image``, ``flow`` or ``padding`` is invalid.
    """
    if padding not in PADDINGS:
        raise ValueError(f"padding must be one of {PADDINGS}; got {padding!r}.")
    image_shape, flow_shape = tuple(image.shape), tuple(flow.shape)
    if len(image_shape) != 4 or len(flow_shape) != 4 or flow_shape[-1] != 2:
        raise ValueError(
            "warp expects an image (B, H, W, C) and a flow (B, H, W, 2); "
            f"got {image_shape} and {flow_shape}."
        )
    if not all(map(may_equal, image_shape[:3], flow_shape[:3])):
        raise ValueError(
            f"warp expects image and flow of one size; got {image_shape} and {flow_shape}. "
            "Resize the flow with tfflow.ops.resize_flow, which scales its values too."
        )
    if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(image.dtype)):
        raise ValueError(f"warp expects a floating-point image; got {image.dtype}.")
    return full_precision(floating(flow))
