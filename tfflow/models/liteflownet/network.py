"""LiteFlowNet: "A Lightweight Convolutional Neural Network for Optical Flow Estimation".

Hui, Tang, Loy, CVPR 2018 (arXiv 1805.07036). Two sub-networks: NetC turns both images into a
pyramid of features, NetE estimates the flow from its coarsest level to its finest. A level of NetE
has three units, which pass the flow on: M matches descriptors, S refines to fractions of a pixel,
R smooths within the flow's edges.

The numbers are mmflow's, or with ``implementation`` those of the official Caffe model.
"""

import dataclasses
from typing import Any, Literal

import keras
from keras import ops

from tfflow.models.flow_model import FlowModel
from tfflow.models.layers import Block, Convolution, FixedUpsampling
from tfflow.models.liteflownet.options import ABLATIONS, COARSEST, IMPLEMENTATIONS, Options
from tfflow.models.liteflownet.units import (
    LAST_FILTER,
    DescriptorMatching,
    FlowRegularization,
    PseudoLevel2,
    SubpixelRefinement,
    adaptation,
)
from tfflow.models.siamese import SiameseFlowModel, halves
from tfflow.ops import downsample_triangle, resize, safe_norm, warp
from tfflow.ops.arguments import full_precision
from tfflow.types import Tensor


