"""Resizing, in the one convention that all networks here share.

Bilinear with half-pixel centres, the edge repeated, no antialiasing: torch's ``interpolate`` with
``align_corners=False``, cv2's ``INTER_LINEAR`` on floats, ``tf.image.resize`` without antialias.
"""

from keras import ops


def resize(image, size):
    """Bilinear resize of an image or feature map, (B, H, W, C) -> (B, size[0], size[1], C).

    The values stay as they are: for a flow that shall be in pixels of its new size, use
    :func:`resize_flow`.

    Args:
        image: (B, H, W, C), floating point. TensorFlow computes in float32 whatever the dtype.
        size: (height, width) of the result; whole numbers or, in a graph of unknown sizes,
            scalar tensors.

    Returns:
        The resized image in the image's dtype.
    """
    if not all(isinstance(side, int) for side in size):
        return _resize_axis(_resize_axis(image, 1, size[0]), 2, size[1])
    resized = ops.image.resize(
        image, size, interpolation="bilinear", antialias=False, data_format="channels_last"
    )
    return ops.cast(resized, image.dtype)


def _resize_axis(image, axis, target):
    """Linear interpolation along one axis to a size that is known only when the graph runs.

    keras.ops.image.resize takes whole numbers alone.
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


def resize_flow(flow, size):
    """Bilinear resize of a flow in pixels, (B, H, W, 2) -> (B, size[0], size[1], 2).

    u and v are scaled with the width and the height, so that the result is in pixels of the new
    size.
    """
    height, width = ops.shape(flow)[1:3]
    scale = ops.stack(
        [
            ops.cast(size[1], flow.dtype) / ops.cast(width, flow.dtype),
            ops.cast(size[0], flow.dtype) / ops.cast(height, flow.dtype),
        ]
    )
    return resize(flow, size) * scale


def upsample_nearest(image, factor=2):
    """Nearest-neighbour upsampling by a whole factor, (B, H, W, C) -> (B, fH, fW, C).

    Written as depth_to_space of repeated channels because that form stays inside LiteRT's XNNPACK
    delegate in float and in int8, where RESIZE_NEAREST_NEIGHBOR and TILE do not.
    """
    return ops.depth_to_space(
        ops.concatenate([image] * factor**2, axis=-1), factor, data_format="channels_last"
    )
