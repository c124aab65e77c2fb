"""Tensors from Torch's and Caffe's layouts to Keras's; each function takes and returns an array."""

import numpy as np


def kernel(tensor):
    """(out, in, height, width) to (height, width, in, out)."""
    return np.transpose(tensor, (2, 3, 1, 0))


def bgr_kernel(tensor, images=1):
    """As :func:`kernel`, for a layer trained on images in OpenCV's order that now gets RGB.

    Args:
        tensor: The kernel; its first ``3 * images`` input channels are colours.
        images: Number of images among its inputs.
    """
    array = kernel(tensor).copy()
    for first in range(0, 3 * images, 3):
        array[:, :, first : first + 3] = array[:, :, first : first + 3][:, :, ::-1]
    return array


def depthwise_kernel(tensor):
    """(channels, 1, height, width) to (height, width, channels, 1)."""
    return np.transpose(tensor, (2, 3, 0, 1))


def taps(tensor):
    """(channels, 1, height, width) to (height, width, channels): fixed depthwise upsampling."""
    return np.transpose(np.squeeze(tensor, 1), (1, 2, 0))


def transposed_kernel(tensor):
    """A transposed convolution's (in, out, height, width) to (height, width, out, in)."""
    return np.transpose(tensor, (2, 3, 1, 0))