@keras.saving.register_keras_serializable(package="tfflow")
class LiteFlowNet(SiameseFlowModel):
    """LiteFlowNet (Hui et al., 2018), its training stages, ablations and implementations.

    Outputs ``flow`` and ``flow6`` to ``flow2``. Level N has 1/2^(N-1) of the image's size (level 1
    is the image, as the paper counts). The flow of every level is in network units, pixels of the
    image / 20: nothing is rescaled between levels.

    ``LiteFlowNet(**LiteFlowNet.ABLATIONS["WMS"])`` is one of the paper's ablations (table 4).

    In half precision flow stays in float32, but in float16 the sums of a cost volume that is not
    normalised may overflow: use ``mixed_bfloat16``, or ``normalize_correlation``.

    Args:
        finest_level: Where NetE ends, 6 to 2. Training begins with level 6 alone.
        use_warp: Warp the second image's features by the flow so far before M and S.
        use_matching: Unit M, descriptor matching.
        use_refinement: Unit S, sub-pixel refinement.
        use_regularization: Unit R, flow regularisation.
        feature_channels: Channels of NetC's levels 1 to 6.
        estimator_channels: Hidden channels of M and S.
        refinement_channels: Hidden channels of S if they differ; None for the same.
        regularization_channels: Hidden channels of R.
        matching_features: Features with fewer channels than this get a 1x1 convolution to this
            number before M and S.
        regularization_features: The same before R.
        pseudo_level2: End, after level 3, with the light level 2 of the official LiteFlowNet2 for
            KITTI (``flow2``): S and R on the upsampled features of level 3's units.
        implementation: ``"mmflow"``, ``"caffe"`` (the official one) or ``"sniklaus"`` (its PyTorch
            port). It sets all of the following that are None.
        normalize_correlation: Divide the cost volume by the number of channels.
        mask_outside: Set warped pixels to zero if as little as 1e-4 of them lies outside.
        upsampling: Taps for cost volume and flow, ``"mmflow"`` or ``"bilinear"``.
        image_means: The colours ((R, G, B), (R, G, B)) that are subtracted from the two images.
        image_pyramid: How R's images get their size: ``"direct"``: each bilinearly from the
            image; ``"halving"``: each bilinearly from the finer one; ``"triangle"``: by Caffe's
            filter, levels 5 and 6 from level 4.
        unit_outputs: Also give M's and S's flow, ``flow6_M``, ``flow6_S`` and so on: the official
            training has a loss on each.
        name: Name of the model.

    Raises:
        ValueError: If an argument is not one of those named here.
    """

    ABLATIONS = ABLATIONS
    # Whether a new level starts from the next coarser one's weights, as published; see start_from.
    copies_levels = True

    def __init__(
        self,
        *,
        finest_level: int = 2,
        use_warp: bool = True,
        use_matching: bool = True,
        use_refinement: bool = True,
        use_regularization: bool = True,
        feature_channels: tuple[int, ...] = (32, 32, 64, 96, 128, 192),
        estimator_channels: tuple[int, ...] = (128, 64, 32),
        refinement_channels: tuple[int, ...] | None = None,
        regularization_channels: tuple[int, ...] = (128, 128, 64, 64, 32, 32),
        matching_features: int = 64,
        regularization_features: int = 128,
        pseudo_level2: bool = False,
        implementation: Literal["mmflow", "caffe", "sniklaus"] = "mmflow",
        normalize_correlation: bool | None = None,
        mask_outside: bool | None = None,
        upsampling: Literal["mmflow", "bilinear"] | None = None,
        image_means: tuple[tuple[float, ...], tuple[float, ...]] | None = None,
        image_pyramid: Literal["direct", "halving", "triangle"] | None = None,
        unit_outputs: bool = False,
        name: str = "liteflownet",
        **kwargs: Any,
    ) -> None:
        options = Options(
            finest_level=finest_level,
            use_warp=use_warp,
            use_matching=use_matching,
            use_refinement=use_refinement,
            use_regularization=use_regularization,
            feature_channels=feature_channels,
            estimator_channels=estimator_channels,
            refinement_channels=refinement_channels,
            regularization_channels=regularization_channels,
            matching_features=matching_features,
            regularization_features=regularization_features,
            pseudo_level2=pseudo_level2,
            implementation=implementation,
            normalize_correlation=normalize_correlation,
            mask_outside=mask_outside,
            upsampling=upsampling,
            image_means=image_means,
            image_pyramid=image_pyramid,
            unit_outputs=unit_outputs,
        )
        super().__init__(name=name, **kwargs)
        self.options = options
        # mmflow tests at multiples of 64, the others at multiples of 32, the coarsest level's grid.
        self.multiple = 64 if implementation == "mmflow" else 32

        self.net_c = NetC(feature_channels, name="net_c")
        self.levels = [
            FlowLevel(level, options, name=f"level{level}")
            for level in range(COARSEST, finest_level - 1, -1)
        ]
        self.pseudo_level = None
        if pseudo_level2:
            self.pseudo_level = PseudoLevel2(
                (refinement_channels or estimator_channels)[-1],
                regularization_channels[-1],
                options.upsampling,
                name="pseudo_level2",
            )
        self.build()

    @staticmethod
    def level_stride(level: int) -> int:
        return 2 ** (level - 1)  # level 1 is the image

    @property
    def siamese(self) -> bool:
        """False if the two images' means differ, as the official model's do by a thousandth."""
        mean1, mean2 = self.options.image_means
        return mean1 == mean2

    def estimate(
        self, image1: Tensor, image2: Tensor, training: bool | None = None
    ) -> dict[str, Tensor]:
        mean1, mean2 = self._means(image1.dtype)
        # Both images go through NetC as one batch.
        images = ops.concatenate([image1 - mean1, image2 - mean2], axis=0)
        return self.estimate_from(*halves(self._pyramids(images)))

    def extract(self, images: Tensor, training: bool | None = None) -> dict[str, Tensor]:
        mean, _ = self._means(images.dtype)
        return self._pyramids(images - mean)

    def estimate_from(
        self,
        features1: dict[str, Tensor],
        features2: dict[str, Tensor],
        training: bool | None = None,
    ) -> dict[str, Tensor]:
        outputs: dict[str, Tensor] = {}
        units: dict[str, Tensor] = {}
        coarser = None
        for estimator in self.levels:  # coarse to fine
            level = estimator.level
            # Without R there are no images.
            parts = [
                features.get(f"{kind}{level}")
                for kind in ("level", "image")
                for features in (features1, features2)
            ]
            flows, hidden = estimator(*parts, coarser)
            *inner, last = flows
            coarser = flows[last]
            outputs = {f"flow{level}": coarser, **outputs}
            units |= {f"flow{level}_{unit}": flows[unit] for unit in inner}
        if self.pseudo_level is not None:
            outputs = {"flow2": self.pseudo_level(outputs["flow3"], hidden), **outputs}
        return {**outputs, **units} if self.options.unit_outputs else outputs

    def _means(self, dtype):
        return (ops.convert_to_tensor(mean, dtype=dtype) for mean in self.options.image_means)

    def _pyramids(self, images):
        """NetC's features and the images at the sizes of NetE's levels, ``levelN`` and ``imageN``.

        The images have their mean subtracted; ``imageN`` is what R compares.
        """
        features = self.net_c(images)
        pyramid = self._image_pyramid(images, features)
        levels = [estimator.level for estimator in self.levels]
        found = {f"level{level}": features[level] for level in levels}
        return found | {f"image{level}": pyramid[level] for level in levels if pyramid}

    def _image_pyramid(self, images, features):
        """Level -> the images at that level's size, for R; nothing without R."""
        if not self.options.use_regularization:
            return {}
        kind = self.options.image_pyramid
        pyramid = {1: images}
        for level in range(2, COARSEST + 1):
            size = ops.shape(features[level])[1:3]
            if kind == "triangle":
                pyramid[level] = downsample_triangle(pyramid[1 if level <= 4 else 4], size)
            elif kind == "halving":
                pyramid[level] = resize(pyramid[level - 1], size)
            elif level >= self.options.finest_level:
                pyramid[level] = resize(images, size)
        return pyramid

    def start_from(self, earlier: FlowModel, *, copy_levels: bool | None = None) -> list[str]:
        """Takes over an earlier training stage's weights, and copies its finest level to new ones.

        All of the earlier stage's weights are copied. Each level that it did not have then starts
        from the next coarser one: weights of the same name and shape are copied, the rest stay
        random.

        Args:
            earlier: A network of the same family that ends at the same level or a coarser one, or
                has no R yet.
            copy_levels: Whether new levels start from the coarser one; None for the published way:
                LiteFlowNet does, mmflow's LiteFlowNet2 does not.

        Returns:
            The names of the weights that stay as they were, sorted.

        Raises:
            ValueError: If ``earlier`` has a weight that this network lacks; nothing is copied.

        Source: the paper's section on training, with mmflow's rule for shapes that differ.
        """
        same_family = isinstance(earlier, LiteFlowNet)
        for switch in ("implementation", *IMPLEMENTATIONS["mmflow"]) if same_family else ():
            mine, theirs = getattr(self.options, switch), getattr(earlier.options, switch)
            if mine != theirs:
                raise ValueError(
                    f"{self.name} has {switch}={mine!r}, the earlier stage {earlier.name} "
                    f"{theirs!r}: its weights are trained for that. Create both alike."
                )
        fresh = super().start_from(earlier)
        if not (self.copies_levels if copy_levels is None else copy_levels):
            return fresh
        mine, random = self.weights_by_name(), set(fresh)
        for level in (estimator.level for estimator in self.levels):
            prefix, coarser = f"level{level}/", f"level{level + 1}/"
            if any(name.startswith(prefix) and name not in fresh for name in mine):
                continue  # the earlier stage had this level
            for name in [name for name in fresh if name.startswith(prefix)]:
                source = name.replace(prefix, coarser, 1)
                known = source in mine and source not in random
                if known and mine[source].shape == mine[name].shape:
                    mine[name].assign(mine[source])
                    random.remove(name)
        return sorted(random)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **dataclasses.asdict(self.options)}


