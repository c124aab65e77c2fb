"""From two images as users have them to a network's input, and from its flow back.

NumPy only: a Keras model and a .tflite file share this code, so that a call means the same for
both.
"""

import functools
import itertools
import math
import operator
import os
from typing import NamedTuple

import numpy as np

# Pixels. Larger images are run at this area: their motion is too large for networks trained on
# crops of a few hundred pixels, and 8K would not fit into memory.
LARGEST_AREA = 1_048_576

# Pixels of the longer side, source or target, that are resized in one product of matrices.
_BAND = 16
# Multiplications in one product: OpenBLAS takes several threads for more. Those wait for each other
# by spinning, which takes the network's threads their time, and seconds on a busy processor.
_LARGEST_PRODUCT = 2**18


class ImagePair:
    """Two images prepared for a network: checked, float32 RGB in [0, 1], at the network's size.

    Args:
        image1: First image, uint8 or float in [0, 1], (H, W, 3) or (B, H, W, 3). Grey images
            ((H, W) or one channel) are repeated to three channels; a fourth channel, alpha, is
            dropped.
        image2: Second image, of the same size and batch size.
        size: (height, width) that the network runs at.
        multiple, least_area: Instead of ``size``: :func:`working_size` with these.

    Attributes:
        image1, image2: (B, h, w, 3) float32.

    Raises:
        ValueError: If the inputs are not images, differ in size, or hold NaN, infinite or
            out-of-range values.
    """

    def __init__(self, image1, image2, *, size=None, multiple=1, least_area=0):
        image1, self._single = as_batch(image1, "image1")
        image2, single2 = as_batch(image2, "image2")
        if self._single != single2:
            which = ("image1", "image2") if single2 else ("image2", "image1")
            raise ValueError("{} is a batch and {} is a single image.".format(*which))
        if image1.shape != image2.shape:
            raise ValueError(
                f"image1 and image2 must be of one size and number; got {_describe(image1)} "
                f"and {_describe(image2)}."
            )
        self._size = image1.shape[1:3]
        if size is None:
            size = working_size(self._size, multiple, least_area)
        self.image1, self.image2 = (at_size(images, tuple(size)) for images in (image1, image2))

    def restore(self, flow):
        """The network's flow (B, h, w, 2), in its own pixels, rescaled to the images' size.

        Returns:
            float32 (H, W, 2) or (B, H, W, 2), like the images, in their pixels.
        """
        flow = rescale(flow, self._size)
        return flow[0] if self._single else flow

    def restore_map(self, values):
        """A map of one channel (B, h, w, 1) at the images' size: float32 (H, W) or (B, H, W)."""
        values = resize(np.asarray(values, np.float32), self._size)[..., 0]
        return values[0] if self._single else values


def rescale(flow, size):
    """Flow (B, h, w, 2) in its own pixels, as float32 (B, H, W, 2) in pixels of another size."""
    flow = np.asarray(flow, np.float32)
    height, width = flow.shape[1:3]
    if (height, width) == tuple(size):
        return flow if flow.flags.writeable else flow.copy()  # a tensor's memory is not the user's
    scale = np.float32([size[1] / width, size[0] / height])
    # Row by row, as NumPy is slow where the last axis is short.
    rows = flow.reshape(-1, height, 2 * width) * np.tile(scale, width)
    return resize(rows.reshape(flow.shape), size)


