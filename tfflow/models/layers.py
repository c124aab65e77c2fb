"""Layers that the published networks share: torch's convolutions, upsampling with fixed taps."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from tfflow.ops import native, upsample_transposed

LEAKY_SLOPE = 0.1


def checked_width(width):
    """A multiplier of the number of channels; ValueError unless it is above 0 and at most 4."""
    if not 0 < width <= 4:
        raise ValueError(f"width must be above 0 and at most 4 (usually 0.5 to 1), not {width}.")
    return width


def leaky_relu(x):
    """Leaky ReLU with the slope of all networks here, 0.1."""
    return ops.leaky_relu(x, LEAKY_SLOPE)


class Block(layers.Layer):
    """A part of a network that makes its layers in ``__init__`` and calls them in ``call``.

    Its inputs keep their dtype, even in mixed precision: flow stays in float32, and convolutions
    cast their own inputs.
    """

    def __init__(self, name=None):
        super().__init__(name=name, autocast=False)

    # The layers build themselves when the network calls them first, in FlowModel.build. Without
    # this method, Keras would trace every part once more to find that out.
    def build(self, *args, **kwargs):
        pass


class Convolution(layers.Conv2D):
    """A convolution with leaky ReLU (0.1), padded as in torch and Caffe: k // 2 on every side.

    TensorFlow's "same" pads an even image at stride 2 on one side only, which shifts every feature
    by half a pixel, more with every level.

    Args:
        filters: Output channels.
        kernel_size: Odd number, or (height, width) of odd numbers.
        strides: Stride.
        dilation: Distance of the filter's taps.
        linear: Leave out the activation: for flow and distances, whose values have both signs.
        initializer: Of the kernel; None for :func:`he_normal`.
        dtype: Precision; None for Keras's policy.
        name: Name of the layer.
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        *,
        dilation=1,
        linear=False,
        initializer=None,
        dtype=None,
        name=None,
    ):
        super().__init__(
            filters,
            kernel_size,
            strides=strides,
            dilation_rate=dilation,
            padding="same" if strides == 1 else "valid",
            data_format="channels_last",
            activation=None if linear else leaky_relu,
            kernel_initializer=initializer or he_normal(),
            dtype=dtype,
            name=name,
        )
        self.linear = linear

    # Rounds its values in training as an int8 file does: see tfflow.tflite.prepare_for_int8.
    rounding: Any = None

    def call(self, x, training=None):
        if self.padding == "valid":
            vertical, horizontal = (side // 2 for side in self.kernel_size)
            x = ops.pad(x, ((0, 0), (vertical, vertical), (horizontal, horizontal), (0, 0)))
        rounding = self.rounding
        if rounding is None or not training:
            return super().call(x)
        x = self.convolution_op(rounding(x), rounding.of_kernel(self.kernel)) + self.bias
        x = rounding(x)
        return x if self.linear else rounding(self.activation(x))

    def convolution_op(self, inputs, kernel):
        odd = all(side % 2 for side in self.kernel_size)
        if self.padding == "same" and odd and set(self.dilation_rate) == {1}:
            result = native.convolution(inputs, kernel)
            if result is not None:
                return result
        return super().convolution_op(inputs, kernel)

    def compute_output_shape(self, input_shape):
        batch, *size, _ = input_shape
        # Padded by k // 2, ⌈side / stride⌉ outputs.
        size = [None if n is None else -(-n // s) for n, s in zip(size, self.strides)]
        return (batch, *size, self.filters)


class TransposedConvolution(layers.Conv2DTranspose):
    """Doubles the size by a learned 4x4 convolution with leaky ReLU; padding 1, as in torch.

    Args:
        filters: Output channels.
        linear: Leave out the activation.
        use_bias: Add a bias.
        initializer: Of the kernel; None for :func:`he_normal`.
        dtype: Precision; None for Keras's policy.
        name: Name of the layer.
    """

    def __init__(
        self, filters, *, linear=False, use_bias=True, initializer=None, dtype=None, name=None
    ):
        super().__init__(
            filters,
            4,
            strides=2,
            padding="same",
            data_format="channels_last",
            use_bias=use_bias,
            activation=None if linear else leaky_relu,
            kernel_initializer=initializer or he_normal(),
            dtype=dtype,
            name=name,
        )


def he_normal(slope=0.0):
    """Kaiming's normal initialisation over the fan-in, for a leaky ReLU of this slope.

    With slope 0 it is Caffe's "msra".
    """
    return keras.initializers.VarianceScaling(
        2.0 / (1.0 + slope**2), mode="fan_in", distribution="untruncated_normal"
    )


class FixedUpsampling(layers.Layer):
    """Doubles the size by 4x4 taps per channel, which are stored but never trained.

    Args:
        taps: ``"bilinear"``: as Caffe's filler makes them; ``"mmflow"``: as mmflow makes them. Its
            row index is divided without rounding, so that the vertical taps slide within a row:
            they are not symmetric, one is negative, and a quarter of the outputs lose a sixteenth
            of their value. Its networks are trained with that.
        name: Name of the layer.
    """

    def __init__(self, taps, name=None):
        super().__init__(name=name, autocast=False)
        if taps not in TAPS:
            raise ValueError(f"taps must be one of {tuple(TAPS)}; got {taps!r}.")
        self.taps = taps

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel",
            shape=(4, 4, input_shape[-1]),
            initializer=lambda shape, dtype: ops.convert_to_tensor(
                np.broadcast_to(TAPS[self.taps][..., None], shape), dtype=dtype
            ),
            trainable=False,
        )

    def call(self, x):
        return upsample_transposed(x, ops.cast(self.kernel, x.dtype))


def _mmflow_taps():
    row, column = np.mgrid[0:4, 0:4]
    return (1 - np.abs(column / 2 - 0.75)) * (1 - np.abs((row + column / 4) / 2 - 0.75))


TAPS = {"bilinear": np.outer([0.25, 0.75, 0.75, 0.25], [0.25, 0.75, 0.75, 0.25])}
TAPS["mmflow"] = _mmflow_taps()
