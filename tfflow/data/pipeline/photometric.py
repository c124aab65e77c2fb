"""Colour changes and noise for a pair of images, as a TensorFlow graph."""

import functools

import tensorflow as tf

# ITU-R BT.601, what image libraries call grey.
_GREY = (0.299, 0.587, 0.114)
_NOISE_LENGTH = 2**22


def recolour(images, colour, seed):
    """Changes the colours of both images alike, and adds noise to each.

    Args:
        images: (2, H, W, 3) uint8.
        colour: a `Colour`, or None.
        seed: (2,) int32 or int64; the same seed gives the same change.

    Returns:
        (2, H, W, 3) float32 in [0, 1].
    """
    images = tf.cast(images, tf.float32) * (1 / 255)
    if colour is None:
        return images
    seeds = tf.random.split(seed, 3)
    images = _jitter(images, colour, tf.random.stateless_uniform([9], seeds[0]))
    if colour.second:
        images = _change_second(images, colour.second * tf.random.stateless_normal([3], seeds[1]))
    if colour.noise:
        images = _add_noise(images, colour.noise, seeds[2])
    return images


def _jitter(images, colour, random):
    """The four changes in random order, then gamma."""

    def factor(amount, i):
        return 1 + amount * (2 * random[i] - 1)

    def brightness(x):
        return _clip(x * factor(colour.brightness, 0))

    def contrast(x):
        strength = factor(colour.contrast, 1)
        return _clip(strength * x + (1 - strength) * _mean_grey(x))

    def saturation(x):
        strength = factor(colour.saturation, 2)
        return _clip(strength * x + (1 - strength) * _grey(x))

    def hue(x):
        return tf.raw_ops.AdjustHue(images=x, delta=colour.hue * (2 * random[3] - 1))

    names = ("brightness", "contrast", "saturation", "hue")
    changes = [change for change, name in zip((brightness, contrast, saturation, hue), names)
               if getattr(colour, name)]  # fmt: skip
    if changes:
        order = tf.argsort(random[4 : 4 + len(changes)])
        for place in range(len(changes)):
            branches = [functools.partial(change, images) for change in changes]
            images = tf.switch_case(order[place], branches)
    low, high = colour.gamma
    return images if low == high == 1 else _power(images, low + (high - low) * random[8])


def _change_second(images, random):
    """Brightness, contrast and gamma of the second image alone."""
    second = images[1:]
    strength = tf.exp(random[1])
    second = strength * second + (1 - strength) * _mean_grey(second) + random[0]
    return tf.concat([images[:1], _power(_clip(second), tf.exp(random[2]))], axis=0)


def _add_noise(images, strongest, seed):
    """Gaussian noise of one strength for both images, drawn separately for each.

    It is cut from a long row of normal numbers, at a random place for each image: new ones for
    each pixel would take longer than all other changes together.
    """
    row = _noise_row()
    sigma = strongest * tf.random.stateless_uniform([], seed)
    starts = tf.random.stateless_uniform([2], seed + 1, 0, _NOISE_LENGTH, tf.int32)
    count = tf.size(images[0])
    noise = []
    for start in (starts[0], starts[1]):
        repeats = (start + count - 1) // _NOISE_LENGTH + 1  # 1, unless the image is large
        noise.append(tf.tile(row, [repeats])[start : start + count])
    return _clip(images + sigma * tf.reshape(tf.stack(noise), tf.shape(images)))


@functools.cache
def _noise_row():
    with tf.init_scope():
        return tf.random.stateless_normal([_NOISE_LENGTH], [0, 0])


def _power(x, exponent):
    # Like tf.pow for x in [0, 1], in a fifth of the time.
    return tf.exp(exponent * tf.math.log(x + 1e-8))


def _grey(x):
    weights = tf.constant(_GREY)[:, None]
    return tf.reshape(tf.matmul(tf.reshape(x, [-1, 3]), weights), [*tf.unstack(tf.shape(x)[:3]), 1])


def _mean_grey(x):
    return tf.reduce_sum(tf.reduce_mean(x, axis=(1, 2), keepdims=True) * _GREY, -1, keepdims=True)


def _clip(x):
    return tf.clip_by_value(x, 0.0, 1.0)
