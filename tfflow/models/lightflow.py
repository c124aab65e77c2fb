"""LightFlow: the flow network of "Towards High Performance Video Object Detection for Mobiles".

Zhu, Dai, Zhu, Wei, Yuan, 2018 (arXiv 1804.05830), table 1. An encoder-decoder like FlowNetS, made
for phones: every convolution is a depthwise 3x3 and a pointwise 1x1, upsampling is nearest
neighbour, and five predictions at five resolutions are averaged into one.
"""

from typing import Any

import keras
from keras import layers, ops

from tfflow.models.flow_model import FlowModel
from tfflow.models.layers import LEAKY_SLOPE, checked_width, he_normal, leaky_relu
from tfflow.ops import upsample_nearest
from tfflow.ops.arguments import full_precision
from tfflow.types import Tensor

# Table 1: name, output channels, stride. Levels end where the stride is 2.
ENCODER = (
    ("conv1", 32, 2),
    ("conv2", 64, 2),
    ("conv3", 128, 2),
    ("conv4a", 256, 2),
    ("conv4b", 256, 1),
    ("conv5a", 512, 2),
    ("conv5b", 512, 1),
    ("conv6a", 1024, 2),
    ("conv6b", 1024, 1),
)
# Name, output channels, the encoder's map that joins the upsampled one (table 1, column "input").
DECODER = (
    ("conv7", 256, None),
    ("conv8", 128, "conv5b"),
    ("conv9", 64, "conv4b"),
    ("conv10", 32, "conv3"),
    ("conv11", 16, "conv2"),
)
# One predictor on each decoder map, coarse to fine.
PREDICTORS = ("conv12", "conv13", "conv14", "conv15", "conv16")

# The training set's mean colour, RGB, as in LightFlow-pytorch.
MEAN = (0.411, 0.432, 0.45)


@keras.saving.register_keras_serializable(package="tfflow")
class SeparableConvolution(layers.Layer):
    """Depthwise 3x3 and pointwise 1x1, each with batch norm and leaky ReLU (0.1), no bias.

    Args:
        filters: Output channels.
        stride: Stride of the depthwise convolution. Padding is one pixel on every side, as in
            torch; TensorFlow's "same" would pad one side only at stride 2.
        linear: Leave out the pointwise convolution's batch norm and activation and give it a
            bias: for flow predictors, whose values have both signs.
        momentum: Of the batch norms' moving statistics.
        synchronized: Whether batch statistics are computed over all devices.
    """

    def __init__(self, filters, stride=1, linear=False, momentum=0.9, synchronized=False, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.stride, self.linear = filters, stride, linear
        self.momentum, self.synchronized = momentum, synchronized
        self.pad = layers.ZeroPadding2D(1, data_format="channels_last")
        self.depthwise = layers.DepthwiseConv2D(
            3,
            strides=stride,
            use_bias=False,
            depthwise_initializer=he_normal(LEAKY_SLOPE),
            data_format="channels_last",
            name="depthwise",
        )
        self.depthwise_norm = _batch_norm(momentum, synchronized, "depthwise_norm")
        self.pointwise = layers.Conv2D(
            filters,
            1,
            use_bias=linear,
            kernel_initializer=he_normal(LEAKY_SLOPE),
            data_format="channels_last",
            name="pointwise",
        )
        self.pointwise_norm = None
        if not linear:
            self.pointwise_norm = _batch_norm(momentum, synchronized, "pointwise_norm")

    def build(self, input_shape):
        channels = input_shape[-1]
        self.depthwise.build((None, None, None, channels))
        self.depthwise_norm.build((None, None, None, channels))
        self.pointwise.build((None, None, None, channels))
        if not self.linear:
            self.pointwise_norm.build((None, None, None, self.filters))

    def call(self, x, training=None):
        x = self.depthwise(self.pad(x))
        x = leaky_relu(self.depthwise_norm(x, training=training))
        x = self.pointwise(x)
        if self.linear:
            return x
        return leaky_relu(self.pointwise_norm(x, training=training))

    def get_config(self):
        names = ("filters", "stride", "linear", "momentum", "synchronized")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package="tfflow")
