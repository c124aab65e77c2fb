"""Files that give their confidence beside their flow."""

import numpy as np
import pytest

import tfflow
from tfflow import tflite
from tfflow.models import BothWays
from tfflow.tflite.calibration import synthetic_samples
from tfflow.weights import preset_tflite

SIZE = (64, 128)


@pytest.fixture(scope="module")
def model():
    return tfflow.load("rillflow")


@pytest.fixture(scope="module")
def file(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "trusted.tflite"
    tflite.export(model, path, size=SIZE, quantization="float32", streaming=True, confidence=True)
    return tflite.FlowInterpreter(path, threads=1)


@pytest.fixture(scope="module")
def pair():
    image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    return image, np.roll(image, (2, 6), (0, 1))


def test_a_file_is_as_sure_as_keras(file, model, pair):
    expected = model.predict_flow(*pair, confidence=True, size=SIZE)
    found = file.predict_flow(*pair, confidence=True)
    np.testing.assert_allclose(found.flow, expected.flow, atol=1e-3)
    np.testing.assert_allclose(found.confidence, expected.confidence, atol=1e-4)
    np.testing.assert_array_equal(file.predict_flow(*pair), found.flow)
    assert file.metadata["confidence"] is True


def test_a_stream_of_a_file_keeps_the_confidence(file, pair):
    for stream in (
        tfflow.models.FlowStream(file, confidence=True),
        tflite.FlowStream(file.path, confidence=True),
    ):
        for frame in pair:
            stream.next(frame)
        expected = file.predict_flow(*pair, confidence=True).confidence
        np.testing.assert_allclose(stream.confidence, expected, atol=1e-4)


def test_what_we_ship_gives_it():
    model = tfflow.load("rillflow")
    scene = synthetic_samples((384, 512), 1, seed=5)[0]
    images = scene.image1, scene.image2
    for form, limit in (("int8", 0.03), ("float16", 0.001), ("small", 0.1)):
        shipped = tflite.FlowInterpreter(preset_tflite("rillflow", form), threads=1)
        found = shipped.predict_flow(*images, confidence=True).confidence
        expected = model.predict_flow(*images, confidence=True).confidence
        assert np.abs(found - expected).mean() < limit, (form, np.abs(found - expected).mean())


def test_flow_is_the_first_output_of_each_signature(file):
    # Runtimes without names, such as Swift's, take outputs by number.
    details = file.litert.get_output_details()
    assert [each["shape"][-1] for each in details] == [2, 1]
    assert list(file.outputs) == ["flow", "confidence"]
    assert file.outputs["confidence"]["shape"].tolist() == [1, SIZE[0] // 4, SIZE[1] // 4, 1]
    lines = tflite.usage(file.path)
    assert 'listOf("flow", "confidence").associateWith' in lines
    shape = f"(1, {SIZE[0] // 4}, {SIZE[1] // 4}, 1)"
    assert f"float32 and confidence {shape} float32 out." in lines
    assert "how far the network trusts the 4x4 pixels of flow there" in lines


def test_int8_is_about_as_sure(model, pair, tmp_path):
    path = tflite.export(
        model, tmp_path / "int8.tflite", size=SIZE, calibration=[pair], confidence=True
    )
    found = tflite.FlowInterpreter(path).predict_flow(*pair, confidence=True).confidence
    expected = model.predict_flow(*pair, confidence=True, size=SIZE).confidence
    assert np.abs(found - expected).mean() < 0.05


def test_a_file_without_confidence_says_how_to_get_one(file, pair, monkeypatch):
    plain = tfflow.load("lightflow", engine="tflite")
    assert not plain.gives_confidence and list(plain.outputs) == ["flow"]
    with pytest.raises(ValueError, match="gives no confidence. Files of RillFlow"):
        plain.predict_flow(*pair, confidence=True)
    with monkeypatch.context() as patch, pytest.raises(ValueError, match="gives no confidence"):
        patch.setattr(file, "gives_confidence", False)
        tfflow.models.FlowStream(file, confidence=True)
    both = plain.predict_flow(*pair, backward=True)
    assert isinstance(both, BothWays)
    np.testing.assert_array_equal(both.backward, plain.predict_flow(*pair[::-1]))


def test_a_network_without_confidence_is_not_exported_with_one(tmp_path):
    with pytest.raises(ValueError, match="confidence=True is impossible: .*rillflow"):
        tflite.export(
            tfflow.models.create("lightflow_0.5"),
            tmp_path / "no.tflite",
            quantization="float32",
            confidence=True,
        )
    assert not list(tmp_path.iterdir())
