"""Training with the rounding of an int8 file: it is the file's, and it is in training alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import tfflow
from tfflow.models.layers import Convolution
from tfflow.models.prediction import ImagePair
from tfflow.tflite import FlowInterpreter, export, prepare_for_int8
from tfflow.tflite.int8_training import Rounding

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


def test_it_loses_what_the_int8_file_loses(three, pairs, tmp_path):
    """The file keeps the first layer, which reads both images, and the head in float."""
    assert prepare_for_int8(three, keep_float=["first"]) == ["second", "third"]
    lost_here, lost_there = 0.0, 0.0
    for pair in pairs:
        # With the ranges of this pair alone, as in training.
        path = export(three, tmp_path / "three.tflite", size=SIZE, calibration=[pair], outliers=0)
        x = inputs(pair)
        int8 = FlowInterpreter(path).run(*(image[0] for image in x.values()))
        exact, rounded = (np.asarray(three(x, training=t)["flow"])[0] for t in (False, True))
        lost_here += np.abs(rounded - exact).mean()
        lost_there += np.abs(int8 - exact).mean()
    # A little more: in the file, the activation before a head is in float.
    assert lost_there < lost_here < 1.5 * lost_there


def test_values_are_rounded_to_256_steps_and_zero_is_one():
    values = np.random.default_rng(0).normal(0.3, 1.0, (2, 9, 9, 4)).astype(np.float32)
    step = (values.max() - values.min()) / 255
    x = tf.Variable(values)
    with tf.GradientTape() as tape:
        rounded = Rounding()(x)
    np.testing.assert_allclose(rounded / step, np.rint(rounded / step), atol=1e-3)
    assert np.abs(rounded - values).max() < 0.51 * step
    np.testing.assert_array_equal(tape.gradient(rounded, x), np.ones_like(values))
    positive = np.abs(values) + 5  # zero lies within the range all the same
    np.testing.assert_allclose(Rounding()(positive), positive, atol=0.51 * positive.max() / 255)


def test_predictions_and_files_are_not_rounded(three, pairs, tmp_path):
    before = three.predict_flow(*pairs[0])
    prepare_for_int8(three)
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
    prepare_for_int8(three)
    losses = [float(three.train_on_batch(x, truth)) for _ in range(40)]
    assert losses[0] > 0 and np.mean(losses[-5:]) < 0.7 * losses[0]


def test_kernels_have_256_steps_for_each_channel(three):
    prepare_for_int8(three)
    kernel = three.second.kernel
    rounded = np.asarray(three.second.rounding.of_kernel(kernel))
    steps = np.abs(kernel).max(axis=(0, 1, 2)) / 127
    np.testing.assert_allclose(rounded / steps, np.rint(kernel / steps), atol=1e-3)


def test_parts_of_one_name_are_all_rounded():
    class Twice(tfflow.models.FlowModel):
        def __init__(self):
            super().__init__(name="twice")
            self.one, self.other = Three(), Three()
            self.build()

        def estimate(self, image1, image2, training=None):
            x = {"image1": image1, "image2": image2}
            return {"flow2": self.one(x)["flow2"] + self.other(x)["flow2"]}

    model = Twice()
    prepare_for_int8(model)
    assert model.one.second.rounding and model.other.second.rounding


def test_wrong_use_is_told(three, model):
    with pytest.raises(ValueError, match="lightflow.* has no convolution to be rounded"):
        prepare_for_int8(model)
    with pytest.raises(ValueError, match="keep_float must name layers .* got 'secnd'"):
        prepare_for_int8(three, keep_float=["secnd"])
    with pytest.raises(TypeError, match="FlowModel"):
        prepare_for_int8("three")
    assert three.second.rounding is None  # a failure leaves the network as it was
    # The names of an export, a head's among them.
    assert prepare_for_int8(three, keep_float=["first", "prediction"]) == ["second", "third"]
