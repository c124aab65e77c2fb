"""A clip without the shaking of the camera.

Each frame is moved to the mean, over the frames around it, of where they show the same scene:
Matsushita, Ofek, Ge, Tang and Shum, "Full-Frame Video Stabilization with Motion Inpainting", PAMI
2006. No path is summed up over the clip, so that nothing drifts, and only the frames
within reach of the mean are kept.
"""

import collections
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from tfflow.tools.both_ways import both_ways
from tfflow.tools.camera import CameraModel, check_model, closest_camera_motion
from tfflow.tools.clips import pictures
from tfflow.tools.consistency import confidence, same_scene
from tfflow.tools.warping import as_dtype, native
from tfflow.types import Array, Predictor

_SMOOTHEST = 1000  # frames; five times as many are kept in memory
_HALVINGS = 10  # of the interval in which the most smoothing is looked for that fits


def stabilize(
    predictor: Predictor,
    frames: Iterable[Array],
    *,
    smoothing: float = 10.0,
    crop: float = 0.1,
    model: CameraModel = "similarity",
    size: tuple[int, int] | None = None,
) -> Iterator[npt.NDArray[Any]]:
    """Removes the shaking of the camera from a clip; its slow motion stays.

    Args:
        predictor: Anything with ``predict_flow(image1, image2)``.
        frames: (H, W, 3) each: a list, or an iterator, of which about five times ``smoothing``
            frames are kept.
        smoothing: Standard deviation, in frames, of the Gaussian that the camera's path is smoothed
            with; at most 1000.
        crop: Share of width and height that is cut off; the rest is enlarged to the frame's size.
            Where a border came into view, the path is smoothed less. 0: nothing is cut off, and
            borders are black.
        model: Of the camera's motion, see :func:`camera_motion`.
        size: (height, width) that the network runs at; None: the predictor's own choice.

    Yields:
        The frames, of the same number, size and dtype. At a cut to another scene, the path begins
        anew. If the camera travels, so that near things move faster, the motion is that of as much
        of the picture as possible.

    Raises:
        ValueError: If an argument is out of its range; while frames are taken, if they differ in
            size.
    """
    if not 0 < smoothing <= _SMOOTHEST:
        raise ValueError(
            f"smoothing must be above 0 and at most {_SMOOTHEST} frames; got {smoothing}."
        )
    if not 0 <= crop < 1:
        raise ValueError(f"crop must be a share from 0 to below 1; got {crop}.")
    check_model(model)

    def with_steps():
        """Each frame, and the motion (3, 3) from the one before; None if that is not known."""
        before = None
        for frame in pictures(frames):
            step = None
            if before is not None:
                forward, backward = both_ways(predictor, before, frame, size)
                trust = confidence(forward, backward)
                if same_scene(trust):
                    step = closest_camera_motion(forward, trust, model)
            yield frame, step
            before = frame

    return _steady(with_steps(), smoothing, crop)


def _steady(with_steps, smoothing, crop):
    """The frames, each moved to the smoothed path."""
    reach = max(1, round(3 * smoothing))
    paths = ((frame, _path(*steps, reach)) for frame, *steps in _windows(with_steps, reach))
    if crop:
        paths = _fitting(paths, smoothing, crop)
    else:
        paths = ((frame, path, smoothing) for frame, path in paths)
    for frame, path, sigma in paths:
        yield _move(frame, _correction(path, sigma), crop)


def _fitting(paths, smoothing, crop):
    """Each frame, its path, and how far that may be smoothed without a border in view.

    Less smoothing brings a frame nearer to where it was, and still removes the shaking. It changes
    slowly: the mean, over the frames around, of the least that their own neighbours need.
    """
    slow = max(1, round(smoothing))
    limited = (
        (frame, (path, _most_smoothing(path, smoothing, frame, crop))) for frame, path in paths
    )
    for frame, past, (path, limit), future in _windows(limited, 2 * slow):
        limits = [*(each for _, each in past), limit, *(each for _, each in future)]
        missing = 2 * slow - len(past), 2 * slow - len(future)
        lowest = np.lib.stride_tricks.sliding_window_view(
            np.pad(limits, missing, mode="edge"), 2 * slow + 1
        ).min(axis=1)
        yield frame, path, _most_smoothing(path, lowest.mean(), frame, crop)


def _windows(items, reach):
    """(frame, values before, its own, values after), at most ``reach``, for each (frame, value)."""
    past, waiting = collections.deque(maxlen=reach), collections.deque()

    def window():
        frame, value = waiting.popleft()
        found = frame, list(past), value, [later for _, later in waiting]
        past.append(value)
        return found

    for item in items:
        waiting.append(item)
        if len(waiting) > reach:
            yield window()
    while waiting:
        yield window()


def _path(past, step, future, reach):
    """(2 reach + 1, 3, 3): from a frame to each of those before, to itself, and to those after.

    Where the clip or scene ends, the path is continued by its reflection through the end, so that
    a steady motion stays one.
    """
    back = (None if each is None else np.linalg.inv(each) for each in (step, *reversed(past)))
    behind, ahead = _chain(back, reach), _chain(future, reach)
    path = np.stack([*reversed(behind), np.eye(3), *ahead])
    missing = reach - len(behind), reach - len(ahead)
    return np.pad(path, (missing, (0, 0), (0, 0)), mode="reflect", reflect_type="odd")


def _chain(steps, reach):
    """The products of 1, 2, …, at most ``reach`` steps, up to the first that is None."""
    steps = itertools.takewhile(lambda each: each is not None, itertools.islice(steps, reach))
    products = itertools.accumulate(steps, lambda before, step: step @ before)
    return [product / product[2, 2] for product in products]


def _correction(path, sigma):
    """The mean of a path, by a Gaussian of ``sigma`` frames."""
    reach = len(path) // 2
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 1e-3)) ** 2)
    return np.tensordot(weights / weights.sum(), path, axes=1)


def _most_smoothing(path, sigma, frame, crop):
    """The largest standard deviation, up to ``sigma``, with no border of a frame in view."""
    height, width = frame.shape[:2]
    farthest = np.array([width - 1, height - 1])
    corners = np.array([(x, y, 1) for x in (0, farthest[0]) for y in (0, farthest[1])]).T
    enlarge = _enlargement(frame, crop)

    def fits(sigma):
        shown = np.linalg.solve(enlarge @ _correction(path, sigma), corners)
        places = (shown[:2] / shown[2]).T
        return (places >= 0).all() and (places <= farthest).all()

    if fits(sigma):
        return sigma
    low, high = 0.0, sigma
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _enlargement(frame, crop):
    """(3, 3): makes the middle of a frame as large as the frame."""
    height, width = frame.shape[:2]
    zoom = 1 / (1 - crop)
    matrix = np.diag([zoom, zoom, 1.0])
    matrix[:2, 2] = (1 - zoom) * np.array([width - 1, height - 1]) / 2
    return matrix


def _move(frame, correction, crop):
    import cv2

    height, width = frame.shape[:2]
    matrix = _enlargement(frame, crop) @ correction
    moved = cv2.warpPerspective(native(frame), matrix, (width, height))
    return as_dtype(moved.reshape(frame.shape), frame.dtype)
