"""Calibration for int8: the ranges of a network's tensors over example images."""

import itertools
import math
import numbers
import os
import pathlib
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tfflow.data.datasets.base import FlowSample
from tfflow.models.prediction import ImagePair
from tfflow.types import Array

# Image pairs of any size; see as_pair.
Pairs: TypeAlias = Iterable[Sequence[Array] | FlowSample]

# The share of a tensor's values that may lie outside its range at either end. A few outliers would
# widen the steps for all others: clipping them halved the int8 LightFlow's distance from Keras.
# 0 means minimum and maximum.
OUTLIERS = 1e-3
# The smallest width of a range.
NARROWEST = 1e-3
# About how many values of a larger map are sorted.
SAMPLE = 1 << 16
# More pairs hardly change a range, and an endless data set must end somewhere.
MAX_PAIRS = 50
SYNTHETIC_PAIRS = 24

NO_PAIR = (
    "holds no pair; expected some (image1, image2), better dozens. Leave it out to take synthetic "
    "scenes."
)


def open_calibration(source, size, what="calibration"):
    """The image pairs for a calibration.

    Args:
        source: None, for synthetic scenes; a path; or an iterable of pairs (:func:`as_pair`), which
            is returned unchanged. The path is a video file, whose neighbouring frames are pairs; a
            folder of frames, where neighbours by name are pairs; a folder of named pairs; or a data
            set, as :func:`tfflow.data.open_dataset` takes it. From a path, at most
            :data:`MAX_PAIRS` pairs are taken, spread evenly and read on demand.
        size: (height, width) in pixels of synthetic scenes.
        what: The argument's name, for the messages.

    Returns:
        An iterable of pairs; for a path, one that can be iterated again.

    Raises:
        TypeError: If it is none of these.
        ValueError: If it holds no pair, such as one frame alone; or the file is not a video.
        FileNotFoundError: If there is nothing at the path, or no image in the folder.
        ImportError: If OpenCV (to draw scenes) or PyAV (to read videos) is not installed.
    """
    if source is None:
        return synthetic_samples(size, SYNTHETIC_PAIRS, seed=0)
    if isinstance(source, (str, os.PathLike)):
        return _open_path(source, what)
    try:
        empty = iter(source) is not source and len(source) == 0
    except TypeError:
        if not hasattr(source, "__iter__") and not hasattr(source, "__getitem__"):
            raise TypeError(
                f"{what} must be image pairs, a path to a folder or a video, or None; got "
                f"{type(source).__name__}."
            ) from None
        empty = False  # without a length: only iterating will tell
    if empty:
        raise ValueError(f"{what} {NO_PAIR}")
    return source


def _open_path(source, what):
    from tfflow.data import open_dataset
    from tfflow.data.files.video import VIDEO_EXTENSIONS, VideoPairs

    path = pathlib.Path(source).expanduser()
    if path.suffix.lower() in VIDEO_EXTENSIONS and not path.is_dir():
        return VideoPairs(path, MAX_PAIRS)
    if path.is_file():
        raise ValueError(
            f"{what} must be a folder of images or a video ({', '.join(VIDEO_EXTENSIONS)}); "
            f"got the file {path}."
        )
    dataset = open_dataset(source)
    if not len(dataset):
        raise ValueError(f"{source} {NO_PAIR}")
    return _Spread(dataset, MAX_PAIRS)


