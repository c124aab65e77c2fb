"""After ``import tfflow``, Keras loads what was saved with our classes, in any process."""

import importlib
import pkgutil

import keras
import numpy as np
import pytest
from small_network import Small, images
from test_package import run

import tfflow
from tfflow import keras_classes
from tfflow.losses import LightFlowL1
from tfflow.metrics import EndPointError


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A saved training, and its loss on the same data again; beside it a layer of addons."""
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("trained")
    path = folder / "trained.keras"
    model = tfflow.models.create("lightflow_0.5", freeze_statistics=True)
    model.compile("adam", loss=LightFlowL1(), metrics=[EndPointError()], run_eagerly=True)
    images = {f"image{i}": np.ones((2, 64, 64, 3), np.float32) for i in (1, 2)}
    truth = np.ones((2, 64, 64, 2), np.float32)
    model.fit(images, truth, verbose=0)
    model.save(path)
    maps = [keras.Input((4, 5, 3)), keras.Input((4, 5, 3))]
    layer = tfflow.addons.layers.CorrelationCost(1, 2, 1, 1, 2, "channels_last", name="costs")
    keras.Model(maps, layer(maps)).save(folder / "addons.keras")
    return path, model.evaluate(images, truth, verbose=0)


@pytest.mark.parametrize("imports", ["import tfflow, keras", "import keras, tfflow"])
def test_a_new_process_loads_a_saved_training_and_a_layer_of_addons(trained, imports):
    path, _ = trained
    printed = run(
        f"{imports}\n"
        f"model = keras.models.load_model(r'{path}')\n"
        "print(type(model).__name__, type(model.loss).__name__, int(model.optimizer.iterations))\n"
        f"addons = keras.models.load_model(r'{path.with_name('addons.keras')}')\n"
        "print(addons.get_layer('costs').name)"
    )
    assert printed.splitlines() == ["LightFlow LightFlowL1 1", "costs"]


def test_load_with_compile_goes_on_with_the_training(trained):
    path, expected = trained
    model = tfflow.load(path, compile=True)
    images = {f"image{i}": np.ones((2, 64, 64, 3), np.float32) for i in (1, 2)}
    truth = np.ones((2, 64, 64, 2), np.float32)
    assert model.evaluate(images, truth, verbose=0) == pytest.approx(expected, rel=1e-5)
    model.fit(images, truth, verbose=0)
    assert int(model.optimizer.iterations) == 2
    assert not tfflow.load(path).compiled


def test_the_optimizers_state_comes_back_though_parts_were_frozen_since(tmp_path):
    model, x = Small(), images()
    model.compile(keras.optimizers.Adam(1e-3), "mae")
    truth = np.ones((2, 64, 64, 2), np.float32)
    model.fit(x, truth, verbose=0)
    model.freeze_parts(["prediction"])
    model.fit(x, truth, verbose=0)
    model.save(tmp_path / "frozen.keras")
    again = tfflow.load(tmp_path / "frozen.keras", compile=True)
    assert [v.path for v in again.trainable_variables] == [
        v.path for v in model.trainable_variables
    ]
    for one, other in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one, other)
    for each in (model, again):
        each.fit(x, truth, verbose=0)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_load_with_compile_is_refused_where_there_is_no_training(tmp_path):
    tfflow.models.create("lightflow_0.5").save(tmp_path / "new.keras")
    with pytest.raises(ValueError, match="no training"):
        tfflow.load(tmp_path / "new.keras", compile=True)
    for source in ("lightflow", tmp_path / "x.tflite"):
        with pytest.raises(ValueError, match="compile=True"):
            tfflow.load(source, compile=True)


def test_every_registered_class_is_announced():
    for module in pkgutil.walk_packages(tfflow.__path__, "tfflow."):
        if ".native" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    ours = {
        name: known.__module__
        for name, known in keras.saving.get_custom_objects().items()
        if getattr(known, "__module__", "").startswith("tfflow.")
    }
    assert ours == keras_classes.CLASSES