class NetC(Block):
    """The feature pyramid: an image (B, H, W, 3) -> {1: features, …, 6: features}.

    Level N has 1/2^(N-1) of the image's size. The paper's table of NetC: conv1 7x7, then one to
    three 3x3 convolutions a level, the first at stride 2.
    """

    def __init__(self, channels, name):
        super().__init__(name=name)
        self.blocks = [
            [
                Convolution(
                    filters,
                    7 if level == 1 else 3,
                    strides=2 if level > 1 and i == 1 else 1,
                    name=f"conv{level}_{i}",
                )
                for i in range(1, count + 1)
            ]
            for level, (filters, count) in enumerate(zip(channels, (1, 3, 2, 2, 1, 1)), start=1)
        ]

    def call(self, x):
        features = {}
        for level, block in enumerate(self.blocks, start=1):
            for convolution in block:
                x = convolution(x)
            features[level] = x
        return features


class FlowLevel(Block):
    """One level of NetE: M, S and R, as far as the network has them.

    Called with both images' features and both images at this level, (B, h, w, …), the images being
    None without R, and the flow of the next coarser level, (B, h/2, w/2, 2), or None at the
    coarsest. Returns the units' flows in order, ``{"M": …, "S": …, "R": …}``, and the last hidden
    features of S and R, ``{"S": …, "R": …}``.
    """

    def __init__(self, level, options, name):
        super().__init__(name=name)
        self.level = level
        # From network units to pixels of this level.
        self.scale = FlowModel.flow_div * 2.0 ** (1 - level)
        self.use_warp = options.use_warp
        self.mask_threshold = 0.9999 if options.mask_outside else None
        channels = options.feature_channels[level - 1]
        hidden = options.estimator_channels

        self.adapt = adaptation(channels, options.matching_features)
        self.matching = self.refinement = self.regularization = self.upsample = None
        if options.use_matching:
            self.matching = DescriptorMatching(
                level,
                hidden,
                options.normalize_correlation,
                options.upsampling,
                name="matching",
            )
        if options.use_refinement:
            self.refinement = SubpixelRefinement(
                LAST_FILTER[level], options.refinement_channels or hidden, name="refinement"
            )
        if options.use_regularization:
            self.regularization = FlowRegularization(
                LAST_FILTER[level],
                options.regularization_channels,
                adaptation(channels, options.regularization_features),
                name="regularization",
            )
        if level < COARSEST:
            self.upsample = FixedUpsampling(options.upsampling, name="upsample")

    def call(self, features1, features2, image1, image2, coarser=None):
        raw1 = features1
        if self.adapt is not None:
            features1, features2 = self.adapt(features1), self.adapt(features2)
        if coarser is None:  # no flow yet to warp by
            flow = full_precision(ops.zeros_like(features1[..., :2]))
            warped2 = features2
        else:
            flow = self.upsample(coarser)
            warped2 = self._warp_features(features2, flow)
        flows, hidden = {}, {}
        if self.matching is not None:
            flow = flows["M"] = flow + self.matching(features1, warped2)
        if self.refinement is not None:
            if self.matching is not None:
                warped2 = self._warp_features(features2, flow)
            residual, hidden["S"] = self.refinement(features1, warped2, flow)
            flow = flows["S"] = flow + residual
        if self.regularization is not None:
            # The difference is that of the images as NetC sees them, mean subtracted: where the
            # flow leaves the image, it is the distance from the mean colour.
            difference = safe_norm(image1 - self._warp(image2, flow), keepdims=True)
            flows["R"], hidden["R"] = self.regularization(flow, difference, raw1)
        return flows, hidden

    def _warp_features(self, features, flow):
        return self._warp(features, flow) if self.use_warp else features

    def _warp(self, image, flow):
        return warp(image, flow * self.scale, mask_threshold=self.mask_threshold)
