"""Where the projects keep the weights of LiteFlowNet and LiteFlowNet2.

:func:`places` walks through a network and describes each layer; one small function per project
gives the layer's name there.
"""

import re
import typing

import numpy as np

from tfflow.weights.layouts import bgr_kernel, kernel, taps, transposed_kernel
from tfflow.weights.state_dict import WeightImport, renamed


class Place(typing.NamedTuple):
    """What a layer is: ``("M", 5, "conv", 2)`` is the second hidden convolution of M at level 5.

    Units are C (NetC), M, S and R; parts are conv, flow, distance, adapt (1x1), upsample (fixed
    taps: M's of the cost volume, S's of the coarser flow) and, at the pseudo level 2, widen
    (transposed convolution).
    """

    unit: str
    level: int
    part: str
    index: int = 1  # type: ignore[assignment]  # a tuple's method, which nobody calls here


def places(model):
    """Yields (:class:`Place`, layer) for every layer of a ``LiteFlowNet`` that has weights."""
    for level, block in enumerate(model.net_c.blocks, start=1):
        for i, layer in enumerate(block, start=1):
            yield Place("C", level, "conv", i), layer
    for estimator in model.levels:
        level = estimator.level
        if estimator.upsample is not None:
            yield Place("S", level, "upsample"), estimator.upsample
        if estimator.adapt is not None:
            yield Place("S", level, "adapt"), estimator.adapt
        for name, unit in (("M", estimator.matching), ("S", estimator.refinement)):
            if unit is not None:
                yield from _numbered(name, level, "conv", unit.convolutions)
                yield Place(name, level, "flow"), unit.flow
        if estimator.matching is not None and estimator.matching.upsample is not None:
            yield Place("M", level, "upsample"), estimator.matching.upsample
        if estimator.regularization is not None:
            unit = estimator.regularization
            if unit.adapt is not None:
                yield Place("R", level, "adapt"), unit.adapt
            yield from _numbered("R", level, "conv", unit.convolutions)
            yield from _numbered("R", level, "distance", unit.distance)
    if model.pseudo_level is not None:
        level = model.pseudo_level
        yield Place("S", 2, "upsample"), level.upsample
        yield Place("S", 2, "widen"), level.upsample_refinement
        yield Place("S", 2, "flow"), level.flow
        yield Place("R", 2, "widen"), level.upsample_regularization
        yield from _numbered("R", 2, "distance", level.distance)


def _numbered(unit, level, part, layers):
    return ((Place(unit, level, part, i), layer) for i, layer in enumerate(layers, start=1))


def assign(weights, model, name_of):
    """Plans the import of all layers whose tensors are ``name_of(place)`` + .weight and .bias."""
    for place, layer in places(model):
        name = name_of(place)
        if place.part == "upsample":
            weights.assign(layer.kernel, f"{name}.weight", taps)
            continue
        convert = transposed_kernel if place.part == "widen" else kernel
        if place[:2] == ("C", 1):
            convert = bgr_kernel  # all these projects read images with OpenCV
        weights.assign(layer.kernel, f"{name}.weight", convert)
        weights.assign(layer.bias, f"{name}.bias")


# mmflow --------------------------------------------------------------------------------------


def mmflow_name(place):
    """A layer's name in mmflow's checkpoints."""
    unit, level, part, index = place
    if unit == "C":
        return f"encoder.layers.{level - 1}.layers.{index - 1}.conv"
    if (unit, part) == ("S", "upsample"):  # kept with the level whose flow it upsamples
        return f"decoder.decoders.level{level + 1}.upflow_layer"
    inner = {
        "conv": f"Net{unit}.layers.{index - 1}.conv",
        "flow": f"Net{unit}.pred_flow",
        "upsample": "NetM.corr_up",
        "distance": "NetR.dist_layer" + (f".{index - 1}" if level < 5 else ""),
        "adapt": "rfeat_layer.conv" if unit == "R" else "feat_layer.conv",
    }[part]
    return f"decoder.decoders.level{level}.{inner}"


def assign_mmflow_liteflownet(model, tensors):
    """Assigns mmflow's tensors of a LiteFlowNet (2); see :func:`tfflow.weights.load_mmflow`."""
    # Not the upsampling: its taps come with the checkpoint.
    needed = ("normalize_correlation", "mask_outside", "image_means", "image_pyramid")
    check_switches(model, "mmflow", needed)
    weights = WeightImport(tensors, "mmflow")
    assign(weights, model, mmflow_name)
    weights.finish()


# The official Caffe model, and its best-known port to PyTorch ----------------------------------


def assign_liteflownet_official(model, tensors):
    """Assigns the tensors; see :func:`tfflow.weights.load_liteflownet_official`."""
    is_port = any(re.match("(net|module)Features", name) for name in tensors)
    check_switches(
        model,
        "sniklaus" if is_port else "caffe",
        ("normalize_correlation", "mask_outside"),
        light_level=not is_port,
    )
    if is_port:
        _assign_sniklaus(model, tensors)
    else:
        _assign_caffe(model, tensors)


