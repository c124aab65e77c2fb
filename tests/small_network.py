"""A network in miniature with images and a truth for it: quick to trace and to train."""

import keras
import numpy as np

import tfflow

RNG = np.random.default_rng(0)


@keras.saving.register_keras_serializable("tests")
class Small(tfflow.models.FlowModel):
    """A network in miniature: a level of its own, and layers in a list and a dictionary."""

    def __init__(self, name="small", **kwargs):
        super().__init__(name=name, **kwargs)
        make = keras.layers.Conv2D
        self.levels = {"2": [make(4, 5, 4, "same", name="conv1")]}
        self.norms = [keras.layers.BatchNormalization(name="norm")]
        self.prediction = make(2, 3, padding="same", name="prediction")
        self.build()

    def estimate(self, image1, image2, training=None):
        x = self.levels["2"][0](keras.ops.concatenate([image1, image2], axis=-1))
        flow = self.prediction(self.norms[0](x, training=training))
        return {"flow2": flow, "flow3": keras.ops.average_pool(flow, 2)}


def images(number=2, size=(64, 64)):
    return {f"image{i}": RNG.random((number, *size, 3), np.float32) for i in (1, 2)}


def truth_of(model, x, offset=3.0):
    return np.asarray(model(x)["flow"]) + np.float32(offset)
