"""FlowNetS and FlowNetC, and FlowNet2-SD, which has the same form.

Dosovitskiy et al., "FlowNet: Learning Optical Flow with Convolutional Networks", ICCV 2015; the
last is from "FlowNet 2.0" (Ilg et al., CVPR 2017), for small displacements. An encoder halves the
images down to a 64th. A decoder predicts flow at every level back up to a quarter, from the
encoder's features of that level and the output of the level below.
"""

from typing import Any

import keras
from keras import ops

from tfflow.models.flow_model import FlowModel
from tfflow.models.layers import (
    LEAKY_SLOPE,
    Block,
    Convolution,
    TransposedConvolution,
    he_normal,
    leaky_relu,
)
from tfflow.models.siamese import SiameseFlowModel
from tfflow.ops import correlation
from tfflow.types import Tensor

# Name, channels, filter, stride. A stride of 2 begins a level.
CONV1_TO_3 = (("conv1", 64, 7, 2), ("conv2", 128, 5, 2), ("conv3", 256, 5, 2))
CONV3_1_TO_6 = (
    ("conv3_1", 256, 3, 1),
    ("conv4", 512, 3, 2),
    ("conv4_1", 512, 3, 1),
    ("conv5", 512, 3, 2),
    ("conv5_1", 512, 3, 1),
    ("conv6", 1024, 3, 2),
    ("conv6_1", 1024, 3, 1),
)
# FlowNet2-SD: small filters, and more of them before the size is halved, for small displacements.
SMALL_DISPLACEMENTS = (
    ("conv0", 64, 3, 1),
    ("conv1", 64, 3, 2),
    ("conv1_1", 128, 3, 1),
    ("conv2", 128, 3, 2),
    ("conv2_1", 128, 3, 1),
    ("conv3", 256, 3, 2),
    *CONV3_1_TO_6,
)
# Level -> channels that its transposed convolution sends up.
DECONVOLUTIONS = {6: 512, 5: 256, 4: 128, 3: 64}
# FlowNet2-SD's decoder smooths its features before it predicts.
SMOOTHINGS = {5: 512, 4: 256, 3: 128, 2: 64}

# Inputs of a FlowNetS in a stack besides the images: the second image warped by the flow so far,
# that flow in network units, and the remaining brightness error.
LINK = {"warped2": 3, "flow": 2, "brightness_error": 1}


