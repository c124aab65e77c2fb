"""MaskFlowNet-S and MaskFlowNet against mmflow's numbers, and their switches."""

import numpy as np
import pytest
import tensorflow as tf
from golden_files import (
    assert_close,
    assert_gradient_norms_close,
    assignments,
    images,
    load,
    nhwc,
    state_dict,
)

import tfflow
from tfflow.losses import MultiLevelEPE
from tfflow.models import MaskFlowNet
from tfflow.models.maskflownet import FeatureMatching, centered
from tfflow.weights import load_mmflow
from tfflow.weights.layouts import kernel

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("name", ["maskflownets", "maskflownet"])
def test_equals_the_published_implementation(name):
    description, arrays = load(name)
    model = load_mmflow(tfflow.models.create(name), state_dict(description))
    for case in sorted({key.split(".")[0] for key in arrays}):
        inputs = images(arrays, case, bgr=True)
        outputs = model(inputs)
        flow = f"{case}.flow_network_size" if case == "c" else f"{case}.flow"
        if flow in arrays:
            assert_close(outputs["flow"], nhwc(arrays[flow]), 2e-5, flow)
        expected = [key for key in arrays if key.startswith(f"{case}.pred.")]
        assert len(expected) == 5
        for key in expected:
            assert_close(outputs[f"flow{key[-1]}"], nhwc(arrays[key]), 2e-5, key)
        logit = f"{case}.int.maskflownetS.decoder.mask_full_res"
        if logit in arrays:
            matched = 1 / (1 + np.exp(-nhwc(arrays[logit]).astype(np.float64)))
            np.testing.assert_allclose(outputs["occlusion"], 1 - matched, atol=1e-4)
        first = model.maskflownets(inputs) if name == "maskflownet" else {}
        for key in (key for key in arrays if key.startswith(f"{case}.sub.")):
            assert_close(first[f"flow{key[-1]}"], nhwc(arrays[key]), 2e-5, key)


@pytest.mark.parametrize("name", ["maskflownets", "maskflownet"])
def test_losses_and_gradients_are_the_published_ones(name):
    description, arrays = load(name)
    if "a.gt" not in arrays:
        pytest.skip("its gradients are among the full golden files alone (../shared)")
    with assignments() as names:
        model = load_mmflow(tfflow.models.create(name), state_dict(description))
    loss = MultiLevelEPE(description["loss"]["weights"])
    inputs, truth = images(arrays, "a", bgr=True), nhwc(arrays["a.gt"])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            value = loss(truth, model(inputs))
        return value, tape.gradient(value, list(names.values()))

    value, gradients = step()
    case = description["cases"]["a"]
    assert float(value) == pytest.approx(case["loss_total"], rel=1e-5)
    assert_gradient_norms_close(dict(zip(names, gradients)), description, arrays, 1e-2)


@pytest.mark.parametrize("case", ["deformwarp.basic", "deformwarp.asymofmm"])
def test_feature_matching(case):
    _, arrays = load("ops")
    masked = case.endswith("asymofmm")
    unit = FeatureMatching(masked, name="matching")
    names = ("feat2", "flow", "mask", "up_feat") if masked else ("feat2", "flow")
    inputs = [tf.Variable(nhwc(arrays[f"{case}.{name}"])) for name in names]
    unit(*inputs)  # builds
    unit.deformable.kernel.assign(kernel(arrays[f"{case}.weight.deconv.weight"]))
    unit.deformable.bias.assign(arrays[f"{case}.weight.deconv_bias"].ravel())
    if masked:
        unit.tradeoff.kernel.assign(kernel(arrays[f"{case}.weight.tradeoff_conv.weight"]))
        unit.tradeoff.bias.assign(arrays[f"{case}.weight.tradeoff_conv.bias"])
    with tf.GradientTape() as tape:
        output = unit(*inputs)
        total = tf.reduce_sum(output * nhwc(arrays[f"{case}.gout"]))
    assert_close(output, nhwc(arrays[f"{case}.out"]), 1e-5, "out")
    for name, gradient in zip(names, tape.gradient(total, inputs)):
        expected = nhwc(arrays[f"{case}.g{name}"])
        assert_close(tf.convert_to_tensor(gradient), expected, 1e-5, f"g{name}")


def test_both_images_lose_their_common_mean():
    _, arrays = load("ops")
    found = centered(*(nhwc(arrays[f"centralize.img{i}"]) for i in (1, 2)))
    for i in (1, 2):
        assert_close(found[i - 1], nhwc(arrays[f"centralize.out{i}"]), 1e-5, f"image {i}")


@pytest.mark.parametrize(
    "switch",
    [
        {"normalize_correlation": True},
        {"swapped_first_flow": False},
        {"raw_mask": False},
        {"first_features_twice": True},
    ],
    ids=lambda switch: next(iter(switch)),
)
def test_every_switch_matters(switch):
    inputs = {f"image{i}": RNG.random((1, 64, 128, 3), np.float32) for i in (1, 2)}
    plain, switched = MaskFlowNet(), MaskFlowNet(**switch)
    switched.set_weights(plain.get_weights())
    assert np.abs(plain(inputs)["flow"] - switched(inputs)["flow"]).max() > 1e-4


def test_the_authors_implementation():
    config = MaskFlowNet(implementation="mxnet").get_config()
    assert config["normalize_correlation"] and config["first_features_twice"]
    assert not config["swapped_first_flow"] and not config["raw_mask"]
    with pytest.raises(ValueError, match="implementation must be one of"):
        MaskFlowNet(implementation="torch")


def test_the_first_stage_can_be_frozen():
    model = MaskFlowNet(freeze=("maskflownets",))
    before = {name: np.asarray(w) for name, w in model.weights_by_name().items()}
    model.compile("sgd", loss=MultiLevelEPE({"level2": 1e-5}))
    inputs = {f"image{i}": RNG.random((1, 64, 64, 3), np.float32) for i in (1, 2)}
    model.train_on_batch(inputs, np.full((1, 64, 64, 2), 5, np.float32))
    moved = {
        name for name, w in model.weights_by_name().items() if (np.asarray(w) != before[name]).any()
    }
    assert moved and not any(name.startswith("maskflownets/") for name in moved)
    with pytest.raises(ValueError, match="freeze must be"):
        MaskFlowNet(freeze=("encoder",))
