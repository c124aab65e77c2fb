"""LiteFlowNet, its successor and their stages against mmflow's numbers, and their switches."""

import itertools

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
from tfflow import ops
from tfflow.losses import MultiLevelCharbonnier, MultiLevelEPE
from tfflow.models import LiteFlowNet, LiteFlowNet2
from tfflow.models.liteflownet.network import NetC
from tfflow.models.liteflownet.options import IMPLEMENTATIONS, MEAN1, MEAN2
from tfflow.models.liteflownet.units import FlowRegularization, PseudoLevel2
from tfflow.models.prediction import ImagePair
from tfflow.weights import load_mmflow
from tfflow.weights.layouts import kernel

RNG = np.random.default_rng(0)
STAGES = ("pre_M6S6", "pre_M6S6R6", "pre_M5S5R5", "pre_M4S4R4", "pre_M3S3R3", "pre_M2S2R2")
# The stages have some of the layers of the whole networks; one of them is looked at with these.
GOLDEN = [
    "liteflownet",
    "liteflownet2",
    "liteflownet_pre_M6S6",
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in (
            *(f"liteflownet_{stage}" for stage in STAGES[1:]),
            # M4S4R4 has no golden file, and LiteFlowNet2 no level 2.
            *(f"liteflownet2_{stage}" for stage in STAGES if stage[4:] not in ("M4S4R4", "M2S2R2")),
        )
    ),
]


def golden_model(name, description, **arguments):
    """The network of a golden file; fine-tuned weights go into the network before ``_ft``."""
    model = tfflow.models.create(name.split("_ft")[0], **arguments)
    return load_mmflow(model, state_dict(description))


@pytest.mark.parametrize("name", GOLDEN)
def test_equals_the_published_implementation(name):
    description, arrays = load(name)
    model = golden_model(name, description, unit_outputs=True)
    compared = 0
    for case in sorted({key.split(".")[0] for key in arrays}):
        outputs = model(images(arrays, case, bgr=True))
        # Case c is compared at the network's size: what resizes the images is not the network.
        flow = f"{case}.flow_network_size" if case == "c" else f"{case}.flow"
        if flow in arrays:
            assert_close(outputs["flow"], nhwc(arrays[flow]), 1e-5, flow)
        for key, expected in arrays.items():
            if key.startswith(f"{case}.pred.") and not key.endswith("level0"):  # made by the loss
                found = outputs[f"flow{key[-1]}"]
            elif key.startswith(f"{case}.int.level"):  # a.int.level5.NetM
                level, unit = key[len(f"{case}.int.level")], key[-1]
                found = outputs.get(f"flow{level}_{unit}", outputs[f"flow{level}"])
            else:
                continue
            assert_close(found, nhwc(expected), 1e-5, key)
            compared += 1
    assert compared >= len(model.levels)


@pytest.mark.parametrize("name", ["liteflownet", "liteflownet2"])
def test_flow_is_put_back_to_the_size_of_the_images(name):
    _, arrays = load(name)
    if "c.flow" not in arrays:
        pytest.skip("case c is among the full golden files alone, which are not here (../shared)")
    pair = ImagePair(*(arrays[f"c.orig{i}"][..., ::-1] for i in (1, 2)), multiple=64)
    for i in (1, 2):  # there rounded to whole grey levels on the way
        found = getattr(pair, f"image{i}") * 255
        assert np.abs(found - nhwc(arrays[f"c.img{i}"])[..., ::-1]).max() < 1
    found = pair.restore(nhwc(arrays["c.flow_network_size"]))
    assert_close(found, nhwc(arrays["c.flow"])[0], 1e-5)