@keras.saving.register_keras_serializable(package="tfflow")
class FlowNetS(FlowModel):
    """FlowNetS (Dosovitskiy et al., 2015), "simple": both images go in together.

    Outputs ``flow`` and ``flow6`` to ``flow2``, a 64th to a quarter of the size.

    Args:
        stacked: Whether it is the second or third network of a FlowNet 2.0 stack, which also gets
            the flow so far, the second image warped by it and the brightness error that is left.
        name: Name of the model.
    """

    def __init__(self, *, stacked: bool = False, name: str = "flownets", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.stacked = stacked
        if stacked:
            self.link_channels = LINK  # type: ignore[misc]  # only a stacked one has them
        self.encoder = Encoder(CONV1_TO_3 + CONV3_1_TO_6, name="encoder")
        self.decoder = Decoder(DECONVOLUTIONS, upsampling_bias=False, name="decoder")
        self.build()

    def estimate(
        self, image1: Tensor, image2: Tensor, training: bool | None = None, **link: Tensor
    ) -> dict[str, Tensor]:
        features = self.encoder(ops.concatenate([image1, image2, *link.values()], axis=-1))
        return self.decoder(features)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stacked": self.stacked}


@keras.saving.register_keras_serializable(package="tfflow")
class FlowNetC(SiameseFlowModel):
    """FlowNetC (Dosovitskiy et al., 2015): features of both images are correlated.

    Outputs ``flow`` and ``flow6`` to ``flow2``, a 64th to a quarter of the size.

    Args:
        normalize_correlation: Divide the cost volume by the number of channels, as Caffe and
            NVIDIA's port do; mmflow's weights are trained without it.
        name: Name of the model.
    """

    def __init__(
        self, *, normalize_correlation: bool = False, name: str = "flownetc", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.normalize_correlation = normalize_correlation
        self.encoder = Encoder(CONV1_TO_3, name="encoder")
        self.redirection = _convolution("conv_redir", 32, 1)
        self.matched_encoder = Encoder(CONV3_1_TO_6, level=3, name="matched_encoder")
        self.decoder = Decoder(DECONVOLUTIONS, name="decoder")
        self.build()

    def extract(self, images: Tensor, training: bool | None = None) -> dict[str, Tensor]:
        features = self.encoder(images)
        return {f"level{level}": features[level] for level in (2, 3)}

    def estimate_from(
        self,
        features1: dict[str, Tensor],
        features2: dict[str, Tensor],
        training: bool | None = None,
    ) -> dict[str, Tensor]:
        first, second = features1["level3"], features2["level3"]
        # 21 x 21 displacements of up to 20 pixels of level 3, 160 of the image.
        cost = correlation(
            first, second, 20, displacement_stride=2, normalize=self.normalize_correlation
        )
        matched = ops.concatenate([self.redirection(first), leaky_relu(cost)], axis=-1)
        return self.decoder({2: features1["level2"], **self.matched_encoder(matched)})

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "normalize_correlation": self.normalize_correlation}


@keras.saving.register_keras_serializable(package="tfflow")
class FlowNet2SD(FlowModel):
    """FlowNet2-SD (Ilg et al., 2017), for small displacements.

    Outputs ``flow`` and ``flow6`` to ``flow2``, a 64th to a quarter of the size.

    Args:
        flow_div: Network units are pixels / flow_div. mmflow's weights have 20, like all networks;
            the original's were trained on 20 times the flow, so 0.05.
        name: Name of the model.
    """

    def __init__(self, *, flow_div: float = 20.0, name: str = "flownet2sd", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.flow_div = flow_div
        self.encoder = Encoder(SMALL_DISPLACEMENTS, name="encoder")
        self.decoder = Decoder(DECONVOLUTIONS, SMOOTHINGS, name="decoder")
        self.build()

    def estimate(
        self, image1: Tensor, image2: Tensor, training: bool | None = None
    ) -> dict[str, Tensor]:
        return self.decoder(self.encoder(ops.concatenate([image1, image2], axis=-1)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "flow_div": self.flow_div}


class Encoder(Block):
    """Convolutions in a row: (B, H, W, C) -> {level: last features of that size}.

    Args:
        convolutions: (name, channels, filter, stride) of each.
        level: Level of the input; every stride of 2 adds one.
        initializer: Of the kernels; None for FlowNet's.
        dtype: Precision; None for Keras's policy.
        name: Name of the layer.
    """

    def __init__(self, convolutions, name, level=0, initializer=None, dtype=None):
        super().__init__(name=name)
        self.level = level
        self.convolutions = [
            _convolution(*each, initializer=initializer, dtype=dtype) for each in convolutions
        ]

    def call(self, x):
        features, level = {}, self.level
        for convolution in self.convolutions:
            level += convolution.strides[0] == 2
            x = features[level] = convolution(x)
        return features


class Decoder(Block):
    """Flow from coarse to fine: {level: features} -> ``{"flow2": …, …, "flow6": …}``.

    At each level flow is predicted from the encoder's features of that level, the features that a
    transposed convolution brings from below, and the flow from below.

    Args:
        deconvolutions: Level -> channels that it sends up. The finest level is the one above and
            sends none.
        smoothings: Level -> channels of a linear convolution before the prediction.
        upsampling_bias: Whether the transposed convolution of the flow has a bias.
        initializer: Of the kernels; None for FlowNet's.
        dtype: Precision of the features; None for Keras's policy. Flow is in float32.
        name: Name of the layer.
    """

    def __init__(
        self,
        deconvolutions,
        smoothings=None,
        *,
        name,
        upsampling_bias=True,
        initializer=None,
        dtype=None,
    ):
        super().__init__(name=name)
        smoothings = smoothings or {}
        self.coarsest, self.finest = max(deconvolutions), min(deconvolutions) - 1
        initializer = initializer or he_normal(LEAKY_SLOPE)
        make = {"initializer": initializer, "dtype": dtype}
        make_flow = {"initializer": initializer, "dtype": "float32"}
        self.smoothings, self.predictors, self.deconvolutions, self.upsamplings = {}, {}, {}, {}
        for level in range(self.coarsest, self.finest - 1, -1):
            if level in smoothings:
                self.smoothings[str(level)] = Convolution(
                    smoothings[level], 3, linear=True, name=f"inter_conv{level}", **make
                )
            self.predictors[str(level)] = Convolution(
                2, 3, linear=True, name=f"predict_flow{level}", **make_flow
            )
            if level in deconvolutions:
                self.deconvolutions[str(level)] = TransposedConvolution(
                    deconvolutions[level], name=f"deconv{level}", **make
                )
                self.upsamplings[str(level)] = TransposedConvolution(
                    2,
                    linear=True,
                    use_bias=upsampling_bias,
                    name=f"upsample_flow{level}",
                    **make_flow,
                )

    def call(self, features):
        outputs, x = {}, features[self.coarsest]
        for level in range(self.coarsest, self.finest - 1, -1):
            key = str(level)
            smoothed = self.smoothings[key](x) if key in self.smoothings else x
            flow = self.predictors[key](smoothed)
            outputs = {f"flow{level}": flow, **outputs}
            if level > self.finest:
                up = self.deconvolutions[key](x)
                flow = ops.cast(self.upsamplings[key](flow), up.dtype)
                x = ops.concatenate([features[level - 1], up, flow], axis=-1)
        return outputs


def _convolution(name, filters, kernel_size, stride=1, initializer=None, dtype=None):
    initializer = initializer or he_normal(LEAKY_SLOPE)
    return Convolution(
        filters, kernel_size, stride, initializer=initializer, dtype=dtype, name=name
    )
