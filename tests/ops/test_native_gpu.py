"""Where ops go on a machine with a GPU: a pretended one, and so the CPU's kernels are what runs."""

import warnings

import numpy as np
import pytest
import tensorflow as tf
from golden_files import assert_close

from tfflow import ops
from tfflow.native.build import BuildError
from tfflow.ops import native as native_ops

RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((2, 9, 11, 16))
FLOW = RNG.uniform(-3, 3, (2, 9, 11, 2))
# A rounding or two of a number as large as the largest.
TOLERANCES = {"float32": 1e-5, "float16": 2e-3, "bfloat16": 2e-2}
HALVES = ("float16", "bfloat16")
WARPS = [("float32", half) for half in HALVES] + [(half, "float32") for half in HALVES]
WARPS += [("float32", "float32"), *zip(HALVES, HALVES), HALVES]


@pytest.fixture
def gpu(native, monkeypatch):
    """TensorFlow seems to have a GPU, and the library kernels for it."""
    native_ops._library = native_ops._library or native_ops.load()
    real = tf.config.list_logical_devices
    devices = [tf.config.LogicalDevice("/device:GPU:0", "GPU")]
    monkeypatch.setattr(
        tf.config,
        "list_logical_devices",
        lambda kind=None: devices if kind == "GPU" else real(kind),
    )
    monkeypatch.setattr(tf.test, "is_built_with_cuda", lambda: True)
    monkeypatch.setattr(native_ops, "_gpu_problem", None)


@pytest.fixture
def gpu_without_kernels(gpu, monkeypatch):
    monkeypatch.setattr(native_ops, "_gpu_problem", "nvcc is away. Fetch it.")
    monkeypatch.setattr(native_ops, "_warned", False)
    monkeypatch.delenv("TFFLOW_OPS")


def correlate(a, b):
    return ops.correlation(a, b, 2, normalize=True)


def warp(image, flow):
    return ops.warp(image, flow, mask_threshold=0.5)


def pair(dtype1, dtype2=None, other=FEATURES):
    return tf.constant(FEATURES, dtype1), tf.constant(other, dtype2 or dtype1)


def is_native(function, inputs):
    graph = tf.function(function).get_concrete_function(*inputs).graph
    return any(op.type.startswith("Tfflow") for op in graph.get_operations())


def output_and_gradients(function, inputs):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        output = function(*inputs)
        total = tf.reduce_sum(tf.cast(output, "float32") ** 2)
    return [output, *map(tf.convert_to_tensor, tape.gradient(total, inputs))]


def assert_as_reference(function, inputs):
    """In values as the reference in float32, in dtypes as the reference."""
    found = output_and_gradients(function, inputs)
    with native_ops.reference_ops():
        same = output_and_gradients(function, inputs)
        wide = [tf.cast(x, "float32") for x in inputs]
        expected = output_and_gradients(function, wide)
    least_precise = max(TOLERANCES[x.dtype.name] for x in inputs)
    for a, b, c in zip(found, same, expected):
        assert a.dtype == b.dtype and a.shape == b.shape
        assert_close(tf.cast(a, "float32"), c, least_precise)


@pytest.mark.parametrize("dtype", ["float32", *HALVES])
def test_correlation_in_every_precision(gpu, dtype):
    assert is_native(correlate, pair(dtype))
    assert_as_reference(correlate, pair(dtype))


@pytest.mark.parametrize(("of_image", "of_flow"), WARPS)
def test_warp_in_every_precision(gpu, of_image, of_flow):
    inputs = pair(of_image, of_flow, FLOW)
    assert is_native(warp, inputs)
    assert_as_reference(warp, inputs)
    _, mask = ops.warp(*inputs, return_mask=True)
    assert mask.dtype == of_image
    with native_ops.reference_ops():
        wide = [tf.cast(x, "float32") for x in inputs]
        np.testing.assert_array_equal(mask, ops.warp(*wide, return_mask=True)[1])


