"""Correlation of two feature maps over a square window of displacements: the cost volume."""

from keras import ops


def correlation(
    features1,
    features2,
    max_displacement,
    *,
    stride=1,
    displacement_stride=1,
    normalize=False,
):
    """Scalar products of ``features1`` at p with ``features2`` at p + d, for every displacement d.

    Shapes: (B, H, W, C) and (B, H, W, C) -> (B, ceil(H / stride), ceil(W / stride), D²), where
    D = 2 · max_displacement / displacement_stride + 1. ``max_displacement`` is in **pixels** of the
    feature map, as in the paper (not in steps, as mmcv counts it).

    Channel k = iy · D + ix belongs to the displacement (dx, dy) with
    dy = -max_displacement + iy · displacement_stride, and dx likewise with ix: the vertical
    displacement is the slow one, as in Caffe, NVIDIA's port and mmcv. ``features2`` counts as zero
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
        ValueError: If the maps differ in shape, or a size is not what it has to be.

    Source: FlowNet (Dosovitskiy et al., 2015), equation 1, with patches of one pixel.

    Example:
        >>> a = keras.random.normal((1, 48, 64, 256))
        >>> correlation(a, a, 20, displacement_stride=2).shape   # FlowNetC
        (1, 48, 64, 441)
    """
    _check_arguments(features1, features2, max_displacement, stride, displacement_stride)
    r = max_displacement
    kept1 = features1[:, ::stride, ::stride, :]
    padded2 = ops.pad(features2, ((0, 0), (r, r), (r, r), (0, 0)))

    shifts = range(0, 2 * r + 1, displacement_stride)
    channels = []
    for y in shifts:
        # An end counted from the back needs no knowledge of the size; 0 from the back is the end.
        rows = padded2[:, y : (y - 2 * r) or None : stride, :, :]
        for x in shifts:
            shifted2 = rows[:, :, x : (x - 2 * r) or None : stride, :]
            channels.append(ops.sum(kept1 * shifted2, axis=-1))
    cost = ops.stack(channels, axis=-1)
    if normalize:
        cost = cost / ops.cast(ops.shape(features1)[-1], cost.dtype)
    return cost


def _check_arguments(features1, features2, max_displacement, stride, displacement_stride):
    shape1, shape2 = tuple(features1.shape), tuple(features2.shape)
    if len(shape1) != 4 or len(shape2) != 4 or not _compatible(shape1, shape2):
        raise ValueError(
            "correlation expects two feature maps of one shape (B, H, W, C); "
            f"got {shape1} and {shape2}."
        )
    for name, value, least in (
        ("max_displacement", max_displacement, 0),
        ("stride", stride, 1),
        ("displacement_stride", displacement_stride, 1),
    ):
        if not isinstance(value, int) or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}; got {value!r}.")
    if max_displacement % displacement_stride:
        raise ValueError(
            f"max_displacement is in pixels and must be a multiple of displacement_stride; got "
            f"{max_displacement} and {displacement_stride}. (mmcv counts it in steps: its "
            f"{max_displacement} steps of {displacement_stride} are "
            f"max_displacement={max_displacement * displacement_stride} here.)"
        )


def _compatible(shape1, shape2):
    """Whether two shapes agree wherever both are known."""
    return len(shape1) == len(shape2) and all(
        a is None or b is None or a == b for a, b in zip(shape1, shape2)
    )
