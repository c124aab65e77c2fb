"""One small network, exported once in all its forms, for the tests of this folder."""

import functools

import numpy as np
import pytest

SIZE = (64, 128)


@pytest.fixture(scope="session")
def model():
    """A narrow LightFlow with random weights through which the images can still be seen.

    With batch norm's statistics made up, its biases would drown them: they are measured.
    """
    import keras

    import tfflow

    keras.utils.set_random_seed(5)
    network = tfflow.models.create("lightflow_0.5")
    generator = np.random.default_rng(5)
    for variable in network.weights:
        if "beta" in variable.path:
            variable.assign(generator.normal(0.0, 0.3, variable.shape))
        elif "gamma" in variable.path:
            variable.assign(generator.uniform(0.5, 2.0, variable.shape))
    norms = [each for each in network._flatten_layers() if hasattr(each, "moving_variance")]
    for norm in norms:
        norm.momentum = 0.0
    # Large images: at the coarsest level, a 64th, there must be something to measure on.
    large = [random_pair(seed, 256, 256) for seed in range(8)]
    image1, image2 = (np.stack(images) / np.float32(255) for images in zip(*large))
    network({"image1": image1, "image2": image2}, training=True)
    return network


def random_pair(seed, height=SIZE[0], width=SIZE[1]):
    """Two unlike images of soft spots, uint8."""
    generator = np.random.default_rng(seed)
    noise = generator.random((2, height // 8 + 2, width // 8 + 2, 3))
    images = noise.repeat(8, axis=1).repeat(8, axis=2)[:, :height, :width]
    return tuple((255 * images).astype(np.uint8))


@pytest.fixture(scope="session")
def pairs():
    return [random_pair(seed) for seed in range(6)]


@pytest.fixture(scope="session")
def converted_once(model):
    """The conversion to float32, which all forms begin with, is made once for the model."""
    from tfflow.tflite import conversion

    original = conversion.convert
    # Other models, of single tests, go their own way.
    cached = functools.cache(lambda size, **settings: original(model, size, **settings))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            conversion,
            "convert",
            lambda network, size, **settings: (
                cached(tuple(size), **settings)
                if network is model
                else original(network, size, **settings)
            ),
        )
        yield


@pytest.fixture(scope="session")
def exported(model, pairs, converted_once, tmp_path_factory):
    """A dict: quantization -> the exported file."""
    from tfflow.tflite import QUANTIZATIONS, export

    folder = tmp_path_factory.mktemp("exported")
    return {
        form: export(
            model,
            folder / f"{form}.tflite",
            size=SIZE,
            quantization=form,
            calibration=pairs[:4],
            metadata={"licence": "Apache-2.0"},
        )
        for form in QUANTIZATIONS
    }


@pytest.fixture(scope="session")
def tiny():
    """Four convolutions that are converted in a second, the second one unfit for int8.

    One map of ``first`` is always zero, and ``second`` weighs it with 20: that changes nothing,
    but int8's steps for those weights become so wide that little is left of all others.
    """
    import keras

    import tfflow

    class Tiny(tfflow.models.FlowModel):
        def __init__(self):
            super().__init__(name="tiny")
            convolution = keras.layers.Conv2D
            self.first = convolution(8, 5, 4, "same", activation="relu", name="first")
            self.second = convolution(8, 3, padding="same", activation="relu", name="second")
            self.third = convolution(8, 3, padding="same", activation="relu", name="third")
            self.prediction = convolution(2, 3, padding="same", name="prediction")
            self.build()

        def estimate(self, image1, image2, training=None):
            both = keras.ops.concatenate([image1, image2], -1)
            return {"flow2": self.prediction(self.third(self.second(self.first(both))))}

    keras.utils.set_random_seed(3)
    model = Tiny()
    model.first.bias.assign([-1000.0] + [0.1] * 7)
    kernel = model.second.kernel.numpy()
    kernel[:, :, 0] = 20.0
    model.second.kernel.assign(kernel)
    return model
