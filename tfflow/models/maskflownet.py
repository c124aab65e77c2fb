"""MaskFlowNet: "Asymmetric Feature Matching with Learnable Occlusion Mask".

Zhao et al., CVPR 2020 (arXiv 2003.10955). MaskFlowNet-S is a PWC-Net whose warped features are
masked by a learned occlusion and convolved during warping. MaskFlowNet adds a second stage, which
starts from that flow and matches both the features and the images warped by it.

Inside, flow is (v, u), vertical first, like the offsets of deformable convolution; outputs are
(u, v). The numbers are mmflow's; where the authors' differ, there is a switch.
"""

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from tfflow.models.flow_model import FlowModel
from tfflow.models.flownet import Encoder
from tfflow.models.layers import (
    LEAKY_SLOPE,
    Block,
    Convolution,
    TransposedConvolution,
    leaky_relu,
)
from tfflow.ops import convolution_at, correlation, upsample_from_corner, warp
from tfflow.ops.arguments import full_precision
from tfflow.types import Tensor

COARSEST, FINEST = 6, 2
CHANNELS = (16, 32, 64, 96, 128, 196)
PYRAMID = tuple(
    (f"conv{level}_{i}", channels, 3, 2 if i == 1 else 1)
    for level, channels in enumerate(CHANNELS, start=1)
    for i in (1, 2, 3)
)
DENSE = (128, 128, 96, 64, 32)
# The context network's channels and dilations, as in PWC-Net.
CONTEXT = ((128, 1), (128, 2), (128, 4), (96, 8), (64, 16), (32, 1))
UPSAMPLED_FEATURES = 16
FLOW_DIV = FlowModel.flow_div


@keras.saving.register_keras_serializable(package="tfflow")
class MaskFlowNetS(FlowModel):
    """MaskFlowNet-S (Zhao et al., 2020): one stage, with a mask of what has no match.

    Outputs ``flow``; ``flow6`` to ``flow2``; and ``occlusion``, (B, H, W, 1): 1 where the first
    image's pixel has no match in the second, 0 where it has.

    Args:
        normalize_correlation: Divide cost volumes by the number of channels, as the authors'
            MXNet code does; mmflow's weights are trained without it.
        name: Name of the model.
    """

    gives_confidence = True

    def __init__(
        self, *, normalize_correlation: bool = False, name: str = "maskflownets", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.normalize_correlation = normalize_correlation
        self.encoder = Encoder(PYRAMID, name="encoder", initializer=he_uniform())
        self.decoder = MaskDecoder(normalize_correlation, name="decoder")
        self.build()

    def estimate(
        self, image1: Tensor, image2: Tensor, training: bool | None = None
    ) -> dict[str, Tensor]:
        images = centered(image1, image2)
        flows, mask = self.decoder(*self.pyramids(images))
        return {**as_outputs(flows), "occlusion": occlusion_of(upsample_from_corner(mask, 4))}

    def pyramids(self, images: Sequence[Tensor]) -> tuple[dict[int, Tensor], ...]:
        """Level -> features, of the first image and of the second."""
        features = self.encoder(ops.concatenate(images, axis=0))
        split = {level: ops.split(both, 2) for level, both in features.items()}
        return tuple({level: pair[i] for level, pair in split.items()} for i in (0, 1))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "normalize_correlation": self.normalize_correlation}