@pytest.mark.parametrize(("case", "patch"), [("netr.p3", 3), ("netr.p5", 5)])
def test_regularization_unit(case, patch):
    description, arrays = load("ops")
    multiplier = description[case]["multiplier"]
    unit = FlowRegularization(patch, (7, 6), None, name="R")
    image1, image2, features, flow = (
        tf.Variable(nhwc(arrays[f"{case}.{name}"])) for name in ("img1", "img2", "feat", "flow")
    )

    def call():
        warped2 = ops.warp(image2, flow * multiplier, mask_threshold=0.9999)
        return unit(flow, ops.safe_norm(image1 - warped2, keepdims=True), features)[0]

    call()  # builds
    distance = "dist_layer" if patch == 3 else "dist_layer.{}"
    layers = [(f"layers.{i}.conv", layer) for i, layer in enumerate(unit.convolutions)]
    layers += [(distance.format(i), layer) for i, layer in enumerate(unit.distance)]
    for name, layer in layers:
        layer.kernel.assign(kernel(arrays[f"{case}.weight.{name}.weight"]))
        layer.bias.assign(arrays[f"{case}.weight.{name}.bias"])
    with tf.GradientTape() as tape:
        output = call()
        total = tf.reduce_sum(output * nhwc(arrays[f"{case}.gout"]))
    assert_close(output, nhwc(arrays[f"{case}.out"]), 1e-5, "out")
    names = ("gimg1", "gimg2", "gfeat", "gflow")
    for name, gradient in zip(names, tape.gradient(total, [image1, image2, features, flow])):
        assert_close(gradient, nhwc(arrays[f"{case}.{name}"]), 1e-4, name)


# Training --------------------------------------------------------------------------------------


@pytest.mark.parametrize("flow", [0.0, 1000.0], ids=["zero_flow", "flow_out_of_the_image"])
def test_gradients_are_finite_for_identical_frames(flow):
    model = tfflow.models.create("liteflownet2_pre_M5S5R5")
    for estimator in model.levels:
        for unit in (estimator.matching, estimator.refinement):
            unit.flow.kernel.assign(tf.zeros_like(unit.flow.kernel))
            unit.flow.bias.assign([flow, flow])
    image = np.zeros((1, 64, 64, 3), np.float32)  # level 6 has 2x2 pixels: all are at the border
    with tf.GradientTape() as tape:
        outputs = model({"image1": image, "image2": image})
        loss = MultiLevelEPE({"level6": 1.0, "level5": 1.0})(np.zeros((1, 64, 64, 2)), outputs)
    for gradient in tape.gradient(loss, model.trainable_variables):
        assert np.isfinite(gradient).all()


def test_a_stage_starts_from_the_one_before():
    names = [f"liteflownet_{stage}" for stage in STAGES]
    models = [tfflow.models.create(name) for name in names]
    fresh = {}
    for earlier, model in itertools.pairwise(models):
        fresh[model.name] = model.start_from(earlier)
    weights = [{n: np.asarray(w) for n, w in m.weights_by_name().items()} for m in models]
    for earlier, later in itertools.pairwise(weights):
        for name, value in earlier.items():
            np.testing.assert_array_equal(later[name], value)

    # What mmflow's hook leaves at its random values, because its shape changes with the level.
    assert all(name.startswith("level6/regularization/") for name in fresh[names[1]])
    hidden, distance = "conv1/kernel", ("distance_vertical", "distance_horizontal")
    distances = [f"regularization/{d}/{part}" for d in distance for part in ("kernel", "bias")]
    adapt = ["regularization/adapt/kernel"]
    flows = ["matching/flow/kernel", "refinement/flow/kernel"]
    # R's first layer of level 4 takes 131 channels as that of level 5 does, and is copied.
    expected = {
        5: [f"refinement/{hidden}", f"regularization/{hidden}", "upsample/kernel"],
        4: [f"refinement/{hidden}", *adapt, "regularization/adapt/bias", *flows, *distances],
        3: [f"refinement/{hidden}", *adapt, "matching/upsample/kernel"],
        2: ["adapt/kernel", "adapt/bias", *adapt, *flows, *distances],
    }  # fmt: skip
    for level, name in zip((5, 4, 3, 2), names[2:]):
        assert fresh[name] == sorted(f"level{level}/{weight}" for weight in expected[level])


def test_liteflownet2_stages_start_new_levels_at_random():
    earlier = tfflow.models.create("liteflownet2_pre_M6S6R6")
    later = tfflow.models.create("liteflownet2_pre_M5S5R5")
    assert all(name.startswith("level5/") for name in later.start_from(earlier))
    copied = tfflow.models.create("liteflownet2_pre_M5S5R5")
    fresh = copied.start_from(earlier, copy_levels=True)
    assert "level5/matching/conv1/kernel" not in fresh


def test_a_skipped_stage_leaves_what_nobody_trained_at_random():
    model = tfflow.models.create("liteflownet_pre_M5S5R5")
    fresh = model.start_from(tfflow.models.create("liteflownet_pre_M6S6"))
    # Level 6 has got no R from there, so level 5's is none of a trained network.
    assert "level5/regularization/conv2/kernel" in fresh
    assert "level5/matching/conv1/kernel" not in fresh