def caffe_name(place):
    """A layer's name in the official prototxts."""
    unit, level, part, index = place
    if unit == "C":
        alone = level in (1, 5, 6)
        return f"conv{level}" if alone else f"conv{level}_{index}"
    if part == "adapt":
        return "F0_F1_64_L2" if unit == "S" else f"F0_128_L{level}"
    if part == "upsample":
        return f"corr_L{level}" if unit == "M" else f"scaled_flow_R_L{level + 1}to{level}"
    if part == "flow":
        first = (unit, level) == ("M", 6)
        return f"scaled_flow_{_CAFFE_UNITS[unit]}{'' if first else '_res'}_L{level}"
    if part == "distance":
        return f"dist{'' if level > 4 else 'HW'[index - 1]}_R_L{level}"
    if part == "widen":
        return "conv5_D2_L2" if unit == "S" else "conv6_R_L2"
    return f"conv{index}_{_CAFFE_UNITS[unit]}_L{level}"


_CAFFE_UNITS = {"M": "D1", "S": "D2", "R": "R"}
# Sums over channels that Caffe has to write as convolutions of ones.
_CAFFE_ONES = re.compile(r"(sum_exp_kernel_R|scaled_flow0?_R)_L\d(_[xy])?")


def _assign_caffe(model, tensors):
    tensors = renamed(tensors, _caffe_tensor)
    if not any(name.startswith("img0s_aug.") for name in tensors):
        check_switches(model, "caffe", ("image_means",))
    weights = WeightImport(tensors, "official LiteFlowNet")
    means = model.get_config()["image_means"]
    for name, value in tensors.items():
        layer, _, blob = name.rpartition(".")
        if layer in ("img0s_aug", "img1s_aug"):
            # Blobs: an iteration counter, the mean image, the mean colour.
            expected = means[int(layer[3])][::-1]
            if blob == "2" and (
                value.size != 3 or not np.allclose(value.ravel(), expected, atol=1e-5)
            ):
                raise ValueError(
                    f"{layer} holds the mean colour (B, G, R) {value.ravel()}; the model subtracts "
                    f"{np.array(expected)}. Create it with these image_means (in R, G, B)."
                )
            weights.ignore(name)
        elif _CAFFE_ONES.fullmatch(layer):
            _check_constant(name, value)
            weights.ignore(name)
    assign(weights, model, caffe_name)
    weights.finish()


def _caffe_tensor(name):
    """``conv1/0``, ``conv1.0`` and ``conv1.weight`` are one tensor; so are the biases."""
    name = re.sub(r"[/.](\w+)$", r".\1", name)
    layer, _, blob = name.rpartition(".")
    if layer in ("img0s_aug", "img1s_aug"):
        return name
    blob = {"0": "weight", "weights": "weight", "1": "bias", "biases": "bias"}.get(blob, blob)
    return f"{layer}.{blob}"


def sniklaus_name(place):
    """A layer's name in sniklaus/pytorch-liteflownet."""
    unit, level, part, index = place
    if unit == "C":
        number = ("One", "Two", "Thr", "Fou", "Fiv", "Six")[level - 1]
        return f"netFeatures.net{number}.{2 * (index - 1)}"
    if part == "upsample":
        return f"netMatching.{level - 2}.{'netUpcorr' if unit == 'M' else 'netUpflow'}"
    if (unit, part) == ("S", "adapt"):
        return f"netMatching.{level - 2}.netFeat.0"
    unit = {"M": "netMatching", "S": "netSubpixel", "R": "netRegularization"}[unit]
    inner = {
        "adapt": "netFeat.0",
        "conv": f"netMain.{2 * (index - 1)}",
        "flow": "netMain.6",
        "distance": f"netDist.{index - 1}",
    }[part]
    return f"{unit}.{level - 2}.{inner}"


def _assign_sniklaus(model, tensors):
    check_switches(model, "sniklaus", ("image_means",))
    tensors = renamed(tensors, lambda name: re.sub(r"\bmodule(?=[A-Z])", "net", name))
    weights = WeightImport(tensors, "pytorch-liteflownet")
    for name, value in tensors.items():
        if re.search(r"\.netScale[XY]\.(weight|bias)$", name):
            _check_constant(name, value)
            weights.ignore(name)
        # The 1x1 layer that M and S share at level 2 is stored twice.
        twin = re.sub(r"^netSubpixel\.0\.netFeat", "netMatching.0.netFeat", name)
        if twin != name:
            if twin in tensors and not np.array_equal(value, tensors[twin]):
                raise ValueError(f"{name} and {twin} are one layer, but differ.")
            weights.ignore(name)
    assign(weights, model, sniklaus_name)
    weights.finish()


def _check_constant(name, value):
    expected = 0.0 if name.endswith("bias") else 1.0
    if not np.all(value == expected):
        raise ValueError(
            f"{name} is expected to hold {expected} throughout (it writes a sum as a convolution); "
            "these weights are of another network."
        )


def check_switches(model, implementation, names, light_level=False):
    """Raises ValueError if the model's switches are not those the weights were trained with."""
    # Imported here because it imports Keras, which listing presets doesn't need.
    from tfflow.models.liteflownet.options import IMPLEMENTATIONS

    expected = {name: IMPLEMENTATIONS[implementation][name] for name in names}
    expected["use_warp"] = True
    if not light_level:
        expected["pseudo_level2"] = False
    config = model.get_config()
    wrong = {name: value for name, value in expected.items() if config[name] != value}
    if wrong:
        found = ", ".join(f"{name}={config[name]!r}" for name in wrong)
        needed = ", ".join(f"{name}={value!r}" for name, value in wrong.items())
        raise ValueError(
            f"These weights need a model with {needed}; this one has {found}. Create it anew: "
            f"tfflow.models.create(name, implementation={implementation!r})."
        )
