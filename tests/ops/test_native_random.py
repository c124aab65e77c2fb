"""Random arguments: no crash, and no disagreement with the definition, in float64."""

import contextlib

import numpy as np
import pytest
import tensorflow as tf

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from tfflow import ops  # noqa: E402
from tfflow.ops import native as native_ops  # noqa: E402

pytestmark = pytest.mark.usefixtures("native")
FEW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
MANY = settings(FEW, max_examples=1000)
SHAPES = st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(0, 40), st.integers(0, 40))
CORRELATIONS = st.fixed_dictionaries(
    {
        "shape": SHAPES,
        "kernel_size": st.sampled_from([1, 1, 3, 5]),
        "max_displacement": st.integers(0, 6),
        "stride": st.integers(1, 4),
        "displacement_stride": st.integers(1, 4),
        "padding": st.integers(0, 9),
        "origin": st.integers(-6, 6),
        "normalize": st.booleans(),
        "dtype": st.sampled_from(["float32", "float64"]),
        "seed": st.integers(0, 2**32 - 1),
    }
)
WARPS = st.fixed_dictionaries(
    {
        "shape": SHAPES,
        "padding": st.sampled_from(["zeros", "border"]),
        "mask_threshold": st.sampled_from([None, 0.5, 0.9999]),
        "largest": st.sampled_from([0.0, 0.6, 5.0, 40.0, 1e6]),
        "odd": st.lists(st.sampled_from([1e6, -1e6, np.inf, -np.inf, np.nan]), max_size=3),
        "dtype": st.sampled_from(["float32", "float64"]),
        "seed": st.integers(0, 2**32 - 1),
    }
)


def correlation_by_definition(a, b, upstream, *, kernel_size, max_displacement, stride,
                              displacement_stride, padding, origin, normalize):  # fmt: skip
    """shapes.h word by word: the output, if ``upstream`` is None, or both gradients."""
    batch, height, width, channels = a.shape
    reach, radius = kernel_size // 2, max_displacement // displacement_stride
    far = padding + abs(origin) + max_displacement + reach + stride * 40 + 50
    around = ((0, 0), (far, far), (far, far), (0, 0))
    a, b = np.pad(a, around), np.pad(b, around)
    sizes = [
        max(0, -(-(n + 2 * (padding - max_displacement - reach)) // stride))
        for n in (height, width)
    ]
    scale = 1 / max(1, kernel_size**2 * channels) if normalize else 1
    span = 2 * radius + 1
    output = np.zeros((batch, *sizes, span**2))
    of_a, of_b = np.zeros_like(a), np.zeros_like(b)

    def window(dy, dx):
        rows, columns = (
            slice(far + origin + d, far + origin + d + stride * n, stride)
            for d, n in zip((dy, dx), sizes)
        )
        return slice(None), rows, columns

    offsets = [(m, n) for m in range(-reach, reach + 1) for n in range(-reach, reach + 1)]
    inside = np.zeros(a.shape[1:3], bool)
    inside[far : far + height, far : far + width] = True
    for k in range(span**2):
        dy, dx = ((i - radius) * displacement_stride for i in divmod(k, span))
        for m, n in offsets:
            first, second = window(m, n), window(m + dy, n + dx)
            if upstream is None:
                output[..., k] += scale * (a[first] * b[second]).sum(-1)
            else:
                of_a[first] += scale * upstream[..., k, None] * b[second]
                of_b[second] += scale * upstream[..., k, None] * a[first]
    if upstream is None:
        return output
    crop = (slice(None), slice(far, far + height), slice(far, far + width))
    # Products with what is outside are zero, whose gradients don't count.
    return [of_a[crop], of_b[crop]]


def check(found, expected, dtype, what):
    found = np.asarray(found)
    assert found.dtype == dtype and found.shape == expected.shape, what
    tolerance = (2e-5 if dtype == "float32" else 1e-12) * max(1, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance, err_msg=what)


def check_correlation(arguments):
    arguments = dict(arguments)
    shape, dtype = arguments.pop("shape"), arguments.pop("dtype")
    rng = np.random.default_rng(arguments.pop("seed"))
    a, b = (tf.constant(rng.standard_normal(shape), dtype) for _ in range(2))
    with tf.GradientTape() as tape:
        tape.watch((a, b))
        cost = native_ops.correlation(a, b, **arguments)
        upstream = rng.standard_normal(cost.shape)
        total = tf.reduce_sum(cost * upstream)
    wide = [np.asarray(x, np.float64) for x in (a, b)]
    check(cost, correlation_by_definition(*wide, None, **arguments), dtype, "output")
    expected = correlation_by_definition(*wide, upstream, **arguments)
    for gradient, definition in zip(tape.gradient(total, (a, b)), expected):
        check(gradient, definition, dtype, "gradient")


def check_warp(arguments):
    arguments = dict(arguments)
    shape, dtype = arguments.pop("shape"), arguments.pop("dtype")
    rng = np.random.default_rng(arguments.pop("seed"))
    image = tf.constant(rng.standard_normal(shape), dtype)
    flow = rng.uniform(-1, 1, (*shape[:3], 2)) * arguments.pop("largest")
    for value in arguments.pop("odd"):
        if flow.size:
            flow.flat[rng.integers(flow.size)] = value
    known = ~np.isnan(flow).any(-1)
    flow = tf.constant(flow, dtype)
    results = []
    for context in (contextlib.nullcontext, native_ops.reference_ops):
        with tf.GradientTape() as tape, context():
            tape.watch((image, flow))
            warped, mask = ops.warp(image, flow, return_mask=True, **arguments)
            total = tf.reduce_sum(tf.where(known[..., None], warped, 0) ** 2)
        gradients = [tf.convert_to_tensor(x) for x in tape.gradient(total, (image, flow))]
        warped, mask, of_image, of_flow = map(np.asarray, (warped, mask, *gradients))
        lost = warped[~known]
        is_masked = arguments["mask_threshold"] is not None
        assert (lost == 0 if is_masked else np.isnan(lost)).all() and not mask[~known].any()
        results.append([warped[known], mask[known], of_image, of_flow])
    for found, expected, what in zip(*results, ("warped", "mask", "of image", "of flow")):
        assert np.isfinite(found).all(), what
        check(found, expected, dtype, what)


@FEW
@given(CORRELATIONS)
def test_correlation(arguments):
    check_correlation(arguments)


@FEW
@given(WARPS)
def test_warp(arguments):
    check_warp(arguments)


@pytest.mark.slow
@MANY
@given(CORRELATIONS)
def test_correlation_a_thousand_times(arguments):
    check_correlation(arguments)


@pytest.mark.slow
@MANY
@given(WARPS)
def test_warp_a_thousand_times(arguments):
    check_warp(arguments)
