"""Shapes of tensors as TensorFlow has them: parts, or all, may not be known yet."""


def may_equal(size1, size2):
    return None in (size1, size2) or size1 == size2


def of_rank(tensor, rank):
    """The tensor; TensorFlow checks its rank when it runs, if that is not known yet."""
    if getattr(tensor.shape, "rank", rank) is not None:
        return tensor
    import tensorflow as tf

    return tf.ensure_shape(tensor, [None] * rank)
