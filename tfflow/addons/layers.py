"""``tfa.layers``: FlowNet's cost volume."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, get_args

import keras
from keras import ops

from tfflow.checks import whole_number
from tfflow.ops import correlation
from tfflow.ops.arguments import may_equal
from tfflow.types import Tensor

DataFormat: TypeAlias = Literal["channels_last", "channels_first"]
DATA_FORMATS = get_args(DataFormat)


# Addons saved its layers as "Addons>…": models with them load here.
@keras.saving.register_keras_serializable(package="Addons")
class CorrelationCost(keras.layers.Layer):
    """FlowNet's cost volume: mean products of two maps' patches, for every displacement.

    Takes a list of two feature maps [a, b], (B, H, W, C) or (B, C, H, W), which count as zero
    outside, and gives (B, H', W', D²) or (B, D², H', W') in the layer's dtype, where::

        D = 2 · (max_displacement // stride_2) + 1
        H' = ceil((H + 2 · pad - 2 · max_displacement - (kernel_size - 1)) / stride_1)

    With border = max_displacement + (kernel_size - 1) / 2, the value at (y, x) for displacement
    (dy, dx) is the mean over the channels and the kernel_size² pixels of the patches around
    p = ((y, x) - pad) · stride_1 + border in ``a`` and p + (dy, dx) in ``b``. Displacements are
    multiples of stride_2 in pixels, dy varying slowest, each from the most negative up.

    ``pad = border`` and ``stride_1 = 1`` keep the size of the maps. With a stride the padding
    counts in strides, as in Addons' CPU kernel, so that the output begins outside of the maps;
    ``tfflow.ops.correlation`` begins at their first pixel.

    Args:
        kernel_size: Side of the patches in pixels, odd.
        max_displacement: Largest displacement in pixels, 0 or more. What is beyond its last
            multiple of stride_2 only makes the output smaller.
        stride_1: Step between positions, pixels.
        stride_2: Step between displacements, pixels.
        pad: Rows and columns of zeros around both maps, 0 or more.
        data_format: "channels_last" or "channels_first".
        **kwargs: name, dtype and trainable, as for every layer.

    Raises:
        ValueError: If an argument is invalid; when called, if the input is not two maps of four
            dimensions and one shape, or they are too small for the displacement.

    Source: FlowNet (Dosovitskiy et al., 2015), section 3; the arguments, the layouts and the
    division by the patch's size are those of ``tfa.layers.CorrelationCost`` 0.23.0.
    """

    def __init__(
        self,
        kernel_size: int,
        max_displacement: int,
        stride_1: int,
        stride_2: int,
        pad: int,
        data_format: DataFormat,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kernel_size = whole_number("kernel_size", kernel_size, 1)
        self.max_displacement = whole_number("max_displacement", max_displacement, 0)
        self.stride_1 = whole_number("stride_1", stride_1, 1)
        self.stride_2 = whole_number("stride_2", stride_2, 1)
        self.pad = whole_number("pad", pad, 0)
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd; got {kernel_size}.")
        if data_format not in DATA_FORMATS:
            raise ValueError(f"data_format must be one of {DATA_FORMATS}; got {data_format!r}.")
        self.data_format = data_format

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """The cost volume of [a, b]; see the class."""
        a, b = _two(inputs)
        self.compute_output_shape([a.shape, b.shape])  # checks them
        if self.data_format == "channels_first":
            a, b = (ops.transpose(x, (0, 2, 3, 1)) for x in (a, b))
        cost = self._cost(a, b)
        return ops.transpose(cost, (0, 3, 1, 2)) if self.data_format == "channels_first" else cost

    def _cost(self, a, b):
        """(B, H, W, C) twice -> (B, H', W', D²)."""
        # How far the output reaches beyond the maps, or ends within them, on either side.
        front = self.pad * self.stride_1 - self.max_displacement
        back = self.pad * (2 - self.stride_1) - self.max_displacement
        zeros = (max(front, 0), max(back, 0))
        if any(zeros):
            a, b = (ops.pad(x, ((0, 0), zeros, zeros, (0, 0))) for x in (a, b))
        # Patches of one pixel on the whole of the maps need nothing else.
        plain = self.kernel_size == 1 and front >= 0 and back >= 0
        cost = correlation(
            a,
            b,
            self.max_displacement // self.stride_2 * self.stride_2,
            stride=self.stride_1 if plain else 1,
            displacement_stride=self.stride_2,
            normalize=True,
        )
        if plain:
            return cost
        kept = slice(max(-front, 0), min(back, 0) or None)
        # The products of two patches are the products of their pixels, averaged over the patch.
        return ops.average_pool(
            cost[:, kept, kept],
            self.kernel_size,
            strides=self.stride_1,
            padding="valid",
            data_format="channels_last",
        )

    def compute_output_shape(
        self, input_shape: Sequence[Sequence[int | None]]
    ) -> tuple[int | None, ...]:
        """The output's shape for those of [a, b]; None where it is not known yet.

        Raises:
            ValueError: If the shapes don't match, or are too small for the displacement.
        """
        a, b = (tuple(shape) for shape in _two(input_shape))
        order = "(B, H, W, C)" if self.data_format == "channels_last" else "(B, C, H, W)"
        if len(a) != 4 or len(b) != 4 or not all(map(may_equal, a, b)):
            raise ValueError(
                f"CorrelationCost expects two feature maps of one shape {order}; got {a} and {b}."
            )
        first = 1 if self.data_format == "channels_last" else 2
        lost = 2 * self.max_displacement + self.kernel_size - 1 - 2 * self.pad
        for size in a[first : first + 2]:
            if size is not None and size <= lost:
                raise ValueError(
                    f"Displacements of {self.max_displacement} and a kernel of {self.kernel_size} "
                    f"with pad={self.pad} need maps larger than {lost}; got {a} as {order}. "
                    f"pad={self.max_displacement + self.kernel_size // 2} keeps any size."
                )
        sizes = [
            None if size is None else -(-(size - lost) // self.stride_1)
            for size in a[first : first + 2]
        ]
        channels = (2 * (self.max_displacement // self.stride_2) + 1) ** 2
        if self.data_format == "channels_last":
            return (a[0], *sizes, channels)
        return (a[0], channels, *sizes)

    def get_config(self) -> dict[str, Any]:
        """The arguments that recreate the layer."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "max_displacement": self.max_displacement,
            "stride_1": self.stride_1,
            "stride_2": self.stride_2,
            "pad": self.pad,
            "data_format": self.data_format,
        }


def _two(inputs):
    if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
        found = f"{len(inputs)}" if isinstance(inputs, (list, tuple)) else type(inputs).__name__
        raise ValueError(
            f"CorrelationCost expects a list of two feature maps, layer([a, b]); got {found}."
        )
    return inputs
