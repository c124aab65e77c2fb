"""FlowNet 2.0: networks in a row, each of which corrects the one before.

Ilg et al., "FlowNet 2.0: Evolution of Optical Flow Estimation with Deep Networks", CVPR 2017. The
parts are the networks of :mod:`tfflow.models.flownet`, linked by the second image, warped by the
flow so far, and the remaining brightness error.
"""

from typing import Any

import keras
from keras import ops

from tfflow.models.flow_model import FlowModel
from tfflow.models.flownet import Decoder, Encoder, FlowNet2SD, FlowNetC, FlowNetS
from tfflow.models.layers import Block
from tfflow.ops import resize, safe_norm, upsample_nearest, warp
from tfflow.types import Tensor

# The fusion network works at full size: name, channels, filter, stride.
FUSION = (
    ("conv0", 64, 3, 1),
    ("conv1", 64, 3, 2),
    ("conv1_1", 128, 3, 1),
    ("conv2", 128, 3, 2),
    ("conv2_1", 128, 3, 1),
)


@keras.saving.register_keras_serializable(package="tfflow")
class FlowNet2Stack(FlowModel):
    """FlowNetC and one FlowNetS (FlowNet2-CS) or two (FlowNet2-CSS; Ilg et al., 2017).

    Outputs ``flow`` and ``flow6`` to ``flow2`` of the last part. The parts are ``flownetc``,
    ``flownets1`` and ``flownets2``, models of their own: weights of a trained one load directly,
    ``tfflow.weights.load_mmflow(model.flownetc, "flownetc.pth")``.

    Args:
        refinements: Number of FlowNetS, 1 or 2.
        normalize_correlation: See :class:`FlowNetC`.
        freeze: Names of parts that keep their weights in training. None by default: in effect,
            mmflow's weights were trained that way (its ``freeze_net`` runs too early to work); the
            paper freezes all but the last, ``("flownetc", "flownets1")``.
        name: Name of the model; None for flownet2cs or flownet2css.
    """

    def __init__(
        self,
        *,
        refinements: int = 2,
        normalize_correlation: bool = False,
        freeze: tuple[str, ...] = (),
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if refinements not in (1, 2):
            raise ValueError(f"refinements must be 1 (CS) or 2 (CSS); got {refinements!r}.")
        super().__init__(name=name or f"flownet2c{'s' * refinements}", **kwargs)
        self.refinements, self.normalize_correlation = refinements, normalize_correlation
        self.flownetc = FlowNetC(normalize_correlation=normalize_correlation)
        self.flownets1 = FlowNetS(stacked=True, name="flownets1")
        if refinements == 2:
            self.flownets2 = FlowNetS(stacked=True, name="flownets2")
        if freeze:
            self.freeze_parts(freeze)
        self.build()

    @property
    def corrections(self) -> list[FlowNetS]:
        """The FlowNetS in order."""
        return [self.flownets1] if self.refinements == 1 else [self.flownets1, self.flownets2]

    def estimate(
        self, image1: Tensor, image2: Tensor, training: bool | None = None
    ) -> dict[str, Tensor]:
        images = {"image1": image1, "image2": image2}
        outputs = self.flownetc(images, training=training)
        for network in self.corrections:
            flow = resize(outputs["flow2"], ops.shape(image1)[1:3])
            warped2, error = compare(image1, image2, flow * self.flow_div)
            link = {"warped2": warped2, "flow": flow, "brightness_error": error}
            outputs = network({**images, **link}, training=training)
        return {name: value for name, value in outputs.items() if name != "flow"}

    def get_config(self) -> dict[str, Any]:
        names = ("refinements", "normalize_correlation")
        config = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable(package="tfflow")
class FlowNet2(FlowModel):
    """FlowNet 2.0 (Ilg et al., 2017): FlowNet2-CSS and FlowNet2-SD, fused at full size.

    Outputs ``flow`` and those of the fusion network in pixels: ``flow1`` at full size, ``flow2``
    at half and ``flow3`` at a quarter. The parts are ``flownet2css``, ``flownet2sd`` and
    ``fusion``, the first two models of their own.

    Args:
        sd_flow_div: 20 for mmflow's weights of FlowNet2-SD; 0.05 for the original's. See
            :class:`FlowNet2SD`.
        normalize_correlation: See :class:`FlowNetC`.
        freeze: Names of parts that keep their weights in training, nested ones as
            ``"flownet2css/flownetc"``. None by default; the paper trains the fusion network alone,
            ``("flownet2css", "flownet2sd")``.
        name: Name of the model.
    """

    flow_div = 1.0

    def __init__(
        self,
        *,
        sd_flow_div: float = 20.0,
        normalize_correlation: bool = False,
        freeze: tuple[str, ...] = (),
        name: str = "flownet2",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.sd_flow_div, self.normalize_correlation = sd_flow_div, normalize_correlation
        self.flownet2css = FlowNet2Stack(
            normalize_correlation=normalize_correlation, name="flownet2css"
        )
        self.flownet2sd = FlowNet2SD(flow_div=sd_flow_div)
        self.fusion = Fusion(name="fusion")
        if freeze:
            self.freeze_parts(freeze)
        self.build()

    @staticmethod
    def level_stride(level: int) -> int:
        return 2 ** (level - 1)  # the fusion network's level 1 is the image

    def estimate(
        self, image1: Tensor, image2: Tensor, training: bool | None = None
    ) -> dict[str, Tensor]:
        images = {"image1": image1, "image2": image2}
        flows, errors = [], []
        for network in (self.flownet2sd, self.flownet2css):
            flow = network(images, training=training)["flow2"] * network.flow_div
            # Nearest neighbour here, but bilinear between the networks of the stack.
            flow = upsample_nearest(flow, 4)
            flows.append(flow)
            errors.append(compare(image1, image2, flow)[1])
        lengths = [safe_norm(flow, keepdims=True) for flow in flows]
        x = [image1, *flows, *lengths, *errors]
        return self.fusion(ops.concatenate([ops.cast(each, "float32") for each in x], axis=-1))

    def get_config(self) -> dict[str, Any]:
        names = ("sd_flow_div", "normalize_correlation")
        config = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **config}


class Fusion(Block):
    """The fusion network: the first image, two flows, their lengths and errors to one flow.

    (B, H, W, 11) -> ``{"flow1": …, "flow2": …, "flow3": …}`` in pixels, full size to a quarter. All
    in float32, even in mixed precision: bfloat16 can't hold 100.25 px.
    """

    def __init__(self, name):
        super().__init__(name=name)
        make = {"initializer": keras.initializers.GlorotUniform(), "dtype": "float32"}
        self.encoder = Encoder(FUSION, level=1, name="encoder", **make)
        self.decoder = Decoder({3: 32, 2: 16}, {2: 32, 1: 16}, name="decoder", **make)

    def call(self, x):
        return self.decoder(self.encoder(x))


def compare(image1, image2, flow):
    """The second image warped by a flow in pixels, and its distance from the first, per pixel."""
    warped2 = warp(image2, flow, padding="border")
    return warped2, safe_norm(image1 - warped2, keepdims=True)
