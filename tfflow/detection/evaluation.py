"""Evaluates a detector on clips with boxes: COCO's average precision, also by speed of motion."""

import contextlib
import io
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from tfflow.detection.boxes import Detections, overlaps
from tfflow.detection.clips import Clips

SPEEDS = ("slow", "medium", "fast")
# The objects' motion IoU: above the first they are slow, below the second fast.
_SLOW, _FAST = 0.9, 0.7
_NEARBY = 10  # frames


class Precision(NamedTuple):
    """COCO's average precision, 0 to 1, the mean over classes; NaN where there is no object.

    Attributes:
        ap: The mean over overlaps (intersection over union) of 0.50, 0.55, …, 0.95.
        ap50: At an overlap of 0.50.
        ap75: At an overlap of 0.75.
        of_class: (classes,) ``ap`` of each.
    """

    ap: float
    ap50: float
    ap75: float
    of_class: np.ndarray


class VideoResult(NamedTuple):
    """What :func:`tfflow.detection.evaluate` found.

    Attributes:
        ap, ap50, ap75: As in :class:`~tfflow.detection.evaluation.Precision`.
        of_class: The name of each class -> its ``ap``.
        of_speed: ``"slow"``, ``"medium"``, ``"fast"`` -> the same on such objects.
        frames: How many frames there were.
        key_frames: How many of them were key frames.
        ms: Milliseconds per frame, the mean over all frames, decoding of boxes included.
    """

    ap: float
    ap50: float
    ap75: float
    of_class: dict
    of_speed: dict
    frames: int
    key_frames: int
    ms: float


class FrameByFrame(Protocol):
    """What finds the objects of one frame after the other."""

    is_key: bool | None

    def reset(self) -> None: ...
    def next(self, frame: Any, /) -> Detections: ...


