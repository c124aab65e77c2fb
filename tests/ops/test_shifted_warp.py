"""Warping by shifts against the warp, which has tests of its own."""

import threading

import keras
import numpy as np
import pytest

from tfflow import ops
from tfflow.ops.native import reference_ops
from tfflow.ops.shifted_warp import shifted_warp, warp_by_shifts

SIZES = [(6, 8), (7, 5), (1, 9), (3, 2), (1, 1)]


def image_and_flow(height, width, largest, batch=2):
    generator = np.random.default_rng(height * 100 + width)
    image = generator.standard_normal((batch, height, width, 3)).astype(np.float32)
    flow = generator.uniform(-largest, largest, (batch, height, width, 2)).astype(np.float32)
    # Where weights are 0 and 1, and at the very bound.
    flow[:, :, ::2] = np.round(flow[:, :, ::2])
    flow[:, -1, -1] = largest, -largest
    return image, flow


def assert_equal_warps(image, flow, held, radius, **settings):
    """``shifted_warp`` by ``flow`` is ``warp`` by ``held``, and so is its mask."""
    found = shifted_warp(image, flow, radius, return_mask=True, **settings)
    with reference_ops():
        expected = ops.warp(image, held, return_mask=True, **settings)
    for a, b in zip(found, expected):
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(a, b, atol=2e-5)
    warped = shifted_warp(image, flow, radius, **settings)
    np.testing.assert_array_equal(warped, found[0])


@pytest.mark.parametrize("mask_threshold", [None, 0.9999, 0.3, 0.0])
@pytest.mark.parametrize("padding", ["zeros", "border"])
@pytest.mark.parametrize("radius", [1, 3, 9])  # 9: beyond any of the images
@pytest.mark.parametrize("size", SIZES)
def test_is_the_warp_within_its_radius(size, radius, padding, mask_threshold):
    image, flow = image_and_flow(*size, radius)
    settings = {"padding": padding, "mask_threshold": mask_threshold}
    assert_equal_warps(image, flow, flow, radius, **settings)


@pytest.mark.parametrize("padding", ["zeros", "border"])
@pytest.mark.parametrize("size", SIZES)
def test_holds_larger_flow_to_its_radius(size, padding):
    image, flow = image_and_flow(*size, 6.0)
    held = np.clip(flow, -2, 2)
    assert_equal_warps(image, flow, held, 2, padding=padding, mask_threshold=0.9999)


def test_mask_is_zero_or_one():
    image, flow = image_and_flow(6, 8, 3.0)
    flow[0, 2, 0, 0] = -np.float32(1e-4)  # just at the threshold
    flow[0, 3, 0, 0] = -np.float32(2e-4)
    flow[0, 4, 0, 0] = -np.float32(0.5e-4)
    flow[0, 3:5, 0, 1] = 0.0
    mask = np.asarray(shifted_warp(image, flow, 3, return_mask=True)[1])
    assert set(np.unique(mask)) == {0.0, 1.0}
    assert mask[0, 3, 0] == 0.0 and mask[0, 4, 0] == 1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_impossible_flow_stays_where_it_is(bad):
    image, flow = image_and_flow(4, 5, 1.0)
    expected = np.asarray(shifted_warp(image, flow, 1))
    flow[0, 1, 2] = bad
    found = np.asarray(shifted_warp(image, flow, 1))
    untouched = np.ones(found.shape[:3], bool)
    untouched[0, 1, 2] = False
    np.testing.assert_array_equal(found[untouched], expected[untouched])


def test_keeps_the_dtype_and_half_precision():
    image, flow = image_and_flow(4, 2000, 2.0, batch=1)
    image, flow = (keras.ops.cast(each, "float16") for each in (image, flow))
    warped = shifted_warp(image, flow, 2)
    assert keras.backend.standardize_dtype(warped.dtype) == "float16"
    expected = shifted_warp(*(keras.ops.cast(each, "float32") for each in (image, flow)), 2)
    np.testing.assert_allclose(np.asarray(warped, np.float32), expected, atol=1e-2)


def test_empty_images():
    for shape in ((0, 4, 5, 3), (1, 0, 5, 3), (1, 4, 0, 3), (1, 4, 5, 0)):
        warped = shifted_warp(np.zeros(shape, np.float32), np.zeros((*shape[:3], 2)), 2)
        assert tuple(warped.shape) == shape


def test_context_turns_warp_into_shifts():
    image, flow = image_and_flow(6, 8, 6.0)
    exact, shifted = ops.warp(image, flow), np.asarray(shifted_warp(image, flow, 2))
    assert np.abs(exact - shifted).max() > 0.1
    elsewhere = []
    with warp_by_shifts(2) as shifts:
        np.testing.assert_array_equal(ops.warp(image, flow), shifted)
        warped, mask = ops.warp(image, flow, padding="border", return_mask=True)
        assert warped.shape == shifted.shape and np.all(np.asarray(mask) == 1)
        with warp_by_shifts(None) as none:
            np.testing.assert_array_equal(ops.warp(image, flow), exact)
        assert none.count == 0
        other = threading.Thread(target=lambda: elsewhere.append(ops.warp(image, flow)))
        other.start()
        other.join()
    assert shifts.count == 2
    np.testing.assert_array_equal(elsewhere[0], exact)
    np.testing.assert_array_equal(ops.warp(image, flow), exact)


@pytest.mark.parametrize("radius", [0, -1, 17, 1.5, 2.0, "2", True, None])
def test_wrong_radius(radius):
    image, flow = image_and_flow(4, 5, 1.0)
    with pytest.raises(ValueError, match="whole number of pixels from 1 to 16"):
        shifted_warp(image, flow, radius)
    if radius is not None:
        with pytest.raises(ValueError, match="whole number"), warp_by_shifts(radius):
            pass


def test_wrong_arguments():
    image, flow = image_and_flow(4, 5, 1.0)
    with pytest.raises(ValueError, match="padding must be one of"):
        shifted_warp(image, flow, 2, padding="reflect")
    with pytest.raises(ValueError, match="of one size"):
        shifted_warp(image, flow[:, :3], 2)
