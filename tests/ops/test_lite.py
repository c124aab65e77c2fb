"""The forms for exported files compute what the reference computes."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from tfflow import ops
from tfflow.ops import correlation
from tfflow.ops.lite import lite_ops, warp_in_lite
from tfflow.ops.native import reference_ops
from tfflow.tflite import conversion

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("size", [(2, 2, 3), (5, 7, 1), (16, 33, 4), (2, 40, 16)])
def test_warp(size):
    image = RNG.normal(size=(1, *size)).astype("f4")
    # Within, on whole pixels, far beyond every side.
    flow = RNG.normal(0, 6, (1, *size[:2], 2)).astype("f4")
    flow[:, ::2] = np.rint(flow[:, ::2])
    flow[:, :, -1] *= 1000
    with reference_ops():
        expected = np.asarray(ops.warp(image, flow, padding="border"))
        with lite_ops():
            found = np.asarray(ops.warp(image, flow, padding="border"))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_flow_that_is_no_number_stays_in_the_image():
    image = RNG.random((1, 4, 6, 2), np.float32)
    flow = np.full((1, 4, 6, 2), np.nan, "f4")
    flow[:, 0] = 0.0
    with reference_ops(), lite_ops():
        found = np.asarray(ops.warp(image, flow, padding="border"))
    np.testing.assert_array_equal(found[:, 0], image[:, 0])


@pytest.mark.parametrize("padding", ["zeros", "border"])
@pytest.mark.parametrize("size", [(2, 5), (5, 2), (3, 4), (5, 5), (1, 7), (7, 7), (2, 3), (1, 2)])
def test_no_warp_of_a_small_map_needs_an_operator_that_litert_lacks(size, padding):
    """A clip to 0 to 6 or 1 is another operator to the converter, which LiteRT has for floats."""
    shapes = {"image": (1, *size, 2), "flow": (1, *size, 2)}

    def warped(inputs):
        return {"warped": ops.warp(inputs["image"], inputs["flow"], padding=padding)}

    inputs = {name: RNG.normal(size=shape).astype("f4") for name, shape in shapes.items()}
    graph = conversion.convert_function("warp", warped, shapes)
    interpreter = Interpreter(model_content=graph.to_bytes())
    found = interpreter.get_signature_runner("warp")(**inputs)["warped"]
    np.testing.assert_allclose(found, warped(inputs)["warped"], atol=1e-5)


def test_warps_that_have_no_other_form_are_left_to_the_reference():
    image, flow = np.zeros((1, 4, 6, 2), "f4"), np.zeros((1, 4, 6, 2), "f4")
    settings = {"padding": "border", "mask_threshold": None, "return_mask": False}
    assert warp_in_lite(image, flow, **settings) is None  # no file is being made
    with lite_ops():
        assert warp_in_lite(image, flow, **settings) is not None
        assert warp_in_lite(image, flow, **{**settings, "padding": "zeros"}) is None
        assert warp_in_lite(image, flow, **{**settings, "return_mask": True}) is None
        assert warp_in_lite(image[:, :1], flow[:, :1], **settings) is None  # one row
        assert warp_in_lite(np.zeros((2, 4, 6, 2), "f4"), flow, **settings) is None


@pytest.mark.parametrize("size", [(1, 5, 3), (6, 16, 4), (4, 33, 8), (3, 64, 2)])
@pytest.mark.parametrize("radius", [1, 4])
def test_correlation(size, radius):
    features = RNG.normal(size=(2, 1, *size)).astype("f4")
    with reference_ops():
        expected = np.asarray(ops.correlation(*features, radius))
        with lite_ops():
            found = np.asarray(ops.correlation(*features, radius))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("height", "width", "channels", "displacement", "step", "stride"),
    [
        (12, 16, 8, 4, 2, 1),
        (7, 9, 3, 6, 3, 1),
        (9, 1, 2, 2, 2, 1),
        (1, 33, 5, 4, 2, 1),
        (13, 11, 5, 6, 3, 2),
    ],
)
def test_grids_of_a_correlation_one_after_the_other(
    height, width, channels, displacement, step, stride
):
    maps = np.random.default_rng(0).random((2, 1, height, width, channels), np.float32)
    settings = {"displacement_stride": step, "stride": stride}
    with reference_ops():
        expected = correlation(*maps, displacement, **settings)
        with lite_ops():
            found = correlation(*maps, displacement, **settings)
    np.testing.assert_array_equal(found, expected)
