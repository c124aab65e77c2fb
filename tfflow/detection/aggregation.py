"""Flow-guided aggregation: joins earlier key frames' features with the new one's."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from tfflow.types import Tensor

_FRESH = float(np.log(9.0))  # sigmoid gives 0.9


@keras.saving.register_keras_serializable("tfflow")
class FlowGuidedGRU(layers.Layer):
    """A convolutional GRU, applied on key frames ("…for Mobiles", arXiv 1804.05830).

    With F the new key frame's features and P the earlier ones, propagated to it by the flow::

        z = sigmoid(Wz * F + Uz * P + bz)
        r = sigmoid(Wr * F + Ur * P + br)
        result = (1 - z) P + z relu(Wh * F + Uh * (r P) + bh)

    It differs from a plain GRU in its 3x3 convolutions, in ReLU in place of tanh, and in that the
    state is first warped to the new frame along the flow. The result has no negative values where P
    has none. Call it with (new, propagated), both (B, h, w, C); the result is (B, h, w, C).

    Freshly initialised, it gives 0.9 F + 0.1 P and a little noise: Wh is the identity, and the bias
    alone gives z = 0.9. So it does not disturb a detector that was trained on images.

    Args:
        kernel_size: Side of the convolutions' kernels, odd.
        kernel_initializer: Of all kernels; the identity is added to Wh.
        **kwargs: ``name``, ``dtype``, as for every Keras layer.

    Raises:
        ValueError: If the two inputs of a call differ in shape.
    """

    def __init__(self, kernel_size: int = 3, kernel_initializer: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd and at least 1; got {kernel_size!r}.")
        self.kernel_size = kernel_size
        if kernel_initializer is None:
            kernel_initializer = keras.initializers.RandomNormal(stddev=0.003)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(
        self,
        new_shape: tuple[Any, ...],
        propagated_shape: tuple[Any, ...] | None = None,
    ) -> None:
        channels = new_shape[-1]

        def convolution(filters, name, initializer=self.kernel_initializer, **options):
            made = layers.Conv2D(
                filters,
                self.kernel_size,
                padding="same",
                data_format="channels_last",
                kernel_initializer=initializer,
                dtype=self.dtype_policy,
                name=name,
                **options,
            )
            made.build((None, None, None, channels))
            return made

        def fresh_kernel(shape, dtype=None):
            middle = self.kernel_size // 2
            identity = np.zeros(shape, np.float32)
            identity[middle, middle, :, 2 * channels :] = np.eye(channels)
            return self.kernel_initializer(shape, dtype=dtype) + ops.cast(identity, dtype)

        def fresh_bias(shape, dtype=None):
            return ops.cast(np.repeat(np.float32([_FRESH, 0, 0]), channels), dtype)

        # Kernels on the same input are one convolution: Wz, Wr, Wh with the biases, and Uz, Ur.
        self.of_new = convolution(3 * channels, "of_new", fresh_kernel, bias_initializer=fresh_bias)
        self.of_propagated = convolution(2 * channels, "of_propagated", use_bias=False)
        self.of_reset = convolution(channels, "of_reset", use_bias=False)

    def call(self, new: Tensor, propagated: Tensor) -> Tensor:
        if tuple(new.shape) != tuple(propagated.shape):
            raise ValueError(
                f"{self.name} expects the new and the propagated features in one shape; got "
                f"{tuple(new.shape)} and {tuple(propagated.shape)}."
            )
        new_z, new_r, new_h = ops.split(self.of_new(new), 3, axis=-1)
        propagated_z, propagated_r = ops.split(self.of_propagated(propagated), 2, axis=-1)
        update = ops.sigmoid(new_z + propagated_z)
        reset = ops.sigmoid(new_r + propagated_r)
        candidate = ops.relu(new_h + self.of_reset(reset * propagated))
        return (1.0 - update) * propagated + update * candidate

    def compute_output_shape(
        self,
        new_shape: tuple[Any, ...],
        propagated_shape: tuple[Any, ...] | None = None,
    ) -> tuple[Any, ...]:
        return tuple(new_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
