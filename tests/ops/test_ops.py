"""What the ops must do whatever the golden files say."""

import keras
import numpy as np
import pytest

from tfflow import ops

RNG = np.random.default_rng(0)


def test_warp_of_zero_flow_is_the_image():
    image = RNG.random((2, 5, 7, 3), np.float32)
    np.testing.assert_array_equal(ops.warp(image, np.zeros((2, 5, 7, 2), np.float32)), image)


def test_warp_fetches_from_where_the_flow_points():
    image = RNG.random((1, 6, 8, 1), np.float32)
    flow = np.zeros((1, 6, 8, 2), np.float32)
    flow[..., 0], flow[..., 1] = 2, -1
    warped = np.asarray(ops.warp(image, flow))
    np.testing.assert_array_equal(warped[0, 1:, :-2], image[0, :-1, 2:])
    assert not warped[0, 0].any() and not warped[0, :, -2:].any()  # outside is zero


def test_warp_border_repeats_the_edge():
    image = RNG.random((1, 4, 4, 1), np.float32)
    flow = np.full((1, 4, 4, 2), 100.0, np.float32)
    warped = np.asarray(ops.warp(image, flow, padding="border"))
    np.testing.assert_array_equal(warped, np.full_like(image, image[0, -1, -1, 0]))


def test_warp_mask_drops_pixels_that_are_partly_outside():
    image = np.ones((1, 3, 4, 1), np.float32)
    flow = np.zeros((1, 3, 4, 2), np.float32)
    flow[..., 0] = 0.5
    warped, mask = ops.warp(image, flow, mask_threshold=0.9999, return_mask=True)
    np.testing.assert_array_equal(np.asarray(mask)[0, :, :, 0], [[1, 1, 1, 0]] * 3)
    np.testing.assert_array_equal(warped, mask)
    np.testing.assert_allclose(np.asarray(ops.warp(image, flow))[0, 0, :, 0], [1, 1, 1, 0.5])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_warp_survives_impossible_flow(bad):
    image = RNG.random((1, 4, 4, 1), np.float32)
    flow = np.zeros((1, 4, 4, 2), np.float32)
    flow[0, 1, 2] = bad
    warped = np.asarray(ops.warp(image, flow))
    untouched = np.ones((4, 4), bool)
    untouched[1, 2] = False
    np.testing.assert_array_equal(warped[0][untouched], image[0][untouched])


def test_warp_keeps_the_dtype():
    image = keras.ops.cast(RNG.random((1, 4, 4, 1)), "float16")
    flow = keras.ops.cast(RNG.random((1, 4, 4, 2)), "float16")
    assert keras.backend.standardize_dtype(ops.warp(image, flow).dtype) == "float16"
    double = RNG.random((1, 4, 4, 1))
    assert np.asarray(ops.warp(double, np.zeros((1, 4, 4, 2)))).dtype == np.float64


def test_correlation_channel_order_and_units():
    a = np.zeros((1, 9, 9, 1), np.float32)
    b = np.zeros((1, 9, 9, 1), np.float32)
    a[0, 4, 4] = 2.0
    b[0, 4 - 2, 4 + 4] = 3.0  # moved by (dx, dy) = (4, -2)
    cost = np.asarray(ops.correlation(a, b, 4, displacement_stride=2))
    assert cost.shape == (1, 9, 9, 25)
    expected_channel = 1 * 5 + 4  # dy = -2 is row 1 of five, dx = 4 column 4
    assert cost[0, 4, 4, expected_channel] == 6.0
    assert np.count_nonzero(cost) == 1


def test_correlation_normalized_is_the_mean():
    a, b = RNG.random((2, 1, 4, 5, 8)).astype(np.float32)
    np.testing.assert_allclose(
        ops.correlation(a, b, 1, normalize=True),
        np.asarray(ops.correlation(a, b, 1)) / 8,
        rtol=1e-6,
    )


def test_upsample_nearest_repeats():
    image = RNG.random((2, 3, 4, 5), np.float32)
    expected = image.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_array_equal(ops.upsample_nearest(image), expected)


def test_resize_flow_scales_its_values():
    flow = np.ones((1, 4, 8, 2), np.float32)
    resized = np.asarray(ops.resize_flow(flow, (8, 24)))
    np.testing.assert_allclose(resized[..., 0], 3.0)
    np.testing.assert_allclose(resized[..., 1], 2.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ops.correlation(x, x[:, :2], 1), "one shape"),
        (lambda x: ops.correlation(x, x, 3, displacement_stride=2), "max_displacement=6 here"),
        (lambda x: ops.correlation(x, x, 1.5), "whole number"),
        (lambda x: ops.correlation(x, x, 1, stride=0), "at least 1"),
        (lambda x: ops.warp(x, x), r"flow \(B, H, W, 2\)"),
        (lambda x: ops.warp(x, x[:, :2, :, :2]), "one size"),
        (lambda x: ops.warp(x, x[..., :2], padding="reflect"), "padding must be one of"),
        (lambda x: ops.warp(x.astype("int32"), x[..., :2]), "floating-point"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.zeros((1, 4, 4, 3), np.float32))
