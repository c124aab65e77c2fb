"""Draws a scene with OpenCV: frames, exact flow, occlusion and the layers' ids.

Back to front, each layer within its bounding box: sample texture and signed distance, recolour,
blend. The flow does not come from the pictures but from the motion of the topmost layer
(alpha > 0.5), so it is exact at every pixel.
"""

from typing import NamedTuple

import numpy as np

from tfflow.checks import whole_number
from tfflow.data.scenes import motion
from tfflow.data.scenes.opencv import cv2
from tfflow.data.scenes.pool import NOISE_SIZE, Pool, cached_pool
from tfflow.data.scenes.scene import Scene
from tfflow.data.scenes.shapes import FAR

# An open shutter is sampled at this many instants.
SHUTTER_STEPS = 5
# A deformation is solved on every fourth pixel; with cubic interpolation in between the error
# stays under 0.01 px (tested), at a tenth of the cost.
_GRID = 4


class RenderedScene(NamedTuple):
    """The T frames of a scene and their ground truth.

    Attributes:
        images: (T, H, W, 3) uint8, RGB.
        flows: (T - 1, H, W, 2) float32, pixels from one frame to the next, known everywhere.
        occlusions: (T - 1, H, W) bool, pixels of a frame that the next one does not show: their
            target lies outside the frame, or a nearer layer covers the pixel closest to it.
        ids: (T, H, W) uint8, the topmost layer of each pixel; 0 is the background.
    """

    images: np.ndarray
    flows: np.ndarray
    occlusions: np.ndarray
    ids: np.ndarray

    def boxes(self, frame: int) -> dict[int, tuple[int, int, int, int]]:
        """Boxes around the visible pixels of one frame's objects.

        Args:
            frame: index of the frame.

        Returns:
            dict: layer number -> (x0, y0, x1, y1) in pixels, x1 and y1 exclusive.
        """
        boxes = {}
        for layer in np.unique(self.ids[frame]):
            if layer:
                x, y, w, h = cv2.boundingRect((self.ids[frame] == layer).astype(np.uint8))
                boxes[int(layer)] = (x, y, x + w, y + h)
        return boxes


def render(
    scene: Scene, frames: int = 2, pool: Pool | None = None, *, step: int = 1
) -> RenderedScene:
    """Draws the first frames of a scene.

    Args:
        scene: `Scene`.
        frames: how many, from 1 up.
        pool: the scene's `Pool`; by default it is made, and kept for the next scenes.
        step: time from one frame to the next, whole, from 1 up: 2 leaves out every other frame.

    Returns:
        `RenderedScene`.
    """
    frames, step = whole_number("frames", frames), whole_number("step", step)
    if pool is None:
        pool = cached_pool(scene.config, scene.seed, scene.pool)
    times = range(0, frames * step, step)
    drawn = [_frame(scene, pool, t) for t in times]
    flows, occlusions = [], []
    for t, frame, later in zip(times, drawn, drawn[1:]):
        flows.append(_flow(scene, t + step, frame.ids, frame.views))
        occlusions.append(_occlusion(flows[-1], frame.ids, later.ids))
    height, width = scene.config.height, scene.config.width
    return RenderedScene(
        np.stack([frame.image for frame in drawn]),
        np.stack(flows) if flows else np.zeros((0, height, width, 2), np.float32),
        np.stack(occlusions) if occlusions else np.zeros((0, height, width), bool),
        np.stack([frame.ids for frame in drawn]),
    )


