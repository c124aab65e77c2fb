"""The two parts of a siamese network, as signatures ``encode`` and ``match`` of an exported file.

Each part is converted and quantised as a file of its own, by the same passes as the whole network;
then all three go into one file, where equal constants are stored once.
"""

import itertools
import re

import keras
from ai_edge_litert.interpreter import Interpreter

from tfflow.models.flow_model import chosen_outputs
from tfflow.tflite.calibration import MAX_PAIRS, image_pairs, ranges_over
from tfflow.tflite.interpreter import of_two_frames
from tfflow.tflite.quantization import CALIBRATED, quantize

ENCODE, MATCH = "encode", "match"


def signatures(model, size, confidence=False):
    """The parts as :func:`tfflow.tflite.conversion.convert_function` takes them.

    Returns:
        A dict: signature -> (function, shapes of its inputs). ``encode`` turns ``image`` into the
        features under their own names; ``match`` takes them as ``features1_…`` and
        ``features2_…`` and gives ``flow``.

    Raises:
        ValueError: If a feature's name is none that TensorFlow takes.
    """
    image = (1, *size, 3)
    features = model.encode(keras.ops.zeros(image), training=False)
    for name in features:
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            raise ValueError(
                f"{model.name} names a feature {name!r}; in a file, names are of letters, digits "
                "and '_'."
            )
    if len({name.lower() for name in features}) < len(features):
        raise ValueError(
            f"{model.name} has features whose names differ in capitals alone, which a file can't "
            f"have: {', '.join(features)}."
        )

    def encode(inputs):
        return model.encode(inputs["image"], training=False)

    def match(inputs):
        first, second = ({name: inputs[f"features{i}_{name}"] for name in features} for i in (1, 2))
        return chosen_outputs(model.match(first, second, training=False), confidence)

    shapes = {name: tuple(each.shape) for name, each in features.items()}
    return {ENCODE: (encode, {"image": image}), MATCH: (match, of_two_frames(shapes, shapes))}


def quantize_parts(parts, quantization, *, size, calibration, outliers=None, **settings):
    """The parts' float32 graphs in another quantization mode, also as a dict; see :func:`quantize`.

    Features stay float32 between the two parts. ``calibration`` is iterated twice.
    """
    ranges = dict.fromkeys(parts)
    if quantization in CALIBRATED:
        ranges = _measure_parts(parts, calibration, size, outliers)
    forms = {ENCODE: quantization, MATCH: quantization}
    if quantization == "int8_uint8":
        forms[MATCH] = "int8"  # it takes no images
    return {
        name: quantize(graph, forms[name], size=size, ranges=ranges[name], **settings)
        for name, graph in parts.items()
    }


def repeatable(calibration):
    """Pairs that can be iterated more than once: as many of an iterator's as needed are kept."""
    if calibration is None or iter(calibration) is not calibration:
        return calibration
    return list(itertools.islice(calibration, MAX_PAIRS))


def _measure_parts(parts, calibration, size, outliers):
    images = ({"image": image} for pair in image_pairs(calibration, size) for image in pair)
    of_encoder = ranges_over(parts[ENCODE], images, outliers)

    encoder = Interpreter(model_content=parts[ENCODE].to_bytes(), num_threads=1)
    encoder.allocate_tensors()
    encode = encoder.get_signature_runner(ENCODE)
    wanted, _ = parts[MATCH].signature()

    def features():
        for pair in image_pairs(calibration, size):
            both = of_two_frames(*(encode(image=image) for image in pair))
            yield {name: both[name] for name in wanted}

    of_matcher = ranges_over(parts[MATCH], features(), outliers)
    # One range for the encoder's features and for both images' features as match takes them.
    for name in wanted:
        feature = name.partition("_")[2]
        if feature not in of_encoder:
            raise ValueError(
                f"The feature {feature} is a constant, or another one under a second name, and has "
                "no int8 range of its own: leave it out of extract, and make it in estimate_from."
            )
        of_matcher[name] = of_encoder[feature]
    return {ENCODE: of_encoder, MATCH: of_matcher}
