"""Figures of flow: arrows, grids of titled pictures, and a whole pair at a glance."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from tfflow.checks import whole_number
from tfflow.vectors import length
from tfflow.visualization.colors import (
    MUCH_LARGER,
    checked_flow,
    color_wheel_legend,
    end_point_error,
    error_legend,
    error_to_image,
    flow_to_image,
    largest_motion,
    usual_motion,
)
from tfflow.visualization.text import INK, PAPER, write_line

_MAX_ENLARGED_HEIGHT = 2048  # px
_MIN_PANEL_WIDTH = 256  # px; smaller images are shown enlarged, titles need some width
_MAX_PANEL_WIDTH = 2048  # px; frames of twice that width or more are shown smaller
_ARROW_STEP = 24  # px
HIDDEN = (214, 39, 40)  # colour of what the second image does not show


def flow_to_arrows(
    image: npt.NDArray[Any],
    flow: npt.NDArray[Any],
    step: int = _ARROW_STEP,
    scale: float = 1.0,
    valid: npt.NDArray[Any] | None = None,
) -> npt.NDArray[np.uint8]:
    """Draws the flow as arrows on a pale grey copy of the image.

    Args:
        image: (H, W, 3), uint8 or float in [0, 1].
        flow: (H, W, 2), pixels.
        step: distance between arrows, pixels.
        scale: length of an arrow in proportion to its motion; 1.0: it ends where the pixel goes.
        valid: (H, W), where the flow is known; None: wherever it is finite.

    Returns:
        (H, W, 3) uint8. An arrow has its direction's colour in the colour code; one shorter
        than 2 pixels is a dot.

    Raises:
        ValueError: a flow of another size than the image, or a step below 1.
    """
    image = as_uint8(image)
    flow, valid = checked_flow(flow, valid)
    height, width = image.shape[:2]
    if flow.shape[:2] != (height, width):
        raise ValueError(f"expected a flow of the image's size {(height, width)}, got {flow.shape}")
    step = whole_number("step", step)
    grey = Image.fromarray(image).convert("L").convert("RGB")
    canvas = Image.blend(grey, Image.new("RGB", grey.size, PAPER), 0.35)
    fine = 3  # drawn three times finer, then averaged: smooth edges
    canvas = canvas.resize((fine * width, fine * height), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(canvas)
    for y in range(step // 2, height, step):
        for x in range(step // 2, width, step):
            if valid[y, x]:
                # Alone in its picture, a motion is the largest one and gets the full colour.
                color = flow_to_image(flow[y, x].reshape(1, 1, 2))[0, 0]
                start = fine * np.array([x + 0.5, y + 0.5])
                end = start + fine * scale * flow[y, x]
                _draw_arrow(draw, start, end, fine, tuple(color.tolist()))
    return np.array(canvas.resize((width, height), Image.Resampling.BOX))


def compose(
    panels: Sequence[npt.NDArray[Any]],
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    heading: str | None = None,
) -> npt.NDArray[np.uint8]:
    """Puts pictures into a grid on white paper, each under its title.

    Args:
        panels: pictures (H, W, 3), uint8 or float in [0, 1], of any sizes, each centred in its
            cell.
        titles: a text per panel, "" for none; None: no titles.
        columns: panels in a row; None: all in one row.
        heading: a text above the grid, which may have several lines.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: no panels, not one title per panel, or less than one column.
    """
    panels = [as_uint8(panel) for panel in panels]
    if not panels:
        raise ValueError("expected at least one picture to compose, got none")
    titles = [""] * len(panels) if titles is None else list(titles)
    if len(titles) != len(panels):
        raise ValueError(f"expected {len(panels)} titles, one per picture, got {len(titles)}")
    columns = len(panels) if columns is None else columns
    columns = min(whole_number("columns", columns), len(panels))
    rows = math.ceil(len(panels) / columns)
    cell_height = max(panel.shape[0] for panel in panels)
    cell_width = max(panel.shape[1] for panel in panels)
    margin = max(4, cell_width // 64)
    font_size = max(12, cell_width // 26)
    line_height = int(1.5 * font_size)
    title_height = line_height if any(titles) else 0
    heading_lines = heading.splitlines() if heading else []
    heading_height = line_height * len(heading_lines) + (margin if heading_lines else 0)

    width = columns * (cell_width + margin) + margin
    height = heading_height + rows * (title_height + cell_height + margin) + margin
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    for line, text in enumerate(heading_lines):
        top = margin + line_height * line
        write_line(draw, (margin, top), text, font_size, width - 2 * margin)
    for index, (panel, title) in enumerate(zip(panels, titles, strict=True)):
        row, column = divmod(index, columns)
        left = margin + column * (cell_width + margin)
        top = heading_height + margin + row * (title_height + cell_height + margin)
        write_line(draw, (left, top), title, font_size, cell_width)
        offset_x = (cell_width - panel.shape[1]) // 2
        offset_y = (cell_height - panel.shape[0]) // 2
        sheet.paste(Image.fromarray(panel), (left + offset_x, top + title_height + offset_y))
    return np.array(sheet)


def pyramid_figure(
    levels: Mapping[str, npt.NDArray[Any]],
    truth: npt.NDArray[Any] | None = None,
    valid: npt.NDArray[Any] | None = None,
) -> npt.NDArray[np.uint8]:
    """Shows what each level of a network's pyramid predicts, coarse to fine, beside the truth.

    Args:
        levels: level name -> flow (h, w, 2) in pixels of the full image, in any order; coarser
            ones are smaller. Each is shown with its own pixels, enlarged to the size of the truth
            or, without truth, of the finest level.
        truth: (H, W, 2), pixels, or None.
        valid: (H, W), where the truth is known; None: wherever it is finite.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: no levels, or flows of another shape.
    """
    if not levels:
        raise ValueError("expected the flow of at least one level, got none")
    ordered = sorted(levels.items(), key=lambda item: item[1].shape[0] * item[1].shape[1])
    reference = truth if truth is not None else ordered[-1][1]
    size = reference.shape[:2]
    scale = usual_motion(reference, valid if truth is not None else None)
    titles, panels = [], []
    for name, flow in ordered:
        rows, columns = (np.arange(n) * m // n for n, m in zip(size, flow.shape))
        enlarged = np.asarray(flow)[np.ix_(rows, columns)]
        titles.append(f"{name}: {flow.shape[0]}x{flow.shape[1]}")
        panels.append(flow_to_image(enlarged, max_flow=scale))
    if truth is not None:
        titles.append("truth")
        panels.append(flow_to_image(truth, max_flow=scale, valid=valid))
    return compose(panels, titles, columns=3)


def flow_figure(
    image1: npt.NDArray[Any],
    image2: npt.NDArray[Any],
    flow: npt.NDArray[Any],
    truth: npt.NDArray[Any] | None = None,
    valid: npt.NDArray[Any] | None = None,
    title: str | None = None,
    metrics: Mapping[str, Any] | None = None,
    max_flow: float | None = None,
    occlusion: npt.NDArray[Any] | None = None,
    confidence: npt.NDArray[Any] | None = None,
) -> npt.NDArray[np.uint8]:
    """Shows a pair with its flow side by side and, where the truth is known, truth and error.

    Below the pictures are the colour wheel with its scale, the errors' scale, and `metrics`. Frames
    4096 px wide or more are subsampled.

    Args:
        image1: (H, W, 3), uint8 or float in [0, 1].
        image2: (H, W, 3), likewise.
        flow: (H, W, 2), the estimate, pixels.
        truth: (H, W, 2), pixels, or None.
        valid: (H, W), where the truth is known; None: wherever it is finite.
        title: a heading, which may have several lines.
        metrics: a dict of names and numbers or texts, one line each.
        max_flow: colour scale of both flow and truth, in pixels; None: the 95th percentile of the
            true motion or, without truth, of the estimated one, or the largest motion where that
            is little more. Larger motions are darker, and the figure says so.
        occlusion: (H, W) bool, what the second image does not show; drawn over the first. None: no
            such picture.
        confidence: (H, W) in [0, 1], from black to white; None likewise.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: the images, the flow, the truth and the maps are not all of one size.
    """
    image1, image2 = as_uint8(image1), as_uint8(image2)
    arrays = (image1, image2, flow, truth, occlusion, confidence)
    shapes = [np.shape(array)[:2] for array in arrays if array is not None]
    if len(set(shapes)) > 1:
        raise ValueError(f"expected images, flow, truth and maps of one size (H, W), got {shapes}")
    flows = [(flow, None)] if truth is None else [(flow, None), (truth, valid)]
    largest = max(largest_motion(*checked_flow(*each)) for each in flows)
    if max_flow is None:
        max_flow = usual_motion(*flows[-1])
        if largest <= MUCH_LARGER * max_flow:
            max_flow = max(largest, max_flow)
    metrics = dict(metrics or {})
    if largest > 1.005 * max_flow:  # not where it would read "12 to 12 px"
        metrics["darker than the wheel"] = f"{max_flow:.3g} to {largest:.3g} px"
    height, width = image1.shape[:2]
    zoom = max(1, min(math.ceil(_MIN_PANEL_WIDTH / width), _MAX_ENLARGED_HEIGHT // height))
    every = max(1, width // _MAX_PANEL_WIDTH)
    legend_size = max(112, zoom * width // every // 4)

    def shown(array):
        return _enlarged(np.asarray(array)[::every, ::every], zoom)

    shown_flow = zoom / every * shown(flow)
    scale = _arrow_scale(shown_flow)
    arrows = "flow as arrows" + (f", {scale:g}x as long" if scale != 1 else "")
    panels = {
        "first image": shown(image1),
        "second image": shown(image2),
        arrows: flow_to_arrows(shown(image1), shown_flow, scale=scale),
    }
    legends = [color_wheel_legend(legend_size, max_flow)]
    if truth is not None:
        panels["true flow"] = shown(flow_to_image(truth, max_flow, valid))
    panels["flow"] = shown(flow_to_image(flow, max_flow))
    if truth is not None:
        error, counted = end_point_error(flow, truth, valid)
        epe = f"EPE {error[counted].mean():.2f} px" if counted.any() else "no truth known"
        # The largest error is a single pixel's; the 99th percentile shows the rest better.
        finite = error[counted & np.isfinite(error)]
        max_error = max(1.0, float(np.percentile(finite, 99))) if finite.size else 1.0
        panels[f"error, {epe}"] = shown(error_to_image(flow, truth, valid, max_error))
        legends.append(error_legend(2 * legend_size, legend_size // 3, max_error))
    if occlusion is not None:
        panels[f"hidden, or wrong: {np.mean(occlusion):.1%}"] = shown(_hidden(image1, occlusion))
    if confidence is not None:
        panels["confidence"] = shown(np.dstack(3 * [confidence_to_image(confidence)]))
    sheet = compose(
        list(panels.values()), list(panels), columns=2 if truth is None else 3, heading=title
    )
    return np.concatenate([sheet, _footer(sheet.shape[1], legends, metrics)])


def confidence_to_image(confidence: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """A confidence or a mask as a grey picture, (H, W) in [0, 1] -> (H, W) uint8; NaN is black."""
    values = np.nan_to_num(np.asarray(confidence, np.float32))
    return (255 * np.clip(values, 0, 1)).round().astype(np.uint8)


def _hidden(image, occlusion):
    """The image in pale grey, and in red what is hidden."""
    pale = 128 + image.mean(axis=-1, keepdims=True).repeat(3, axis=-1) / 2
    return np.where(np.asarray(occlusion, bool)[..., None], HIDDEN, pale).astype(np.uint8)


def _arrow_scale(flow):
    """A power of two that makes nearly all arrows at most one and a half steps long."""
    flow, known = checked_flow(flow, None)
    motion = length(flow[known])
    large = float(np.percentile(motion, 95)) if motion.size else 0.0
    if large < 0.01:  # px; nothing moves: nothing to enlarge
        return 1
    return 2.0 ** math.floor(math.log2(1.5 * _ARROW_STEP / large))


def _enlarged(array, zoom):
    return array.repeat(zoom, axis=0).repeat(zoom, axis=1)


def _draw_arrow(draw, start, end, width, color):
    """A line with a head of two strokes, on a wider dark one that makes it stand out."""
    shaft = end - start
    length = np.linalg.norm(shaft)
    if length < 2 * width:  # under 2 px: nothing to see but where it starts
        draw.ellipse([*(start - width), *(start + width)], fill=INK)
        return
    along = shaft / length * min(0.35 * length, 7 * width)
    across = 0.5 * np.array([-along[1], along[0]])
    head = [end - along + across, end, end - along - across]
    for fill, thickness in ((INK, 3 * width), (color, 1.5 * width)):
        for stroke in ([start, end], head):
            points = [tuple(point.tolist()) for point in stroke]
            draw.line(points, fill=fill, width=round(thickness), joint="curve")


def _footer(width, legends, metrics):
    """Legends from the left, then a line per metric, on paper of the given width."""
    font_size = legends[0].shape[0] // 8
    line_height, margin = int(1.5 * font_size), font_size
    height = max(legends[0].shape[0], line_height * len(metrics)) + 2 * margin
    sheet = Image.new("RGB", (width, height), PAPER)
    left = margin
    for picture in legends:
        sheet.paste(Image.fromarray(picture), (left, margin))
        left += picture.shape[1] + 2 * margin
    draw = ImageDraw.Draw(sheet)
    for line, (name, value) in enumerate(metrics.items()):
        text = f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}"
        top = margin + line_height * line
        write_line(draw, (left, top), text, font_size, width - left - margin)
    return np.array(sheet)


def as_uint8(image):
    """A picture (H, W, 3), uint8 or float in [0, 1], as uint8."""
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"expected a picture (H, W, 3), got {image.shape}")
    if image.dtype == np.uint8:
        return image
    if not np.issubdtype(image.dtype, np.floating):
        raise TypeError(f"expected a picture of uint8 or of float in [0, 1], got {image.dtype}")
    return (255 * np.clip(np.nan_to_num(image), 0, 1)).round().astype(np.uint8)
