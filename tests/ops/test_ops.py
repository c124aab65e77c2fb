"""What the ops must do whatever the golden files say."""

import keras
import numpy as np
import pytest
import tensorflow as tf

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


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.int64])
def test_flow_in_whole_numbers(dtype):
    image = RNG.random((1, 6, 8, 2), np.float32)
    flow = RNG.integers(0, 3, (1, 6, 8, 2)).astype(dtype)
    expected = ops.warp(image, flow.astype(np.float32))
    np.testing.assert_array_equal(ops.warp(image, flow), expected)
    np.testing.assert_allclose(ops.shifted_warp.shifted_warp(image, flow, 3), expected, atol=1e-6)
    larger = ops.resize_flow(flow, (9, 10))
    np.testing.assert_array_equal(larger, ops.resize_flow(flow.astype(np.float32), (9, 10)))


def test_features_in_whole_numbers_are_refused():
    features = np.full((1, 4, 4, 3), 200, np.uint8)  # whose products overflow
    with pytest.raises(ValueError, match="floating-point feature maps; got uint8"):
        ops.correlation(features, features, 1)


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


@pytest.mark.parametrize("size", [(3, 5), (7, 37), (6, 64)])
@pytest.mark.parametrize(
    ("displacement", "stride", "step"),
    [(3, 1, 1), (6, 2, 2), (4, 1, 2), (4, 4, 2), (2, 2, 1), (3, 2, 3), (20, 1, 2), (0, 1, 1)],
)
def test_correlation_is_the_sum_of_products(size, displacement, stride, step):
    # Word by word from the docstring, in float64: no tiles, no grids.
    a, b = RNG.standard_normal((2, 2, *size, 3))
    expected = []
    for dy in range(-displacement, displacement + 1, step):
        for dx in range(-displacement, displacement + 1, step):
            moved = np.zeros_like(b)
            for y in range(size[0]):
                for x in range(size[1]):
                    if 0 <= y + dy < size[0] and 0 <= x + dx < size[1]:
                        moved[:, y, x] = b[:, y + dy, x + dx]
            expected.append((a * moved).sum(-1)[:, ::stride, ::stride])
    found = ops.correlation(a, b, displacement, stride=stride, displacement_stride=step)
    np.testing.assert_allclose(found, np.stack(expected, -1), atol=1e-12)


def test_correlation_of_unknown_sizes():
    tf = pytest.importorskip("tensorflow")
    spec = tf.TensorSpec((None, None, None, 4))
    for arguments in ({}, {"stride": 2, "displacement_stride": 2}, {"displacement_stride": 2}):
        graph = tf.function(
            lambda a, b, kw=arguments: ops.correlation(a, b, 4, **kw), input_signature=[spec] * 2
        )
        a, b = RNG.random((2, 2, 9, 35, 4), np.float32)
        np.testing.assert_allclose(graph(a, b), ops.correlation(a, b, 4, **arguments), rtol=1e-5)


def test_local_average_at_the_border_counts_the_outside_as_zero():
    flow = np.ones((1, 4, 5, 2), np.float32)
    averaged = np.asarray(ops.local_average(flow, np.zeros((1, 4, 5, 9), np.float32)))
    np.testing.assert_allclose(averaged[0, 1:-1, 1:-1], 1, rtol=1e-6)
    np.testing.assert_allclose(averaged[0, 0, 0], 4 / 9, rtol=1e-6)


def test_local_average_takes_the_neighbour_that_is_near():
    flow = RNG.standard_normal((1, 6, 7, 2)).astype(np.float32)
    distance = np.full((1, 6, 7, 25), 10.0, np.float32)
    distance[..., 1 * 5 + 4] = 0.0  # dy = -1, dx = +2
    averaged = np.asarray(ops.local_average(flow, distance))
    np.testing.assert_allclose(averaged[0, 1:, :-2], flow[0, :-1, 2:], rtol=1e-6)


@pytest.mark.parametrize(
    ("flow", "distance", "message"),
    [
        ((1, 4, 4, 2), (1, 4, 5, 9), "of one size"),
        ((1, 4, 4, 2), (1, 4, 4, 16), "p odd"),
        ((1, 4, 4, 2), (1, 4, 4, 10), "p odd"),
    ],
)
def test_local_average_says_what_it_expects(flow, distance, message):
    with pytest.raises(ValueError, match=message):
        ops.local_average(np.zeros(flow), np.zeros(distance))


