"""Boxes around objects, drawn into a picture."""

import colorsys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from tfflow.visualization.figures import as_uint8
from tfflow.visualization.text import PAPER, write_line

_GOLDEN = 0.618034  # of the hue circle per class: neighbours look different


def draw_boxes(
    image: npt.NDArray[Any],
    boxes: npt.ArrayLike,
    labels: Sequence[str],
    classes: Iterable[int],
    *,
    key: bool | None = None,
) -> npt.NDArray[np.uint8]:
    """Draws boxes with their labels, each class in a colour of its own.

    Args:
        image: (H, W, 3), uint8 or float in [0, 1].
        boxes: (N, 4), x1, y1, x2, y2 in pixels.
        labels: N texts; empty ones are not drawn.
        classes: (N,) whole numbers, which choose the colours.
        key: Whether the picture is a key frame, which the caption says and a border marks; None:
            draws neither.

    Returns:
        (H, W, 3) uint8.
    """
    image = as_uint8(image)
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    height, width = image.shape[:2]
    line = max(1, round(min(height, width) / 150))
    size = max(10, round(min(height, width) / 24))
    for (x1, y1, x2, y2), label, kind in zip(
        np.asarray(boxes).tolist(), labels, classes, strict=True
    ):
        color = class_color(kind)
        draw.rectangle((x1, y1, max(x1, x2 - 1), max(y1, y2 - 1)), outline=color, width=line)
        if label:
            # Above the box, or inside it where there is no room.
            top = y1 - size - 4 if y1 >= size + 4 else y1
            tall = draw.textbbox((x1 + 3, top + 1), label, font_size=size)
            draw.rectangle((x1, top, tall[2] + 3, top + size + 4), fill=color)
            write_line(draw, (x1 + 3, top + 1), label, size)
    if key:
        draw.rectangle((0, 0, width - 1, height - 1), outline=PAPER, width=2 * line)
    if key is not None:
        text = "key frame" if key else "by flow"
        right, bottom = width - 2 * line, height - 2 * line
        left, top = right - 5.2 * size, bottom - size - 6
        draw.rectangle((left, top, right, bottom), fill=PAPER)
        write_line(draw, (left + 4, top + 2), text, size, width=5 * size)
    return np.asarray(picture)


def class_color(kind):
    """(R, G, B) of a class, light enough for dark text: 0..255."""
    hue = (0.08 + int(kind) * _GOLDEN) % 1
    return tuple(round(255 * value) for value in colorsys.hsv_to_rgb(hue, 0.65, 1.0))
