"""Draws many scenes at once in keras.ops: the description of `render_cv`, for a GPU under jit.

What is small (affine maps, courses over time) is computed in float64 by `pack_scenes` on the host;
what touches pixels is `draw`, pure and of static shapes. Every layer is drawn over the whole frame,
as branches cost more than pixels there. JPEG artefacts are the one thing it leaves out.
"""

import numpy as np
from keras import ops

from tfflow.data.synthetic import motion
from tfflow.data.synthetic.render_cv import SHUTTER_STEPS, noise_corner
from tfflow.data.synthetic.shapes import FAR


def pack_scenes(scenes, frames=2):
    """Everything that `draw` needs to know about scenes of one configuration, except the pool.

    Args:
        scenes: list of B `Scene` of one configuration and pool.
        frames: number of frames T, from 1 up.

    Returns:
        dict of NumPy arrays, float32 and int32. Their shapes depend on B, T and the configuration
        alone, except that "shutter" is there only when a scene has motion blur.

    Raises:
        ValueError: the scenes do not belong together.
    """
    config = scenes[0].config
    if any(
        s.config != config or (s.seed, s.pool) != (scenes[0].seed, scenes[0].pool) for s in scenes
    ):
        raise ValueError("scenes that are drawn together must share configuration, seed and pool")
    instants = [(scene, t) for scene in scenes for t in range(frames)]
    packed = {
        "layers": _stack([_layers(scene, t, t) for scene, t in instants]),
        "picture": _stack([_picture(scene, t) for scene, t in instants]),
    }
    if any(scene.photometric[7] for scene in scenes):
        others = [s for s in np.linspace(-0.5, 0.5, SHUTTER_STEPS) if s]
        packed["shutter"] = [
            _stack([_layers(scene, t, t + s * scene.photometric[7]) for scene, t in instants])
            for s in others
        ]
    return packed


def _stack(rows):
    arrays = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return {
        k: v.astype(np.int32 if v.dtype.kind in "iu" else np.float32) for k, v in arrays.items()
    }


def _layers(scene, frame, t):
    """What is drawn at time t, padded to the largest number of layers."""
    affines = motion.layer_affines(scene, t)
    later = motion.layer_affines(scene, frame + 1)
    inverse = motion.invert_affine(affines)
    step = motion.compose(later, inverse)
    step[..., :2] -= np.eye(2)
    rows = {
        "inverse": inverse,
        "texture": scene.texture,
        "texture_map": motion.compose(scene.texture_affine, inverse),
        "texture_linear": scene.texture_affine[..., :2],
        "colour": scene.colour * motion.layer_brightness(scene, t)[:, None, None],
        "shape": np.maximum(scene.shape, 0),
        "shape_map": motion.compose(scene.shape_affine, inverse),
        "shape_linear": scene.shape_affine[..., :2],
        "edge": scene.edge,
        "tint": np.concatenate([np.rint(scene.tint[:, :3]), scene.tint[:, 3:]], axis=1),
        "shadow": scene.shadow,
        "wave_vector": scene.wave_vector,
        "wave_phase": scene.wave_phase,
        "wave_now": scene.wave_amplitude * np.sin(scene.wave_speed * t)[:, None, None],
        "wave_next": scene.wave_amplitude * np.sin(scene.wave_speed * (frame + 1))[:, None, None],
        "step": step,
        "later_linear": later[..., :2],
    }
    missing = scene.config.objects[1] + 1 - len(scene.texture)
    rows = {k: np.pad(v, [(0, missing)] + [(0, 0)] * (v.ndim - 1)) for k, v in rows.items()}
    # A layer that is not there lies far from its shape everywhere: alpha is 0.
    rows["shape_map"][len(scene.texture) :, :, 2] = -1e4
    rows["edge"][len(scene.texture) :] = 1
    return rows