class _View(NamedTuple):
    """One layer at one time: its box in the frame and the map from frame to layer coordinates."""

    layer: int
    x0: int
    y0: int
    x1: int
    y1: int
    inverse: np.ndarray  # (2, 3), frame to layer coordinates before the deformation is undone
    displacement: np.ndarray | None  # (h, w, 2) float32 to add after that; None for rigid layers

    @property
    def window(self):
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def sample(self, source, affine, flags, border):
        """Samples a picture in the layer; `affine` maps layer coordinates to its pixels."""
        corner = np.array([[1, 0, self.x0], [0, 1, self.y0]], float)
        mapping = motion.compose(affine, motion.compose(self.inverse, corner))
        size = self.x1 - self.x0, self.y1 - self.y0
        if self.displacement is None:
            return cv2.warpAffine(
                source, mapping, size, None, flags | cv2.WARP_INVERSE_MAP, border, -FAR
            )
        x, y = np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32)[:, None]
        shift = cv2.transform(self.displacement, affine[:, :2])
        m = mapping.astype(np.float32)
        return cv2.remap(
            source,
            shift[..., 0] + (m[0, 0] * x + (m[0, 1] * y + m[0, 2])),
            shift[..., 1] + (m[1, 0] * x + (m[1, 1] * y + m[1, 2])),
            flags,
            None,
            border,
            -FAR,
        )

    def coordinates(self):
        """Layer coordinates of the box's pixels: two (h, w) float32."""
        x = np.arange(self.x0, self.x1, dtype=np.float32)
        y = np.arange(self.y0, self.y1, dtype=np.float32)[:, None]
        m = self.inverse.astype(np.float32)
        qx, qy = (m[i, 0] * x + (m[i, 1] * y + m[i, 2]) for i in (0, 1))
        if self.displacement is None:
            return qx, qy
        return qx + self.displacement[..., 0], qy + self.displacement[..., 1]


def _views(scene, t):
    """The views of every layer and its shadow at time t, back to front; None if nothing is seen."""
    affines = motion.layer_affines(scene, t)
    inverses = motion.invert_affine(affines)
    views = []
    for layer, (affine, inverse) in enumerate(zip(affines, inverses)):
        shadow = None
        if layer and scene.shadow[layer, 0]:
            shadow = _view(scene, layer, t, affine, inverse, scene.shadow[layer, 2:].astype(int))
        views.append((_view(scene, layer, t, affine, inverse, (0, 0)), shadow))
    return views


def _view(scene, layer, t, affine, inverse, offset):
    """The part of a layer that lies in the frame when moved by `offset`; None if empty."""
    left, top = -offset[0], -offset[1]
    box = left, top, left + scene.config.width, top + scene.config.height
    if layer:
        reach = scene.extent[layer] + motion.deformation_bound(scene, layer)
        half = np.abs(affine[:, :2]) @ reach + 2
        x0, y0 = np.maximum(np.floor(affine[:, 2] - half), box[:2]).astype(int)
        x1, y1 = np.minimum(np.ceil(affine[:, 2] + half) + 1, box[2:]).astype(int)
        if x1 - x0 < 1 or y1 - y0 < 1:
            return None
        box = x0, y0, x1, y1
    rigid = t == 0 or scene.is_rigid(layer)
    shift = None if rigid else _displacement(scene, layer, t, inverse, box)
    return _View(layer, *box, inverse, shift)


def _displacement(scene, layer, t, inverse, box):
    """q - y over a box, where q + D(q, t) = y and y is the affine inverse of the pixel."""
    x0, y0, x1, y1 = box
    gx = np.arange(x0 - _GRID, x1 + 3 * _GRID, _GRID, dtype=np.float32)
    gy = np.arange(y0 - _GRID, y1 + 3 * _GRID, _GRID, dtype=np.float32)[:, None]
    m = inverse.astype(np.float32)
    yx, yy = (m[i, 0] * gx + (m[i, 1] * gy + m[i, 2]) for i in (0, 1))
    qx, qy = motion.undo_deformation(scene, layer, t, yx, yy)
    shift = cv2.merge([qx - yx, qy - yy])
    return _refined(_refined(shift, y1 - y0).swapaxes(0, 1), x1 - x0).swapaxes(0, 1)


def _refined(nodes, pixels):
    """Lagrange's cubic along axis 0, from nodes at -_GRID, 0, _GRID, ... to pixels 0, 1, ..."""
    steps = len(nodes) - 3
    values = np.empty((steps * _GRID, *nodes.shape[1:]), np.float32)
    for phase in range(_GRID):
        s = phase / _GRID
        weights = (
            -s * (s - 1) * (s - 2) / 6,
            (s + 1) * (s - 1) * (s - 2) / 2,
            -(s + 1) * s * (s - 2) / 2,
            (s + 1) * s * (s - 1) / 6,
        )
        values[phase::_GRID] = sum(
            np.float32(weight) * nodes[k : k + steps] for k, weight in enumerate(weights)
        )
    return values[:pixels]