def test_local_average_must_know_the_channels():
    unknown = tf.TensorSpec((1, 4, 4, None))
    function = tf.function(ops.local_average, input_signature=[unknown] * 2)
    with pytest.raises(ValueError, match="must know how many channels"):
        function.get_concrete_function()


@pytest.mark.parametrize("size", [1, 3, 5])
def test_convolution_at_is_a_deformable_convolution(size):
    # All taps share the flow; far out of the image too.
    image = RNG.standard_normal((2, 6, 7, 3))
    flow = RNG.uniform(-9, 9, (2, 6, 7, 2))
    kernel = RNG.standard_normal((size, size, 3, 4))
    offsets = np.tile(flow[..., ::-1], size * size)  # (dy, dx) for every tap
    expected = ops.deformable_convolution(image, offsets, kernel)
    np.testing.assert_allclose(ops.convolution_at(image, flow, kernel), expected, atol=1e-12)


def test_deformable_convolution_in_half_precision_finds_its_pixels():
    # bfloat16 can't count beyond 256.
    image = keras.ops.cast(RNG.integers(0, 3, (1, 4, 1200, 1)), "bfloat16")
    kernel = np.ones((3, 3, 1, 1), np.float32)
    offsets = keras.ops.zeros((1, 2, 600, 18), "bfloat16")
    expected = keras.ops.conv(keras.ops.cast(image, "float32"), kernel, padding="same")
    found = ops.deformable_convolution(image, offsets, kernel, stride=2)
    np.testing.assert_allclose(
        keras.ops.cast(found, "float32"), np.asarray(expected)[:, ::2, ::2], atol=0.2
    )


@pytest.mark.parametrize(
    ("flow", "kernel"),
    [((1, 7, 8, 2), (3, 3, 4, 4)), ((1, 8, 8, 2), (2, 2, 4, 4)), ((1, 8, 8, 2), (3, 3, 3, 4))],
    ids=["flow", "even", "channels"],
)
def test_convolution_at_says_what_it_expects(flow, kernel):
    with pytest.raises(ValueError, match=r"k odd; got \(1, 8, 8, 4\)"):
        ops.convolution_at(np.zeros((1, 8, 8, 4)), np.zeros(flow), np.zeros(kernel))


def test_deformable_convolution_without_offsets_is_a_convolution():
    image = RNG.standard_normal((1, 7, 9, 3)).astype(np.float32)
    kernel = RNG.standard_normal((3, 3, 3, 2)).astype(np.float32)
    expected = keras.ops.conv(image, kernel, padding="same", dilation_rate=2)
    found = ops.deformable_convolution(image, np.zeros((1, 7, 9, 18), "f"), kernel, dilation=2)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    with pytest.raises(ValueError, match="2·k²"):
        ops.deformable_convolution(image, np.zeros((1, 7, 9, 9), "f"), kernel)


def test_upsample_transposed_with_bilinear_taps():
    # The worked example of Caffe's bilinear filler.
    taps = np.outer([0.25, 0.75, 0.75, 0.25], [0.25, 0.75, 0.75, 0.25])[..., None]
    image = np.array([[1.0, 2.0], [3.0, 4.0]])[None, ..., None]
    expected = [
        [0.5625, 0.9375, 1.3125, 1.125],
        [1.125, 1.75, 2.25, 1.875],
        [1.875, 2.75, 3.25, 2.625],
        [1.6875, 2.4375, 2.8125, 2.25],
    ]
    np.testing.assert_allclose(ops.upsample_transposed(image, taps)[0, ..., 0], expected)
    with pytest.raises(ValueError, match=r"expects a kernel \(4, 4, 1\)"):
        ops.upsample_transposed(image, np.zeros((4, 4, 2)))


def test_downsample_triangle():
    # 8 -> 3 on aligned corners: centres 0, 3.5, 7, half width 3.5.
    ramp = np.arange(8.0)[None, :, None, None] * np.ones((1, 1, 4, 1))
    reduced = np.asarray(ops.downsample_triangle(ramp, (3, 4)))[0, :, 0, 0]
    weights = 1 - np.abs(np.arange(8)[None] - np.array([[0], [3.5], [7]])) / 3.5
    weights = np.maximum(weights, 0)
    np.testing.assert_allclose(reduced, weights @ np.arange(8) / weights.sum(1), rtol=1e-6)
    np.testing.assert_allclose(ops.downsample_triangle(ramp, (8, 4)), ramp)


