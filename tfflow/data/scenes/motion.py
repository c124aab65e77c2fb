"""Where the layers of a scene are: affine trajectories, deformations and their inverses."""

import numpy as np

# MAX_STRETCH ** 12 times a deformation of a few pixels is far under the promised 0.01 px.
INVERSION_STEPS = 12


def drift(t):
    """A bounded smooth curve for slow changes of light: 0 at t = 0, 1 at t = 1, within ±1.56."""
    return np.sin(0.7 * t) / np.sin(0.7)


def _pose_affine(pose):
    """(…, 7) pose values to (…, 2, 2) linear parts."""
    angle, zoom, stretch, shear = pose[..., 2], pose[..., 3], pose[..., 4], pose[..., 5]
    cos, sin = np.cos(angle), np.sin(angle)
    rotation = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)
    upper = np.stack([np.exp(zoom + stretch), shear], -1)
    lower = np.stack([np.zeros_like(zoom), np.exp(zoom - stretch)], -1)
    return rotation @ np.stack([upper, lower], -2)


def layer_affines(scene, t):
    """The affine part of every layer's map to the frame at time t.

    Args:
        scene: `Scene`.
        t: time in frames.

    Returns:
        (L, 2, 3) float64: x = [:, :2] @ q + [:, 2].
    """
    middle = np.array([scene.config.width - 1, scene.config.height - 1]) / 2
    s = np.full(len(scene.pose), t - 0.5)
    s[0] = t  # the background's layer coordinates are the frame's at t = 0
    s = s[:, None]
    pose = scene.pose[:, 0] + s * scene.pose[:, 1] + 0.5 * s * s * scene.pose[:, 2]
    linear = _pose_affine(pose)
    camera = linear[0]
    camera_shift = pose[0, :2] + middle - camera @ middle
    offset = pose[:, :2] @ camera.T + camera_shift
    linear[1:] = camera @ linear[1:]
    offset[0] = camera_shift
    return np.concatenate([linear, offset[..., None]], axis=-1)


def layer_brightness(scene, t):
    """(L,) gain of every layer at time t."""
    return np.exp(scene.pose[:, 1, 6] * drift(t))


def invert_affine(affine):
    """(…, 2, 3) affine maps to their inverses."""
    linear = np.linalg.inv(affine[..., :2])
    return np.concatenate([linear, -linear @ affine[..., 2:]], axis=-1)


def compose(outer, inner):
    """Affine maps: (outer o inner)(x) = outer(inner(x))."""
    offset = outer[..., :2] @ inner[..., 2:] + outer[..., 2:]
    return np.concatenate([outer[..., :2] @ inner[..., :2], offset], axis=-1)


def deformation(scene, layer, t, qx, qy):
    """D(q, t) of one layer.

    Args:
        scene: `Scene`.
        layer: its number.
        t: time in frames.
        qx, qy: arrays that broadcast to one shape, layer coordinates in pixels.

    Returns:
        dx, dy: the displacement in layer coordinates, float32.
    """
    qx, qy = np.asarray(qx, np.float32), np.asarray(qy, np.float32)
    dx = dy = np.float32(0)
    course = np.sin(scene.wave_speed[layer] * t)
    waves = zip(
        scene.wave_amplitude[layer] * course,
        scene.wave_vector[layer],
        scene.wave_phase[layer],
        strict=True,
    )
    for (ax, ay), (wx, wy), phase in waves:
        wave = np.sin(np.float32(wx) * qx + (np.float32(wy) * qy + np.float32(phase)))
        dx = dx + np.float32(ax) * wave
        dy = dy + np.float32(ay) * wave
    return dx, dy


def undo_deformation(scene, layer, t, yx, yy):
    """Solves q + D(q, t) = y for q by fixed-point iteration; D is a contraction by `MAX_STRETCH`.

    Args:
        scene, layer, t: as for `deformation`.
        yx, yy: arrays that broadcast to one shape, pixels.

    Returns:
        qx, qy: float32.
    """
    qx, qy = yx, yy
    for _ in range(INVERSION_STEPS):
        dx, dy = deformation(scene, layer, t, qx, qy)
        qx, qy = yx - dx, yy - dy
    return qx, qy


def deformation_bound(scene, layer):
    """Largest possible length of D of one layer in pixels."""
    return float(np.linalg.norm(scene.wave_amplitude[layer], axis=1).sum())
