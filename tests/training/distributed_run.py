"""Eight steps under a strategy, in a process of its own: test_distribution.py starts it.

    python distributed_run.py none|mirrored|multi-worker OUTPUT NETWORK...

Writes loss, EPE, all weights and, unless there are several workers, predictions of each network to
OUTPUT-NETWORK.npz.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

import tfflow
from tfflow.data import FlowSample, training_pipeline
from tfflow.data.pipeline.augmentation import CHAIRS
from tfflow.losses import MultiLevelEPE
from tfflow.metrics import EndPointError
from tfflow.training import distribution
from tfflow.training.optimizers import AdamL2

NETWORKS = {
    "liteflownet_pre_M6S6": ("liteflownet_pre_M6S6", {}, "level6", {}),
    # Clipping has to see the whole gradient, batch norm the whole batch.
    "clipped": ("liteflownet_pre_M6S6", {}, "level6", {"clipnorm": 0.01}),
    "lightflow_0.5": ("lightflow_0.5", {}, "level2", {}),
    "small": (None, {}, "level2", {"learning_rate": 0.01, "clipnorm": 1e-3}),
}


class Small(tfflow.models.FlowModel):
    """A network in miniature, quick to trace."""

    def __init__(self):
        super().__init__(name="small")
        self.features = keras.layers.Conv2D(8, 5, 4, "same", use_bias=False, name="features")
        self.norm = keras.layers.BatchNormalization(name="norm")
        self.prediction = keras.layers.Conv2D(2, 3, padding="same", name="prediction")
        self.build()

    def estimate(self, image1, image2, training=None):
        both = keras.ops.concatenate([image1, image2], axis=-1)
        features = keras.ops.leaky_relu(self.norm(self.features(both), training=training))
        return {"flow2": self.prediction(features)}


def main():
    mode, output, *networks = sys.argv[1:]
    if mode == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, two)
    # Rounding alone, in float32, makes Adam take other steps where a gradient is almost zero.
    keras.config.set_dtype_policy("float64")
    strategy = distribution.make_strategy(mode)
    for network in networks:
        model, history = train(strategy, network)
        result = {**history, **{weight.path: np.asarray(weight) for weight in model.weights}}
        if mode != "multi-worker":
            result |= predictions(model)
        if distribution.is_chief(strategy):
            np.savez(f"{output}-{network}.npz", **result)


def train(strategy, network):
    name, arguments, level, options = NETWORKS[network]
    options = {"learning_rate": 1e-4, "l2": 4e-4, "epsilon": 1e-8, **options}
    keras.utils.set_random_seed(3)
    with strategy.scope():
        model = tfflow.models.create(name, **arguments) if name else Small()

    def compile_model():
        with strategy.scope():
            model.compile(
                AdamL2(decay_biases=True, **options),
                MultiLevelEPE({level: 1.0}),
                metrics=[EndPointError()],
            )

    compile_model()
    assert len(predictions(model)["predict_flow"]) == 4, "not prepared yet"
    pairs = [sample(number) for number in range(16)]

    def batches(share):
        return training_pipeline(pairs, 8, crop=(64, 64), augmentation=CHAIRS, share=share)

    data = distribution.distribute(strategy, batches)
    distribution.prepare(model)
    compile_model()  # the new optimizer is prepared too
    distribution.prepare(model)  # as a notebook's cell that is run again
    fitted = model.fit(data, epochs=2, steps_per_epoch=4, verbose=0, shuffle=False)
    return model, fitted.history


def predictions(model):
    """Keras's way and ours, for batches that are spread over the devices and not."""
    pairs = [sample(number) for number in range(4)]
    images = [np.stack([pair[i] for pair in pairs]) for i in (0, 1)]
    x = {f"image{i}": image / 255 for i, image in enumerate(images, 1)}
    return {
        "predict": model.predict(x, batch_size=4, verbose=0)["flow"],
        "predict_on_batch": model.predict_on_batch(x)["flow"][:4],
        "predict_flow": model.predict_flow(*images),
    }


def sample(number):
    rng = np.random.default_rng(number)
    image1, image2 = rng.integers(0, 256, (2, 72, 80, 3), np.uint8)
    flow = rng.normal(0, 3, (72, 80, 2)).astype(np.float32)
    return FlowSample(image1, image2, flow, rng.random((72, 80)) < 0.9, str(number))


if __name__ == "__main__":
    main()
