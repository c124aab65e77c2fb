"""MaskFlowNet-S and MaskFlowNet against mmflow's numbers, and their switches."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden_files import (
    assert_close,
    images,
    load,
    nhwc,
    state_dict,
)

import tfflow
from tfflow.losses import MultiLevelEPE
from tfflow.models import MaskFlowNet, MaskFlowNetS
from tfflow.models.flownet import Encoder
from tfflow.models.maskflownet import CHANNELS, CascadeDecoder, FeatureMatching, centered
from tfflow.weights import load_mmflow
from tfflow.weights.layouts import kernel

RNG = np.random.default_rng(0)


@functools.cache
def network(**switches):
    """A MaskFlowNet that no test changes."""
    return MaskFlowNet(**switches)


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
        first = model.maskflownets(inputs) if name == "maskflownet" else {}
        logit = f"{case}.int.maskflownetS.decoder.mask_full_res"
        if logit in arrays:
            matched = 1 / (1 + np.exp(-nhwc(arrays[logit]).astype(np.float64)))
            for stage in (outputs, first):
                np.testing.assert_allclose(stage["occlusion"], 1 - matched, atol=1e-4)
        for key in (key for key in arrays if key.startswith(f"{case}.sub.")):
            assert_close(first[f"flow{key[-1]}"], nhwc(arrays[key]), 2e-5, key)


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


@pytest.fixture
def second_stage(monkeypatch):
    """Runs a MaskFlowNet and gives what its second stage was given: images, and decoder inputs."""

    def run(**switches):
        model, seen = network(**switches), {}
        originals = {Encoder: Encoder.call, CascadeDecoder: CascadeDecoder.call}

        def encode(self, x):
            if self is model.encoder:
                seen["images"] = np.asarray(x)
            return originals[Encoder](self, x)

        def decode(self, *inputs):
            seen["features1"], seen["features2"], _, seen["flows"] = inputs
            return originals[CascadeDecoder](self, *inputs)

        inputs = {f"image{i}": RNG.random((1, 64, 128, 3), np.float32) for i in (1, 2)}
        with monkeypatch.context() as patch:
            patch.setattr(Encoder, "call", encode)
            patch.setattr(CascadeDecoder, "call", decode)
            outputs = model(inputs)
        return seen, outputs, model.maskflownets(inputs)

    return run


@pytest.mark.parametrize("implementation", ["mmflow", "mxnet"])
def test_what_the_second_stage_starts_from(implementation, second_stage):
    seen, outputs, first = second_stage(implementation=implementation)
    is_mmflow = implementation == "mmflow"
    matched = 1 - np.asarray(outputs["occlusion"], np.float64)
    mask = seen["images"][1:, ..., 3:].astype(np.float64)
    found = 1 / (1 + np.exp(-mask)) if is_mmflow else mask + 0.5
    np.testing.assert_allclose(found, matched, atol=1e-4)
    assert not seen["images"][:1, ..., 3:].any()
    for level in (2, 3, 4):
        first_again = np.array_equal(seen["features2"][level], seen["features1"][level])
        assert first_again == (not is_mmflow and level < 4)
        given = np.asarray(first[f"flow{level}"])  # (u, v)
        expected = given if is_mmflow else given[..., ::-1]
        np.testing.assert_allclose(seen["flows"][level], expected, atol=1e-5)


@pytest.mark.parametrize("stage", [pytest.param("decoder", marks=pytest.mark.slow), "maskflownets"])
def test_both_stages_normalize(stage):
    normalized = network(normalize_correlation=True)
    plain = network()
    plain.set_weights(normalized.get_weights())
    if stage == "maskflownets":
        inputs = {f"image{i}": RNG.random((1, 64, 64, 3), np.float32) for i in (1, 2)}
        found = [model.maskflownets(inputs)["flow6"] for model in (plain, normalized)]
    else:
        sizes = {level: (64 >> level, 64 >> level) for level in range(2, 7)}
        channels = dict(enumerate(CHANNELS, start=1))
        maps = [
            {n: RNG.random((batch, *size, channels[n]), np.float32) for n, size in sizes.items()}
            for batch in (1, 1, 2)
        ]
        flows = {level: RNG.random((1, *size, 2), np.float32) for level, size in sizes.items()}
        found = [model.decoder(*maps, flows)[6] for model in (plain, normalized)]
    assert np.abs(found[0] - found[1]).max() > 0.1 * np.abs(found[0]).max()


def test_the_authors_implementation():
    config = network(implementation="mxnet").get_config()
    assert config["normalize_correlation"] and config["first_features_twice"]
    assert not config["swapped_first_flow"] and not config["raw_mask"]
    with pytest.raises(ValueError, match="implementation must be one of"):
        MaskFlowNet(implementation="torch")


@pytest.mark.slow
def test_the_first_stage_can_be_frozen(tmp_path):
    model = MaskFlowNet(freeze=("maskflownets",))
    before = {name: np.asarray(w) for name, w in model.weights_by_name().items()}
    weights = {f"level{level}": 1e-4 for level in range(2, 7)}
    model.compile("sgd", loss=MultiLevelEPE(weights), run_eagerly=True)
    inputs = {f"image{i}": RNG.random((1, 64, 64, 3), np.float32) for i in (1, 2)}
    model.train_on_batch(inputs, np.full((1, 64, 64, 2), 5, np.float32))
    for name, weight in model.weights_by_name().items():
        if name.startswith("maskflownets/"):
            np.testing.assert_array_equal(weight, before[name])
    moved = [(np.asarray(w) != before[n]).any() for n, w in model.weights_by_name().items()]
    assert sum(moved) > 0.9 * len(model.trainable_weights)
    with pytest.raises(ValueError, match="freeze must name parts of"):
        MaskFlowNet(freeze=("flownetc",))
    with pytest.raises(ValueError, match=r"model.maskflownets.start_from\(earlier\)"):
        model.start_from(MaskFlowNetS())

    model.maskflownets.trainable, model.encoder.trainable = True, False
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.frozen_parts == ("encoder",)
