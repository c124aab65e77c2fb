import tracemalloc

import numpy as np
import pytest

from tfflow.visualization import (
    color_wheel_legend,
    error_legend,
    error_to_image,
    flow_to_image,
)
from tfflow.visualization.colors import color_wheel, usual_motion


def color_of(u, v, max_flow=1.0):
    return flow_to_image(np.array([[[u, v]]], np.float32), max_flow)[0, 0].tolist()


# Worked out by hand from flow-code's colorcode.cpp. A direction's place among the 55 colours is
# 54 (1 + atan2(-v, -u) / pi) / 2; the arcs start at 0 (red), 15, 21, 25, 36 and 49.
@pytest.mark.parametrize(
    "direction, color",
    [
        ((1, 0), (255, 0, 0)),  # right: place 0, red
        ((0, 1), (255, 229, 0)),  # down: 13.5, half way from (255, 221, 0) to (255, 238, 0)
        ((-1, 0), (0, 209, 255)),  # left: 27, the third of 11 from cyan to blue
        ((0, -1), (88, 0, 255)),  # up: 40.5, half way from (78, 0, 255) to (98, 0, 255)
        ((1, 1), (255, 114, 0)),  # right and down: 6.75, between 102 and 119
        ((-1, 1), (32, 255, 0)),  # left and down: 20.25, a quarter from (43, 255, 0) to green
    ],
)
def test_golden_directions(direction, color):
    direction = np.array(direction) / np.linalg.norm(direction) * 0.999_999
    assert np.abs(np.subtract(color_of(*direction), color)).max() <= 1


def test_wheel_has_the_paper_s_55_colors():
    def rise(count):
        return [255 * i // count for i in range(count)]

    def fall(count):
        return [255 - 255 * i // count for i in range(count)]

    full, none = [255], [0]
    red = full * 15 + fall(6) + none * 15 + rise(13) + full * 6
    green = rise(15) + full * 10 + fall(11) + none * 19
    blue = none * 21 + rise(4) + full * 24 + fall(6)
    np.testing.assert_array_equal(color_wheel(), np.transpose([red, green, blue]))


def test_length_goes_from_white_to_full_color_to_dark():
    assert color_of(0, 0) == [255, 255, 255]
    assert color_of(0.5, 0) == [255, 127, 127]
    assert color_of(1, 0) == [255, 0, 0]
    assert color_of(1.01, 0) == [191, 0, 0]
    assert color_of(100, 0) == [191, 0, 0]
    assert color_of(10, 0, max_flow=20) == [255, 127, 127]


def test_motion_beyond_the_scale_is_darker_or_clipped():
    flow = np.array([[[30.0, 0.0], [5.0, 0.0]]])
    assert flow_to_image(flow, 10)[0, 0].tolist() == [191, 0, 0]
    clipped = flow_to_image(flow, 10, clip=True)
    assert clipped[0].tolist() == [[255, 0, 0], [255, 127, 127]]


def test_sign_of_zero_does_not_matter():
    assert color_of(1, -0.0) == color_of(1, 0.0) == [255, 0, 0]


def test_scale_is_the_largest_valid_motion():
    flow = np.zeros((2, 3, 2))
    flow[0, 0] = 4, 0
    flow[0, 1] = 8, 0
    flow[1, 1] = 80, 0
    valid = np.ones((2, 3), bool)
    valid[1, 1] = False
    image = flow_to_image(flow, valid=valid)
    assert image[0, 0].tolist() == [255, 127, 127]
    assert image[0, 1].tolist() == [255, 0, 0]
    assert image[1, 1].tolist() == [0, 0, 0]


def test_unknown_is_black_and_changes_nothing_else():
    flow = np.random.default_rng(0).normal(size=(5, 6, 2))
    plain = flow_to_image(flow)
    spoiled = flow.copy()
    values = [np.nan, np.inf, -np.inf, 1e10]
    smallest = np.argsort(np.linalg.norm(flow, axis=-1), axis=None)[:4]
    places = np.unravel_index(smallest, (5, 6))
    for y, x, value in zip(*places, values, strict=True):
        spoiled[y, x, 1] = value
    image = flow_to_image(spoiled)
    known = np.ones((5, 6), bool)
    known[places] = False
    assert not image[~known].any()
    np.testing.assert_array_equal(image[known], plain[known])


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_nothing_to_scale_by(value):
    image = flow_to_image(np.full((2, 2, 2), value))
    assert (image == (255 if value == 0 else 0)).all()


@pytest.mark.parametrize("kind", [np.float16, np.float64, np.int32])
def test_any_type_is_painted_alike(kind):
    flow = np.random.default_rng(0).integers(-900, 900, (20, 30, 2)).astype(kind)
    expected = flow_to_image(flow.astype(np.float32))
    np.testing.assert_allclose(flow_to_image(flow).astype(int), expected, atol=1)
    assert usual_motion(flow) == pytest.approx(usual_motion(flow.astype(np.float32)))


def test_what_is_not_known_has_no_part_in_the_usual_motion():
    flow = np.full((10, 10, 2), 3.0, np.float32)
    flow[0, :3] = np.nan, np.inf
    flow[1, :3] = 1e30
    valid = np.ones((10, 10), bool)
    flow[2], valid[2] = 500.0, False
    assert usual_motion(flow, valid) == pytest.approx(3 * 2**0.5)
    assert usual_motion(flow.astype(np.float16), valid) == pytest.approx(3 * 2**0.5)


def test_batches_are_painted_as_one():
    flow = np.random.default_rng(0).normal(size=(2, 3, 4, 5, 2)).astype(np.float32)
    image = flow_to_image(flow, 2.0)
    assert image.shape == (2, 3, 4, 5, 3) and image.dtype == np.uint8
    np.testing.assert_array_equal(image[1, 2], flow_to_image(flow[1, 2], 2.0))


def test_a_large_flow_is_painted_in_little_memory():
    generator = np.random.default_rng(0)
    flow = generator.normal(size=(1500, 2000, 2)).astype(np.float32)
    valid = generator.random(flow.shape[:2]) > 0.1
    tracemalloc.start()
    picture = flow_to_image(flow, max_flow=1.0, valid=valid)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30 * valid.size  # bytes; 154 a pixel in one go
    part = np.s_[800:900]
    np.testing.assert_array_equal(picture[part], flow_to_image(flow[part], 1.0, valid[part]))


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"shape \(\.\.\., H, W, 2\), got \(4, 5, 3\)"):
        flow_to_image(np.zeros((4, 5, 3)))
    with pytest.raises(ValueError, match=r"validity of shape \(4, 5\), got \(5, 4\)"):
        flow_to_image(np.zeros((4, 5, 2)), valid=np.ones((5, 4)))
    for max_flow in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match="expected max_flow above 0"):
            flow_to_image(np.zeros((4, 5, 2)), max_flow)
    with pytest.raises(ValueError, match="one shape"):
        error_to_image(np.zeros((4, 5, 2)), np.zeros((5, 4, 2)))