def test_safe_norm_has_a_gradient_at_zero():
    tf = pytest.importorskip("tensorflow")
    x = tf.constant([[3.0, 4.0], [0.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        norm = ops.safe_norm(x)
    np.testing.assert_allclose(norm, [5, 0])
    np.testing.assert_allclose(tape.gradient(norm, x), [[0.6, 0.8], [0, 0]], rtol=1e-6)


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


@pytest.mark.parametrize("factor", [2, 4])
def test_upsample_convex_takes_the_neighbour_that_the_logits_name(factor):
    image = RNG.normal(size=(2, 5, 6, 3)).astype("f4")
    chosen = RNG.integers(0, 9, (2, 5, 6, factor, factor))
    logits = 100.0 * np.eye(9, dtype="f4")[chosen].reshape(2, 5, 6, -1)
    fine = np.asarray(ops.upsample_convex(image, logits, factor))
    assert fine.shape == (2, 5 * factor, 6 * factor, 3)
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0)), "edge")
    for b, y, x, i, j in np.ndindex(chosen.shape):
        dy, dx = divmod(chosen[b, y, x, i, j], 3)
        expected = padded[b, y + dy, x + dx]
        np.testing.assert_allclose(fine[b, y * factor + i, x * factor + j], expected, rtol=1e-5)


def test_upsample_convex_of_equal_logits_is_the_mean():
    image = RNG.normal(size=(1, 4, 4, 2)).astype("f4")
    fine = np.asarray(ops.upsample_convex(image, np.full((1, 4, 4, 36), 7.0, "f4"), 2))
    np.testing.assert_allclose(
        fine[0, 2:4, 4:6],
        image[0, :3, 1:4].mean((0, 1))[None, None].repeat(2, 0).repeat(2, 1),
        rtol=1e-5,
    )


def test_resize_flow_scales_its_values():
    flow = np.ones((1, 4, 8, 2), np.float32)
    resized = np.asarray(ops.resize_flow(flow, (8, 24)))
    np.testing.assert_allclose(resized[..., 0], 3.0)
    np.testing.assert_allclose(resized[..., 1], 2.0)


def test_correlation_takes_numpys_whole_numbers():
    x = RNG.random((1, 6, 7, 3), np.float32)
    found = ops.correlation(x, x, np.int64(2), stride=np.int32(1), displacement_stride=np.uint8(2))
    np.testing.assert_array_equal(found, ops.correlation(x, x, 2, displacement_stride=2))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_warp_masks_at_the_border_what_leads_nowhere(value):
    image, flow = RNG.random((1, 4, 5, 2), np.float32), np.zeros((1, 4, 5, 2), np.float32)
    flow[0, 1, 2, 0] = value
    _, mask = ops.warp(image, flow, padding="border", return_mask=True)
    assert np.asarray(mask)[0, 1, 2] == np.isinf(value) and np.sum(mask) >= 19


@pytest.mark.parametrize("padding", ["zeros", "border"])
@pytest.mark.parametrize("compiled", [False, True])
def test_a_masked_warp_is_zero_where_its_mask_is(padding, compiled):
    image, flow = np.ones((1, 3, 4, 2), np.float32), np.full((1, 3, 4, 2), -0.5, np.float32)
    image[0, 0, 0] = np.nan
    flow[0, 2, 3, 0] = np.nan

    def masked(image, flow):
        return ops.warp(image, flow, padding=padding, mask_threshold=0.9999, return_mask=True)

    warped, mask = tf.function(masked, jit_compile=compiled)(image, flow)
    warped, inside = np.asarray(warped), np.asarray(mask)[..., 0] > 0
    assert not warped[~inside].any() and not inside[0, 2, 3]
    assert np.isnan(warped[inside]).any()  # a NaN that is seen is not hidden


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ops.correlation(x, x[:, :2], 1), "one shape"),
        (lambda x: ops.correlation(x, x, 3, displacement_stride=2), "max_displacement=6 here"),
        (lambda x: ops.correlation(x, x, 1.5), "whole number"),
        (lambda x: ops.correlation(x, x, True), "whole number of at least 0; got True"),
        (lambda x: ops.correlation(x, x, 1, stride=0), "at least 1"),
        (lambda x: ops.warp(x, x), r"flow \(B, H, W, 2\)"),
        (lambda x: ops.warp(x, x[:, :2, :, :2]), "one size"),
        (lambda x: ops.warp(x, x[..., :2], padding="reflect"), "padding must be one of"),
        (lambda x: ops.warp(x.astype("int32"), x[..., :2]), "floating-point"),
        (lambda x: ops.warp(x, x[..., :2], mask_threshold="0.5"), "share in .*got '0.5'"),
        (lambda x: ops.warp(x, x[..., :2], mask_threshold=1.0), "share in"),
        (lambda x: ops.warp(x, x[..., :2], mask_threshold=1 - 1e-12), "share in"),
        (lambda x: ops.downsample_triangle(x, (2, 5)), "resize enlarges"),
        (lambda x: ops.upsample_convex(x[:, :2], np.zeros((1, 4, 2, 36)), 2), r"logits \(1, 2, 4"),
        (lambda x: ops.upsample_convex(x, np.zeros((2, 4, 4, 36)), 2), "logits"),
        (lambda x: ops.upsample_convex(x, np.zeros((1, 4, 4, 35)), 2), r"4, 36\)"),
        (lambda x: ops.deformable_convolution(x, x, x, stride=0), "stride must be"),
        (lambda x: ops.deformable_convolution(x, x, x, dilation=0), "dilation must be"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.zeros((1, 4, 4, 3), np.float32))


