"""Surfaces: random textures of many kinds, and pictures that have the statistics of photographs.

A *plain* texture is one material. A *scenic* one is a dead-leaves picture: hundreds of leaves that
cover one another, their sizes following a power law, each of a plain texture, then lit and focused
like a photograph. Occlusion at all scales is what gives natural images their edges and their 1/f
spectrum (Lee, Mumford, Huang: Occlusion models for natural images, IJCV 2001).
"""

import hashlib
import os
from pathlib import Path

import numpy as np

from tfflow.data.files.images import IMAGE_EXTENSIONS, image_size, images_below, read_image
from tfflow.data.scenes import shapes
from tfflow.data.scenes.config import DESCRIPTIONS
from tfflow.data.scenes.opencv import cv2


def _unit(field):
    """Scales a field to mean 0.5 and a spread that mostly stays within 0..1."""
    field = field - field.mean()
    return np.clip(0.5 + 0.22 * field / (field.std() + 1e-6), 0, 1).astype(np.float32)


def _smooth_noise(rng, size, cell):
    """Gaussian noise with one bump per `cell` pixels."""
    n = max(2, int(np.ceil(size / cell)) + 2)
    grid = rng.standard_normal((n, n), dtype=np.float32)
    return cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)


def spectral_noise(rng, size):
    """Noise whose amplitude falls as 1 / f^b, at times stretched: clouds, plaster, wood, grass."""
    fy, fx = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]
    angle, stretch = rng.uniform(0, np.pi), np.exp(rng.exponential(0.5))
    u = fx * np.cos(angle) + fy * np.sin(angle)
    v = (fy * np.cos(angle) - fx * np.sin(angle)) * stretch
    amplitude = (u * u + v * v + (0.5 / size) ** 2) ** (-rng.uniform(0.35, 1.1))
    noise = rng.standard_normal((size, size), dtype=np.float32)
    field = np.fft.irfft2(np.fft.rfft2(noise) * amplitude, (size, size))
    if rng.random() < 0.25:
        field = -np.abs(field)  # ridges: marble, creases
    return _unit(field)


def octaves(rng, size):
    """Value noise over several octaves with a random fall-off."""
    cell, gain = size / rng.uniform(2, 16), rng.uniform(0.35, 0.8)
    field = np.zeros((size, size), np.float32)
    for octave in range(int(rng.integers(2, 7))):
        if cell < 1.5:
            break
        field += gain**octave * _smooth_noise(rng, size, cell)
        cell /= 2
    return _unit(field)


