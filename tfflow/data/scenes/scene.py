"""What a synthetic scene is: a layered two-dimensional world, described by a few plain arrays.

A scene is sampled from (config, seed, index) and from nothing else, so the same three always give
the same scene. Layer 0 is the background; every later layer lies in front of the ones before it.
`rendering` draws it.

Geometry. A point of layer k has layer coordinates q (pixels at the layer's nominal size). At time t
(in frames, any real number) it is seen at

    x = A_k(t) (q + D_k(q, t)) + b_k(t),
    D_k(q, t) = sin(omega_k t) * sum over j of a_kj sin(w_kj . q + phi_kj),

that is, an affine trajectory and, for some layers, a smooth non-rigid deformation that is zero at
t = 0 and whose Lipschitz constant stays under `MAX_STRETCH`, so that it can always be inverted.
Objects ride on the background: the affine part of the camera's motion is applied after their own.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tfflow.data.scenes.config import SceneConfig

MAX_STRETCH = 0.3
WAVES = 3


@dataclass(frozen=True)
class Scene:
    """One sampled world. L layers, layer 0 is the background; float64 unless said otherwise.

    Attributes:
        config, seed, index: what it was sampled from.
        texture: (L,) int, index into the texture pool.
        texture_affine: (L, 2, 3), layer coordinates to texture pixels.
        colour: (L, 3, 4), applied to the texture's RGB (0..255, with a 1 appended).
        shape: (L,) int, index into the shape pool, -1 for the background.
        shape_affine: (L, 2, 3), layer coordinates to shape pixels.
        extent: (L, 2), half width and height of the layer in layer coordinates.
        edge: (L, 2), inverse width of the alpha ramp and of the rim, per shape pixel.
        tint: (L, 7): RGB of a tint (0..255), its strength at the rim, an affine ramp over q (3).
        shadow: (L, 4): strength, inverse softness per shape pixel, offset x and y in whole pixels.
        pose: (L, 3, 7): value at t = 0.5, velocity, acceleration of (x, y, angle, log zoom, log
            stretch, shear, log brightness); the background's reference time is 0.
        wave_amplitude: (L, WAVES, 2), wave_vector: (L, WAVES, 2), wave_phase: (L, WAVES),
            wave_speed: (L,), the deformation (amplitude 0: rigid).
        photometric: (8,): log brightness and log RGB gain per step, gamma and its log change, noise
            sigma, shutter (fraction of a step).
        light: (6,): strength, direction (2), offset, velocity, width of the light edge.
        blur: (2,): sigma of the background and of the whole picture.
        jpeg: quality, 0 for none.
        noise_offset: (2,) int, where in the noise tile the first frame's noise starts.
    """

    config: SceneConfig
    seed: int
    index: int
    texture: np.ndarray
    texture_affine: np.ndarray
    colour: np.ndarray
    shape: np.ndarray
    shape_affine: np.ndarray
    extent: np.ndarray
    edge: np.ndarray
    tint: np.ndarray
    shadow: np.ndarray
    pose: np.ndarray
    wave_amplitude: np.ndarray
    wave_vector: np.ndarray
    wave_phase: np.ndarray
    wave_speed: np.ndarray
    photometric: np.ndarray
    light: np.ndarray
    blur: np.ndarray
    jpeg: int
    noise_offset: np.ndarray

    @property
    def pool(self) -> int:
        """Number of the texture and shape pool that the scene draws from."""
        return self.index // self.config.scenes_per_pool

    def is_rigid(self, layer: int) -> bool:
        """Whether the layer moves by its affine trajectory alone."""
        return not self.wave_amplitude[layer].any()


def _speed(rng, slow_mean, fast_max, fast_probability):
    """A translation in a random direction; its length is a mixture with a heavy tail."""
    if rng.random() < fast_probability:
        length = rng.uniform(slow_mean, max(fast_max, slow_mean))
    else:
        length = rng.exponential(slow_mean)
    # Cameras and things move sideways more than up and down.
    angle = rng.uniform(0, 2 * np.pi)
    direction = np.array([np.cos(angle), 0.7 * np.sin(angle)])
    return length * direction / np.hypot(*direction)


def _background_pose(rng, config):
    pose = np.zeros((3, 7))
    if rng.random() < config.still_camera:
        return pose
    pose[1, :2] = _speed(rng, *config.background_speed, config.fast_background)
    pose[1, 2] = np.deg2rad(rng.laplace(0, config.background_rotation))
    pose[1, 3] = rng.laplace(0, config.background_zoom)
    pose[1, 4:6] = rng.laplace(0, config.shear / 3, 2)
    return pose


def _object_pose(rng, config, size):
    pose = np.zeros((3, 7))
    margin = 0.25 * size
    pose[0, 0] = rng.uniform(-margin, config.width + margin)
    pose[0, 1] = rng.uniform(-margin, config.height + margin)
    pose[0, 2] = rng.uniform(-np.pi, np.pi) if rng.random() < 0.4 else rng.normal(0, 0.2)
    pose[0, 5] = rng.normal(0, 0.1)
    if rng.random() < config.attached_object:
        return pose
    pose[1, :2] = _speed(rng, *config.object_speed, config.fast_object)
    pose[1, 2] = np.deg2rad(rng.laplace(0, config.object_rotation))
    pose[1, 3] = rng.laplace(0, config.object_zoom)
    pose[1, 4:6] = rng.laplace(0, config.shear, 2)
    return pose


class _Travel:
    """A camera's path through a world with depth, as seen by its layers.

    A layer moves by nearness · (shift + zoom · (place - goal)), where nearness is 1 / depth.
    """

    def __init__(self, rng, config, count):
        far = rng.uniform(0.03, 0.4)
        self.nearness = np.sort(np.append(far, rng.uniform(far, 1, count - 1)))
        self.goal = rng.normal(0.5, 0.15, 2) * [config.width, config.height]
        self.zoom = rng.choice([1, 1, 1, -1]) * min(rng.exponential(config.travel), 0.3)
        self.shift = _speed(rng, *config.background_speed, 0.4)
        # Nearness is that at a layer's middle; it grows by this share to the lower edge, as on
        # the ground.
        self.tilt = rng.uniform(0, 0.5, count)

    def velocity(self, layer, place, size):
        """(7,): the motion of a layer of a given size at a place in the frame."""
        near = self.nearness[layer]
        x, y = near * (self.shift + self.zoom * (place - self.goal))
        stretch, shear = self.tilt[layer] * np.array([-y, x]) / size
        return np.array([x, y, 0, near * self.zoom, stretch, shear, 0])


def _travelled(rng, travel, layer, pose, size, frame):
    """Adds the camera's path to a layer's pose; an object's is relative to the background's."""
    if layer == 0:
        # A camera that travels turns little.
        pose[1] = travel.velocity(0, frame / 2, size) + 0.2 * pose[1]
        return
    if rng.random() < 0.5:
        pose[1] = 0
    place = pose[0, :2]
    pose[1] += travel.velocity(layer, place, size) - travel.velocity(0, place, max(frame))


def _finish_motion(rng, config, pose):
    """Bounds, scale and acceleration, the same for all layers."""
    limits = np.array([np.inf, np.inf, 0.6, 0.3, 0.15, 0.15, np.inf])
    pose[1] = np.clip(pose[1] * config.motion_scale, -limits, limits)
    pose[2, :6] = pose[1, :6] * rng.normal(0, config.acceleration, 6)
    pose[1, 6] = rng.normal(0, config.brightness / 2)
    return pose


def _waves(rng, config, size):
    """Amplitudes, wave vectors, phases and speed of one layer's deformation."""
    wavelength = rng.uniform(0.5, 1.3, WAVES) * max(size, 80.0)
    angle = rng.uniform(0, 2 * np.pi, WAVES)
    vector = 2 * np.pi / wavelength[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    amplitude = np.zeros((WAVES, 2))
    if rng.random() < config.non_rigid:
        amplitude = (
            rng.normal(0, 0.4, (WAVES, 2))
            * rng.uniform(0.1, 1)
            * config.deformation
            * config.motion_scale
        )
        stretch = np.sum(np.linalg.norm(amplitude, axis=1) * np.linalg.norm(vector, axis=1))
        amplitude *= min(1.0, MAX_STRETCH / max(stretch, 1e-9))
    return amplitude, vector, rng.uniform(0, 2 * np.pi, WAVES), rng.uniform(0.5, 1.3)


def _colour(rng, is_background):
    """A random recolouring: mostly gain and offset, which keep a texture natural."""
    if rng.random() < 0.7:
        mix = np.eye(3)
    else:
        mix = np.eye(3)[rng.permutation(3)] * 0.7 + 0.3 * rng.dirichlet(np.ones(3), 3)
    saturation = rng.uniform(0.2, 1.15)
    grey = np.full((3, 3), 1 / 3)
    contrast = rng.uniform(0.65, 1.3) if is_background else rng.uniform(0.3, 1.4)
    matrix = contrast * (grey + saturation * (np.eye(3) - grey)) @ mix
    # Dark objects are common (chairs, shadows, backlight) and hard, so they are drawn often.
    level = rng.normal(118, 30) if rng.random() < 0.75 else rng.uniform(15, 70)
    offset = level + rng.normal(0, 7, 3) - matrix @ np.full(3, 118.0)
    return np.concatenate([matrix, offset[:, None]], axis=1)


def _placement(rng, scale, texture_size, centre, span):
    """Layer coordinates to texture pixels: random place, rotation, mirror and scale.

    Beyond its edges a texture continues as its mirror image, which is rare in nature, so a layer
    that is small enough is placed within the edges.
    """
    angle = rng.normal(0, 0.15) if rng.random() < 0.6 else rng.uniform(0, 2 * np.pi)
    mirror = np.diag([rng.choice([-1.0, 1.0]), 1.0])
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = scale * rotation @ mirror
    slack = np.maximum(texture_size - np.abs(linear) @ span, 0) / 2
    place = texture_size / 2 + rng.uniform(-1, 1, 2) * slack
    return np.concatenate([linear, (place - linear @ centre)[:, None]], axis=1)


def _tint(rng, size):
    """Shading: a rim of another brightness and a linear ramp towards one colour."""
    tint = np.zeros(7)
    tint[:3] = rng.uniform(0, 40) if rng.random() < 0.7 else rng.uniform(180, 255)
    if rng.random() < 0.35:
        tint[3] = rng.uniform(0.2, 0.9)
    if rng.random() < 0.5:
        angle = rng.uniform(0, 2 * np.pi)
        strength = rng.uniform(0.2, 0.8)
        tint[4:] = (
            strength / size * np.cos(angle),
            strength / size * np.sin(angle),
            rng.uniform(0, strength / 2),
        )
    return tint


def sample_scene(config: SceneConfig, seed: int, index: int) -> Scene:
    """Samples scene number `index` of a seed.

    Args:
        config: `SceneConfig`.
        seed, index: whole numbers from 0 up.

    Returns:
        `Scene`; equal arguments give equal scenes.
    """
    rng = np.random.default_rng([seed, index, 1])
    count = 1 + int(rng.integers(config.objects[0], config.objects[1] + 1))
    side = np.sqrt(config.height * config.width)
    plain = max(1, config.textures // 2)
    frame = np.array([config.width, config.height], float)
    travel = None
    if config.parallax and rng.random() < config.parallax:
        travel = _Travel(rng, config, count)
    rows = []
    for layer in range(count):
        background = layer == 0
        size = (
            side
            if background
            else side * np.exp(rng.uniform(*np.log(np.maximum(config.object_size, 1e-3))))
        )
        scenic = rng.random() < (0.8 if background else 0.35)
        texture = (
            rng.integers(plain, config.textures)
            if scenic and config.textures > 1
            else rng.integers(plain)
        )
        # Scales under 1 magnify and soften textures; over 1 they make them finer and crisper.
        texture_scale = np.exp(rng.uniform(np.log(0.6), np.log(1.4)))
        aspect = np.exp(rng.normal(0, 0.2))
        half = size / 2 * np.array([aspect, 1 / aspect])
        shape_scale = config.shape_size / 2 / half * np.array([rng.choice([-1, 1]), 1])
        centre = np.full(2, (config.shape_size - 1) / 2)
        amplitude, vector, phase, speed = _waves(rng, config, size)
        pose = _background_pose(rng, config) if background else _object_pose(rng, config, size)
        if travel is not None:
            _travelled(rng, travel, layer, pose, size, frame)
        pixels_per_shape_pixel = size / config.shape_size
        # Edges and shadows softer than this would reach the border of the shape's picture.
        softest = 28 * pixels_per_shape_pixel
        edge_width = min(1.0 if rng.random() < 0.8 else rng.uniform(1.0, 3.0), softest)
        rim_width = np.exp(rng.uniform(np.log(1.5), np.log(12.0)))
        shadow = np.zeros(4)
        if rng.random() < config.drop_shadow:
            soft = min(rng.uniform(3, 16), softest)
            offset = np.rint(rng.normal(0, 0.06 * size, 2))
            shadow[:] = rng.uniform(0.15, 0.6), pixels_per_shape_pixel / soft, *offset
        middle = frame / 2 if background else np.zeros(2)
        span = frame if background else 2 * half
        rows.append(
            dict(
                texture=int(texture),
                texture_affine=_placement(rng, texture_scale, config.texture_size, middle, span),
                colour=_colour(rng, background),
                shape=-1 if background else int(rng.integers(config.shapes)),
                shape_affine=np.concatenate([np.diag(shape_scale), centre[:, None]], axis=1),
                extent=half,
                edge=pixels_per_shape_pixel / np.array([edge_width, rim_width]),
                tint=np.zeros(7) if background else _tint(rng, size),
                shadow=shadow,
                pose=_finish_motion(rng, config, pose),
                wave_amplitude=amplitude,
                wave_vector=vector,
                wave_phase=phase,
                wave_speed=speed,
            )
        )
    layers: dict[str, Any] = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return Scene(config=config, seed=seed, index=index, **layers, **_picture(rng, config))


def _picture(rng, config):
    """What concerns the whole picture: exposure, light, blur, noise."""
    photometric = np.zeros(8)
    photometric[0] = rng.laplace(0, config.brightness / 2)
    photometric[1:4] = rng.normal(0, config.colour, 3)
    photometric[4] = np.exp(rng.normal(0, 0.15))
    photometric[5] = rng.laplace(0, config.brightness / 3)
    photometric[6] = config.noise * rng.random() ** 2
    if rng.random() < config.motion_blur:
        photometric[7] = rng.uniform(0.1, 0.4)
    light = np.zeros(6)
    if rng.random() < config.light:
        angle = rng.uniform(0, 2 * np.pi)
        direction = np.array([np.cos(angle), np.sin(angle)])
        middle = direction @ rng.uniform(0, [config.width, config.height])
        speed = rng.normal(0, 8) * config.motion_scale
        light[:] = rng.uniform(-0.4, 0.4), *direction, middle, speed, rng.uniform(20, 150)
    blur = np.where(
        rng.random(2) < config.blur, rng.uniform(0.3, max(config.blur_sigma, 0.3), 2), 0.0
    )
    blur[1] *= 0.6
    return dict(
        photometric=photometric,
        light=light,
        blur=blur,
        jpeg=int(rng.integers(40, 95)) if rng.random() < config.jpeg else 0,
        noise_offset=rng.integers(0, 1 << 16, 2),
    )
