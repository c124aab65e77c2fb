"""FlowNetS, FlowNetC and the networks of FlowNet 2.0 against mmflow's numbers."""

import keras
import numpy as np
import pytest
from golden_files import (
    assert_close,
    images,
    load,
    nhwc,
    state_dict,
)

import tfflow
from tfflow import ops
from tfflow.losses import MultiLevelEPE
from tfflow.models import FlowNet2, FlowNet2SD, FlowNet2Stack, FlowNetC
from tfflow.models.flownet2 import Fusion, compare
from tfflow.weights import load_mmflow

RNG = np.random.default_rng(0)
# FlowNet2's parts are compared too, so that the smaller stacks are no more than parts of it.
PARTS_OF_FLOWNET2 = ("flownet2cs", "flownet2css")
NAMES = (
    *("flownets", "flownetc", "flownet2sd", "flownet2"),
    *(pytest.param(name, marks=pytest.mark.slow) for name in PARTS_OF_FLOWNET2),
)


@pytest.fixture(scope="module")
def stack():
    """FlowNet2-CS with its first network frozen: half a gigabyte, made once."""
    return FlowNet2Stack(refinements=1, freeze=("flownetc",))


@pytest.mark.parametrize("name", NAMES)
def test_equals_the_published_implementation(name):
    description, arrays = load(name)
    model = load_mmflow(tfflow.models.create(name), state_dict(description))
    for case in sorted({key.split(".")[0] for key in arrays}):
        inputs = images(arrays, case, bgr=True)
        outputs = model(inputs)
        # Case c is compared at the network's size: what resizes the images is not the network.
        flow = f"{case}.flow_network_size" if case == "c" else f"{case}.flow"
        if flow in arrays:
            assert_close(outputs["flow"], nhwc(arrays[flow]), 2e-5, flow)
        expected = [key for key in arrays if key.startswith(f"{case}.pred.")]
        assert len(expected) == len(outputs) - 1
        for key in expected:
            assert_close(outputs[f"flow{key[-1]}"], nhwc(arrays[key]), 2e-5, key)
        if f"{case}.gt" in arrays:
            settings = description["loss"]
            loss = MultiLevelEPE(settings["weights"], flow_div=settings["flow_div"])
            truth = nhwc(arrays[f"{case}.gt"])
            values = description["cases"][case]
            assert float(loss(truth, outputs)) == pytest.approx(values["loss_total"], rel=1e-5)
        parts = predictions_of_parts(model, inputs)
        for key in (key for key in arrays if key.startswith(f"{case}.sub.")):
            _, _, *path, _, level = key.split(".")
            assert_close(parts[path[-1]][f"flow{level[-1]}"], nhwc(arrays[key]), 2e-5, key)


def predictions_of_parts(model, inputs):
    """What the parts of a stack predict when they are called one by one, by mmflow's names."""
    if isinstance(model, FlowNet2):
        sd = model.flownet2sd(inputs)
        return {"flownetSD": sd, **predictions_of_parts(model.flownet2css, inputs)}
    if not isinstance(model, FlowNet2Stack):
        return {}
    outputs = {"flownetC": model.flownetc(inputs)}
    previous = outputs["flownetC"]
    for number, network in enumerate(model.corrections, start=1):
        flow = previous["flow"] / model.flow_div
        warped2, error = compare(inputs["image1"], inputs["image2"], previous["flow"])
        link = {"warped2": warped2, "flow": flow, "brightness_error": error}
        previous = outputs[f"flownetS{number}"] = network({**inputs, **link})
    return outputs


def test_link():
    _, arrays = load("ops")
    image1, image2, flow = (nhwc(arrays[f"link.bilinear.{n}"]) for n in ("img1", "img2", "flow"))
    upsampled = ops.resize(flow, image1.shape[1:3])
    assert_close(upsampled, nhwc(arrays["link.bilinear.upsample_flow"]), 1e-5, "upsampled")
    warped2, error = compare(image1, image2, upsampled * 20.0)
    assert_close(warped2, nhwc(arrays["link.bilinear.warped_img2"]), 1e-5, "warped")
    assert_close(error, nhwc(arrays["link.bilinear.brightness_err"]), 1e-5, "error")


def test_original_scale_of_the_small_displacement_network():
    mmflow, original = FlowNet2SD(), FlowNet2SD(flow_div=1 / 20)
    original.set_weights(mmflow.get_weights())
    inputs = {f"image{i}": RNG.random((1, 64, 64, 3), np.float32) for i in (1, 2)}
    ours, theirs = mmflow(inputs), original(inputs)
    np.testing.assert_array_equal(ours["flow2"], theirs["flow2"])
    np.testing.assert_allclose(theirs["flow"], np.asarray(ours["flow"]) / 400, rtol=1e-5)


