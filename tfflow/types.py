"""The types that public signatures share. Shapes, units and ranges are in the docstrings."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

PathLike: TypeAlias = str | os.PathLike[str]

# What keras.ops take and give: the tensors of whichever backend runs, symbolic ones, NumPy arrays.
# Keras has no type for these.
Tensor: TypeAlias = Any

if TYPE_CHECKING:
    # The base of a class that is mixed into a Keras model, whose methods it calls.
    from keras import Model as ModelMixin
else:
    ModelMixin = object


class Array(Protocol):
    """What ``np.asarray`` reads as numbers: arrays of NumPy or JAX, eager tensors.

    NumPy's own ``ArrayLike`` has text too, so that the path of an image would pass as an image.
    """

    def __array__(self) -> npt.NDArray[Any]: ...


# An image, or a batch of images as one array or a list of them.
Images: TypeAlias = Array | Sequence[Array]


class Predictor(Protocol):
    """Anything that estimates flow: a model, an exported file, or an object of your own."""

    def predict_flow(self, image1: Any, image2: Any, /) -> npt.NDArray[np.float32]: ...