def test_maps_in_whole_numbers_are_averaged_and_resized():
    rng = np.random.default_rng(0)
    image = rng.integers(-9, 9, (1, 4, 5, 2), np.int32)
    nine, logits = (rng.random((1, 4, 5, count), np.float32) for count in (9, 36))
    for function in (
        lambda x: ops.local_average(x, nine),
        lambda x: ops.upsample_convex(x, logits, 2),
        lambda x: ops.resize(x, (7, 11)),
        lambda x: ops.resize(x, (4, 5)),
        lambda x: ops.downsample_triangle(x, (3, 2)),
        lambda x: ops.resample.upsample_from_corner(x, 2),
        lambda x: ops.safe_norm(x, keepdims=True),
    ):
        found = function(image)
        assert found.dtype == "float32"
        np.testing.assert_array_equal(found, function(np.float32(image)))


def test_positions_are_right_where_keras_counts_in_half_precision():
    """keras.ops.arange is int16 then, which TensorFlow has no kernel for in a graph."""
    image, flow = RNG.random((1, 5, 6, 2), np.float32), np.ones((1, 5, 6, 2), np.float32)
    before = keras.config.floatx()
    keras.config.set_floatx("float16")
    try:
        warped = tf.function(lambda: ops.warp(image, flow))
        with ops.native.reference_ops():
            found = warped()
        larger = tf.function(lambda: ops.upsample_from_corner(image, 2))()
    finally:
        keras.config.set_floatx(before)
    np.testing.assert_allclose(found, ops.warp(image, flow), atol=1e-6)
    np.testing.assert_allclose(larger, ops.upsample_from_corner(image, 2), atol=1e-6)


def test_upsampling_by_one_is_the_image():
    image = np.random.default_rng(0).random((1, 4, 5, 2), np.float32)
    np.testing.assert_array_equal(ops.upsample_nearest(image, 1), image)
    logits = np.full((1, 4, 5, 9), -99, np.float32)
    logits[..., 4] = 0
    np.testing.assert_allclose(ops.upsample_convex(image, logits, 1), image)


def test_a_map_of_known_size_is_resized_to_one_that_the_graph_knows():
    image = np.random.default_rng(0).random((1, 4, 5, 2), np.float32)
    for height, width in ((4, 5), (7, 3)):
        sized = tf.function(lambda side, width=width: ops.resize_flow(image, (side, width)))
        expected = ops.resize_flow(image, (height, width))
        np.testing.assert_allclose(sized(tf.constant(height)), expected, atol=1e-6)


def test_the_norm_of_large_vectors_in_half_precision():
    assert float(ops.safe_norm(np.float16([300, 400]))) == 500


def test_warp_by_whole_numbers():
    image = np.random.default_rng(0).random((1, 5, 6, 2), np.float32)
    flow = np.random.default_rng(1).integers(-2, 3, (1, 5, 6, 2), np.int32)
    expected = ops.warp(image, np.float32(flow))
    np.testing.assert_array_equal(ops.warp(image, flow), expected)
