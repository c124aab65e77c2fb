"""Every registered network: builds, counts, predicts any size, trains a step, saves and loads."""

import keras
import numpy as np
import pytest
from small_network import Small

import tfflow
from tfflow.losses import LightFlowL1, MultiLevelEPE
from tfflow.metrics import EndPointError

RNG = np.random.default_rng(0)
ENTRIES = [tfflow.models.entry(name) for name in tfflow.models.list()]
# The stacks of FlowNet 2.0 take half a gigabyte each; their numbers are in test_flownet.py.
LARGE = 50_000_000


# One of each kind; the rest are these with other numbers of channels and levels.
OF_EACH_KIND = (
    *("flownetc", "flownets", "lightflow_0.5", "liteflownet", "liteflownet2_pre_M5S5R5"),
    *("maskflownet", "rillflow_0.5"),
)


def names(*, one_of_each_kind=False):
    """All registered networks; what takes long is marked slow, and runs in make test-all."""

    def is_slow(entry):
        return entry.parameters > LARGE or (one_of_each_kind and entry.name not in OF_EACH_KIND)

    return [
        pytest.param(entry.name, marks=pytest.mark.slow if is_slow(entry) else ())
        for entry in ENTRIES
    ]


@pytest.fixture(scope="module")
def model(request):
    keras.utils.set_random_seed(0)
    return tfflow.models.create(request.param)


def of_each_kind(test):
    return pytest.mark.parametrize("model", names(one_of_each_kind=True), indirect=True)(test)


@pytest.mark.parametrize("model", names(), indirect=True)
def test_parameters_are_the_published_number(model):
    count = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    assert count == tfflow.models.entry(model.name).parameters


