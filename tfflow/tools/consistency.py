"""Whether the flows of both directions agree: forward-backward consistency.

Where image1(p) goes to q = p + forward(p), backward(q) should lead back to p. It does not where the
pixel is hidden in the second image, nor where one of the flows is wrong. The tolerance grows with
the motion: Sundaram, Brox and Keutzer, "Dense Point Trajectories by GPU-Accelerated Large
Displacement Optical Flow", ECCV 2010, equation 5.
"""

import numpy as np
import numpy.typing as npt

from tfflow.checks import OPENCVS_LONGEST
from tfflow.types import Array
from tfflow.vectors import squared_length

# OpenCV's limit of channels at a time: version 5 rounds positions to 1/32 px for more, and gives
# wrong results above 128.
_CHANNELS = 4

TRUSTED = np.exp(-1)  # a smaller confidence is that of a hidden pixel or a wrong flow
# Share of trusted pixels. Of RillFlow, LightFlow and DIS on synthetic scenes: 0.32 to 1 on pairs of
# one scene, also where the camera travels, at most 0.18 on pairs of two (30 of each).
_SAME_SCENE = 0.25


def occlusion(
    forward: Array, backward: Array, *, relative: float = 0.01, absolute: float = 0.5
) -> npt.NDArray[np.bool_]:
    """Where the second image does not show a pixel of the first.

    These are the pixels that leave the image, and those with
    ``|f + b|² > relative · (|f|² + |b|²) + absolute``, f the forward flow and b the backward flow
    where it leads. Pixels whose flow is wrong are among them.

    Args:
        forward: Flow from the first to the second image, (H, W, 2) or (B, H, W, 2), pixels.
        backward: Flow from the second to the first image, of the same shape.
        relative: Tolerated squared difference, as a share of the squared motion.
        absolute: Tolerated squared difference in px², at any motion.

    Returns:
        bool, (H, W) or (B, H, W).

    Raises:
        ValueError: If the flows differ in shape or are no flows.
    """
    forward, there, inside = _round_trip(forward, backward)
    difference, motion = _squares(forward, there)
    # A flow that is not finite agrees with nothing.
    return ~((difference <= relative * motion + absolute) & inside)


def confidence(
    forward: Array, backward: Array, *, relative: float = 0.01, absolute: float = 0.5
) -> npt.NDArray[np.float32]:
    """How well the flows of both directions agree, from 1 (perfectly) to 0.

    ``exp(-|f + b|² / (relative · (|f|² + |b|²) + absolute))``. Where a pixel leaves the image, the
    backward flow at the nearest pixel of the border counts: on synthetic scenes such pixels' flow
    is right more often than not. Elsewhere, :func:`occlusion` with the same tolerance is where this
    is below 1/e.

    Args:
        forward: Flow from the first to the second image, (H, W, 2) or (B, H, W, 2), pixels.
        backward: Flow from the second to the first image, of the same shape.
        relative: Tolerated squared difference, as a share of the squared motion.
        absolute: Tolerated squared difference in px², at any motion; above 0.

    Returns:
        float32, (H, W) or (B, H, W). 0 where a flow is not finite.

    Raises:
        ValueError: If the flows differ in shape or are no flows, or a tolerance is out of its
            range.
    """
    if not (0 <= relative < np.inf and 0 < absolute < np.inf):
        raise ValueError(
            "relative must be at least 0 and absolute above 0, both finite; got "
            f"{relative} and {absolute}."
        )
    forward, there, _ = _round_trip(forward, backward)
    return agreement(forward, there, relative, absolute)


def agreement(flow, back, relative=0.01, absolute=0.5):
    """:func:`confidence` of flows (…, 2), given the other direction's where each of them leads."""
    difference, motion = _squares(flow, back)
    with np.errstate(invalid="ignore"):  # infinity divided by itself
        agreed = np.exp(-difference / (relative * motion + absolute))
    return np.nan_to_num(agreed, nan=0.0).astype(np.float32)


def same_scene(confidence):
    """Whether two images show one scene, by the confidence (H, W) of the flow between them."""
    return np.mean(confidence >= TRUSTED) >= _SAME_SCENE


def _squares(flow, back):
    """|f + b|² and |f|² + |b|² in px²."""
    return squared_length(flow + back), squared_length(flow) + squared_length(back)


def _round_trip(forward, backward):
    """The forward flow, the backward flow where it leads, and where that is in the image."""
    forward, backward = np.asarray(forward, np.float32), np.asarray(backward, np.float32)
    if forward.shape != backward.shape or forward.ndim not in (3, 4) or forward.shape[-1] != 2:
        raise ValueError(
            "forward and backward must be flows of one shape, (H, W, 2) or (B, H, W, 2); got "
            f"{forward.shape} and {backward.shape}."
        )
    if forward.ndim == 4:
        there, inside = np.empty_like(forward), np.empty(forward.shape[:3], bool)
        for number, pair in enumerate(zip(backward, forward)):
            there[number], inside[number] = look_up(*pair)
    else:
        there, inside = look_up(backward, forward)
    return forward, there, inside


def look_up(values, flow, nearest=False):
    """(values at p + flow(p) for each pixel p, whether that is in the image).

    Bilinear, with the border repeated outside. ``values`` is (H, W, C) or (H, W), of a dtype that
    OpenCV interpolates, or int32 with ``nearest``; ``flow`` is (H, W, 2) float32.

    Raises:
        ValueError: If a side is longer than OpenCV takes.
    """
    import cv2

    height, width = flow.shape[:2]
    if max(height, width) > OPENCVS_LONGEST:
        raise ValueError(
            f"flow may be up to {OPENCVS_LONGEST} px high and wide; got {height}x{width}. Cut it "
            "into parts."
        )
    x = np.arange(width, dtype=np.float32) + flow[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]
    inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    # remap takes no NaN.
    x = np.clip(np.nan_to_num(x), 0, width - 1)
    y = np.clip(np.nan_to_num(y), 0, height - 1)
    how = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    if values.ndim == 3 and values.shape[2] > _CHANNELS:
        starts = range(0, values.shape[2], _CHANNELS)
        parts = (values[..., start : start + _CHANNELS] for start in starts)
        found = [cv2.remap(part, x, y, how).reshape(height, width, -1) for part in parts]
        return np.concatenate(found, axis=-1), inside
    return cv2.remap(values, x, y, how), inside