def next_multiple(size, multiple):
    """(height, width), each rounded up to a multiple."""
    # Not -(-side // multiple): tf2onnx divides negative numbers towards zero.
    return tuple((side + multiple - 1) // multiple * multiple for side in size)


def as_size(size):
    """(height, width) of whole numbers, or of None for a side that may be any.

    Raises:
        ValueError: If it is anything else.
    """
    try:
        height, width = (side if side is None else operator.index(side) for side in size)
    except (TypeError, ValueError):
        raise ValueError(
            f"size must be (height, width), two whole numbers; got {size!r}."
        ) from None
    return height, width


def check_multiples(size, multiple, name, advice):
    """Raises ValueError for a size that a network of this name can't run at."""
    if all(side is None or (side > 0 and side % multiple == 0) for side in size):
        return

    def near(side):
        if side is None:
            return [side]
        return sorted(
            {max(count, 1) * multiple for count in (side // multiple, -(-side // multiple))}
        )

    nearest = ", ".join(size_text(each) for each in itertools.product(*map(near, size)))
    raise ValueError(
        f"{name} runs at sides that are multiples of {multiple}; got {size_text(size)} (height x "
        f"width). Nearest: {nearest}. {advice}"
    )


def working_size(image_size, multiple, least_area=0):
    """The (height, width) that a network runs at by default.

    The next multiples of the image's sides. Of an image above :data:`LARGEST_AREA` or below
    ``least_area``, the multiples nearest to that area in the image's proportions; no side is more
    than doubled for it.
    """
    area = math.prod(image_size)
    if least_area <= area <= LARGEST_AREA:
        return next_multiple(image_size, multiple)
    scale = min(math.sqrt((least_area if area < least_area else LARGEST_AREA) / area), 2.0)
    return tuple(max(1, round(scale * side / multiple)) * multiple for side in image_size)


def resize(images, size, antialias=False):
    """Bilinear resize (B, H, W, C) -> (B, size[0], size[1], C), as ``tfflow.ops.resize`` does.

    Half-pixel centres, the edge repeated; nothing is rounded to integers.

    Args:
        images: (B, H, W, C), of any type; its values keep their range.
        size: (height, width) of the result.
        antialias: Where an axis shrinks, average with a triangle as wide as the reduction, as
            ``keras.ops.image.resize`` does. This is what a camera of that size would see: without
            it, the error on a pan at 4000x2250 was two to three times as large.

    Returns:
        float32; ``images`` themselves if they are that and have the size already.
    """
    height, width, channels = images.shape[1:]
    if (height, width) == tuple(size):
        return np.asarray(images, np.float32)
    rows = _bands(height, size[0], antialias)
    columns = _bands(width, size[1], antialias, channels)
    result = np.empty((len(images), *size, channels), np.float32)
    # Many rows in one product, as each call takes microseconds.
    band = len(rows[0].weights)
    count = _LARGEST_PRODUCT // max(column.weights.size for column in columns)
    blocks = _in_parts(rows, max(1, count // band))
    for image, resized in zip(
        images.reshape(len(images), height, -1), result.reshape(len(images), size[0], -1)
    ):
        for block in blocks:
            targets = slice(block[0].targets.start, block[-1].targets.stop)
            of_this_height = np.empty((targets.stop - targets.start, width * channels), np.float32)
            for row, part in zip(block, _in_parts(of_this_height, band)):
                _product(row.weights, image[row.sources].astype(np.float32), out=part)
            for column in columns:
                np.matmul(
                    of_this_height[:, column.sources],
                    column.transposed,
                    out=resized[targets, column.targets],
                )
    return result


class _Band(NamedTuple):
    """Neighbouring targets of a resized axis, what they are made of, and by which weights."""

    targets: slice
    sources: slice
    weights: np.ndarray  # (targets, sources)
    transposed: np.ndarray  # a copy: a product with a transposed view takes longer


@functools.lru_cache(maxsize=256)
def _bands(source, target, antialias, channels=1):
    """The matrix that resizes an axis has few diagonals; this is it without the zeros around them.

    Each pixel of the axis is ``channels`` numbers side by side.
    """
    step = source / target
    reach = max(step, 1.0) if antialias else 1.0
    centres = np.clip((np.arange(target) + 0.5) * step - 0.5, 0, source - 1)
    count = math.ceil(_BAND / max(step, 1.0))
    bands = []
    for start in range(0, target, count):
        centre = centres[start : start + count, None]
        first = max(math.floor(centre[0, 0] - reach) + 1, 0)
        pixels = np.arange(first, min(math.ceil(centre[-1, 0] + reach), source))
        weights = np.maximum(1 - np.abs(pixels - centre) / reach, 0)
        weights = np.kron(weights / weights.sum(axis=1, keepdims=True), np.eye(channels))
        weights = weights.astype(np.float32)
        targets, sources = channels * start, channels * first
        bands.append(
            _Band(
                slice(targets, targets + len(weights)),
                slice(sources, sources + len(weights[0])),
                weights,
                np.ascontiguousarray(weights.T),
            )
        )
    return bands


def _in_parts(sequence, count):
    """Its first ``count`` items, the next ones, and so on; views of an array."""
    return [sequence[start : start + count] for start in range(0, len(sequence), count)]


def _product(weights, rows, out):
    """A product of matrices, in parts for which no BLAS takes several threads."""
    count = max(1, _LARGEST_PRODUCT // weights.size)
    for start in range(0, len(rows[0]), count):
        part = slice(start, start + count)
        np.matmul(weights, rows[:, part], out=out[:, part])


def at_size(batch, size):
    """Images of :func:`as_batch` as a network takes them: float32 in [0, 1], resized."""
    if batch.dtype == np.uint8 and batch.shape[1:3] == tuple(size):
        return np.divide(batch, np.float32(255), dtype=np.float32)
    images = resize(batch, size, antialias=True)
    if batch.dtype == np.uint8:  # then resize has made an array of its own
        images /= np.float32(255)
    # Callers keep it, and may fill their own array with the next frame.
    return images.copy() if np.may_share_memory(images, batch) else images


def as_batch(image, name):
    """uint8, or float in [0, 1], (B, H, W, 3), and whether it was a single image.

    ``name`` is the image's in error messages.
    """
    array, single = as_rgb_batch(image, name)
    if array.dtype == np.uint8:
        return array, single
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinite values; expected floats in [0, 1].")
    low, high = float(array.min()), float(array.max())
    # A resize or a colour conversion may overshoot a little; 0..255 is a mistake.
    if low < -0.1 or high > 1.1:
        raise ValueError(
            f"{name} is {array.dtype} and must lie in [0, 1]; got values from {low:g} to {high:g}. "
            "Divide by 255, or pass uint8."
        )
    return array, single


def as_rgb_batch(image, name):
    """uint8 or float (B, H, W, 3), as in the image, and whether it was a single one."""
    if isinstance(image, (str, os.PathLike)):
        raise ValueError(
            f"{name} must be an image, not the name of one: tfflow.data.read_image({str(image)!r})."
        )
    if hasattr(image, "image") and hasattr(image, "time"):
        raise ValueError(
            f"{name} must be an image; got one with its time, as read_video gives them: give "
            "frame.image."
        )
    sizes = {np.shape(each) for each in image} if isinstance(image, (list, tuple)) else ()
    if len(sizes) > 1:
        raise ValueError(
            f"{name} must be images of one size to be a batch; got {sorted(sizes)}. Resize them, "
            "or predict pair by pair."
        )
    if getattr(image, "mode", "RGB") not in ("RGB", "RGBA", "L"):
        raise ValueError(
            f"{name} is a picture of mode {image.mode}, whose numbers are no RGB: give "
            'image.convert("RGB").'
        )
    array = np.asarray(image)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim not in (3, 4) or array.shape[-1] not in (1, 3, 4) or 0 in array.shape:
        channels_first = array.ndim in (3, 4) and array.shape[-3] in (1, 3, 4)
        advice = f"numpy.moveaxis({name}, -3, -1) brings the channels to the end."
        raise ValueError(
            f"{name} must be an image (H, W, 3) or a batch (B, H, W, 3); got shape "
            f"{np.shape(image)}. "
            + (advice if channels_first else "Grey (1 channel) and RGBA (4) are converted.")
        )
    single = array.ndim == 3
    array = array[None] if single else array
    array = np.repeat(array, 3, axis=-1) if array.shape[-1] == 1 else array[..., :3]
    if array.dtype != np.uint8 and not np.issubdtype(array.dtype, np.floating):
        raise ValueError(
            f"{name} must be uint8 in 0..255 or float in [0, 1]; got {array.dtype}. Convert it "
            "first: only the caller knows its range."
        )
    return array, single


def check_not_in_255(inputs=None):
    """Raises ValueError if the images in a dict are float in 0..255.

    A network would accept them and give wrong flow. Only the first image of a batch is checked, in
    NumPy arrays and TensorFlow's eager tensors: not in tensors of a graph, nor in a data set.
    """
    for name in ("image", "image1", "image2"):
        images = inputs.get(name) if isinstance(inputs, dict) else None
        if type(images).__module__.startswith("tensorflow.") and hasattr(images, "numpy"):
            images = images.numpy()
        if not isinstance(images, np.ndarray) or images.dtype.kind != "f":
            continue
        highest = np.max(images[:1], initial=0)
        # Training images may leave [0, 1] a little, when they are augmented.
        if highest > 10:
            raise ValueError(
                f"{name} is {images.dtype} and must lie in [0, 1]; got values up to {highest:g}. "
                "Divide by 255, or pass uint8."
            )


def _describe(batch):
    return f"{len(batch)} of {size_text(batch.shape[1:3])} (height x width)"


def size_text(size):
    """A size in a message: HEIGHTxWIDTH."""
    return "x".join(map(str, size))
