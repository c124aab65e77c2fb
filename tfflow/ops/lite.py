"""Other forms of the ops for exported files: what LiteRT's CPU kernels (XNNPACK) run fastest.

They compute the same as the reference, up to rounding. docs/rillflow.md has the measurements.
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
    """Within it, what is traced goes into a .tflite file."""
    token = _in_use.set(True)
    try:
        yield
    finally:
        _in_use.reset(token)


def in_lite():
    """Whether a file for LiteRT is being traced."""
    return _in_use.get()


def interleaved(features, step):
    """The step² maps of every step-th pixel, a list of (1, ⌈H / step⌉, ⌈W / step⌉, C).

    The map of pixels (i, j), (i, j + step), … is number i · step + j. ``features`` is (1, H, W, C)
    and counts as zero outside. No tensor has more than four dimensions.
    """
    height, width, channels = features.shape[1:]
    rows, columns = -(-height // step), -(-width // step)
    padding = ((0, 0), (0, rows * step - height), (0, columns * step - width), (0, 0))
    lines = ops.reshape(ops.pad(features, padding), (rows, step, columns * step, channels))
    maps = []
    for i in range(step):
        line = ops.slice(lines, (0, i, 0, 0), (rows, 1, columns * step, channels))
        pixels = ops.reshape(line, (rows, columns, step, channels))
        for j in range(step):
            pixel = ops.slice(pixels, (0, 0, j, 0), (rows, columns, 1, channels))
            maps.append(ops.reshape(pixel, (1, rows, columns, channels)))
    return maps


def interleave(maps, step):
    """The inverse of :func:`interleaved`: (1, step · H, step · W, C) of maps (1, H, W, C)."""
    _, height, width, channels = maps[0].shape
    lines = []
    for i in range(step):
        pixels = [
            ops.reshape(each, (height, width, 1, channels))
            for each in maps[i * step : (i + 1) * step]
        ]
        line = ops.concatenate(pixels, axis=2)
        lines.append(ops.reshape(line, (height, 1, width * step, channels)))
    return ops.reshape(ops.concatenate(lines, axis=1), (1, height * step, width * step, channels))


def take_rows(pixels, index):
    """The rows of (N, C) at indices from 0 to N - 1, of any shape: (…) -> (…, C)."""
    if not in_lite():
        if pixels.shape[0] == 0 and None not in index.shape:
            # JAX's take would forget the shape of the indices.
            return ops.reshape(pixels, (*index.shape, pixels.shape[-1]))
        return ops.take(pixels, index, axis=0)
    # Keras would add three operators for negative indices; and GPUs only gather by flat lists.
    import tensorflow as tf

    rows = tf.gather(pixels, tf.reshape(index, [-1]))
    return ops.reshape(rows, (*index.shape, pixels.shape[-1]))


def whole_within(number, last):
    """Whole numbers, clipped to 0 to ``last``."""
    if in_lite():
        # Counted from 1: the converter makes RELU6 of a clip to 0 to 6 and RELU_0_TO_1 of one to 0
        # to 1, which LiteRT has for floats alone.
        return ops.clip(number + 1, 1, last + 1) - 1
    return ops.clip(number, 0, last)


def warp_in_lite(image, flow, *, padding, mask_threshold, return_mask):
    """:func:`tfflow.ops.warp` for an exported file, or None where the reference is needed.

    u and v stay together until the pixel's index, as LiteRT separates them outside of XNNPACK; a
    matrix product spreads the weights over the channels; and three interpolations between two
    neighbours take fewer products than four weights. At 96x128 with 16 channels that takes 1.0 ms
    instead of 1.3. Pixels are a flat list, as GPUs only gather by those.
    """
    sizes = tuple(image.shape[1:])
    known = all(isinstance(side, int) for side in sizes) and image.shape[0] == 1
    if not in_lite() or not known or min(sizes[:2]) < 2:
        return None
    if padding != "border" or mask_threshold is not None or return_mask:
        return None
    height, width, channels = sizes
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)[None]
    grid = grid.astype(np.float32)
    # The last pixel is reached from the one before, so that each has a neighbour on either side.
    last = np.array([width - 2, height - 2], np.float32)
    # GPUs may compute with 11 bits: whole numbers are kept apart from the fraction of the flow.
    before = ops.minimum(ops.relu(ops.floor(flow) + grid), last)
    distance = ops.minimum(ops.relu(flow + (grid - before)), 1.0)

    def column(axis):
        """The pixel's x or y, (H · W,), whole numbers."""
        values = ops.matmul(before, np.eye(2, dtype=np.float32)[:, axis : axis + 1])
        return ops.cast(ops.reshape(values, (height * width,)), "int32")

    number = column(1) * width + column(0)
    # Clipped again: NaN becomes an undefined number, which must stay in the image.
    number = whole_within(number, (height - 1) * width - 2)
    pixels = ops.reshape(image, (height * width, channels))
    distance = ops.reshape(distance, (height * width, 2))
    to_channels = np.eye(2, dtype=np.float32)[:, :, None] * np.ones(channels, np.float32)
    right, down = (ops.matmul(distance, spread) for spread in np.swapaxes(to_channels, 0, 1))

    def line(start):
        left = take_rows(pixels, start)
        return left + (take_rows(pixels, start + 1) - left) * right

    above = line(number)
    return ops.reshape(above + (line(number + width) - above) * down, image.shape)