def cells(rng, size):
    """Voronoi cells: stones, cracks or flat patches of random brightness."""
    count = int(np.exp(rng.uniform(np.log(30), np.log(4000))))
    seeds = np.full((size, size), 255, np.uint8)
    seeds[tuple(rng.integers(0, size, (2, count)))] = 0
    distance, label = cv2.distanceTransformWithLabels(
        seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    kind = rng.random()
    if kind < 0.3:
        return _unit(-distance)
    shade = rng.random(label.max() + 1, dtype=np.float32)[label]
    if kind < 0.6:
        return shade
    return np.clip(shade - 0.5 * distance / (distance.max() + 1e-6), 0, 1).astype(np.float32)


def _coordinates(rng, size, warp):
    """Rotated and warped coordinates in periods of a random length."""
    period = np.exp(rng.uniform(np.log(5), np.log(size / 3)))
    angle = rng.uniform(0, np.pi)
    axis = np.arange(size, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    if warp:
        bend = rng.exponential(0.25) * period
        x = x + bend * _smooth_noise(rng, size, rng.uniform(1, 6) * period)
        y = y + bend * _smooth_noise(rng, size, rng.uniform(1, 6) * period)
    u = (x * np.cos(angle) + y * np.sin(angle)) / period
    return u, (y * np.cos(angle) - x * np.sin(angle)) / period


def stripes(rng, size):
    """Stripes, checks or a grid, straight or warped, soft or hard."""
    u, v = _coordinates(rng, size, rng.random() < 0.5)
    hardness = np.exp(rng.uniform(0, 3))
    duty = rng.uniform(-0.7, 0.7)

    def wave(t):
        return np.tanh(hardness * (np.sin(2 * np.pi * t) + duty)) / 2

    kind = rng.random()
    if kind < 0.4:
        field = wave(u)
    elif kind < 0.7:
        field = 2 * wave(u) * wave(v * rng.uniform(0.5, 2))
    else:
        field = np.maximum(wave(u), wave(v))
    return np.clip(0.5 + field, 0, 1).astype(np.float32)


def bricks(rng, size):
    """Rows of bricks or planks, each with its own brightness, between joints."""
    u, v = _coordinates(rng, size, rng.random() < 0.3)
    u = u / rng.uniform(1, 4)
    row = np.floor(v)
    u = u + rng.choice([0.5, 0.37, 0.0]) * row
    shades = rng.uniform(0.35, 1, 4096).astype(np.float32)
    shade = shades[(np.floor(u) * 61 + row * 17).astype(np.int64) & 4095]
    joint = rng.uniform(0.02, 0.12)
    within = (np.minimum(u - np.floor(u), np.ceil(u) - u) > joint / 2) & (v - row > joint)
    return np.where(within, shade, np.float32(rng.uniform(0, 1)))


def scattered(rng, size):
    """Many small shapes on a ground: gravel, confetti, leaves, berries."""
    field = np.full((size, size), rng.uniform(0, 1), np.float32)
    outline = shapes.random_outline(rng)
    radius = np.exp(rng.uniform(np.log(3), np.log(30)))
    count = min(1500, int(rng.uniform(0.3, 3) * (size / radius) ** 2 / 4))
    angle = rng.uniform(0, 2 * np.pi, count)
    scale = radius * np.exp(rng.normal(0, 0.3, count))
    rotation = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], 1)
    points = np.einsum("pk,njk->npj", outline, rotation.reshape(-1, 2, 2)) * scale[:, None, None]
    points = np.round((points + rng.uniform(0, size, (count, 1, 2))) * 16).astype(np.int32)
    for shape, shade in zip(points, rng.random(count)):
        cv2.fillConvexPoly(field, shape, float(shade), lineType=cv2.LINE_AA, shift=4)
    return field


def _alphabet(rng):
    """A made-up alphabet: each letter a few lines and arcs between the nine points of a grid."""
    letters = []
    for _ in range(24):
        strokes = []
        for _ in range(int(rng.integers(2, 5))):
            start, end = rng.integers(0, 3, (2, 2)) / 2
            bend = (start + end) / 2 + rng.choice([0, 1]) * rng.normal(0, 0.35, 2)
            s = np.linspace(0, 1, 7)[:, None]
            strokes.append((1 - s) ** 2 * start + 2 * s * (1 - s) * bend + s * s * end)
        letters.append(strokes)
    return letters


def strokes(rng, size):
    """Lines of letters of several sizes: print, signs, handwriting."""
    paper, ink = (int(v) for v in rng.choice([-1, 1]) * rng.uniform(20, 120, 2) * [1, -1] + 128)
    field = np.full((size, size), paper, np.uint8)
    alphabet = _alphabet(rng)
    slant = rng.normal(0, 0.2)
    y = 0.0
    while y < size:
        height = np.exp(rng.uniform(np.log(6), np.log(70)))
        width = height * rng.uniform(0.4, 0.8)
        y += 1.5 * height
        thickness = max(1, round(height * rng.uniform(0.06, 0.25)))
        lines = []
        for x in np.arange(
            rng.uniform(-width, size / 3), size * rng.uniform(0.4, 1.1), 1.5 * width
        ):
            if rng.random() < 0.15:
                continue  # the space between two words
            for stroke in alphabet[rng.integers(len(alphabet))]:
                points = [x, y] + stroke * [width, height] - stroke[:, 1:] * [slant * height, 0]
                lines.append(np.round(points * 16).astype(np.int32))
        cv2.polylines(field, lines, False, ink, thickness, cv2.LINE_AA, 4)
    turned = cv2.getRotationMatrix2D((size / 2, size / 2), rng.normal(0, 25), 1.1)
    field = cv2.warpAffine(field, turned, (size, size), borderMode=cv2.BORDER_REFLECT)
    return field.astype(np.float32) / 255