class _Frame(NamedTuple):
    image: np.ndarray
    ids: np.ndarray
    views: list


def _frame(scene, pool, t):
    views = _views(scene, t)
    image, ids = _composite(scene, pool, t, views)
    shutter = scene.photometric[7]
    if shutter:
        total = image.astype(np.float32)
        for s in np.linspace(-0.5, 0.5, SHUTTER_STEPS):
            if s:
                total += _composite(scene, pool, t + s * shutter, _views(scene, t + s * shutter))[0]
        image = np.rint(total / SHUTTER_STEPS).astype(np.uint8)
    return _Frame(_develop(scene, pool, t, image), ids, views)


def _composite(scene, pool, t, views):
    """Layers on top of one another, before exposure and noise."""
    height, width = scene.config.height, scene.config.width
    ids = np.zeros((height, width), np.uint8)
    brightness = motion.layer_brightness(scene, t)
    image = None
    for view, shadow in views:
        if shadow is not None:
            _darken(scene, pool, shadow, image)
        if view is None:
            continue
        layer = view.layer
        surface = view.sample(
            pool.textures[scene.texture[layer]],
            scene.texture_affine[layer],
            cv2.INTER_LINEAR,
            cv2.BORDER_REFLECT_101,
        )
        surface = cv2.transform(surface, scene.colour[layer] * brightness[layer])
        if image is None:
            image = _blur(surface, scene.blur[0])
            continue
        target = image[view.window]
        distance = view.sample(
            pool.shapes[scene.shape[layer]],
            scene.shape_affine[layer],
            cv2.INTER_LINEAR,
            cv2.BORDER_CONSTANT,
        )
        surface = _tinted(scene, view, surface, distance)
        alpha = np.clip(distance * np.float32(scene.edge[layer, 0]) + np.float32(0.5), 0, 1)
        target[:] = cv2.blendLinear(surface, target, alpha, 1 - alpha)
        ids[view.window][alpha > 0.5] = layer
    return image, ids


def _blur(image, sigma):
    return cv2.GaussianBlur(image, (0, 0), sigma) if sigma else image


def _tinted(scene, view, surface, distance):
    """Blends a surface with one colour: at its rim, and along a linear ramp over the layer."""
    tint = scene.tint[view.layer].astype(np.float32)
    if not tint[3:].any():
        return surface
    rim_slope = np.float32(scene.edge[view.layer, 1])
    weight = tint[3] * (1 - np.clip(distance * rim_slope, 0, 1))
    if tint[4:].any():
        qx, qy = view.coordinates()
        weight = weight + np.maximum(tint[4] * qx + (tint[5] * qy + tint[6]), 0)
    weight = np.minimum(weight, np.float32(0.9))
    colour = np.empty_like(surface)
    colour[:] = np.rint(tint[:3])
    return cv2.blendLinear(surface, colour, 1 - weight, weight)


def _darken(scene, pool, view, image):
    """Casts a layer's soft shadow on what lies under it, a little to the side."""
    strength, slope, dx, dy = scene.shadow[view.layer]
    distance = view.sample(
        pool.shapes[scene.shape[view.layer]],
        scene.shape_affine[view.layer],
        cv2.INTER_LINEAR,
        cv2.BORDER_CONSTANT,
    )
    weight = np.clip(distance * np.float32(slope) + np.float32(0.5), 0, 1) * np.float32(strength)
    x0, y0 = view.x0 + int(dx), view.y0 + int(dy)
    height, width = weight.shape
    target = image[y0 : y0 + height, x0 : x0 + width]
    target[:] = cv2.blendLinear(target, np.zeros_like(target), 1 - weight, weight)


