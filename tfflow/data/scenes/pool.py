"""The pool that scenes take surfaces and outlines from, so that drawing one takes milliseconds.

Making a texture takes 50 to 500 ms, so a pool of about a hundred is made once, and many scenes use
rotated, scaled, mirrored and recoloured parts of it. After `SceneConfig.scenes_per_pool` scenes the
next pool follows. A pool depends on its seed, its number and `POOL_FIELDS` of the configuration.
"""

import functools
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from tfflow.data.scenes import shapes, textures
from tfflow.data.scenes.config import SceneConfig
from tfflow.data.scenes.opencv import cv2

NOISE_SIZE = 1024
# All that a pool depends on.
POOL_FIELDS = (
    "textures",
    "texture_size",
    "fine_surfaces",
    "photographs",
    "photograph_share",
    "shapes",
    "shape_size",
)


class Pool(NamedTuple):
    """What scenes are drawn with.

    Attributes:
        textures: (N, S, S, 3) uint8; the first half are plain materials, the others scenic.
        shapes: (M, s, s) float32, signed distances in pixels, see `shapes.make_shape`.
        kinds: (M,) int, the kind of each shape, its index in `shapes.SHAPES`.
        noise: (NOISE_SIZE, NOISE_SIZE, 3) float32, sensor noise of unit variance; it tiles.
    """

    textures: np.ndarray
    shapes: np.ndarray
    kinds: np.ndarray
    noise: np.ndarray


