"""Presets: written, listed, loaded, and refused when they are damaged or of another network."""

import shutil

import numpy as np
import pytest

import tfflow
from tfflow.checksum import sha256_of
from tfflow.weights import presets

SHIPPED = presets.preset_tflite("lightflow")


@pytest.fixture
def preset(tmp_path, monkeypatch):
    """A preset "tiny" of lightflow_0.5 with linear predictors, in a folder of its own."""
    monkeypatch.setattr(presets, "FOLDER", tmp_path)
    model = tfflow.models.create("lightflow_0.5", predictor_activation=False)
    card = {"model": "lightflow_0.5", "arguments": {"predictor_activation": False}}
    presets.save_preset(model, "tiny", card, folder=tmp_path)
    return model


def test_a_preset_brings_its_arguments_and_weights(preset):
    assert tfflow.weights.list_presets() == ["tiny"]
    assert tfflow.weights.list_presets("lightflow") == []
    for loaded in (tfflow.models.create("lightflow_0.5", preset="tiny"), tfflow.load("tiny")):
        assert loaded.predictor_activation is False
        for found, expected in zip(loaded.get_weights(), preset.get_weights()):
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-7)


def test_wrong_uses_are_named(preset):
    with pytest.raises(ValueError, match="is for 'lightflow_0.5', not 'lightflow'"):
        tfflow.models.create("lightflow", preset="tiny")
    with pytest.raises(ValueError, match="has predictor_activation=False"):
        tfflow.models.create("lightflow_0.5", preset="tiny", predictor_activation=True)
    with pytest.raises(ValueError, match="Did you mean 'tiny'"):
        tfflow.models.create("lightflow_0.5", preset="tinny")


def test_damage_is_noticed(preset):
    path = presets.FOLDER / "tiny.weights.npz"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ValueError, match="damaged"):
        tfflow.load("tiny")


def test_an_engine_is_what_a_preset_runs_on(preset, tmp_path):
    path = tmp_path / "tiny_int8.tflite"
    with pytest.raises(ValueError, match="has no .tflite file in 'int8'; there is: none"):
        tfflow.load("tiny", engine="tflite")
    shutil.copy(SHIPPED, path)
    card = tfflow.weights.preset_card("tiny")
    presets.write_card({**card, "tflite": {"int8": {"sha256": sha256_of(path)}}}, tmp_path)
    size = tfflow.load(SHIPPED, engine="tflite").size
    assert tfflow.load("tiny", engine="tflite").size == size
    assert tfflow.load(path, engine="tflite").size == size
    assert isinstance(tfflow.load("tiny", engine="keras"), tfflow.models.FlowModel)
    with pytest.raises(ValueError, match="runs on tflite, not on keras"):
        tfflow.load(path, engine="keras")
    with pytest.raises(ValueError, match="engine must be one of keras, tflite; got 'torch'"):
        tfflow.load("tiny", engine="torch")
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ValueError, match="damaged"):
        tfflow.load("tiny", engine="tflite")


def test_shipped_presets_load():
    for name in tfflow.weights.list_presets():
        assert tfflow.load(name).count_params() > 0


def test_load_refuses_what_it_does_not_know(tmp_path):
    with pytest.raises(FileNotFoundError):
        tfflow.load(tmp_path / "absent.keras")
    (tmp_path / "broken.keras").write_bytes(b"no zip")
    with pytest.raises(ValueError, match="can't be loaded as a Keras model: it is no zip archive"):
        tfflow.load(tmp_path / "broken.keras")
    with pytest.raises(ValueError, match="neither a preset"):
        tfflow.load("something.else")


def test_a_class_that_nothing_has_imported(tmp_path):
    class Unseen(tfflow.models.RillFlow):
        """A network of a user's own, in a module of its own."""

    Unseen(width=0.25).save(tmp_path / "unseen.keras")
    with pytest.raises(ValueError, match=r"is of a class Unseen .* --import MODULE\.$"):
        tfflow.load(tmp_path / "unseen.keras")
