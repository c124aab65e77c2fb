"""Adam with coupled weight decay, as published recipes mean it; Muon for convolutions."""

import math
import re
from typing import Any

import keras
from keras import ops

from tfflow.types import Tensor


@keras.saving.register_keras_serializable(package="tfflow")
class AdamL2(keras.optimizers.Adam):
    """Adam on the gradient of loss + l2 / 2 · ‖w‖²: the decay goes through Adam's moments.

    Keras's own ``weight_decay`` is decoupled (AdamW), unlike the published recipes of optical flow.

    Args:
        learning_rate: As for ``keras.optimizers.Adam``.
        l2: Weight decay, torch's ``weight_decay``.
        decay_biases: Whether to decay biases and batch norm's shifts too (names ``bias`` and
            ``beta``). LightFlow-pytorch and Caffe leave them out, mmflow includes them.
        **kwargs: Further arguments of ``keras.optimizers.Adam``.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        l2: float = 0.0,
        decay_biases: bool = False,
        name: str = "adam_l2",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.l2, self.decay_biases = l2, decay_biases

    def build(self, variables: list[keras.Variable]) -> None:
        super().build(variables)
        self._decays = [
            self.decay_biases or variable.name not in ("bias", "beta") for variable in variables
        ]

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        # Here the gradient is that of the whole batch, summed over replicas and accumulated steps.
        # Added earlier, the decay would count once for each of them.
        if self.l2 and self._decays[self._get_variable_index(variable)]:
            gradient = gradient + keras.ops.cast(variable, gradient.dtype) * self.l2
        super().update_step(gradient, variable, learning_rate)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "l2": self.l2, "decay_biases": self.decay_biases}


@keras.saving.register_keras_serializable(package="tfflow")
class ConvolutionMuon(keras.optimizers.Muon):
    """Muon on the kernels of convolutions, AdamW on all else.

    Muon (Jordan et al., 2024) updates a matrix by its orthogonalised momentum, so that no direction
    is left behind. A kernel (h, w, in, out) counts as the matrix (h · w · in, out). Keras's own
    Muon only takes matrices, and a convolutional network has none. The step is as long as Adam's
    (Liu et al., 2025), so learning rates and decays of AdamW fit.

    With it, RillFlow needs a quarter of the pairs: docs/rillflow.md.

    Args:
        learning_rate: Of the kernels; all else gets ``adam_lr_ratio`` of it.
        **kwargs: Further arguments of ``keras.optimizers.Muon``.
    """

    # Kernels with a smaller side are left to AdamW.
    least_side = 8

    def __init__(
        self, learning_rate: Any = 0.001, name: str = "convolution_muon", **kwargs: Any
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)

    def _should_use_adamw(self, variable):
        shape, path = tuple(variable.shape), variable.path
        if len(shape) != 4 or min(math.prod(shape[:3]), shape[3]) < self.least_side:
            return True
        if self.exclude_embeddings and "embedding" in path.lower():
            return True
        return any(re.search(each, path) for each in self.exclude_layers)

    def _muon_update_step(self, gradient, variable, lr, m):
        # As Keras's, with the kernel as a matrix in between.
        self.assign_add(m, gradient + m * (self.momentum - 1))
        direction = gradient + self.momentum * m if self.nesterov else m
        matrix = ops.reshape(direction, (-1, variable.shape[-1]))
        matrix = self.zeropower_via_newtonschulz5(matrix, self.ns_steps)
        self.assign_sub(variable, ops.reshape(self.lr_adjust(lr * matrix), variable.shape))
