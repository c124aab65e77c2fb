"""Objects in a video, frame by frame: NumPy in, NumPy out."""

import keras
import numpy as np

from tfflow.models.prediction import as_batch, next_multiple, resize
from tfflow.video.boxes import Detections, decode
from tfflow.video.schedule import FixedInterval


class VideoDetector:
    """Finds the objects of each frame of a video; only key frames go through the whole detector.

    On a key frame, its features are computed and joined with the earlier ones, propagated to it.
    On the others, the last key frame's features are propagated along the flow. One object is one
    video; not thread-safe.

    Args:
        detector: A :class:`tfflow.video.FlowGuidedDetector`.
        flow: Anything with ``predict_flow(image1, image2)``: a network of ``tfflow.models``, a
            preset, a ``tfflow.tflite.FlowInterpreter``.
        schedule: A :class:`tfflow.video.KeyFrameSchedule`; None for ``FixedInterval(10)``.
        score: Objects below it are left out, 0 to 1.
        overlap: Two boxes of one class that overlap by more are one object.
        most: At most so many objects in a frame.
        size: (height, width) that the detector runs at, multiples of 32; None for the next
            multiples of the frame's. Frames are stretched to it.
        flow_scale: The flow is estimated on frames of the detector's size times this; the paper
            takes a half.

    Attributes:
        is_key: Whether the last frame was a key frame; None before the first.

    Raises:
        ValueError: If an argument is out of its range.
        TypeError: If ``flow`` has no ``predict_flow``.

    Example:
        >>> video = VideoDetector(detector, tfflow.models.create("lightflow"))
        >>> for frame in frames:
        ...     boxes, scores, classes = video.next(frame)
    """

    def __init__(
        self,
        detector,
        flow,
        schedule=None,
        *,
        score=0.3,
        overlap=0.5,
        most=100,
        size=None,
        flow_scale=0.5,
    ):
        if not callable(getattr(flow, "predict_flow", None)):
            raise TypeError(
                "flow must have predict_flow(image1, image2), as the networks of tfflow.models "
                f"do; got {type(flow).__name__}."
            )
        if not 0 < flow_scale <= 1:
            raise ValueError(f"flow_scale must be above 0 and at most 1; got {flow_scale!r}.")
        if size is not None:
            detector.check_size((1, *size, 3))
        self._detector, self._predictor = detector, flow
        self._schedule = FixedInterval() if schedule is None else schedule
        self._decoding = {"score": score, "overlap": overlap, "most": most}
        self._size, self._flow_scale = size, flow_scale
        self._first = _Step(detector, _first)
        self._key = _Step(detector, _key)
        self._between = _Step(detector, _between)
        self.reset()

    def reset(self):
        """Forgets all frames: the next one is the first of another video, of any size."""
        self._frame_size = self._key_image = self._features = None
        self._age = 0
        self.is_key = None
        self._schedule.reset()

    def next(self, frame):
        """The objects of the next frame.

        Args:
            frame: uint8 or float in [0, 1], RGB, (H, W, 3); grey and RGBA are converted.

        Returns:
            :class:`tfflow.video.Detections`: boxes (N, 4) in pixels of the frame, scores (N,) and
            classes (N,), the most certain object first.

        Raises:
            ValueError: If it is no image, or of another size than the frames before. The detector
                then is as it was.
        """
        batch, single = as_batch(frame, "frame")
        if not single:
            raise ValueError(
                f"A VideoDetector takes one frame (H, W, 3) at a time; got {batch.shape}."
            )
        frame_size = batch.shape[1:3]
        if self._frame_size not in (None, frame_size):
            raise ValueError(
                f"The video's frames are {_text(self._frame_size)} (height x width); got "
                f"{_text(frame_size)}. Call reset() before the first frame of another video."
            )
        size = self._size or next_multiple(frame_size, self._detector.multiple)
        batch = resize(batch, size)
        image = resize(batch, [max(1, round(self._flow_scale * side)) for side in size])[0]

        if self._features is None:
            is_key, result = True, self._first.predict_on_batch({"image": batch})
        else:
            flow = np.asarray(self._predictor.predict_flow(image, self._key_image), np.float32)
            is_key = self._schedule.is_key(
                self._age + 1,
                flow=flow,
                image=image,
                key_image=self._key_image,
                frame_size=frame_size,
            )
            inputs = {"features": self._features, "flow": flow[None]}
            step = self._between
            if is_key:
                step, inputs["image"] = self._key, batch
            result = step.predict_on_batch(inputs)
        found = decode(result["outputs"], self._detector.stride, **self._decoding)[0]

        # Nothing is kept before all has gone well.
        self._frame_size, self.is_key = frame_size, bool(is_key)
        if is_key:
            self._features, self._key_image, self._age = result["features"], image, 0
        else:
            self._age += 1
        return _in_frame(found, size, frame_size)


class _Step(keras.Model):
    """A part of the detector as a model of its own: Keras compiles what is a model's call."""

    def __init__(self, detector, function):
        super().__init__(name=f"{detector.name}_{function.__name__[1:]}", autocast=False)
        # Part of the model, so that backends that pass weights as arguments find them.
        self.detector, self.function = detector, function
        self.jit_compile = detector.jit_compile

    def build(self, *args, **kwargs):
        pass

    def call(self, inputs):
        return self.function(self.detector, **inputs)


def _first(detector, image):
    features = detector.features(image, training=False)
    return {"features": features, "outputs": detector.detect(features)}


def _key(detector, image, features, flow):
    propagated = detector.propagate(features, flow)
    joined = detector.aggregate(detector.features(image, training=False), propagated)
    return {"features": joined, "outputs": detector.detect(joined)}


def _between(detector, features, flow):
    return {"outputs": detector.detect(detector.propagate(features, flow))}


def _in_frame(found, size, frame_size):
    """Detections in pixels of the detector's input, in those of the frame and within it."""
    height, width = frame_size
    limits = np.float32([width, height, width, height])
    scale = limits / np.float32([size[1], size[0], size[1], size[0]])
    return Detections(np.clip(found.boxes * scale, 0, limits), found.scores, found.classes)


def _text(size):
    return "x".join(map(str, size))