def evaluate(
    video: FrameByFrame,
    clips: Clips,
    *,
    limit: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> VideoResult:
    """The average precision of a video detector on clips, and its time per frame.

    Give the detector a low ``score``, such as 0.05: precision is measured over all scores.

    Args:
        video: A :class:`tfflow.detection.VideoDetector`, or anything with its ``reset``, ``next``
            and ``is_key``; it is reset before each clip and after the last.
        clips: A sequence of clips of ``VideoFrame`` with an attribute ``classes``, as
            :class:`tfflow.detection.SyntheticClips`. Of images alone, each is a clip.
        limit: Use only the first ``limit`` clips.
        progress: Called with (clips done, clips in all).

    Returns:
        :class:`~tfflow.detection.evaluation.VideoResult`.

    Raises:
        ValueError: If two classes have one name.
        ImportError: If pycocotools is missing (extra ``video``).
    """
    _cocoeval()  # what may fail comes before what takes time
    if len(set(clips.classes)) < len(clips.classes):
        raise ValueError(f"Each class needs a name of its own; got {list(clips.classes)}.")
    found, boxes, classes, speeds, key_frames, seconds = [], [], [], [], 0, 0.0
    total = len(clips) if limit is None else min(limit, len(clips))
    for number, clip in enumerate(itertools.islice(clips, total)):
        video.reset()
        tracks = []
        for frame in clip:
            start = time.perf_counter()
            found.append(video.next(frame.image))
            seconds += time.perf_counter() - start
            key_frames += bool(video.is_key)
            boxes.append(frame.boxes)
            classes.append(frame.classes)
            tracks.append(frame.tracks)
        speeds += motion_speeds(boxes[-len(tracks) :], tracks) if tracks else []
        if progress:
            progress(number + 1, total)
    video.reset()
    count = len(clips.classes)
    precision = average_precision(found, boxes, classes, count)
    of_speed = {
        name: average_precision(
            found, boxes, classes, count, counted=[each == number for each in speeds]
        )
        for number, name in enumerate(SPEEDS)
    }
    return VideoResult(
        *precision[:3],
        dict(zip(clips.classes, precision.of_class.tolist())),
        of_speed,
        len(found),
        int(key_frames),
        1000 * seconds / max(1, len(found)),
    )


def _check_boxes(what, of_images):
    for image, boxes in enumerate(of_images):
        boxes = np.reshape(boxes, (-1, 4))
        backwards = (boxes[:, 2:] < boxes[:, :2]).any(axis=1)
        if backwards.any():
            raise ValueError(
                "Boxes are x1, y1, x2, y2 with x1 <= x2 and y1 <= y2; among the "
                f"{what} of image {image} is {boxes[backwards][0].tolist()}."
            )


def average_precision(
    found: Sequence[Detections],
    boxes: Sequence[npt.NDArray[Any]],
    classes: Sequence[npt.NDArray[Any]],
    count: int,
    *,
    counted: Sequence[npt.NDArray[np.bool_]] | None = None,
) -> Precision:
    """COCO's average precision (Lin et al., arXiv 1405.0312), by pycocotools.

    At most 100 detections of an image count.

    Args:
        found: :class:`tfflow.detection.Detections` of each image.
        boxes: (M, 4) of each image, the true ones.
        classes: (M,) of each image.
        count: How many classes there are.
        counted: (M,) bool of each image; others count neither as missed nor as wrongly found.

    Returns:
        :class:`~tfflow.detection.evaluation.Precision`.

    Raises:
        ValueError: If there are not as many detections as images, a box or score is not finite, a
            box ends before it begins, or a true class is not one of ``count``.
        ImportError: If pycocotools is missing (extra ``video``).
    """
    if not len(found) == len(boxes) == len(classes):
        raise ValueError(
            "Each image needs its detections, boxes and classes; got "
            f"{len(found)}, {len(boxes)} and {len(classes)}."
        )
    for image, each in enumerate(found):
        if not (np.isfinite(each.boxes).all() and np.isfinite(each.scores).all()):
            raise ValueError(f"The detections of image {image} have boxes or scores not finite.")
    for image, each in enumerate(found):
        if not len(each.boxes) == len(each.scores) == len(each.classes):
            raise ValueError(
                "Each detection has a box, a score and a class; got "
                f"{len(each.boxes)}, {len(each.scores)} and {len(each.classes)} for image {image}."
            )
    _check_boxes("detections", [each.boxes for each in found])
    _check_boxes("true boxes", boxes)
    for image, kinds in enumerate(classes):
        if len(kinds) and not 0 <= np.min(kinds) <= np.max(kinds) < count:
            raise ValueError(
                f"True classes are places among {count} classes, 0 to {count - 1}; got "
                f"{np.asarray(kinds).tolist()} for image {image}."
            )
    from pycocotools.coco import COCO

    if counted is None:
        counted = [np.ones(len(each), bool) for each in classes]
    truth = COCO()
    truth.dataset = {
        "images": [{"id": image} for image in range(len(boxes))],
        "categories": [{"id": kind} for kind in range(count)],
        "annotations": _annotations(boxes, classes, counted),
    }
    detections = [
        [image, x1, y1, x2 - x1, y2 - y1, score, kind]
        for image, each in enumerate(found)
        for (x1, y1, x2, y2), score, kind in zip(each.boxes, each.scores, each.classes)
    ]
    if not any(np.any(each) for each in counted):
        return Precision(np.nan, np.nan, np.nan, np.full(count, np.nan))
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools reports to the terminal
        truth.createIndex()
        # It can't take an empty list: a detection of a class that doesn't exist does no harm.
        results = truth.loadRes(np.array(detections or [[0, 0, 0, 1, 1, 0, count]], float))
        run = _cocoeval()(truth, results, "bbox")
        run.params.areaRng, run.params.areaRngLbl = run.params.areaRng[:1], ["all"]
        run.evaluate()
        run.accumulate()
    # (overlaps, recalls, classes, areas, numbers of detections); -1 where there is no object.
    precision = run.eval["precision"][:, :, :, 0, -1]
    precision = np.where(precision < 0, np.nan, precision).mean(axis=1)
    known = ~np.isnan(precision[0])
    of_overlap = precision[:, known].mean(axis=1)  # 0.50, 0.55, …
    ap50, ap75 = (
        float(of_overlap[np.isclose(run.params.iouThrs, wanted)][0]) for wanted in (0.5, 0.75)
    )
    return Precision(float(of_overlap.mean()), ap50, ap75, precision.mean(axis=0))


def motion_speeds(
    boxes: Sequence[npt.NDArray[Any]], tracks: Sequence[npt.NDArray[Any]]
) -> list[npt.NDArray[np.int_]]:
    """How fast the objects of one clip move, as ImageNet VID's papers measure it.

    An object's motion IoU is the mean overlap of its box with its own boxes up to 10 frames before
    and after: above 0.9 it is slow, below 0.7 fast (Flow-Guided Feature Aggregation, Zhu et al.,
    ICCV 2017, arXiv 1703.10025).

    Args:
        boxes: (M, 4) of each frame, in order of time.
        tracks: (M,) of each frame, the same for one object in all of them.

    Returns:
        (M,) int of each frame, places in slow, medium, fast. An object that is seen once is slow.
    """
    frames = [list(zip(np.asarray(t).tolist(), b)) for t, b in zip(tracks, boxes)]
    places = [dict(objects) for objects in frames]
    speeds = []
    for now, objects in enumerate(frames):
        around = places[max(0, now - _NEARBY) : now] + places[now + 1 : now + _NEARBY + 1]
        of_frame = []
        for track, box in objects:
            others = [other[track] for other in around if track in other]
            motion_iou = overlaps([box], others).mean() if others else 1.0
            of_frame.append(0 if motion_iou > _SLOW else 2 if motion_iou < _FAST else 1)
        speeds.append(np.array(of_frame, int))
    return speeds


def _annotations(boxes, classes, counted):
    entries = []
    for image, objects in enumerate(zip(boxes, classes, counted)):
        for (x1, y1, x2, y2), kind, counts in zip(*objects, strict=True):
            width, height = float(x2 - x1), float(y2 - y1)
            entries.append(
                {
                    "id": len(entries) + 1,
                    "image_id": image,
                    "category_id": int(kind),
                    "bbox": [float(x1), float(y1), width, height],
                    "area": width * height,
                    "iscrowd": 0,
                    "counts": bool(counts),
                }
            )
    return entries


def _cocoeval():
    """pycocotools' COCOeval, changed to leave out objects that don't count.

    Raises:
        ImportError: If it is missing.
    """
    try:
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise ImportError("Average precision needs pycocotools: pip install pycocotools") from error

    class Evaluation(COCOeval):
        def _prepare(self):
            super()._prepare()
            # COCO's own "ignore" is for crowds, whose overlap is measured differently.
            for objects in self._gts.values():
                for each in objects:
                    each["ignore"] = not each["counts"]

    return Evaluation
