"""Flow and its errors as colours, with legends.

The colour code of flow is Middlebury's (Baker et al., A Database and Evaluation Methodology for
Optical Flow, IJCV 2011; flow-code): the hue tells the direction, white is no motion, and full
colour is a motion of `max_flow` pixels.
"""

import functools
import math
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from tfflow.vectors import filled, is_known, length
from tfflow.visualization.text import PAPER, write_line

# The wheel's corners and how many of its 55 colours lie between each and the next (after the last:
# red), in proportion to how finely people distinguish the hues there.
_WHEEL = (
    ((255, 0, 0), 15),  # red to yellow
    ((255, 255, 0), 6),  # yellow to green
    ((0, 255, 0), 4),  # green to cyan
    ((0, 255, 255), 11),  # cyan to blue
    ((0, 0, 255), 13),  # blue to magenta
    ((255, 0, 255), 6),  # magenta to red
)

_UNKNOWN_FLOW = 0  # black, as flow-code paints it
_UNKNOWN_ERROR = 128  # grey, which is no error's colour; black means no error
_TINY = 1e-9  # px; in place of a largest motion of 0
_ROUNDED_ONE = 1 + 1e-5  # the largest motion by itself, in float32
MUCH_LARGER = 1.25  # times the usual motion
_AT_ONCE = 1 << 15  # pixels painted: what the processor's cache holds
_FINE = 256  # steps from one of the wheel's colours to the next


def flow_to_image(
    flow: npt.NDArray[Any],
    max_flow: float | None = None,
    valid: npt.NDArray[Any] | None = None,
    clip: bool = False,
) -> npt.NDArray[np.uint8]:
    """Paints flow in Middlebury's colour code.

    Args:
        flow: (..., H, W, 2), pixels.
        max_flow: the motion in pixels that gets full colour; larger ones are painted darker. None:
            the largest motion among the valid pixels. Pictures to be compared need the same one.
        valid: (..., H, W), where the flow is known. NaN, infinity and components over 1e9 px never
            are.
        clip: give motions above `max_flow` the full colour, too: darker ones flicker in a video.

    Returns:
        (..., H, W, 3) uint8; black where the flow is not known.

    Raises:
        ValueError: a wrong shape, or a `max_flow` that is not positive and finite.
    """
    flow, valid = _checked_shapes(flow, valid)
    if max_flow is None:
        max_flow = largest_motion(*checked_flow(flow, valid))
    _checked_positive("max_flow", max_flow)
    picture = np.empty((*flow.shape[:-1], 3), np.uint8)
    pixels, painted = flow.reshape(-1, 2), picture.reshape(-1, 3)
    valid = None if valid is None else valid.reshape(-1)
    for start in range(0, len(pixels), _AT_ONCE):
        part = np.s_[start : start + _AT_ONCE]
        known = _known(pixels[part], None if valid is None else valid[part])
        _paint(pixels[part], known, max_flow, clip, painted[part])
    return picture


def _paint(flow, known, max_flow, clip, painted):
    """Writes the colours of flow (N, 2) into uint8 (N, 3)."""
    u, v = (np.where(known, component, 0).astype(np.float32) for component in flow.T)
    radius = np.sqrt(u * u + v * v) / np.float32(max_flow)
    if clip:
        radius = np.minimum(radius, 1)
    # flow-code's computeColor; its angle starts at the left and grows to the top (v points down).
    # Adding 0.0 turns -0.0 into 0.0; else the angle of pure right is sometimes +pi, not -pi.
    angle = np.arctan2(-(v + 0), -u) / np.float32(np.pi)
    wheel = _fine_wheel()
    place = ((angle + 1) * np.float32((len(wheel[0]) - 1) / 2) + np.float32(0.5)).astype(np.intp)
    within = radius <= _ROUNDED_ONE
    radius = np.minimum(radius, 1)
    white = np.where(within, 255 * (1 - radius), 0)
    share = np.where(within, radius, np.float32(0.75))
    white[~known], share[~known] = _UNKNOWN_FLOW, 0
    for channel, values in enumerate(wheel):
        painted[:, channel] = white + share * values[place]


