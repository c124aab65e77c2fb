"""The detector: features of key frames, aggregated and propagated, and a dense head on them.

After "Towards High Performance Video Object Detection for Mobiles" (Zhu et al., arXiv 1804.05830).
The head differs: the paper's is Light-Head R-CNN; ours is one-stage, after FCOS
(arXiv 1904.01355). docs/video.md says why.
"""

from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np
from keras import layers, ops

from tfflow.checks import whole_number
from tfflow.detection.aggregation import FlowGuidedGRU
from tfflow.detection.backbone import BACKBONES, make_backbone
from tfflow.detection.propagation import propagate
from tfflow.models.flow_model import FlowModel, in_unit_range
from tfflow.models.parts import WithParts, dtype_policy
from tfflow.models.prediction import next_multiple
from tfflow.models.supervision import QuickToCompile
from tfflow.ops import resize, upsample_nearest
from tfflow.types import Tensor

_RARE = 0.01  # every class's initial score; focal loss diverges without it (arXiv 1708.02002)
_LONGEST = 6.0  # exp(6) strides: beyond any image


@keras.saving.register_keras_serializable("tfflow")
class FlowGuidedDetector(QuickToCompile, WithParts, keras.Model):
    """Finds objects in images, and in videos, where only key frames are processed in full.

    The parts, in order: :meth:`features` of a key frame; :meth:`aggregate` with those of earlier
    key frames; :meth:`propagate` to the frames after it; :meth:`detect`.
    :class:`tfflow.detection.VideoDetector` calls them for a video.

    A call, or training with ``fit``, takes one of three dictionaries:

    * ``{"image": (B, H, W, 3)}``: each image is a key frame without a past;
    * ``{"keys": (B, K, H, W, 3), "image": (B, H, W, 3)}``: key frames in order of time, and the
      frame whose objects are to be found; of that one, only the flow to the last key frame is used.
      This is the paper's training on n + 1 frames. It needs a ``flow`` network;
    * ``{"keys": (B, K, H, W, 3), "key_flows": (B, K - 1, h, w, 2), "flow": (B, h, w, 2)}``: the
      same with flow from elsewhere: from each key frame to the one before it, and from the current
      frame to the last one, in pixels of its own grid, which may be coarser than the images.

    Images are RGB float in [0, 1]; their sides are multiples of 32. The result is a dictionary of
    float32, for features (h, w) = (H / 16, W / 16): ``"classes"`` (B, h, w, N) logits; ``"sides"``
    (B, h, w, 4) px from the place to the left, top, right and bottom of its box; ``"centreness"``
    (B, h, w, 1) logits. :func:`tfflow.detection.decode` turns it into boxes.

    Args:
        classes: How many classes there are, or their names.
        backbone: ``"mobilenet"`` (version 1, as in the paper) or ``"mobilenet_v2"``.
        alpha: Factor on the backbone's channels.
        channels: Channels of the features.
        depth: Depthwise separable convolutions in the head.
        aggregation: Whether key frames are joined by the flow-guided GRU, whose state before the
            first one is zero; without it, each key frame starts anew, as in Deep Feature Flow.
        flow: A :class:`tfflow.models.FlowModel` that becomes part of the detector, such as
            ``tfflow.load("lightflow")``; None if the flow comes from elsewhere.
        flow_scale: The flow network sees frames at this times their size; the paper uses a half.
        train_flow: Whether ``fit`` trains ``flow`` too; its batch norm keeps its statistics.
        weights: Of the backbone: None for random ones; ``"imagenet"`` for those of
            keras.applications, which are downloaded and exist only for some values of ``alpha``
            (of ``"mobilenet"``: 0.25, 0.5, 0.75, 1); or a file, as keras.applications has them for
            networks without their last layers.
        **kwargs: ``name``, ``dtype``, as for every Keras model.

    Attributes:
        classes: How many classes there are.
        class_names: Their names; None if they were not given.

    Raises:
        ValueError: If the backbone is unknown, a number is out of its range, or the weights belong
            to another network.
        TypeError: If ``flow`` is not a ``FlowModel``.
        FileNotFoundError: If there is no file of weights.
        OSError: If the weights can't be downloaded; the message says how to get them otherwise.
    """

    stride = 16
    multiple = 32

    def __init__(
        self,
        classes: int | Sequence[str],
        *,
        backbone: Literal["mobilenet", "mobilenet_v2"] = "mobilenet",
        alpha: float = 1.0,
        channels: int = 128,
        depth: int = 2,
        aggregation: bool = True,
        flow: FlowModel | None = None,
        flow_scale: float = 0.5,
        train_flow: bool = False,
        weights: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)  # flow keeps float32 in mixed precision too
        if backbone not in BACKBONES:
            raise ValueError(f"backbone must be one of {sorted(BACKBONES)}; got {backbone!r}.")
        self.class_names: tuple[str, ...] | None = None
        if isinstance(classes, Sequence) and not isinstance(classes, str):
            self.class_names, classes = tuple(map(str, classes)), len(classes)
        for name, value, least in (
            ("classes", classes, 1),
            ("channels", channels, 1),
            ("depth", depth, 0),
        ):
            whole_number(name, value, least)
        if not alpha > 0:
            raise ValueError(f"alpha must be above 0; got {alpha!r}.")
        if flow is not None and not isinstance(flow, FlowModel):
            raise TypeError(
                "flow must be a network of tfflow.models, or None; got "
                f"{type(flow).__name__}. VideoDetector takes anything with predict_flow."
            )
        self.classes, self.backbone_name, self.alpha = int(classes), backbone, alpha
        self.channels, self.depth, self.aggregation = int(channels), int(depth), bool(aggregation)
        # As in FlowModel: XLA's depthwise convolutions are slow on TensorFlow's CPU.
        self.jit_compile = keras.backend.backend() != "tensorflow"

        self.backbone = make_backbone(backbone, alpha, weights)
        self.from_coarse = layers.Conv2D(channels, 3, padding="same", name="from_coarse")
        self.from_fine = layers.Conv2D(channels, 1, name="from_fine")
        self.gru = FlowGuidedGRU(name="gru") if aggregation else None
        self.flow_network: Any = flow  # None if the flow comes from elsewhere
        self.flow_scale = self.checked_flow_scale(flow_scale)
        if flow is not None:
            flow.trainable = bool(train_flow)

        self.head = [
            layers.SeparableConv2D(
                channels, 3, padding="same", activation="relu", name=f"head{number}"
            )
            for number in range(1, depth + 1)
        ]
        rare = keras.initializers.Constant(-np.log((1 - _RARE) / _RARE))
        self.classes_head = layers.Conv2D(classes, 1, bias_initializer=rare, name="classes_head")
        self.sides_head = layers.Conv2D(4, 1, name="sides_head")
        self.centreness_head = layers.Conv2D(1, 1, name="centreness_head")
        self.build()

    def build(self, input_shape: Any = None) -> None:
        """Creates all weights, whatever size the images will have."""
        side = 2 * self.multiple
        self.compute_output_spec(
            {
                "keys": keras.KerasTensor((1, 2, side, side, 3)),
                "key_flows": keras.KerasTensor((1, 1, side, side, 2)),
                "flow": keras.KerasTensor((1, side, side, 2)),
            }
        )
        self._freeze_new_layers()

    def call(self, inputs: dict[str, Tensor], training: bool | None = None) -> dict[str, Tensor]:
        names = frozenset(inputs) if isinstance(inputs, dict) else None
        for name in (names or set()) & {"image", "keys"}:
            inputs = {**inputs, name: in_unit_range(inputs[name], self)}
        if names == {"image"}:
            return self.detect(self.aggregate(self.features(inputs["image"], training=training)))
        if names == {"keys", "image"}:
            keys, image = self._checked_keys(inputs), inputs["image"]
            number = keys.shape[1]
            flows = [
                self.estimate_flow(keys[:, index], keys[:, index - 1]) for index in range(1, number)
            ]
            flow = self.estimate_flow(image, keys[:, -1])
        elif names == {"keys", "key_flows", "flow"}:
            keys, given = self._checked_keys(inputs), inputs["key_flows"]
            if len(given.shape) != 5 or given.shape[1] != keys.shape[1] - 1:
                raise ValueError(
                    f"{self.name} expects keys (B, K, H, W, 3) and key_flows (B, K - 1, h, w, 2); "
                    f"got {tuple(keys.shape)} and {tuple(given.shape)}."
                )
            flows = [given[:, index] for index in range(given.shape[1])]
            flow = inputs["flow"]
        else:
            found = sorted(names) if names is not None else type(inputs).__name__
            raise ValueError(
                f'{self.name} expects {{"image": …}}, {{"keys": …, "image": …}} or {{"keys": …, '
                f'"key_flows": …, "flow": …}}; got {found}. For the frames of a video, use '
                "tfflow.detection.VideoDetector."
            )
        return self.detect(self.propagate(self._of_keys(keys, flows, training), flow))

    def _checked_keys(self, inputs):
        keys = inputs["keys"]
        if len(keys.shape) != 5 or not keys.shape[1]:
            raise ValueError(
                f"{self.name} expects keys (B, K, H, W, 3), K at least 1; got {tuple(keys.shape)}."
            )
        return keys

    def _of_keys(self, keys, flows, training):
        """The last key frame's features, with those of the key frames before it."""
        number, size = keys.shape[1], tuple(keys.shape[2:])
        # All key frames as one batch: batch normalisation sees them together.
        features = self.features(ops.reshape(keys, (-1, *size)), training=training)
        features = ops.reshape(features, (-1, number, *features.shape[1:]))
        joined = self.aggregate(features[:, 0])
        for index in range(1, number):
            propagated = self.propagate(joined, flows[index - 1])
            joined = self.aggregate(features[:, index], propagated)
        return joined

    def estimate_flow(
        self, image: Tensor, key_image: Tensor, flow_scale: float | None = None
    ) -> Tensor:
        """The flow from frames to their key frames, by the detector's own network.

        Args:
            image: RGB float in [0, 1], (B, H, W, 3).
            key_image: The key frames, likewise.
            flow_scale: None for the detector's own.

        Returns:
            (B, h, w, 2) float32 in pixels of its own grid, which is ``flow_scale`` times the
            images', rounded up to what the network takes.

        Raises:
            ValueError: If the detector has no flow network.
        """
        if self.flow_network is None:
            raise ValueError(
                f"{self.name} was made without a flow network. Make it with "
                'flow=tfflow.load("lightflow"), or pass the flow.'
            )
        flow_scale = self.checked_flow_scale(flow_scale)
        size = [max(1, round(side * flow_scale)) for side in image.shape[1:3]]
        size = next_multiple(size, self.flow_network.multiple)
        pair = {"image1": image, "image2": key_image}
        pair = {name: resize(ops.cast(each, "float32"), size) for name, each in pair.items()}
        return self.flow_network(pair, training=False)["flow"]

    def features(self, images: Tensor, training: bool | None = None) -> Tensor:
        """Images to features of stride 16: (B, H, W, 3) -> (B, H / 16, W / 16, channels).

        The backbone's last map, of stride 32, is upsampled and added to its last one of stride 16.

        Args:
            images: RGB float in [0, 1], sides multiples of 32.
            training: As in a call.

        Raises:
            ValueError: If the images have another shape.
        """
        self.check_size(images.shape)
        # keras.applications' MobileNets want [-1, 1].
        images = 2.0 * ops.cast(images, self.compute_dtype) - 1.0
        fine, coarse = self.backbone(images, training=training)
        features = upsample_nearest(self.from_coarse(coarse)) + self.from_fine(fine)
        return ops.relu(features)  # the range of the GRU's results

    def propagate(self, features: Tensor, flow: Tensor) -> Tensor:
        """Features of a key frame as another frame sees them: ``tfflow.detection.propagate``."""
        return propagate(features, flow)

    def aggregate(self, features: Tensor, propagated: Tensor | None = None) -> Tensor:
        """A key frame's own features, joined with those propagated to it; all (B, h, w, C).

        The first key frame has none propagated to it: they are then zero, as they are outside of a
        key frame.
        """
        if self.gru is None:
            return features
        return self.gru(features, ops.zeros_like(features) if propagated is None else propagated)

    def detect(self, features: Tensor) -> dict[str, Tensor]:
        """Features (B, h, w, channels) to the head's answer, as a call gives it."""
        for layer in self.head:
            features = layer(features)
        sides = ops.cast(self.sides_head(features), "float32")
        return {
            "classes": ops.cast(self.classes_head(features), "float32"),
            "sides": self.stride * ops.exp(ops.minimum(sides, _LONGEST)),
            "centreness": ops.cast(self.centreness_head(features), "float32"),
        }

    def boxes_and_scores(self, outputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The box of each place and its scores, from what :meth:`detect` gives.

        Returns:
            (boxes (B, h w, 4) x1, y1, x2, y2 in pixels, scores (B, h w, classes) in [0, 1]), for
            :func:`tfflow.detection.boxes.select`.
        """
        height, width = ops.shape(outputs["classes"])[1:3]
        y, x = ((ops.arange(side, dtype="float32") + 0.5) * self.stride for side in (height, width))
        x, y = ops.meshgrid(x, y)
        sign = np.array([-1, -1, 1, 1], np.float32)
        boxes = ops.stack([x, y, x, y], axis=-1) + sign * outputs["sides"]
        scores = ops.sqrt(ops.sigmoid(outputs["classes"]) * ops.sigmoid(outputs["centreness"]))
        number = height * width
        return ops.reshape(boxes, (-1, number, 4)), ops.reshape(scores, (-1, number, self.classes))

    def start_from(self, earlier: "FlowGuidedDetector") -> list[str]:
        """Takes over the weights of another detector of the same widths, part by part.

        Args:
            earlier: A :class:`FlowGuidedDetector`, such as one that was trained on images, without
                the GRU and without a flow network.

        Returns:
            The names of the parts that ``earlier`` lacks and that stay as they are.

        Raises:
            TypeError: If ``earlier`` is not a detector.
            ValueError: If the classes' names or the shapes of a common part differ. Nothing is
                changed then.
        """
        if not isinstance(earlier, FlowGuidedDetector):
            raise TypeError(
                f"start_from expects a FlowGuidedDetector; got {type(earlier).__name__}."
            )
        names, earlier_names = self.class_names, earlier.class_names
        if names and earlier_names and len(names) == len(earlier_names) and names != earlier_names:
            raise ValueError(
                "The two detectors have other classes, or in another order, so that the head would "
                f"find them under wrong names: {', '.join(names)} and {', '.join(earlier_names)}. "
                "Make both with the same classes."
            )
        there, fresh, taken = earlier._parts(), [], []
        for name, part in self._parts().items():
            if name not in there:
                fresh.append(name)
                continue
            weights = there[name].get_weights()
            shapes = [[tuple(w.shape) for w in each] for each in (part.weights, weights)]
            if shapes[0] != shapes[1]:
                differ = next((a, b) for a, b in zip(*shapes) if a != b)
                raise ValueError(
                    f"{name} has other shapes in the two detectors: {differ[0]} and {differ[1]}. "
                    "Make both with the same classes, backbone, alpha, channels and depth."
                )
            taken.append((part, weights))
        for part, weights in taken:
            part.set_weights(weights)
        return fresh

    def _parts(self):
        """Name -> layer, for all parts with weights."""
        layers = [self.backbone, self.from_coarse, self.from_fine, self.gru, *self.head]
        layers += [self.classes_head, self.sides_head, self.centreness_head]
        parts = {layer.name: layer for layer in layers if layer is not None}
        if self.flow_network is not None:
            parts["flow_network"] = self.flow_network
        return parts

    def check_size(self, shape: tuple[int | None, ...]) -> None:
        """Raises ValueError if images of this shape, (B, H, W, 3), don't fit."""
        sides = tuple(shape[1:3])
        if len(shape) != 4 or shape[-1] != 3:
            raise ValueError(f"{self.name} expects images (B, H, W, 3); got {tuple(shape)}.")
        if any(side is not None and (side <= 0 or side % self.multiple) for side in sides):
            raise ValueError(
                f"{self.name} expects sides that are multiples of {self.multiple}; got "
                f"{sides[0]}x{sides[1]} (height x width). VideoDetector takes frames of any size; "
                "for training, crop or resize to such a size."
            )

    def checked_flow_scale(self, flow_scale: float | None) -> float:
        """The scale as a float, the detector's own for None; ValueError if it is out of range."""
        if flow_scale is None:
            return self.flow_scale
        if not 0 < flow_scale <= 1:
            raise ValueError(f"flow_scale must be above 0 and at most 1; got {flow_scale!r}.")
        return float(flow_scale)

    def _float32_twin(self):
        flow = self.flow_network and self.flow_network.in_float32()
        config = {**self.get_config(), "dtype": "float32", "flow": flow}
        config.pop("frozen_parts", None)
        with dtype_policy("float32"):  # the backbone's
            twin = type(self)(**config)
        twin.start_from(self)
        return twin

    def get_config(self) -> dict[str, Any]:
        # Not the backbone's weights: they are saved with all others.
        return {
            **super().get_config(),
            "classes": list(self.class_names) if self.class_names else self.classes,
            "backbone": self.backbone_name,
            "alpha": self.alpha,
            "channels": self.channels,
            "depth": self.depth,
            "aggregation": self.aggregation,
            "flow": self.flow_network and keras.saving.serialize_keras_object(self.flow_network),
            "flow_scale": self.flow_scale,
            "train_flow": self.flow_network is not None and self.flow_network.trainable,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "FlowGuidedDetector":
        config = dict(config)
        frozen = config.pop("frozen_parts", ())
        if config.get("flow") is not None:
            config["flow"] = keras.saving.deserialize_keras_object(config["flow"])
        detector = cls(**config)
        if frozen:
            detector.freeze_parts(frozen)
        return detector
