"""``predict_flow``, which a network and an exported file have in common, and what it returns."""

from collections.abc import Callable
from typing import Literal, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from tfflow.models.prediction import ImagePair
from tfflow.tools import consistency
from tfflow.types import Images


class BothWays(NamedTuple):
    """The flow between two images, in both directions.

    Attributes:
        forward: (H, W, 2) or (B, H, W, 2) float32, pixels: image1(p) looks like
            image2(p + forward(p)).
        backward: The same from ``image2`` to ``image1``.
    """

    forward: npt.NDArray[np.float32]
    backward: npt.NDArray[np.float32]

    def occlusion(self) -> npt.NDArray[np.bool_]:
        """Where ``image2`` does not show a pixel of ``image1``: :func:`tfflow.tools.occlusion`."""
        return consistency.occlusion(self.forward, self.backward)

    def confidence(self) -> npt.NDArray[np.float32]:
        """How well both flows agree, in [0, 1]: :func:`tfflow.tools.confidence`."""
        return consistency.confidence(self.forward, self.backward)


class ConfidentFlow(NamedTuple):
    """A flow, and how far the network trusts it.

    Attributes:
        flow: (H, W, 2) or (B, H, W, 2) float32, pixels from ``image1`` to ``image2``.
        confidence: (H, W) or (B, H, W) float32 in [0, 1]. It orders pixels by how likely their flow
            is right; it is no probability.
    """

    flow: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32]


class ConfidentBothWays(NamedTuple):
    """The flow in both directions, and how far the network trusts the forward one.

    Attributes:
        forward: (H, W, 2) or (B, H, W, 2) float32, pixels: image1(p) looks like
            image2(p + forward(p)).
        backward: The same from ``image2`` to ``image1``.
        own: The network's own confidence, (H, W) or (B, H, W) float32 in [0, 1].
    """

    forward: npt.NDArray[np.float32]
    backward: npt.NDArray[np.float32]
    own: npt.NDArray[np.float32]

    def occlusion(self) -> npt.NDArray[np.bool_]:
        """Where ``image2`` does not show a pixel of ``image1``: :func:`tfflow.tools.occlusion`."""
        return consistency.occlusion(self.forward, self.backward)

    def confidence(self) -> npt.NDArray[np.float32]:
        """Both ways to tell, in [0, 1]: own · (1 + agreement of both flows) / 2.

        It orders pixels better than either: docs/trust.md.
        """
        agreement = consistency.confidence(self.forward, self.backward)
        return self.own * (0.5 + 0.5 * agreement).astype(np.float32)


class PredictsFlow:
    """Gives a network or a file ``predict_flow``. They define what it needs."""

    gives_confidence: bool = False
    why_no_confidence: Callable[[], str]  # a sentence
    _flow_pair: Callable[..., ImagePair]  # of image1, image2, size, all checked
    _flow_outputs: Callable[..., dict[str, npt.NDArray[np.float32]]]  # of both, and "confidence"

    @overload
    def predict_flow(
        self,
        image1: Images,
        image2: Images,
        *,
        size: tuple[int, int] | None = None,
        backward: Literal[False] = False,
        confidence: Literal[False] = False,
    ) -> npt.NDArray[np.float32]: ...
    @overload
    def predict_flow(
        self,
        image1: Images,
        image2: Images,
        *,
        size: tuple[int, int] | None = None,
        backward: Literal[True],
        confidence: Literal[False] = False,
    ) -> BothWays: ...
    @overload
    def predict_flow(
        self,
        image1: Images,
        image2: Images,
        *,
        size: tuple[int, int] | None = None,
        backward: Literal[False] = False,
        confidence: Literal[True],
    ) -> ConfidentFlow: ...
    @overload
    def predict_flow(
        self,
        image1: Images,
        image2: Images,
        *,
        size: tuple[int, int] | None = None,
        backward: Literal[True],
        confidence: Literal[True],
    ) -> ConfidentBothWays: ...
    def predict_flow(
        self,
        image1: Images,
        image2: Images,
        *,
        size: tuple[int, int] | None = None,
        backward: bool = False,
        confidence: bool = False,
    ) -> npt.NDArray[np.float32] | BothWays | ConfidentFlow | ConfidentBothWays:
        """Optical flow from ``image1`` to ``image2``, for images of any size.

        The images are resized bilinearly (never rounded to integers): for a file to its own size,
        for a network to the next multiples of its ``multiple``; images above a megapixel (2^20), to
        about that area; images below the network's ``least_area`` (384x512 for the preset
        ``rillflow``) towards that, at most at twice their height and width. The flow is resized
        back and scaled, as in the papers.

        Args:
            image1: uint8 or float in [0, 1], RGB, (H, W, 3) or (B, H, W, 3); grey and RGBA images
                are converted.
            image2: The same for the second image.
            size: (height, width) to run at: for a network, multiples of its ``multiple``. Smaller
                is faster; larger finds motions of a pixel better, and fast ones worse. A file runs
                at its own size only.
            backward: Also predict the flow from ``image2`` to ``image1``, which tells where the
                flow is wrong or a pixel is hidden in the second image. It takes twice the time.
            confidence: Also return how far the network itself trusts its flow; for those whose
                ``gives_confidence`` is True.

        Returns:
            float32 (H, W, 2) or (B, H, W, 2) in pixels of the images: image1(p) looks like
            image2(p + flow(p)). With ``backward``, a :class:`tfflow.models.BothWays`; with
            ``confidence``, a :class:`tfflow.models.ConfidentFlow`; with both, a
            :class:`tfflow.models.ConfidentBothWays`.

        Raises:
            ValueError: If the images don't match or hold invalid values, or it does not run at
                ``size``; if it gives no confidence.
        """
        if confidence:
            self.check_confidence()
        pair = self._flow_pair(image1, image2, size)
        outputs = self._flow_outputs(pair.image1, pair.image2, confidence)
        flow = pair.restore(outputs["flow"])
        own = pair.restore_map(outputs["confidence"]) if confidence else None
        if backward:
            back = self._flow_outputs(pair.image2, pair.image1, False)
            both = flow, pair.restore(back["flow"])
            return BothWays(*both) if own is None else ConfidentBothWays(*both, own)
        return flow if own is None else ConfidentFlow(flow, own)

    def check_confidence(self) -> None:
        """Raises ValueError if :attr:`gives_confidence` is False, with what to do instead."""
        if not self.gives_confidence:
            raise ValueError(
                f"{self.why_no_confidence()} "
                "predict_flow(image1, image2, backward=True).confidence() works for all."
            )