@functools.cache
def _fine_wheel():
    """(3, N) float32: red, green, blue on the way from the wheel's first colour to its last."""
    wheel = color_wheel()
    places = np.arange((len(wheel) - 1) * _FINE + 1) / _FINE
    return np.float32([np.interp(places, np.arange(len(wheel)), color) for color in wheel.T])


def color_wheel_legend(size: int, max_flow: float) -> npt.NDArray[np.uint8]:
    """Draws the colour code as a disc: a motion from the centre to a point has that point's colour.

    Args:
        size: height and width of the picture.
        max_flow: the motion at the disc's edge in pixels, which is written below it.

    Returns:
        (size, size, 3) uint8.
    """
    font_size = max(10, size // 8)
    picture = _disc(size, (size - 1.5 * font_size) / 2 - 1).copy()
    draw = ImageDraw.Draw(picture)
    write_line(draw, (size / 2, size), f"edge: {max_flow:.3g} px", font_size, size, "md")
    return np.array(picture)


@functools.lru_cache(maxsize=8)  # a video has one size
def _disc(size, radius):
    """A square picture with the colour code as a disc at its upper edge."""
    fine = 4 * size  # drawn four times finer, then averaged: smooth edges
    y, x = (np.mgrid[:fine, :fine] + 0.5) / 4
    flow = np.stack([x - size / 2, y - radius - 1], axis=-1) / radius
    disc = flow_to_image(flow, max_flow=1.0)
    disc[length(flow) > 1] = PAPER
    return Image.fromarray(disc).resize((size, size), Image.Resampling.BOX)


def error_to_image(
    flow: npt.NDArray[Any],
    truth: npt.NDArray[Any],
    valid: npt.NDArray[Any] | None = None,
    max_error: float | None = None,
) -> npt.NDArray[np.uint8]:
    """Paints the end-point error, `|flow - truth|`, from black (none) through red to white.

    The brightness grows evenly with the error, so a grey print is still readable.

    Args:
        flow: (H, W, 2), pixels.
        truth: (H, W, 2), pixels.
        valid: (H, W), where the truth is known; None: wherever it is finite.
        max_error: errors of this many pixels or more are white; None: the largest error.

    Returns:
        (H, W, 3) uint8; grey where the truth is not known, white where the estimate is not finite.

    Raises:
        ValueError: shapes that do not fit, or a `max_error` that is not positive.
    """
    error, valid = end_point_error(flow, truth, valid)
    if max_error is None:
        max_error = max(error[valid & np.isfinite(error)].max(initial=0.0), _TINY)
    color = _error_colors(error / _checked_positive("max_error", max_error))
    return np.where(valid[..., None], color, np.uint8(_UNKNOWN_ERROR))


def error_legend(width: int, height: int, max_error: float) -> npt.NDArray[np.uint8]:
    """Draws the colours of `error_to_image` as a bar with its scale in pixels.

    Args:
        width: of the picture.
        height: of the picture.
        max_error: the error at the bar's right end, pixels.

    Returns:
        (height, width, 3) uint8.
    """
    font_size = max(10, height // 3)
    picture = np.full((height, width, 3), PAPER, np.uint8)
    picture[: height - int(1.5 * font_size)] = _error_colors(np.linspace(0, 1, width))
    canvas = Image.fromarray(picture)
    draw = ImageDraw.Draw(canvas)
    write_line(draw, (0, height), "0", font_size, width, "ld")
    write_line(draw, (width / 2, height), "error", font_size, width, "md")
    write_line(draw, (width, height), f"{max_error:.3g} px", font_size, width, "rd")
    return np.array(canvas)


def color_wheel():
    """(55, 3), 0..255: the hues in order of their angle; whole numbers, as in flow-code."""
    arcs = []
    for index, (corner, count) in enumerate(_WHEEL):
        way = np.subtract(_WHEEL[(index + 1) % len(_WHEEL)][0], corner)
        arcs.append(corner + np.trunc(way * np.arange(count)[:, None] / count))
    return np.concatenate(arcs)


def largest_motion(flow, valid):
    """The largest motion among the valid pixels, in pixels; tiny if there is none."""
    return max(float(length(flow)[valid].max(initial=0.0)), _TINY)


def usual_motion(flow, valid=None):
    """A scale for colours: the 95th percentile of motion over valid pixels, in pixels.

    One fast object must not make everything else white. Where no motion is much larger, the scale
    is the largest: what lies beyond is darker, and an even motion would look like two. It is at
    least a pixel, or the largest motion if that is less.
    """
    flow, valid = _checked_shapes(flow, valid)
    with np.errstate(over="ignore"):  # of what is not known
        motion = length(flow)[_known(flow, valid)]
    usual = float(np.percentile(motion, 95)) if motion.size else 0.0
    largest = float(motion.max(initial=0.0))
    if largest <= MUCH_LARGER * usual:
        return max(largest, _TINY)
    return max(usual, min(1.0, largest))


def end_point_error(flow, truth, valid):
    """(H, W) pixels, infinite where the estimate is not finite; (H, W) bool, where it counts."""
    flow, estimated = checked_flow(flow, None)
    truth, valid = checked_flow(truth, valid)
    if flow.shape != truth.shape:
        raise ValueError(f"expected flow and truth of one shape, got {flow.shape}, {truth.shape}")
    return np.where(estimated, length(flow - truth), np.inf), valid


def checked_flow(flow, valid):
    """(..., H, W, 2) float64 with 0 where it is not known, and (..., H, W) bool where it is."""
    flow, valid = _checked_shapes(flow, valid)
    known = _known(flow, valid)
    return np.where(known[..., None], flow.astype(np.float64), 0.0), known


def _known(flow, valid):
    known = is_known(flow)
    return known if valid is None else known & valid.astype(bool)


def _checked_shapes(flow, valid):
    flow, valid = np.asarray(filled(flow)), None if valid is None else np.asarray(valid)
    if flow.ndim < 3 or flow.shape[-1] != 2:
        raise ValueError(f"expected flow of shape (..., H, W, 2), got {flow.shape}")
    if valid is not None and valid.shape != flow.shape[:-1]:
        raise ValueError(f"expected a validity of shape {flow.shape[:-1]}, got {valid.shape}")
    # float16 has no room for squares, nor for the threshold.
    return flow.astype(np.result_type(flow, np.float32), copy=False), valid


def _error_colors(level):
    """(...) level of 0 to 1, clipped, to (..., 3) uint8.

    A cubehelix (Green, A colour scheme for the display of astronomical intensity images, BASI
    2011): a spiral around the grey axis; along it the brightness grows in proportion to the level.
    """
    level = np.clip(level, 0, 1)[..., None]
    start, rotations, saturation = 0.2, 0.4, 1.8  # through violet, red and salmon
    angle = 2 * np.pi * (start / 3 + 1 + rotations * level)
    amplitude = saturation * level * (1 - level) / 2
    red = -0.14861 * np.cos(angle) + 1.78277 * np.sin(angle)
    green = -0.29227 * np.cos(angle) - 0.90649 * np.sin(angle)
    blue = 1.97294 * np.cos(angle)
    color = level + amplitude * np.concatenate([red, green, blue], axis=-1)
    return (255 * np.clip(color, 0, 1)).round().astype(np.uint8)


def _checked_positive(name, value):
    if not 0 < value < math.inf:
        raise ValueError(f"expected {name} above 0 px and finite, got {value}")
    return value
