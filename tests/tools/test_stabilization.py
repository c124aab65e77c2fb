"""A clip without the shaking of the camera."""

import numpy as np
import pytest
from known_motion import Frames, KnownMotion, shift

from tfflow import tools

SIZE = (60, 80)


def places(count):
    """Frames whose pixels say (number, x, y), so that where they are moved can be read."""
    x, y = np.meshgrid(np.arange(SIZE[1]), np.arange(SIZE[0]))
    return [np.float32(np.dstack([0 * x + number, x, y])) for number in range(count)]


def shown(poses, **settings):
    """Where the world's point (0, 0) is in each stabilized frame, if only shifted; (T, 2)."""
    frames = tools.stabilize(KnownMotion(poses), iter(places(len(poses))), **settings)
    middle = np.array([(SIZE[1] - 1) / 2, (SIZE[0] - 1) / 2])
    moved = [middle - frame[29:31, 39:41, 1:].mean(axis=(0, 1)) for frame in frames]
    return np.array(moved) + [pose[:2, 2] for pose in poses]


def path(count, shake, speed=(0.4, -0.2)):
    jumps = np.random.default_rng(1).normal(0, shake, (count, 2))
    return [shift(*(jump + np.multiply(t, speed))) for t, jump in enumerate(jumps)]


def acceleration(places):
    return np.sqrt(np.square(np.diff(places, 2, axis=0)).sum(axis=1).mean())


def test_shaking_goes_and_steady_motion_stays():
    poses = path(40, shake=1.0)
    before = np.array([pose[:2, 2] for pose in poses])
    after = shown(poses, smoothing=5, crop=0)
    assert acceleration(after) < 0.05 * acceleration(before)
    assert abs(after - np.arange(40)[:, None] * (0.4, -0.2)).max() < 2.5


def test_a_steady_clip_is_left_alone():
    poses = path(12, shake=0)
    after = shown(poses, smoothing=3, crop=0)
    np.testing.assert_allclose(after, [pose[:2, 2] for pose in poses], atol=1e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float16, np.int32])
def test_what_comes_out_is_like_what_went_in(dtype):
    frames = [np.full((*SIZE, 3), number, dtype) for number in range(5)]
    out = list(tools.stabilize(KnownMotion(path(5, shake=1)), frames))
    assert [frame.shape for frame in out] == [(*SIZE, 3)] * 5
    assert all(frame.dtype == dtype for frame in out)
    assert [int(frame[30, 40, 0]) for frame in out] == list(range(5))
    assert list(tools.stabilize(KnownMotion([]), [])) == []
    (single,) = tools.stabilize(KnownMotion([np.eye(3)]), frames[:1], crop=0)
    np.testing.assert_array_equal(single, frames[0])


def test_a_crop_shows_no_border_and_without_one_it_is_black():
    poses = path(40, shake=4.0)  # more than the crop allows
    frames = [frame + 1 for frame in places(40)]
    known = KnownMotion([None, *poses])
    cropped = list(tools.stabilize(known, frames, smoothing=5, crop=0.1))
    for number, frame in enumerate(cropped, 1):
        np.testing.assert_allclose(frame[..., 0], number, atol=1e-3)
    full = list(tools.stabilize(known, frames, smoothing=5, crop=0))
    assert any((frame[..., 0] == 0).any() for frame in full)
    # Enlarged: the frame's middle 90 % fill the picture.
    across = cropped[20][30, -1, 1] - cropped[20][30, 0, 1]
    assert across == pytest.approx(0.9 * (SIZE[1] - 1), abs=0.01)


def test_where_the_crop_limits_it_a_curve_is_followed_without_shaking():
    curve = [shift(0.08 * (t - 30) ** 2, 0) for t in range(60)]
    poses = [turn @ shake for turn, shake in zip(curve, path(60, shake=0.5, speed=(0, 0)))]
    before = np.array([pose[:2, 2] for pose in poses])
    after = shown(poses, smoothing=10, crop=0.1)
    assert acceleration(after) < 0.25 * acceleration(before)


def test_a_cut_is_no_motion():
    class Cut(KnownMotion):
        def predict_flow(self, image1, image2):
            if {image1[0, 0, 0], image2[0, 0, 0]} == {9, 10}:
                return np.random.default_rng(0).normal(0, 30, (*SIZE, 2)).astype(np.float32)
            return super().predict_flow(image1, image2)

    poses = path(20, shake=1)
    whole = list(tools.stabilize(Cut(poses), places(20), crop=0))
    for start in (0, 10):
        half = KnownMotion(poses[start : start + 10])
        for alone, found in zip(tools.stabilize(half, places(10), crop=0), whole[start:]):
            np.testing.assert_allclose(alone[..., 1:], found[..., 1:], atol=1e-2)


class Street:
    """The exact flow of a camera that travels between walls, above the ground, and shakes."""

    def __init__(self, height, width, shakes, step=1.2):
        x = np.arange(width) - width / 2 + 0.5
        y = np.arange(height)[:, None] - 0.45 * height
        depth = np.minimum(width / np.maximum(y, 1e-3), 5 * width / np.maximum(abs(x), 1e-3))
        ahead = np.minimum(depth, 300)
        outwards = np.stack(np.broadcast_arrays(x, y), axis=-1)
        self.forward = outwards * (step / (ahead - step))[..., None]
        self.backward = -outwards * (step / (ahead + step))[..., None]
        self.shakes = shakes

    def predict_flow(self, image1, image2, *, backward=False):
        shake = self.shakes[int(image2[0, 0, 0])] - self.shakes[int(image1[0, 0, 0])]
        flows = np.float32(self.forward + shake), np.float32(self.backward - shake)
        return flows if backward else flows[0]


@pytest.mark.parametrize("model", ["similarity", "affine"])
def test_a_camera_that_travels_down_a_street_shakes_less(model):
    height, width = 120, 400
    shakes = np.random.default_rng(2).normal(0, 2, (30, 2))
    street = Street(height, width, shakes)
    trust = tools.confidence(street.forward, street.backward)
    assert np.mean(trust > 0.5) > 0.8
    with pytest.raises(ValueError, match="found no motion"):  # of all of it, within a pixel
        tools.camera_motion(street.forward, confidence=trust, model=model)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    frames = [np.float32(np.dstack([0 * x + number, x, y])) for number in range(30)]
    middle = np.array([200, 54])  # where the street ends: only the shaking moves it
    after = np.array(
        [
            middle - frame[54, 200, 1:] + shake
            for frame, shake in zip(
                tools.stabilize(street, frames, smoothing=4, crop=0, model=model), shakes
            )
        ]
    )
    assert acceleration(after) < 0.25 * acceleration(shakes)


def test_only_frames_within_reach_are_kept():
    frames = Frames(60)
    for _ in tools.stabilize(KnownMotion([np.eye(3)] * 60), frames, smoothing=2):
        pass
    assert 10 <= frames.most_kept <= 5 * 2 + 6


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"smoothing": 0}, "above 0"),
        ({"smoothing": float("inf")}, "at most 1000 frames; got inf"),
        ({"smoothing": float("nan")}, "above 0"),
        ({"crop": 1}, "below 1"),
        ({"model": "rigid"}, "one of"),
    ],
)
def test_wrong_numbers_are_said_at_once(settings, message):
    with pytest.raises(ValueError, match=message):
        tools.stabilize(KnownMotion([]), [], **settings)
