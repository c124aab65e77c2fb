"""Other forms of the ops for exported files: what LiteRT's CPU kernels (XNNPACK) run fastest.

They compute what the reference computes, but for rounding. docs/rillflow.md has the measurements.
"""

import contextlib
import contextvars

import numpy as np
from keras import ops

# A tile of a cost volume's rows. LiteRT computes whole blocks of 16 columns: a sixth less time than
# with the reference's tiles of 32.
TILE = 16

_in_use = contextvars.ContextVar("_lite_ops", default=False)


@contextlib.contextmanager
def lite_ops():
    """Within it, what is traced ends in a .tflite file."""
    token = _in_use.set(True)
    try:
        yield
    finally:
        _in_use.reset(token)


def in_lite():
    """Whether a file for LiteRT is being traced."""
    return _in_use.get()


def warp_in_lite(image, flow, *, padding, mask_threshold, return_mask):
    """:func:`tfflow.ops.warp` as a file wants it, or None where the reference has to do it.

    u and v stay side by side up to the pixel's number and are never taken apart, which LiteRT does
    outside of XNNPACK; weights are spread over the channels by a product of matrices; and three
    interpolations between two neighbours take fewer products than four weights. At 96x128 with 16
    channels that takes 1.0 ms instead of 1.3.
    """
    sizes = tuple(image.shape[1:])
    known = all(isinstance(side, int) for side in sizes) and image.shape[0] == 1
    if not in_lite() or not known or min(sizes[:2]) < 2:
        return None
    if padding != "border" or mask_threshold is not None or return_mask:
        return None
    height, width, channels = sizes
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)[None]
    corner = np.array([width - 1, height - 1], np.float32)
    position = ops.minimum(ops.relu(flow + grid.astype(np.float32)), corner)
    # The last pixel is reached from the one before, so that each has a neighbour on either side.
    before = ops.minimum(ops.floor(position), corner - 1.0)
    distance = position - before

    # Its number is a whole one far below 2^24, and exact.
    number = ops.matmul(before, np.array([[1.0], [width]], np.float32))
    number = ops.cast(ops.reshape(number, (1, height, width)), "int32")
    # Held once more: what NaN becomes is not defined, and must stay in the image.
    number = ops.clip(number, 0, (height - 1) * width - 2)
    pixels = ops.reshape(image, (height * width, channels))
    to_channels = np.eye(2, dtype=np.float32)[:, :, None] * np.ones(channels, np.float32)
    right, down = (ops.matmul(distance, spread) for spread in np.swapaxes(to_channels, 0, 1))

    def line(start):
        left = ops.take(pixels, start, axis=0)
        return left + (ops.take(pixels, start + 1, axis=0) - left) * right

    above = line(number)
    return above + (line(number + width) - above) * down
