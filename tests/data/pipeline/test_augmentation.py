"""What augmentation may not break: images and flow belong together, whatever is done to them."""

import colorsys
import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfflow.data.pipeline import augmentation as settings
from tfflow.data.pipeline import geometric
from tfflow.data.pipeline.augmentation import Affine, Augmentation, Colour
from tfflow.data.pipeline.batches import augment
from tfflow.data.pipeline.photometric import recolour

SIZE, CROP = (90, 120), (64, 80)
PUBLISHED = {
    name: value for name, value in vars(settings).items() if isinstance(value, Augmentation)
}


def scene(y, x):
    """A smooth picture on the whole plane, so that it can be looked up between pixels."""
    waves = [
        np.sin(x / 9 + y / 14) * np.cos(y / 8),
        np.sin(y / 10) * np.cos(x / 13 - y / 19),
        np.cos(x / 11 + 1) * np.cos(y / 12 + 2),
    ]
    return 0.5 + 0.45 * np.stack(waves, -1)


def sample(valid=None):
    """A pair whose flow is known exactly: image2(x + f(x)) = image1(x), a gentle affine motion."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float64)
    motion = np.array([[0.02, -0.03], [0.025, 0.01]])
    shift = np.array([3.3, -2.1])
    flow = np.stack([x, y], -1) @ motion.T + shift
    back = np.linalg.inv(np.eye(2) + motion)
    source = (np.stack([x, y], -1) - shift) @ back.T
    pictures = [scene(y, x), scene(source[..., 1], source[..., 0])]
    image1, image2 = ((255 * picture).round().astype(np.uint8) for picture in pictures)
    valid = np.ones(SIZE) if valid is None else valid
    return image1, image2, flow.astype(np.float32), valid.astype(np.float32)


def augmented(augmentation, seed, given=None, crop=CROP):
    images, flow, valid = augment(given or sample(), crop, augmentation, tf.constant([7, seed]))
    return images["image1"].numpy(), images["image2"].numpy(), flow.numpy(), valid.numpy()


def warped(image, flow):
    """image(p + flow(p)), bilinear, and where that is inside; written for this test alone."""
    y, x = np.mgrid[: flow.shape[0], : flow.shape[1]]
    x, y = x + flow[..., 0], y + flow[..., 1]
    inside = (x > 0) & (x < image.shape[1] - 1.001) & (y > 0) & (y < image.shape[0] - 1.001)
    x, y = np.where(inside, x, 0), np.where(inside, y, 0)
    left, top = x.astype(int), y.astype(int)
    a, b = (x - left)[..., None], (y - top)[..., None]
    upper = (1 - a) * image[top, left] + a * image[top, left + 1]
    lower = (1 - a) * image[top + 1, left] + a * image[top + 1, left + 1]
    return (1 - b) * upper + b * lower, inside


def eroded(mask):
    padded = np.pad(mask, 1)
    rows, columns = mask.shape
    return np.all(
        [padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3)], axis=0
    )


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_the_second_image_warped_back_is_the_first(name):
    plain = dataclasses.replace(PUBLISHED[name], colour=None)
    for seed in range(6):
        image1, image2, flow, valid = augmented(plain, seed)
        back, inside = warped(image2, flow)
        # What is outside of a frame is black, which mixes with the frame's outermost pixels.
        lit = [eroded(image.sum(-1) > 0.02)[..., None].astype(float) for image in (image1, image2)]
        visible = inside & (warped(lit[1], flow)[0][..., 0] > 0.999) & (lit[0][..., 0] > 0)
        assert (valid[visible] > 0).all()
        assert visible.mean() > 0.5
        assert np.abs(back - image1)[visible].max() < 0.02


def test_affine_motion_is_affine_motion():
    """The relative map alone: a still pair moves as the map says."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float64)
    image = (255 * scene(y, x)).astype(np.uint8)
    still = image, image, np.zeros((*SIZE, 2), np.float32), np.ones(SIZE, np.float32)
    relative = Affine(translation=(0.05, 0.05), zoom=(0.9, 1.1), rotation=5.0)
    only = Augmentation(relative=relative, keep_inside=False)
    _, _, flow, valid = augmented(only, 3, still)
    rows, columns = np.nonzero(valid)
    known = np.stack([columns, rows, np.ones_like(rows)], -1)
    fit, *_ = np.linalg.lstsq(known, flow[rows, columns], rcond=None)
    assert np.abs(known @ fit - flow[rows, columns]).max() < 1e-3
    assert 0.01 < np.abs(fit[:2]).max() < 0.2


