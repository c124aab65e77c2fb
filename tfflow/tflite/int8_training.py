"""Quantisation-aware training: a network learns with the rounding of its int8 file.

Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", CVPR 2018. Ours has no ranges of its own: each batch, or a device's part of one, is
rounded within the smallest and largest of its values, so that nothing is clipped, and wide ranges
cost the network what they cost the file.
"""

from collections.abc import Sequence

import keras
from keras import ops

from tfflow.models.flow_model import FlowModel
from tfflow.models.layers import Convolution
from tfflow.tflite.layers import choose_layers, layer_name, layer_names

# Convolutions that predict flow and gates stay in float in the file (float_selection.flow_heads).
HEAD_CHANNELS = 4


def prepare_for_int8(model: FlowModel, *, keep_float: Sequence[str] | None = None) -> list[str]:
    """Lets a network train with the rounding of its int8 file, so that it loses less by it.

    From then on, in training alone, its convolutions round inputs, kernels, sums and results to
    256 steps; gradients pass as if they did not. Predictions, the saved network and its files
    know nothing of it. A few thousand steps at a low learning rate are enough for a network that is
    trained already.

    What predicts flow stays in float, as in the file, and so do transposed and separable
    convolutions.

    Args:
        model: The network.
        keep_float: Names of layers, or of blocks of layers, that stay in float in the file too, as
            for :func:`tfflow.tflite.export`.

    Returns:
        The names of the layers that round.

    Raises:
        TypeError: If ``model`` is not a ``FlowModel``.
        ValueError: If it has no convolution to round, or no layer of a name in ``keep_float``.

    Example:
        >>> tfflow.tflite.prepare_for_int8(model)
        >>> model.fit(batches, steps_per_epoch=500, epochs=4, shuffle=False)
        >>> tfflow.tflite.export(model, "mine.tflite", quantization="int8", calibration=pairs)
    """
    if not isinstance(model, FlowModel):
        raise TypeError(
            "prepare_for_int8 expects a FlowModel, as tfflow.models.create gives; got "
            f"{type(model).__name__}."
        )
    kept = choose_layers(keep_float, layer_names(model), "keep_float") if keep_float else []
    layers = [
        layer
        for layer in model._flatten_layers(include_self=False)
        if isinstance(layer, Convolution) and not (layer.linear and layer.filters <= HEAD_CHANNELS)
    ]
    rounded = [layer for layer in layers if layer_name(layer, model) not in kept]
    if not rounded:
        raise ValueError(
            f"{model.name} has no convolution to be rounded: expected some of class "
            "tfflow.models.layers.Convolution that keep_float does not name."
        )
    for layer in layers:
        layer.rounding = Rounding() if layer in rounded else None
    model.train_function = None  # which may have been traced before
    return list(dict.fromkeys(layer_name(layer, model) for layer in rounded))


class Rounding:
    """Rounds what a convolution reads and gives to 256 steps between its extremes."""

    def __call__(self, values):
        """Values of a batch, rounded; zero is one of the steps, as in the file."""
        exact = ops.stop_gradient(values)
        low, high = ops.minimum(ops.min(exact), 0.0), ops.maximum(ops.max(exact), 0.0)
        return _rounded(values, low, ops.maximum(high, low + 1e-6))

    def of_kernel(self, kernel):
        """A kernel, rounded in steps of its own for each output channel, alike for both signs."""
        largest = ops.max(ops.abs(ops.stop_gradient(kernel)), axis=(0, 1, 2))
        largest = ops.maximum(largest, 1e-6)
        return _rounded(kernel, -largest, largest, narrow_range=True, axis=-1)


def _rounded(values, low, high, **settings):
    exact = ops.stop_gradient(values)
    rounded = keras.quantizers.fake_quant_with_min_max_vars(exact, low, high, 8, **settings)
    # Its own gradient stops at the outermost values, and on GPUs can't be deterministic.
    return values + ops.stop_gradient(rounded - values)
