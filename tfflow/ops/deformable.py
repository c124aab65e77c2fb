"""Deformable convolution: an offset moves every tap of the filter."""

import keras
from keras import ops

from tfflow.checks import whole_number
from tfflow.ops.arguments import full_precision, may_equal
from tfflow.ops.warp import warp
from tfflow.types import Tensor


def deformable_convolution(
    image: Tensor, offsets: Tensor, kernel: Tensor, *, stride: int = 1, dilation: int = 1
) -> Tensor:
    """Convolves with a filter whose taps each have their own offset at each output pixel.

    Shapes: (B, H, W, C), (B, ⌈H / stride⌉, ⌈W / stride⌉, 2 · k²) and (k, k, C, N) with k odd ->
    (B, ⌈H / stride⌉, ⌈W / stride⌉, N). Tap (i, j) of the output at (x, y) samples the image,
    bilinearly and as zero outside, at (x · stride + (j - k // 2) · dilation + dx,
    y · stride + (i - k // 2) · dilation + dy), where dy and dx are channels 2t and 2t + 1 of
    ``offsets``, t = i · k + j, in pixels: **dy first**, as in torchvision and mmcv.

    Where all taps share one offset, :func:`convolution_at` does the same much faster.

    Args:
        image: An image or feature map.
        offsets: Two for each tap.
        kernel: The filter.
        stride: Step between output pixels.
        dilation: Distance between taps.

    Returns:
        The result, without bias, in the image's dtype.

    Raises:
        ValueError: If the shapes don't match, or ``stride`` or ``dilation`` is no whole number of
            at least 1.

    Source: Dai et al., "Deformable Convolutional Networks", 2017, equation 2, without modulation.
    """
    stride = whole_number("stride", stride, 1)
    dilation = whole_number("dilation", dilation, 1)
    _check_arguments(image, offsets, kernel, stride)
    offsets = full_precision(offsets)
    size, reach = kernel.shape[0], (kernel.shape[0] // 2) * dilation
    height, width = ops.shape(image)[1:3]
    output_height, output_width = ops.shape(offsets)[1:3]
    # Positions of the taps, as a flow from the image's own grid: a warp does the sampling. With a
    # stride, the grid of the output is spread out first.
    rows = ops.cast(ops.arange(output_height, dtype="int32") * stride, offsets.dtype)[:, None]
    columns = ops.cast(ops.arange(output_width, dtype="int32") * stride, offsets.dtype)
    own_rows = ops.cast(ops.arange(output_height, dtype="int32"), offsets.dtype)[:, None]
    own_columns = ops.cast(ops.arange(output_width, dtype="int32"), offsets.dtype)
    result = 0.0
    for i in range(size):
        for j in range(size):
            tap = 2 * (i * size + j)
            dy = offsets[..., tap] + (rows - own_rows) + (i * dilation - reach)
            dx = offsets[..., tap + 1] + (columns - own_columns) + (j * dilation - reach)
            flow = ops.stack([dx, dy], axis=-1)
            if stride > 1:  # warp wants a flow for every pixel of the image
                margin = ((0, 0), (0, height - output_height), (0, width - output_width), (0, 0))
                flow = ops.pad(flow, margin)
            sampled = warp(image, flow)[:, :output_height, :output_width]
            result = result + ops.matmul(sampled, ops.cast(kernel[i, j], image.dtype))
    return result


def convolution_at(image: Tensor, flow: Tensor, kernel: Tensor) -> Tensor:
    """Deformable convolution whose taps all move by the flow of their output pixel.

    Shapes: (B, H, W, C), (B, H, W, 2) and (k, k, C, N) with k odd -> (B, H, W, N). ``flow`` is
    (u, v) in pixels. The result at p is the convolution of the image, continued with zeros, at
    p + flow(p): bilinear sampling commutes with a convolution whose taps all move alike. So the
    image is convolved once and the result warped, instead of k² warps.

    Args:
        image: A feature map.
        flow: The offset that the taps share.
        kernel: The filter.

    Returns:
        The result, without bias, in the image's dtype.

    Raises:
        ValueError: If the shapes don't match.

    Source: MaskFlowNet (Zhao et al., 2020) uses deformable convolution in this way; that it is a
    warp of a convolution is our observation, and tested against the general form.
    """
    shape, of_flow, of_kernel = (tuple(x.shape) for x in (image, flow, kernel))
    if (
        len(of_kernel) != 4
        or of_kernel[0] != of_kernel[1]
        or of_kernel[0] % 2 == 0
        or of_kernel[2] != shape[-1]
        or of_flow[-1] != 2
        or not all(map(may_equal, shape[1:3], of_flow[1:3]))
    ):
        raise ValueError(
            "convolution_at expects an image (B, H, W, C), a flow (B, H, W, 2) and a kernel "
            f"(k, k, C, N) with k odd; got {shape}, {of_flow} and {of_kernel}."
        )
    # The convolution reaches k // 2 pixels beyond the image; the sampling sees those as well.
    beyond = kernel.shape[0] // 2
    margin = ((0, 0), (beyond, beyond), (beyond, beyond), (0, 0))
    convolved = ops.conv(
        ops.pad(image, margin),
        ops.cast(kernel, image.dtype),
        padding="same",
        data_format="channels_last",
    )
    warped = warp(convolved, ops.pad(flow, margin))
    return warped[:, beyond:-beyond, beyond:-beyond] if beyond else warped


def _check_arguments(image, offsets, kernel, stride):
    shape, of_offsets, of_kernel = (tuple(x.shape) for x in (image, offsets, kernel))
    fits = (
        len(shape) == len(of_offsets) == len(of_kernel) == 4
        and of_kernel[0] == of_kernel[1]
        and of_kernel[0] % 2 == 1
        and of_kernel[2] == shape[3]
        and of_offsets[3] == 2 * of_kernel[0] ** 2
    )
    for axis in (1, 2):
        known = fits and None not in (shape[axis], of_offsets[axis])
        fits = fits and (not known or of_offsets[axis] == -(-shape[axis] // stride))
    if not fits:
        raise ValueError(
            "deformable_convolution expects an image (B, H, W, C), offsets (B, ⌈H/stride⌉, "
            "⌈W/stride⌉, 2·k²) and a kernel (k, k, C, N) with k odd; got "
            f"{shape}, {of_offsets} and {of_kernel} at stride {stride}."
        )
    if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(image.dtype)):
        raise ValueError(f"deformable_convolution expects floats; got {image.dtype}.")
