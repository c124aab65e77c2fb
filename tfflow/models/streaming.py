"""Flow through a video, each frame encoded once."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tfflow.models.one_at_a_time import guard, one_at_a_time
from tfflow.models.prediction import as_batch, at_size, rescale, resize, size_text
from tfflow.types import Array


class SiameseNetwork(Protocol):
    """What a stream needs of a network or of an exported file."""

    def compiled_parts(
        self, confidence: bool = False
    ) -> tuple[Callable[..., Any], Callable[..., Any]]: ...
    def working_size(
        self, image_size: tuple[int, int], size: tuple[int, int] | None = None
    ) -> tuple[int, int]: ...


class FlowStream:
    """The flow from each frame of a video to the next; every frame is encoded once.

    The same numbers as ``predict_flow(previous, frame)``, but for an int8 file's rounding, at less
    cost: half of the encoding is saved. One stream is one video: threads that call it at the same
    time get a RuntimeError. Several streams may share a network.

    Args:
        network: A siamese :class:`tfflow.models.FlowModel`, or a
            :class:`tfflow.tflite.FlowInterpreter` of a file that was exported with
            ``streaming=True``; their attribute ``siamese`` is then True.
        size: (height, width) to run the network at, as for ``predict_flow``; None for its default.
        confidence: Whether to keep how far the network trusts its flow, for networks whose
            ``gives_confidence`` is True.

    Attributes:
        confidence: Of the last flow, float32 (H, W) in [0, 1]; None without a flow, or if it was
            not asked for.

    Raises:
        ValueError: If the network can't encode a frame by itself, or gives no confidence; the
            message names those that can.

    Example:
        >>> stream = FlowStream(tfflow.models.create("liteflownet2"))
        >>> for frame in frames:
        ...     flow = stream.next(frame)  # None for the first
    """

    def __init__(
        self,
        network: SiameseNetwork,
        *,
        size: tuple[int, int] | None = None,
        confidence: bool = False,
    ) -> None:
        guard(self)
        self._encode, self._match = network.compiled_parts(confidence)
        self._network, self._given_size = network, size
        self.reset()

    @one_at_a_time
    def reset(self) -> None:
        """Forgets the last frame: the next one is the first of another video, of any size."""
        self._features = self._frame_size = None
        self.confidence: npt.NDArray[np.float32] | None = None

    @one_at_a_time
    def next(self, frame: Array) -> npt.NDArray[np.float32] | None:
        """The flow from the previous frame to this one.

        Args:
            frame: uint8 or float in [0, 1], RGB, (H, W, 3); grey and RGBA are converted.

        Returns:
            float32 (H, W, 2) in pixels of the frame: the previous one at p looks like this one at
            p + flow(p). None for the first frame.

        Raises:
            ValueError: If it is not an image, or differs in size from the previous frame. The
                stream then stays as it was.
            RuntimeError: If another thread is in ``next`` or ``reset``.
        """
        batch, single = as_batch(frame, "frame")
        if not single:
            raise ValueError(f"A stream takes one frame (H, W, 3) at a time; got {batch.shape}.")
        size = batch.shape[1:3]
        if self._frame_size not in (None, size):
            raise ValueError(
                f"The stream's frames are {size_text(self._frame_size)} (height x width); got "
                f"{size_text(size)}. Call reset() before the first frame of another size."
            )
        working_size = self._network.working_size(size, self._given_size)
        features = self._encode(at_size(batch, working_size))
        before = self._features
        flow = confidence = None
        if before is not None:
            outputs = self._match(before, features)
            flow = rescale(outputs["flow"], size)[0]
            if "confidence" in outputs:
                confidence = resize(np.asarray(outputs["confidence"], np.float32), size)[0, ..., 0]
        self._features, self._frame_size, self.confidence = features, size, confidence
        return flow