def test_stages_of_different_arithmetic_do_not_mix():
    with pytest.raises(ValueError, match="implementation='mmflow', the earlier stage"):
        LiteFlowNet(finest_level=5).start_from(LiteFlowNet(finest_level=6, implementation="caffe"))


def test_another_network_is_no_earlier_stage():
    model = tfflow.models.create("liteflownet_pre_M6S6")
    before = [np.asarray(w) for w in model.weights]
    with pytest.raises(ValueError, match="is not an earlier stage of liteflownet_pre_M6S6"):
        model.start_from(tfflow.models.create("liteflownet2_pre_M6S6"))
    with pytest.raises(ValueError, match="fewer levels or units"):
        model.start_from(tfflow.models.create("liteflownet_pre_M5S5R5"))
    with pytest.raises(ValueError, match="lightflow_0.5 is not an earlier stage"):
        model.start_from(tfflow.models.create("lightflow_0.5"))
    with pytest.raises(ValueError, match="expects a FlowModel.*got object"):
        model.start_from(object())
    for weight, value in zip(model.weights, before):
        np.testing.assert_array_equal(weight, value)


def test_losses_on_every_unit():
    # The official training: M, S and R of a level weigh the same.
    model = tfflow.models.create("liteflownet_pre_M6S6R6", unit_outputs=True)
    weights = {"level6": 0.32, "level6_M": 0.32, "level6_S": 0.32}
    model.compile("sgd", loss=MultiLevelCharbonnier(weights, q=0.5))
    inputs = {f"image{i}": RNG.random((1, 64, 64, 3), np.float32) for i in (1, 2)}
    assert set(model(inputs)) == {"flow", "flow6", "flow6_M", "flow6_S"}
    truth = RNG.standard_normal((1, 64, 64, 2)).astype(np.float32)
    shares = model.loss.per_level(truth, model(inputs))
    assert model.evaluate(inputs, truth, verbose=0) == pytest.approx(
        sum(float(share[0]) for share in shares.values()), rel=1e-5
    )


# Switches --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variant", "units", "warps"),
    [
        ("M", "M", 0),
        ("MS", "MS", 0),
        ("WM", "M", 4),  # before M, but at the coarsest level
        ("WMS", "MS", 9),  # and before S
        ("WSR", "SR", 9),  # before S, but at the coarsest level; and the image for R
        ("ALL", "MSR", 14),
    ],
)
def test_ablations(variant, units, warps, monkeypatch):
    from tfflow.models.liteflownet import network

    calls = []

    def counted(*args, **kwargs):
        calls.append(1)
        return ops.warp(*args, **kwargs)

    model = LiteFlowNet(**LiteFlowNet.ABLATIONS[variant], unit_outputs=True)
    for estimator in model.levels:
        present = zip("MSR", (estimator.matching, estimator.refinement, estimator.regularization))
        assert "".join(letter for letter, unit in present if unit is not None) == units
    monkeypatch.setattr(network, "warp", counted)
    inputs = {f"image{i}": RNG.random((1, 64, 64, 3), np.float32) for i in (1, 2)}
    outputs = model(inputs)
    assert set(outputs) == {"flow"} | {f"flow{n}" for n in range(2, 7)} | {
        f"flow{n}_{unit}" for n in range(2, 7) for unit in units[:-1]
    }
    assert len(calls) == warps


def test_the_residual_is_added_to_the_coarser_flow_without_warping_too():
    model = LiteFlowNet(finest_level=5, **LiteFlowNet.ABLATIONS["MS"])
    for estimator in model.levels:
        for unit in (estimator.matching, estimator.refinement):
            unit.flow.kernel.assign(tf.zeros_like(unit.flow.kernel))
    model.levels[0].refinement.flow.bias.assign([1.0, -2.0])
    outputs = model({f"image{i}": RNG.random((1, 64, 64, 3), np.float32) for i in (1, 2)})
    expected = model.levels[1].upsample(tf.constant([1.0, -2.0]) * tf.ones((1, 2, 2, 2)))
    np.testing.assert_allclose(outputs["flow5"], expected, atol=1e-6)


# The spec's table of what the implementations do differently, row by row.
SEMANTICS = {
    "mmflow": (False, True, "mmflow", (MEAN1, MEAN1), "direct", 64),
    "caffe": (True, False, "bilinear", (MEAN1, MEAN2), "triangle", 32),
    "sniklaus": (True, False, "bilinear", (MEAN1, MEAN2), "halving", 32),
}


