"""Propagation: identity, whole-pixel shifts, the sign and the units; the flow-guided GRU."""

import keras
import numpy as np
import pytest
from keras import ops

from tfflow.detection import FlowGuidedGRU, propagate


def random(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def constant_flow(u, v, *size):
    return np.full((1, *size, 2), (u, v), np.float32)


@pytest.mark.parametrize("size", [(6, 10), (96, 160), (48, 80), (50, 83), (3, 5)])
def test_identity(size):
    features = random(1, 6, 10, 3)
    np.testing.assert_array_equal(propagate(features, constant_flow(0, 0, *size)), features)


@pytest.mark.parametrize(("u", "v"), [(1, 0), (0, 1), (-2, 3), (4, -1)])
@pytest.mark.parametrize("stride", [1, 2, 16])
def test_a_whole_shift_is_exact(u, v, stride):
    features = random(1, 6, 10, 3)
    flow = constant_flow(u * stride, v * stride, 6 * stride, 10 * stride)
    expected = np.zeros_like(features)  # what comes from outside is zero
    for y in range(6):
        for x in range(10):
            if 0 <= y + v < 6 and 0 <= x + u < 10:
                expected[:, y, x] = features[:, y + v, x + u]
    np.testing.assert_array_equal(propagate(features, flow), expected)


def test_sign_and_units_follow_a_picture():
    # An object that moves by (32, 16) px since the key: the flow back is (-32, -16).
    key, current = np.zeros((2, 1, 64, 128, 1), np.float32)
    key[:, 16:32, 32:64] = current[:, 32:48, 64:96] = 1.0

    def pooled(image):
        return ops.average_pool(image, 16, strides=16)

    result = propagate(pooled(key), constant_flow(-32, -16, 64, 128))
    np.testing.assert_array_equal(result, pooled(current))


def test_height_and_width_have_units_of_their_own():
    features = random(1, 4, 8, 2)
    # 8 px per feature down, 4 to the right: (4, 8) px are one feature each.
    result = ops.convert_to_numpy(propagate(features, constant_flow(4, 8, 32, 32)))
    np.testing.assert_array_equal(result[:, :3, :7], features[:, 1:, 1:])


def test_each_feature_takes_the_mean_of_its_pixels():
    features = random(1, 2, 2, 1)
    flow = np.zeros((1, 32, 32, 2), np.float32)
    flow[:, :16, 4:12, 0] = 32.0  # half of the first feature's pixels: 16 px, one feature
    result = ops.convert_to_numpy(propagate(features, flow))
    np.testing.assert_allclose(result[0, 0, 0], features[0, 0, 1], atol=1e-6)
    np.testing.assert_array_equal(result[0, :, 1], features[0, :, 1])


def test_wrong_shapes_are_explained():
    with pytest.raises(ValueError, match="a flow \\(B, H, W, 2\\); got"):
        propagate(random(1, 4, 4, 2), random(1, 4, 4, 3))
    with pytest.raises(ValueError, match="must know heights and widths"):
        propagate(keras.KerasTensor((1, None, None, 2)), keras.KerasTensor((1, 8, 8, 2)))


# The GRU --------------------------------------------------------------------------------------


def gru(update=0.0, channels=4):
    """A GRU whose update gate is as good as 0 or 1 for a large negative or positive number."""
    layer = FlowGuidedGRU()
    layer.build((1, 5, 7, channels), (1, 5, 7, channels))
    bias = np.zeros(3 * channels, np.float32)
    bias[:channels] = update
    layer.of_new.bias.assign(bias)
    return layer


def candidate(layer, new, propagated):
    """The GRU's candidate by its equation, for four channels."""
    reset = ops.sigmoid(layer.of_new(new)[..., 4:8] + layer.of_propagated(propagated)[..., 4:])
    return ops.relu(layer.of_new(new)[..., 8:] + layer.of_reset(reset * propagated))


def test_number_of_parameters_is_the_papers():
    layer = FlowGuidedGRU()
    layer.build((None, None, None, 128), (None, None, None, 128))
    assert layer.count_params() == 6 * 9 * 128**2 + 3 * 128


def test_update_of_zero_keeps_the_propagated_features():
    new, propagated = random(2, 1, 5, 7, 4)
    np.testing.assert_array_equal(gru(-100.0)(new, propagated), propagated)


def test_update_of_one_gives_the_new_features():
    new, propagated = random(2, 1, 5, 7, 4)
    layer = gru(100.0)
    expected = candidate(layer, new, propagated)
    np.testing.assert_allclose(layer(new, propagated), expected, atol=1e-6)
    # With a candidate that passes them on, these are the new features themselves.
    kernel = ops.convert_to_numpy(layer.of_new.kernel).copy()
    kernel[..., 8:] = 0.0
    kernel[1, 1, :, 8:] = np.eye(4)
    layer.of_new.kernel.assign(kernel)
    layer.of_reset.kernel.assign(np.zeros((3, 3, 4, 4)))
    np.testing.assert_allclose(layer(new, propagated), new, atol=1e-6)


def test_gru_in_between_mixes():
    new, propagated = random(2, 1, 5, 7, 4)
    layer = gru(0.3)
    update = ops.sigmoid(layer.of_new(new)[..., :4] + layer.of_propagated(propagated)[..., :4])
    expected = (1 - update) * propagated + update * candidate(layer, new, propagated)
    np.testing.assert_allclose(layer(new, propagated), expected, atol=1e-6)


def test_gru_is_saved_and_loaded(tmp_path):
    new, propagated = keras.Input((5, 7, 4)), keras.Input((5, 7, 4))
    model = keras.Model([new, propagated], FlowGuidedGRU(kernel_size=1)(new, propagated))
    model.save(tmp_path / "gru.keras")
    loaded = keras.saving.load_model(tmp_path / "gru.keras")
    inputs = list(random(2, 1, 5, 7, 4))
    np.testing.assert_array_equal(loaded(inputs), model(inputs))


def test_gru_refuses():
    with pytest.raises(ValueError, match="kernel_size must be odd"):
        FlowGuidedGRU(kernel_size=2)
    with pytest.raises(ValueError, match="in one shape; got"):
        gru()(random(1, 5, 7, 4), random(1, 5, 6, 4))
