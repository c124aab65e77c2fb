"""``tfa.image``: sampling of images at flows and points."""

from typing import Literal

import keras
from keras import ops

from tfflow.addons.shapes import of_shape
from tfflow.ops import warp
from tfflow.ops.arguments import full_precision, may_equal
from tfflow.ops.warp import mean_of_neighbours, neighbours
from tfflow.types import Tensor


def dense_image_warp(image: Tensor, flow: Tensor, name: str | None = None) -> Tensor:
    """Samples ``image`` at p - flow(p), bilinearly: output[b, j, i] = image[b, j - v, i - u].

    The sign and the order of the components differ from those of optical flow: channel 0 of
    ``flow`` is v, downwards, and it is subtracted. With (u, v) from image1 to image2, image1 is
    dense_image_warp(image2, -flow[..., ::-1]), or
    ``tfflow.ops.warp(image2, flow, padding="border")``. Outside of the image, its border repeats.

    Args:
        image: (B, H, W, C), floating point.
        flow: (B, H, W, 2), floating point, in pixels; not necessarily of the image's dtype.
        name: Name of the operations' scope, or None.

    Returns:
        (B, H, W, C) in the image's dtype. NaN where the flow is NaN.

    Raises:
        TypeError: If an input is not floating point.
        ValueError: If the shapes are wrong.

    Source: the documentation and the behaviour of ``tfa.image.dense_image_warp`` 0.23.0.
    """
    return DenseImageWarp(name=name).apply(image, flow)


def interpolate_bilinear(
    grid: Tensor,
    query_points: Tensor,
    indexing: Literal["ij", "xy"] = "ij",
    name: str | None = None,
) -> Tensor:
    """Samples each grid of a batch at points of its own, bilinearly.

    Args:
        grid: (B, H, W, C), floating point; each H and W 1 or more.
        query_points: (B, N, 2), or (1, N, 2) for the same points in all grids; floating point, in
            pixels, the first one's centre being (0, 0). Outside of the grid, its border repeats.
        indexing: "ij" for points (row, column), "xy" for (x, y).
        name: Name of the operations' scope, or None.

    Returns:
        (B, N, C) in the grid's dtype. NaN where a coordinate is NaN.

    Raises:
        TypeError: If an input is not floating point.
        ValueError: If the shapes are wrong, or ``indexing`` is unknown.

    Source: the documentation and the behaviour of ``tfa.image.interpolate_bilinear`` 0.23.0.
    """
    return InterpolateBilinear(indexing, name=name).apply(grid, query_points)


def _concrete(function):
    def get_concrete_function(*args, **kwargs):
        """Like that of a ``tf.function``, as in TensorFlow Addons."""
        import tensorflow as tf

        return tf.function(function).get_concrete_function(*args, **kwargs)

    return get_concrete_function


# tf.function takes a function with this attribute for its own; it traces a plain one. For
# mypy, functions have no attributes.
dense_image_warp.get_concrete_function = _concrete(  # type: ignore[attr-defined]
    lambda image, flow, name=None: dense_image_warp(image, flow, name)
)
interpolate_bilinear.get_concrete_function = _concrete(  # type: ignore[attr-defined]
    lambda grid, query_points, indexing="ij", name=None: interpolate_bilinear(
        grid, query_points, indexing, name
    )
)


class _Sampling(keras.Operation):
    """A function of two tensors; may also be a node of a functional model, saved with it."""

    def apply(self, sampled, where):
        """The result for tensors, or a symbolic one for symbolic tensors."""
        if isinstance(sampled, keras.KerasTensor) or isinstance(where, keras.KerasTensor):
            return self.symbolic_call(sampled, where)
        with keras.name_scope(self.name):
            return self.call(sampled, where)


@keras.saving.register_keras_serializable(package="tfflow")
class DenseImageWarp(_Sampling):
    """:func:`dense_image_warp` in a model."""

    def call(self, image, flow):
        image = of_shape(ops.convert_to_tensor(image), (None, None, None, None))
        flow = of_shape(ops.convert_to_tensor(flow), (None, None, None, 2))
        self.compute_output_spec(image, flow)  # checks them
        return warp(image, -ops.flip(flow, axis=-1), padding="border")

    def compute_output_spec(self, image, flow):
        shapes = tuple(image.shape), tuple(flow.shape)
        fit = all(len(shape) == 4 for shape in shapes) and shapes[1][3] in (2, None)
        if not fit or not all(map(may_equal, shapes[0][:3], shapes[1][:3])):
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
        grid = of_shape(ops.convert_to_tensor(grid), (None, None, None, None))
        points = of_shape(ops.convert_to_tensor(query_points), (None, None, 2))
        self.compute_output_spec(grid, points)  # checks them
        points = full_precision(points)
        if self.indexing == "xy":
            points = ops.flip(points, axis=-1)
        batch, height, width, channels = ops.shape(grid)
        rows, columns = (
            neighbours(points[..., axis], size)[:3] for axis, size in enumerate((height, width))
        )
        first = ops.arange(batch, dtype="int32")[:, None] * (height * width)
        return mean_of_neighbours(ops.reshape(grid, (-1, channels)), first, width, rows, columns)

    def compute_output_spec(self, grid, query_points):
        shape, points = tuple(grid.shape), tuple(query_points.shape)
        fit = len(shape) == 4 and len(points) == 3 and points[2] in (2, None)
        if not fit or not (points[0] == 1 or may_equal(shape[0], points[0])):
            raise ValueError(
                "interpolate_bilinear expects a grid (B, H, W, C) and points (B, N, 2) or "
                f"(1, N, 2); got {shape} and {points}."
            )
        _check_floating("interpolate_bilinear", grid, query_points)
        return keras.KerasTensor((shape[0], points[1], shape[3]), dtype=grid.dtype)


def _check_floating(who, *tensors):
    for dtype in (keras.backend.standardize_dtype(x.dtype) for x in tensors):
        if not keras.backend.is_float_dtype(dtype):
            raise TypeError(
                f"{who} expects floating-point tensors; got {dtype}. Cast it: "
                'keras.ops.cast(x, "float32").'
            )