def gradient(rng, size):
    """A linear or round gradient, with little else: sky, a wall, a table."""
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    x, y = axis[None], axis[:, None]
    if rng.random() < 0.6:
        angle = rng.uniform(0, 2 * np.pi)
        field = x * np.cos(angle) + y * np.sin(angle)
    else:
        field = np.hypot(x - rng.uniform(-1, 1), y - rng.uniform(-1, 1))
    return np.clip(0.5 + 0.3 * field + 0.03 * _smooth_noise(rng, size, rng.uniform(4, 90)), 0, 1)


def facets(rng, size):
    """Flat faces with slightly different light, as of furniture, boxes and buildings."""
    field = np.full((size, size), 0.5, np.float32)
    for _ in range(int(rng.integers(6, 40))):
        centre = rng.uniform(0, size, 2)
        points = shapes.random_polygon(rng, 4, 0.3) * rng.uniform(0.05, 0.5) * size + centre
        shade = float(rng.random())
        cv2.fillPoly(field, [np.round(points * 16).astype(np.int32)], shade, cv2.LINE_AA, 4)
    return np.clip(0.75 * field + 0.25 * gradient(rng, size), 0, 1)


def blotches(rng, size):
    """Smooth noise cut into a few levels: camouflage, rust, maps, lichen."""
    field = octaves(rng, size) if rng.random() < 0.5 else spectral_noise(rng, size)
    levels = int(rng.integers(2, 6))
    softness = rng.uniform(0.02, 0.3)
    scaled = field * levels
    fraction = scaled - np.floor(scaled)
    return (np.floor(scaled) + np.clip((fraction - 0.5) / softness + 0.5, 0, 1)) / levels


MATERIALS = {
    spectral_noise: 0.22,
    octaves: 0.14,
    cells: 0.11,
    stripes: 0.09,
    bricks: 0.07,
    scattered: 0.09,
    strokes: 0.06,
    gradient: 0.1,
    facets: 0.06,
    blotches: 0.06,
}


def random_hue(rng):
    """An RGB offset: mostly small, mostly between brown and blue, as in nature."""
    warm = rng.normal(6, 22) * np.array([1.0, 0.1, -1.1])
    green = rng.normal(0, 9) * np.array([-0.5, 1.0, -0.5])
    return (warm + green) * rng.choice([0.3, 1.0, 2.2], p=[0.35, 0.45, 0.2])


def _palette(rng):
    """A 256-entry colour ramp, (1, 256, 3) uint8, through a few colours of one family."""
    stops = int(rng.integers(2, 6))
    luma = rng.uniform(0, 255, stops)
    if rng.random() < 0.6:
        luma = np.sort(luma)  # dark to bright, as most materials are
    colours = luma[:, None] + random_hue(rng) + rng.normal(0, 9, (stops, 3))
    places = np.sort(np.concatenate([[0, 255], rng.uniform(0, 255, stops - 2)]))
    ramp = [np.interp(np.arange(256), places, colours[:, c]) for c in range(3)]
    return np.clip(np.stack(ramp, -1), 0, 255).astype(np.uint8)[None]


def make_material(rng, size):
    """A plain texture.

    Args:
        rng: `numpy.random.Generator`.
        size: its side in pixels.

    Returns:
        (size, size, 3) uint8, RGB.
    """
    kinds = list(MATERIALS)
    probabilities = np.array(list(MATERIALS.values()))
    field = kinds[rng.choice(len(kinds), p=probabilities)](rng, size)
    strength = rng.uniform(0.3, 1.0)
    grain = spectral_noise(rng, size) if rng.random() < 0.7 else octaves(rng, size)
    if rng.random() < 0.3:  # two materials in patches
        other = kinds[rng.choice(len(kinds), p=probabilities)](rng, size)
        mask = np.clip((_smooth_noise(rng, size, size / rng.uniform(2, 8))) * 8, 0, 1)
        field = field + (other - field) * mask
    field = np.clip(field * 255, 0, 255).astype(np.uint8)
    colour = cv2.LUT(cv2.merge([field] * 3), _palette(rng))
    shade = 1 + strength * rng.uniform(0.2, 1.3) * (grain - 0.5)
    return np.clip(colour * shade[..., None], 0, 255).astype(np.uint8)


