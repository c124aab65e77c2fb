"""Resizing, in the one convention that all networks here share.

Bilinear with half-pixel centres, the edge repeated, no antialiasing: torch's ``interpolate`` with
``align_corners=False``, cv2's ``INTER_LINEAR`` on floats, ``tf.image.resize`` without antialias.
"""

from keras import ops

from tfflow.ops import lite
from tfflow.ops.arguments import floating, may_equal
from tfflow.types import Tensor


def resize(image: Tensor, size: tuple[Tensor, Tensor]) -> Tensor:
    """Bilinear resize of an image or feature map, (B, H, W, C) -> (B, size[0], size[1], C).

    The values are unchanged: for a flow in pixels of its new size, use :func:`resize_flow`.

    Args:
        image: (B, H, W, C); integers are converted to float32. TensorFlow computes in float32
            whatever the dtype.
        size: (height, width) of the result; whole numbers or, in a graph of unknown sizes,
            scalar tensors.

    Returns:
        The resized image in the image's dtype.
    """
    image = floating(ops.convert_to_tensor(image))
    known = all(isinstance(side, int) for side in size)
    if known and tuple(image.shape[1:3]) == tuple(size):
        return image
    if not known:
        return _resize_axis(_resize_axis(image, 1, size[0]), 2, size[1])
    resized = ops.image.resize(
        image, size, interpolation="bilinear", antialias=False, data_format="channels_last"
    )
    return ops.cast(resized, image.dtype)


def _resize_axis(image, axis, target):
    """Linear interpolation along one axis to a size that is known only when the graph runs.

    keras.ops.image.resize only takes whole numbers.
    """
    source = ops.shape(image)[axis]
    scale = ops.cast(source, "float32") / ops.cast(target, "float32")
    position = (ops.arange(target, dtype="float32") + 0.5) * scale - 0.5
    position = ops.clip(position, 0.0, ops.cast(source, "float32") - 1.0)
    before = ops.cast(ops.floor(position), "int32")
    after = ops.minimum(before + 1, source - 1)
    share = ops.cast(position - ops.floor(position), image.dtype)
    share = ops.reshape(share, (1, -1, 1, 1) if axis == 1 else (1, 1, -1, 1))
    return ops.take(image, before, axis) * (1.0 - share) + ops.take(image, after, axis) * share


def resize_flow(flow: Tensor, size: tuple[Tensor, Tensor]) -> Tensor:
    """Bilinear resize of a flow in pixels, (B, H, W, 2) -> (B, size[0], size[1], 2).

    u and v are scaled with the width and the height, so that the result is in pixels of the new
    size. Integer flow is converted to float32.
    """
    flow = floating(flow)
    height, width = ops.shape(flow)[1:3]
    scale = ops.stack(
        [
            ops.cast(size[1], flow.dtype) / ops.cast(width, flow.dtype),
            ops.cast(size[0], flow.dtype) / ops.cast(height, flow.dtype),
        ]
    )
    return resize(flow, size) * scale


def upsample_nearest(image: Tensor, factor: int = 2) -> Tensor:
    """Nearest-neighbour upsampling by a whole factor, (B, H, W, C) -> (B, fH, fW, C).

    Written as depth_to_space of repeated channels because that form stays inside LiteRT's XNNPACK
    delegate in float and in int8, where RESIZE_NEAREST_NEIGHBOR and TILE do not.
    """
    if factor == 1:  # depth_to_space takes no blocks of one
        return ops.convert_to_tensor(image)
    return ops.depth_to_space(
        ops.concatenate([image] * factor**2, axis=-1), factor, data_format="channels_last"
    )


def upsample_from_corner(image: Tensor, factor: Tensor) -> Tensor:
    """Bilinear upsampling whose grids share the first pixel, (B, H, W, C) -> (B, fH, fW, C).

    Output i is the input at i / factor, the edge repeated: not the half-pixel centres of
    :func:`resize`. MaskFlowNet's networks upsample this way. Integers are converted to float32.
    """
    image = floating(ops.convert_to_tensor(image))
    shares = ops.cast(ops.arange(factor, dtype="int32"), image.dtype) / ops.cast(
        factor, image.dtype
    )
    for axis in (1, 2):
        size = ops.shape(image)
        following = ops.take(
            image, ops.minimum(ops.arange(size[axis], dtype="int32") + 1, size[axis] - 1), axis
        )
        steps = ops.expand_dims(following - image, axis + 1)
        steps = steps * ops.reshape(shares, (-1, *[1] * (3 - axis)))
        shape = list(size)
        shape[axis] = size[axis] * factor
        image = ops.reshape(ops.expand_dims(image, axis + 1) + steps, shape)
    return image


