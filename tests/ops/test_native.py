"""Native correlation and warp against the reference and the definition, values and gradients."""

import contextlib
import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from golden_files import assert_close

from tfflow import ops
from tfflow.ops import native as native_ops

RNG = np.random.default_rng(0)
pytestmark = pytest.mark.usefixtures("native")
CORRELATIONS = [  # max_displacement, stride, displacement_stride
    (3, 1, 1),
    (20, 1, 2),
    (6, 2, 2),
    (4, 4, 2),
    (2, 2, 1),
    (3, 2, 3),
    (0, 1, 1),
    (0, 3, 2),
]


def values_and_gradients(function, inputs, upstream=None):
    """The outputs of a function, and the gradients of its product with ``upstream``."""
    variables = [tf.constant(x) for x in inputs]
    with tf.GradientTape() as tape:
        tape.watch(variables)
        output = function(*variables)
        if upstream is None:
            upstream = np.random.default_rng(1).standard_normal(output.shape)
        total = tf.reduce_sum(output * tf.cast(upstream, output.dtype))
    gradients = tape.gradient(total, variables)
    return [output, *map(tf.convert_to_tensor, gradients)]


def assert_as_reference(function, inputs):
    found = values_and_gradients(function, inputs)
    with native_ops.reference_ops():
        expected = values_and_gradients(function, inputs)
    for what, tolerance, a, b in zip(
        ("output", "first gradient", "second gradient"), (1e-5, 1e-4, 1e-4), found, expected
    ):
        assert a.shape == b.shape and a.dtype == b.dtype
        if 0 not in a.shape:
            assert_close(a, b, tolerance, what)


def maps(*shape, dtype=np.float32):
    return [RNG.standard_normal(shape).astype(dtype) for _ in range(2)]


def image_and_flow(batch, height, width, channels, largest=3.0, dtype=np.float32):
    image = RNG.standard_normal((batch, height, width, channels)).astype(dtype)
    return [image, (RNG.uniform(-1, 1, (batch, height, width, 2)) * largest).astype(dtype)]


def test_native_ops_are_what_runs():
    a, b = maps(1, 4, 5, 3)
    function = tf.function(lambda a, b: ops.warp(ops.correlation(a, b, 1), a[..., :2]))
    kinds = {op.type for op in function.get_concrete_function(a, b).graph.get_operations()}
    assert {"TfflowCorrelation", "TfflowWarp"} <= kinds


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize(("displacement", "stride", "step"), CORRELATIONS)
@pytest.mark.parametrize(
    "shape", [(1, 1, 1, 1), (2, 3, 5, 7), (1, 7, 37, 33), (1, 6, 64, 16), (3, 13, 2, 100)]
)
def test_correlation(shape, displacement, stride, step, normalize):
    def function(a, b):
        return ops.correlation(
            a, b, displacement, stride=stride, displacement_stride=step, normalize=normalize
        )

    assert_as_reference(function, maps(*shape))


@pytest.mark.parametrize("shape", [(0, 4, 5, 3), (2, 0, 5, 3), (2, 4, 0, 3), (2, 4, 5, 0)])
def test_empty_maps(shape):
    a, b = maps(*shape)
    batch, height, width, _ = shape
    cost, *gradients = values_and_gradients(lambda a, b: ops.correlation(a, b, 2), (a, b))
    assert cost.shape == (batch, height, width, 25) and not np.any(cost)
    assert all(gradient.shape == shape for gradient in gradients)
    flow = np.ones((batch, height, width, 2), np.float32)
    warped, *gradients = values_and_gradients(ops.warp, (a, flow))
    assert warped.shape == shape
    assert [gradient.shape for gradient in gradients] == [shape, flow.shape]
    assert not np.any(gradients[1])


@pytest.mark.parametrize("options", [{}, {"padding": "border"}, {"mask_threshold": 0.9999}])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "shape", [(1, 1, 1, 1), (2, 5, 7, 3), (1, 40, 3, 16), (1, 19, 21, 35), (3, 2, 9, 64)]
)
def test_warp(shape, dtype, options):
    inputs = image_and_flow(*shape, dtype=dtype)
    assert_as_reference(lambda image, flow: ops.warp(image, flow, **options), inputs)