def make_pool(config: SceneConfig, seed: int, number: int, threads: int = 1) -> Pool:
    """Makes pool number `number` of a seed.

    Args:
        config: `SceneConfig`.
        seed, number: whole numbers from 0 up.
        threads: number of threads; it does not change the result.

    Returns:
        `Pool`.
    """
    plain = max(1, config.textures // 2)
    size = config.texture_size
    surfaces = np.empty((config.textures, size, size, 3), np.uint8)
    outlines = np.empty((config.shapes, config.shape_size, config.shape_size), np.float32)

    kinds = np.empty(config.shapes, int)

    def surface(i):
        rng = np.random.default_rng([seed, number, 2, i])
        if i < plain:
            surfaces[i] = textures.make_material(rng, size)
        else:
            surfaces[i] = make_scenery(rng, surfaces[:plain])

    photographs = config.photographs and textures.Photographs(config.photographs, size)

    def photograph(i):
        rng = np.random.default_rng([seed, number, 6, i])
        if rng.random() < config.photograph_share:
            surfaces[i] = photographs.cut(rng)

    def without_patches(i):
        rng = np.random.default_rng([seed, number, 5, i])
        if rng.random() < config.fine_surfaces:
            surfaces[i] = textures.detail_alone(rng, surfaces[i])

    def outline(i):
        rng = np.random.default_rng([seed, number, 3, i])
        outlines[i], kinds[i] = shapes.make_shape(rng, config.shape_size)

    with ThreadPoolExecutor(threads) as executor:
        # Materials come first: scenery is made of them.
        list(executor.map(surface, range(plain)))
        list(executor.map(surface, range(plain, config.textures)))
        if photographs:
            list(executor.map(photograph, range(config.textures)))
        if config.fine_surfaces:
            list(executor.map(without_patches, range(config.textures)))
        list(executor.map(outline, range(config.shapes)))
    return Pool(surfaces, outlines, kinds, _sensor_noise(np.random.default_rng([seed, number, 4])))


def cached_pool(config, seed, number):
    """`make_pool`, keeping the last one: consecutive scenes share it, whatever their size."""
    return _cached(*(getattr(config, name) for name in POOL_FIELDS), seed, number)


@functools.lru_cache(maxsize=1)
def _cached(*sizes_seed_number):
    *sizes, seed, number = sizes_seed_number
    return make_pool(SceneConfig(**dict(zip(POOL_FIELDS, sizes, strict=True))), seed, number)


def _sensor_noise(rng):
    """Noise that is partly shared by the channels and slightly blurred, as after demosaicing."""
    shape = (NOISE_SIZE, NOISE_SIZE)
    colour = rng.standard_normal((*shape, 3), dtype=np.float32)
    noise = 0.6 * colour + 0.8 * rng.standard_normal((*shape, 1), dtype=np.float32)
    noise += 0.5 * np.roll(noise, 1, 0) + 0.5 * np.roll(noise, 1, 1)
    return noise / noise.std()


def make_scenery(rng, materials):
    """A picture with the statistics of a photograph: leaves over leaves, lit and focused.

    Args:
        rng: `numpy.random.Generator`.
        materials: (N, S, S, 3) uint8, what the leaves are made of.

    Returns:
        (S, S, 3) uint8.
    """
    size = materials.shape[1]
    canvas = materials[rng.integers(len(materials))].copy()
    palette = rng.normal(118, 50, (int(rng.integers(2, 7)), 1))
    palette = palette + [textures.random_hue(rng) for _ in palette]
    family = rng.choice(4)  # one outline for all leaves, or several
    outlines = [_leaf_outline(rng) for _ in range((1, 3, 8, 16)[family])]
    smallest = np.exp(rng.uniform(np.log(4), np.log(32)))
    largest = rng.uniform(0.15, 0.5) * size
    tilt = rng.normal(0, 0.3) if rng.random() < 0.5 else None
    ground = rng.random() < 0.35  # leaves get larger towards the bottom, as on a floor
    count = int(np.exp(rng.uniform(np.log(60), np.log(700))))
    shadow = rng.uniform(0, 0.6)
    area = 0.0
    for _ in range(count):
        # P(radius) ~ radius^-3 makes the picture look alike at all scales.
        radius = (smallest**-2 + rng.random() * (largest**-2 - smallest**-2)) ** -0.5
        x, y = rng.uniform(0, size, 2)
        if ground:
            radius *= 0.25 + 1.2 * y / size
        turn = rng.uniform(0, 2 * np.pi) if tilt is None else tilt + rng.normal(0, 0.08)
        outline = outlines[rng.integers(len(outlines))]
        _place_leaf(rng, canvas, materials, palette, outline, (x, y, radius, turn), shadow)
        area += radius * radius
        if area > 8 * size * size:
            break
    return _photograph(rng, canvas)


def _leaf_outline(rng):
    if rng.random() < 0.35:
        width, height = np.exp(rng.normal(0, 0.5, 2))
        box = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * [width, height]
        return box / np.sqrt(width * height)
    if rng.random() < 0.2:  # a long thin thing: a pole, a stem, a cable
        return np.array([(-0.1, -4), (0.1, -4), (0.1, 4), (-0.1, 4)]) * rng.uniform(0.3, 1, 2)
    return shapes.random_outline(rng) * np.exp(rng.normal(0, 0.25, 2))


def _place_leaf(rng, canvas, materials, palette, outline, place, shadow):
    x, y, radius, turn = place
    size = len(canvas)
    cos, sin = np.cos(turn), np.sin(turn)
    points = outline @ np.array([[cos, sin], [-sin, cos]]) * radius + [x, y]
    margin = 3 + radius * 0.15
    x0, y0 = np.floor(np.clip(points.min(0) - margin, 0, size - 1)).astype(int)
    x1, y1 = np.ceil(np.clip(points.max(0) + margin, 1, size)).astype(int)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    target = canvas[y0:y1, x0:x1]
    mask = np.zeros(target.shape[:2], np.uint8)
    corners = [np.round((points - [x0, y0]) * 16).astype(np.int32)]
    cv2.fillPoly(mask, corners, 255, cv2.LINE_AA, 4)
    alpha = mask.astype(np.float32) / 255
    if shadow > 0.15 and radius > 6:  # a contact shadow gives leaves depth
        soft = cv2.boxFilter(alpha, -1, (2 * int(margin / 2) + 1,) * 2) * shadow
        black = np.zeros_like(target)
        target[:] = cv2.blendLinear(target, black, 1 - soft, soft)
    source = materials[rng.integers(len(materials))]
    v, u = rng.integers(0, size - mask.shape[0] + 1), rng.integers(0, size - mask.shape[1] + 1)
    patch = source[v : v + mask.shape[0], u : u + mask.shape[1]]
    contrast = rng.choice([0.0, 0.25, 0.5, 1.0])
    mean = np.array(cv2.mean(patch)[:3])
    colour = palette[rng.integers(len(palette))] + rng.normal(0, 14)
    if rng.random() < 0.25:
        colour = mean
    matrix = np.concatenate([contrast * np.eye(3), (colour - contrast * mean)[:, None]], axis=1)
    patch = cv2.transform(patch, matrix)
    if radius > 10 and rng.random() < 0.6:  # light that falls off across the leaf
        ramp = np.linspace(*rng.uniform(0.55, 1.35, 2), mask.shape[1], dtype=np.float32)
        ramp = (
            ramp + np.linspace(*rng.uniform(-0.3, 0.3, 2), mask.shape[0], dtype=np.float32)[:, None]
        )
        patch = np.clip(patch * ramp[..., None], 0, 255).astype(np.uint8)
    target[:] = cv2.blendLinear(patch, target, alpha, 1 - alpha)


def _photograph(rng, canvas):
    """Uneven light, depth of field and grain."""
    size = len(canvas)
    light = cv2.resize(rng.normal(1, 0.28, (4, 4)).astype(np.float32), (size, size), None, 0, 0, 2)
    picture = canvas * np.clip(light, 0.25, 1.6)[..., None]
    if rng.random() < 0.5:  # cameras sharpen
        soft = cv2.GaussianBlur(picture, (0, 0), 1.2)
        picture = picture + rng.uniform(0.3, 1.5) * (picture - soft)
    if rng.random() < 0.45:
        blurred = cv2.GaussianBlur(picture, (0, 0), rng.uniform(1, 6))
        focus = cv2.resize(rng.normal(0, 1, (4, 4)).astype(np.float32), (size, size), None, 0, 0, 2)
        focus = np.clip(focus * 2 + rng.uniform(-1, 2), 0, 1)[..., None]
        picture = blurred + (picture - blurred) * focus
    gain = textures.spectral_noise(rng, size)[..., None] * rng.uniform(0, 0.9)
    return np.clip(picture * (1 + gain - gain.mean()), 0, 255).astype(np.uint8)
