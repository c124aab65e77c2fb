"""The motion of the camera, estimated from the flow, and what moves in another way."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from tfflow.checks import whole_number
from tfflow.tools.clips import pictures
from tfflow.tools.consistency import TRUSTED
from tfflow.types import Array, Predictor
from tfflow.vectors import length

CameraModel: TypeAlias = Literal["similarity", "affine", "homography"]

_STEP = 8  # px at most between the flow vectors that are used; most images have more than needed
# If the model explains a smaller share of all vectors, it is not the camera's motion: the scene has
# changed, or there is nothing to see. RANSAC finds wrong ones if few of those that are used follow
# the right one: a homography was off by 10 px where a quarter did.
_LEAST_SHARE, _LEAST_OF_USED = 0.1, 0.3
_LEAST_COUNT = 12  # a homography goes through any four
_LARGEST_TOLERANCE = 1 / 16  # as a share of the image's longer side


def camera_motion(
    flow: Array,
    *,
    confidence: Array | None = None,
    model: CameraModel = "similarity",
    tolerance: float = 1.0,
) -> npt.NDArray[np.float64]:
    """The motion that most of the picture follows, by RANSAC.

    Args:
        flow: (H, W, 2), pixels.
        confidence: (H, W), in [0, 1]; vectors below 1/e are left out, such as those of hidden
            pixels (:func:`tfflow.tools.confidence`). None: all are used.
        model: ``"similarity"`` (shift, rotation, zoom), ``"affine"``, or ``"homography"``, which is
            exact for a camera that only turns, and for a plane.
        tolerance: Distance in px up to which a vector follows the motion.

    Returns:
        (3, 3) float64: image1's (x, y, 1) to image2's, up to a factor that is 1 at the lower right.

    Raises:
        ValueError: If the shapes do not fit, the model is unknown, or less than three tenths of
            the trusted vectors, or a tenth of all, follow one motion.
    """
    matrix = find_camera_motion(flow, confidence, model, tolerance)
    if matrix is None:
        raise ValueError(
            "found no motion of the camera: too little of the flow follows one "
            f"{model} within {tolerance:g} px. Do both images show the same scene?"
        )
    return matrix


def find_camera_motion(flow, confidence=None, model="similarity", tolerance=1.0):
    """:func:`camera_motion`, or None if there is none."""
    import cv2

    check_model(model)
    if not 0 < tolerance < np.inf:
        raise ValueError(f"tolerance must be above 0 px and finite; got {tolerance}.")
    estimate = {
        "similarity": cv2.estimateAffinePartial2D,
        "affine": cv2.estimateAffine2D,
        "homography": cv2.findHomography,
    }[model]
    flow = _checked(flow)
    step = max(1, min(_STEP, min(flow.shape[:2]) // 5))
    offset = step // 2
    vectors = flow[offset::step, offset::step]
    y, x = np.mgrid[: vectors.shape[0], : vectors.shape[1]] * step + offset
    used = np.isfinite(vectors).all(axis=-1)
    if confidence is not None:
        confidence = np.asarray(confidence)
        if confidence.shape != flow.shape[:2]:
            raise ValueError(
                f"confidence must be of the flow's size {flow.shape[:2]}; got {confidence.shape}."
            )
        used &= confidence[offset::step, offset::step] >= TRUSTED
    places = np.stack([x, y], axis=-1)[used].astype(np.float32)
    if len(places) < _LEAST_COUNT:
        return None
    matrix, inliers = estimate(
        places, places + vectors[used], method=cv2.RANSAC, ransacReprojThreshold=tolerance
    )
    least = max(_LEAST_COUNT, _LEAST_SHARE * used.size, _LEAST_OF_USED * used.sum())
    if matrix is None or inliers.sum() < least:
        return None
    return matrix if len(matrix) == 3 else np.vstack([matrix, [0, 0, 1]])


def closest_camera_motion(flow, confidence, model):
    """:func:`camera_motion` at the smallest tolerance of 1, 2, 4, … px that finds one, or None.

    Nearer things move faster when a camera travels: no model of it fits all within a pixel.
    """
    tolerance = 1.0
    while tolerance <= _LARGEST_TOLERANCE * max(flow.shape):
        matrix = find_camera_motion(flow, confidence, model, tolerance)
        if matrix is not None:
            return matrix
        tolerance *= 2
    return None


def check_model(model):
    """Raises a ValueError if there is no such model."""
    models = get_args(CameraModel)
    if model not in models:
        raise ValueError(f"model must be one of {', '.join(models)}; got {model!r}.")


def camera_flow(matrix: Array, height: int, width: int) -> npt.NDArray[np.float32]:
    """The flow of a motion that :func:`camera_motion` found.

    Args:
        matrix: (3, 3).
        height: Of the flow, px.
        width: Likewise.

    Returns:
        (H, W, 2) float32, pixels.
    """
    matrix = np.asarray(matrix, np.float64)
    x, y = np.arange(width), np.arange(height)[:, None]
    u, v, scale = (row[0] * x + (row[1] * y + row[2]) for row in matrix)
    return np.stack([u / scale - x, v / scale - y], axis=-1).astype(np.float32)


def motion_mask(
    flow: Array,
    *,
    camera: Array | None = None,
    threshold: float = 1.0,
    relative: float = 0.05,
    clean: int = 5,
) -> npt.NDArray[np.bool_]:
    """What moves in another way than the camera.

    These are the pixels with ``|flow - c| > threshold + relative · |c|``, c the flow of the camera,
    for the flow's error grows with the motion. A morphological opening and closing then remove
    specks and holes. If the camera travels, near things move differently from far ones, and are in
    the mask too.

    Args:
        flow: (H, W, 2), pixels.
        camera: (3, 3), the camera's motion; by default the homography that
            :func:`camera_motion` finds in this flow. ``np.eye(3)``: the camera stands still.
        threshold: Tolerated difference in px.
        relative: Tolerated difference, as a share of the camera's motion.
        clean: Diameter in px of specks and holes that are removed; an even one counts as the next
            odd one. 0 leaves all as it is.

    Returns:
        (H, W) bool. A pixel whose flow is not finite is not in the mask.

    Raises:
        ValueError: If the flow is none, no motion of the camera can be found in it, or an argument
            is out of its range.
    """
    import cv2

    clean = whole_number("clean", clean, 0)
    for name, value in (("threshold", threshold), ("relative", relative)):
        if not 0 <= value < np.inf:
            raise ValueError(f"{name} must be at least 0 and finite; got {value}.")
    if camera is not None and not (np.shape(camera) == (3, 3) and np.isfinite(camera).all()):
        raise ValueError("camera must be a matrix (3, 3) of finite numbers.")
    vectors = _checked(flow)
    if camera is None:
        camera = camera_motion(vectors, model="homography")
    still = camera_flow(camera, *vectors.shape[:2])
    moved = length(vectors - still)
    known = np.isfinite(moved)
    mask = known & (moved > threshold + relative * length(still))
    if clean:
        side = int(clean) // 2 * 2 + 1  # without a middle, a disc would move the mask
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        # An unknown pixel is neither a speck nor a hole: it takes nothing from what is around it.
        mask = mask | ~known
        for operation in (cv2.MORPH_OPEN, cv2.MORPH_CLOSE):
            mask = cv2.morphologyEx(mask.astype(np.uint8), operation, disc).astype(bool) & known
    return mask


def motion_masks(
    predictor: Predictor,
    frames: Iterable[Array],
    *,
    size: tuple[int, int] | None = None,
    threshold: float = 1.0,
    relative: float = 0.05,
    clean: int = 5,
) -> Iterator[npt.NDArray[np.bool_]]:
    """The :func:`motion_mask` of each frame of a clip, by the flow to the next one.

    Args:
        predictor: Anything with ``predict_flow(image1, image2)``.
        frames: (H, W, 3) each: a list, or an iterator, of which two frames are kept.
        size: (height, width) that the network runs at; None: the predictor's own choice.
        threshold: See :func:`motion_mask`.
        relative: Likewise.
        clean: Likewise.

    Yields:
        (H, W) bool, of every frame but the last. Where no motion of the camera is found, as at a
        cut to another scene, nothing is in the mask.
    """
    options = {} if size is None else {"size": size}
    for before, frame in itertools.pairwise(pictures(frames)):
        flow = predictor.predict_flow(before, frame, **options)
        camera = find_camera_motion(flow, model="homography")
        if camera is None:
            yield np.zeros(flow.shape[:2], bool)
        else:
            yield motion_mask(
                flow, camera=camera, threshold=threshold, relative=relative, clean=clean
            )


def _checked(flow):
    flow = np.asarray(flow, np.float32)
    if flow.ndim != 3 or flow.shape[-1] != 2:
        raise ValueError(f"flow must be (H, W, 2); got {flow.shape}.")
    return flow