def test_warp_gives_the_mask():
    image, flow = image_and_flow(2, 9, 11, 5)
    found = ops.warp(image, flow, return_mask=True)
    with native_ops.reference_ops():
        expected = ops.warp(image, flow, return_mask=True)
    for a, b in zip(found, expected):
        assert_close(a, b, 1e-6)
    warped, mask = ops.warp(image, flow, mask_threshold=0.5, return_mask=True)
    np.testing.assert_array_equal(warped, warped * mask)


@pytest.mark.parametrize("padding", ["zeros", "border"])
@pytest.mark.parametrize("far", [1e6, -1e6, 1e30, np.inf, -np.inf])
def test_warp_of_what_is_far_outside(far, padding):
    image, flow = image_and_flow(1, 6, 20, 17)
    flow[0, 2, 3] = far
    flow[0, 4, 5, 0] = far
    function = lambda image, flow: ops.warp(image, flow, padding=padding)  # noqa: E731
    if np.isfinite(far):
        assert_as_reference(function, (image, flow))
    warped, of_image, of_flow = values_and_gradients(function, (image, flow))
    assert np.isfinite(warped).all() and np.isfinite(of_image).all()
    assert not np.any(of_flow[0, 2, 3]) and not np.any(of_flow[0, 4, 5, 0])
    if padding == "zeros":
        assert not np.any(warped[0, 2, 3])
    else:
        corner = (-1, -1) if far > 0 else (0, 0)
        np.testing.assert_array_equal(warped[0, 2, 3], image[(0, *corner)])


@pytest.mark.parametrize("forms", [contextlib.nullcontext, native_ops.reference_ops])
@pytest.mark.parametrize("padding", ["zeros", "border"])
def test_flow_of_nan_shows_and_gives_no_gradient(padding, forms):
    image, flow = image_and_flow(1, 6, 20, 17)
    flow[0, 2, 3] = np.nan
    flow[0, 4, 5, 1] = np.nan
    known = np.isfinite(flow).all(-1)
    function = lambda image, flow: ops.warp(image, flow, padding=padding)  # noqa: E731
    with forms():
        check_flow_of_nan(image, flow, known, padding, function)


def check_flow_of_nan(image, flow, known, padding, function):
    warped, of_image, of_flow = map(np.asarray, values_and_gradients(function, (image, flow)))
    np.testing.assert_array_equal(np.isnan(warped).all(-1), ~known)
    assert np.isfinite(warped[known]).all()
    assert np.isfinite(of_image).all() and np.isfinite(of_flow).all()
    assert not of_flow[~known].any()
    _, mask = ops.warp(image, flow, return_mask=True)
    assert not np.asarray(mask)[~known].any()
    function = lambda image, flow: ops.warp(  # noqa: E731
        image, flow, padding=padding, mask_threshold=0.5
    )
    masked, of_image, of_flow = map(np.asarray, values_and_gradients(function, (image, flow)))
    assert not masked[~known].any() and not of_flow[~known].any()
    assert np.isfinite(of_image).all() and np.isfinite(of_flow).all()


def test_nan_in_a_map_stays_where_it_is():
    a, b = maps(1, 6, 9, 5)
    a[0, 2, 3] = np.nan
    cost = np.asarray(ops.correlation(a, b, 2))
    inside = np.isnan(cost[0]).any(-1)
    assert inside[2, 3] and inside.sum() == 1


def numerical_gradient(function, inputs, index, upstream, step=1e-5):
    """Central differences of sum(output · upstream), in float64."""
    base = [np.array(x, np.float64) for x in inputs]
    gradient = np.zeros_like(base[index])
    for where in np.ndindex(*gradient.shape):
        kept, ends = base[index][where], []
        for sign in (1, -1):
            base[index][where] = kept + sign * step
            ends.append(np.sum(np.asarray(function(*base)) * upstream))
        base[index][where] = kept
        gradient[where] = (ends[0] - ends[1]) / (2 * step)
    return gradient


