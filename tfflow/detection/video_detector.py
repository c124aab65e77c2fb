"""Objects in a video, frame by frame: NumPy in, NumPy out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tfflow.checks import whole_number
from tfflow.detection.boxes import Detections, select
from tfflow.detection.schedule import FixedInterval, KeyFrameSchedule
from tfflow.models.one_at_a_time import guard, one_at_a_time
from tfflow.models.prediction import as_batch, at_size, resize, size_text, working_size
from tfflow.types import Array, Predictor

if TYPE_CHECKING:
    from tfflow.detection.detector import FlowGuidedDetector
    from tfflow.detection.interpreter import DetectorInterpreter


class VideoDetector:
    """Finds the objects of each frame of a video; only key frames go through the whole detector.

    For a key frame, features are computed and joined with the earlier ones, propagated to it. For
    the others, the last key frame's features are propagated along the flow. One object serves one
    video: threads that call it at the same time get a RuntimeError. Several may share a detector.

    Args:
        detector: A :class:`tfflow.detection.FlowGuidedDetector`, or the exported files, a
            :class:`tfflow.detection.DetectorInterpreter`.
        flow: For a Keras detector, what estimates the flow: anything with ``predict_flow(image1,
            image2)``, such as a network of ``tfflow.models`` or a
            :class:`tfflow.tflite.FlowInterpreter`. None for its own network. Files have their own.
            A detector without GRU needs none with ``FixedInterval(1)``.
        schedule: A :class:`tfflow.detection.KeyFrameSchedule`; None for ``FixedInterval(10)``.
        score: Objects below it are left out, 0 to 1.
        overlap: Two boxes of one class that overlap by more are one object.
        most: Largest number of objects in a frame.
        size: (height, width) that a Keras detector runs at, multiples of 32; None for the next
            multiples of the frame's or, for frames of more than a megapixel (2^20), about that
            area. Frames are stretched to it.
        flow_scale: ``flow`` gets frames of the detector's size times this; None for the detector's
            own scale, which is a half unless it was made with another.

    Attributes:
        is_key: Whether the last frame was a key frame; None before the first.
        every_frame: Whether the schedule makes every frame a key frame.

    Raises:
        ValueError: If an argument is out of its range, or does not apply.
        TypeError: If ``flow`` has no ``predict_flow``, or is missing; or ``schedule`` is not a
            ``KeyFrameSchedule``.

    Example:
        >>> video = VideoDetector(detector)
        >>> for frame in frames:
        ...     boxes, scores, classes = video.next(frame)
    """

    def __init__(
        self,
        detector: FlowGuidedDetector | DetectorInterpreter,
        flow: Predictor | None = None,
        schedule: KeyFrameSchedule | None = None,
        *,
        score: float = 0.3,
        overlap: float = 0.5,
        most: int = 100,
        size: tuple[int, int] | None = None,
        flow_scale: float | None = None,
    ) -> None:
        guard(self)
        if size is not None:
            size = whole_number("size", size[0]), whole_number("size", size[1])
        for name, value in (("score", score), ("overlap", overlap)):
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must lie in 0..1; got {value!r}.")
        whole_number("most", most)
        if schedule is not None and not isinstance(schedule, KeyFrameSchedule):
            raise TypeError(
                "schedule must be a KeyFrameSchedule of tfflow.detection, as FixedInterval(10); "
                f"got {type(schedule).__name__}."
            )
        self._schedule = FixedInterval() if schedule is None else schedule
        if self._schedule.needs_confidence:
            raise ValueError(
                f"{type(schedule).__name__} is for a BoxPropagator: a VideoDetector's flow has no "
                "confidence."
            )
        self.every_frame = isinstance(schedule, FixedInterval) and schedule.n == 1
        self._engine = _engine(detector, flow, size, flow_scale, self.every_frame)
        self._selection = {"score": score, "overlap": overlap, "most": most}
        self._size = size or self._engine.size
        self.reset()

    @one_at_a_time
    def reset(self) -> None:
        """Forgets all frames: the next one is the first of another video, of any size."""
        self._frame_size = self._key_image = self._features = None
        self._age = 0
        self.is_key: bool | None = None
        self._schedule.reset()

    @one_at_a_time
    def next(self, frame: Array) -> Detections:
        """The objects of the next frame.

        Args:
            frame: uint8 or float in [0, 1], RGB, (H, W, 3); grey and RGBA are converted.

        Returns:
            :class:`tfflow.detection.Detections`: boxes (N, 4) in pixels of the frame, scores (N,)
            and classes (N,), the most certain object first.

        Raises:
            ValueError: If it is not an image, or not of the size of the frames before. The detector
                is unchanged then.
            RuntimeError: If another thread is in ``next`` or ``reset``.
        """
        batch, single = as_batch(frame, "frame")
        if not single:
            raise ValueError(
                f"A VideoDetector takes one frame (H, W, 3) at a time; got {batch.shape}."
            )
        frame_size = batch.shape[1:3]
        if self._frame_size not in (None, frame_size):
            raise ValueError(
                f"The video's frames are {size_text(self._frame_size)} (height x width); got "
                f"{size_text(frame_size)}. Call reset() before the first frame of another video."
            )
        size = self._size or working_size(frame_size, self._engine.multiple)
        image = at_size(batch, size)  # as training shrinks its pictures

        if self._features is None:
            is_key, result = True, self._engine.first(image)
        else:
            known = image, self._key_image, self._features
            motion = self._motion(*known)
            is_key = self._schedule.is_key(self._age + 1, frame_size=frame_size, **motion)
            step = self._engine.key if is_key else self._engine.between
            result = step(*known, motion.get("flow"))
        found = select(
            np.asarray(result["boxes"])[0], np.asarray(result["scores"])[0], **self._selection
        )

        # The state is updated only after everything has succeeded.
        self._frame_size, self.is_key = frame_size, bool(is_key)
        if is_key:
            self._features, self._key_image, self._age = result["features"], image, 0
        else:
            self._age += 1
        return _in_frame(found, size, frame_size)

    def _motion(self, image, key_image, features):
        """What a schedule decides by; nothing if it goes by time alone."""
        if not getattr(self._schedule, "needs_flow", True):
            return {}
        flow = self._engine.flow(image, key_image, features)
        small = {"image": image, "key_image": key_image}
        return {"flow": flow, **{k: resize(v, flow.shape[:2])[0] for k, v in small.items()}}


def _engine(detector, flow, size, flow_scale, keys_alone):
    """The engine that runs the detector, after checking the arguments."""
    if not hasattr(detector, "check_size"):  # it is an engine itself
        for name, value in (("flow", flow), ("size", size), ("flow_scale", flow_scale)):
            if value is not None:
                raise ValueError(f"Exported files have their own {name}; leave out {name}.")
        if not keys_alone and not getattr(detector, "has_flow", True):
            raise ValueError(
                f"{detector!r} is for single images. Give schedule=FixedInterval(1), or carry its "
                "boxes along the flow with BoxPropagator."
            )
        return detector
    from tfflow.detection.engines import KerasEngine

    own = flow is None and (
        detector.flow_network is not None or (keys_alone and detector.gru is None)
    )
    if not own and not callable(getattr(flow, "predict_flow", None)):
        raise TypeError(
            "flow must have predict_flow(image1, image2), as the networks of tfflow.models do; got "
            f"{type(flow).__name__}. A detector that was made with flow=… needs none, nor does one "
            "without GRU with FixedInterval(1)."
        )
    if own and flow_scale is not None:
        raise ValueError("flow_scale is for a flow of your own; the detector has its scale.")
    flow_scale = detector.checked_flow_scale(flow_scale)
    if size is not None:
        detector.check_size((1, *size, 3))
    return KerasEngine(detector, flow, flow_scale)


def _in_frame(found, size, frame_size):
    """Detections from pixels of the detector's input to those of the frame, clipped to it."""
    height, width = frame_size
    limits = np.float32([width, height, width, height])
    scale = limits / np.float32([size[1], size[0], size[1], size[0]])
    return Detections(np.clip(found.boxes * scale, 0, limits), found.scores, found.classes)
