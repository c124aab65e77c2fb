"""The units of LiteFlowNet: M matches descriptors, S refines, R regularises.

Hui, Tang, Loy, CVPR 2018 (arXiv 1805.07036), and the light last level of LiteFlowNet2 (arXiv
1903.07414). All flows are in network units, pixels of the image / 20.
"""

from keras import ops

from tfflow.models.layers import (
    Block,
    Convolution,
    FixedUpsampling,
    TransposedConvolution,
    leaky_relu,
)
from tfflow.ops import correlation, local_average
from tfflow.ops.arguments import full_precision

# Matching, refinement and regularisation see further where the level is finer: the side of their
# last filter, and of R's neighbourhood.
LAST_FILTER = {6: 3, 5: 3, 4: 5, 3: 5, 2: 7}
# Levels whose cost volume is computed at every second pixel, over twice the displacement.
SPARSE_LEVELS = (3, 2)
MAX_DISPLACEMENT = 3  # in steps of 1 pixel, or of 2 at the sparse levels


class DescriptorMatching(Block):
    """M: the residual flow from a cost volume of the two images' features.

    (B, h, w, C) of the first image and of the second, warped -> (B, h, w, 2), network units.
    """

    def __init__(self, level, hidden, normalize, upsampling, name):
        super().__init__(name=name)
        self.step = 2 if level in SPARSE_LEVELS else 1
        self.normalize = normalize
        self.upsample = FixedUpsampling(upsampling, name="upsample") if self.step == 2 else None
        self.convolutions = _hidden_layers(hidden)
        self.flow = Convolution(2, LAST_FILTER[level], linear=True, name="flow")

    def call(self, features1, warped2):
        cost = leaky_relu(
            correlation(
                features1,
                warped2,
                MAX_DISPLACEMENT * self.step,
                stride=self.step,
                displacement_stride=self.step,
                normalize=self.normalize,
            )
        )
        if self.upsample is not None:
            cost = self.upsample(cost)
        return full_precision(self.flow(_through(self.convolutions, cost)))


class SubpixelRefinement(Block):
    """S: the residual flow between the features after warping by M's flow.

    Features (B, h, w, C) of the first image and of the warped second, and the flow (B, h, w, 2) ->
    residual (B, h, w, 2) in network units, and the last hidden features.
    """

    def __init__(self, last_filter, hidden, name):
        super().__init__(name=name)
        self.convolutions = _hidden_layers(hidden)
        self.flow = Convolution(2, last_filter, linear=True, name="flow")

    def call(self, features1, warped2, flow):
        x = ops.concatenate([features1, warped2, ops.cast(flow, features1.dtype)], axis=-1)
        x = _through(self.convolutions, x)
        return full_precision(self.flow(x)), x


class FlowRegularization(Block):
    """R: replaces each pixel's flow by an average of its neighbourhood, within the flow's edges.

    Flow (B, h, w, 2), brightness difference (B, h, w, 1) and the first image's features
    (B, h, w, C) -> flow (B, h, w, 2), and the last hidden features. The average's weights come
    from learned distances; see :func:`tfflow.ops.local_average`.
    """

    def __init__(self, patch, hidden, adapt, name):
        super().__init__(name=name)
        self.adapt = adapt
        self.convolutions = _hidden_layers(hidden)
        self.distance = _distance_layers(patch)

    def call(self, flow, difference, features1):
        features1 = features1 if self.adapt is None else self.adapt(features1)
        centered = flow - ops.mean(flow, axis=(1, 2), keepdims=True)
        x = [ops.cast(difference, features1.dtype), ops.cast(centered, features1.dtype), features1]
        x = ops.concatenate(x, axis=-1)
        x = _through(self.convolutions, x)
        return local_average(flow, _through(self.distance, x)), x


class PseudoLevel2(Block):
    """S and R of level 2, on upsampled features of level 3's units instead of their own.

    Nothing is matched, warped or compared here. Flow of level 3 (B, h, w, 2) and the last hidden
    features of its units -> flow of level 2 (B, 2h, 2w, 2).
    """

    def __init__(self, refinement_channels, regularization_channels, upsampling, name):
        super().__init__(name=name)
        patch = LAST_FILTER[2]
        self.upsample = FixedUpsampling(upsampling, name="upsample")
        self.upsample_refinement = TransposedConvolution(
            refinement_channels, linear=True, name="refinement_upsample"
        )
        self.flow = Convolution(2, patch, linear=True, name="refinement_flow")
        self.upsample_regularization = TransposedConvolution(
            regularization_channels, linear=True, name="regularization_upsample"
        )
        self.distance = _distance_layers(patch)

    def call(self, flow3, hidden):
        residual = self.flow(self.upsample_refinement(hidden["S"]))
        flow = self.upsample(flow3) + full_precision(residual)
        distance = _through(self.distance, self.upsample_regularization(hidden["R"]))
        return local_average(flow, distance)


def _distance_layers(patch):
    """Linear convolutions to the distances of patch² neighbours; large ones column, then row."""
    if patch == 3:
        return [Convolution(9, 3, linear=True, name="distance")]
    return [
        Convolution(patch**2, (patch, 1), linear=True, name="distance_vertical"),
        Convolution(patch**2, (1, patch), linear=True, name="distance_horizontal"),
    ]


def _hidden_layers(channels):
    return [Convolution(n, 3, name=f"conv{i}") for i, n in enumerate(channels, start=1)]


def _through(convolutions, x):
    for convolution in convolutions:
        x = convolution(x)
    return x


def adaptation(channels, wanted):
    """A 1x1 convolution to the wanted channels, or None if there are enough."""
    return Convolution(wanted, 1, name="adapt") if channels < wanted else None
