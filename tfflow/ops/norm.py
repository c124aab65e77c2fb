"""The Euclidean norm, with a gradient where it is zero."""

from keras import ops

from tfflow.ops.arguments import floating, full_precision
from tfflow.types import Tensor


def safe_norm(vectors: Tensor, axis: int = -1, keepdims: bool = False) -> Tensor:
    """Euclidean norm along ``axis``, whose gradient at the zero vector is zero.

    That of ``sqrt(sum(square(x)))`` is NaN there: one identical pixel in two images, or one perfect
    prediction, makes all weights NaN in the next step. Integers are converted to float32.
    """
    vectors = floating(vectors)
    # The square of 256 is infinite in float16.
    squared = ops.sum(ops.square(full_precision(vectors)), axis=axis, keepdims=keepdims)
    is_zero = ops.equal(squared, 0)
    norm = ops.sqrt(ops.where(is_zero, ops.ones_like(squared), squared))
    return ops.cast(ops.where(is_zero, ops.zeros_like(norm), norm), vectors.dtype)
