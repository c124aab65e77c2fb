"""The feature-driven local convolution: each pixel's flow becomes an average of its neighbours'."""

import keras
from keras import ops

from tfflow.ops.arguments import floating, may_equal
from tfflow.types import Tensor


def local_average(flow: Tensor, distance: Tensor) -> Tensor:
    """Averages ``flow`` over each pixel's neighbourhood, with weights from feature distances.

    Shapes: (B, H, W, C) and (B, H, W, p²) with p odd -> (B, H, W, C). A neighbour at distance D has
    the weight exp(-D²) / Σ exp(-D²): the closer in the learned feature, the heavier. This is how
    LiteFlowNet sharpens the flow's edges.

    Channel ky · p + kx of ``distance`` belongs to the neighbour at (x + kx - p // 2,
    y + ky - p // 2). Flow outside counts as zero and keeps its weight, so that flow at the border
    shrinks towards zero: mmflow and Caffe both do so, and their weights are trained with it.

    Args:
        flow: A flow field, or any map; every channel is averaged with the same weights. Integers
            are converted to float32.
        distance: Feature distances, of either sign.

    Returns:
        The averaged flow in the flow's dtype.

    Raises:
        ValueError: If the sizes differ, or p² is not the square of an odd number.

    Source: LiteFlowNet (Hui et al., 2018), section "Flow Regularization".
    """
    patch = _check_arguments(flow, distance)
    flow = floating(flow)
    # The square of a distance of 256 is infinite in float16.
    dtype = keras.backend.result_type(distance.dtype, "float32")
    distance = ops.cast(distance, dtype)
    weights = ops.cast(ops.softmax(-ops.square(distance), axis=-1), flow.dtype)
    averages = [
        ops.sum(weights * _neighbourhood(flow[..., i : i + 1], patch), axis=-1, keepdims=True)
        for i in range(flow.shape[-1])
    ]
    return ops.concatenate(averages, axis=-1)  # not stack: LiteRT's delegate takes no PACK


def _neighbourhood(channel, patch):
    """(B, H, W, 1) -> (B, H, W, patch²): the patch around each pixel in row-major order.

    Neighbours in the row first, then the rows around: two joins of ``patch`` maps, where
    extract_patches is a convolution with patch⁴ multiplications a pixel.
    """
    batch, height, width, _ = ops.shape(channel)
    r = patch // 2
    padded = ops.pad(channel, ((0, 0), (r, r), (r, r), (0, 0)))
    # slice, not [...]: TensorFlow's gradient of the latter is ten times slower.
    size = (batch, height + 2 * r, width, 1)
    row = ops.concatenate([ops.slice(padded, (0, 0, x, 0), size) for x in range(patch)], axis=-1)
    size = (batch, height, width, patch)
    return ops.concatenate([ops.slice(row, (0, y, 0, 0), size) for y in range(patch)], axis=-1)


def _check_arguments(flow, distance):
    flow_shape, distance_shape = tuple(flow.shape), tuple(distance.shape)
    if (
        len(flow_shape) != 4
        or len(distance_shape) != 4
        or not all(map(may_equal, flow_shape[:3], distance_shape[:3]))
    ):
        raise ValueError(
            "local_average expects a flow (B, H, W, C) and distances (B, H, W, p²) of one size; "
            f"got {flow_shape} and {distance_shape}."
        )
    if flow_shape[-1] is None or distance_shape[-1] is None:
        raise ValueError(
            "local_average must know how many channels flow and distances have; got "
            f"{flow_shape} and {distance_shape}. tf.ensure_shape says it."
        )
    patch = round(distance_shape[-1] ** 0.5)
    if patch**2 != distance_shape[-1] or patch % 2 == 0:
        raise ValueError(
            "local_average expects one distance for each of p x p neighbours, p odd: 9, 25, 49, … "
            f"channels; got {distance_shape[-1]}."
        )
    return patch
