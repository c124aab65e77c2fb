"""The losses of the dense head, for ``compile(loss={"classes": …, "sides": …, …})``.

Their targets are :func:`tfflow.detection.encode`'s, batched. Each is a sum over the batch's places,
divided by the number of places with an object, at least 1. They take no ``sample_weight``.
"""

from typing import Any

import keras
from keras import ops

from tfflow.types import Tensor

_TINY = 1e-6


@keras.saving.register_keras_serializable("tfflow")
class FocalLoss(keras.losses.Loss):
    """Binary cross entropy of each class, with easy places scaled down (arXiv 1708.02002).

    Targets (B, h, w, N) of 0 and 1; predictions are logits.

    Args:
        alpha: Weight of the ones; that of the zeros is 1 - alpha.
        gamma: How much easy places are scaled down, 0 or more; 0 for not at all.
        name: Of the loss.
    """

    def __init__(
        self, alpha: float = 0.25, gamma: float = 2.0, name: str = "focal_loss", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        if not gamma >= 0:
            raise ValueError(f"gamma must be 0 or more; got {gamma!r}.")
        self.alpha, self.gamma = alpha, gamma

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        y_true, y_pred = _float32(y_true, y_pred)
        entropy = ops.binary_crossentropy(y_true, y_pred, from_logits=True)
        score = ops.sigmoid(y_pred)
        missing = y_true * (1.0 - score) + (1.0 - y_true) * score
        weight = y_true * self.alpha + (1.0 - y_true) * (1.0 - self.alpha)
        # Of a power below 1, the gradient at 0 is infinite.
        modulating = ops.maximum(missing, _TINY) ** self.gamma
        total = ops.sum(weight * modulating * entropy)
        return total / ops.maximum(ops.sum(y_true), 1.0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha, "gamma": self.gamma}


@keras.saving.register_keras_serializable("tfflow")
class BoxLoss(keras.losses.Loss):
    """1 - generalised intersection over union of the boxes (arXiv 1902.09630), 0 to 2.

    Targets and predictions (B, h, w, 4): px from the place to the left, top, right and bottom of
    its box; targets of zero where there is none.
    """

    def __init__(self, name: str = "box_loss", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        y_true, y_pred = _float32(y_true, y_pred)
        here = ops.cast(ops.min(y_true, axis=-1) > 0, "float32")
        # Both boxes contain the place, so they always overlap.
        shared = _area(ops.minimum(y_true, y_pred))
        union = _area(y_true) + _area(y_pred) - shared
        around = _area(ops.maximum(y_true, y_pred))
        gain = shared / (union + _TINY) - (around - union) / (around + _TINY)
        return ops.sum(here * (1.0 - gain)) / ops.maximum(ops.sum(here), 1.0)


@keras.saving.register_keras_serializable("tfflow")
class CentrenessLoss(keras.losses.Loss):
    """Binary cross entropy where there is an object; targets below zero say that there is none.

    Targets (B, h, w, 1) in [0, 1] or -1; predictions are logits.
    """

    def __init__(self, name: str = "centreness_loss", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        y_true, y_pred = _float32(y_true, y_pred)
        here = ops.cast(y_true >= 0, "float32")
        entropy = ops.binary_crossentropy(ops.maximum(y_true, 0.0), y_pred, from_logits=True)
        return ops.sum(here * entropy) / ops.maximum(ops.sum(here), 1.0)


def head_losses() -> dict[str, keras.losses.Loss]:
    """The three losses by the names of the outputs: ``model.compile(loss=head_losses())``."""
    return {"classes": FocalLoss(), "sides": BoxLoss(), "centreness": CentrenessLoss()}


def _area(sides):
    return (sides[..., 0] + sides[..., 2]) * (sides[..., 1] + sides[..., 3])


def _float32(*tensors):
    return (ops.cast(tensor, "float32") for tensor in tensors)
