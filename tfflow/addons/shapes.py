"""Shapes of tensors as TensorFlow has them: parts, or all, may not be known yet."""


def may_equal(size1, size2):
    return None in (size1, size2) or size1 == size2


def of_shape(tensor, shape):
    """The tensor; what of the shape is not known yet, TensorFlow checks when it runs."""
    known = tensor.shape
    unknown = getattr(known, "rank", len(shape)) is None
    if not unknown and len(known) == len(shape):  # a wrong rank is for the caller to tell
        unknown = any(size is None and wanted for size, wanted in zip(known, shape))
    if not unknown:
        return tensor
    import tensorflow as tf

    return tf.ensure_shape(tensor, shape)
