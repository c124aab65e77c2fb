"""Parts of a network: frozen and thawed, before and between fits, saved and loaded."""

import warnings

import keras
import numpy as np
import pytest
from small_network import Small, images, truth_of

import tfflow
from tfflow.models.parts import parts_of
from tfflow.training.optimizers import AdamL2


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    return Small()


@pytest.mark.parametrize(
    "names", [("conv1",), ("norm",), ("conv1", "prediction")], ids=lambda names: "+".join(names)
)
@pytest.mark.parametrize("way", ["save", "clone", "config"])
def test_frozen_parts_stay_frozen(names, way, model, tmp_path):
    model.freeze_parts(names)
    if way == "save":
        model.compile("sgd", loss="mse")
        model.save(tmp_path / "frozen.keras")
        loaded = keras.saving.load_model(tmp_path / "frozen.keras", custom_objects={"Small": Small})
    elif way == "clone":
        loaded = keras.models.clone_model(model)
    else:
        loaded = Small.from_config(model.get_config())
    assert loaded.frozen_parts == names
    trained = [w.path for w in loaded.trainable_weights]
    assert trained == [w.path for w in model.trainable_weights]
    assert not any(f"/{name}/" in path for name in names for path in trained)


def test_freezing_other_parts_thaws_those_before(model):
    for names in (("conv1",), ("prediction",), ()):
        model.freeze_parts(names)
        assert model.frozen_parts == names
    network = tfflow.models.create("rillflow_0.5")
    whole = len(network.trainable_weights)
    for names in (("decoder2", "refinement"), ("down2",), ()):
        network.freeze_parts(names)
        assert network.frozen_parts == names
    assert len(network.trainable_weights) == whole