@keras.saving.register_keras_serializable(package="tfflow")
class MaskFlowNet(FlowModel):
    """MaskFlowNet (Zhao et al., 2020): two stages, the second matching on two pyramids.

    Outputs ``flow``; ``flow6`` to ``flow2`` of the second stage; and the first stage's
    ``occlusion``. The first stage is the part ``maskflownets``, a model of its own: weights of a
    trained one load directly.

    Args:
        implementation: ``"mmflow"``, or ``"mxnet"`` for what the authors' code does differently, as
            far as known. Its sampling at the image's border also differs but is not reproduced, and
            there is no importer of its weights yet. This sets all of the following that are None.
        normalize_correlation: See :class:`MaskFlowNetS`.
        swapped_first_flow: mmflow's second stage takes the first one's flow in output order,
            (u, v), where everything else is (v, u). Its weights are trained with it.
        raw_mask: The second stage sees the mask as a logit (mmflow), not as sigmoid - 0.5.
        first_features_twice: The authors' second stage matches the first image's features of
            levels 2 and 3 with themselves, a mistake that their weights are trained with.
        freeze: Names of parts that keep their weights in training; the published second stage is
            trained with ``("maskflownets",)``. None by default.
        name: Name of the model.
    """

    gives_confidence = True

    def __init__(
        self,
        *,
        implementation: Literal["mmflow", "mxnet"] = "mmflow",
        normalize_correlation: bool | None = None,
        swapped_first_flow: bool | None = None,
        raw_mask: bool | None = None,
        first_features_twice: bool | None = None,
        freeze: tuple[str, ...] = (),
        name: str = "maskflownet",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if implementation not in IMPLEMENTATIONS:
            raise ValueError(
                f"implementation must be one of {tuple(IMPLEMENTATIONS)}; got {implementation!r}."
            )
        self.implementation = implementation
        given = {
            "normalize_correlation": normalize_correlation,
            "swapped_first_flow": swapped_first_flow,
            "raw_mask": raw_mask,
            "first_features_twice": first_features_twice,
        }
        for switch, default in IMPLEMENTATIONS[implementation].items():
            setattr(self, switch, default if given[switch] is None else given[switch])
        self.maskflownets = MaskFlowNetS(normalize_correlation=self.normalize_correlation)
        self.encoder = Encoder(PYRAMID, name="encoder", initializer=he_uniform())
        self.decoder = CascadeDecoder(self.normalize_correlation, name="decoder")
        if freeze:
            self.freeze_parts(freeze)
        self.build()

    def estimate(
        self, image1: Tensor, image2: Tensor, training: bool | None = None
    ) -> dict[str, Tensor]:
        images = centered(image1, image2)
        # The first stage's parts are called, not itself; an exported file names its layers too.
        with keras.name_scope(self.maskflownets.name):
            features1, features2 = self.maskflownets.pyramids(images)
            flows, mask = self.maskflownets.decoder(features1, features2)
        full_mask = upsample_from_corner(mask, 4)

        # The second pyramid: of the first image, and of the second one warped to it with its mask.
        full_flow = upsample_from_corner(flows[FINEST], 4)[..., ::-1] * FLOW_DIV
        warped2 = warp(images[1], full_flow, mask_threshold=0.9999)
        seen = full_mask if self.raw_mask else ops.sigmoid(full_mask) - 0.5
        seen = ops.cast(seen, images[0].dtype)
        pair = [
            ops.concatenate([images[0], ops.zeros_like(seen)], axis=-1),
            ops.concatenate([warped2, seen], axis=-1),
        ]
        warped_features = self.encoder(ops.concatenate(pair, axis=0))

        if self.first_features_twice:
            features2 = {**features2, 2: features1[2], 3: features1[3]}
        if self.swapped_first_flow:
            flows = {level: flow[..., ::-1] for level, flow in flows.items()}
        flows = self.decoder(features1, features2, warped_features, flows)
        return {**as_outputs(flows), "occlusion": occlusion_of(full_mask)}

    def get_config(self) -> dict[str, Any]:
        names = ("implementation", *IMPLEMENTATIONS["mmflow"])
        config = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **config}


IMPLEMENTATIONS = {
    "mmflow": {
        "normalize_correlation": False,
        "swapped_first_flow": True,
        "raw_mask": True,
        "first_features_twice": False,
    },
    "mxnet": {
        "normalize_correlation": True,
        "swapped_first_flow": False,
        "raw_mask": False,
        "first_features_twice": True,
    },
}


