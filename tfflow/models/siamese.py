"""Networks that encode each image alone before matching: a video's frame is encoded once."""

from collections.abc import Callable
from typing import Any

from keras import ops

from tfflow.models.flow_model import FlowModel, chosen_outputs, in_unit_range
from tfflow.models.parts import CompiledPart
from tfflow.models.prediction import check_not_in_255
from tfflow.types import Tensor


class SiameseFlowModel(FlowModel):
    """A network of two parts: one encodes each image alone, one matches two images' features.

    A subclass defines :meth:`extract` and :meth:`estimate_from` instead of ``estimate``. A call
    with two images computes their features as one batch; in a video, :meth:`encode` is called once
    per frame:

        >>> features1 = model.encode(frame1)
        >>> features2 = model.encode(frame2)
        >>> flow = model.match(features1, features2)["flow"]   # model({"image1": …})["flow"]

    :class:`tfflow.models.FlowStream` does that with frames of any size.
    """

    def extract(self, images: Tensor, training: bool | None = None) -> dict[str, Tensor]:
        """All that matching needs of one image: (B, H, W, 3) -> a dict, name -> (B, h, w, C).

        Images are in the network's own precision. The result for an image must not depend on others
        in the batch.
        """
        raise TypeError(f"{type(self).__name__} must define extract(images, training).")

    def estimate_from(
        self,
        features1: dict[str, Tensor],
        features2: dict[str, Tensor],
        training: bool | None = None,
    ) -> dict[str, Tensor]:
        """The pyramid of flow from two images' features, as in ``estimate``."""
        raise TypeError(
            f"{type(self).__name__} must define estimate_from(features1, features2, training)."
        )

    def estimate(
        self, image1: Tensor, image2: Tensor, training: bool | None = None
    ) -> dict[str, Tensor]:
        # Both images go through the network's first part as one batch.
        features = self.extract(ops.concatenate([image1, image2], axis=0), training=training)
        first, second = halves(features)
        return self.estimate_from(first, second, training=training)

    def encode(self, image: Tensor, training: bool | None = None) -> dict[str, Tensor]:
        """Features of one image, for :meth:`match`.

        Args:
            image: (B, H, W, 3), RGB, float in [0, 1] or uint8, sides multiples of ``multiple``.
            training: As in a call.

        Returns:
            A dict, name -> (B, h, w, C): feature maps, and the image itself at the sizes at which
            the network compares colours.

        Raises:
            ValueError: If the image has another shape or range, or this network can't encode an
                image alone.
        """
        self._check_siamese()
        self._check_image(image)
        self._check_size(image.shape[1:3])
        check_not_in_255({"image": image})
        image = in_unit_range(image, self)
        return self.extract(ops.cast(image, self.compute_dtype), training=training)

    def match(
        self,
        features1: dict[str, Tensor],
        features2: dict[str, Tensor],
        training: bool | None = None,
    ) -> dict[str, Tensor]:
        """The outputs of a call with two images, from their features.

        Args:
            features1: What :meth:`encode` gave for the first image.
            features2: The same for the second image.
            training: As in a call.

        Returns:
            ``{"flow": (B, H, W, 2) in pixels from image1 to image2, "flowN": …}``.

        Raises:
            ValueError: If this network can't encode an image alone.
        """
        self._check_siamese()
        outputs = self.estimate_from(features1, features2, training=training)
        name, finest = next(iter(outputs.items()))
        # The sides of an image are multiples of every level's stride.
        stride = self.level_stride(int(name.removeprefix("flow")))
        return self._with_full_size(outputs, [stride * side for side in ops.shape(finest)[1:3]])

    def compiled_parts(
        self, confidence: bool = False
    ) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """(encode, match) as functions of NumPy arrays, compiled as ``predict_flow`` is.

        ``encode`` takes (B, H, W, 3) float32 and gives a dict of arrays; ``match`` takes two such
        dicts and gives ``{"flow": (B, H, W, 2)}``, with ``confidence`` also
        ``"confidence": (B, H, W, 1)``.

        Raises:
            ValueError: If the network is not siamese, or gives no confidence.
        """
        self._check_siamese()
        if confidence:
            self.check_confidence()

        def match(inputs):
            return chosen_outputs(self.match(**inputs, training=False), confidence)

        encoder = CompiledPart(self, lambda inputs: self.encode(inputs["image"], training=False))
        matcher = CompiledPart(self, match)
        return (
            lambda image: encoder.predict_on_batch({"image": image}),
            lambda features1, features2: matcher.predict_on_batch(
                {"features1": features1, "features2": features2}
            ),
        )

    @property
    def siamese(self) -> bool:
        return True

    def _check_siamese(self):
        if not self.siamese:
            raise ValueError(self.why_not_siamese())


def halves(features):
    """Features of a batch of first and second images -> those of the first, of the second."""
    first, second = {}, {}
    for name, both in features.items():
        batch, *shape = ops.shape(both)
        # slice, not split: XNNPACK fails to prepare an int8 SPLIT along the batch.
        part = (batch // 2, *shape)
        first[name] = ops.slice(both, (0, 0, 0, 0), part)
        second[name] = ops.slice(both, (batch // 2, 0, 0, 0), part)
    return first, second