def light_map(scene, t, x, y):
    """Gain of the moving light at pixels (x, y), float32."""
    strength, nx, ny, middle, speed, width = scene.light.astype(np.float32)
    across = (nx * x + ny * y - middle - speed * np.float32(t)) / width
    return 1 + strength * np.tanh(across)


def tone_curve(scene, t):
    """(256, 3) float32: each grey level after exposure, colour and gamma."""
    p = scene.photometric
    course = motion.drift(t)
    gain = np.exp((p[0] + p[1:4]) * course)
    gamma = p[4] * np.exp(p[5] * course)
    levels = np.linspace(0, 1, 256)[:, None]
    return np.clip(255 * np.clip(levels * gain, 0, 1) ** gamma, 0, 255).astype(np.float32)


def noise_corner(scene, t):
    """Where in the noise tile the noise of frame t begins: (row, column)."""
    jump = np.array([397, 211]) * round(t)
    return (scene.noise_offset + jump) % NOISE_SIZE


def _develop(scene, pool, t, image):
    """From light to file: blur, lighting, exposure, noise, compression."""
    image = _blur(image, scene.blur[1])
    height, width = image.shape[:2]
    if scene.light[0]:
        # Smooth enough to be computed on every eighth pixel.
        x, y = np.arange(4, width + 8, 8) - 0.5, np.arange(4, height + 8, 8)[:, None] - 0.5
        gain = light_map(scene, t, x.astype(np.float32), y.astype(np.float32))
        gain = cv2.resize(gain, (8 * gain.shape[1], 8 * gain.shape[0]))[:height, :width]
        image = cv2.multiply(image, cv2.merge([gain] * 3), dtype=cv2.CV_8U)
    image = cv2.LUT(image, np.rint(tone_curve(scene, t)).astype(np.uint8)[None])
    sigma = scene.photometric[6]
    if sigma:
        row, column = noise_corner(scene, t)
        rows = (row + np.arange(height)) % NOISE_SIZE
        tile = pool.noise[rows]
        if column + width > NOISE_SIZE:
            tile = np.take(tile, (column + np.arange(width)) % NOISE_SIZE, axis=1)
        else:
            tile = tile[:, column : column + width]
        image = cv2.scaleAdd(tile, float(sigma), image.astype(np.float32))
        image = cv2.convertScaleAbs(np.maximum(image, 0, out=image))
    if scene.jpeg:
        flags = [cv2.IMWRITE_JPEG_QUALITY, scene.jpeg]
        image = cv2.imdecode(cv2.imencode(".jpg", image, flags)[1], cv2.IMREAD_COLOR)
    return image


def _flow(scene, end, ids, views):
    """The motion, up to time `end`, of the layer that each pixel shows."""
    flow = np.empty((*ids.shape, 2), np.float32)
    later = motion.layer_affines(scene, end)
    for view, _ in views:
        if view is None:
            continue
        layer = view.layer
        shown = ids[view.window] == layer
        x = np.arange(view.x0, view.x1, dtype=np.float32)
        y = np.arange(view.y0, view.y1, dtype=np.float32)[:, None]
        # Moved pixel minus pixel, in float64 where large numbers cancel.
        step = motion.compose(later[layer], view.inverse)
        step[:, :2] -= np.eye(2)
        m = step.astype(np.float32)
        u, v = (m[i, 0] * x + (m[i, 1] * y + m[i, 2]) for i in (0, 1))
        if not scene.is_rigid(layer):
            dx, dy = motion.deformation(scene, layer, end, *view.coordinates())
            if view.displacement is not None:
                dx, dy = dx + view.displacement[..., 0], dy + view.displacement[..., 1]
            n = later[layer].astype(np.float32)
            u, v = u + n[0, 0] * dx + n[0, 1] * dy, v + n[1, 0] * dx + n[1, 1] * dy
        cv2.copyTo(cv2.merge([u, v]), shown.astype(np.uint8), flow[view.window])
    return flow


def _occlusion(flow, ids, next_ids):
    """Pixels that the next frame does not show; see `RenderedScene`."""
    height, width = ids.shape
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    covering = cv2.remap(next_ids, x, y, cv2.INTER_NEAREST)
    return ~inside | (covering > ids)
