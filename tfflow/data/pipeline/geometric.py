"""Flips, affine maps and crop of a pair with its flow, as a TensorFlow graph.

The two images undergo the maps A1 and A2. A point x of the first image goes to p = A1 x, and its
match x + f(x) in the second image goes to A2 (x + f(x)). So the changed flow is

    f'(p) = A2 (x + f(x)) - p,   x = A1⁻¹ p.
"""

from typing import NamedTuple

import tensorflow as tf

# Maps drawn at once, of which the first that stays inside is used. KITTI's settings let one in
# fifty pass, all others more.
_CANDIDATES = 512
# Matrices are a few numbers, so double precision costs nothing.
_EXACT = tf.float64


class Maps(NamedTuple):
    """Two affine maps (3, 3) float64 from the pixels of the images to those of the crop."""

    first: tf.Tensor
    second: tf.Tensor


def random_maps(size, crop, augmentation, seed):
    """Draws the maps of the two images of a pair, crop included.

    Args:
        size: (2,) int32, height and width of the images.
        crop: (2,) int32, height and width.
        augmentation: an `Augmentation`.
        seed: (2,) int32 or int64.
    """
    seeds = tf.random.split(seed, 3)
    random = tf.random.stateless_uniform([4], seeds[0], dtype=_EXACT)
    flip_x = random[0] < augmentation.horizontal_flip
    flip_y = random[1] < augmentation.vertical_flip
    extent = tf.cast(size[::-1], _EXACT) - 1  # of x and y
    flip = _flip(extent, flip_x, flip_y)

    # Centred coordinates, in which both sides (if square, only the width) are 1.
    unit = tf.fill([2], extent[0]) if augmentation.square else extent
    unit = tf.maximum(unit, 1)  # of a single row or column
    to_unit = tf.linalg.diag(tf.concat([1 / unit, [1]], 0)) @ _translation(-extent / 2)
    corners = extent / unit / 2
    first = second = tf.eye(3, dtype=_EXACT)
    if augmentation.affine is not None:
        drawn = _draw(augmentation.affine, seeds[1])
        first = second = _choose(drawn, first, corners, augmentation.keep_inside)
    if augmentation.relative is not None:
        drawn = _draw(augmentation.relative, seeds[2]) @ first
        second = _choose(drawn, first, corners, augmentation.keep_inside)

    room = tf.cast(size - crop, _EXACT)
    corner = tf.floor(random[2:4] * (room + 1))[::-1]
    frame = _translation(-corner) @ tf.linalg.inv(to_unit)
    return Maps(frame @ first @ to_unit @ flip, frame @ second @ to_unit @ flip)


def source_box(maps, crop, size):
    """The part of the images that the crop shows: top, left, height, width; int32."""
    bottom, right = tf.unstack(tf.cast(crop, _EXACT) - 1)
    corners = tf.stack([right * [0, 1, 0, 1], bottom * [0, 0, 1, 1], tf.ones([4], _EXACT)])
    # Maps are invertible: they rotate, stretch and mirror.
    seen = tf.concat([(tf.linalg.inv(m) @ corners)[1::-1] for m in maps], axis=1)
    limit = tf.cast(size, _EXACT)
    # One more pixel on each side, for interpolation.
    start = tf.clip_by_value(tf.floor(tf.reduce_min(seen, 1)) - 1, 0, limit - 1)
    stop = tf.clip_by_value(tf.floor(tf.reduce_max(seen, 1)) + 3, start + 1, limit)
    return tf.cast(tf.concat([start, stop - start], 0), tf.int32)


def within_box(maps, box):
    """The maps for images cropped to a box."""
    shift = _translation(tf.cast(box[1::-1], _EXACT))
    return Maps(*(m @ shift for m in maps))


def transform_image(image, to_crop, crop):
    """(H, W, C) float32 to (*crop, C), bilinear, 0 outside of the image."""
    inverse = tf.reshape(tf.linalg.inv(to_crop), [9])[:8]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=image[None],
        transforms=tf.cast(inverse, tf.float32)[None],
        output_shape=crop,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )[0]


