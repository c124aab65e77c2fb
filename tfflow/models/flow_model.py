"""What all networks share: images in, flow out; fit, save, predict_flow."""

import pathlib
import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from tfflow.models import registry
from tfflow.models.exporting import Exportable
from tfflow.models.parts import WithParts, alone, dtype_policy, name_parts, weights_of
from tfflow.models.predicting import PredictsFlow
from tfflow.models.prediction import (
    ImagePair,
    as_size,
    check_multiples,
    check_not_in_255,
    next_multiple,
    working_size,
)
from tfflow.models.supervision import Supervised, check_no_classes
from tfflow.ops import resize, resize_flow
from tfflow.ops.arguments import may_equal
from tfflow.types import PathLike, Tensor


class FlowModel(PredictsFlow, Exportable, Supervised, WithParts, keras.Model):
    """Base class of the networks: two images in, a pyramid of flows out.

    A subclass builds its layers in ``__init__``, ends it with ``self.build()``, and defines
    :meth:`estimate`: the paper's network from two images to ``{"flow2": …, "flow3": …}``, finest
    level first, in network units.

    Called with ``{"image1": (B, H, W, 3), "image2": (B, H, W, 3)}``, RGB, float in [0, 1] or uint8,
    a model returns a dict:

    * ``"flow"``: (B, H, W, 2) float32, pixels from image1 to image2, (u, v);
    * ``"flowN"``: the prediction at level N, (B, h_N, w_N, 2), in pixels of the full-size input
      divided by :attr:`flow_div`, whatever the level. N is the paper's number;
      :meth:`level_stride` says what size that is.

    The network's height and width are multiples of :attr:`multiple`. Images of other sizes are
    resized to the next multiples, as in :meth:`predict_flow`. ``"flow"`` has the images' size and
    is in their pixels; ``"flowN"`` is in pixels of the size that the network runs at.

    Attributes:
        flow_div: Network units are pixels / flow_div.
        multiple: The network's height and width are multiples of this.
        least_area: :meth:`predict_flow` enlarges images of fewer pixels to about so many, but to no
            more than twice their height and width.
        gives_confidence: Whether it tells how far its flow can be trusted, as an output
            ``confidence`` or ``occlusion``, (B, H, W, 1) in [0, 1].
    """

    flow_div = 20.0
    multiple = 64
    least_area: int = 0
    # Further inputs (B, H, W, channels) of a network that is part of a stack: name -> channels.
    link_channels: ClassVar[dict[str, int]] = {}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", self.name, re.ASCII):
            raise ValueError(
                "A network's name is of letters, digits, '_', '-' and '.', as TensorFlow takes it; "
                f"got {self.name!r}."
            )
        policy = keras.config.dtype_policy()
        if self.dtype_policy.name != policy.name:
            # The layers inside follow the global policy: the network would mix two.
            raise ValueError(
                f"{type(self).__name__} was asked for dtype {self.dtype_policy.name!r} while "
                f"Keras's policy is {policy.name!r}. Set it for the whole network before it is "
                f"made: keras.config.set_dtype_policy({self.dtype_policy.name!r})."
            )
        # Keras turns XLA on by default; on TensorFlow its depthwise convolutions make a step on a
        # CPU ten times slower.
        self.jit_compile = keras.backend.backend() != "tensorflow"

    @staticmethod
    def level_stride(level: int) -> int:
        """Image pixels, in each direction, per pixel of ``flowN``."""
        return 2**level

    def estimate(
        self, image1: Tensor, image2: Tensor, training: bool | None = None
    ) -> dict[str, Tensor]:
        """The network itself: two images (B, H, W, 3) to its pyramid, finest level first."""
        raise TypeError(f"{type(self).__name__} must define estimate(image1, image2, training).")

    def __call__(self, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
        if len(args) > 1:
            raise TypeError(
                f"{self.name} is called with one dictionary, "
                f"{self.name}({self._wanted_inputs()}); got {len(args)} arguments. For two images "
                "as they are, use predict_flow(image1, image2)."
            )
        check_not_in_255(*args or [kwargs.get("inputs")])
        return super().__call__(*args, **kwargs)

    def fit(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        check_not_in_255(x)
        check_no_classes(kwargs)
        return super().fit(x, *args, **kwargs)

    def evaluate(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        check_not_in_255(x)
        return super().evaluate(x, *args, **kwargs)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> dict[str, npt.NDArray[np.float32]]:
        check_not_in_255(x)
        return super().predict(x, *args, **kwargs)

    def train_on_batch(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        check_not_in_255(x)
        check_no_classes(kwargs)
        return super().train_on_batch(x, *args, **kwargs)

    def test_on_batch(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        check_not_in_255(x)
        return super().test_on_batch(x, *args, **kwargs)

    def predict_on_batch(self, x: Any) -> dict[str, npt.NDArray[np.float32]]:
        check_not_in_255(x)
        with alone():
            return super().predict_on_batch(x)

    # While Keras's JAX trainer calls the network: see stateless_call.
    _enters_by_call = False

    def stateless_call(self, *args: Any, **kwargs: Any) -> Any:
        """As Keras's, but layers that are not told whether they train find it out, as elsewhere.

        Keras's goes straight to ``call``, and only ``__call__`` notes it for the layers within.
        """
        self._enters_by_call = True
        try:
            return super().stateless_call(*args, **kwargs)
        finally:
            self._enters_by_call = False

    def call(self, inputs: dict[str, Tensor], training: bool | None = None) -> dict[str, Tensor]:
        if self._enters_by_call:
            self._enters_by_call = False
            return self(inputs, training=training)
        image1, image2 = self._checked_images(inputs)
        link = {name: inputs[name] for name in self.link_channels}
        size = ops.shape(image1)[1:3]
        # A part of a stack gets images that the stack has resized.
        working_size = size if link else next_multiple(size, self.multiple)
        image1, image2 = (resize(image, working_size) for image in (image1, image2))
        outputs = self.estimate(image1, image2, training=training, **link)
        outputs = self._with_full_size(outputs, working_size)
        for name in ("flow", "occlusion", "confidence"):
            if name in outputs:
                outputs[name] = _restored(outputs[name], size, working_size)
        return outputs

    def _with_full_size(self, outputs, size):
        """A pyramid, finest level first, with ``flow`` at full size and in pixels."""
        finest = ops.cast(next(iter(outputs.values())), "float32")
        return {"flow": resize(finest, size) * self.flow_div, **outputs}

    @property
    def siamese(self) -> bool:
        """Whether an image can be encoded by itself; see :class:`SiameseFlowModel`."""
        return False

    def compiled_parts(
        self, confidence: bool = False
    ) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """The two compiled parts of a siamese network; see :class:`SiameseFlowModel`.

        Raises:
            ValueError: If the network is not siamese.
        """
        raise ValueError(self.why_not_siamese())

    def why_not_siamese(self) -> str:
        """A sentence: why this network can't encode an image by itself, and which ones can."""
        reason = "works on both images together"
        if hasattr(self, "encode"):
            reason = "treats its first and its second image differently (image_means)"
        # Training stages are left out.
        names = [name for name in registry.list() if "_pre_" not in name]
        able = [name for name in names if hasattr(registry.entry(name).model_class(), "encode")]
        return (
            f"{self.name} {reason}, so a frame can't be encoded by itself. These networks can: "
            f"{', '.join(able)}."
        )

    def build(self, input_shape: Any = None) -> None:
        """Creates all weights, whatever the images' size.

        A subclass calls this at the end of ``__init__``: a new model can then count its parameters,
        load weights and be saved before it sees an image.
        """
        name_parts(self)
        side = self.multiple
        self.compute_output_spec(
            {
                name: keras.KerasTensor((1, side, side, shape[-1]))
                for name, shape in self._input_shapes().items()
            }
        )
        self._freeze_new_layers()

    def _flow_pair(self, image1, image2, size):
        if self.link_channels:
            raise ValueError(
                f"{self.name} is part of a stack and can't predict from two images alone; call "
                "predict_flow of the stack."
            )
        if size is not None:
            self._check_size(size)
        return ImagePair(
            image1, image2, size=size, multiple=self.multiple, least_area=self.least_area
        )

    def _flow_outputs(self, image1, image2, confidence):
        outputs = self.predict_on_batch({"image1": image1, "image2": image2})
        outputs = chosen_outputs(outputs, confidence)
        # In a strategy's scope each device predicts the whole batch, and Keras joins the results.
        return {name: output[: len(image1)] for name, output in outputs.items()}

    def why_no_confidence(self) -> str:
        """A sentence: that this network gives no confidence of its own, and which networks do."""
        able = [n for n in registry.list() if registry.entry(n).model_class().gives_confidence]
        return f"{self.name} gives no confidence of its own; {', '.join(able)} do."

    def working_size(
        self, image_size: tuple[int, int], size: tuple[int, int] | None = None
    ) -> tuple[int, int]:
        """The (height, width) to run images of a size at; ``size`` if it is given.

        Raises:
            ValueError: If ``size`` is not a multiple of :attr:`multiple`.
        """
        if size is None:
            return working_size(image_size, self.multiple, self.least_area)
        self._check_size(size)
        height, width = size
        return height, width

    def weights_by_name(self) -> dict[str, Any]:
        """All weights by their place in the network, such as ``"level5/matching/conv1/kernel"``."""
        return weights_of(self)

    def start_from(self, earlier: "FlowModel") -> list[str]:
        """Takes over the weights of an earlier training stage; the optimizer starts anew.

        Args:
            earlier: A network whose weights are all in this one too, with the same names and
                shapes.

        Returns:
            The names of the weights that stay as they were, sorted.

        Raises:
            ValueError: If ``earlier`` has a weight that this network lacks, or is not a Keras
                network; nothing is copied.
        """
        if not isinstance(earlier, FlowModel):
            raise ValueError(
                f"start_from expects a FlowModel, such as a .keras file loaded by tfflow.load; got "
                f"{type(earlier).__name__}, whose weights can't be trained."
            )
        mine, theirs = self.weights_by_name(), earlier.weights_by_name()
        alien = [
            name for name, w in theirs.items() if name not in mine or mine[name].shape != w.shape
        ]
        if alien:
            advice = "Expected the same network, or one with fewer levels or units."
            for part in self.layers:
                if isinstance(part, FlowModel) and type(part) is type(earlier):
                    advice = f"Is it for a part? model.{part.name}.start_from(earlier)"
                    break
            raise ValueError(
                f"{earlier.name} is not an earlier stage of {self.name}: {len(alien)} of its "
                f"{len(theirs)} weights have no place there, {alien[0]} "
                f"{tuple(theirs[alien[0]].shape)} for one. {advice}"
            )
        for name, weight in theirs.items():
            mine[name].assign(weight)
        return sorted(set(mine) - set(theirs))

    def save_preset(
        self,
        folder: PathLike,
        *,
        card: dict[str, Any] | None = None,
        tflite: Sequence[PathLike] = (),
    ) -> pathlib.Path:
        """Writes a folder that others can load: weights, a card, exported files, with SHA-256.

        ``tfflow.load(folder)`` and :meth:`from_preset` read it, from a disk or, after
        ``hf upload user/name folder``, as ``"hf://user/name"``.

        Args:
            folder: Where to; it is created. Files of an earlier preset there are replaced.
            card: What others should know, a dict that JSON can hold: ``description``, ``licence``,
                ``trained_on``, ``results``.
            tflite: Paths of exported files that belong to it, copied under their names.

        Returns:
            The folder, as a :class:`pathlib.Path`.

        Raises:
            FileNotFoundError: If one of the exported files does not exist.
            ValueError: If one of them is no ``.tflite`` file, or the card has a key that is set by
                itself.
        """
        return registry.loading().save_preset(self, folder, card, tflite)

    @classmethod
    def from_preset(cls, source: PathLike) -> "FlowModel":
        """A trained network, as :func:`tfflow.load` loads it, if it is of this class.

        Args:
            source: Anything that :func:`tfflow.load` takes.

        Raises:
            ValueError: If it is no network of this class.
        """
        model = registry.loading().load(source)
        if not isinstance(model, cls):
            raise ValueError(f"{source} holds a {type(model).__name__}, not a {cls.__name__}.")
        return model

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "FlowModel":
        """The network of a configuration, in its precision."""
        config = dict(config)
        config.pop("fine_below", None)  # in files of earlier versions, which could run a pair twice
        frozen = config.pop("frozen_parts", ())
        policy = config.get("dtype", keras.config.dtype_policy())
        with dtype_policy(keras.dtype_policies.get(policy)):
            model = cls(**config)
        if frozen:
            model.freeze_parts(frozen)
        return model

    def _input_shapes(self):
        channels = {"image1": 3, "image2": 3, **self.link_channels}
        return {name: (None, None, None, count) for name, count in channels.items()}

    def _wanted_inputs(self):
        return "{" + ", ".join(f'"{name}": …' for name in self._input_shapes()) + "}"

    # Checks ------------------------------------------------------------------------------------

    def _checked_images(self, inputs):
        expected = {"image1", "image2", *self.link_channels}
        if not isinstance(inputs, dict) or set(inputs) != expected:
            found = f"a dict of {sorted(inputs)}" if isinstance(inputs, dict) else type(inputs)
            advice = "For two images as they are, use predict_flow(image1, image2)."
            if self.link_channels:
                advice = "It is part of a stack, which makes them: call that."
            raise ValueError(f"{self.name} expects {self._wanted_inputs()}; got {found}. {advice}")
        image1, image2 = inputs["image1"], inputs["image2"]
        for image in (image1, image2):
            self._check_image(image)
        if not all(map(may_equal, image1.shape, image2.shape)):
            raise ValueError(
                f"{self.name} expects two images of one shape; got {tuple(image1.shape)} and "
                f"{tuple(image2.shape)}."
            )
        image1, image2 = in_unit_range(image1, self), in_unit_range(image2, self)
        if None in (*image1.shape[1:3], *image2.shape[1:3]):
            # Two sizes would both be resized to one. Joined, they fail when the graph runs.
            both = ops.concatenate([image1, image2], axis=-1)
            image1, image2 = both[..., :3], both[..., 3:]
        return image1, image2

    def _check_image(self, image):
        if len(image.shape) != 4 or image.shape[-1] != 3 or 0 in image.shape:
            raise ValueError(f"{self.name} expects images (B, H, W, 3); got {tuple(image.shape)}.")

    def _check_size(self, size):
        advice = "Without size, images of any size are taken."
        check_multiples(as_size(size), self.multiple, self.name, advice)


def in_unit_range(images, model):
    """Images as float in [0, 1]: floats unchanged, uint8 converted."""
    dtype = keras.backend.standardize_dtype(images.dtype)
    if dtype == "uint8":
        return ops.cast(images, model.compute_dtype) / 255
    if "float" not in dtype:
        raise ValueError(
            f"{model.name} expects images as float in [0, 1] or uint8 in 0..255; got {dtype}."
        )
    return images


def chosen_outputs(outputs, confidence):
    """``flow`` of a network's outputs; if asked for, ``confidence``, (B, H, W, 1) in [0, 1]."""
    if not confidence:
        return {"flow": outputs["flow"]}
    trust = outputs["confidence"] if "confidence" in outputs else 1.0 - outputs["occlusion"]
    return {"flow": outputs["flow"], "confidence": trust}


def _restored(values, size, working_size):
    """A flow, or a map of one channel, at the images' size; a flow in their pixels."""
    if all(isinstance(side, int) for side in size) and tuple(size) == tuple(working_size):
        return values
    return resize_flow(values, size) if values.shape[-1] == 2 else resize(values, size)
