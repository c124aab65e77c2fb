"""Boxes carried along the flow: any detector on key frames, its boxes moved to the frames between.

What moves a box is the median of the flow within it, from the key frame to the current one. So no
features are needed, nothing is trained, and a thing that moves by itself takes its box along.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tfflow.checks import whole_number
from tfflow.detection.boxes import Detections, overlaps, places_in
from tfflow.detection.schedule import FixedInterval, KeyFrameSchedule
from tfflow.detection.video_detector import VideoDetector
from tfflow.models.one_at_a_time import guard, one_at_a_time
from tfflow.models.prediction import as_batch, at_size, resize, size_text
from tfflow.types import Array, Predictor

# The flow is looked at in so many places a side, in the inner part of a box: near its edges it may
# be the background's.
_PLACES, _INNER = 7, 0.6
# A side of a box that is so near to the frame's edge, as a share of the frame's, is cut there.
_AT_EDGE = 0.01


class BoxPropagator:
    """Runs a detector on key frames, and moves its boxes along the flow in between.

    It takes any detector. What appears between two key frames is found at the second. One object
    serves one video: threads that call it at the same time get a RuntimeError.

    Args:
        detect: A function of a frame (H, W, 3) that gives its objects:
            :class:`tfflow.detection.Detections`, or a tuple of boxes (N, 4) x1, y1, x2, y2 in
            pixels, scores (N,) and classes (N,). Or a :class:`tfflow.detection.VideoDetector` with
            ``FixedInterval(1)``.
        flow: Anything with ``predict_flow(image1, image2)``: a network of ``tfflow.models``, or a
            :class:`tfflow.tflite.FlowInterpreter`.
        schedule: A :class:`tfflow.detection.KeyFrameSchedule`; None for ``FixedInterval(10)``.
            One that decides by the flow gets it from the key frame to the current frame, and is
            asked where the flow is estimated.
        flow_every: The flow is estimated for the first frame after a key frame, and from there on
            for every so many; in between, the boxes go on as they moved before.
        memory: The share of the earlier score in that of an object that is found again on a key
            frame, 0 to 1: what is seen twice is more certain than what is seen once.
        flow_side: The flow network gets frames whose longer side is at most so many pixels. A
            ``FlowInterpreter`` has its own size.

    Attributes:
        is_key: Whether the last frame was a key frame; None before the first.

    Raises:
        TypeError: If ``detect`` can't be called, ``flow`` has no ``predict_flow``, or ``schedule``
            is not a ``KeyFrameSchedule``.
        ValueError: If a number is out of its range, the schedule needs a confidence that ``flow``
            does not give, or a ``VideoDetector`` has another schedule.

    Example:
        >>> flow = tfflow.tflite.FlowInterpreter(tfflow.weights.preset_tflite("rillflow", "small"))
        >>> video = BoxPropagator(detect, flow)
        >>> for frame in frames:
        ...     boxes, scores, classes = video.next(frame)
    """

    def __init__(
        self,
        detect: Any,
        flow: Predictor,
        schedule: KeyFrameSchedule | None = None,
        *,
        flow_every: int = 5,
        memory: float = 0.25,
        flow_side: int = 256,
    ) -> None:
        guard(self)
        self._reset_detector, self._detect = _checked_detector(detect)
        if not callable(getattr(flow, "predict_flow", None)):
            raise TypeError(
                "flow must have predict_flow(image1, image2), as the networks of tfflow.models "
                f"do; got {type(flow).__name__}."
            )
        if schedule is not None and not isinstance(schedule, KeyFrameSchedule):
            raise TypeError(
                "schedule must be a KeyFrameSchedule of tfflow.detection, as FixedInterval(10); "
                f"got {type(schedule).__name__}."
            )
        for name, value in (("flow_every", flow_every), ("flow_side", flow_side)):
            whole_number(name, value)
        if not 0 <= memory <= 1:
            raise ValueError(f"memory must lie in 0..1; got {memory!r}.")
        self._flow, self._memory = flow, memory
        self._schedule = FixedInterval() if schedule is None else schedule
        if self._schedule.needs_confidence and not getattr(flow, "gives_confidence", False):
            raise ValueError(
                f"{type(self._schedule).__name__} needs a flow network that gives its confidence: "
                "RillFlow, or a file of tfflow export rillflow --confidence."
            )
        self._flow_every, self._flow_side = int(flow_every), int(flow_side)
        self.reset()

    @one_at_a_time
    def reset(self) -> None:
        """Forgets all frames: the next one is the first of another video, of any size."""
        self._frame_size: tuple[int, ...] | None = None
        self._key_image: Any = None  # as the flow network sees it
        self._found: Any = None  # on the key frame
        self._age, self._track = 0, _Track(np.zeros((0, 4), np.float32))
        self.is_key: bool | None = None
        self._schedule.reset()
        self._reset_detector()

    @one_at_a_time
    def next(self, frame: Array) -> Detections:
        """The objects of the next frame.

        Args:
            frame: uint8 or float in [0, 1], RGB, (H, W, 3); ``detect`` gets it as it is.

        Returns:
            :class:`tfflow.detection.Detections`: boxes (N, 4) in pixels of the frame, scores (N,)
            and classes (N,). Boxes are cut at the frame's edges; those outside are left out.

        Raises:
            ValueError: If it is not an image, or not of the size of the frames before, or
                ``detect`` gives arrays that don't fit together or boxes that end before they begin.
                The state is unchanged then.
            RuntimeError: If another thread is in ``next`` or ``reset``.
        """
        batch, single = as_batch(frame, "frame")
        if not single:
            raise ValueError(f"A BoxPropagator takes one frame (H, W, 3); got {batch.shape}.")
        frame_size = batch.shape[1:3]
        if self._frame_size not in (None, frame_size):
            raise ValueError(
                f"The video's frames are {size_text(self._frame_size)} (height x width); got "
                f"{size_text(frame_size)}. Call reset() before the first frame of another video."
            )
        image = self._shrunk(batch)
        age, track = self._age + 1, self._track
        is_key = self._found is None
        if not is_key:
            looks = (age - 1) % self._flow_every == 0
            by_time = not self._schedule.needs_flow
            is_key = age >= self._schedule.longest  # also between two looks
            is_key |= by_time and self._schedule.is_key(age, frame_size=frame_size)
            if looks and not is_key:
                flow, motion = self._motion(image, frame_size)
                track = track.looked(age, move_boxes(self._found.boxes, flow, frame_size))
                if not by_time:
                    is_key = self._schedule.is_key(age, frame_size=frame_size, **motion)
        if is_key:
            found = _checked_detections(self._detect(frame))
            if self._found is not None:
                carried = _seen(self._found, track.at(age), frame_size)
                found = found_again(found, carried, self._memory)
            age, track, self._key_image, self._found = 0, _Track(found.boxes), image, found
        # The state is updated only after everything has succeeded.
        self._frame_size, self.is_key, self._age, self._track = frame_size, is_key, age, track
        return _seen(self._found, track.at(age), frame_size)

    def _motion(self, image, frame_size):
        """The flow from the key frame, and what a schedule decides by."""
        more = {}
        if self._schedule.needs_confidence:
            result = self._flow.predict_flow(self._key_image, image, confidence=True)
            flow, more["confidence"] = np.asarray(result.flow, np.float32), result.confidence
            more["found"] = in_pixels_of(self._found, frame_size, flow.shape[:2])
        else:
            flow = np.asarray(self._flow.predict_flow(self._key_image, image), np.float32)
        # The flow begins at the key frame, so both images change places.
        pair = {"image": self._key_image, "key_image": image}
        pair = {name: resize(each[None], flow.shape[:2])[0] for name, each in pair.items()}
        return flow, {"flow": flow, **pair, **more}

    def _shrunk(self, batch):
        """A frame for the flow network, (h, w, 3)."""
        size = getattr(self._flow, "size", None)
        if size is None:
            scale = min(1.0, self._flow_side / max(batch.shape[1:3]))
            size = [max(1, round(scale * side)) for side in batch.shape[1:3]]
        return at_size(batch, size)[0]


class _Track:
    """Where the boxes of a key frame were when the flow was last looked at, and once before."""

    def __init__(self, boxes, age=0, before=None):
        self.boxes, self.age, self.before = boxes, age, before

    def looked(self, age, boxes):
        return _Track(boxes, age, self)

    def at(self, age):
        """The boxes at an age: if the flow was not looked at then, they go on as they moved."""
        if self.before is None or age == self.age:
            return self.boxes
        steps = (age - self.age) / (self.age - self.before.age)
        return self.boxes + steps * (self.boxes - self.before.boxes)


def move_boxes(
    boxes: npt.ArrayLike, flow: npt.ArrayLike, frame_size: tuple[int, int] | None = None
) -> npt.NDArray[np.float32]:
    """Boxes of one frame, moved along the flow to another.

    A box moves by the median of the flow in its inner part that is finite; where none is, it stays.
    It grows or shrinks as far as the flow parts both between its left and right thirds and between
    its upper and lower ones.

    Args:
        boxes: (N, 4), x1, y1, x2, y2 in pixels of the first frame.
        flow: (h, w, 2), from the first frame to the other, in pixels of its own grid.
        frame_size: (height, width) of the frames; None if the flow is of their size.

    Returns:
        (N, 4) float32; boxes may reach beyond the frame.

    Raises:
        ValueError: If a shape is another.
    """
    boxes, flow = np.asarray(boxes, np.float32), np.asarray(flow, np.float32)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or flow.ndim != 3 or flow.shape[2] != 2:
        raise ValueError(
            "move_boxes expects boxes (N, 4) and a flow (h, w, 2); got "
            f"{boxes.shape} and {flow.shape}."
        )
    if not len(boxes):
        return boxes
    height, width = flow.shape[:2]
    frame_height, frame_width = frame_size or (height, width)
    scale = np.array([frame_width / width, frame_height / height], np.float32)
    centres, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    x, y = places_in(boxes / np.tile(scale, 2), (height, width), _PLACES, _INNER)
    moved = flow[y[:, :, None], x[:, None, :]] * scale  # (N, rows, columns, 2)
    moved = np.where(np.isfinite(moved).all(-1, keepdims=True), moved, np.nan)
    third = _PLACES // 3
    apart = np.maximum(_INNER * (1 - (third - 1) / (_PLACES - 1)) * sides, 1.0)
    across = _median(moved[:, :, -third:, 0]) - _median(moved[:, :, :third, 0])
    down = _median(moved[:, -third:, :, 1]) - _median(moved[:, :third, :, 1])
    across, down = across / apart[:, 0], down / apart[:, 1]
    smaller = np.where(np.abs(across) < np.abs(down), across, down)
    growth = 1 + np.clip(np.where(across * down > 0, smaller, 0), -0.5, 1)[:, None]
    shift = np.stack([_median(moved[..., 0]), _median(moved[..., 1])], axis=-1)
    centres, sides = centres + np.nan_to_num(shift), sides * growth
    return np.concatenate([centres - sides / 2, centres + sides / 2], axis=-1).astype(np.float32)


def _median(values):
    """Of those of each box that are known, (N, rows, columns) -> (N,); NaN where none is.

    NumPy's ``nanmedian`` warns of these.
    """
    values = np.sort(values.reshape(len(values), -1), axis=1)  # NaN is last
    known = np.isfinite(values).sum(axis=1)
    middle = np.stack([np.maximum(known - 1, 0) // 2, known // 2], axis=1)
    middle = np.minimum(middle, values.shape[1] - 1)
    return np.take_along_axis(values, middle, axis=1).mean(axis=1)


def found_again(
    found: Detections, earlier: Detections, memory: float, overlap: float = 0.5
) -> Detections:
    """Detections with a share of the scores of those that were there before.

    Two are one object if they are of one class and overlap by more than ``overlap``; the most
    certain one chooses first. As in tracklet re-scoring (Kang et al., T-CNN, arXiv 1604.02532).

    Args:
        found: In this frame.
        earlier: Of the frame before, carried to this one.
        memory: The share of the earlier score, 0 to 1.
        overlap: Intersection over union.

    Returns:
        ``found``, the most certain first.
    """
    shared = overlaps(found.boxes, earlier.boxes)
    shared[found.classes[:, None] != earlier.classes] = 0
    scores = found.scores.copy()
    for index in np.argsort(-found.scores, kind="stable") if shared.size else ():
        other = int(np.argmax(shared[index]))
        if shared[index, other] > overlap:
            scores[index] += memory * (earlier.scores[other] - scores[index])
            shared[:, other] = 0  # each is found again once
    order = np.argsort(-scores, kind="stable")
    return Detections(found.boxes[order], scores[order], found.classes[order])


def in_pixels_of(found, size, other):
    """Detections in an image of ``size``, in pixels of the same image at another one."""
    scale = np.array([other[1] / size[1], other[0] / size[0]], np.float32)
    return found._replace(boxes=found.boxes * np.tile(scale, 2))


def _seen(found, boxes, frame_size):
    """What is seen of moved boxes: cut at the frame's edges, without those that have left it.

    A box that was cut at an edge stays there when it moves inwards: more of the thing comes in.
    """
    height, width = frame_size
    limits = np.array([width, height], np.float32)
    near = _AT_EDGE * limits
    low, high = boxes[:, :2], boxes[:, 2:]
    before_low, before_high = found.boxes[:, :2], found.boxes[:, 2:]
    low = np.where(before_low <= near, np.minimum(low, before_low), low)
    high = np.where(before_high >= limits - near, np.maximum(high, before_high), high)
    boxes = np.concatenate([np.clip(low, 0, limits), np.clip(high, 0, limits)], axis=-1)
    inside = (boxes[:, 2:] - boxes[:, :2]).min(-1, initial=math.inf) >= 1
    return Detections(boxes[inside], found.scores[inside], found.classes[inside])


def _checked_detector(detect: Any) -> tuple[Callable[[], object], Callable[[Array], Any]]:
    """(what begins another video, what finds the objects of a frame)."""
    if isinstance(detect, VideoDetector) and not detect.every_frame:
        raise ValueError(
            "A VideoDetector whose boxes are carried looks at single frames: make it with "
            "schedule=FixedInterval(1)."
        )
    if all(callable(getattr(detect, name, None)) for name in ("next", "reset")):
        return detect.reset, detect.next
    if not callable(detect):
        raise TypeError(
            "detect must be a function of a frame that gives (boxes, scores, classes), or a "
            f"VideoDetector; got {type(detect).__name__}."
        )
    return lambda: None, detect


def _checked_detections(found):
    try:
        boxes, scores, classes = found
        # Copies: the detector may use its arrays again.
        boxes, scores = np.array(boxes, np.float32), np.array(scores, np.float32)
        classes = np.array(classes)
        boxes = boxes if boxes.size else np.zeros((0, 4), np.float32)
        fit = boxes.shape == (len(boxes), 4) and scores.shape == classes.shape == boxes.shape[:1]
    except (TypeError, ValueError):
        fit = False
    if not fit:
        raise ValueError(
            f"detect must give boxes (N, 4), scores (N,) and classes (N,); got {_in_words(found)}."
        )
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        raise ValueError("detect must give finite boxes and scores; got NaN or infinity.")
    backwards = (boxes[:, 2:] < boxes[:, :2]).any(axis=1)
    if backwards.any():
        raise ValueError(
            "detect must give boxes as x1, y1, x2, y2 with x1 <= x2 and y1 <= y2; got "
            f"{boxes[backwards][0].tolist()}. Of x, y, width and height, make x, y, x + width and "
            "y + height."
        )
    if len(classes) and not (classes.dtype.kind in "iuf" and (classes == np.floor(classes)).all()):
        raise ValueError(
            "detect must give classes as whole numbers, places in a list of names; got "
            f"{classes.tolist()[0]!r}."
        )
    return Detections(boxes, scores, classes.astype(np.int64))


def _in_words(found):
    if isinstance(found, (tuple, list)):
        return ", ".join(str(np.shape(each)) for each in found) or "nothing"
    return type(found).__name__
