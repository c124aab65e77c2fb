"""Presets: written, listed, loaded, and refused when they are damaged or of another network."""

import numpy as np
import pytest

import tfflow
from tfflow.weights import presets


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


def test_shipped_presets_load():
    for name in tfflow.weights.list_presets():
        assert tfflow.load(name).count_params() > 0


def test_load_refuses_what_it_does_not_know(tmp_path):
    with pytest.raises(FileNotFoundError):
        tfflow.load(tmp_path / "absent.keras")
    (tmp_path / "broken.keras").write_bytes(b"no zip")
    with pytest.raises(ValueError, match="can't be loaded as a Keras model"):
        tfflow.load(tmp_path / "broken.keras")
    with pytest.raises(ValueError, match="neither a preset"):
        tfflow.load("something.else")