def _picture(scene, t):
    """Exposure, light, blur and noise of one frame."""
    p, course = scene.photometric, motion.drift(t)
    return {
        "gain": np.exp((p[0] + p[1:4]) * course),
        "gamma": p[4] * np.exp(p[5] * course),
        "noise": p[6],
        "noise_corner": noise_corner(scene, t),
        "light": np.concatenate([scene.light[:3], [scene.light[3] + scene.light[4] * t]]),
        "light_width": scene.light[5] or 1.0,
        "blur": scene.blur,
        "shutter": float(p[7] > 0),
    }


def draw(packed, textures, shapes, noise, *, config, frames=2):
    """Draws packed scenes.

    Args:
        packed: what `pack_scenes` gave, as arrays or tensors.
        textures, shapes, noise: the `Pool`'s arrays, as arrays or tensors.
        config: the scenes' `SceneConfig`.
        frames: as for `pack_scenes`.

    Returns:
        dict of tensors, the same as `RenderedScene` with a batch axis: "images" (B, T, H, W, 3)
        float32 in [0, 1], a multiple of 1/255; "flows" (B, T - 1, H, W, 2) float32, pixels;
        "occlusions" (B, T - 1, H, W) bool; "ids" (B, T, H, W) int32.
    """
    size = config.height, config.width
    surfaces = ops.reshape(textures, (-1, 3)), ops.shape(textures)[1]
    # A frame of "far outside" around each shape, so that sampling can stop at its edge.
    padding = [[0, 0], [1, 1], [1, 1]]
    outlines = ops.pad(shapes, padding, constant_values=-FAR)
    outlines = ops.reshape(outlines, (-1, 1)), ops.shape(outlines)[1]
    picture = packed["picture"]
    composite = _Compositor(surfaces, outlines, size, config.blur_sigma, picture["blur"][:, 0])
    image, ids, flow = composite(packed["layers"], config.objects[1] + 1)
    if "shutter" in packed:
        total = image
        for layers in packed["shutter"]:
            total = total + composite(layers, config.objects[1] + 1)[0]
        open_shutter = ops.reshape(picture["shutter"], (-1, 1, 1, 1))
        image = image + open_shutter * (total / SHUTTER_STEPS - image)
    image = _developed(image, picture, noise, config.blur_sigma)
    image, ids, flow = (ops.reshape(x, (-1, frames, *x.shape[1:])) for x in (image, ids, flow))
    flow = flow[:, :-1]
    return {
        "images": image,
        "flows": flow,
        "occlusions": _occlusion(flow, ids[:, :-1], ids[:, 1:]),
        "ids": ids,
    }


def _grid(size):
    """Pixel coordinates: x (1, 1, W) and y (1, H, 1)."""
    y = ops.reshape(ops.arange(size[0], dtype="float32"), (1, -1, 1))
    return ops.reshape(ops.arange(size[1], dtype="float32"), (1, 1, -1)), y


def _apply(affine, x, y):
    """Affine maps (N, 2, 3) at (N or 1, H, W) coordinates."""
    a = affine[:, :, :, None, None]
    return tuple(a[:, i, 0] * x + (a[:, i, 1] * y + a[:, i, 2]) for i in (0, 1))


def _turn(linear, dx, dy):
    """Linear maps (N, 2, 2) at (N, H, W) vectors."""
    a = linear[:, :, :, None, None]
    return tuple(a[:, i, 0] * dx + a[:, i, 1] * dy for i in (0, 1))


def _deformation(amplitude, vector, phase, qx, qy):
    """D(q): amplitude and vector (N, waves, 2), phase (N, waves)."""
    dx = dy = 0.0
    for k in range(amplitude.shape[1]):
        a, w = amplitude[:, k, :, None, None], vector[:, k, :, None, None]
        wave = ops.sin(w[:, 0] * qx + (w[:, 1] * qy + phase[:, k, None, None]))
        dx, dy = dx + a[:, 0] * wave, dy + a[:, 1] * wave
    return dx, dy