class _Spread:
    """At most ``most`` pairs of a data set, spread evenly."""

    def __init__(self, dataset, most):
        count = min(most, len(dataset))
        self.dataset = dataset
        self.indices = [index * len(dataset) // count for index in range(count)]

    def __len__(self):
        return len(self.indices)

    def __iter__(self):
        return (self.dataset[index] for index in self.indices)


def check_outliers(outliers):
    """A share of values as a float, :data:`OUTLIERS` for None.

    Raises:
        ValueError: If it is not a number from 0 up to, but not including, 0.5.
    """
    if outliers is None:
        return OUTLIERS
    try:
        share = float(outliers)
    except (TypeError, ValueError):
        share = -1.0
    if not 0.0 <= share < 0.5:
        raise ValueError(
            "outliers must be the share of values outside the range at either end, from 0 (minimum "
            f"and maximum) to below 0.5; got {outliers!r}."
        )
    return share


def as_pair(item):
    """(image1, image2) of a FlowSample, of a (image1, image2, …) tuple, or of a training example.

    Raises:
        ValueError: If it is none of these.
    """
    if isinstance(item, (tuple, list)) and item and isinstance(item[0], dict):
        item = item[0]  # ({"image1": …, "image2": …}, flow, …), as models are trained on
    if isinstance(item, dict) and {"image1", "image2"} <= set(item):
        return np.asarray(item["image1"]), np.asarray(item["image2"])
    if isinstance(item, (tuple, list)) and len(item) >= 2:
        if isinstance(item[0], (str, os.PathLike)):
            raise ValueError(
                f"A pair must be two images; got the path {os.fspath(item[0])!r}. Read them with "
                "tfflow.data.read_image, or give a folder's path instead of the pairs."
            )
        if isinstance(item[1], numbers.Real):
            raise ValueError(
                f"A pair must be two images; got one and the number {item[1]!r}, as "
                "tfflow.data.read_video gives a frame and its time. Give the video's path instead, "
                "or make pairs of neighbouring frames."
            )
        return np.asarray(item[0]), np.asarray(item[1])
    raise ValueError(
        "A pair must be (image1, image2), a FlowSample, or a dict with image1 and image2; got "
        f"{type(item).__name__}{list(item) if isinstance(item, dict) else ''}."
    )


def synthetic_samples(size, number, seed):
    """Synthetic scenes as :class:`tfflow.data.FlowSample`, for want of other data.

    Raises:
        ImportError: If OpenCV, which draws them, is not installed.
    """
    from tfflow.data import FlowSample, SceneConfig
    from tfflow.data.scenes import render, sample_scene

    # A pool of a quarter of the usual size is drawn in two seconds and varied enough.
    config = SceneConfig(height=size[0], width=size[1], textures=24, shapes=48)
    samples = []
    for index in range(number):
        scene = render(sample_scene(config, seed, index))
        valid = np.ones(size, bool)
        name = f"synthetic {seed}-{index}"
        samples.append(FlowSample(*scene.images, scene.flows[0], valid, name))
    return samples


def measure_ranges(graph, pairs, size, outliers=None):
    """The range of every computed tensor over the calibration pairs.

    Outliers are left out within each pair; no whole pair is left out.

    Args:
        graph: A float32 :class:`Graph`.
        pairs: Iterable of pairs (:func:`as_pair`); resized as ``predict_flow`` does. At most
            :data:`MAX_PAIRS` are used.
        size: (height, width) of the file's inputs.
        outliers: The share of a tensor's values that may lie outside its range at either end; 0 =
            minimum and maximum, None = :data:`OUTLIERS`.

    Returns:
        A dict: tensor name -> (min, max).

    Raises:
        ValueError: If there is no pair, one is not an image pair, or ``outliers`` is not in
            [0, 0.5).
    """
    feeds = ({"image1": a, "image2": b} for a, b in image_pairs(pairs, size))
    return ranges_over(graph, feeds, outliers)


def image_pairs(pairs, size):
    """The calibration's images as a file takes them, two of (1, H, W, 3) float32 at a time."""
    for item in itertools.islice(pairs, MAX_PAIRS):
        pair = ImagePair(*as_pair(item), size=size)
        for image1, image2 in zip(pair.image1, pair.image2):
            yield image1[None], image2[None]


def ranges_over(graph, feeds, outliers=None):
    """As :func:`measure_ranges`, for any float32 graph, over dicts of its inputs, name -> array."""
    outliers = check_outliers(outliers)
    # Without a delegate every tensor can be read after the run.
    interpreter = Interpreter(
        model_content=graph.to_bytes(),
        num_threads=1,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    inputs, _ = graph.signature()
    numbers = {t for op in graph.subgraph.operators for t in op.outputs} | set(inputs.values())
    ranges = {}
    for feed in feeds:
        for name, values in feed.items():
            interpreter.set_tensor(inputs[name], values)
        interpreter.invoke()
        for number in numbers:
            values = interpreter.get_tensor(number)
            if values.dtype == np.float32 and values.size:
                found = _range(values, outliers)
                low, high = ranges.get(graph.tensor_name(number), found)
                ranges[graph.tensor_name(number)] = min(low, found[0]), max(high, found[1])
    if not ranges:
        raise ValueError(f"calibration {NO_PAIR}")
    # Images are known to be in [0, 1]: then 1/255 is the step, and uint8 images lose nothing.
    for name in {"image", "key_image", "image1", "image2"} & set(inputs):
        ranges[name] = (0.0, 1.0)
    return ranges


def _range(values, outliers):
    """(low, high) that hold all values but the share of outliers at either end."""
    values = np.atleast_1d(values)
    if outliers == 0:
        low, high = float(values.min()), float(values.max())
    else:
        # Sorting a whole map took a third of an export's time; a sample shows its ends as well.
        step = max(1, values.size // SAMPLE)
        while math.gcd(step, values.shape[-1]) > 1:  # else some channels would be left out
            step += 1
        sample = values.ravel()[::step]
        outside = int(outliers * sample.size)
        ordered = np.partition(sample, (outside, sample.size - 1 - outside))
        low, high = float(ordered[outside]), float(ordered[-1 - outside])
    # Kernels overflow, or abort, where steps are almost zero, as for dead channels.
    return low, max(high, low + NARROWEST)