@pytest.mark.parametrize("implementation", list(SEMANTICS))
def test_implementations(implementation):
    model = LiteFlowNet(finest_level=6, implementation=implementation)
    *expected, multiple = SEMANTICS[implementation]
    config = model.get_config()
    assert [config[switch] for switch in IMPLEMENTATIONS["mmflow"]] == expected
    assert model.multiple == multiple
    said_outright = LiteFlowNet(
        finest_level=6, implementation=implementation, upsampling="bilinear"
    )
    assert said_outright.get_config()["upsampling"] == "bilinear"


def test_each_image_loses_its_own_mean(monkeypatch):
    seen, model = [], LiteFlowNet(finest_level=6, implementation="caffe")
    original = NetC.call

    def call(self, x):
        seen.append(np.asarray(x))
        return original(self, x)

    monkeypatch.setattr(NetC, "call", call)
    image1, image2 = (np.full((1, 64, 64, 3), mean, np.float32) for mean in (MEAN1, MEAN2))
    model({"image1": image1, "image2": image2})
    np.testing.assert_allclose(seen[0], 0, atol=1e-7)


def test_image_pyramids():
    image = RNG.random((1, 128, 192, 3), np.float32)
    sizes = {level: (128 >> (level - 1), 192 >> (level - 1)) for level in range(1, 7)}
    features = {level: np.zeros((1, *size, 1)) for level, size in sizes.items()}

    def pyramid(kind, finest=2):
        return LiteFlowNet(finest_level=finest, image_pyramid=kind)._image_pyramid(image, features)

    direct, halving, triangle = (pyramid(kind) for kind in ("direct", "halving", "triangle"))
    halved = image
    for level in range(2, 7):
        np.testing.assert_allclose(direct[level], ops.resize(image, sizes[level]), atol=1e-6)
        halved = halved.reshape(1, *sizes[level][:1], 2, sizes[level][1], 2, 3).mean((2, 4))
        np.testing.assert_allclose(halving[level], halved, atol=1e-6)
        source = image if level <= 4 else triangle[4]
        expected = ops.downsample_triangle(source, sizes[level])
        np.testing.assert_allclose(triangle[level], expected, atol=1e-6)
    assert set(pyramid("direct", finest=5)) == {1, 5, 6}  # no more than R looks at


@pytest.mark.parametrize(("mask_outside", "expected"), [(True, 0.0), (False, 0.5)])
def test_pixels_that_come_half_from_outside(mask_outside, expected):
    level = LiteFlowNet(finest_level=6, mask_outside=mask_outside).levels[0]
    flow = np.zeros((1, 2, 3, 2), np.float32)
    flow[..., 0] = 0.5 / 0.625  # half a pixel of level 6, in network units
    warped = level._warp(np.ones((1, 2, 3, 1), np.float32), flow)
    np.testing.assert_allclose(warped[0, 0, :, 0], [1, 1, expected], atol=1e-6)


@pytest.fixture(scope="module")
def plain():
    return LiteFlowNet(finest_level=5)


@pytest.mark.parametrize(
    "switch",
    [
        {"normalize_correlation": True},
        {"mask_outside": False},
        {"upsampling": "bilinear"},
        {"image_means": ((0.4, 0.4, 0.4), (0.5, 0.5, 0.5))},
        {"image_pyramid": "halving"},
        {"image_pyramid": "triangle"},
    ],
    ids=lambda switch: "-".join(f"{k}={v}" for k, v in switch.items()),
)
def test_every_switch_matters(switch, plain):
    inputs = {f"image{i}": RNG.random((1, 128, 128, 3), np.float32) for i in (1, 2)}
    switched = LiteFlowNet(finest_level=5, **switch)
    taps = [w for w in switched.weights if w.path.endswith("upsample/kernel")]
    fixed = [np.asarray(w) for w in taps]
    switched.set_weights(plain.get_weights())
    for weight, value in zip(taps, fixed):
        weight.assign(value)
    difference = np.abs(plain(inputs)["flow"] - switched(inputs)["flow"])
    assert difference.max() > 1e-4


def test_official_kitti_model_ends_with_a_pseudo_level():
    model = LiteFlowNet2(implementation="caffe", pseudo_level2=True)
    assert sum(int(np.prod(v.shape)) for v in model.trainable_variables) == 6_491_963
    inputs = {f"image{i}": RNG.random((1, 64, 96, 3), np.float32) for i in (1, 2)}
    assert model(inputs)["flow2"].shape == (1, 32, 48, 2)


