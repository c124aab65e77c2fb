"""The pipeline that feeds training: crops, flips, colours and noise, as a `tf.data.Dataset`.

All of it happens in NumPy on uint8 crops, a look-up table per channel for the colours, so that a
core is busy with it for about 2.3 ms per pair of 256x320.
"""

import functools
import threading

import numpy as np

_NOISE_TILE = 1024


def training_pipeline(
    dataset,
    batch_size,
    *,
    crop,
    colour=1.0,
    noise=0.02,
    horizontal_flip=0.5,
    vertical_flip=0.1,
    scale=None,
    shuffle=True,
    seed=0,
    repeat=True,
    start=0,
    workers=1,
):
    """Batches of augmented crops. The same arguments give the same batches.

    Args:
        dataset: a sequence of `FlowSample` with known flow. A `SceneCache` is read crop by crop;
            samples may be of different sizes, but none smaller than the crop.
        batch_size: pairs per batch.
        crop: (height, width), or None for whole samples (then all of one size).
        colour: strength of the changes of brightness, contrast, gamma and colour, which are the
            same for both images up to a small part; 0 for none, 1 for the usual ones.
        noise: largest standard deviation of the noise, in units of the range [0, 1].
        horizontal_flip, vertical_flip: probabilities.
        scale: (smallest, largest) random magnification, at most what the sample's size allows;
            None for none. Needs OpenCV. The flow is scaled along.
        shuffle: another order in every epoch; otherwise the data set's order.
        seed: whole number.
        repeat: go on for ever in full batches; otherwise stop after one epoch, the last batch
            being smaller.
        start: number of the first batch, to go on after an interruption.
        workers: batches made at the same time; the order stays the same.

    Returns:
        `tf.data.Dataset` of ({"image1", "image2"}, flow, valid): images (B, h, w, 3) float32 in
        [0, 1], flow (B, h, w, 2) float32 in pixels, valid (B, h, w) float32, 1 where flow is known.

    Raises:
        ValueError: a bad argument, or an empty data set.
        Errors of the data set, and a ValueError for a sample that is smaller than the crop or has
        no flow, come as `tf.errors` while the batches are read, with the message.
    """
    import tensorflow as tf

    if len(dataset) == 0:
        raise ValueError(f"the data set {dataset!r} is empty: there is nothing to train on")
    for name, value, least in (("batch_size", batch_size, 1), ("workers", workers, 1)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
    if crop is not None and (len(crop) != 2 or min(crop) < 1):
        raise ValueError(f"crop must be (height, width), got {crop!r}")
    if scale is not None and not 0 < scale[0] <= scale[1]:
        raise ValueError(f"scale must be (smallest, largest), got {scale!r}")
    source = _Batches(
        dataset,
        batch_size,
        crop=None if crop is None else tuple(crop),
        colour=colour,
        noise=noise,
        flips=(horizontal_flip, vertical_flip),
        scale=scale,
        shuffle=shuffle,
        seed=seed,
        repeat=repeat,
    )
    size = (None, None) if crop is None else tuple(crop)
    pairs = batch_size if repeat else None
    steps = tf.data.Dataset.counter(start) if repeat else tf.data.Dataset.range(start, len(source))

    def load(step):
        image1, image2, flow, valid = tf.numpy_function(source, [step], [tf.float32] * 4)
        image1.set_shape((pairs, *size, 3))
        image2.set_shape((pairs, *size, 3))
        flow.set_shape((pairs, *size, 2))
        valid.set_shape((pairs, *size))
        return {"image1": image1, "image2": image2}, flow, valid

    return steps.map(load, num_parallel_calls=workers, deterministic=True).prefetch(2)


class _Batches:
    """Batch number -> arrays; a function of its arguments alone, whatever was read before."""

    def __init__(
        self, dataset, batch_size, *, crop, colour, noise, flips, scale, shuffle, seed, repeat
    ):
        self.dataset, self.batch_size, self.crop = dataset, batch_size, crop
        self.colour, self.noise, self.flips, self.scale = colour, noise, flips, scale
        self.shuffle, self.seed, self.repeat = shuffle, seed, repeat
        self._order = functools.lru_cache(maxsize=2)(self._order_of)
        self._lock = threading.Lock()

    def __len__(self):
        return -(-len(self.dataset) // self.batch_size)

    def _order_of(self, epoch):
        if not self.shuffle:
            return np.arange(len(self.dataset))
        return np.random.default_rng([self.seed, 0, epoch]).permutation(len(self.dataset))

    def __call__(self, step):
        first = int(step) * self.batch_size
        last = first + self.batch_size
        numbers = range(first, last if self.repeat else min(last, len(self.dataset)))
        batch = None
        for i, number in enumerate(numbers):
            epoch, place = divmod(number, len(self.dataset))
            with self._lock:
                index = int(self._order(epoch)[place])
            rng = np.random.default_rng([self.seed, 1, number])
            read, size = _reader(self.dataset, index)
            if batch is None:
                shape = (len(numbers), *(self.crop or size))
                batch = tuple(np.empty((*shape, *c), np.float32) for c in ((3,), (3,), (2,), ()))
            elif self.crop is None and size != batch[0].shape[1:3]:
                raise ValueError(
                    f"samples of {size} and {batch[0].shape[1:3]} pixels do not fit into one "
                    "batch: give training_pipeline a crop"
                )
            self._augment(read, size, rng, [array[i] for array in batch])
        return batch

    def _augment(self, read, size, rng, out):
        """Fills `out`, (image1, image2, flow, valid) of one sample."""
        image1, image2, flow, valid = self._window(read, size, rng, out[0].shape[:2])
        step_x, step_y = (-1 if rng.random() < probability else 1 for probability in self.flips)
        np.multiply(flow[::step_y, ::step_x], np.array([step_x, step_y], np.float32), out=out[2])
        out[3][:] = valid[::step_y, ::step_x]
        tables = _colour_tables(rng, self.colour)
        sigma = np.float32(self.noise * rng.random())
        for image, table, target in zip((image1, image2), tables, out):
            _recolour(image[::step_y, ::step_x], table, sigma, rng, target)

    def _window(self, read, size, rng, crop):
        """Reads a random window, as large as the crop or, before magnification, what it shows."""
        factor = 1.0
        if self.scale is not None:
            factor = np.exp(rng.uniform(*np.log(self.scale)))
            factor = max(factor, crop[0] / size[0], crop[1] / size[1])
        rows, columns = (round(n / factor) for n in crop)
        if rows > size[0] or columns > size[1]:
            raise ValueError(
                f"a sample of {self.dataset!r} has {size[0]}x{size[1]} pixels, less than the crop "
                f"{crop[0]}x{crop[1]}"
            )
        top, left = (rng.integers(0, n - m + 1) for n, m in zip(size, (rows, columns)))
        window = read(slice(top, top + rows), slice(left, left + columns))
        return window if (rows, columns) == tuple(crop) else _resized(*window, *crop)


def _reader(dataset, index):
    """A function (rows, columns) -> (image1, image2, flow, valid), and the sample's size."""
    if hasattr(dataset, "read"):

        def read(rows, columns):
            image1, image2, flow = dataset.read(index, rows, columns)
            return image1, image2, flow, np.ones(flow.shape[:2], bool)

        return read, dataset.size
    sample = dataset[index]
    if sample.flow is None:
        raise ValueError(f"{sample.name} of {dataset!r} has no flow to train on")
    return (lambda *window: tuple(array[window] for array in sample[:4])), sample.flow.shape[:2]


def _resized(image1, image2, flow, valid, height, width):
    """Magnifies a sample. Flow is not mixed across motion boundaries: nearest neighbour."""
    from tfflow.data.synthetic.opencv import cv2

    factor = np.array([width / flow.shape[1], height / flow.shape[0]], np.float32)
    size = width, height
    smooth = cv2.INTER_AREA if factor[0] < 1 else cv2.INTER_LINEAR
    image1, image2 = (cv2.resize(image, size, interpolation=smooth) for image in (image1, image2))
    rows, columns = (
        ((np.arange(n) + 0.5) * m / n).astype(int) for n, m in zip((height, width), flow.shape)
    )
    return image1, image2, flow[np.ix_(rows, columns)] * factor, valid[np.ix_(rows, columns)]


def _colour_tables(rng, strength):
    """Two tables (3, 256) float32: grey level to value in [0, 1], for the two images."""
    # Contrast, brightness, gamma, three gains: common to both images, and the second one's own.
    spread = np.array([0.2, 0.12, 0.2, 0.1, 0.1, 0.1]) * strength
    common = rng.normal(0, spread)
    own = rng.normal(0, 0.15 * spread)
    levels = np.linspace(0, 1, 256)
    tables = []
    for change in (common, common + own):
        contrast, brightness, gamma = np.exp(change[0]), change[1], np.exp(change[2])
        values = (contrast * (levels - 0.5) + 0.5 + brightness) * np.exp(change[3:, None])
        tables.append((np.clip(values, 0, 1) ** gamma).astype(np.float32))
    return tables


def _recolour(image, table, sigma, rng, out):
    """uint8 to float32 in [0, 1] through a table, with noise, into `out`."""
    for channel in range(3):
        # mode="clip" lets NumPy write to `out` directly; no level is ever outside.
        np.take(table[channel], image[..., channel], out=out[..., channel], mode="clip")
    if sigma > 0:
        height, width = image.shape[:2]
        if max(height, width) <= _NOISE_TILE // 2:
            top, left = rng.integers(0, _NOISE_TILE // 2, 2)
            noise = _noise_tile()[top : top + height, left : left + width]
        else:
            noise = rng.standard_normal(image.shape, dtype=np.float32)
        out += sigma * noise
        np.clip(out, 0, 1, out=out)


@functools.cache
def _noise_tile():
    """Fresh normal numbers for every pixel would take longer than all the rest."""
    shape = (_NOISE_TILE, _NOISE_TILE, 3)
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
