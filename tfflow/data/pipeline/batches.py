"""The pipeline that feeds training: files in, batches of augmented crops out.

It is a TensorFlow graph from file to batch, so it uses all cores alongside Python's own
work. Every sample is a pure function of the seed and the sample's number.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tfflow.checks import whole_number
from tfflow.data.datasets.base import named
from tfflow.data.pipeline import augmentation as settings

if TYPE_CHECKING:
    import tensorflow as tf

    from tfflow.data.datasets.base import FlowSample


class WorkerShare(NamedTuple):
    """The part of every batch that one of several workers reads.

    Attributes:
        worker: number of this worker, from 0.
        workers: how many there are.
        pieces: how many batches the worker's part is cut into: one for each of its devices.
    """

    worker: int = 0
    workers: int = 1
    pieces: int = 1


def training_pipeline(
    dataset: Sequence[FlowSample],
    batch_size: int,
    *,
    crop: tuple[int, int] | None,
    augmentation: settings.Augmentation | Sequence[settings.Augmentation] = settings.LIGHT,
    shuffle: bool = True,
    seed: int = 0,
    repeat: bool = True,
    start: int = 0,
    share: WorkerShare | None = None,
) -> tf.data.Dataset:
    """Batches of augmented crops. The same arguments give the same batches.

    Args:
        dataset: a sequence of `FlowSample` with known flow, or a `Mixture` of such. Files of the
            published data sets are read by TensorFlow; other sequences by a Python call per sample.
        batch_size: pairs per batch, over all workers.
        crop: (height, width), at most the size of any sample; or None for whole samples (all of
            one size, without affine maps).
        augmentation: an `Augmentation`; for a `Mixture`, one for each of its data sets or one for
            all.
        shuffle: a new order in every epoch; otherwise the data set's order.
        seed: whole number.
        repeat: repeat endlessly in full batches; otherwise stop after one epoch, with a smaller
            last batch (not for a `Mixture` with ratios).
        start: number of the first batch, to resume after an interruption.
        share: the worker's `WorkerShare` of each batch; None = all of it.

    Returns:
        `tf.data.Dataset` of ({"image1", "image2"}, flow, valid): images (B, h, w, 3) float32 in
        [0, 1], flow (B, h, w, 2) float32 in pixels, valid (B, h, w) float32, 1 where flow is known.

    Raises:
        ValueError: a bad argument, or an empty data set.
        tf.errors.OpError: while batches are read: an error of the data set, or a sample that is
            smaller than the crop or has no flow.
    """
    import tensorflow as tf

    from tfflow.data.pipeline.decoding import reader
    from tfflow.data.pipeline.order import Order

    share = share or WorkerShare()
    seed = whole_number("seed", seed, least=0)
    if not repeat and getattr(dataset, "ratios", None):
        raise ValueError(
            f"{named(dataset)} has ratios, with which data sets have epochs of their own, so that "
            "there is no one epoch (repeat=False); repeat it, or make the Mixture without ratios"
        )
    order = Order(dataset, shuffle, seed)
    augmentations = _checked(order.datasets, batch_size, crop, augmentation, repeat, start, share)
    readers = [reader(part) for part in order.datasets]

    @tf.autograph.experimental.do_not_convert
    def load(number):
        sample_seed = tf.stack([tf.cast(seed, tf.int64), number])
        part, index = order(number)
        branches = [
            functools.partial(_augmented, data, read, index, crop, change, sample_seed)
            for data, read, change in zip(order.datasets, readers, augmentations)
        ]
        return branches[0]() if len(branches) == 1 else tf.switch_case(part, branches)

    own = batch_size // share.workers
    if repeat:
        # This worker's n-th sample; it has `own` consecutive samples of every batch.
        numbers = tf.data.Dataset.counter(start * own).map(
            lambda n: n // own * batch_size + share.worker * own + n % own
        )
    else:
        numbers = tf.data.Dataset.range(start * batch_size, len(dataset))
    samples = numbers.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    batches = samples.batch(own // share.pieces, drop_remainder=repeat)
    options = tf.data.Options()
    # Workers have their own shares already.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return batches.with_options(options).prefetch(2)


def _augmented(dataset, read, index, crop, augmentation, seed):
    name = named(dataset).encode(errors="replace").decode()  # a folder's need not be Unicode
    return augment(read(index), crop, augmentation, seed, name=name)


def sample_order(dataset, *, seed=0, start=0):
    """The order in which a pipeline that shuffles takes its samples.

    Returns:
        An endless `tf.data.Dataset` of (number of the data set in a mixture, index in it), from
        sample `start` on.
    """
    import tensorflow as tf

    from tfflow.data.pipeline.order import Order

    order = Order(dataset, True, seed)
    return tf.data.Dataset.counter(start).map(tf.autograph.experimental.do_not_convert(order))


def augment(sample, crop, augmentation, seed, name=""):
    """Changes one sample at random, as a TensorFlow graph.

    Args:
        sample: image1, image2 (H, W, 3) uint8, flow (H, W, 2) float32, finite everywhere, valid
            (H, W) float32.
        crop: (height, width), or None for all of it.
        augmentation: an `Augmentation`.
        seed: (2,) int32 or int64.
        name: what to call the data in an error.

    Returns:
        ({"image1", "image2"}, flow, valid) of the crop's size; images float32 in [0, 1].
    """
    import tensorflow as tf

    from tfflow.data.pipeline import geometric
    from tfflow.data.pipeline.photometric import recolour

    image1, image2, flow, valid = sample
    size = tf.shape(image1)[:2]
    seeds = tf.random.split(seed, 2)
    window = size if crop is None else tf.constant(crop, tf.int32)
    images = tf.stack([image1, image2])
    with tf.control_dependencies([_assert_large_enough(size, window, name)]):
        maps = geometric.random_maps(size, window, augmentation, seeds[0])

    if augmentation.affine is None and augmentation.relative is None:
        images = tf.stack([geometric.crop_exactly(images[i], maps, window) for i in (0, 1)])
        images = recolour(images, augmentation.colour, seeds[1])
        signs = tf.cast(tf.linalg.diag_part(maps.first)[:2], tf.float32)
        flow = geometric.crop_exactly(flow, maps, window) * signs
        valid = geometric.crop_exactly(valid, maps, window)
    else:
        # As published, colours change before the maps mix pixels, but only in the part that the
        # crop shows: contrast is relative to its mean, not to the whole image's.
        box = geometric.source_box(maps, window, size)
        top, left, height, width = tf.unstack(box)
        images = images[:, top : top + height, left : left + width]
        images = recolour(images, augmentation.colour, seeds[1])
        inner = geometric.within_box(maps, box)
        images = [
            geometric.transform_image(images[i], to_crop, window) for i, to_crop in enumerate(inner)
        ]
        flow = flow[top : top + height, left : left + width]
        valid = valid[top : top + height, left : left + width]
        flow, valid = geometric.transform_flow(flow, valid, inner, window)

    size = (None, None) if crop is None else crop
    image1, image2 = (tf.ensure_shape(images[i], (*size, 3)) for i in (0, 1))
    flow, valid = tf.ensure_shape(flow, (*size, 2)), tf.ensure_shape(valid, size)
    return {"image1": image1, "image2": image2}, flow, valid


def _assert_large_enough(size, window, name):
    import tensorflow as tf

    return tf.debugging.Assert(
        tf.reduce_all(size >= window),
        [f"a sample of {name} is smaller than the crop; (height, width) of both:", size, window],
        summarize=2,
    )


def _checked(datasets, batch_size, crop, augmentation, repeat, start, share):
    """Raises ValueError for bad arguments; returns the augmentation of each data set."""
    for dataset in datasets:
        if len(dataset) == 0:
            raise ValueError(f"{named(dataset)} is empty: there is nothing to train on")
    whole_number("batch_size", batch_size)
    whole_number("start", start, least=0)
    if crop is not None:
        if np.shape(crop) != (2,):
            raise ValueError(f"crop must be (height, width), got {crop!r}")
        for side in crop:
            whole_number("a side of crop", side)
    if not 0 <= share.worker < share.workers or share.pieces < 1:
        raise ValueError(
            f"expected a worker from 0 to workers - 1 and a piece or more, got {share}"
        )
    if batch_size % (share.workers * share.pieces):
        raise ValueError(
            f"a batch of {batch_size} can't be shared evenly by {share.workers} workers with "
            f"{share.pieces} devices each: choose a multiple of {share.workers * share.pieces}"
        )
    if not repeat and (share.workers, share.pieces) != (1, 1):
        raise ValueError("one epoch (repeat=False) can't be shared by workers; repeat it")
    augmentations = augmentation if isinstance(augmentation, (list, tuple)) else [augmentation]
    if len(augmentations) == 1:
        augmentations = [*augmentations] * len(datasets)
    if len(augmentations) != len(datasets):
        raise ValueError(
            f"expected an augmentation for each of {len(datasets)} data sets, or one for all; got "
            f"{len(augmentations)}"
        )
    for each in augmentations:
        if not isinstance(each, settings.Augmentation):
            raise ValueError(f"expected an Augmentation, got {each!r}")
        if crop is None and (each.affine or each.relative):
            raise ValueError("affine maps need a crop: give crop=(height, width)")
    return augmentations