def test_normalized_correlation_is_another_network():
    plain, caffe = FlowNetC(), FlowNetC(normalize_correlation=True)
    caffe.set_weights(plain.get_weights())
    inputs = {f"image{i}": RNG.random((1, 64, 64, 3), np.float32) for i in (1, 2)}
    assert np.abs(plain(inputs)["flow"] - caffe(inputs)["flow"]).max() > 1e-3
    assert (FlowNet2Stack(refinements=1).name, plain.name) == ("flownet2cs", "flownetc")


def test_a_part_of_a_stack_says_what_it_needs():
    part = tfflow.models.FlowNetS(stacked=True)
    image = RNG.random((1, 64, 64, 3), np.float32)
    with pytest.raises(ValueError, match="warped2.*It is part of a stack"):
        part({"image1": image, "image2": image})
    with pytest.raises(ValueError, match="call predict_flow of the stack"):
        part.predict_flow(image, image)


@pytest.mark.parametrize("freeze", [pytest.param((), marks=pytest.mark.slow), ("flownetc",)])
def test_a_frozen_part_keeps_its_weights(freeze):
    model = FlowNet2Stack(refinements=1, freeze=freeze)
    before = {name: np.asarray(w) for name, w in model.weights_by_name().items()}
    model.compile("sgd", loss=MultiLevelEPE({f"level{level}": 1e-3 for level in range(2, 7)}))
    inputs = {f"image{i}": RNG.random((1, 64, 64, 3), np.float32) for i in (1, 2)}
    model.train_on_batch(inputs, np.full((1, 64, 64, 2), 5, np.float32))
    for name, weight in model.weights_by_name().items():
        moved = (np.asarray(weight) != before[name]).any()
        # The coarser predictions of FlowNetC have no part in what comes after.
        if name.startswith("flownets1/") or (not freeze and "predict_flow2/" in name):
            assert moved, name
        elif freeze:
            assert not moved, name


def test_what_is_frozen_survives_saving(stack, tmp_path):
    model = stack
    model.flownetc.trainable, model.flownets1.trainable = True, False
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.frozen_parts == ("flownets1",)
    names = [{w.path for w in m.flownetc.trainable_weights} for m in (model, loaded)]
    assert names[0] == names[1] and names[0]


@pytest.mark.slow
def test_flownet2_freezes_parts_of_parts_and_knows_both_scales(monkeypatch):
    model = FlowNet2(freeze=("flownet2css/flownetc", "flownet2sd"))
    assert set(model.frozen_parts) == {"flownet2css/flownetc", "flownet2sd"}
    assert not model.flownet2css.flownetc.trainable_weights
    assert model.flownet2css.flownets1.trainable_weights and model.fusion.trainable_weights

    original = FlowNet2(sd_flow_div=1 / 20)
    assert original.get_config()["sd_flow_div"] == 1 / 20
    original.set_weights(model.get_weights())
    seen = []
    monkeypatch.setattr(
        Fusion, "call", lambda self, x: seen.append(np.asarray(x)) or {"flow1": x[..., :2]}
    )
    inputs = {f"image{i}": RNG.random((1, 64, 64, 3), np.float32) for i in (1, 2)}
    for network in (model, original):
        network(inputs)
    np.testing.assert_allclose(seen[1][..., 3:5], seen[0][..., 3:5] / 400, rtol=1e-4)
    np.testing.assert_allclose(seen[1][..., 5:7], seen[0][..., 5:7], rtol=1e-4)


def test_fusion_stays_in_float32_in_mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        fusion = Fusion(name="fusion")
        x = RNG.standard_normal((1, 64, 64, 11)).astype(np.float32)
        near = x.copy()
        near[..., 5] += 100.25
        x[..., 5] += 100.0
        found = [fusion(each)["flow1"] for each in (x, near)]
        assert found[0].dtype == "float32" and np.abs(found[0] - found[1]).max() > 0
        network = FlowNetC()
        inputs = {f"image{i}": RNG.random((1, 64, 64, 3), np.float32) for i in (1, 2)}
        assert all(flow.dtype == "float32" for flow in network(inputs).values())
    finally:
        keras.config.set_dtype_policy(before)


def test_weights_of_a_part_go_into_the_stack_as_they_are(stack):
    tensors = state_dict(load("flownetc")[0])
    load_mmflow(stack.flownetc, tensors)
    alone = load_mmflow(FlowNetC(), tensors)
    for mine, other in zip(stack.flownetc.get_weights(), alone.get_weights()):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"refinements": 3}, "refinements must be 1"),
        ({"freeze": ("flownetx",)}, "freeze must name parts of"),
        ({"freeze": "flownetc"}, "must be a tuple of names"),
    ],
)
def test_impossible_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        FlowNet2Stack(**arguments)
