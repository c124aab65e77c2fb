"""Backward warping of NumPy arrays."""

import numpy as np
import pytest

from tfflow import ops, tools

RNG = np.random.default_rng(0)
FLOW = RNG.normal(0, 3, (20, 30, 2)).astype(np.float32)


def constant(u, v, size=(20, 30)):
    return np.broadcast_to(np.float32((u, v)), (*size, 2))


@pytest.mark.parametrize(
    "dtype", ["uint8", "uint16", "int32", "float16", "float32", "float64", "bool"]
)
@pytest.mark.parametrize("channels", [(), (1,), (3,), (7,)])
@pytest.mark.parametrize("nearest", [False, True])
def test_whole_pixels_are_an_exact_shift(dtype, channels, nearest):
    image = RNG.integers(0, 200, (20, 30, *channels)).astype(dtype)
    warped, inside = tools.warp(image, constant(4, -2), nearest=nearest, return_mask=True)
    assert warped.dtype == image.dtype and warped.shape == image.shape
    expected = np.zeros((20, 30), bool)
    expected[2:, :-4] = True
    np.testing.assert_array_equal(inside, expected)
    np.testing.assert_array_equal(warped[2:, :-4], image[:-2, 4:])
    assert not warped[~inside].any()


def test_it_is_the_networks_warp():
    images = RNG.random((2, 20, 30, 3), np.float32)
    flows = np.stack([FLOW, -FLOW])
    expected, mask = ops.warp(images, flows, mask_threshold=0.9999, return_mask=True)
    warped, inside = tools.warp(images, flows, return_mask=True)
    np.testing.assert_array_equal(inside, np.asarray(mask)[..., 0] == 1)
    # OpenCV before version 5 rounds positions to 1/32 px.
    np.testing.assert_allclose(warped, np.asarray(expected), atol=0.04)
    np.testing.assert_array_equal(warped[1], tools.warp(images[1], -FLOW))


def test_integers_are_rounded():
    image = np.tile(np.uint8([0, 255]), (4, 8))
    for dtype in (np.uint8, np.int64):
        warped = tools.warp(image.astype(dtype), constant(0.75, 0, image.shape))
        np.testing.assert_allclose(warped[:, :-1], np.tile([191, 64], (4, 8))[:, :-1], atol=1)


def test_labels_stay_labels():
    labels = RNG.choice([0, 1000, 70_000], (20, 30))
    assert set(np.unique(tools.warp(labels, FLOW, nearest=True))) <= {0, 1000, 70_000}
    np.testing.assert_array_equal(
        tools.warp(labels, constant(0.4, 0.4), nearest=True)[:-1, :-1], labels[:-1, :-1]
    )


def test_fill_marks_what_comes_from_outside_and_flow_that_is_not_finite():
    flow = constant(0, 0).copy()
    flow[3, 4], flow[5, 6, 1], flow[7, 8] = np.nan, np.inf, (0, 100)
    image = np.zeros((20, 30, 3), np.uint8)
    warped, inside = tools.warp(image, flow, fill=(255, 0, 128), return_mask=True)
    assert np.argwhere(~inside).tolist() == [[3, 4], [5, 6], [7, 8]]
    assert (warped[~inside] == (255, 0, 128)).all() and not warped[inside].any()


@pytest.mark.parametrize(
    "image, flow",
    [
        ((20, 30, 3), (20, 31, 2)),
        ((20, 30, 3), (20, 30, 3)),
        ((2, 20, 30, 3), (20, 30, 2)),
        ((3, 20, 30, 3), (2, 20, 30, 2)),
        ((20,), (20, 30, 2)),
    ],
)
def test_what_does_not_fit(image, flow):
    with pytest.raises(ValueError, match="of one size; got"):
        tools.warp(np.zeros(image), np.zeros(flow))


def test_many_channels_and_sides_that_opencv_does_not_take():
    image = RNG.random((20, 30, 300), np.float32)
    expected = [tools.warp(image[..., [channel]], FLOW) for channel in (0, 127, 128, 299)]
    found = tools.warp(image, FLOW)[..., [0, 127, 128, 299]]
    np.testing.assert_array_equal(found, np.concatenate(expected, axis=-1))
    with pytest.raises(ValueError, match="up to 32766 px high and wide; got 2x32767"):
        tools.warp(np.zeros((2, 32767)), constant(0, 0, (2, 32767)))
    assert not tools.warp(np.zeros((2, 32766)), constant(0, 0, (2, 32766))).any()
