"""Outlines of objects, as signed distances to their edge.

A distance survives scaling where a mask does not: alpha = clip(0.5 + distance / edge width) gives
an edge of the wanted softness at any size, and wider ramps of it give rims and shadows.
"""

import numpy as np

from tfflow.data.scenes.opencv import cv2

# Distances are clipped to ±this, in shape pixels.
FAR = 24.0
_SUPERSAMPLING = 3


def _points(points, side):
    """Points in [-1, 1] to fixed-point pixels of the drawing."""
    return np.round((np.asarray(points) * 0.42 + 0.5) * side * 16).astype(np.int32)


def _fill(mask, points, value=255):
    cv2.fillPoly(mask, [_points(points, len(mask))], value, shift=4)


def _line(mask, points, width, value=255):
    cv2.polylines(
        mask,
        [_points(points, len(mask))],
        False,
        value,
        max(1, round(width * 0.42 * len(mask))),
        shift=4,
    )


def fourier_curve(rng, harmonics, roughness):
    """A smooth closed curve: radius = exp of a random Fourier series of the angle."""
    angle = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    k = np.arange(1, harmonics + 1)
    weights = rng.normal(0, 1, (2, harmonics)) * roughness / k**1.2
    radius = np.exp(
        weights[0] @ np.cos(np.outer(k, angle)) + weights[1] @ np.sin(np.outer(k, angle))
    )
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    return points / np.abs(points).max()


def random_polygon(rng, corners, spread):
    """Corners of a random polygon within [-1, 1]; spread 0 gives a convex one."""
    angle = np.sort(
        rng.uniform(0, 2 * np.pi / corners, corners) + 2 * np.pi / corners * np.arange(corners)
    )
    radius = rng.uniform(1 - spread, 1, corners)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    return points / np.abs(points).max()


def random_outline(rng):
    """A closed curve or polygon within [-1, 1]."""
    if rng.random() < 0.6:
        return fourier_curve(rng, int(rng.integers(1, 5)), rng.uniform(0, 0.3))
    return random_polygon(rng, int(rng.integers(3, 8)), rng.uniform(0, 0.4))


def _box(x0, y0, x1, y1):
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def blob(rng, mask):
    """A smooth closed curve, at times with a smooth hole."""
    _fill(mask, fourier_curve(rng, rng.integers(2, 9), rng.uniform(0.1, 0.5)))
    for _ in range(rng.choice([0, 0, 1, 2])):
        hole = fourier_curve(rng, 4, 0.2) * rng.uniform(0.1, 0.35) + rng.uniform(-0.4, 0.4, 2)
        _fill(mask, hole, 0)


def polygon(rng, mask):
    """Three to nine corners, convex or star-like, at times with a hole of the same outline."""
    points = random_polygon(rng, int(rng.integers(3, 10)), rng.uniform(0, 0.7))
    _fill(mask, points)
    if rng.random() < 0.25:
        _fill(mask, points * rng.uniform(0.4, 0.8), 0)


def ellipse(rng, mask):
    """An ellipse, a ring or a sickle."""
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    points = np.stack([np.cos(angle), rng.uniform(0.4, 1) * np.sin(angle)], 1)
    _fill(mask, points)
    if rng.random() < 0.4:
        _fill(
            mask, points * rng.uniform(0.4, 0.9) + rng.choice([0, 0.25]) * rng.uniform(-1, 1, 2), 0
        )


def box(rng, mask):
    """A rectangle, sharp or rounded, at times a frame or one with windows."""
    width, height = rng.uniform(0.35, 1, 2)
    _fill(mask, _box(-width, -height, width, height))
    kind = rng.random()
    if kind < 0.2:
        inner = rng.uniform(0.5, 0.9)
        _fill(mask, _box(-width * inner, -height * inner, width * inner, height * inner), 0)
    elif kind < 0.45:
        columns, rows = rng.integers(1, 5, 2)
        x, y = np.linspace(-width, width, columns + 1), np.linspace(-height, height, rows + 1)
        bar = rng.uniform(0.04, 0.2) * min(x[1] - x[0], y[1] - y[0])
        for i in range(columns):
            for j in range(rows):
                _fill(mask, _box(x[i] + bar, y[j] + bar, x[i + 1] - bar, y[j + 1] - bar), 0)
    elif kind < 0.7:
        radius = 2 * round(rng.uniform(0.05, 0.3) * min(width, height) * 0.42 * len(mask)) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (radius, radius))
        mask[:] = cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel)


def bars(rng, mask):
    """A few thin bars, straight or bent, crossing each other."""
    for _ in range(rng.integers(1, 6)):
        ends = rng.uniform(-1, 1, (2, 2))
        bend = ends.mean(0) + rng.normal(0, 0.25, 2) * rng.choice([0, 1])
        s = np.linspace(0, 1, 24)[:, None]
        _line(
            mask,
            (1 - s) ** 2 * ends[0] + 2 * s * (1 - s) * bend + s**2 * ends[1],
            rng.uniform(0.02, 0.14),
        )