@of_each_kind
def test_outputs(model):
    images = RNG.random((2, 1, 64, 128, 3), np.float32)
    outputs = model({"image1": images[0], "image2": images[1]})
    assert outputs["flow"].shape == (1, 64, 128, 2)
    for key, value in outputs.items():
        if key in ("occlusion", "confidence"):
            assert value.shape == (1, 64, 128, 1)
            assert np.min(value) >= 0 and np.max(value) <= 1
        elif key != "flow":
            stride = model.level_stride(int(key[4]))
            assert value.shape == (1, 64 // stride, 128 // stride, 2)


@of_each_kind
def test_predict_flow_takes_what_people_have(model):
    image1, image2 = RNG.integers(0, 256, (2, 50, 70, 3), np.uint8)
    flow = model.predict_flow(image1, image2)
    assert flow.shape == (50, 70, 2) and flow.dtype == np.float32
    as_floats = model.predict_flow(image1 / np.float32(255), image2 / np.float32(255))
    near = 1e-3 + 1e-5 * np.abs(flow).max()  # random weights may give hundreds of px
    np.testing.assert_allclose(as_floats, flow, atol=near)
    batch = model.predict_flow(np.stack([image1, image2]), np.stack([image2, image1]))
    np.testing.assert_allclose(batch[0], flow, atol=near)


@of_each_kind
def test_compiled_is_as_eager(model):
    # TensorFlow rewrites graphs for speed, and not always rightly.
    images = {f"image{i}": RNG.random((1, 64, 128, 3), np.float32) for i in (1, 2)}
    compiled = model.predict_on_batch(images)
    for key, value in model(images).items():
        tolerance = 1e-3 * np.abs(value).max()
        np.testing.assert_allclose(compiled[key], value, atol=tolerance, err_msg=key)


@of_each_kind
def test_saves_and_loads(model, tmp_path):
    images = {f"image{i}": RNG.random((1, 64, 64, 3), np.float32) for i in (1, 2)}
    expected = model(images)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for key, value in loaded(images).items():
        np.testing.assert_array_equal(value, expected[key])


@pytest.mark.parametrize("name", names(one_of_each_kind=True))
def test_a_training_step_leaves_finite_weights_and_moves_them(name):
    keras.utils.set_random_seed(0)
    model = tfflow.models.create(name)
    images = {f"image{i}": RNG.random((2, 64, 64, 3), np.float32) for i in (1, 2)}
    levels = [key for key in model(images) if key.startswith("flow") and key != "flow"]
    weights = {key.replace("flow", "level"): 1e-3 for key in levels}
    # Eagerly: one step takes less time than tracing it. The test after this one compiles.
    model.compile(keras.optimizers.SGD(1e-4), loss=MultiLevelEPE(weights), run_eagerly=True)
    before = [np.asarray(w).copy() for w in model.trainable_variables]
    model.train_on_batch(images, np.full((2, 64, 64, 2), 20.0, np.float32))
    moved = [(np.asarray(w) != b).any() for w, b in zip(model.trainable_variables, before)]
    assert all(np.isfinite(w).all() for w in model.trainable_variables)
    # Biases before a batch norm, and what nothing flows through at this size, may stay.
    assert np.mean(moved) > 0.8


def test_fit_lowers_the_loss_and_the_compiled_model_survives_saving(tmp_path):
    model = Small()
    images = {f"image{i}": RNG.random((4, 64, 64, 3), np.float32) for i in (1, 2)}
    flow = np.full((4, 64, 64, 2), 20.0, np.float32)
    valid = np.ones((4, 64, 64), np.float32)
    model.compile(keras.optimizers.Adam(0.01), loss=LightFlowL1(), metrics=[EndPointError()])
    history = model.fit(images, flow, sample_weight=valid, epochs=15, batch_size=2, verbose=0)
    assert history.history["loss"][-1] < 0.6 * history.history["loss"][0]
    assert set(history.history) == {"loss", "epe"}

    model.save(tmp_path / "trained.keras")
    loaded = keras.saving.load_model(tmp_path / "trained.keras")
    for compiled in (model, loaded):
        before = compiled.evaluate(images, flow, sample_weight=valid, verbose=0, return_dict=True)
        if compiled is model:
            expected = before
    assert before == pytest.approx(expected, rel=1e-5)
    assert loaded.optimizer.iterations == model.optimizer.iterations


def test_a_stock_loss_sees_the_flow():
    model = tfflow.models.create("lightflow_0.5")
    images = {f"image{i}": RNG.random((1, 64, 64, 3), np.float32) for i in (1, 2)}
    model.compile("sgd", loss="mae")
    flow = np.asarray(model(images)["flow"])
    assert model.evaluate(images, flow + 3.0, verbose=0) == pytest.approx(3.0, rel=1e-5)


def test_validity_reaches_loss_and_metrics():
    model = tfflow.models.create("lightflow_0.5")
    images = {f"image{i}": RNG.random((1, 64, 64, 3), np.float32) for i in (1, 2)}
    truth = np.asarray(model(images)["flow"]).copy()
    valid = np.ones((1, 64, 64), np.float32)
    truth[0, :32], valid[0, :32] = np.nan, 0
    model.compile("sgd", loss=LightFlowL1(), metrics=[EndPointError()])
    result = model.evaluate(images, truth, sample_weight=valid, verbose=0, return_dict=True)
    assert result["epe"] < 1e-6
    assert np.isfinite(result["loss"])


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'lightflow'"):
        tfflow.models.create("lihgtflow")
    with pytest.raises(ValueError, match="No preset is named 'nonsense'"):
        tfflow.models.create("lightflow", preset="nonsense")


def test_registering_twice_is_refused():
    with pytest.raises(ValueError, match="registered already"):
        tfflow.models.register("lightflow", "tfflow.models.lightflow:LightFlow")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.zeros((1, 64, 64, 6)), "predict_flow"),
        ({"image1": np.zeros((1, 64, 64, 3))}, "expects"),
        ({"image1": np.zeros((1, 64, 64, 3)), "image2": np.zeros((1, 64, 128, 3))}, "one shape"),
        ({"image1": np.zeros((1, 64, 64, 1)), "image2": np.zeros((1, 64, 64, 1))}, "H, W, 3"),
    ],
)
def test_bad_inputs_of_a_call_are_named(inputs, message):
    with pytest.raises(ValueError, match=message):
        tfflow.models.create("lightflow_0.5")(inputs)
