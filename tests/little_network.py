"""The quickest network that trains, with batch norm, and its recipe: for tests of runs."""

import keras

import tfflow
from tfflow.models.layers import Convolution

NAME = "little"


@tfflow.models.register(NAME)
@keras.saving.register_keras_serializable("tests")
class Little(tfflow.models.FlowModel):
    """Three layers."""

    def __init__(self, name=NAME, **kwargs):
        super().__init__(name=name, **kwargs)
        self.features = Convolution(8, 5, 4, name="features")
        self.norm = keras.layers.BatchNormalization(name="norm")
        self.prediction = keras.layers.Conv2D(2, 3, padding="same", name="prediction")
        self.build()

    def estimate(self, image1, image2, training=None):
        both = keras.ops.concatenate([image1, image2], -1)
        features = self.norm(self.features(both), training=training)
        return {"flow2": self.prediction(keras.ops.relu(features))}


@tfflow.recipes.register
def little():
    return tfflow.recipes.Recipe(
        name=NAME,
        source="tests",
        cost="none",
        expected="nothing",
        model=NAME,
        data=None,
        crop=(64, 64),
        batch_size=2,
        steps=100,
        optimizer=lambda steps: keras.optimizers.Adam(1e-3),
        loss=tfflow.losses.MultiLevelEPE({"level2": 1.0}),
    )