@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        (lambda a, b: ops.correlation(a, b, 2, normalize=True), maps(1, 4, 7, 9, dtype=np.float64)),
        (
            lambda a, b: ops.correlation(a, b, 2, stride=2, displacement_stride=2),
            maps(2, 5, 4, 2, dtype=np.float64),
        ),
        (
            lambda a, b: native_ops.correlation(
                a, b, 2, kernel_size=3, stride=2, padding=3, origin=-1, normalize=True
            ),
            maps(1, 5, 6, 3, dtype=np.float64),
        ),
        (ops.warp, image_and_flow(1, 4, 6, 9, dtype=np.float64)),
        (
            lambda image, flow: ops.warp(image, flow, padding="border"),
            image_and_flow(1, 4, 6, 2, dtype=np.float64),
        ),
    ],
    ids=["correlation", "strides", "patches", "warp", "border"],
)
def test_gradients_are_those_of_differences(function, inputs):
    upstream = np.random.default_rng(2).standard_normal(np.shape(function(*inputs)))
    _, *gradients = values_and_gradients(function, inputs, upstream)
    for index, gradient in enumerate(gradients):
        assert_close(gradient, numerical_gradient(function, inputs, index, upstream), 1e-7)


def test_results_are_the_same_every_time():
    a, b = maps(1, 40, 50, 32)
    image, flow = image_and_flow(1, 200, 60, 19, largest=30.0)
    cases = ((lambda a, b: ops.correlation(a, b, 4), (a, b)), (ops.warp, (image, flow)))
    for function, inputs in cases:
        once, again = (values_and_gradients(function, inputs) for _ in range(2))
        for x, y in zip(once, again):
            np.testing.assert_array_equal(x, y)


def test_second_order_gradients_are_refused():
    a, b = map(tf.constant, maps(1, 3, 4, 2))
    for function in (lambda x: ops.correlation(x, b, 1), lambda x: ops.warp(x, b)):
        with tf.GradientTape() as outer:
            outer.watch(a)
            with tf.GradientTape() as inner:
                inner.watch(a)
                total = tf.reduce_sum(function(a) ** 2)
            once = inner.gradient(total, a)
        with pytest.raises((NotImplementedError, LookupError), match="differentiated once"):
            outer.gradient(once, a)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kernel_size": 2}, "kernel_size must be odd"),
        ({"kernel_size": 0}, "kernel_size must be from 1"),
        ({"stride": 0}, "stride must be from 1"),
        ({"displacement_stride": -1}, "displacement_stride must be from 1"),
        ({"max_displacement": -1}, "max_displacement must be from 0"),
        ({"max_displacement": 2**40}, "max_displacement must be from 0"),
        ({"max_displacement": 2**20, "padding": 2**20}, "too many elements"),
        ({"padding": -1}, "padding must be from 0"),
    ],
)
def test_wrong_arguments_are_errors(wrong, message):
    a, b = maps(1, 4, 5, 3)
    arguments = {"max_displacement": 1, **wrong}
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        native_ops.correlation(a, b, **arguments)


def test_shapes_that_do_not_fit_are_errors():
    a, b = maps(1, 4, 5, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="of one shape"):
        native_ops.correlation(a, b[:, 1:], 1)

    @tf.function(input_signature=[tf.TensorSpec((None,) * 4)] * 2)
    def unknown(image, flow):
        return ops.warp(image, tf.ensure_shape(flow[..., :2], (None, None, None, 2)))

    with pytest.raises(tf.errors.InvalidArgumentError, match="warp expects an image"):
        unknown(a, b[:, 1:])


@pytest.mark.parametrize(
    ("shape", "kernel"),
    [((2, 9, 12, 5), (3, 3, 5, 4)), ((1, 1, 7, 3), (7, 1, 3, 2)), ((1, 6, 5, 2), (1, 5, 2, 8))],
)
def test_the_gradient_of_a_convolution(shape, kernel):
    inputs = [RNG.standard_normal(each) for each in (shape, kernel)]  # float64
    found = values_and_gradients(native_ops.convolution, inputs)
    expected = values_and_gradients(lambda x, k: tf.nn.conv2d(x, k, 1, "SAME"), inputs)
    for a, b in zip(found, expected):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    # And once more: it is made of TensorFlow's own operations.
    x, k = map(tf.constant, inputs)

    def curvature(convolve):
        with tf.GradientTape() as outer:
            outer.watch((x, k))
            with tf.GradientTape() as inner:
                inner.watch((x, k))
                energy = tf.reduce_sum(convolve(x, k) ** 3)
            first = sum(tf.reduce_sum(g**2) for g in inner.gradient(energy, (x, k)))
        return outer.gradient(first, (x, k))

    of_reference = curvature(lambda x, k: tf.nn.conv2d(x, k, 1, "SAME"))
    for a, b in zip(curvature(native_ops.convolution), of_reference):
        np.testing.assert_allclose(a, b, rtol=1e-9)


