"""Backward warping: fetch the second image to where the first one sees it."""

import keras
from keras import ops

PADDINGS = ("zeros", "border")


def warp(image, flow, *, padding="zeros", mask_threshold=None, return_mask=False):
    """Samples ``image`` at p + flow(p), bilinearly: warp(image2, flow) looks like image1.

    Shapes: (B, H, W, C) and (B, H, W, 2) -> (B, H, W, C). ``flow`` is in pixels of ``image``,
    channel 0 = u to the right, channel 1 = v downwards; the output at (x, y) is ``image`` at
    (x + u, y + v). (TensorFlow Addons' ``dense_image_warp`` has the opposite sign and (v, u).)

    Args:
        image: An image or feature map, (B, H, W, C).
        flow: Optical flow in pixels, (B, H, W, 2).
        padding: What lies outside: ``"zeros"``, or ``"border"`` (coordinates are clamped to it).
        mask_threshold: If given, the output is set to zero where less than this share of the
            bilinear weights falls inside ``image``. mmflow's networks use 0.9999: every pixel
            whose footprint is partly outside is dropped. The mask carries no gradient. With
            ``padding="border"`` nothing is ever outside.
        return_mask: Also return the mask, (B, H, W, 1), 1 = inside. The threshold is then
            ``mask_threshold``, or 0.9999.

    Returns:
        The warped image in the image's dtype, or (warped, mask).

    Raises:
        ValueError: If the shapes do not fit each other or ``padding`` is unknown.
    """
    _check_arguments(image, flow, padding)
    flow = ops.convert_to_tensor(flow)
    if flow.dtype in ("float16", "bfloat16"):
        flow = ops.cast(flow, "float32")  # half precision can't tell pixels apart beyond 2048
    batch, height, width, channels = ops.shape(image)

    x = ops.cast(ops.arange(width), flow.dtype) + flow[..., 0]
    y = ops.cast(ops.arange(height), flow.dtype)[:, None] + flow[..., 1]
    # Clamping leaves the samples as they are (all is zero beyond one pixel outside) and keeps the
    # integer indices below in range, whatever the flow.
    margin = 1.0 if padding == "zeros" else 0.0
    x = ops.clip(x, -margin, ops.cast(width, x.dtype) - 1.0 + margin)
    y = ops.clip(y, -margin, ops.cast(height, y.dtype) - 1.0 + margin)
    left, top = ops.floor(x), ops.floor(y)
    toward_right, toward_bottom = x - left, y - top
    left, top = ops.cast(left, "int32"), ops.cast(top, "int32")

    # One row per pixel, so that a neighbour is one flat gather: GATHER in LiteRT, where a
    # gather by (y, x) pairs would become GATHER_ND, which phones run badly.
    rows = ops.reshape(image, (-1, channels))
    first_row = ops.reshape(ops.arange(batch) * (height * width), (-1, 1, 1))

    warped, inside = 0.0, 0.0
    for right in (0, 1):
        for bottom in (0, 1):
            column, line = left + right, top + bottom
            weight = (toward_right if right else 1.0 - toward_right) * (
                toward_bottom if bottom else 1.0 - toward_bottom
            )
            is_inside = (column >= 0) & (column < width) & (line >= 0) & (line < height)
            weight = ops.where(is_inside, weight, ops.zeros_like(weight))
            column = ops.clip(column, 0, width - 1)
            line = ops.clip(line, 0, height - 1)
            neighbour = ops.take(rows, first_row + line * width + column, axis=0)
            warped = warped + neighbour * ops.cast(weight, image.dtype)[..., None]
            inside = inside + weight

    if mask_threshold is None and not return_mask:
        return warped
    if padding == "border":
        inside = ops.ones_like(inside)
    threshold = 0.9999 if mask_threshold is None else mask_threshold
    mask = ops.cast(ops.stop_gradient(inside) > threshold, image.dtype)[..., None]
    if mask_threshold is not None:
        warped = warped * mask
    return (warped, mask) if return_mask else warped


def _check_arguments(image, flow, padding):
    if padding not in PADDINGS:
        raise ValueError(f"padding must be one of {PADDINGS}; got {padding!r}.")
    image_shape, flow_shape = tuple(image.shape), tuple(flow.shape)
    if len(image_shape) != 4 or len(flow_shape) != 4 or flow_shape[-1] != 2:
        raise ValueError(
            "warp expects an image (B, H, W, C) and a flow (B, H, W, 2); "
            f"got {image_shape} and {flow_shape}."
        )
    for axis in range(3):
        of_image, of_flow = image_shape[axis], flow_shape[axis]
        if None not in (of_image, of_flow) and of_image != of_flow:
            raise ValueError(
                f"warp expects image and flow of one size; got {image_shape} and {flow_shape}. "
                "Resize the flow with tfflow.ops.resize_flow, which scales its values too."
            )
    if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(image.dtype)):
        raise ValueError(f"warp expects a floating-point image; got {image.dtype}.")
