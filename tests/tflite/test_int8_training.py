"""Training with the rounding of an int8 file: it is the file's, and it is in training alone."""

import keras
import numpy as np
import pytest
from keras import ops

import tfflow
from tfflow.models.layers import Convolution
from tfflow.models.prediction import ImagePair
from tfflow.tflite import FlowInterpreter, export, prepare_for_int8, round_within
from tfflow.tflite.int8_training import _Rounding

SIZE = (64, 128)  # of the pairs: nothing is resized


class Three(tfflow.models.FlowModel):
    """Three convolutions with activations, one with strides, and a head."""

    def __init__(self):
        super().__init__(name="three")
        self.first = Convolution(8, 5, 4, name="first")
        self.second = Convolution(8, 3, name="second")
        self.third = Convolution(16, 3, name="third")
        self.prediction = Convolution(2, 3, linear=True, name="prediction")
        self.build()

    def estimate(self, image1, image2, training=None):
        both = ops.concatenate([image1, image2], axis=-1)
        return {"flow2": self.prediction(self.third(self.second(self.first(both))))}


@pytest.fixture
def three():
    keras.utils.set_random_seed(2)
    return Three()


def inputs(pair):
    images = ImagePair(*pair, size=SIZE)
    return {"image1": images.image1, "image2": images.image2}


def test_it_rounds_as_the_int8_file(three, pairs, tmp_path):
    """The file keeps the first layer, which reads both images, and the head in float."""
    path = export(three, tmp_path / "three.tflite", size=SIZE, calibration=pairs[:4])
    ranges = prepare_for_int8(three, size=SIZE, calibration=pairs[:4], keep_float=["first"])
    assert list(ranges) == ["second", "third"]
    file = FlowInterpreter(path)

    def distance(training):
        """Mean distance in px of Keras's flow from the file's."""
        found = 0.0
        for pair in pairs:
            x = inputs(pair)
            flow = np.asarray(three(x, training=training)["flow"])[0]
            found += np.abs(file.run(*(image[0] for image in x.values())) - flow).mean()
        return found

    assert distance(training=True) < 0.6 * distance(training=False)
    # In the file, the activation before a head is in float too. Without its rounding, what is left
    # are values next to the middle of two steps, which may fall to either.
    three.third.rounding = OneLess(three.third.rounding.ranges)
    assert distance(training=True) < 0.3 * distance(training=False)


class OneLess(_Rounding):
    """Leaves a layer's results as they are."""

    def __call__(self, what, values):
        return values if what == "results" else super().__call__(what, values)


def test_predictions_and_files_are_not_rounded(three, pairs, tmp_path):
    before = three.predict_flow(*pairs[0])
    prepare_for_int8(three, size=SIZE, calibration=pairs)
    assert np.any(np.asarray(three(inputs(pairs[0]), training=True)["flow"])[0] != before)
    np.testing.assert_array_equal(three.predict_flow(*pairs[0]), before)
    path = export(three, tmp_path / "three.tflite", size=SIZE, quantization="float32")
    np.testing.assert_allclose(FlowInterpreter(path).predict_flow(*pairs[0]), before, atol=1e-4)


def test_training_wins_back_some_of_what_int8_loses(three, pairs):
    """The truth is the network's own flow before: all loss is int8's."""
    x = {name: np.concatenate([inputs(pair)[name] for pair in pairs]) for name in inputs(pairs[0])}
    truth = np.asarray(three(x)["flow"])
    three.compile(keras.optimizers.Adam(1e-3), loss=tfflow.losses.MultiLevelEPE({"level2": 1.0}))
    three.train_on_batch(x, truth)  # traced without rounding
    prepare_for_int8(three, size=SIZE, calibration=pairs)
    losses = [float(three.train_on_batch(x, truth)) for _ in range(40)]
    assert losses[0] > 0 and np.mean(losses[-5:]) < 0.7 * losses[0]


def test_kernels_have_256_steps_for_each_channel(three, pairs):
    prepare_for_int8(three, size=SIZE, calibration=pairs)
    kernel = three.second.kernel
    rounded = np.asarray(three.second.rounding.kernel(kernel))
    steps = np.abs(kernel).max(axis=(0, 1, 2)) / 127
    np.testing.assert_allclose(rounded / steps, np.rint(kernel / steps), atol=1e-3)


def test_ranges_go_from_one_network_to_another(three, pairs):
    ranges = prepare_for_int8(three, size=SIZE, calibration=pairs)
    twin = Three()
    twin.set_weights(three.get_weights())
    round_within(twin, ranges)
    flows = (np.asarray(model(inputs(pairs[0]), training=True)["flow"]) for model in (three, twin))
    np.testing.assert_array_equal(*flows)
    with pytest.raises(ValueError, match="three has no layer fourth; it has first, second"):
        round_within(twin, {"fourth": {}})


def test_wrong_use_is_told(three, model, pairs):
    with pytest.raises(ValueError, match="lightflow.* has no convolution to be rounded"):
        prepare_for_int8(model, size=SIZE, calibration=pairs)
    with pytest.raises(ValueError, match="keep_float must name layers .* got 'secnd'"):
        prepare_for_int8(three, size=SIZE, calibration=pairs, keep_float=["secnd"])
    with pytest.raises(ValueError, match="calibration"):
        prepare_for_int8(three, size=SIZE, calibration=[])
    with pytest.raises(ValueError, match="multiples of 64"):
        prepare_for_int8(three, size=(65, 128), calibration=pairs)
    with pytest.raises(TypeError, match="FlowModel"):
        prepare_for_int8("three", size=SIZE)
    assert three.second.rounding is None  # a failure leaves the network as it was