def test_the_gradient_of_a_convolution_in_graphs():
    x, k = (tf.constant(RNG.standard_normal(each)) for each in ((2, 9, 12, 5), (3, 3, 5, 4)))

    def squared(convolve):
        with tf.GradientTape() as tape:
            tape.watch((x, k))
            result = convolve(x, k)
            total = tf.reduce_sum(result**2)
        return result, *tape.gradient(total, (x, k))

    expected = squared(lambda x, k: tf.nn.conv2d(x, k, 1, "SAME"))
    inside = tf.function(lambda: squared(native_ops.convolution))()
    outside = squared(tf.function(native_ops.convolution))
    for found in (inside, outside):
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_a_graph_with_convolutions_is_freed():
    """TensorFlow itself keeps for ever what a custom gradient closes over."""
    weights = tf.Variable(RNG.standard_normal((3, 3, 5, 4)))
    function = tf.function(lambda x: native_ops.convolution(x, weights))
    graph = function.get_concrete_function(tf.zeros((1, 4, 4, 5), tf.float64)).graph
    assert any(op.type == "IdentityN" for op in graph.get_operations())
    graph = weakref.ref(graph)
    del function
    gc.collect()
    assert graph() is None


def test_without_tensorflows_registry_the_gradient_is_the_same(monkeypatch):
    from tensorflow.python.framework import ops as tf_ops

    class Other:  # as a later version may have it
        register = staticmethod(tf_ops.gradient_registry.register)
        lookup = staticmethod(tf_ops.gradient_registry.lookup)

    monkeypatch.setattr(tf_ops, "gradient_registry", Other)
    x = tf.constant(RNG.standard_normal((1, 4, 4, 2)))
    kernel = tf.constant(RNG.standard_normal((3, 3, 2, 2)))

    @tf.function
    def gradient():
        return tf.gradients(tf.reduce_sum(native_ops.convolution(x, kernel) ** 2), [x])[0]

    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(tf.nn.conv2d(x, kernel, 1, "SAME") ** 2)
    np.testing.assert_allclose(gradient(), tape.gradient(total, x), rtol=1e-12)


def test_where_convolutions_are_keras():
    x, k = tf.zeros((1, 4, 4, 2)), tf.zeros((3, 3, 2, 2))
    assert native_ops.convolution(x, k) is not None
    assert native_ops.convolution(tf.cast(x, tf.float16), tf.cast(k, tf.float16)) is None
    with native_ops.reference_ops():
        assert native_ops.convolution(x, k) is None
    taken = []

    @tf.function(jit_compile=True)
    def compiled():
        taken.append(native_ops.convolution(x, k))
        return x

    compiled()
    assert taken == [None]


def test_layers_take_it():
    from tfflow.models.layers import Convolution

    layer = Convolution(4, 3)
    x = tf.constant(RNG.standard_normal((1, 8, 8, 3)).astype(np.float32))
    layer.build(x.shape)
    graph = tf.function(layer).get_concrete_function(x).graph
    assert "IdentityN" in {op.type for op in graph.get_operations()}
    with native_ops.reference_ops():
        graph = tf.function(layer).get_concrete_function(x).graph
    assert "IdentityN" not in {op.type for op in graph.get_operations()}


@pytest.mark.parametrize("kernel", [2, (2, 3)])
def test_the_gradient_of_an_even_kernel(kernel):
    from tfflow.models.layers import Convolution

    layer = Convolution(4, kernel, linear=True)
    x = tf.constant(RNG.standard_normal((1, 8, 8, 3)).astype(np.float32))
    weights = tf.constant(RNG.standard_normal((1, 8, 8, 4)).astype(np.float32))

    def gradient():
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(layer(x) * weights)
        return tape.gradient(total, x)

    found = gradient()
    with native_ops.reference_ops():
        np.testing.assert_allclose(found, gradient(), atol=1e-5)


def test_loading_twice_and_then_using_them(monkeypatch):
    first = native_ops.load()
    # TensorFlow can take no second library, whatever compiler is named now.
    monkeypatch.setenv("CXX", "g++ -O1")
    with ThreadPoolExecutor(4) as pool:
        assert all(each is first for each in pool.map(lambda _: native_ops.load(), range(4)))
    x = tf.constant(RNG.standard_normal((1, 4, 4, 2)).astype(np.float32))
    assert native_ops.correlation(x, x, 1) is not None