def test_half_precision_of_nothing(gpu):
    empty = tf.zeros((0, 4, 5, 3), "float16")
    assert correlate(empty, empty).shape == (0, 4, 5, 25)
    of_nothing = output_and_gradients(warp, (empty, empty[..., :2]))
    assert [x.dtype for x in of_nothing] == ["float16"] * 3


def test_what_has_no_kernel_on_any_device(gpu):
    assert not is_native(correlate, pair("float16", "float32"))
    assert not is_native(warp, pair("float64", "float32", FLOW))
    assert not is_native(warp, pair("float16", "float64", FLOW))


def test_float64_is_left_to_the_cpu_unless_that_is_forbidden(gpu):
    assert is_native(correlate, pair("float64")) and is_native(warp, pair("float64", other=FLOW))
    tf.config.set_soft_device_placement(False)
    try:
        assert not is_native(correlate, pair("float64"))
    finally:
        tf.config.set_soft_device_placement(True)


def test_every_dtype_of_the_ops_has_a_cpu_kernel(native):
    """So that none is missed where only the caller of a function knows that it runs on the CPU."""
    from tensorflow.python.framework import kernels

    native_ops._library = native_ops._library or native_ops.load()
    for name in ("Correlation", "CorrelationGradient", "Warp", "WarpGradient"):
        found = kernels.get_registered_kernels_for_op(f"Tfflow{name}").kernel
        types = {
            tf.dtypes.as_dtype(constraint.allowed_values.list.type[0]).name
            for kernel in found
            if kernel.device_type == "CPU"
            for constraint in kernel.constraint
            if constraint.name == "T"
        }
        assert types == {"float16", "bfloat16", "float32", "float64"}


@pytest.mark.parametrize("scope", ["CPU", "/cpu:0"])
def test_scopes_of_the_cpu_are_as_machines_without_gpu(gpu_without_kernels, scope, recwarn):
    def within(a, b):
        with tf.device(scope):
            return correlate(a, b)

    def loop(a, b):
        with tf.device(scope):
            return tf.while_loop(
                lambda i, _: i < 2, lambda i, _: (i + 1, correlate(a, b)), (0, correlate(a, b))
            )[1]

    assert is_native(within, pair("float32")) and is_native(loop, pair("float32"))
    assert not is_native(within, pair("float16"))
    with tf.device(scope):
        assert is_native(correlate, pair("float32"))
    assert not [w for w in recwarn if w.category is RuntimeWarning]


def test_without_gpu_kernels_one_warning_and_the_reference(gpu_without_kernels):
    with pytest.warns(RuntimeWarning, match="on the GPU .* nvcc is away. Fetch it.") as said:
        for dtype in ("float32", "float16"):
            assert not is_native(correlate, pair(dtype))
            correlate(*pair(dtype))
    assert len([w for w in said if w.category is RuntimeWarning]) == 1
    assert is_native(correlate, pair("float64"))


def test_without_gpu_kernels_native_is_an_error_on_the_gpu_only(gpu_without_kernels, monkeypatch):
    monkeypatch.setenv("TFFLOW_OPS", "native")
    with pytest.raises(BuildError, match="no GPU kernels here. nvcc is away. Fetch it."):
        correlate(*pair("float16"))
    with tf.device("CPU"):
        correlate(*pair("float32"))
    correlate(*pair("float64"))


@pytest.mark.parametrize("other", ["a GPU without CUDA", "a TPU"])
def test_other_devices_take_the_reference(gpu_without_kernels, other, monkeypatch):
    if other == "a TPU":
        device = [tf.config.LogicalDevice("/device:TPU:0", "TPU")]
        monkeypatch.setattr(
            tf.config, "list_logical_devices", lambda kind=None: device if kind == "TPU" else []
        )
    monkeypatch.setattr(tf.test, "is_built_with_cuda", lambda: False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        assert not is_native(correlate, pair("float32"))