class MaskDecoder(Block):
    """The first stage's decoder: two pyramids to the flow of each level, and a mask.

    Returns {6: flow, …, 2: flow} in network units, (v, u), and the logit of the mask at level 2's
    size, large where a pixel is matched.
    """

    def __init__(self, normalize, name):
        super().__init__(name=name)
        self.normalize = normalize
        self.levels, self.matchings, self.masks = {}, {}, {}
        for level in range(COARSEST, FINEST - 1, -1):
            key = str(level)
            self.levels[key] = DenseLevel(sends_up=level > FINEST, name=f"level{level}")
            if level < COARSEST:
                self.matchings[key] = FeatureMatching(masked=True, name=f"matching{level}")
            if level > FINEST:
                self.masks[key] = Convolution(
                    1, 3, linear=True, initializer=he_uniform(), name=f"predict_mask{level}"
                )
        self.context = ContextNetwork(name="context")

    def call(self, features1, features2):
        flows, flow, mask, from_below = {}, None, None, None
        for level in range(COARSEST, FINEST - 1, -1):
            key, first, second = str(level), features1[level], features2[level]
            if level == COARSEST:
                x = _cost(first, second, 4, self.normalize)
            else:
                pixels = flow * (FLOW_DIV / 2**level)
                warped = self.matchings[key](second, pixels, mask, from_below)
                cost = _cost(first, warped, 4, self.normalize)
                x = [cost, first, from_below, ops.cast(flow, first.dtype)]
                x = ops.concatenate(x, axis=-1)
            flow, x, from_below = self.levels[key](x, flow)
            flows[level] = flow
            if level > FINEST:
                mask = upsample_from_corner(self.masks[key](x), 2)
                flow = upsample_from_corner(flow, 2)
        flows[FINEST] = flow + full_precision(self.context(x))
        return flows, mask


class CascadeDecoder(Block):
    """The second stage's decoder: refines the first stage's flow with both stages' pyramids.

    Features of the images {level: (B, h, w, C)} each, features of the first image and the warped
    second one as one batch {level: (2B, h, w, C)}, and the first stage's flows {level: flow} ->
    {6: flow, …, 2: flow}, (v, u), network units.
    """

    def __init__(self, normalize, name):
        super().__init__(name=name)
        self.normalize = normalize
        self.levels, self.matchings = {}, {}
        for level in range(COARSEST, FINEST - 1, -1):
            key = str(level)
            self.levels[key] = DenseLevel(sends_up=level > FINEST, name=f"level{level}")
            self.matchings[key] = FeatureMatching(masked=False, name=f"matching{level}")
        self.context = ContextNetwork(name="context")

    def call(self, features1, features2, warped_features, first_flows):
        flows, flow, from_below = {}, first_flows[COARSEST], None
        for level in range(COARSEST, FINEST - 1, -1):
            key, first = str(level), features1[level]
            warped = self.matchings[key](features2[level], flow * (FLOW_DIV / 2**level))
            costs = [
                _cost(first, warped, 2, self.normalize),
                _cost(*ops.split(warped_features[level], 2), 2, self.normalize),
            ]
            x = [*costs, ops.cast(flow, first.dtype)]
            if level < COARSEST:
                x = [first, from_below, *x, ops.cast(first_flows[level], first.dtype)]
            flow, x, from_below = self.levels[key](ops.concatenate(x, axis=-1), flow)
            flows[level] = flow
            if level > FINEST:
                flow = upsample_from_corner(flow, 2)
        flows[FINEST] = flow + full_precision(self.context(x))
        return flows


