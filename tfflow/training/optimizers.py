"""Adam with coupled weight decay, as PyTorch and Caffe have it and published recipes mean it."""

import keras


@keras.saving.register_keras_serializable(package="tfflow")
class AdamL2(keras.optimizers.Adam):
    """Adam on the gradient of loss + l2 / 2 · ‖w‖²: the decay goes through Adam's moments.

    Keras's own ``weight_decay`` is decoupled (AdamW), which is another thing: the published
    recipes of optical flow decay like this.

    Args:
        learning_rate: As for ``keras.optimizers.Adam``.
        l2: Weight decay, torch's ``weight_decay``.
        decay_biases: Whether it also holds for biases and batch norm's shifts (names ``bias`` and
            ``beta``). LightFlow-pytorch and Caffe leave them out, mmflow takes them in.
        **kwargs: Further arguments of ``keras.optimizers.Adam``.
    """

    def __init__(self, learning_rate=0.001, l2=0.0, decay_biases=False, name="adam_l2", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.l2, self.decay_biases = l2, decay_biases

    def build(self, variables):
        super().build(variables)
        self._decays = [
            self.decay_biases or variable.name not in ("bias", "beta") for variable in variables
        ]

    def update_step(self, gradient, variable, learning_rate):
        # Here the gradient is that of the whole batch, summed over replicas and accumulated steps:
        # added any earlier, each of them would bring a decay of its own.
        if self.l2 and self._decays[self._get_variable_index(variable)]:
            gradient = gradient + keras.ops.cast(variable, gradient.dtype) * self.l2
        super().update_step(gradient, variable, learning_rate)

    def get_config(self):
        return {**super().get_config(), "l2": self.l2, "decay_biases": self.decay_biases}