def test_legend_shows_each_direction_on_its_side():
    legend = color_wheel_legend(160, 12.3)
    assert legend.shape == (160, 160, 3) and legend.dtype == np.uint8
    assert (legend[0, 0] == 255).all() and (legend[:, 0] == 255).all()
    radius = 64  # 160 - 1.5 * 20 for the text, halved, less a margin
    center_y, center_x = 65, 80
    assert legend[center_y, center_x].min() > 240
    for u, v in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        spot = legend[int(center_y + 0.9 * radius * v), int(center_x + 0.9 * radius * u)]
        assert np.abs(spot.astype(int) - color_of(0.9 * u, 0.9 * v)).max() < 12
    assert legend[135:].min() < 100, "the scale is written below the disc"


def test_error_colors_grow_evenly_brighter():
    truth = np.zeros((1, 257, 2))
    flow = truth.copy()
    flow[0, :, 0] = np.linspace(0, 5, 257)
    image = error_to_image(flow, truth, max_error=5.0)[0].astype(float)
    assert image[0].tolist() == [0, 0, 0] and image[-1].tolist() == [255, 255, 255]
    brightness = image @ [0.30, 0.59, 0.11]
    assert np.abs(brightness - np.linspace(0, 255, 257)).max() < 4
    assert np.diff(brightness[::8]).min() > 0


def test_error_scale_and_unknown():
    truth = np.zeros((1, 5, 2))
    flow = truth.copy()
    flow[0, :, 1] = 1, 2, 4, 50, np.nan
    valid = np.array([[True, True, True, False, True]])
    image = error_to_image(flow, truth, valid)
    assert image[0, 2].tolist() == [255] * 3, "the largest valid error"
    assert image[0, 3].tolist() == [128] * 3, "no truth"
    assert image[0, 4].tolist() == [255] * 3, "no estimate is no small error"
    np.testing.assert_array_equal(image[:, :3], error_to_image(flow, truth, valid, 4.0)[:, :3])
    truth[0, 0] = np.nan
    assert error_to_image(flow, truth, valid)[0, 0].tolist() == [128] * 3
    assert not error_to_image(truth[:, 1:], truth[:, 1:]).any()


def test_error_legend_goes_from_black_to_white():
    legend = error_legend(200, 54, 3.21)
    assert legend.shape == (54, 200, 3)
    assert not legend[5, 0].any() and legend[5, -1].tolist() == [255] * 3
    assert legend[30:].min() < 100, "the scale is written below the bar"


def test_the_largest_motion_has_its_full_colour():
    for flow in np.random.default_rng(0).normal(0, 9, (200, 1, 1, 2)).astype(np.float32):
        assert flow_to_image(flow).max() >= 254


def test_what_a_mask_hides_is_black():
    flow = np.ma.masked_array(np.full((4, 4, 2), 1.0), np.zeros((4, 4, 2), bool))
    flow[:2] = np.ma.masked
    flow.data[:2] = 500
    image = flow_to_image(flow)
    assert not image[:2].any() and image[2:].max() >= 254