class FeatureMatching(Block):
    """Warps the second image's features to the first image: AsymOFMM of the paper (section 3.2).

    A deformable convolution whose taps all follow the flow (v, u) in pixels of the level; if
    ``masked``, features without a match are then faded out and replaced by features from below.
    """

    def __init__(self, masked, name):
        super().__init__(name=name)
        self.masked, self.tradeoff = masked, None
        self.deformable = DeformableConvolution(name="deformable")

    def build(self, features2_shape, *args, **kwargs):
        if self.masked:
            self.tradeoff = Convolution(
                features2_shape[-1], 3, linear=True, initializer=he_uniform(), name="tradeoff"
            )

    def call(self, features2, flow, mask=None, from_below=None):
        warped = self.deformable(features2, flow[..., ::-1])
        if self.masked:
            warped = warped * ops.sigmoid(mask) + self.tradeoff(from_below)
        # Leaky ReLU, in a form that TensorFlow 2.21 does not fuse with the convolution and the sum
        # before it: oneDNN's fused kernel ignores the slope and uses 0.2.
        return LEAKY_SLOPE * warped + ops.relu((1.0 - LEAKY_SLOPE) * warped)


class DeformableConvolution(Block):
    """3x3, as many channels out as in, each output pixel's taps moved by its flow (u, v)."""

    def build(self, image_shape, flow_shape=None):
        channels = image_shape[-1]
        self.kernel = self.add_weight(
            name="kernel", shape=(3, 3, channels, channels), initializer=he_uniform()
        )
        self.bias = self.add_weight(name="bias", shape=(channels,), initializer="zeros")

    def call(self, image, flow):
        return convolution_at(image, flow, self.kernel) + ops.cast(self.bias, image.dtype)


class DenseLevel(Block):
    """Densely connected convolutions, the flow they predict, and features for the level above.

    x and the flow from below, (B, h, w, 2) or None -> flow, features, features for the next level
    (at double size; None if this is the finest).
    """

    def __init__(self, sends_up, name):
        super().__init__(name=name)
        make = {"initializer": he_uniform()}
        self.convolutions = [
            Convolution(n, 3, name=f"conv{i}", **make) for i, n in enumerate(DENSE, start=1)
        ]
        self.flow = Convolution(2, 3, linear=True, name="predict_flow", **make)
        self.upsample = None
        if sends_up:
            self.upsample = TransposedConvolution(UPSAMPLED_FEATURES, name="upsample", **make)

    def call(self, x, flow=None):
        for convolution in self.convolutions:
            x = ops.concatenate([convolution(x), x], axis=-1)
        residual = full_precision(self.flow(x))
        flow = residual if flow is None else flow + residual
        return flow, x, None if self.upsample is None else self.upsample(x)


class ContextNetwork(Block):
    """Dilated convolutions that refine the finest flow; features -> residual flow (v, u)."""

    def __init__(self, name):
        super().__init__(name=name)
        make = {"initializer": he_uniform()}
        self.convolutions = [
            Convolution(n, 3, dilation=dilation, name=f"conv{i}", **make)
            for i, (n, dilation) in enumerate(CONTEXT, start=1)
        ]
        self.flow = Convolution(2, 3, linear=True, name="flow", **make)

    def call(self, x):
        for convolution in self.convolutions:
            x = convolution(x)
        return self.flow(x)


def centered(image1, image2):
    """Both images minus the mean colour of their pair."""
    mean = (
        ops.mean(image1, axis=(1, 2), keepdims=True) + ops.mean(image2, axis=(1, 2), keepdims=True)
    ) / 2
    return image1 - mean, image2 - mean


def occlusion_of(mask):
    """Occlusion, 0 to 1, from the mask's logit, which is large where a pixel is matched."""
    return 1.0 - ops.sigmoid(full_precision(mask))


def as_outputs(flows):
    """{6: (v, u), …} to {"flow2": (u, v), …}, finest first."""
    return {f"flow{level}": flows[level][..., ::-1] for level in sorted(flows)}


def he_uniform():
    """Kaiming's uniform initialisation for leaky ReLU, over the fan-in."""
    return keras.initializers.VarianceScaling(2.0 / 1.01, mode="fan_in", distribution="uniform")


def _cost(features1, features2, radius, normalize):
    return leaky_relu(correlation(features1, features2, radius, normalize=normalize))