def branch(rng, mask):
    """A twig: a bent stem with side stems and leaves."""
    s = np.linspace(0, 1, 30)
    stem = np.stack([rng.normal(0, 0.25) * np.sin(np.pi * s), 2 * s - 1], 1)
    _line(mask, stem, rng.uniform(0.02, 0.06))
    size, width = rng.uniform(0.2, 0.6), rng.uniform(0.15, 0.45)
    for i, place in enumerate(np.linspace(0.05, 0.95, rng.integers(3, 12))):
        angle = (0.9 + rng.normal(0, 0.2)) * (1 if i % 2 else -1) + np.pi / 2
        direction = np.array([np.cos(angle), np.sin(angle)])
        root = stem[int(place * 29)]
        u = np.linspace(0, np.pi, 16)[:, None]
        along, across = (
            (1 - np.cos(u)) / 2 * direction,
            np.sin(u) * [-direction[1], direction[0]] * width / 2,
        )
        leaf = np.concatenate([along + across, (along - across)[::-1]])
        _fill(mask, root + size * leaf)


def furniture(rng, mask):
    """Panels on thin legs, some of them slatted: what a chair, a table or a fence looks like."""
    width = rng.uniform(0.4, 0.9)
    lean = rng.normal(0, 0.15)
    seat, top, thick = rng.uniform(-0.1, 0.35), rng.uniform(-1, -0.5), rng.uniform(0.03, 0.25)
    leg = rng.uniform(0.02, 0.1)
    depth = rng.uniform(0, 0.35)
    _fill(
        mask,
        [(-width, seat), (width, seat), (width + lean - depth / 3, seat + thick + depth / 2)]
        + [(-width + lean + depth / 3, seat + thick + depth / 2)],
    )
    for x in (-width + leg, width - leg):
        _line(mask, [(x, seat), (x + rng.normal(0, 0.1), 1)], leg)
        if depth > 0.15:
            _line(
                mask,
                [(0.75 * x + lean, seat + thick), (0.75 * x + lean + rng.normal(0, 0.1), 0.85)],
                leg,
            )
    if rng.random() < 0.4:
        height = rng.uniform(seat + 0.3, 0.95)
        _line(mask, [(-width, height), (width, height)], leg * 0.7)
    back = rng.random()
    corners = np.array([(-width, seat), (-width + lean, top), (width + lean, top), (width, seat)])
    if back < 0.35:
        _fill(mask, corners)
    elif back < 0.85:
        _line(mask, corners, leg)
        for s in np.linspace(0, 1, rng.integers(2, 7) + 2)[1:-1]:
            if back < 0.6:
                ends = corners[0] * (1 - s) + corners[3] * s, corners[1] * (1 - s) + corners[2] * s
            else:
                ends = corners[0] * (1 - s) + corners[1] * s, corners[3] * (1 - s) + corners[2] * s
            _line(mask, ends, leg * 0.8)


def cluster(rng, mask):
    """Several overlapping simple outlines, one object."""
    for _ in range(rng.integers(2, 6)):
        part = rng.choice([0, 1])
        points = (
            random_polygon(rng, int(rng.integers(3, 6)), 0.3)
            if part
            else fourier_curve(rng, 4, 0.2)
        )
        _fill(mask, points * rng.uniform(0.2, 0.6) + rng.uniform(-0.5, 0.5, 2))


def lattice(rng, mask):
    """A shape full of holes: a grille or perforated sheet."""
    (blob if rng.random() < 0.5 else polygon)(rng, mask)
    step = rng.uniform(0.15, 0.5)
    hole = step * rng.uniform(0.2, 0.42)
    turn = rng.uniform(0, np.pi)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    outline = fourier_curve(rng, 3, 0.1) if rng.random() < 0.5 else _box(-1, -1, 1, 1)
    for x in np.arange(-1.5, 1.5, step):
        for y in np.arange(-1.5, 1.5, step):
            _fill(mask, (outline * hole + [x, y]) @ rotation, 0)


SHAPES = {
    blob: 0.22,
    polygon: 0.14,
    ellipse: 0.08,
    box: 0.14,
    bars: 0.08,
    branch: 0.07,
    furniture: 0.15,
    cluster: 0.07,
    lattice: 0.05,
}


def make_shape(rng, size):
    """Draws one random shape.

    Args:
        rng: `numpy.random.Generator`.
        size: side of the picture in pixels.

    Returns:
        (size, size) float32: the distance to the shape's edge in pixels, positive inside,
        clipped at ±`FAR`, with the border outside; and the index of its kind in `SHAPES`.
    """
    side = size * _SUPERSAMPLING
    mask = np.zeros((side, side), np.uint8)
    kind = int(rng.choice(len(SHAPES), p=np.array(list(SHAPES.values()))))
    list(SHAPES)[kind](rng, mask)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(255 - mask, cv2.DIST_L2, 5)
    # A pixel next to the edge is half a pixel away from it, on both sides.
    distance = (np.maximum(inside - 0.5, 0) - np.maximum(outside - 0.5, 0)) / _SUPERSAMPLING
    # The middle one of each block of samples: a mean would round off thin structures.
    middle = _SUPERSAMPLING // 2
    distance = distance[middle::_SUPERSAMPLING, middle::_SUPERSAMPLING]
    return np.clip(distance, -FAR, FAR).astype(np.float32), kind
