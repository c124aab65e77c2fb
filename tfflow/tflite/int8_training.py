"""Quantisation-aware training: a network learns with the rounding of its int8 file.

Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", CVPR 2018.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tfflow.models.flow_model import FlowModel
from tfflow.models.layers import Convolution
from tfflow.tflite.calibration import (
    Pairs,
    check_outliers,
    image_pairs,
    open_calibration,
    range_of,
)
from tfflow.tflite.conversion import multiple_size
from tfflow.tflite.layers import choose_layers, layer_name
from tfflow.types import PathLike

# Convolutions that predict flow and gates stay in float in the file: see quantization.flow_heads.
HEAD_CHANNELS = 4

# Layer's name -> what is rounded -> (low, high).
Ranges = dict[str, dict[str, tuple[float, float]]]


def prepare_for_int8(
    model: FlowModel,
    *,
    size: tuple[int, int] = (384, 512),
    calibration: Pairs | PathLike | None = None,
    outliers: float | None = None,
    keep_float: Sequence[str] | None = None,
) -> Ranges:
    """Lets a network train with the rounding of its int8 file, so that it loses less by it.

    From then on, in training alone, its convolutions round inputs, kernels, sums and results to
    256 steps; gradients pass as if they did not (0 outside of a range). Predictions, the saved
    network and its exported files know nothing of it. A few thousand steps at a low learning rate
    are enough for a network that is trained already.

    What predicts flow stays in float, as in the file, and so do transposed and separable
    convolutions.

    Args:
        model: The network. It must be trained already: the ranges are those of its values now.
        size, calibration, outliers, keep_float: As for :func:`tfflow.tflite.export`; the file
            should get the same.

    Returns:
        The ranges, for :func:`round_within`: a dict, name of a layer -> ``inputs``, ``sums``
        and ``results`` -> (low, high).

    Raises:
        TypeError, ValueError: As ``export``; and if the network has no convolution to round.

    Example:
        >>> tfflow.tflite.prepare_for_int8(model, calibration=pairs)
        >>> model.fit(batches, steps_per_epoch=500, epochs=4, shuffle=False)
        >>> tfflow.tflite.export(model, "mine.tflite", quantization="int8", calibration=pairs)
    """
    size = multiple_size(model, size)
    outliers = check_outliers(outliers)
    layers = _layers(model)
    kept = choose_layers(keep_float, list(layers), "keep_float") if keep_float else []
    observers = {name: _Observer(outliers) for name in layers if name not in kept}
    if not observers:
        raise ValueError(
            f"{model.name} has no convolution to be rounded: expected some of class "
            "tfflow.models.layers.Convolution that keep_float does not name."
        )
    calibration = open_calibration(calibration, size)
    try:
        for name, observer in observers.items():
            layers[name].rounding = observer
        for image1, image2 in image_pairs(calibration, size):
            model({"image1": image1, "image2": image2}, training=False)
    finally:
        for name in observers:
            layers[name].rounding = None
    ranges = {name: observer.ranges for name, observer in observers.items()}
    if not any(ranges.values()):
        raise ValueError("calibration holds no image pair.")
    round_within(model, ranges)
    return ranges


def round_within(model: FlowModel, ranges: Ranges) -> None:
    """As :func:`prepare_for_int8`, with the ranges that it gave, for a network of the same layers.

    A run that goes on takes those that it began with.

    Raises:
        ValueError: If the network has no layer of one of the names.
    """
    layers = _layers(model)
    unknown = sorted(ranges.keys() - layers.keys())
    if unknown:
        raise ValueError(f"{model.name} has no layer {unknown[0]}; it has {', '.join(layers)}.")
    for name, layer in layers.items():
        layer.rounding = _Rounding(ranges[name]) if name in ranges else None
    model.train_function = None  # which was traced without


class _Rounding:
    """Rounds what a convolution takes and gives to the 256 steps of its ranges."""

    in_inference = False

    def __init__(self, ranges):
        self.ranges = ranges

    def __call__(self, what, values):
        low, high = self.ranges[what]
        # Zero is a step, as in the file.
        return _rounded(values, np.float32(min(low, 0.0)), np.float32(max(high, 0.0)))

    def kernel(self, kernel):
        """Steps of its own for each output channel, the same for both signs."""
        largest = ops.max(ops.abs(kernel), axis=(0, 1, 2))
        largest = ops.stop_gradient(ops.maximum(largest, 1e-6))
        return _rounded(kernel, -largest, largest, narrow_range=True, axis=-1)


class _Observer:
    """Rounds nothing, and notes between what values everything lies."""

    in_inference = True

    def __init__(self, outliers):
        self.outliers, self.ranges = outliers, {}

    def __call__(self, what, values):
        found = range_of(ops.convert_to_numpy(ops.cast(values, "float32")), self.outliers)
        low, high = self.ranges.get(what, found)
        self.ranges[what] = min(low, found[0]), max(high, found[1])
        return values

    def kernel(self, kernel):
        return kernel


def _rounded(values: Any, low: Any, high: Any, **settings: Any) -> Any:
    return keras.quantizers.fake_quant_with_min_max_vars(values, low, high, num_bits=8, **settings)


def _layers(model):
    """Name -> layer, of the convolutions that an int8 file rounds."""
    return {
        layer_name(layer, model): layer
        for layer in model._flatten_layers(include_self=False)
        if isinstance(layer, Convolution) and not (layer.linear and layer.filters <= HEAD_CHANNELS)
    }
