"""What values the tensors of a network take: its ranges over example images, for int8."""

import itertools

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tfflow.models.prediction import ImagePair
from tfflow.tflite.graph import Graph

# The share of a tensor's values that may lie outside its range at either end. A few outliers would
# widen the steps for all others: clipping them halved the int8 Light Flow's distance from Keras.
OUTLIERS = 3e-4
# More pairs change no range by much, and an endless data set must end somewhere.
MAX_PAIRS = 50
SYNTHETIC_PAIRS = 24


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
    from tfflow.data.synthetic import render, sample_scene

    # A pool of a quarter of the usual size is drawn in two seconds and varied enough.
    config = SceneConfig(height=size[0], width=size[1], textures=24, shapes=48)
    samples = []
    for index in range(number):
        scene = render(sample_scene(config, seed, index))
        valid = np.ones(size, bool)
        name = f"synthetic {seed}-{index}"
        samples.append(FlowSample(*scene.images, scene.flows[0], valid, name))
    return samples


def measure_ranges(content, pairs, size):
    """The range of every computed tensor over the calibration pairs.

    Of each pair, the largest and smallest :data:`OUTLIERS` are left out; of the pairs, none.

    Args:
        content: A float32 .tflite file's bytes.
        pairs: Iterable of pairs (:func:`as_pair`); resized as ``predict_flow`` does. At most
            :data:`MAX_PAIRS` are used.
        size: (height, width) of the file's inputs.

    Returns:
        A dict: tensor name -> (min, max).

    Raises:
        ValueError: If there is no pair, or one is not an image pair.
    """
    feeds = ({"image1": a, "image2": b} for a, b in image_pairs(pairs, size))
    return ranges_over(content, feeds)


def image_pairs(pairs, size):
    """The calibration's images as a file takes them, two of (1, H, W, 3) float32 at a time."""
    for item in itertools.islice(pairs, MAX_PAIRS):
        pair = ImagePair(*as_pair(item), size=size)
        for image1, image2 in zip(pair.image1, pair.image2):
            yield image1[None], image2[None]


def ranges_over(content, feeds):
    """The same for any float32 file, over dicts of its inputs, name -> array."""
    graph = Graph(content)
    # Without a delegate every tensor can be read after the run.
    interpreter = Interpreter(
        model_content=content,
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
                found = _range(values.ravel())
                low, high = ranges.get(graph.tensor_name(number), found)
                ranges[graph.tensor_name(number)] = min(low, found[0]), max(high, found[1])
    if not ranges:
        raise ValueError(
            "calibration holds no pair; expected some (image1, image2), better dozens. Leave it "
            "out to calibrate on synthetic scenes."
        )
    # Images are known to be in [0, 1]: then 1/255 is the step, and uint8 images lose nothing.
    for name in {"image", "image1", "image2"} & set(inputs):
        ranges[name] = (0.0, 1.0)
    return ranges


def _range(values):
    """(low, high) that hold all values but the outliers."""
    outside = int(OUTLIERS * values.size)
    ordered = np.partition(values, (outside, values.size - 1 - outside))
    return float(ordered[outside]), float(ordered[-1 - outside])