class LightFlow(FlowModel):
    """LightFlow (Zhu et al., 2018), 0.82 GFLOPs for 384x512, 65 times fewer than FlowNetS.

    The paper writes "Light Flow".

    Outputs ``flow`` and ``flow2``, the averaged prediction at a quarter of the size.

    Args:
        width: Multiplier of the number of channels; the paper has 1.0, 0.75 and 0.5.
        predictor_activation: Whether batch norm and leaky ReLU follow the predictors' pointwise
            convolutions too. True follows the paper's wording ("every convolution …") and
            LightFlow-pytorch; negative flow then has a tenth of the slope. False makes them linear,
            with a bias.
        batch_norm_momentum: Of the moving statistics. 0.9 is torch's default, for the published
            batches of 128; with 8 or 16 pairs a step, 0.99 averages out their noise.
        synchronized: Whether batch norm sees the batches of all devices of a ``tf.distribute``
            strategy together, so that training does not depend on their number. It costs a
            message between devices at each batch norm.
        freeze_statistics: Normalise by the moving statistics in training too, without updating
            them. For small batches: one pair of large motion in eight sways a batch's statistics;
            the network adapts to that and predicts badly with the moving ones. From scratch, with
            mean 0 and variance 1, it is a network without normalisation.
        name: Name of the model.
    """

    def __init__(
        self,
        *,
        width: float = 1.0,
        predictor_activation: bool = True,
        batch_norm_momentum: float = 0.9,
        synchronized: bool = False,
        freeze_statistics: bool = False,
        name: str = "lightflow",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.width, self.predictor_activation = checked_width(width), predictor_activation
        self.batch_norm_momentum, self.synchronized = batch_norm_momentum, synchronized
        self.freeze_statistics = freeze_statistics
        norm = {"momentum": batch_norm_momentum, "synchronized": synchronized}
        self.encoder = [
            SeparableConvolution(int(width * channels), stride, **norm, name=name)
            for name, channels, stride in ENCODER
        ]
        self.decoder = [
            SeparableConvolution(int(width * channels), **norm, name=name)
            for name, channels, _ in DECODER
        ]
        self.predictors = [
            SeparableConvolution(2, linear=not predictor_activation, **norm, name=name)
            for name in PREDICTORS
        ]
        self.build()

    @property
    def freeze_statistics(self) -> bool:
        """Whether batch norm keeps its statistics in training; it may be set between two fits."""
        return self._freeze_statistics

    @freeze_statistics.setter
    def freeze_statistics(self, value: bool) -> None:
        self._freeze_statistics = value
        self.train_function = None  # which has what was before

    def estimate(
        self, image1: Tensor, image2: Tensor, training: bool | None = None
    ) -> dict[str, Tensor]:
        mean = ops.convert_to_tensor(MEAN, dtype=image1.dtype)
        x = ops.concatenate([image1 - mean, image2 - mean], axis=-1)
        if self.freeze_statistics:
            training = False  # only batch norm differs between training and prediction
        encoded = {}
        for convolution in self.encoder:
            x = encoded[convolution.name] = convolution(x, training=training)

        # The average of the five predictions, each upsampled to a quarter of the image's size by
        # nearest neighbour. Adding the coarse ones on the way up gives the same sum.
        flow: Tensor = None
        for convolution, predictor, (_, _, skip) in zip(self.decoder, self.predictors, DECODER):
            if skip is not None:
                x = ops.concatenate([upsample_nearest(x), encoded[skip]], axis=-1)
            x = convolution(x, training=training)
            prediction = full_precision(predictor(x, training=training))
            flow = prediction if flow is None else upsample_nearest(flow) + prediction
        return {"flow2": flow / len(self.predictors)}

    def get_config(self) -> dict[str, Any]:
        names = (
            "width",
            "predictor_activation",
            "batch_norm_momentum",
            "synchronized",
            "freeze_statistics",
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _batch_norm(momentum, synchronized, name):
    # torch's defaults; its momentum of 0.1 is Keras's 0.9.
    return layers.BatchNormalization(
        axis=-1, momentum=momentum, epsilon=1e-5, synchronized=synchronized, name=name
    )
