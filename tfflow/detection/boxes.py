"""From a dense head's outputs to boxes, and from boxes to the head's training targets.

NumPy only: the same for a Keras model on any backend and for an exported file. A box is
(x1, y1, x2, y2), its edges in pixels: one that covers the whole image is (0, 0, W, H). Feature
(row, column) stands for the image's point ((column + 0.5) stride, (row + 0.5) stride). After FCOS
(Tian et al., ICCV 2019, arXiv 1904.01355).
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

NO_BOX = -1.0  # the centre-ness of a place without a box


class Detections(NamedTuple):
    """The objects of one image, the most certain one first.

    Attributes:
        boxes: (N, 4) float32, x1, y1, x2, y2 in pixels.
        scores: (N,) float32, from 0 to 1.
        classes: (N,) int64, from 0 up.
    """

    boxes: np.ndarray
    scores: np.ndarray
    classes: np.ndarray


def overlaps(boxes1: npt.ArrayLike, boxes2: npt.ArrayLike) -> npt.NDArray[Any]:
    """Intersection over union of all pairs: (N, 4) and (M, 4) -> (N, M); 0 for empty boxes."""
    boxes1, boxes2 = np.asarray(boxes1, float)[:, None], np.asarray(boxes2, float)[None]
    low = np.maximum(boxes1[..., :2], boxes2[..., :2])
    high = np.minimum(boxes1[..., 2:], boxes2[..., 2:])
    shared = np.maximum(high - low, 0).prod(-1)
    areas = [np.maximum(boxes[..., 2:] - boxes[..., :2], 0).prod(-1) for boxes in (boxes1, boxes2)]
    union = areas[0] + areas[1] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def places_in(
    boxes: npt.ArrayLike, size: tuple[int, ...], count: int = 7, inner: float = 0.6
) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]]:
    """A grid of pixels in the inner part of each box: near its edges it may be the background.

    Args:
        boxes: (N, 4), in pixels of the image.
        size: (height, width) of the image. Pixels beyond it become those of its edge.
        count: Pixels a side.
        inner: The part of a box's sides that they span.

    Returns:
        The columns and the rows, each (N, count).
    """
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    steps = np.linspace(-inner / 2, inner / 2, count, dtype=np.float32)
    centres, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    places = np.floor(centres[:, None] + steps[:, None] * sides[:, None]).astype(int)
    x, y = np.moveaxis(np.clip(places, 0, np.array([size[1] - 1, size[0] - 1])), -1, 0)
    return x, y


def suppress(boxes: npt.ArrayLike, scores: npt.ArrayLike, overlap: float) -> npt.NDArray[np.int_]:
    """Non-maximum suppression: of boxes that overlap too much, only the best one stays.

    Args:
        boxes: (N, 4).
        scores: (N,).
        overlap: Intersection over union, 0 to 1, above which two boxes are one object.

    Returns:
        The indices of those that stay, best first.
    """
    order = np.argsort(-np.asarray(scores), kind="stable")
    shared = overlaps(boxes, boxes)
    kept: list[int] = []
    for index in order:
        if all(shared[index, other] <= overlap for other in kept):
            kept.append(index)
    return np.array(kept, int)


def decode(outputs: dict[str, Any], stride: int, **options: Any) -> list[Detections]:
    """The objects that a dense head found in each image of a batch.

    The score is sqrt(class score x centre-ness).

    Args:
        outputs: ``{"classes": (B, h, w, N) logits, "sides": (B, h, w, 4) px from the place to the
            left, top, right and bottom, "centreness": (B, h, w, 1) logits}``, as
            :meth:`tfflow.detection.FlowGuidedDetector.detect` gives them.
        stride: Pixels of the image per feature.
        **options: As for :func:`tfflow.detection.boxes.select`.

    Returns:
        A list of :class:`Detections`, one per image, in pixels of the detector's input.
    """
    classes, sides, centreness = (
        np.asarray(outputs[name], np.float32) for name in ("classes", "sides", "centreness")
    )
    scores = np.sqrt(_sigmoid(classes) * _sigmoid(centreness))
    x, y = places(classes.shape[1:3], stride)
    boxes = np.stack([x, y, x, y], -1) + sides * np.array([-1, -1, 1, 1], np.float32)
    return [
        select(of_boxes.reshape(-1, 4), of_scores.reshape(-1, classes.shape[-1]), **options)
        for of_boxes, of_scores in zip(boxes, scores)
    ]


def select(boxes, scores, *, score=0.3, overlap=0.5, most=100, candidates=1000):
    """Selects the objects among the boxes of all places, with suppression per class.

    Args:
        boxes: (M, 4), one for each place.
        scores: (M, N), 0 to 1, of N classes.
        score: Objects below it are left out.
        overlap: As for :func:`tfflow.detection.suppress`.
        most: Largest number of objects.
        candidates: How many of the best pairs of place and class enter the suppression.

    Returns:
        :class:`Detections`.
    """
    place, kind = np.nonzero(scores >= score)
    best = np.argsort(-scores[place, kind], kind="stable")[:candidates]
    place, kind = place[best], kind[best]
    certain, around = scores[place, kind], boxes[place]
    kept = [np.zeros(0, int)]
    for one in np.unique(kind):
        among = np.nonzero(kind == one)[0]
        kept.append(among[suppress(around[among], certain[among], overlap)])
    kept = np.sort(np.concatenate(kept))[:most]  # they are sorted by score already
    return Detections(around[kept], certain[kept], kind[kept])


def encode(
    boxes: npt.ArrayLike,
    classes: npt.ArrayLike,
    size: tuple[int, int],
    *,
    stride: int,
    count: int,
    radius: float = 1.5,
) -> dict[str, npt.NDArray[np.float32]]:
    """The targets of a dense head for an image with these objects.

    A place belongs to a box if it lies within it and within ``radius`` strides of its centre; of
    several boxes, to the smallest. A box so small that no place lies within it is not learnt.

    Args:
        boxes: (M, 4), in pixels of the head's input.
        classes: (M,) whole numbers from 0 to ``count`` - 1.
        size: (h, w) of the features.
        stride: Pixels of the image per feature.
        count: How many classes there are.
        radius: In strides; ``float("inf")`` takes the whole box.

    Returns:
        A dict of float32 arrays, the targets of the losses in ``tfflow.detection.losses``:
        ``classes``, (h, w, count) of 0 and 1; ``sides``, (h, w, 4) in px, zero where there is no
        box; ``centreness``, (h, w, 1) in [0, 1], -1 where there is no box.

    Raises:
        ValueError: If boxes and classes differ in number, or a class is out of range.
    """
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    classes = np.asarray(classes, int).reshape(-1)
    if len(boxes) != len(classes):
        raise ValueError(f"Each box needs a class; got {len(boxes)} boxes, {len(classes)} classes.")
    if len(classes) and not 0 <= classes.min() <= classes.max() < count:
        raise ValueError(
            f"Classes must lie in 0..{count - 1}; got {classes.min()} to {classes.max()}."
        )
    targets = {
        "classes": np.zeros((*size, count), np.float32),
        "sides": np.zeros((*size, 4), np.float32),
        "centreness": np.full((*size, 1), NO_BOX, np.float32),
    }
    x, y = places(size, stride)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for index in np.argsort(-areas, kind="stable"):  # smaller ones overwrite larger ones
        x1, y1, x2, y2 = boxes[index]
        sides = np.stack([x - x1, y - y1, x2 - x, y2 - y], -1)
        away = np.maximum(np.abs(x - (x1 + x2) / 2), np.abs(y - (y1 + y2) / 2))
        mine = (sides.min(-1) > 0) & (away <= radius * stride)
        targets["classes"][mine] = np.eye(count, dtype=np.float32)[classes[index]]
        targets["sides"][mine] = sides[mine]
        targets["centreness"][mine] = _centreness(sides[mine])[:, None]
    return targets


def places(size, stride):
    """The points that features (h, w) stand for: x and y, two (h, w) float32, in pixels."""
    y, x = ((np.arange(side, dtype=np.float32) + 0.5) * stride for side in size)
    return np.meshgrid(x, y)


def _centreness(sides):
    """FCOS's centre-ness: 1 in the middle of a box, falling to 0 at its edges."""
    across, down = sides[:, 0::2], sides[:, 1::2]
    return np.sqrt(across.min(-1) / across.max(-1) * down.min(-1) / down.max(-1))


def _sigmoid(x):
    return 0.5 * (1.0 + np.tanh(0.5 * x))
