"""Shapes of TensorFlow tensors, which may be partly or wholly unknown."""


def of_shape(tensor, shape):
    """The tensor; TensorFlow checks unknown parts of the shape when it runs."""
    known = tensor.shape
    unknown = getattr(known, "rank", len(shape)) is None
    if not unknown and len(known) == len(shape):  # the caller reports a wrong rank
        unknown = any(size is None and wanted for size, wanted in zip(known, shape))
    if not unknown:
        return tensor
    import tensorflow as tf

    return tf.ensure_shape(tensor, shape)