def detail_alone(rng, texture):
    """A texture without its large light and dark patches, with a grain: cloth, asphalt, plaster.

    Args:
        rng: `numpy.random.Generator`.
        texture: (S, S, 3) uint8.

    Returns:
        (S, S, 3) uint8, of about the same mean colour.
    """
    size = len(texture)
    picture = texture.astype(np.float32)
    ground = cv2.mean(picture)[:3]
    patches = cv2.GaussianBlur(picture, (0, 0), np.exp(rng.uniform(np.log(3), np.log(24))))
    detail = rng.uniform(0.4, 1.2) * (picture - patches)
    grain = rng.uniform(0, 15) * _smooth_noise(rng, size, rng.uniform(1, 5))
    remains = rng.uniform(0, 0.3) * (patches - ground)
    return np.clip(ground + remains + detail + grain[..., None], 0, 255).astype(np.uint8)


class Photographs:
    """Pictures in a folder, of which square parts are taken as textures.

    Args:
        folder: all images below it that `read_image` reads, but those in hidden folders and in
            folders of scenes.
        size: side of the textures in pixels; a picture's shorter side must be half as long.

    Raises:
        FileNotFoundError: there are no images.
        ValueError: none is large enough.

    Attributes:
        digest: a hash of the pictures' names and sizes in bytes.
    """

    def __init__(self, folder, size):
        self.folder, self.size = Path(folder), size
        below = images_below(self.folder, skipping=DESCRIPTIONS.values())
        self.paths = sorted(path for path in below if path.is_file())  # no broken link
        if not self.paths:
            raise FileNotFoundError(
                f"there are no images in {self.folder} ({', '.join(IMAGE_EXTENSIONS)}); "
                "SceneConfig.photographs must be a folder that holds some, at any depth"
            )
        if not any(min(image_size(path)) >= size / 2 for path in self.paths):
            raise ValueError(
                f"none of the {len(self.paths)} images in {self.folder} can be read and has at "
                f"least {size // 2} pixels on its shorter side, half of SceneConfig.texture_size"
            )

    @property
    def digest(self):
        digest = hashlib.sha256()
        for path in self.paths:
            name = os.fsencode(path.relative_to(self.folder).as_posix())
            digest.update(b"%s\n%d\n" % (name, path.stat().st_size))
        return digest.hexdigest()

    def cut(self, rng):
        """A random part of a random picture: (size, size, 3) uint8, RGB."""
        picture = self._picture(rng)
        size, shorter = self.size, min(picture.shape[:2])
        # From the whole picture, made smaller, to one pixel for each.
        side = round(np.exp(rng.uniform(np.log(min(size, shorter)), np.log(shorter))))
        top, left = (int(rng.integers(length - side + 1)) for length in picture.shape[:2])
        part = picture[top : top + side, left : left + side]
        if side >= size:
            return cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA)
        # As beyond the edges of any texture. Larger pixels would be softer than a camera's.
        rest = size - side
        return cv2.copyMakeBorder(part, 0, rest, 0, rest, cv2.BORDER_REFLECT_101)

    def _picture(self, rng):
        """A picture that is large enough; those that can't be read are passed over."""
        for i in rng.permutation(len(self.paths)):
            try:
                picture = read_image(self.paths[i])
            except (OSError, ValueError):
                continue
            if min(picture.shape[:2]) >= self.size / 2:
                return picture
        raise ValueError(f"no image in {self.folder} that is large enough can be read")
