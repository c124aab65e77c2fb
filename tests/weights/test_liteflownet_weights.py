"""Checkpoints of mmflow, of the official Caffe model and of its PyTorch port into LiteFlowNet."""

import functools

import numpy as np
import pytest
from golden_files import images, load, state_dict

import tfflow
from tfflow.models import LiteFlowNet, LiteFlowNet2
from tfflow.models.liteflownet.options import MEAN1, MEAN2
from tfflow.weights import load_lightflow_pytorch, load_liteflownet_official, load_mmflow
from tfflow.weights.importing import import_checkpoint
from tfflow.weights.projects import networks_that_fit

RNG = np.random.default_rng(0)
SMALL = "liteflownet_pre_M5S5R5"


@functools.cache
def network(kind, *arguments, **switches):
    """A network that is shared by the tests: loading gives it all its weights, or fails."""
    return kind(*arguments, **switches)


def small():
    return network(tfflow.models.create, SMALL)


@pytest.fixture(scope="module")
def golden():
    description, arrays = load(SMALL)
    return state_dict(description), images(arrays, "a", bgr=True)


@pytest.mark.parametrize("kind", ["npz", "pth", "safetensors"])
def test_round_trip_is_exact_to_the_bit(kind, golden, tmp_path):
    tensors, inputs = golden
    expected = load_mmflow(small(), tensors)(inputs)["flow"]
    path = tmp_path / f"checkpoint.{kind}"
    if kind == "npz":
        np.savez(path, **tensors)
    elif kind == "safetensors":
        pytest.importorskip("safetensors.numpy").save_file(tensors, path)
    else:
        torch = pytest.importorskip("torch", reason="PyTorch is an extra; install it for .pth")
        as_torch = {name: torch.from_numpy(np.array(t)) for name, t in tensors.items()}
        torch.save({"state_dict": as_torch, "meta": {"epoch": 1}}, path)
    imported = load_mmflow(tfflow.models.create(SMALL), path)
    imported.save(tmp_path / "model.keras")
    loaded = tfflow.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(inputs)["flow"], expected)


def test_all_problems_of_a_checkpoint_are_listed(golden):
    tensors = dict(golden[0])
    tensors["decoder.decoders.level5.NetM.pred_flow.bias"] = np.zeros(3)
    del tensors["encoder.layers.0.layers.0.conv.weight"]
    tensors["decoder.flow_head"] = np.zeros(1)
    model = small()
    before = [np.asarray(w) for w in model.weights]
    with pytest.raises(ValueError, match=r"no mmflow checkpoint.* \(3 of 82 tensors") as error:
        load_mmflow(model, tensors)
    message = str(error.value)
    assert (
        "missing: encoder.layers.0.layers.0.conv.weight" in message and "(7, 7, 3, 32)" in message
    )
    assert "wrong shape: decoder.decoders.level5.NetM.pred_flow.bias is (3,)" in message
    assert "surplus: decoder.flow_head (1,)" in message
    for weight, value in zip(model.weights, before):
        np.testing.assert_array_equal(weight, value)


def test_mmflow_needs_its_own_switches_and_networks(golden):
    with pytest.raises(ValueError, match="normalize_correlation=False, mask_out"):
        load_mmflow(network(LiteFlowNet, finest_level=5, implementation="caffe"), golden[0])
    with pytest.raises(TypeError, match="mmflow has no LightFlow"):
        load_mmflow(tfflow.models.create("lightflow_0.5"), golden[0])


def test_tensors_that_would_be_used_twice_or_cut(golden):
    model = small()
    name = "decoder.decoders.level6.upflow_layer.weight"
    with pytest.raises(ValueError, match=f"wrong shape: {name} is \\(2, 2, 4, 4\\)"):
        load_mmflow(model, {**golden[0], name: np.zeros((2, 2, 4, 4), np.float32)})
    with pytest.raises(ValueError, match="which are one tensor"):
        load_mmflow(model, {**golden[0], f"module.{name}": golden[0][name]})