def _bilinear(table, row, index_x, index_y, x, y):
    """Samples flattened pictures; index_x and index_y turn whole coordinates into valid ones."""
    pixels, side = table
    x0, y0 = ops.floor(x), ops.floor(y)
    fx, fy = (x - x0)[..., None], (y - y0)[..., None]
    left, right = (index_x(x0 + k) for k in (0, 1))
    base = ops.reshape(row, (-1, 1, 1)) * (side * side)

    def line(k):
        start = base + index_y(y0 + k) * side
        a, b = (ops.cast(ops.take(pixels, start + c, axis=0), "float32") for c in (left, right))
        return a + (b - a) * fx

    above = line(0)
    return above + (line(1) - above) * fy


class _Compositor:
    """Puts layers over one another."""

    def __init__(self, surfaces, outlines, size, blur_sigma, background_blur):
        self.surfaces, self.outlines, self.size = surfaces, outlines, size
        self.blur_sigma, self.background_blur = blur_sigma, background_blur

    def __call__(self, layers, count):
        """(N, H, W, 3) picture in 0..255, (N, H, W) ids, (N, H, W, 2) flow."""
        background = {name: array[:, 0] for name, array in layers.items()}
        x, y = _grid(self.size)
        q = self._place(background, x, y)
        image = _blurred(self._surface(background, x, y, q), self.background_blur, self.blur_sigma)
        flow = self._flow(background, x, y, q)
        ids = ops.zeros(flow.shape[:3], "int32")

        def add(k, state):
            layer = {name: ops.take(array, k, axis=1) for name, array in layers.items()}
            return self._add(k, layer, x, y, *state)

        return ops.fori_loop(1, count, add, (image, ids, flow))

    def _add(self, k, layer, x, y, image, ids, flow):
        q = self._place(layer, x, y)
        shadow = layer["shadow"][:, :, None, None]
        sx, sy = x - shadow[:, 2], y - shadow[:, 3]
        fall = self._distance(layer, sx, sy, self._place(layer, sx, sy))
        dark = shadow[:, 0] * ops.clip(fall * shadow[:, 1] + 0.5, 0, 1)
        image = image * (1 - dark[..., None])
        distance = self._distance(layer, x, y, q)
        edge, tint = layer["edge"][:, :, None, None], layer["tint"][:, :, None, None]
        rim = tint[:, 3] * (1 - ops.clip(distance * edge[:, 1], 0, 1))
        weight = rim + ops.maximum(tint[:, 4] * q[0] + (tint[:, 5] * q[1] + tint[:, 6]), 0)
        weight = ops.minimum(weight, 0.9)[..., None]
        surface = self._surface(layer, x, y, q)
        surface = surface + (layer["tint"][:, None, None, :3] - surface) * weight
        alpha = ops.clip(distance * edge[:, 0] + 0.5, 0, 1)
        image = image + (surface - image) * alpha[..., None]
        on_top = alpha > 0.5
        flow = ops.where(on_top[..., None], self._flow(layer, x, y, q), flow)
        return image, ops.where(on_top, k, ids), flow

    def _place(self, layer, x, y):
        """Layer coordinates q and how far the deformation moved them: qx, qy, qx - yx, qy - yy."""
        yx, yy = _apply(layer["inverse"], x, y)

        def improve(_, q):
            wave = layer["wave_now"], layer["wave_vector"], layer["wave_phase"]
            dx, dy = _deformation(*wave, *q)
            return yx - dx, yy - dy

        qx, qy = ops.fori_loop(0, motion.INVERSION_STEPS, improve, (yx, yy))
        return qx, qy, qx - yx, qy - yy

    def _sampling_points(self, layer, name, x, y, q):
        mx, my = _apply(layer[name + "_map"], x, y)
        dx, dy = _turn(layer[name + "_linear"], q[2], q[3])
        return mx + dx, my + dy

    def _surface(self, layer, x, y, q):
        side = self.surfaces[1]
        period = 2 * (side - 1)

        def mirrored(i):
            i = ops.mod(ops.cast(i, "int32"), period)
            return ops.where(i < side, i, period - i)

        points = self._sampling_points(layer, "texture", x, y, q)
        colour = _bilinear(self.surfaces, layer["texture"], mirrored, mirrored, *points)
        matrix = layer["colour"]
        mixed = ops.einsum("nhwc,ndc->nhwd", colour, matrix[:, :, :3])
        return ops.clip(mixed + matrix[:, None, None, :, 3], 0, 255)

    def _distance(self, layer, x, y, q):
        side = self.outlines[1]

        def stopped(i):
            return ops.cast(ops.clip(i + 1, 0, side - 1), "int32")

        points = self._sampling_points(layer, "shape", x, y, q)
        return _bilinear(self.outlines, layer["shape"], stopped, stopped, *points)[..., 0]

    def _flow(self, layer, x, y, q):
        u, v = _apply(layer["step"], x, y)
        wave = layer["wave_next"], layer["wave_vector"], layer["wave_phase"]
        dx, dy = _deformation(*wave, q[0], q[1])
        du, dv = _turn(layer["later_linear"], dx + q[2], dy + q[3])
        return ops.stack([u + du, v + dv], axis=-1)


