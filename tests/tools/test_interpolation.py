"""The picture between two."""

import numpy as np
import pytest
from known_motion import KnownMotion, numbered, shift

from tfflow import tools

RNG = np.random.default_rng(0)
SIZE = (40, 60)


def square_at(column, background, square):
    image, flow = background.copy(), np.zeros((*SIZE, 2), np.float32)
    image[10:30, column : column + 20] = square
    return image, flow


def moving_square():
    """Two pictures of a square that moves by 12 px, both flows, and the true picture at 1/4."""
    background = RNG.integers(0, 100, (*SIZE, 3), np.uint8)
    square = RNG.integers(150, 256, (20, 20, 3), np.uint8)
    image1, forward = square_at(8, background, square)
    image2, backward = square_at(20, background, square)
    forward[10:30, 8:28, 0], backward[10:30, 20:40, 0] = 12, -12
    return image1, image2, forward, backward, square_at(11, background, square)[0]


def test_a_thing_is_in_between_and_what_it_hides_comes_from_the_other_picture():
    image1, image2, forward, backward, truth = moving_square()
    middle = tools.interpolate(image1, image2, forward, backward, time=0.25)
    assert middle.dtype == np.uint8
    # Exact but for the hidden pixels' small share.
    np.testing.assert_allclose(middle.astype(int), truth.astype(int), atol=2)


def test_the_ends_are_the_pictures():
    image1, image2, *flows, _ = moving_square()
    for time, image in ((0, image1), (1, image2)):
        np.testing.assert_allclose(
            tools.interpolate(image1, image2, *flows, time=time).astype(int), image, atol=1
        )


def test_a_shift_by_half_pixels():
    column = np.arange(60, dtype=np.float32)
    image1 = np.tile(column, (40, 1))  # grey
    flow = np.broadcast_to(np.float32((3, 0)), (*SIZE, 2))
    middle = tools.interpolate(image1, image1 - 3, flow, -flow)
    assert middle.shape == SIZE and middle.dtype == np.float32
    np.testing.assert_allclose(middle[:, 2:-2], image1[:, 2:-2] - 1.5, atol=0.01)


def test_flow_that_is_not_finite_leaves_a_picture():
    image1, image2, forward, backward, _ = moving_square()
    forward[5:9, 5:9] = np.nan
    backward[:] = np.inf
    middle = tools.interpolate(image1 / 255, image2 / 255, forward, backward)
    assert np.isfinite(middle).all() and middle.min() >= 0 and middle.max() <= 1
    unknown = np.full_like(forward, np.nan)
    for time in (0, 0.3, 1):
        middle = tools.interpolate(image1 / 255, image2 / 255, unknown, unknown, time=time)
        fade = ((1 - time) * image1 + time * image2) / 255
        np.testing.assert_allclose(middle, fade, atol=2e-3)


def test_it_takes_no_other_sizes_and_times():
    image1, image2, forward, backward, _ = moving_square()
    with pytest.raises(ValueError, match="of one size"):
        tools.interpolate(image1, image2[1:], forward, backward)
    with pytest.raises(ValueError, match="of one size"):
        tools.interpolate(image1, image2, forward[1:], backward[1:])
    with pytest.raises(ValueError, match="from 0 to 1"):
        tools.interpolate(image1, image2, forward, backward, time=1.5)


def test_no_cut_where_near_things_move_more():
    """No motion of a camera explains this flow; and small frames have few pixels."""
    rows = np.linspace(0, 3, 24, dtype=np.float32) ** 2
    flow = np.zeros((24, 24, 2), np.float32)
    flow[..., 0] = rows[:, None]

    class Shear:
        def predict_flow(self, image1, image2):
            return flow if image1[0, 0] < image2[0, 0] else -flow

    frames = [(np.full((24, 24), value, np.float32), value) for value in (1.0, 2.0)]
    _, (middle, time), _ = tools.interpolate_clip(Shear(), frames)
    assert time == 1.5
    np.testing.assert_allclose(middle[:, 10:14], 1.5, atol=0.01)  # neither was a copy


def test_more_frames_for_a_clip():
    class Cut(KnownMotion):
        def predict_flow(self, image1, image2):
            if {image1[0, 0, 0], image2[0, 0, 0]} == {10, 100}:
                return np.random.default_rng(0).normal(0, 30, (48, 64, 2)).astype(np.float32)
            return super().predict_flow(image1, image2)

    first, second, third = (numbered(101)[number] for number in (4, 10, 100))
    poses = dict.fromkeys((4, 10, 100), shift(0, 0))
    frames = [(first, 0.0), (second, 0.5), (third, 0.6)]
    found = list(tools.interpolate_clip(Cut(poses), iter(frames), 3))
    # Evenly spaced in time; a cut stays one.
    assert [int(image[20, 20, 0]) for image, _ in found] == [4, 6, 8, 10, 10, 100, 100]
    times = [time for _, time in found]
    np.testing.assert_allclose(times, [0, 1 / 6, 1 / 3, 0.5, 0.5 + 0.1 / 3, 0.5 + 0.2 / 3, 0.6])
    for factor in (1, 2.5):
        with pytest.raises(ValueError, match="whole number of at least 2"):
            tools.interpolate_clip(Cut(poses), frames, factor)


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64, np.float64, np.uint16, bool])
def test_any_dtype_to_its_limits(dtype):
    largest = {"f": 123456789.0, "b": True}.get(np.dtype(dtype).kind)
    largest = np.iinfo(dtype).max if largest is None else largest
    image = np.full((8, 12), largest, dtype)
    still = np.zeros((8, 12, 2), np.float32)
    middle = tools.interpolate(image, image, still, still)
    assert middle.dtype == dtype
    with pytest.raises(ValueError, match="the images must be of one dtype; got .* and float32"):
        tools.interpolate(image, image.astype(np.float32), still, still)
    np.testing.assert_allclose(middle.astype(float), float(largest), rtol=1e-12)


def test_numbers_of_numpy_are_times():
    image1, image2, *flows, _ = moving_square()
    for time in (np.float64(0.25), np.int64(1), np.float32(0.25)):
        np.testing.assert_array_equal(
            tools.interpolate(image1, image2, *flows, time=time),
            tools.interpolate(image1, image2, *flows, time=float(time)),
        )


def test_who_gets_a_picture_may_draw_into_it():
    poses = {4: shift(0, 0), 10: shift(2, 0), 16: shift(4, 0)}
    frames = [(numbered(20)[number], number / 10) for number in poses]
    expected = [image.copy() for image, _ in tools.interpolate_clip(KnownMotion(poses), frames)]
    found = []
    for image, _ in tools.interpolate_clip(KnownMotion(poses), frames):
        found.append(image.copy())
        image[:] = 0
    np.testing.assert_array_equal(found, expected)
