"""Losses and metrics against mmflow's numbers, with gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden_files import assert_close, load, nhwc

from tfflow.losses import LightFlowL1, MaskFlowNetLoss, MultiLevelCharbonnier, MultiLevelEPE
from tfflow.metrics import EndPointError, FlOutliers

DESCRIPTION, ARRAYS = load("losses")
# mmflow averages unknown pixels in where it shrinks the truth; there we differ, on purpose.
CASES = [
    case
    for case, entry in DESCRIPTION.items()
    if "config" in entry
    and (not entry["valid"] or entry["config"].get("resize_flow") == "upsample")
]


def predictions():
    prefix = "inputs.pred.level"
    return {
        key.replace(prefix, "flow"): tf.Variable(nhwc(value))
        for key, value in ARRAYS.items()
        if key.startswith(prefix)
    }


@pytest.mark.parametrize("case", CASES)
def test_multi_level_losses(case):
    entry = DESCRIPTION[case]
    kind = MultiLevelCharbonnier if case.startswith("charbonnier") else MultiLevelEPE
    loss = kind(**entry["config"])
    loss = type(loss).from_config(loss.get_config())
    outputs, truth = predictions(), nhwc(ARRAYS["inputs.gt"])
    valid = ARRAYS["inputs.valid"] if entry["valid"] else None
    with tf.GradientTape() as tape:
        total = loss(truth, outputs, valid)
    assert float(total) == pytest.approx(entry["total"], rel=1e-6)

    levels = list(entry["config"]["weights"])
    gradients = tape.gradient(total, [outputs[level.replace("level", "flow")] for level in levels])
    for level, gradient in zip(levels, gradients):
        assert_close(gradient, nhwc(ARRAYS[f"{case}.g.{level}"]), 1e-5, level)


PARTLY = {
    "sum": MultiLevelEPE({"level3": 0.3, "level2": 1.0}),
    "mean": MultiLevelEPE({"level3": 0.3, "level2": 1.0}, reduction="mean"),
    "robust": MultiLevelEPE({"level3": 0.3, "level2": 1.0}, q=0.5, eps=1e-3, reduction="mean"),
    "level0": MultiLevelEPE({"level3": 0.3, "level0": 1.0}, reduction="mean"),
    "max_flow": MultiLevelEPE({"level3": 0.3, "level2": 1.0}, max_flow=100.0),
    "upsample": MultiLevelEPE({"level3": 0.3, "level2": 1.0}, resize_flow="upsample"),
    "charbonnier": MultiLevelCharbonnier({"level3": 0.3, "level2": 1.0}),
    "lightflow": LightFlowL1(),
    "maskflownet": MaskFlowNetLoss(),
}


@pytest.mark.parametrize("share", [1 / 64, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("name", PARTLY)
def test_a_right_prediction_of_a_partly_known_truth_has_no_gradient(name, share):
    """Whatever stands where the truth is unknown, and however much of it is known."""
    rng = np.random.default_rng(3)
    valid = (rng.random((2, 64, 64)) < share).astype("f4")
    truth = np.where(valid[..., None] > 0, np.float32([8, -4]), np.float32(np.nan))
    outputs = {
        f"flow{level}": tf.Variable(np.tile(np.float32([8, -4]) / 20, (2, *2 * (64 >> level,), 1)))
        for level in (2, 3, 4, 5, 6)
    }

    def value(predictions):
        return PARTLY[name](truth, {key: tf.identity(x) for key, x in predictions.items()}, valid)

    with tf.GradientTape() as tape:
        total = value(outputs)
    gradients = tape.gradient(total, list(outputs.values()), unconnected_gradients="zero")
    assert all(np.abs(gradient).max() < 1e-6 for gradient in gradients)
    for factor in (0.5, 0.9, 1.1):  # the right prediction is the best of all constant ones
        assert float(value({key: factor * x for key, x in outputs.items()})) > float(total)


def test_unknown_pixels_are_not_averaged_in():
    """Against NumPy: blocks' means over known pixels, weighed by the share that is known."""
    rng = np.random.default_rng(4)
    truth = rng.normal(0, 30, (2, 64, 64, 2))
    valid = (rng.random((2, 64, 64)) < 0.4) * (np.arange(64) < 40)  # a third has no truth at all
    prediction = rng.normal(size=(2, 16, 16, 2))
    error, weight = np.zeros((2, 16, 16)), np.zeros((2, 16, 16))
    for b, i, j in np.ndindex(2, 16, 16):
        block = np.s_[b, 4 * i : 4 * i + 4, 4 * j : 4 * j + 4]
        known = truth[block][valid[block] > 0]
        weight[b, i, j] = len(known) / 16
        if len(known):
            error[b, i, j] = np.linalg.norm(prediction[b, i, j] - known.mean(0) / 20)
    expected = {
        "sum": (error * weight).sum() / 2,
        "mean": np.mean([np.average(e, weights=w) for e, w in zip(error, weight)]),
    }
    unknown = np.where(valid[..., None] > 0, truth, np.inf)
    for reduction, wanted in expected.items():
        loss = MultiLevelEPE({"level2": 1.0}, reduction=reduction)
        found = loss(unknown.astype("f4"), {"flow2": prediction.astype("f4")}, valid.astype("f4"))
        assert float(found) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("name", PARTLY)