def _blurred(image, sigma, largest):
    """Gaussian blur, (N,) standard deviations; 0 leaves a picture as it is."""
    radius = int(np.ceil(3 * largest))
    if radius == 0:
        return image
    offsets = np.arange(-radius, radius + 1, dtype=np.float32)
    weight = ops.exp(-0.5 * (offsets / ops.maximum(sigma, 1e-3)[:, None]) ** 2)
    weight = (weight / ops.sum(weight, axis=1, keepdims=True))[:, :, None, None, None]
    for axis in (1, 2):
        size = image.shape[axis]
        padding = [[0, 0]] * 4
        padding[axis] = [radius, radius]
        wide = ops.pad(image, padding, mode="reflect")
        parts = [
            wide[:, i : i + size] if axis == 1 else wide[:, :, i : i + size]
            for i in range(2 * radius + 1)
        ]
        image = sum(weight[:, i] * part for i, part in enumerate(parts))
    return image


def _developed(image, picture, noise, blur_sigma):
    """From light to file, 0..255 to [0, 1]: blur, lighting, exposure, noise."""
    image = _blurred(image, picture["blur"][:, 1], 0.6 * blur_sigma)
    size = image.shape[1:3]
    x, y = _grid(size)
    light = picture["light"][:, :, None, None]
    across = light[:, 1] * x + light[:, 2] * y - light[:, 3]
    gain = 1 + light[:, 0] * ops.tanh(across / picture["light_width"][:, None, None])
    image = ops.clip(image * gain[..., None], 0, 255)
    level = ops.clip(image / 255 * picture["gain"][:, None, None], 0, 1)
    # A tiny offset keeps the power's gradient and logarithm finite at black.
    image = 255 * ops.power(level + 1e-6, ops.reshape(picture["gamma"], (-1, 1, 1, 1)))
    tile = noise.shape[0]
    row = (picture["noise_corner"][:, :1] + ops.arange(size[0], dtype="int32")[None]) % tile
    column = (picture["noise_corner"][:, 1:] + ops.arange(size[1], dtype="int32")[None]) % tile
    places = row[:, :, None] * tile + column[:, None]
    grain = ops.take(ops.reshape(noise, (-1, 3)), places, axis=0)
    image = image + ops.reshape(picture["noise"], (-1, 1, 1, 1)) * grain
    return ops.round(ops.clip(image, 0, 255)) / 255


def _occlusion(flow, ids, next_ids):
    """Pixels that the next frame does not show; see `RenderedScene`."""
    height, width = flow.shape[2:4]
    x, y = _grid((height, width))
    x, y = flow[..., 0] + x[None], flow[..., 1] + y[None]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    column = ops.cast(ops.clip(ops.round(x), 0, width - 1), "int32")
    row = ops.cast(ops.clip(ops.round(y), 0, height - 1), "int32")
    pairs = ops.reshape(
        ops.arange(ops.size(flow) // (2 * height * width), dtype="int32"), (-1, 1, 1)
    )
    places = ops.reshape(pairs, (*flow.shape[:2], 1, 1)) * (height * width) + row * width + column
    covering = ops.take(ops.reshape(next_ids, (-1,)), places, axis=0)
    return ops.logical_not(inside) | (covering > ids)