@pytest.mark.parametrize("axis", ["horizontal_flip", "vertical_flip"])
def test_a_flip_twice_is_the_identity(axis):
    flip = Augmentation(**{axis: 1.0})
    once = augmented(flip, 0, crop=SIZE)
    assert not np.array_equal(once[2], sample()[2])
    given = tuple((255 * image).round().astype(np.uint8) for image in once[:2])
    twice = augmented(flip, 1, (*given, *once[2:]), crop=SIZE)
    for changed, original in zip(twice, sample()):
        original = original / np.float32(255) if original.dtype == np.uint8 else original
        np.testing.assert_allclose(changed, original, atol=1e-6)


def test_flips_by_maps_are_flips_by_reversal():
    """Two ways through the code, mirrored crops by slices and affine maps, agree."""
    flips = Augmentation(horizontal_flip=1.0, vertical_flip=1.0)
    by_maps = dataclasses.replace(flips, affine=Affine())
    for one, other in zip(augmented(flips, 5), augmented(by_maps, 5)):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_sparse_flow_keeps_its_values_and_validity_never_grows():
    rng = np.random.default_rng(0)
    sparse = rng.random(SIZE) < 0.3
    image1, image2, flow, _ = sample()
    for seed in range(6):
        holes = np.where(sparse[..., None], flow, 0).astype(np.float32)
        known = augmented(settings.KITTI, seed, (image1, image2, holes, sparse.astype(np.float32)))
        dense = augmented(settings.KITTI, seed)
        kept = known[3] > 0
        # A zoom of up to 1.02 and the luck of the crop; half of a pixel's neighbours count.
        assert 0.1 < kept.mean() < 1.15 * sparse.mean()
        assert (dense[3] >= known[3]).all()
        error = np.abs(known[2] - dense[2])[kept]
        assert error.max() < 0.1  # within a pixel of where the flow was measured
        assert (known[2][~kept] == 0).all()


def test_what_is_not_known_stays_out_of_the_flow():
    """Half of the image without truth, whose values must not leak into the other half."""
    image1, image2, flow, valid = sample()
    valid = valid.copy()
    valid[:, :50] = 0
    for seed in range(4):
        _, _, with_hole, known = augmented(settings.CHAIRS, seed, (image1, image2, flow, valid))
        _, _, whole, _ = augmented(settings.CHAIRS, seed)
        assert 0 < known.mean() < 1
        assert np.abs(with_hole - whole)[known > 0].max() < 0.06


@pytest.mark.parametrize("name", ["CHAIRS", "KITTI", "MIX_SINTEL"])
def test_no_border_is_ever_seen(name):
    white = np.full((*SIZE, 3), 255, np.uint8)
    still = white, white, np.zeros((*SIZE, 2), np.float32), np.ones(SIZE, np.float32)
    plain = dataclasses.replace(PUBLISHED[name], colour=None)
    for seed in range(20):
        image1, image2, _, valid = augmented(plain, seed, still)
        assert min(image1.min(), image2.min()) > 0.999 and (valid == 1).all()


def test_maps_stay_within_what_was_asked():
    """The first map's matrix, taken apart again, over many draws."""
    affine = Affine(translation=(0.05, 0.05), zoom=(1.0, 1.5), shear=(0.86, 1.16), rotation=10.0)
    square = Augmentation(affine=affine, square=True)
    areas, angles = [], []
    for seed in range(60):
        maps = geometric.random_maps(tf.constant(SIZE), tf.constant(CROP), square, [1, seed])
        turn = maps.first.numpy()[:2, :2]
        areas.append(np.sqrt(np.linalg.det(turn)))
        column = turn[:, 0]
        angles.append(np.degrees(np.arctan2(column[1], column[0])))
        np.testing.assert_array_equal(maps.first, maps.second)
    assert 1.0 <= min(areas) < 1.2 < 1.4 < max(areas) <= 1.5
    assert -10 <= min(angles) < -4 < 4 < max(angles) <= 10


def test_the_relative_map_comes_after_the_common_one():
    """second = relative · first: turned by 90 degrees, what is relative is still along x."""
    quarter = Affine(rotation=0.0, zoom=(2.0, 2.0))
    shifted = Affine(translation=(0.1, 0.0))
    both = Augmentation(affine=quarter, relative=shifted, keep_inside=False)
    moves = []
    for seed in range(40):
        maps = geometric.random_maps(tf.constant(SIZE), tf.constant(CROP), both, [1, seed])
        motion = (maps.second - maps.first).numpy()
        np.testing.assert_allclose(motion[:, :2], 0, atol=1e-9)
        np.testing.assert_allclose(motion[1:, 2], 0, atol=1e-9)
        moves.append(motion[0, 2])
    # A tenth of the width either way, not magnified by the common zoom.
    assert 0.7 < np.abs(moves).max() / (0.1 * (SIZE[1] - 1)) <= 1.0


