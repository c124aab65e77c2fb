"""The CUDA kernels where no GPU is: what they compute, on the host.

The work of each thread is in functions that any C++ compiler takes too; cuda_emulation.cc has loops
in place of the threads.
"""

import itertools
import shutil

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from cuda_emulation import DTYPES, TOO_LARGE, Correlation, Emulation
from golden_files import assert_close, load, nhwc

from tfflow import ops
from tfflow.ops.native import reference_ops


@pytest.fixture(scope="module")
def emulation(tmp_path_factory):
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("no g++ to compile the kernels' arithmetic with")
    return Emulation(compiler, tmp_path_factory.mktemp("emulation"))


def expected_correlation(shape, first, second, upstream):
    """shapes.h's sums word for word in float64: the cost volume and both gradients."""
    margin = 64
    pads = (0, 0), (margin, margin), (margin, margin), (0, 0)
    first, second = (np.pad(x.astype(np.float64), pads) for x in (first, second))
    of_first, of_second = np.zeros_like(first), np.zeros_like(second)
    _, height, width, _ = shape.output_shape
    cost = np.zeros(shape.output_shape)
    radius, step = shape.span // 2, shape.displacement_stride
    patch = range(-(shape.kernel_size // 2), shape.kernel_size // 2 + 1)
    terms = shape.kernel_size**2 * shape.channels
    scale = 1 / terms if shape.normalise and terms else 1.0

    def pixels(offset, outputs):
        start = margin + shape.origin + offset
        return slice(start, start + outputs * shape.stride, shape.stride)

    for k, (iy, ix) in enumerate(itertools.product(range(shape.span), repeat=2)):
        dy, dx = (iy - radius) * step, (ix - radius) * step
        share = scale * upstream[..., k, None].astype(np.float64)
        for m, n in itertools.product(patch, repeat=2):
            at = slice(None), pixels(m, height), pixels(n, width)
            to = slice(None), pixels(m + dy, height), pixels(n + dx, width)
            cost[..., k] += scale * (first[at] * second[to]).sum(-1)
            of_first[at] += share * second[to]
            of_second[to] += share * first[at]
    inside = slice(None), slice(margin, -margin), slice(margin, -margin)
    return cost, of_first[inside], of_second[inside]


# kernel_size, max_displacement, stride, displacement_stride, padding, origin
SETTINGS = {
    "flownetc": (1, 20, 1, 2, 20, 0),
    "pwc": (1, 4, 1, 1, 4, 0),
    "liteflownet": (1, 6, 2, 2, 6, 0),
    "small": (1, 2, 1, 1, 2, 0),
    "no_displacement": (1, 0, 1, 1, 0, 0),
    "many_columns": (1, 18, 1, 1, 18, 0),
    "stride_alone": (1, 3, 2, 1, 3, 0),
    "coprime_strides": (1, 4, 3, 2, 4, 0),
    "patch": (3, 2, 1, 1, 3, 0),
    "patch_strides": (3, 4, 2, 2, 6, -3),
    "wide_patch": (5, 2, 2, 1, 4, 1),
    "little_padding": (1, 3, 1, 1, 1, 2),
    "much_padding": (1, 2, 2, 1, 5, -3),
    "odd_origin": (1, 4, 2, 2, 3, 1),
}


def make_correlation(size, setting, normalise=False):
    return Correlation(*size, *setting, normalise)


def draw(shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("name", SETTINGS)
def test_correlation(emulation, name):
    shape = make_correlation((2, 11, 19, 20), SETTINGS[name], normalise=name == "patch")
    maps = draw((2, 2, 11, 19, 20))
    upstream = draw(shape.output_shape, seed=1)
    cost, *gradients = expected_correlation(shape, *maps, upstream)
    assert_close(emulation.correlation(shape, *maps), cost, 1e-5, "cost")
    for found, expected in zip(emulation.correlation_gradients(shape, *maps, upstream), gradients):
        assert_close(found, expected, 1e-5, "gradient")


@pytest.mark.parametrize(
    "size",
    [(1, 1, 1, 1), (1, 1, 30, 4), (1, 30, 1, 3), (3, 7, 5, 33), (1, 5, 40, 132), (1, 3, 2, 260)],
    ids=lambda size: "x".join(map(str, size)),
)
@pytest.mark.parametrize("name", ["pwc", "liteflownet", "patch"])
def test_correlation_of_sizes(emulation, name, size):
    shape = make_correlation(size, SETTINGS[name])
    maps, upstream = draw((2, *size)), draw(shape.output_shape, seed=1)
    cost, *gradients = expected_correlation(shape, *maps, upstream)
    assert_close(emulation.correlation(shape, *maps), cost, 1e-5, "cost")
    for found, expected in zip(emulation.correlation_gradients(shape, *maps, upstream), gradients):
        assert_close(found, expected, 1e-5, "gradient")


@pytest.mark.parametrize("dtype", DTYPES[1:], ids=["float16", "bfloat16"])
@pytest.mark.parametrize("channels", [12, 40])
def test_correlation_in_half_precision(emulation, dtype, channels):
    """Sums are float32: what is lost is lost by rounding the result, once."""
    shape = make_correlation((1, 9, 10, channels), SETTINGS["pwc"], normalise=True)
    maps, upstream = draw((2, 1, 9, 10, channels), dtype), draw(shape.output_shape, dtype, seed=1)
    cost, *gradients = expected_correlation(shape, *maps, upstream)
    half_a_step = ml_dtypes.finfo(dtype).eps / 2
    found = (
        emulation.correlation(shape, *maps),
        *emulation.correlation_gradients(shape, *maps, upstream),
    )
    for one, expected in zip(found, (cost, *gradients)):
        error = np.abs(one.astype(np.float64) - expected)
        assert (error <= 1.01 * half_a_step * np.abs(expected) + 1e-5).all()


def test_correlation_of_nothing(emulation):
    """No pixels, channels or outputs: zeros of the right shape, no crash."""
    setting = SETTINGS["pwc"]
    for size in ((0, 4, 4, 8), (1, 0, 4, 8), (1, 4, 0, 8), (1, 4, 4, 0)):
        shape = make_correlation(size, setting)
        maps, upstream = draw((2, *size)), draw(shape.output_shape)
        assert not emulation.correlation(shape, *maps).any()
        assert not np.any(emulation.correlation_gradients(shape, *maps, upstream)[0])
    shape = make_correlation((1, 4, 4, 8), (1, 4, 1, 1, 0, 4))  # the window fits nowhere
    assert shape.output_shape[1:3] == (0, 0)
    maps = draw((2, 1, 4, 4, 8))
    for gradient in emulation.correlation_gradients(shape, *maps, draw(shape.output_shape)):
        assert not gradient.any()


def test_correlation_same_by_any_order_of_threads(emulation):
    shape = make_correlation((1, 6, 21, 24), SETTINGS["patch_strides"])
    maps = draw((2, 1, 6, 21, 24))
    upstream = draw(shape.output_shape)
    forth = [
        emulation.correlation(shape, *maps),
        *emulation.correlation_gradients(shape, *maps, upstream),
    ]
    back = [
        emulation.correlation(shape, *maps, backwards=True),
        *emulation.correlation_gradients(shape, *maps, upstream, backwards=True),
    ]
    for one, other in zip(forth, back):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("radius", [*range(1, 21), 33, 60])
def test_correlation_of_any_span_fits_a_block(emulation, radius):
    """The runner refuses blocks of too many threads or too much shared memory."""
    shape = make_correlation((1, 2, 3, 1), (1, radius, 1, 1, radius, 0))
    maps = draw((2, 1, 2, 3, 1))
    cost = emulation.correlation(shape, *maps)
    middle = cost.reshape(1, 2, 3, shape.span, shape.span)[..., radius, radius]
    np.testing.assert_allclose(middle, (maps[0] * maps[1]).sum(-1), rtol=1e-6)
    assert np.isfinite(
        emulation.correlation_gradients(shape, *maps, draw(shape.output_shape))
    ).all()


@pytest.mark.parametrize("field", ["height", "channels", "max_displacement", "stride", "origin"])
def test_correlation_refuses_what_is_beyond_32_bits(emulation, field):
    shape = make_correlation((1, 4, 4, 8), SETTINGS["pwc"])
    setattr(shape, field, 2**40)
    nothing = np.zeros(1, np.float32)
    emulation.call("correlation", shape, 0, *[nothing] * 3, 0, expected=TOO_LARGE)


def test_correlation_golden(emulation):
    """TensorFlow Addons' numbers, patches of 3 x 3 and strides of 2 included."""
    description, arrays = load("tfa_ops")
    for case in description["cases"]:
        name = case["name"]
        if case["op"] != "CorrelationCost" or case["data_format"] != "channels_last":
            continue
        first, second, upstream = (
            arrays[f"{name}/{k}"] for k in ("input_a", "input_b", "upstream")
        )
        border, stride = case["max_displacement"] + case["kernel_size"] // 2, case["stride_1"]
        setting = (case["kernel_size"], case["max_displacement"], stride, case["stride_2"])
        origin = border - case["pad"] * stride
        shape = make_correlation(first.shape, (*setting, case["pad"], origin), normalise=True)
        assert_close(emulation.correlation(shape, first, second), arrays[f"{name}/output"], 1e-5)
        gradients = emulation.correlation_gradients(shape, first, second, upstream)
        for found, expected in zip(gradients, ("grad_a", "grad_b")):
            assert_close(found, arrays[f"{name}/{expected}"], 1e-5, f"{name} {expected}")


def draw_flow(size, scale, seed=3):
    return draw((*size, 2), seed=seed) * np.float32(scale)


@pytest.mark.parametrize("threshold", [None, 0.9999], ids=["plain", "masked"])
@pytest.mark.parametrize("padding", ["zeros", "border"])
@pytest.mark.parametrize("size", [(2, 7, 9, 32), (1, 12, 10, 3), (1, 1, 6, 1), (2, 5, 1, 140)])
def test_warp(emulation, size, padding, threshold):
    image, flow, upstream = draw(size), draw_flow(size[:3], 3), draw(size, seed=1)
    of_tf = tf.Variable(image), tf.Variable(flow)
    with reference_ops(), tf.GradientTape() as tape:
        expected, mask = ops.warp(
            *of_tf, padding=padding, mask_threshold=threshold, return_mask=True
        )
        total = tf.reduce_sum(expected * upstream)
    found = emulation.warp(image, flow, padding, threshold)
    assert_close(found[0], expected, 1e-5, "warped")
    np.testing.assert_array_equal(found[1], mask)
    expected = tape.gradient(total, of_tf)
    for fixed_point in (False, True):
        found = emulation.warp_gradients(
            image, flow, upstream, padding, threshold, fixed_point=fixed_point
        )
        for one, gradient in zip(found, expected):
            assert_close(one, gradient, 1e-5, "gradient")


@pytest.mark.parametrize("case", ["zeros_mask", "zeros_nomask", "border_mask", "border_nomask"])
def test_warp_golden(emulation, case):
    description, arrays = load("ops")
    if f"warp.{case}" not in description:
        pytest.skip("among the full golden files alone")
    config = description[f"warp.{case}"]["config"]
    names = "feat", "flow", "out", "gout", "gfeat", "gflow"
    arrays = {name: nhwc(arrays[f"warp.{case}.{name}"]) for name in names}
    how = config.get("padding_mode", "zeros"), 0.9999 if config["use_mask"] else None
    inputs = arrays["feat"], arrays["flow"]
    assert_close(emulation.warp(*inputs, *how)[0], arrays["out"], 1e-5)
    found = emulation.warp_gradients(*inputs, arrays["gout"], *how)
    assert_close(found[0], arrays["gfeat"], 1e-5)
    assert_close(found[1], arrays["gflow"], 1e-5)


@pytest.mark.parametrize("dtype", DTYPES[1:], ids=["float16", "bfloat16"])
@pytest.mark.parametrize("channels", [3, 16])
def test_warp_in_half_precision(emulation, dtype, channels):
    """The same as in float32, rounded once at the end."""
    image, upstream = draw((1, 6, 8, channels), dtype), draw((1, 6, 8, channels), dtype, seed=1)
    flow = draw_flow((1, 6, 8), 2)
    wide = [x.astype(np.float32) for x in (image, upstream)]
    expected, mask = emulation.warp(wide[0], flow, threshold=0.9999)
    found = emulation.warp(image, flow, threshold=0.9999)
    np.testing.assert_array_equal(found[0], expected.astype(dtype))
    np.testing.assert_array_equal(found[1], mask.astype(dtype))
    for fixed_point in (False, True):
        how = dict(threshold=0.9999, fixed_point=fixed_point)
        expected = emulation.warp_gradients(wide[0], flow, wide[1], **how)
        found = emulation.warp_gradients(image, flow, upstream, **how)
        np.testing.assert_array_equal(found[0], expected[0].astype(dtype))
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("padding", ["zeros", "border"])
def test_warp_by_wild_flows(emulation, padding):
    """NaN becomes NaN and gives no gradient; what is far outside stays in bounds."""
    image, upstream = draw((1, 8, 8, 4)), draw((1, 8, 8, 4), seed=1)
    flow = draw_flow((1, 8, 8), 1)
    wild = np.float32([np.nan, np.inf, -np.inf, 1e6, -1e6, 3e38, -3e38, 2.0**31])
    flow[0, 2, :, 0], flow[0, :, 5, 1] = wild, wild[::-1]
    is_nan = np.isnan(flow).any(-1)
    warped, mask = emulation.warp(image, flow, padding)
    assert np.isnan(warped[is_nan]).all() and np.isfinite(warped[~is_nan]).all()
    assert not mask[is_nan].any()
    assert not emulation.warp(image, flow, padding, threshold=0.9999)[0][is_nan].any()
    of_image, of_flow = emulation.warp_gradients(image, flow, upstream, padding)
    assert np.isfinite(of_image).all() and np.isfinite(of_flow).all()
    assert not of_flow[is_nan].any() and not of_flow[np.abs(flow) > 1e5].any()
    tame = np.where(is_nan[..., None], 0, flow)
    without = np.where(is_nan[..., None], 0, upstream)
    expected = emulation.warp_gradients(image, tame, without, padding)
    assert_close(of_image, expected[0], 1e-6)


def test_warp_gradient_by_fixed_point_has_no_order(emulation):
    """All pixels sample the same few, by gradients of very different size."""
    image, flow = draw((2, 9, 10, 8)), draw_flow((2, 9, 10), 30)
    upstream = draw((2, 9, 10, 8)) * np.float32(10) ** draw((2, 9, 10, 8), seed=4).round(1)
    arguments = image, flow, upstream, "border"
    forth, back = (
        emulation.warp_gradients(*arguments, fixed_point=True, backwards=backwards)
        for backwards in (False, True)
    )
    np.testing.assert_array_equal(forth[0], back[0])
    by_floats = [emulation.warp_gradients(*arguments, backwards=b)[0] for b in (False, True)]
    assert (by_floats[0] != by_floats[1]).any()  # what the fixed point is for


@pytest.mark.parametrize("size", [1e-38, 1e-20, 1e20, 1e38])
def test_warp_gradient_by_fixed_point_of_any_size(emulation, size):
    image, flow = draw((1, 6, 5, 4)), draw_flow((1, 6, 5), 1)
    upstream = np.clip(draw((1, 6, 5, 4), seed=1), -2, 2)
    unscaled = emulation.warp_gradients(image, flow, upstream)[0]
    scaled = upstream * np.float32(size)
    found = emulation.warp_gradients(image, flow, scaled, fixed_point=True)[0]
    assert_close(found.astype(np.float64) / size, unscaled, 1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_warp_gradient_by_fixed_point_shows_overflow(emulation, value):
    """Loss scaling looks for it."""
    image, flow, upstream = draw((1, 6, 5, 4)), draw_flow((1, 6, 5), 1), draw((1, 6, 5, 4))
    upstream[0, 3, 2, 1] = value
    assert np.isnan(emulation.warp_gradients(image, flow, upstream, fixed_point=True)[0]).all()


@pytest.mark.parametrize("size", [(0, 4, 4, 3), (1, 0, 4, 3), (1, 4, 0, 3), (1, 4, 4, 0)])
def test_warp_of_nothing(emulation, size):
    image, flow = draw(size), draw_flow(size[:3], 1)
    warped, mask = emulation.warp(image, flow)
    assert warped.shape == size and np.isfinite(mask).all()
    for fixed_point in (False, True):
        of_flow = emulation.warp_gradients(image, flow, image, fixed_point=fixed_point)[1]
        assert not of_flow.any()


def test_unaligned_arrays(emulation):
    """A view from the middle of an array takes the kernels without vectors."""

    def shifted(array):
        memory = np.empty(array.size + 1, array.dtype)
        memory[1:] = array.ravel()
        return memory[1:].reshape(array.shape)

    shape = make_correlation((1, 5, 6, 8), SETTINGS["small"])
    first, second = draw((2, 1, 5, 6, 8))
    aligned = emulation.correlation(shape, first, second)
    np.testing.assert_array_equal(emulation.correlation(shape, shifted(first), second), aligned)
    flow = draw_flow((1, 5, 6), 1)
    np.testing.assert_array_equal(
        emulation.warp(shifted(first), flow)[0], emulation.warp(first, flow)[0]
    )