def transform_flow(flow, valid, maps, crop):
    """The flow between the changed images, and where it is known.

    Args:
        flow: (H, W, 2) float32, finite everywhere.
        valid: (H, W) float32, 1 = known.
        maps: `Maps`.
        crop: (2,) int32, height and width.

    Returns:
        (*crop, 2) float32 and (*crop,) float32. A pixel between known and unknown ones gets
        the flow of the known ones, and counts as known if they have at least half of its weight.
    """
    stacked = tf.concat([flow * valid[..., None], valid[..., None]], axis=-1)
    stacked = transform_image(stacked, maps.first, crop)
    weight = stacked[..., 2]
    flow = stacked[..., :2] / tf.maximum(weight, 1e-12)[..., None]

    # A2 (x + f) - p = A2 f + (A2 A1⁻¹ - 1) p, where only A2's linear part applies to f. The
    # difference is exact where both maps are equal, however large p is.
    motion = maps.second @ tf.linalg.inv(maps.first) - tf.eye(3, dtype=_EXACT)
    motion = tf.cast(motion, tf.float32)
    turn = tf.cast(maps.second, tf.float32)
    x = tf.cast(tf.range(crop[1]), tf.float32)
    y = tf.cast(tf.range(crop[0]), tf.float32)[:, None]
    changed = [
        turn[i, 0] * flow[..., 0] + turn[i, 1] * flow[..., 1]
        + motion[i, 0] * x + motion[i, 1] * y + motion[i, 2]
        for i in (0, 1)
    ]  # fmt: skip
    known = tf.cast(weight >= 0.5, tf.float32)
    return tf.stack(changed, axis=-1) * known[..., None], known


def crop_exactly(array, maps, crop):
    """(H, W, …) to (*crop, …) by maps that only flip and shift: no pixels are mixed."""
    corner = tf.linalg.inv(maps.first)[:2] @ tf.constant([[0.0], [0.0], [1.0]], _EXACT)
    start = tf.cast(tf.round(corner[::-1, 0]), tf.int32)
    step = tf.cast(tf.round(tf.linalg.diag_part(maps.first)[1::-1]), tf.int32)
    start = tf.where(step < 0, start - crop + 1, start)
    array = tf.slice(array, tf.pad(start, [[0, tf.rank(array) - 2]]),
                     tf.concat([crop, tf.shape(array)[2:]], 0))  # fmt: skip
    array = tf.cond(step[0] < 0, lambda: tf.reverse(array, [0]), lambda: array)
    return tf.cond(step[1] < 0, lambda: tf.reverse(array, [1]), lambda: array)


def _draw(affine, seed):
    """(candidates, 3, 3) random maps in centred coordinates."""
    random = tf.random.stateless_uniform([_CANDIDATES, 5], seed, dtype=_EXACT)

    def between(i, low, high):
        return low + (high - low) * random[:, i]

    shift_x, shift_y = (between(i, -t, t) for i, t in enumerate(affine.translation))
    zoom, shear = between(2, *affine.zoom), between(3, *affine.shear)
    angle = between(4, -affine.rotation, affine.rotation) * (3.141592653589793 / 180)
    cos, sin, zero = tf.cos(angle), tf.sin(angle), tf.zeros_like(angle)
    rows = [
        [cos * shear * zoom, -sin / shear * zoom, shift_x],
        [sin * shear * zoom, cos / shear * zoom, shift_y],
        [zero, zero, zero + 1],
    ]
    return tf.stack([tf.stack(row, -1) for row in rows], -2)


def _choose(drawn, otherwise, corners, keep_inside):
    """The first map, which `keep_inside` requires to stay inside; `otherwise` if none does."""
    if not keep_inside:
        return drawn[0]
    sign = tf.constant([[1, -1, 1, -1], [1, 1, -1, -1]], _EXACT)
    places = tf.concat([sign * corners[:, None], tf.ones([1, 4], _EXACT)], 0)
    sources = tf.abs((tf.linalg.inv(drawn) @ places)[:, :2])
    inside = tf.reduce_all(sources <= corners[:, None] + 1e-9, axis=(1, 2))
    chosen = tf.argmax(inside)  # the first one
    return tf.where(inside[chosen], drawn[chosen], otherwise)


def _flip(extent, flip_x, flip_y):
    """x -> extent - x where it is flipped."""
    flips = tf.cast(tf.stack([flip_x, flip_y]), _EXACT)
    scale = tf.linalg.diag(tf.concat([1 - 2 * flips, [1]], 0))
    return _translation(flips * extent) @ scale


def _translation(shift):
    columns = tf.concat([tf.zeros([2, 2], _EXACT), shift[:, None]], axis=1)
    return tf.eye(3, dtype=_EXACT) + tf.pad(columns, [[0, 1], [0, 0]])