def test_a_batch_cut_in_parts_has_the_same_gradient(name):
    """One pair known whole and one to a sixteenth, together or one after the other."""
    rng = np.random.default_rng(5)
    truth = rng.normal(0, 20, (2, 64, 64, 2)).astype("f4")
    valid = np.ones((2, 64, 64), np.float32)
    valid[1, 16:], valid[1, :, 16:] = 0, 0
    outputs = {
        f"flow{level}": tf.Variable(rng.normal(size=(2, *2 * (64 >> level,), 2)).astype("f4"))
        for level in (2, 3, 4, 5, 6)
    }

    def gradient(parts):
        with tf.GradientTape() as tape:
            total = tf.add_n(
                [
                    PARTLY[name](truth[p], {k: x[p] for k, x in outputs.items()}, valid[p])
                    for p in parts
                ]
            ) / len(parts)
        found = tape.gradient(total, list(outputs.values()), unconnected_gradients="zero")
        return [tf.convert_to_tensor(g) for g in found]

    for whole, parted in zip(gradient([np.s_[:]]), gradient([np.s_[:1], np.s_[1:]])):
        np.testing.assert_allclose(whole, parted, rtol=1e-4, atol=1e-7)


def test_a_pair_without_truth_counts_nothing():
    outputs = {f"flow{n}": np.ones((1, *2 * (64 >> n,), 2), "f4") for n in (2, 3, 4, 5, 6)}
    truth, valid = np.full((1, 64, 64, 2), np.nan, "f4"), np.zeros((1, 64, 64), "f4")
    assert all(float(loss(truth, outputs, valid)) == 0 for loss in PARTLY.values())


def test_level0_is_made_from_the_finest_output():
    outputs = predictions()
    del outputs["flow0"]
    truth = nhwc(ARRAYS["inputs.gt"])
    full = keras.ops.image.resize(outputs["flow2"], truth.shape[1:3], antialias=False)
    expected = MultiLevelEPE({"level0": 1.0})(truth, {**outputs, "flow0": full})
    assert float(MultiLevelEPE({"level0": 1.0})(truth, outputs)) == pytest.approx(float(expected))


def test_lightflow_l1_is_the_mean_over_known_pixels():
    truth = np.zeros((1, 8, 8, 2), np.float32)
    truth[0, :4, :, 0] = 40.0
    outputs = {"flow2": np.zeros((1, 2, 2, 2), np.float32)}
    assert float(LightFlowL1()(truth, outputs)) == pytest.approx(2.0 / 4)
    valid = np.zeros((1, 8, 8), np.float32)
    valid[0, :4] = 1
    truth[0, 4:] = np.nan
    assert float(LightFlowL1()(truth, outputs, valid)) == pytest.approx(2.0 / 2)


@pytest.mark.parametrize("image", [0, 1])
def test_metrics_of_one_image(image):
    entry, (epe, fl) = DESCRIPTION[f"metrics{image}"], _metrics([image])
    assert epe == pytest.approx(entry["EPE"], rel=1e-6)
    assert fl == pytest.approx(entry["Fl"], rel=1e-6)


