"""Correlation of two feature maps over a square window of displacements: the cost volume."""

import keras
from keras import ops

from tfflow.checks import whole_number
from tfflow.ops import lite, native
from tfflow.ops.arguments import may_equal
from tfflow.types import Tensor


def correlation(
    features1: Tensor,
    features2: Tensor,
    max_displacement: int,
    *,
    stride: int = 1,
    displacement_stride: int = 1,
    normalize: bool = False,
) -> Tensor:
    """Scalar products of ``features1`` at p with ``features2`` at p + d, for every displacement d.

    Shapes: (B, H, W, C) and (B, H, W, C) -> (B, ceil(H / stride), ceil(W / stride), D²), where
    D = 2 · max_displacement / displacement_stride + 1. ``max_displacement`` is in **pixels** of the
    feature map, as in the paper (not in steps, as mmcv counts it).

    Channel k = iy · D + ix belongs to the displacement (dx, dy) with
    dy = -max_displacement + iy · displacement_stride, and dx likewise with ix: the vertical
    displacement varies slowest, as in Caffe, NVIDIA's port and mmcv. ``features2`` counts as zero
    outside.

    Args:
        features1: Feature map of the first image, (B, H, W, C).
        features2: Feature map of the second image, of the same shape.
        max_displacement: Largest displacement in pixels, in each direction.
        stride: Step between the positions of ``features1`` that are correlated (the paper's s1).
        displacement_stride: Step between displacements (the paper's s2).
        normalize: Divide by the number of channels C, as Caffe and NVIDIA do; mmflow's networks
            are trained on the plain sum.

    Returns:
        The cost volume, (B, ceil(H / stride), ceil(W / stride), D²), in the inputs' dtype.

    Raises:
        ValueError: If the maps differ in shape, or an argument is invalid.

    On TensorFlow it may be an operation of this package, unknown to other programs and to XLA. To
    save your own function to a file (SavedModel, ``TFLiteConverter``), or to call a
    ``tf.function`` that was called before from a jit-compiled one, trace it within
    ``tfflow.ops.native.reference_ops()``; Keras's and this package's exports do so by themselves.

    Source: FlowNet (Dosovitskiy et al., 2015), equation 1, with patches of one pixel.

    Example:
        >>> a = keras.random.normal((1, 48, 64, 256))
        >>> correlation(a, a, 20, displacement_stride=2).shape   # FlowNetC
        (1, 48, 64, 441)
    """
    max_displacement = whole_number("max_displacement", max_displacement, 0)
    stride = whole_number("stride", stride, 1)
    step = whole_number("displacement_stride", displacement_stride, 1)
    _check_arguments(features1, features2, max_displacement, step)
    cost = native.correlation(
        features1,
        features2,
        max_displacement,
        stride=stride,
        displacement_stride=step,
        normalize=normalize,
    )
    if cost is not None:
        return cost
    if stride % step == 0:
        # Both maps are only read on one grid of every step-th pixel.
        if step > 1:  # with step 1, LiteRT would copy them
            features1, features2 = (each[:, ::step, ::step, :] for each in (features1, features2))
        cost = _every_displacement(features1, features2, max_displacement // step)
        beyond = stride // step
    else:
        # A pixel is only compared with pixels of its own grid, one of step² interleaved ones.
        height, width = ops.shape(features1)[1:3]
        radius = max_displacement // step
        maps = features1, features2
        if lite.in_lite() and features1.shape[0] == 1:
            # One after the other: six dimensions are more than a phone's GPU takes.
            grids = zip(*(lite.interleaved(each, step) for each in maps), strict=True)
            costs = [_every_displacement(one, other, radius) for one, other in grids]
            cost = lite.interleave(costs, step)[:, :height, :width, :]
        else:
            grids1, grids2 = (_to_grids(each, step) for each in maps)
            cost = _every_displacement(grids1, grids2, radius)
            cost = _from_grids(cost, step, height, width)
        beyond = stride
    if beyond > 1:
        cost = cost[:, ::beyond, ::beyond, :]
    if normalize:
        cost = cost / ops.cast(ops.shape(features1)[-1], cost.dtype)
    return cost


# Pixels of a row that are multiplied at a time. Of tile + 2 · radius products per pixel, 2 · radius
# + 1 are needed: a small tile wastes little, a large one keeps the processor busy. From 8 to 64 the
# time differs by a tenth (2 cores), but the gradient is fastest from 32 on.
TILE = 32


def _every_displacement(features1, features2, radius):
    """The cost volume over all displacements up to ``radius`` pixels, (B, H, W, (2 radius + 1)²).

    One matrix product, (tile, C) times (C, tile + 2 · radius), multiplies a tile of a row with
    every pixel in reach on the other map's row; the needed products are a band of its diagonals.
    That is two to three times faster than a product and a sum for each displacement, and eight
    times in training. LiteRT only runs BATCH_MATMUL, PAD and RESHAPE.
    """
    batch, height, width, channels = ops.shape(features1)
    span = 2 * radius + 1
    tile = lite.TILE if lite.in_lite() else TILE
    tile = max(1, min(tile, width)) if isinstance(width, int) else tile
    # Not -(-width // tile): tf2onnx divides negative numbers towards zero.
    tiles = (width + tile - 1) // tile
    window = tile + 2 * radius
    overhang = (window + tile - 1) // tile  # tiles that a window reaches over

    # A phone's GPU takes no more than four dimensions: the batch of one is left out.
    leading = () if lite.in_lite() and batch == 1 else (batch,)
    left = ops.pad(features1, ((0, 0), (0, 0), (0, tiles * tile - width), (0, 0)))
    left = ops.reshape(left, (*leading, height, tiles, tile, channels))

    right_end = (tiles + overhang - 1) * tile - width - radius
    right = ops.pad(features2, ((0, 0), (radius, radius), (radius, right_end), (0, 0)))
    right = ops.reshape(
        right, (*leading, height + 2 * radius, tiles + overhang - 1, tile, channels)
    )
    windows = ops.concatenate(
        [right[..., i : i + tiles, : window - i * tile, :] for i in range(overhang)], axis=-2
    )
    windows = ops.swapaxes(windows, -1, -2)

    rows, zeros = [], (0,) * len(leading)
    for dy in range(span):
        # slice, not [...]: TensorFlow's gradient of the latter is ten times slower.
        row = ops.slice(windows, (*zeros, dy, 0, 0, 0), (*leading, height, tiles, channels, window))
        products = ops.matmul(left, row)
        # Entry (i, i + dx) lies at i · (window + 1) + dx of the flattened matrix: in rows of
        # window + 1, the diagonals are the first columns.
        products = ops.reshape(products, (batch, height, tiles, tile * window))
        products = ops.pad(products, ((0, 0), (0, 0), (0, 0), (0, tile)))
        products = ops.reshape(products, (*leading, height, tiles, tile, window + 1))
        rows.append(
            ops.slice(products, (*zeros, 0, 0, 0, 0), (*leading, height, tiles, tile, span))
        )
    cost = ops.reshape(ops.concatenate(rows, axis=-1), (batch, height, tiles * tile, span * span))
    if isinstance(width, int) and tiles * tile == width:
        return cost  # LiteRT would copy it
    return cost[:, :, :width, :]


def _to_grids(features, step):
    """(B, H, W, C) to its step² interleaved grids, (step² · B, ⌈H / step⌉, ⌈W / step⌉, C)."""
    batch, height, width, channels = ops.shape(features)
    rows, columns = (height + step - 1) // step, (width + step - 1) // step
    padding = ((0, 0), (0, rows * step - height), (0, columns * step - width), (0, 0))
    features = ops.pad(features, padding)
    features = ops.reshape(features, (batch, rows, step, columns, step, channels))
    features = ops.transpose(features, (2, 4, 0, 1, 3, 5))
    return ops.reshape(features, (step * step * batch, rows, columns, channels))


def _from_grids(grids, step, height, width):
    """The inverse of :func:`_to_grids`, (…) -> (B, height, width, C)."""
    batch, rows, columns, channels = ops.shape(grids)
    grids = ops.reshape(grids, (step, step, batch // step**2, rows, columns, channels))
    features = ops.transpose(grids, (2, 3, 0, 4, 1, 5))
    features = ops.reshape(features, (batch // step**2, rows * step, columns * step, channels))
    return features[:, :height, :width, :]


def _check_arguments(features1, features2, max_displacement, displacement_stride):
    shape1, shape2 = tuple(features1.shape), tuple(features2.shape)
    if len(shape1) != 4 or len(shape2) != 4 or not all(map(may_equal, shape1, shape2)):
        raise ValueError(
            "correlation expects two feature maps of one shape (B, H, W, C); "
            f"got {shape1} and {shape2}."
        )
    for features in (features1, features2):
        dtype = keras.backend.standardize_dtype(features.dtype)
        if not keras.backend.is_float_dtype(dtype):
            raise ValueError(f"correlation expects floating-point feature maps; got {dtype}.")
    if max_displacement % displacement_stride:
        raise ValueError(
            f"max_displacement is in pixels and must be a multiple of displacement_stride; got "
            f"{max_displacement} and {displacement_stride}. (mmcv counts it in steps: its "
            f"{max_displacement} steps of {displacement_stride} are "
            f"max_displacement={max_displacement * displacement_stride} here.)"
        )
