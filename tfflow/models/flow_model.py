"""What all networks share: images in, flow out; fit, save, predict_flow."""

import typing

import keras
from keras import ops

from tfflow.models.prediction import ImagePair, working_size
from tfflow.ops import resize


class FlowModel(keras.Model):
    """Base class of the networks: two images in, a pyramid of flows out.

    A subclass builds its layers in ``__init__``, ends it with ``self.build()``, and writes
    :meth:`estimate`: the paper's network from two images to ``{"flow2": …, "flow3": …}``, finest
    level first, in network units.

    Called with ``{"image1": (B, H, W, 3), "image2": (B, H, W, 3)}``, RGB float in [0, 1], both
    sides a multiple of :attr:`multiple`, a model gives a dict:

    * ``"flow"``: (B, H, W, 2) float32, pixels from image1 to image2, (u, v);
    * ``"flowN"``: the prediction at level N, (B, h_N, w_N, 2), in pixels of the full-size input
      divided by :attr:`flow_div`, whatever the level. N is the paper's number;
      :meth:`level_stride` says what size that is.

    Attributes:
        flow_div: Network units are pixels / flow_div.
        multiple: The sides of the input must be multiples of this.
    """

    flow_div = 20.0
    multiple = 64
    # Further inputs (B, H, W, channels) of a network that is part of a stack, and gets them there.
    link_channels: typing.ClassVar[dict[str, int]] = {}

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        policy = keras.config.dtype_policy()
        if self.dtype_policy.name != policy.name:
            # The layers inside follow the global policy: half a network would compute otherwise.
            raise ValueError(
                f"{type(self).__name__} was asked for dtype {self.dtype_policy.name!r} while "
                f"Keras's policy is {policy.name!r}. Set it for the whole network before it is "
                f"made: keras.config.set_dtype_policy({self.dtype_policy.name!r})."
            )
        # Keras turns XLA on by default; on TensorFlow its depthwise convolutions make a step on a
        # CPU ten times slower.
        self.jit_compile = keras.backend.backend() != "tensorflow"

    @staticmethod
    def level_stride(level):
        """How many pixels of the image, in each direction, one of ``flowN`` stands for."""
        return 2**level

    def estimate(self, image1, image2, training=None):
        """The network itself: two images (B, H, W, 3) to its pyramid, finest level first."""
        raise TypeError(f"{type(self).__name__} must define estimate(image1, image2, training).")

    def call(self, inputs, training=None):
        image1, image2 = self._checked_images(inputs)
        link = {name: inputs[name] for name in self.link_channels}
        outputs = self.estimate(image1, image2, training=training, **link)
        return self._with_full_size(outputs, ops.shape(image1)[1:3])

    def _with_full_size(self, outputs, size):
        """A pyramid, finest level first, with ``flow`` at the images' size and in pixels."""
        finest = ops.cast(next(iter(outputs.values())), "float32")
        return {"flow": resize(finest, size) * self.flow_div, **outputs}

    @property
    def siamese(self):
        """Whether an image can be encoded by itself; see :class:`SiameseFlowModel`."""
        return False

    def compiled_parts(self):
        """Of a siamese network its two parts, compiled; see :class:`SiameseFlowModel`.

        Raises:
            ValueError: If the network is none.
        """
        from tfflow.models.siamese import not_siamese  # which is built on this file

        raise ValueError(not_siamese(self))

    def build(self, input_shape=None):
        """Creates all weights, of whatever shape the images will be.

        A subclass calls this at the end of ``__init__``: a new model can then be counted, loaded
        into and saved before it has seen an image.
        """
        channels = {"image1": 3, "image2": 3, **self.link_channels}
        side = self.multiple
        self.compute_output_spec(
            {name: keras.KerasTensor((1, side, side, n)) for name, n in channels.items()}
        )

    def predict_flow(self, image1, image2, *, size=None):
        """Optical flow from ``image1`` to ``image2``, for images of any size.

        The images are resized bilinearly to the next multiple of :attr:`multiple` (never rounded
        to integers), images of more than a megapixel (2^20) to about that area; the flow is
        resized back and scaled, as the papers do it.

        Args:
            image1: uint8 or float in [0, 1], RGB, (H, W, 3) or (B, H, W, 3); grey and RGBA images
                are converted.
            image2: The same for the second image.
            size: (height, width) that the network shall run at, multiples of :attr:`multiple`.
                Smaller is faster.

        Returns:
            float32 (H, W, 2) or (B, H, W, 2) in pixels of the images: image1(p) looks like
            image2(p + flow(p)).

        Raises:
            ValueError: If the images don't fit each other or hold impossible values.
        """
        if self.link_channels:
            raise ValueError(
                f"{self.name} is part of a stack and can't predict from two images alone; call "
                "predict_flow of the stack."
            )
        if size is not None:
            self._check_size(size)
        pair = ImagePair(image1, image2, size=size, multiple=self.multiple)
        outputs = self.predict_on_batch({"image1": pair.image1, "image2": pair.image2})
        return pair.restore(outputs["flow"])

    def working_size(self, image_size, size=None):
        """The (height, width) that images of a size are run at; ``size`` if it is given.

        Raises:
            ValueError: If ``size`` is no multiple of :attr:`multiple`.
        """
        if size is None:
            return working_size(image_size, self.multiple)
        self._check_size(size)
        return tuple(size)

    def weights_by_name(self):
        """All weights by their place in the network, such as ``"level5/matching/conv1/kernel"``."""
        parts = [layer for layer in self.layers if isinstance(layer, FlowModel)]
        of_parts = {id(weight) for part in parts for weight in part.weights}
        own = [weight for weight in self.weights if id(weight) not in of_parts]
        named = {weight.path.split("/", 1)[1]: weight for weight in own}
        for part in parts:  # built on its own, its weights' paths don't know of the whole
            named |= {f"{part.name}/{name}": w for name, w in part.weights_by_name().items()}
        return named

    def freeze_parts(self, names):
        """Lets parts keep their weights in training; all others are trained.

        Args:
            names: Names of layers of the network, and of those of a part that is a network itself
                as ``"flownet2css/flownetc"``.

        Raises:
            ValueError: If there is no such part.
        """
        if isinstance(names, str):
            raise ValueError(f"freeze must be a tuple of names, ({names!r},); got {names!r}.")
        self.trainable = True
        for name in names:
            part = self
            for step in name.split("/"):
                found = {layer.name: layer for layer in getattr(part, "layers", ())}
                if step not in found:
                    raise ValueError(
                        f"freeze must name parts of {self.name}; got {name!r}, but the parts of "
                        f"{part.name} are {sorted(found)}."
                    )
                part = found[step]
            part.trainable = False

    @property
    def frozen_parts(self):
        """The names of the parts that keep their weights, as :meth:`freeze_parts` takes them."""
        names = []
        for layer in self.layers:
            if not layer.trainable:
                names.append(layer.name)
            elif isinstance(layer, FlowModel):
                names += [f"{layer.name}/{name}" for name in layer.frozen_parts]
        return tuple(names)

    def start_from(self, earlier):
        """Takes over the weights of an earlier training stage; the optimizer starts anew.

        Args:
            earlier: A network all of whose weights this one has too, of the same names and shapes.

        Returns:
            The names of the weights that stay as they were, sorted.

        Raises:
            ValueError: If ``earlier`` has a weight that this network has not, or is no network of
                Keras; nothing is copied.
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

    @classmethod
    def from_config(cls, config):
        """The network of a configuration, in the precision that it says."""
        config = {**config}
        config.pop("fine_below", None)  # in files of earlier versions, which could look twice
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(keras.dtype_policies.get(config.get("dtype", before)))
        try:
            return cls(**config)
        finally:
            keras.config.set_dtype_policy(before)

    # Training: one target, the flow, for a dictionary of outputs -------------------------------

    def compile(self, *args, metrics=None, weighted_metrics=None, jit_compile="auto", **kwargs):
        """As ``keras.Model.compile``, with two differences.

        All ``metrics`` are weighted: they see ``sample_weight``, which is the ground truth's
        validity (B, H, W). And ``jit_compile="auto"`` leaves XLA off on TensorFlow.
        """
        metrics = [*(metrics or []), *(weighted_metrics or [])]
        if jit_compile == "auto" and keras.backend.backend() == "tensorflow":
            jit_compile = False
        super().compile(*args, weighted_metrics=metrics or None, jit_compile=jit_compile, **kwargs)
        if self.optimizer is not None:
            # With its variables there already, TensorFlow traces the first step once, not twice.
            self.optimizer.build(self.trainable_variables)

    def compile_from_config(self, config):
        # Keras asks for this of every model whose compile is its own.
        self.compile(**keras.saving.deserialize_keras_object(config))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The loss of the whole pyramid, or of ``flow`` alone for a loss that knows no pyramid."""
        if getattr(self.loss, "takes_pyramid", False):
            loss = self.loss(y, y_pred, sample_weight)
        else:
            loss = self._compile_loss(y, y_pred["flow"], sample_weight)
        for regularization in self.losses:
            loss = loss + self._aggregate_additional_loss(regularization)
        return loss

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Metrics see ``flow``: full size, pixels."""
        return super().compute_metrics(x, y, y_pred["flow"], sample_weight)

    # Checks ------------------------------------------------------------------------------------

    def _checked_images(self, inputs):
        expected = {"image1", "image2", *self.link_channels}
        if not isinstance(inputs, dict) or set(inputs) != expected:
            found = f"a dict of {sorted(inputs)}" if isinstance(inputs, dict) else type(inputs)
            advice = "For two images as they are, use predict_flow(image1, image2)."
            if self.link_channels:
                advice = "It is part of a stack, which makes them: call that."
            wanted = ", ".join(f'"{name}": …' for name in ("image1", "image2", *self.link_channels))
            raise ValueError(f"{self.name} expects {{{wanted}}}; got {found}. {advice}")
        image1, image2 = inputs["image1"], inputs["image2"]
        for image in (image1, image2):
            self._check_image(image)
        if tuple(image1.shape) != tuple(image2.shape):
            raise ValueError(
                f"{self.name} expects two images of one shape; got {tuple(image1.shape)} and "
                f"{tuple(image2.shape)}."
            )
        return image1, image2

    def _check_image(self, image):
        if len(image.shape) != 4 or image.shape[-1] != 3:
            raise ValueError(f"{self.name} expects images (B, H, W, 3); got {tuple(image.shape)}.")
        self._check_size(image.shape[1:3])

    def _check_size(self, size):
        if any(side is not None and (side <= 0 or side % self.multiple) for side in size):
            raise ValueError(
                f"{self.name} expects sides that are multiples of {self.multiple}; got "
                f"{size[0]}x{size[1]} (height x width). predict_flow takes any size; for training, "
                "crop to such a size."
            )