def test_pseudo_level_against_torch():
    torch = pytest.importorskip("torch", reason="PyTorch is an extra")
    level = PseudoLevel2(8, 6, "bilinear", name="level")
    shapes = {"flow": 2, "S": 8, "R": 6}
    flow, s, r = (RNG.standard_normal((1, 5, 6, c)).astype(np.float32) for c in shapes.values())
    found = level(flow, {"S": s, "R": r})

    def layer(module, x, transposed=False):
        weight, bias = (torch.tensor(np.asarray(w)) for w in (module.kernel, module.bias))
        if transposed:  # (h, w, out, in) to torch's (in, out, h, w)
            return torch.nn.functional.conv_transpose2d(
                x, weight.permute(3, 2, 0, 1), bias, stride=2, padding=1
            )
        return torch.nn.functional.conv2d(x, weight.permute(3, 2, 0, 1), bias, padding="same")

    s, r = (torch.tensor(np.moveaxis(x, -1, 1)) for x in (s, r))
    residual = layer(level.flow, layer(level.upsample_refinement, s, transposed=True))
    residual = np.moveaxis(residual.numpy(), 1, -1)
    taps = np.outer([0.25, 0.75, 0.75, 0.25], [0.25, 0.75, 0.75, 0.25])[..., None]
    refined = ops.upsample_transposed(flow, np.repeat(taps, 2, -1).astype(np.float32)) + residual
    distance = layer(level.upsample_regularization, r, transposed=True)
    for module in level.distance:
        distance = layer(module, distance)
    expected = ops.local_average(refined, np.moveaxis(distance.numpy(), 1, -1))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.fixture
def policy():
    """Sets Keras's precision for a test."""
    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)


def test_flow_stays_in_float32_in_mixed_precision(policy, tmp_path):
    inputs = {f"image{i}": RNG.random((1, 64, 64, 3), np.float32) for i in (1, 2)}
    model = LiteFlowNet(finest_level=5)
    exact = model(inputs)["flow"]
    policy("mixed_bfloat16")
    mixed = LiteFlowNet(finest_level=5)
    mixed.set_weights(model.get_weights())
    outputs = mixed(inputs)
    assert all(value.dtype == "float32" for value in outputs.values())
    assert 0 < np.abs(outputs["flow"] - exact).max() < 0.05 * np.abs(exact).max()
    mixed.save(tmp_path / "mixed.keras")
    policy("float32")
    loaded = keras.saving.load_model(tmp_path / "mixed.keras")
    np.testing.assert_array_equal(loaded(inputs)["flow"], outputs["flow"])
    assert keras.config.dtype_policy().name == "float32"
    with pytest.raises(ValueError, match=r"set_dtype_policy\('mixed_float16'\)"):
        LiteFlowNet(finest_level=6, dtype="mixed_float16")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"finest_level": 1}, "finest_level must be one of"),
        ({"implementation": "tensorflow"}, "implementation must be one of"),
        ({"upsampling": "nearest"}, "upsampling must be one of"),
        ({"image_pyramid": "gauss"}, "image_pyramid must be one of"),
        ({"use_matching": False, "use_refinement": False}, "use_matching or use_refinement"),
        ({"pseudo_level2": True}, "needs finest_level=3"),
        ({"feature_channels": (32, 64)}, "must be 6 whole numbers"),
        ({"estimator_channels": 64}, "estimator_channels must be whole numbers"),
        ({"regularization_channels": ()}, "regularization_channels must be whole numbers"),
        ({"image_means": (0.4, 0.4, 0.4)}, "must be two colours"),
        ({"normalize_correlation": "no"}, "normalize_correlation must be one of"),
        ({"finest_level": 6.0}, "finest_level must be one of"),
    ],
)
def test_impossible_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        LiteFlowNet(**arguments)


def test_liteflownet2_has_no_level_2():
    with pytest.raises(ValueError, match="finest_level must be 6 to 3"):
        LiteFlowNet2(finest_level=2)


def test_every_argument_survives_saving(tmp_path):
    means = np.full((2, 3), 0.5)
    arguments = {
        "image_means": means,
        "use_regularization": False,
        "implementation": "caffe",
        "unit_outputs": True,
    }
    model = LiteFlowNet(finest_level=5, estimator_channels=(16, 8), **arguments)
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").get_config() == model.get_config()