def test_freezing_after_compile_and_thawing_too(model, tmp_path):
    x = images()
    truth = truth_of(model, x)
    model.compile("adam", loss="mse")
    model.freeze_parts(["conv1"])
    model.fit(x, truth, verbose=0)
    model.save(tmp_path / "a.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Keras warns if it drops the optimizer's state
        loaded = keras.saving.load_model(tmp_path / "a.keras", custom_objects={"Small": Small})
    assert int(loaded.optimizer.iterations) == 1
    loaded.compile("adam", loss="mse")
    loaded.freeze_parts(())
    before = loaded.levels["2"][0].kernel.numpy()
    loaded.train_on_batch(x, truth)
    assert np.abs(loaded.levels["2"][0].kernel.numpy() - before).max() > 0


@pytest.mark.parametrize("scaled", [False, True])
def test_freezing_before_the_first_step_leaves_the_optimizer_as_it_is(model, scaled):
    x = images()
    truth = truth_of(model, x)
    inner = AdamL2(1e-3)
    optimizer = keras.optimizers.LossScaleOptimizer(inner) if scaled else inner
    model.compile(optimizer, loss="mse")
    before = len(optimizer.variables)
    model.freeze_parts(["conv1"])
    inner.learning_rate = 0.0
    kernel = model.prediction.kernel.numpy()
    model.train_on_batch(x, truth)
    assert model.optimizer is optimizer
    assert len(optimizer.variables) == before - 2 * 2  # Adam's moments of a kernel and a bias
    np.testing.assert_array_equal(model.prediction.kernel, kernel)
    inner.learning_rate = 1e-3
    model.train_on_batch(x, truth)
    assert np.abs(model.prediction.kernel.numpy() - kernel).max() > 0


def test_freezing_and_thawing_between_fits(model):
    x = images()
    truth = truth_of(model, x)
    kernels = {"conv1": model.levels["2"][0].kernel, "prediction": model.prediction.kernel}

    def moved():
        before = {name: kernel.numpy() for name, kernel in kernels.items()}
        model.fit(x, truth, verbose=0)
        return {name for name, value in before.items() if (kernels[name].numpy() != value).any()}

    model.compile("adam", loss="mse")
    assert moved() == {"conv1", "prediction"}
    model.freeze_parts(["conv1"])
    assert moved() == {"prediction"}
    model.freeze_parts(["prediction"])
    assert moved() == {"conv1"}
    model.freeze_parts(())
    assert moved() == {"conv1", "prediction"}
    assert int(model.optimizer.iterations) == 4


def test_what_an_optimizer_can_not_go_on_with_is_said(model):
    x = images()
    truth = truth_of(model, x)
    for frozen, later, options in (
        (["conv1"], [], {}),
        ([], ["conv1"], {"use_ema": True}),
    ):
        model.freeze_parts(frozen)
        model.compile(keras.optimizers.Adam(**options), loss="mse")
        model.train_on_batch(x, truth)
        model.freeze_parts(later)
        before = model.get_weights()
        with pytest.raises(ValueError, match="compile with a new one"):
            model.fit(x, truth, verbose=0)
        assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


@pytest.mark.parametrize(
    "name", ["liteflownet_pre_M6S6", pytest.param("maskflownet", marks=pytest.mark.slow)]
)
def test_a_whole_frozen_network_stays_frozen(name):
    model = tfflow.models.create(name)
    model.trainable = False
    assert not type(model).from_config(model.get_config()).trainable_weights


def test_layers_deep_inside_stay_frozen():
    model = tfflow.models.create("lightflow_0.5")
    model.encoder[2].depthwise.trainable = False
    assert model.frozen_parts == ("conv3/depthwise",)
    assert type(model).from_config(model.get_config()).frozen_parts == model.frozen_parts


@pytest.mark.parametrize("name", ["lightflow_0.5", "rillflow_0.5"])
def test_every_part_has_a_name_of_its_own(name):
    def count(layer):
        return sum(1 + count(part) for part in parts_of(layer).values())

    model = tfflow.models.create(name)
    assert count(model) == len(list(model._flatten_layers(include_self=False)))


@keras.saving.register_keras_serializable("tests")
class Nameless(tfflow.models.FlowModel):
    """A network whose layers have no names of their own; one of them is a functional model."""

    multiple = 8

    def __init__(self, name="nameless", **kwargs):
        super().__init__(name=name, **kwargs)
        make = keras.layers.Conv2D
        pixels = keras.Input((None, None, 6))
        self.backbone = keras.Model(pixels, make(4, 3, 2, "same")(make(4, 3, 2, "same")(pixels)))
        self.head = [make(4, 3, padding="same"), make(2, 3, padding="same")]
        self.build()

    def estimate(self, image1, image2, training=None):
        x = self.backbone(keras.ops.concatenate([image1, image2], -1))
        for layer in self.head:
            x = layer(x)
        return {"flow2": x}


def test_layers_without_names_have_the_same_ones_in_every_copy(tmp_path):
    first, second = Nameless(), Nameless()
    assert [*parts_of(first)] == ["functional", "conv2d", "conv2d_1"] == [*parts_of(second)]
    assert [layer.name for layer in second.layers] == [*parts_of(second)]
    assert len(second.weights_by_name()) == len(second.weights) == 8
    assert second.start_from(first) == []
    for mine, theirs in zip(second.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    second.freeze_parts(["functional/conv2d_1", "conv2d"])
    second.save(tmp_path / "frozen.keras")
    copies = keras.models.load_model(tmp_path / "frozen.keras"), keras.models.clone_model(second)
    for copy in copies:
        assert copy.frozen_parts == ("functional/conv2d_1", "conv2d")
        assert len(copy.trainable_weights) == 4


def test_two_layers_of_one_name_are_both_there():
    class Twice(tfflow.models.FlowModel):
        """Two layers that their author has named alike."""

        def __init__(self):
            super().__init__(name="twice")
            self.both = [keras.layers.Conv2D(2, 3, padding="same", name="conv") for _ in range(2)]
            self.build()

        def estimate(self, image1, image2, training=None):
            first, second = self.both
            return {"flow2": first(image1) + second(image2)}

    one, other = Twice(), Twice()
    assert [*parts_of(one)] == ["conv", "conv_1"] == [layer.name for layer in one.layers]
    assert other.start_from(one) == []
    for mine, theirs in zip(other.get_weights(), one.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("name", ["my net", "é", "_a"])
def test_names_that_tensorflow_does_not_take(name):
    with pytest.raises(ValueError, match="A network's name is of letters"):
        Small(name=name)


@pytest.mark.parametrize("way", ["save", "clone", "make"])
def test_a_network_that_is_frozen_whole_stays_so_within_another(way, tmp_path):
    """Whoever holds it asks its variables, not the network."""
    network = Small(trainable=False) if way == "make" else Small()
    network.trainable = False
    inputs = {f"image{i}": keras.Input((64, 64, 3), name=f"image{i}") for i in (1, 2)}
    outer = keras.Model(inputs, keras.layers.Conv2D(2, 1)(network(inputs)["flow"]))
    if way == "save":
        outer.save(tmp_path / "outer.keras")
        path = tmp_path / "outer.keras"
        outer = keras.saving.load_model(path, custom_objects={"Small": Small})
    elif way == "clone":
        outer = keras.models.clone_model(outer)
    assert len(outer.trainable_variables) == 2
    network = next(layer for layer in outer.layers if isinstance(layer, Small))
    network.trainable = True
    assert len(outer.trainable_variables) > 2