@pytest.mark.parametrize("shape", [(1, 1, 1, 2), (1, 10, 10, 1), (10, 10, 2)])
def test_metrics_compare_flows_of_one_size(shape):
    with pytest.raises(ValueError, match=r"got \(1, 10, 10, 2\) and"):
        EndPointError().update_state(np.ones((1, 10, 10, 2)), np.zeros(shape))


def test_metrics_pool_pixels_over_images():
    entry, (epe, fl) = DESCRIPTION["metrics_both"], _metrics([0, 1])
    assert epe == pytest.approx(entry["EPE"], rel=1e-6)
    assert fl == pytest.approx(entry["Fl"], rel=1e-6)


def test_a_flow_that_is_not_finite_is_an_outlier():
    outliers, flow = FlOutliers(), np.zeros((1, 2, 2, 2), np.float32)
    flow[0, 0, 0] = np.nan
    outliers.update_state(np.zeros((1, 2, 2, 2), np.float32), flow)
    assert float(outliers.result()) == 25.0


def _metrics(images):
    metrics = EndPointError(), FlOutliers()
    for image in images:
        truth, flow, valid = (
            ARRAYS[f"metrics{image}.{key}"][None] for key in ("flow_gt", "flow_pred", "valid")
        )
        truth = np.where(valid[..., None] > 0, truth, np.nan)  # unknown truth may be anything
        for metric in metrics:
            metric.update_state(truth, flow, valid)
    return [float(metric.result()) for metric in metrics]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MultiLevelEPE({"flow6": 1.0}), "weights must be like"),
        (lambda: MultiLevelEPE({"level6": 1.0}, p=3), "p must be one of"),
        (lambda: MultiLevelEPE({"level6": 1.0}, reduction="max"), "reduction must be one of"),
        (lambda: MultiLevelEPE({"level6": 1.0}, flow_div=0), "flow_div must be above 0; got 0"),
        (lambda: MultiLevelEPE({"level6": 1.0}, q=-1.0), "q must be above 0; got -1.0"),
        (lambda: MultiLevelEPE({"level6": 1.0}, max_flow=-5), "max_flow must be above 0; got -5"),
        (lambda: MultiLevelEPE({"level6": 1.0}, eps=-1), "eps must be at least 0; got -1"),
        (
            lambda: MultiLevelEPE({"level5": 1.0})(np.zeros((1, 64, 64, 2)), {"flow": 0.0}),
            r"weighs 'level5', but the model's outputs are \['flow'\]",
        ),
        (
            lambda: LightFlowL1()(np.zeros((1, 66, 64, 2)), {"flow2": np.zeros((1, 16, 16, 2))}),
            "whole number of pixels",
        ),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_maskflownet_loss_by_hand():
    """Every level in pixels, repeated from its corner on; the finest one counts most."""
    rng = np.random.default_rng(0)
    shapes = {"flow6": 1, "flow5": 2, "flow4": 4, "flow3": 8, "flow2": 16}
    # Constant predictions are the same at every size.
    values = {name: rng.normal(size=(2, 1, 1, 2)).astype("f4") for name in shapes}
    outputs = {name: np.tile(values[name], (1, n, n, 1)) for name, n in shapes.items()}
    truth = rng.normal(0, 9, (2, 64, 64, 2)).astype("f4")
    valid = (rng.random((2, 64, 64)) < 0.4).astype("f4")
    weights = {"flow6": 0.005, "flow5": 0.01, "flow4": 0.02, "flow3": 0.08, "flow2": 0.32}
    for q in (None, 0.4):
        expected = 0.0
        for name, weight in weights.items():
            difference = 20.0 * values[name].astype("f8") - truth
            error = np.sqrt((difference**2).sum(-1))
            if q is not None:
                error = np.abs(difference).sum(-1) ** q
            for one in range(2):
                expected += weight * error[one][valid[one] > 0].mean() / 2
        loss = MaskFlowNetLoss(q=q)
        loss = type(loss).from_config(loss.get_config())
        assert float(loss(truth, outputs, valid)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("options", [{"q": None}, {"p": 1}])
def test_charbonnier_has_one_norm_and_an_exponent(options):
    with pytest.raises(ValueError, match="MultiLevelEPE has the plain norms"):
        MultiLevelCharbonnier({"level2": 1.0}, **options)
