"""ImageNet's weights: from where Keras downloads them to, and from a file."""

import pathlib
from unittest import mock

import h5py
import keras
import numpy as np
import pytest
from keras.src.applications import mobilenet
from keras.src.legacy.saving import legacy_h5_format

from tfflow.detection import FlowGuidedDetector

NAME = "mobilenet_2_5_224_tf_no_top.h5"


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """(a network of keras.applications, its weights as they are published)."""
    keras.utils.set_random_seed(1)
    network = keras.applications.MobileNet((224, 224, 3), 0.25, include_top=False, weights=None)
    path = tmp_path_factory.mktemp("weights") / NAME
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)
    return network, path


def detector(weights, **settings):
    settings = {"alpha": 0.25, "channels": 8, "depth": 0, **settings}
    return FlowGuidedDetector(2, weights=weights, **settings)


def assert_has_weights_of(model, network):
    there = {layer.name: layer for layer in model.backbone.layers}
    assert len(there) > 80
    for layer in filter(lambda each: each.weights, network.layers):
        for one, other in zip(there[layer.name].get_weights(), layer.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.fixture
def get_file(monkeypatch):
    """A stand-in for Keras's download, with its signature."""
    stand_in = mock.create_autospec(mobilenet.file_utils.get_file)
    monkeypatch.setattr(mobilenet.file_utils, "get_file", stand_in)
    return stand_in


def test_of_a_file(published):
    network, path = published
    assert_has_weights_of(detector(str(path)), network)


def test_downloaded(published, get_file, recwarn):
    network, path = published
    get_file.return_value = str(path)
    assert_has_weights_of(detector("imagenet"), network)
    (name, address), options = get_file.call_args
    assert name == NAME and address.endswith(f"/mobilenet/{NAME}")
    assert options == {"cache_subdir": "models"}
    assert not [each for each in recwarn if "input_shape" in str(each.message)]


def test_a_download_that_fails(get_file, monkeypatch):
    get_file.side_effect = Exception(f"URL fetch failure on https://a/{NAME}: None -- no network")
    folder = pathlib.Path("~/.keras/models").expanduser()
    monkeypatch.delenv("KERAS_HOME", raising=False)
    with pytest.raises(OSError, match="on https://a/mobilenet.* Fetch that file") as error:
        detector("imagenet")
    assert f"put it into {folder} under its own name" in str(error.value)
    assert "--weights FILE" in str(error.value)
    get_file.reset_mock()
    with pytest.raises(ValueError, match="alpha can be one of"):
        detector("imagenet", alpha=0.3)
    get_file.assert_not_called()


def test_a_file_that_does_not_fit(published, tmp_path):
    _, path = published
    with pytest.raises(FileNotFoundError, match="no weights at none.h5; expected a .h5"):
        detector("none.h5")
    with pytest.raises(ValueError, match="not hold the weights of MobileNet with alpha=0.5"):
        detector(str(path), alpha=0.5)
    with pytest.raises(ValueError, match="not hold the weights of MobileNetV2"):
        detector(str(path), backbone="mobilenet_v2", alpha=0.35)
    (tmp_path / "broken.h5").write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="not hold the weights of MobileNet with"):
        detector(str(tmp_path / "broken.h5"))