def upsample_transposed(image: Tensor, kernel: Tensor) -> Tensor:
    """Doubles the size by a depthwise transposed convolution, (B, H, W, C) -> (B, 2H, 2W, C).

    ``kernel`` is (4, 4, C), the stride 2 and the padding 1, as in torch and Caffe: along an axis,
    output 2m is kernel[1] · x[m] + kernel[3] · x[m - 1], and output 2m + 1 is
    kernel[2] · x[m] + kernel[0] · x[m + 1], with zeros outside.

    Keras has no depthwise transposed convolution. Four ordinary ones, for even and odd rows and
    columns, compute the same, and depth_to_space puts their outputs in place.
    """
    if tuple(kernel.shape) != (4, 4, image.shape[-1]):
        raise ValueError(
            f"upsample_transposed expects a kernel (4, 4, {image.shape[-1]}) for an image of shape "
            f"{tuple(image.shape)}; got {tuple(kernel.shape)}."
        )
    # Taps 3 and 1 fall on x[m - 1] and x[m], 2 and 0 on x[m] and x[m + 1]: in a window of three
    # around m, the even outputs leave the last place empty, the odd ones the first.
    kernels = [
        ops.pad(
            kernel[3 - odd_row :: -2, 3 - odd_column :: -2],
            ((odd_row, 1 - odd_row), (odd_column, 1 - odd_column), (0, 0)),
        )
        for odd_row in (0, 1)
        for odd_column in (0, 1)
    ]
    phases = ops.depthwise_conv(
        ops.concatenate([image] * 4, axis=-1),
        ops.concatenate(kernels, axis=-1)[..., None],
        padding="same",
        data_format="channels_last",
    )
    return ops.depth_to_space(phases, 2, data_format="channels_last")


def upsample_convex(image: Tensor, logits: Tensor, factor: int) -> Tensor:
    """Upsampling by a whole factor by learned convex combinations, (B, H, W, C) -> (B, fH, fW, C).

    Each fine pixel is a mean of the 3x3 coarse pixels around its own, the edge repeated, weighted
    by the softmax of nine logits. Unlike a bilinear mean it can keep to one side of an edge.

    Args:
        image: (B, H, W, C), such as a flow, in its own pixels; integers are converted to float32.
        logits: (B, H, W, 9 · factor²): for each fine pixel of a coarse one, row by row, those of
            its nine neighbours, row by row.
        factor: Whole number.

    Raises:
        ValueError: If the shapes do not match.

    Source: RAFT (Teed and Deng, 2020), section 3.3, which has zeros outside instead.
    """
    image = floating(ops.convert_to_tensor(image))
    expected = (*image.shape[:3], 9 * factor**2)
    if len(logits.shape) != 4 or not all(map(may_equal, logits.shape, expected)):
        raise ValueError(
            f"upsample_convex by {factor} expects logits {expected} for an image of shape "
            f"{tuple(image.shape)}; got {tuple(logits.shape)}."
        )
    batch, height, width, channels = ops.shape(image)
    leading = () if lite.in_lite() and batch == 1 else (batch,)  # GPUs take four dimensions
    shares = ops.reshape(logits, (*leading, height, width, factor**2, 9))
    shares = ops.cast(ops.softmax(shares, axis=-1), image.dtype)
    # Not [:, -1:]: a phone's GPU can't count from the end.
    rows = ops.concatenate([image[:, :1], image, image[:, height - 1 : height]], axis=1)
    padded = ops.concatenate([rows[:, :, :1], rows, rows[:, :, width - 1 : width]], axis=2)
    neighbours = [
        ops.slice(padded, (0, dy, dx, 0), (batch, height, width, channels))
        for dy in range(3)
        for dx in range(3)
    ]
    neighbours = ops.concatenate(neighbours, axis=-1)
    fine = ops.matmul(shares, ops.reshape(neighbours, (*leading, height, width, 9, channels)))
    fine = ops.reshape(fine, (batch, height, width, factor**2 * channels))
    return fine if factor == 1 else ops.depth_to_space(fine, factor, data_format="channels_last")


def downsample_triangle(image: Tensor, size: tuple[Tensor, Tensor]) -> Tensor:
    """Reduces an image with a triangle filter as wide as the reduction, (B, H, W, C).

    The corners of the two grids coincide; weights beyond the image are left out and the rest
    normalised. FlowNet's Caffe layer "Downsample", with which the official LiteFlowNet reduces its
    images. Integers are converted to float32.

    Raises:
        ValueError: If it is to be enlarged.
    """
    for side, target in zip(image.shape[1:3], size):
        if isinstance(side, int) and isinstance(target, int) and target > side:
            raise ValueError(
                f"downsample_triangle reduces; got a size of {tuple(size)} for an image of "
                f"{tuple(image.shape[1:3])}. resize enlarges."
            )
    image = floating(ops.convert_to_tensor(image))
    rows = _triangle_weights(ops.shape(image)[1], size[0], image.dtype)
    columns = _triangle_weights(ops.shape(image)[2], size[1], image.dtype)
    image = ops.einsum("oh,bhwc->bowc", rows, image)
    return ops.einsum("ow,bhwc->bhoc", columns, image)


def _triangle_weights(source, target, dtype):
    """(target, source): each source pixel's weight in each target pixel."""
    step = ops.cast(source - 1, "float32") / ops.cast(ops.maximum(target - 1, 1), "float32")
    centers = ops.arange(target, dtype="float32") * step
    distance = ops.abs(ops.arange(source, dtype="float32") - centers[:, None])
    weights = ops.relu(1.0 - distance / ops.maximum(step, 1e-6))
    return ops.cast(weights / ops.sum(weights, axis=1, keepdims=True), dtype)
