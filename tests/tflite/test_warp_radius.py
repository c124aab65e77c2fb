"""Files that warp by shifted copies: no gather in them, and Keras's flow where it is small."""

import keras
import numpy as np
import pytest

import tfflow
from tfflow.models.liteflownet import network
from tfflow.tflite import FlowInterpreter, export, operators, read_metadata

IMAGES = ("image1", "image2")
SIZE = (64, 128)
RADIUS = 2


@pytest.fixture(scope="module")
def slow_network():
    """A LiteFlowNet2 with random weights, scaled so that its flow is small on all levels."""
    keras.utils.set_random_seed(0)
    model = tfflow.models.create("liteflownet2")
    for variable in model.weights:
        if variable.shape[-1] == 2 and len(variable.shape) == 4:  # the layers that give flow
            variable.assign(0.04 * variable)
    return model


@pytest.fixture(scope="module")
def shifted(slow_network, tmp_path_factory):
    path = tmp_path_factory.mktemp("shifted") / "flow.tflite"
    return export(slow_network, path, size=SIZE, quantization="float32", warp_radius=RADIUS)


@pytest.mark.slow
def test_equals_keras_without_a_gather(slow_network, shifted, pairs, monkeypatch):
    warped_by = []

    def warp(image, flow, **settings):
        warped_by.append(float(np.abs(flow).max()))
        return tfflow.ops.warp(image, flow, **settings)

    images = {name: image[None] / np.float32(255) for name, image in zip(IMAGES, pairs[0])}
    with monkeypatch.context() as patch:
        patch.setattr(network, "warp", warp)
        slow_network(images, training=False)
    assert 1.0 < max(warped_by) < RADIUS  # small, and yet no zero

    expected = slow_network.predict_flow(*pairs[0])
    found = FlowInterpreter(shifted).predict_flow(*pairs[0])
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.slow
def test_holds_no_gather_and_says_its_radius(shifted):
    counts = operators(shifted)
    assert not {"GATHER", "GATHER_ND", "FLOOR", "GREATER", "RELU_0_TO_1"} & set(counts)
    assert read_metadata(shifted)["warp_radius"] == RADIUS


@pytest.mark.parametrize("radius", [0, 17, 2.5, "4", True])
def test_wrong_radius(model, tmp_path, radius):
    with pytest.raises(ValueError, match="warp_radius must be a whole number of pixels from 1"):
        export(model, tmp_path / "flow.tflite", size=SIZE, warp_radius=radius)


def test_network_without_warp(model, converted_once, tmp_path):
    path = tmp_path / "flow.tflite"
    with pytest.raises(ValueError, match="has no warp"):
        export(model, path, size=SIZE, quantization="float32", warp_radius=2)
    assert not path.exists()


@pytest.mark.slow
def test_int8_and_the_parts(slow_network, pairs, tmp_path):
    path = export(
        slow_network,
        tmp_path / "flow.tflite",
        size=SIZE,
        calibration=pairs[:2],
        streaming=True,
        warp_radius=1,
    )
    assert "GATHER" not in operators(path)
    expected = slow_network.predict_flow(*pairs[0])
    found = FlowInterpreter(path).predict_flow(*pairs[0])
    assert np.abs(found - expected).mean() < 0.5
