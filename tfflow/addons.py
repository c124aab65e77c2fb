"""What optical flow used of TensorFlow Addons, with its signatures, sign conventions and layouts.

TensorFlow Addons 0.23 was its last release and runs up to TensorFlow 2.15. In code that wrote
``import tensorflow_addons as tfa``, the import is all that has to change::

    import tfflow.addons as tfa

    costs = tfa.layers.CorrelationCost(1, 20, 1, 2, 20, "channels_last")([a, b])
    warped = tfa.image.dense_image_warp(image, flow)

docs/from_tensorflow_addons.md says what differs. New code uses ``tfflow.ops``, whose ``warp`` has
the sign of optical flow.
"""

import types

import keras
from keras import ops

from tfflow.ops import correlation, warp

DATA_FORMATS = ("channels_last", "channels_first")


# The layers of Addons were saved as "Addons>…", so that models with them load here.
@keras.saving.register_keras_serializable(package="Addons")
class CorrelationCost(keras.layers.Layer):
    """FlowNet's cost volume: mean products of two maps' patches, for every displacement.

    Takes a list of two feature maps [a, b], (B, H, W, C) or (B, C, H, W), which count as zero
    outside, and gives (B, H', W', D²) or (B, D², H', W') in the layer's dtype, where

        D = 2 · (max_displacement // stride_2) + 1
        H' = ceil((H + 2 · pad - 2 · max_displacement - (kernel_size - 1)) / stride_1)

    With border = max_displacement + (kernel_size - 1) / 2, the value at (y, x) for displacement
    (dy, dx) is the mean over the channels and the kernel_size² pixels of the patches around
    p = ((y, x) - pad) · stride_1 + border in ``a`` and p + (dy, dx) in ``b``. Displacements are
    multiples of stride_2 in pixels, dy the slow one, each from the most negative up.

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
        **kwargs: name, dtype and trainable, as of every layer.

    Raises:
        ValueError: If an argument is not what it has to be; when called, if the input is not two
            maps of four dimensions and one shape, or they are too small for the displacement.

    Source: FlowNet (Dosovitskiy et al., 2015), section 3; the arguments, the layouts and the
    division by the patch's size are those of ``tfa.layers.CorrelationCost`` 0.23.0.
    """

    def __init__(
        self, kernel_size, max_displacement, stride_1, stride_2, pad, data_format, **kwargs
    ):
        super().__init__(**kwargs)
        least = {
            "kernel_size": (kernel_size, 1),
            "max_displacement": (max_displacement, 0),
            "stride_1": (stride_1, 1),
            "stride_2": (stride_2, 1),
            "pad": (pad, 0),
        }
        for name, (value, smallest) in least.items():
            if not isinstance(value, int) or value < smallest:
                raise ValueError(
                    f"{name} must be a whole number of at least {smallest}; got {value!r}."
                )
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd; got {kernel_size}.")
        if data_format not in DATA_FORMATS:
            raise ValueError(f"data_format must be one of {DATA_FORMATS}; got {data_format!r}.")
        self.kernel_size = kernel_size
        self.max_displacement = max_displacement
        self.stride_1 = stride_1
        self.stride_2 = stride_2
        self.pad = pad
        self.data_format = data_format

    def call(self, inputs):
        """The cost volume of [a, b]; see the class."""
        a, b = _two(inputs)
        self.compute_output_shape([a.shape, b.shape])  # checks them
        if self.data_format == "channels_first":
            a, b = (ops.transpose(x, (0, 2, 3, 1)) for x in (a, b))
        cost = self._cost(a, b)
        return ops.transpose(cost, (0, 3, 1, 2)) if self.data_format == "channels_first" else cost

    def _cost(self, a, b):
        """(B, H, W, C) twice -> (B, H', W', D²)."""
        # What the output reaches beyond the maps, or leaves of them, at either end.
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
            cost[:, kept, kept], self.kernel_size, strides=self.stride_1, padding="valid"
        )

    def compute_output_shape(self, input_shape):
        """The output's shape for those of [a, b]; None where it is not known yet.

        Raises:
            ValueError: If the shapes don't fit each other or the displacement.
        """
        a, b = (tuple(shape) for shape in _two(input_shape))
        order = "(B, H, W, C)" if self.data_format == "channels_last" else "(B, C, H, W)"
        if len(a) != 4 or len(b) != 4 or not all(map(_may_equal, a, b)):
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

    def get_config(self):
        """The arguments, from which the layer can be made again."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "max_displacement": self.max_displacement,
            "stride_1": self.stride_1,
            "stride_2": self.stride_2,
            "pad": self.pad,
            "data_format": self.data_format,
        }


def dense_image_warp(image, flow, name=None):
    """Samples ``image`` at p - flow(p), bilinearly: output[b, j, i] = image[b, j - v, i - u].

    Both the sign and the order of the components are not those of optical flow: channel 0 of
    ``flow`` is v, downwards, and it is subtracted. With (u, v) from image1 to image2, image1 is
    dense_image_warp(image2, -flow[..., ::-1]), or ``tfflow.ops.warp(image2, flow,
    padding="border")``. Outside of the image, its border goes on.

    Args:
        image: (B, H, W, C), floating point.
        flow: (B, H, W, 2), floating point, in pixels; not necessarily of the image's dtype.
        name: Name of the operations' scope, or None.

    Returns:
        (B, H, W, C) in the image's dtype. NaN where the flow is NaN.

    Raises:
        TypeError: If an input is not floating point.
        ValueError: If the shapes are not these.

    Source: the documentation and the behaviour of ``tfa.image.dense_image_warp`` 0.23.0.
    """
    return DenseImageWarp(name=name).apply(image, flow)


def interpolate_bilinear(grid, query_points, indexing="ij", name=None):
    """Samples each grid of a batch at points of its own, bilinearly.

    Args:
        grid: (B, H, W, C), floating point; each H and W 1 or more.
        query_points: (B, N, 2), or (1, N, 2) for the same points in all grids; floating point, in
            pixels, the first one's centre being (0, 0). Outside of the grid, its border goes on.
        indexing: "ij" for points (row, column), "xy" for (x, y).
        name: Name of the operations' scope, or None.

    Returns:
        (B, N, C) in the grid's dtype. NaN where a coordinate is NaN.

    Raises:
        TypeError: If an input is not floating point.
        ValueError: If the shapes are not these, or ``indexing`` is unknown.

    Source: the documentation and the behaviour of ``tfa.image.interpolate_bilinear`` 0.23.0.
    """
    return InterpolateBilinear(indexing, name=name).apply(grid, query_points)


class _Sampling(keras.Operation):
    """A function of two tensors that may also be a node of a functional model, saved with it."""

    def apply(self, sampled, where):
        """The result for tensors, or its place in a model for symbolic ones."""
        if isinstance(sampled, keras.KerasTensor) or isinstance(where, keras.KerasTensor):
            return self.symbolic_call(sampled, where)
        with keras.name_scope(self.name):
            return self.call(sampled, where)


@keras.saving.register_keras_serializable(package="tfflow")
class DenseImageWarp(_Sampling):
    """:func:`dense_image_warp` in a model."""

    def call(self, image, flow):
        image, flow = ops.convert_to_tensor(image), ops.convert_to_tensor(flow)
        self.compute_output_spec(image, flow)  # checks them
        return warp(image, -ops.flip(flow, axis=-1), padding="border")

    def compute_output_spec(self, image, flow):
        shapes = tuple(image.shape), tuple(flow.shape)
        fit = all(len(shape) == 4 for shape in shapes) and shapes[1][3] in (2, None)
        if not fit or not all(map(_may_equal, shapes[0][:3], shapes[1][:3])):
            raise ValueError(
                "dense_image_warp expects an image (B, H, W, C) and a flow (B, H, W, 2) of its "
                f"size; got {shapes[0]} and {shapes[1]}."
            )
        _check_floating("dense_image_warp", image, flow)
        return keras.KerasTensor(image.shape, dtype=image.dtype)


@keras.saving.register_keras_serializable(package="tfflow")
class InterpolateBilinear(_Sampling):
    """:func:`interpolate_bilinear` in a model."""

    def __init__(self, indexing="ij", *, name=None):
        super().__init__(name=name)
        if indexing not in ("ij", "xy"):
            raise ValueError(f"indexing must be 'ij' or 'xy'; got {indexing!r}.")
        self.indexing = indexing

    def call(self, grid, query_points):
        grid, points = ops.convert_to_tensor(grid), ops.convert_to_tensor(query_points)
        self.compute_output_spec(grid, points)  # checks them
        if points.dtype in ("float16", "bfloat16"):
            points = ops.cast(points, "float32")  # half precision ends at pixel 2048
        if self.indexing == "xy":
            points = ops.flip(points, axis=-1)
        batch, height, width, channels = ops.shape(grid)
        top, bottom, downwards = _neighbours(points[..., 0], height)
        left, right, rightwards = _neighbours(points[..., 1], width)

        # One row per pixel: a neighbour is one flat gather.
        pixels = ops.reshape(grid, (-1, channels))
        first = ops.arange(batch, dtype="int32")[:, None] * (height * width)
        values = 0.0
        for rows, vertical in ((top, 1.0 - downwards), (bottom, downwards)):
            for columns, horizontal in ((left, 1.0 - rightwards), (right, rightwards)):
                weight = ops.cast(vertical * horizontal, grid.dtype)[..., None]
                values = values + ops.take(pixels, first + rows * width + columns, axis=0) * weight
        return values

    def compute_output_spec(self, grid, query_points):
        shape, points = tuple(grid.shape), tuple(query_points.shape)
        fit = len(shape) == 4 and len(points) == 3 and points[2] in (2, None)
        if not fit or not (points[0] == 1 or _may_equal(shape[0], points[0])):
            raise ValueError(
                "interpolate_bilinear expects a grid (B, H, W, C) and points (B, N, 2) or "
                f"(1, N, 2); got {shape} and {points}."
            )
        _check_floating("interpolate_bilinear", grid, query_points)
        return keras.KerasTensor((shape[0], points[1], shape[3]), dtype=grid.dtype)


def _neighbours(position, size):
    """Indices of the pixels before and after a position, and its distance to the one before."""
    last = ops.cast(size - 1, position.dtype)
    position = ops.clip(position, 0.0, last)
    before = ops.floor(position)
    # Held as integers once more: what NaN becomes is not defined, and must stay in the grid.
    index = ops.clip(ops.cast(before, "int32"), 0, size - 1)
    return index, ops.minimum(index + 1, size - 1), position - before


def _check_floating(who, *tensors):
    for dtype in (keras.backend.standardize_dtype(x.dtype) for x in tensors):
        if not keras.backend.is_float_dtype(dtype):
            raise TypeError(
                f"{who} expects floating-point tensors; got {dtype}. Cast it: "
                'keras.ops.cast(x, "float32").'
            )


def _may_equal(size1, size2):
    return None in (size1, size2) or size1 == size2


def _two(inputs):
    if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
        found = f"{len(inputs)}" if isinstance(inputs, (list, tuple)) else type(inputs).__name__
        raise ValueError(
            f"CorrelationCost expects a list of two feature maps, layer([a, b]); got {found}."
        )
    return inputs


# Where Addons had them, for code that calls tfa.layers.… and tfa.image.….
layers = types.SimpleNamespace(CorrelationCost=CorrelationCost)
image = types.SimpleNamespace(
    dense_image_warp=dense_image_warp, interpolate_bilinear=interpolate_bilinear
)
