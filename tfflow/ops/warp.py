"""Backward warping: moves the second image's pixels to where the first image has them."""

from keras import ops

from tfflow.ops import native
from tfflow.ops.arguments import MASK_THRESHOLD, Padding, checked_flow, checked_threshold
from tfflow.ops.lite import in_lite, take_rows, warp_in_lite, whole_within
from tfflow.ops.shifted_warp import warp_in_context
from tfflow.types import Tensor


def warp(
    image: Tensor,
    flow: Tensor,
    *,
    padding: Padding = "zeros",
    mask_threshold: float | None = None,
    return_mask: bool = False,
) -> Tensor:
    """Samples ``image`` at p + flow(p), bilinearly: warp(image2, flow) looks like image1.

    Shapes: (B, H, W, C) and (B, H, W, 2) -> (B, H, W, C). ``flow`` is in pixels of ``image``,
    channel 0 = u to the right, channel 1 = v downwards; the output at (x, y) is ``image`` at
    (x + u, y + v). (TensorFlow Addons' ``dense_image_warp`` has the opposite sign and (v, u).)

    Args:
        image: An image or feature map, (B, H, W, C).
        flow: Optical flow in pixels, (B, H, W, 2); integers are converted to float32.
        padding: What lies outside: ``"zeros"``, or ``"border"`` (coordinates are clamped to it).
        mask_threshold: If given, in [0, 1): the output is set to zero unless more than this share
            of the bilinear weights falls inside ``image``. mmflow's networks use 0.9999: every
            pixel whose footprint is partly outside is dropped. The mask carries no gradient. With
            ``padding="border"`` nothing is ever outside; a flow of NaN leads nowhere.
        return_mask: Also return the mask, (B, H, W, 1), 1 = inside. The threshold is then
            ``mask_threshold``, or 0.9999.

    Returns:
        The warped image in the image's dtype, or (warped, mask).

    On TensorFlow it may be an operation of this package, unknown to other programs and to XLA. To
    save your own function to a file (SavedModel, ``TFLiteConverter``), or to call a
    ``tf.function`` that was called before from a jit-compiled one, trace it within
    ``tfflow.ops.native.reference_ops()``; Keras's and this package's exports do so by themselves.

    Raises:
        ValueError: If the shapes do not match, ``padding`` is unknown, or ``mask_threshold`` is
            not in [0, 1).
    """
    flow = checked_flow(image, flow, padding)
    checked_threshold(mask_threshold)
    settings = {"padding": padding, "mask_threshold": mask_threshold, "return_mask": return_mask}
    for form in (warp_in_context, warp_in_lite):
        result = form(image, flow, **settings)
        if result is not None:
            return result
    result = native.warp(image, flow, padding=padding, mask_threshold=mask_threshold)
    if result is not None:
        return result if return_mask else result[0]
    flow = ops.convert_to_tensor(flow)
    nowhere = None
    if not in_lite():  # where nothing is trained, and comparisons are slow
        # NaN leads nowhere. As a weight it would also reach the gradient of whatever it multiplies,
        # even where the mask drops the product. (XLA's minimum, in clip, may drop a NaN.)
        nowhere = ops.any(ops.isnan(flow), axis=-1, keepdims=True)
        flow = ops.where(nowhere, 0.0, flow)
    batch, height, width, channels = ops.shape(image)
    x = ops.cast(ops.arange(width, dtype="int32"), flow.dtype) + flow[..., 0]
    y = ops.cast(ops.arange(height, dtype="int32"), flow.dtype)[:, None] + flow[..., 1]
    # One pixel of zeros all around is as good as zeros everywhere outside.
    margin = 1 if padding == "zeros" else 0
    *columns, x = neighbours(x, width, margin)
    *rows, y = neighbours(y, height, margin)
    if margin:
        image = ops.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0)))

    pixels = ops.reshape(image, (-1, channels))
    line = width + 2 * margin
    first = ops.reshape(
        ops.arange(batch, dtype="int32") * ((height + 2 * margin) * line), (-1, 1, 1)
    )
    if in_lite() and image.shape[0] == 1:
        # A list of pixels until the end: LiteRT copies a map for each change of its shape.
        rows, columns = ([ops.reshape(each, (-1,)) for each in axis] for axis in (rows, columns))
        warped = mean_of_neighbours(pixels, 0, line, rows, columns)
        warped = ops.reshape(warped, (batch, height, width, channels))
    else:
        warped = mean_of_neighbours(pixels, first, line, rows, columns)

    if nowhere is not None:
        warped = ops.where(nowhere, float("nan"), warped)
    if mask_threshold is None and not return_mask:
        return warped
    if padding == "border":
        inside = ops.ones_like(x)
    else:
        inside = _share_inside(x, width) * _share_inside(y, height)
    inside = ops.expand_dims(ops.stop_gradient(inside), -1)
    if nowhere is not None:
        inside = ops.where(nowhere, 0.0, inside)
    threshold = MASK_THRESHOLD if mask_threshold is None else mask_threshold
    mask = ops.cast(inside > threshold, image.dtype)
    if mask_threshold is not None:
        # Not a product: NaN times zero is NaN. LiteRT's XNNPACK has no such choice.
        warped = warped * mask if in_lite() else ops.where(mask > 0, warped, 0.0)
    return (warped, mask) if return_mask else warped


def neighbours(position, size, margin=0):
    """Indices, in an axis with ``margin`` at both ends, of the pixels before and after a position.

    Also the position's distance to the one before, and the position clipped to the axis.
    """
    position = ops.clip(position, float(-margin), ops.cast(size - 1 + margin, position.dtype))
    before = ops.floor(position)
    distance = position - before
    # Clipped again as integers: NaN becomes an undefined one, which must stay in the image.
    last = size - 1 + 2 * margin
    before = whole_within(ops.cast(before, "int32") + margin, last)
    return before, ops.minimum(before + 1, last), distance, position


def mean_of_neighbours(pixels, first, line, rows, columns):
    """The bilinear mean of the four pixels around each position.

    Args:
        pixels: (N, C), all pixels line by line. A neighbour is then one flat gather: GATHER in
            LiteRT, where a gather by (y, x) pairs would become GATHER_ND, which phones run badly.
        first: Number of an image's first pixel.
        line: Pixels in a line.
        rows: (before, after, distance to the one before), as :func:`neighbours` gives them.
        columns: The same along the lines.
    """
    mean = 0.0
    (top, bottom, downwards), (left, right, rightwards) = rows, columns
    for row, vertical in ((top, 1.0 - downwards), (bottom, downwards)):
        start = first + row * line
        for column, horizontal in ((left, 1.0 - rightwards), (right, rightwards)):
            # Not [..., None]: LiteRT has no such slice of a map of unknown size.
            weight = ops.expand_dims(ops.cast(vertical * horizontal, pixels.dtype), -1)
            mean = mean + take_rows(pixels, start + column) * weight
    return mean


def _share_inside(position, size):
    """The share of the two neighbours' weights along an axis that lies within it."""
    share = ops.minimum(position + 1.0, ops.cast(size, position.dtype) - position)
    return ops.clip(share, 0.0, 1.0)