def test_half_precision_checkpoints(golden, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is an extra")
    tensors = {name: torch.tensor(t).to(torch.bfloat16) for name, t in golden[0].items()}
    torch.save(tensors, tmp_path / "half.pth")
    kernel = load_mmflow(tfflow.models.create(SMALL), tmp_path / "half.pth").levels[0].matching
    expected = golden[0]["decoder.decoders.level6.NetM.pred_flow.weight"].transpose(2, 3, 1, 0)
    np.testing.assert_allclose(kernel.flow.kernel, expected, rtol=0.01)


@pytest.mark.parametrize(
    "arguments", [{"image_pyramid": "triangle"}, {"use_warp": False}], ids=["pyramid", "warp"]
)
def test_mmflow_weights_for_a_network_that_computes_otherwise(arguments, golden):
    with pytest.raises(ValueError, match=f"need a model with {next(iter(arguments))}="):
        load_mmflow(LiteFlowNet(finest_level=5, **arguments), golden[0])


# The official model: the names of its prototxts, written out ------------------------------------

FEATURES = {"conv1": (32, 3, 7)} | {
    "conv2_1": (32, 32, 3), "conv2_2": (32, 32, 3), "conv2_3": (32, 32, 3), "conv3_1": (64, 32, 3),
    "conv3_2": (64, 64, 3), "conv4_1": (96, 64, 3), "conv4_2": (96, 96, 3), "conv5": (128, 96, 3),
    "conv6": (192, 128, 3),
}  # fmt: skip
CHANNELS = {6: 192, 5: 128, 4: 96, 3: 64, 2: 32}


def official(hidden, finest, pseudo_level2=False):
    """Random tensors of the official LiteFlowNet (2) by layer and blob."""
    tensors = {}

    def layer(name, *shape, bias=True):
        tensors[f"{name}.0"] = RNG.standard_normal(shape).astype(np.float32) * 0.05
        if bias:
            tensors[f"{name}.1"] = RNG.standard_normal(shape[:1]).astype(np.float32) * 0.05

    def distance(level, patch):
        if patch == 3:
            layer(f"dist_R_L{level}", 9, 32, 3, 3)
        else:
            layer(f"distH_R_L{level}", patch**2, 32, patch, 1)
            layer(f"distW_R_L{level}", patch**2, patch**2, 1, patch)
        ones = {"sum_exp_kernel_R": patch**2, "scaled_flow0_R_x": 1, "scaled_flow0_R_y": 1}
        for name, out in ones.items():
            head, _, axis = name.partition("_R")
            tensors[f"{head}_R_L{level}{axis}.0"] = np.ones((out, patch**2, 1, 1), np.float32)
            tensors[f"{head}_R_L{level}{axis}.1"] = np.zeros(out, np.float32)

    for name, (out, into, k) in FEATURES.items():
        layer(name, out, into, k, k)
    for level in range(6, finest - 1, -1):
        patch, features = {6: 3, 5: 3, 4: 5, 3: 5, 2: 7}[level], max(CHANNELS[level], 64)
        for unit, channels in (("D1", 49), ("D2", 2 * features + 2)):
            for i, out in enumerate(hidden, start=1):
                layer(f"conv{i}_{unit}_L{level}", out, channels, 3, 3)
                channels = out
            residual = "" if (unit, level) == ("D1", 6) else "_res"
            layer(f"scaled_flow_{unit}{residual}_L{level}", 2, channels, patch, patch)
        channels = 3 + max(CHANNELS[level], 128)
        for i, out in enumerate((128, 128, 64, 64, 32, 32), start=1):
            layer(f"conv{i}_R_L{level}", out, channels, 3, 3)
            channels = out
        distance(level, patch)
        if level < 5:
            layer(f"F0_128_L{level}", 128, CHANNELS[level], 1, 1)
        if level < 4:
            layer(f"corr_L{level}", 49, 1, 4, 4, bias=False)
        if level < 6:
            layer(f"scaled_flow_R_L{level + 1}to{level}", 2, 1, 4, 4, bias=False)
    if finest == 2:
        layer("F0_F1_64_L2", 64, 32, 1, 1)
    if pseudo_level2:
        layer("scaled_flow_R_L3to2", 2, 1, 4, 4, bias=False)
        layer("conv5_D2_L2", 32, 32, 4, 4)
        layer("scaled_flow_D2_res_L2", 2, 32, 7, 7)
        layer("conv6_R_L2", 32, 32, 4, 4)
        distance(2, 7)
    for frame, mean in ((0, MEAN1), (1, MEAN2)):
        tensors[f"img{frame}s_aug.0"] = np.array([3000.0], np.float32)
        tensors[f"img{frame}s_aug.1"] = np.zeros((3, 4, 4), np.float32)
        tensors[f"img{frame}s_aug.2"] = np.array(mean[::-1], np.float32).reshape(1, 3, 1, 1)
    return tensors


def test_official_liteflownet():
    tensors = official((128, 64, 32), 2)
    model = load_liteflownet_official(network(LiteFlowNet, implementation="caffe"), tensors)
    level2 = model.levels[-1]
    expected = np.transpose(tensors["conv2_D2_L2.0"], (2, 3, 1, 0))
    np.testing.assert_array_equal(level2.refinement.convolutions[1].kernel, expected)
    np.testing.assert_array_equal(level2.adapt.bias, tensors["F0_F1_64_L2.1"])
    taps = np.transpose(tensors["scaled_flow_R_L3to2.0"][:, 0], (1, 2, 0))
    np.testing.assert_array_equal(level2.upsample.kernel, taps)
    first = np.transpose(tensors["conv1.0"], (2, 3, 1, 0))[:, :, ::-1]  # BGR there, RGB here
    np.testing.assert_array_equal(model.net_c.blocks[0][0].kernel, first)
    flows = (level2.matching.flow, "D1_res"), (level2.refinement.flow, "D2_res")
    for layer, name in flows:
        expected = np.transpose(tensors[f"scaled_flow_{name}_L2.0"], (2, 3, 1, 0))
        np.testing.assert_array_equal(layer.kernel, expected)
    # The same with the names that a conversion to torch gives.
    renamed = {
        n.replace(".0", ".weight").replace(".1", ".bias") if "aug" not in n else n: t
        for n, t in tensors.items()
    }
    again = load_liteflownet_official(network(LiteFlowNet, implementation="sniklaus"), renamed)
    for mine, other in zip(again.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.slow
def test_official_liteflownet2_for_kitti():
    hidden = (128, 128, 96, 64, 32)
    tensors = official(hidden, 3, pseudo_level2=True)
    model = LiteFlowNet2(implementation="caffe", pseudo_level2=True)
    load_liteflownet_official(model, tensors)
    expected = np.transpose(tensors["conv6_R_L2.0"], (2, 3, 1, 0))
    np.testing.assert_array_equal(model.pseudo_level.upsample_regularization.kernel, expected)
    plain = LiteFlowNet2(implementation="caffe")
    with pytest.raises(ValueError, match="surplus: conv5_D2_L2.weight"):
        load_liteflownet_official(plain, tensors)
    load_liteflownet_official(plain, official(hidden, 3))


@pytest.mark.slow
def test_official_weights_that_contradict_the_network():
    tensors = official((128, 64, 32), 2)
    with pytest.raises(ValueError, match="normalize_correlation=True"):
        load_liteflownet_official(network(LiteFlowNet), tensors)
    model = network(LiteFlowNet, implementation="caffe")
    other_mean = {**tensors, "img1s_aug.2": np.array([0.4, 0.4, 0.5], np.float32)}
    with pytest.raises(ValueError, match="image_means"):
        load_liteflownet_official(model, other_mean)
    short_mean = {**tensors, "img1s_aug.2": np.array([0.4], np.float32)}
    with pytest.raises(ValueError, match="image_means"):
        load_liteflownet_official(model, short_mean)
    port = LiteFlowNet(normalize_correlation=True, mask_outside=False)  # with mmflow's means
    with pytest.raises(ValueError, match="need a model with image_means="):
        load_liteflownet_official(port, sniklaus(tensors))
    twice = {**tensors, "conv1.weight": tensors["conv1.0"]}
    with pytest.raises(ValueError, match="which are one tensor"):
        load_liteflownet_official(model, twice)
    with pytest.raises(TypeError, match="has no LightFlow; it has LiteFlowNet"):
        load_liteflownet_official(tfflow.models.create("lightflow_0.5"), tensors)
    with pytest.raises(TypeError, match="has no LiteFlowNet; it has LightFlow"):
        load_lightflow_pytorch(model, tensors)
    light = LiteFlowNet2(implementation="sniklaus", pseudo_level2=True)
    with pytest.raises(ValueError, match="pseudo_level2=False"):
        load_liteflownet_official(light, sniklaus(tensors))
    other_sum = {**tensors, "sum_exp_kernel_R_L6.0": np.full((9, 9, 1, 1), 0.5, np.float32)}
    with pytest.raises(ValueError, match="sum_exp_kernel_R_L6.weight is expected to hold 1.0"):
        load_liteflownet_official(model, other_sum)


def sniklaus(tensors):
    """The official tensors under the port's names, without the means."""
    renamed = {}
    blob = {"0": "weight", "1": "bias"}
    number = dict(zip("123456", ("One", "Two", "Thr", "Fou", "Fiv", "Six")))
    units = {"D1": "Matching", "D2": "Subpixel", "R": "Regularization"}
    for name, value in tensors.items():
        layer, part = name.split(".")
        part, level = blob.get(part), layer[layer.rfind("L") + 1 :][:1]
        i = int(level) - 2 if level.isdigit() else None
        if "aug" in layer or layer.startswith("sum_exp"):
            continue
        if layer in FEATURES:
            first, _, second = layer.removeprefix("conv").partition("_")
            new = f"moduleFeatures.module{number[first]}.{2 * (int(second or 1) - 1)}"
        elif layer.startswith("conv"):
            kind = layer.split("_")[1]
            new = f"module{units[kind]}.{i}.moduleMain.{2 * (int(layer[4]) - 1)}"
        elif "to" in layer:  # scaled_flow_R_L6to5 is with the finer level's matching
            new = f"moduleMatching.{i - 1}.moduleUpflow"
        elif layer.startswith("corr"):
            new = f"moduleMatching.{i}.moduleUpcorr"
        elif layer.startswith("scaled_flow_D"):
            new = f"module{units[layer.split('_')[2]]}.{i}.moduleMain.6"
        elif layer.startswith("scaled_flow0"):
            new = f"moduleRegularization.{i}.moduleScale{layer[-1].upper()}"
        elif layer.startswith("dist"):
            new = f"moduleRegularization.{i}.moduleDist.{int('W' in layer)}"
        elif layer == "F0_F1_64_L2":
            renamed[f"moduleSubpixel.0.moduleFeat.0.{part}"] = value
            new = "moduleMatching.0.moduleFeat.0"
        else:
            new = f"moduleRegularization.{i}.moduleFeat.0"
        renamed[f"{new}.{part}"] = value
    return renamed


def test_port_of_sniklaus():
    tensors = official((128, 64, 32), 2)
    expected = load_liteflownet_official(network(LiteFlowNet, implementation="caffe"), tensors)
    port = sniklaus(tensors)
    model = load_liteflownet_official(network(LiteFlowNet, implementation="sniklaus"), port)
    for mine, other in zip(model.get_weights(), expected.get_weights()):
        np.testing.assert_array_equal(mine, other)
    port["moduleSubpixel.0.moduleFeat.0.bias"] = np.zeros(64, np.float32)
    with pytest.raises(ValueError, match="are one layer, but differ"):
        load_liteflownet_official(model, port)


def test_weights_file_of_keras(tmp_path):
    model = tfflow.models.create("liteflownet_pre_M6S6")
    model.save_weights(tmp_path / "model.weights.h5")
    other = tfflow.models.create("liteflownet_pre_M6S6")
    other.load_weights(tmp_path / "model.weights.h5")
    inputs = {f"image{i}": RNG.random((1, 64, 64, 3), np.float32) for i in (1, 2)}
    np.testing.assert_array_equal(model(inputs)["flow"], other(inputs)["flow"])


def test_import_makes_the_network_that_the_checkpoint_needs():
    hidden = (128, 128, 96, 64, 32)
    tensors = official(hidden, 3, pseudo_level2=True)
    imported = import_checkpoint("liteflownet2", tensors)
    assert imported.project == "liteflownet-official"
    assert imported.arguments == {"implementation": "caffe", "pseudo_level2": True}
    assert imported.model.multiple == 32
    # The last training stage is the network itself.
    assert networks_that_fit(tensors) == ["liteflownet2", "liteflownet2_pre_M3S3R3"]
    with pytest.raises(ValueError, match="LiteFlowNet2 for KITTI: expected liteflownet2"):
        import_checkpoint("liteflownet", tensors)
    with pytest.raises(ValueError, match="project must be one of"):
        import_checkpoint("liteflownet", tensors, project="raft")
    port = import_checkpoint("liteflownet", sniklaus(official((128, 64, 32), 2)))
    assert port.project == "pytorch-liteflownet" and port.model.multiple == 32
