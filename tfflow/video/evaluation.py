"""How good a detector is on clips with boxes: average precision, as ImageNet VID measures it."""

from typing import NamedTuple

import numpy as np

from tfflow.video.boxes import overlaps


class VideoResult(NamedTuple):
    """What :func:`evaluate` found.

    Attributes:
        mean: The mean average precision, 0 to 1, over the classes that there are; NaN without any.
        of_class: The name of each class -> its average precision, NaN if it has no object.
        frames: How many frames there were.
        key_frames: How many of them were key frames.
    """

    mean: float
    of_class: dict
    frames: int
    key_frames: int


def evaluate(video, clips, *, overlap=0.5):
    """The average precision of a :class:`tfflow.video.VideoDetector` on clips.

    Give the detector a low ``score``, such as 0.05: precision is measured at all of them.

    Args:
        video: The :class:`tfflow.video.VideoDetector`; it is reset before each clip and after all.
        clips: A sequence of clips of ``tfflow.data.VideoFrame`` with an attribute ``classes``, as
            :class:`tfflow.data.SyntheticClips`.
        overlap: As for :func:`average_precision`.

    Returns:
        :class:`VideoResult`.
    """
    found, boxes, classes, key_frames = [], [], [], 0
    for clip in clips:
        video.reset()
        for frame in clip:
            found.append(video.next(frame.image))
            key_frames += video.is_key
            boxes.append(frame.boxes)
            classes.append(frame.classes)
    video.reset()
    precision = average_precision(found, boxes, classes, len(clips.classes), overlap=overlap)
    known = precision[~np.isnan(precision)]
    return VideoResult(
        float(known.mean()) if len(known) else float("nan"),
        dict(zip(clips.classes, precision.tolist())),
        len(found),
        int(key_frames),
    )


def average_precision(found, boxes, classes, count, *, overlap=0.5):
    """The area under the curve of precision over recall, of each class.

    Detections of all images are taken in the order of their scores. One is right if it overlaps an
    object of its class, that no better one has taken, by ``overlap`` or more. Precision at a recall
    is the best at that or a higher one, as in PASCAL VOC since 2010 and in ImageNet VID.

    Args:
        found: :class:`tfflow.video.Detections` of each image.
        boxes: (M, 4) of each image, the true ones.
        classes: (M,) of each image.
        count: How many classes there are.
        overlap: Intersection over union.

    Returns:
        (count,) float64, 0 to 1; NaN for classes without an object.

    Raises:
        ValueError: If there are not as many detections as images.
    """
    if not len(found) == len(boxes) == len(classes):
        raise ValueError(
            "Each image needs its detections, boxes and classes; got "
            f"{len(found)}, {len(boxes)} and {len(classes)}."
        )
    precision = np.full(count, np.nan)
    for kind in range(count):
        scores, right, objects = [], [], 0
        for of_image, true_boxes, true_classes in zip(found, boxes, classes):
            mine = np.asarray(of_image.classes) == kind
            true = np.asarray(true_boxes).reshape(-1, 4)[np.asarray(true_classes) == kind]
            objects += len(true)
            scores.append(np.asarray(of_image.scores)[mine])
            right.append(_right(of_image.boxes[mine], scores[-1], true, overlap))
        if objects:
            order = np.argsort(-np.concatenate(scores), kind="stable")
            precision[kind] = _area(np.concatenate(right)[order], objects)
    return precision


def _right(boxes, scores, true, overlap):
    """Which detections of one image and class are right, (N,) bool."""
    right = np.zeros(len(boxes), bool)
    shared = overlaps(boxes, true)
    for index in np.argsort(-scores, kind="stable"):
        if len(true) and shared[index].max() >= overlap:
            right[index] = True
            shared[:, shared[index].argmax()] = -1.0  # taken
    return right


def _area(right, objects):
    """Average precision of detections, best first, where there are so many objects."""
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(right) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best_from_here[right].sum() / objects)