def test_translations_and_flips_are_as_large_and_as_often_as_asked():
    shift = Affine(translation=(0.05, 0.1))
    plain = Augmentation(affine=shift, keep_inside=False, horizontal_flip=0.5, vertical_flip=0.5)
    shifts, flips = [], []
    for seed in range(200):
        maps = geometric.random_maps(tf.constant(SIZE), tf.constant(SIZE), plain, [1, seed])
        matrix = maps.first.numpy()
        flips.append((matrix[0, 0] < 0, matrix[1, 1] < 0))
        shifts.append(matrix[:2, 2] - np.where(flips[-1], (SIZE[1] - 1, SIZE[0] - 1), 0))
    largest = np.abs(shifts).max(0) / (SIZE[1] - 1, SIZE[0] - 1)
    assert (largest <= (0.05, 0.1)).all() and (largest > (0.047, 0.095)).all()
    horizontal, vertical = np.array(flips).T
    for share in (horizontal, vertical, horizontal ^ vertical):  # the two are independent
        assert 0.4 < share.mean() < 0.6


def test_contrast_saturation_and_hue_by_hand():
    """Each change alone, against its definition: PIL's and OpenCV's, in floats."""
    rng = np.random.default_rng(0)
    images = rng.integers(60, 200, (2, 20, 30, 3), np.uint8)
    x = images / 255.0
    grey = x @ (0.299, 0.587, 0.114)
    for name, reference in (
        ("contrast", grey.mean((1, 2))[:, None, None, None]),
        ("saturation", grey[..., None]),
        ("brightness", np.zeros(1)),
    ):
        factors = []
        for seed in range(20):
            changed = recolour(images, Colour(**{name: 0.2}), [3, seed]).numpy()
            moved, base = changed - reference, x - reference
            factor = (moved * base).sum() / (base**2).sum()
            np.testing.assert_allclose(changed, np.clip(reference + factor * base, 0, 1), atol=1e-5)
            factors.append(factor)
        assert 0.8 <= min(factors) < 0.9 < 1.1 < max(factors) <= 1.2, name

    turns = []
    for seed in range(20):
        changed = recolour(images, Colour(hue=0.5), [3, seed]).numpy()
        before, after = (np.array([colorsys.rgb_to_hsv(*p) for p in a[0, 0]]) for a in (x, changed))
        np.testing.assert_allclose(after[:, 1:], before[:, 1:], atol=1e-4)
        turn = (after[:, 0] - before[:, 0]) % 1
        assert np.ptp(np.exp(2j * np.pi * turn).real) < 1e-3
        turns.append(turn[0])
    assert min(turns) < 0.2 and max(turns) > 0.8


def test_colours_change_alike_in_both_images():
    image = np.random.default_rng(0).integers(0, 255, (2, 20, 30, 3), np.uint8)
    image[1] = image[0]
    strong = dataclasses.replace(settings.CHAIRS.colour, noise=0.0)
    changes = []
    for seed in range(30):
        first, second = recolour(image, strong, [3, seed]).numpy()
        np.testing.assert_array_equal(first, second)
        assert first.min() >= 0 and first.max() <= 1
        changes.append(first.mean())
    assert np.std(changes) > 0.05


def test_the_second_image_has_light_of_its_own():
    image = np.full((2, 20, 30, 3), 100, np.uint8)
    both = [recolour(image, Colour(second=0.05), [3, seed]).numpy() for seed in range(40)]
    first, second = np.array([pair[:, 0, 0, 0] for pair in both]).T
    np.testing.assert_allclose(first, 100 / 255, atol=1e-6)
    assert 0.02 < np.std(second) < 0.15


def test_noise_is_as_strong_as_asked_and_independent():
    image = np.full((2, 40, 60, 3), 128, np.uint8)
    noise = [recolour(image, Colour(noise=0.1), [3, s]).numpy() - 128 / 255 for s in range(40)]
    spread = np.std(noise, axis=(1, 2, 3, 4))
    assert spread.max() < 0.105 and 0.03 < spread.mean() < 0.07
    product = np.mean([first * second for first, second in noise])
    assert abs(product) < 0.05 * spread.mean() ** 2


def test_a_gamma_of_one_and_no_strength_leave_colours_alone():
    image = np.random.default_rng(0).integers(0, 255, (2, 20, 30, 3), np.uint8)
    np.testing.assert_allclose(recolour(image, Colour(), [0, 0]), image / np.float32(255))
    strong = recolour(image, Colour(gamma=(2.0, 2.0)), [0, 0]).numpy()
    np.testing.assert_allclose(strong, (image / 255.0) ** 2, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Colour(brightness=1.5), "brightness must be from 0 to 1, got 1.5"),
        (lambda: Colour(gamma=(2.0, 1.0)), "gamma must be"),
        (lambda: Affine(zoom=(0.0, 1.0)), "zoom must be"),
        (lambda: Affine(translation=(2.0, 0.0)), "translation must be"),
        (lambda: Augmentation(horizontal_flip=-0.5), "horizontal_flip must be"),
    ],
)
def test_impossible_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make()
