"""The optical-flow part of TensorFlow Addons, with its signatures, sign conventions and layouts.

TensorFlow Addons 0.23 was its last release and runs up to TensorFlow 2.15. In code with
``import tensorflow_addons as tfa``, only the import has to change::

    import tfflow.addons as tfa

    costs = tfa.layers.CorrelationCost(1, 20, 1, 2, 20, "channels_last")([a, b])
    warped = tfa.image.dense_image_warp(image, flow)

docs/from_tensorflow_addons.md says what differs. New code uses ``tfflow.ops``, whose ``warp`` has
the sign of optical flow.
"""

from tfflow.addons import image, layers
from tfflow.addons.image import dense_image_warp, interpolate_bilinear
from tfflow.addons.layers import DATA_FORMATS, CorrelationCost

__all__ = [
    "DATA_FORMATS",
    "CorrelationCost",
    "dense_image_warp",
    "image",
    "interpolate_bilinear",
    "layers",
]
