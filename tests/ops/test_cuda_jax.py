"""The CUDA kernels as JAX functions: all but the GPU, which cuda_emulation.cc stands in for."""

import functools
import pathlib
import shutil
import subprocess

import numpy as np
import pytest
import tensorflow as tf
from golden_files import assert_close

from tfflow import ops
from tfflow.ops.native import reference_ops

jax = pytest.importorskip("jax")

from tfflow.native.cuda import jax_ops  # noqa: E402, after it is known that there is JAX

TESTS = pathlib.Path(__file__).parents[1]
SOURCES = pathlib.Path(jax_ops.__file__).parent


@pytest.fixture(scope="module", autouse=True)
def kernels_on_the_host(tmp_path_factory):
    """The handlers, linked to loops instead of launches, for JAX's CPU."""
    nvcc = shutil.which("nvcc")
    if nvcc is None or shutil.which("g++") is None:
        pytest.skip("no nvcc or no g++ to compile the handlers with")
    library = tmp_path_factory.mktemp("jax") / "emulation.so"
    command = [nvcc, "-std=c++17", "-O1", "-shared", "-DTFFLOW_EMULATED"]
    command += ["-Xcompiler=-fPIC,-Wall,-Wextra,-Werror,-Wno-unknown-pragmas"]
    command += [f"-isystem={jax.ffi.include_dir()}", SOURCES / "jax_ffi.cc"]
    subprocess.run([*command, TESTS / "cuda_emulation.cc", "-o", library], check=True)
    jax_ops.register(library, platform="cpu")


def check(of_jax, of_tf, inputs, tolerance=1e-5):
    """Compares value and gradients, of sum(output · noise), of two functions."""
    variables = [tf.Variable(x) for x in inputs]
    with reference_ops(), tf.GradientTape() as tape:
        expected = of_tf(*variables)
        noise = np.random.default_rng(5).standard_normal(expected.shape).astype(np.float32)
        total = tf.reduce_sum(expected * noise)

    def scalar(*inputs):
        output = of_jax(*inputs)
        return (output * noise).sum(), output

    arguments = tuple(range(len(inputs)))
    found = jax.jit(jax.grad(scalar, arguments, has_aux=True))(*inputs)
    assert_close(found[1], expected, tolerance, "value")
    for one, gradient in zip(found[0], tape.gradient(total, variables)):
        assert_close(one, gradient, tolerance, "gradient")


def draw(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def test_the_ops_are_these_kernels_on_jax_where_that_is_asked_for(monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    monkeypatch.setattr(jax_ops, "load", lambda: None)  # they are registered here, for the CPU
    maps = [jax.numpy.asarray(draw(1, 6, 8, 4)) for _ in range(2)]
    flow = jax.numpy.asarray(draw(1, 6, 8, 2))
    assert ops.native.correlation(*maps, 2) is None
    monkeypatch.setenv("TFFLOW_OPS", "native")
    np.testing.assert_array_equal(ops.native.correlation(*maps, 2), jax_ops.correlation(*maps, 2))
    found = ops.native.warp(maps[0], flow, padding="border", mask_threshold=None)
    for one, other in zip(found, jax_ops.warp(maps[0], flow, padding="border", return_mask=True)):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("stride, step, normalize", [(1, 1, False), (2, 2, True), (1, 2, False)])
def test_correlation(stride, step, normalize):
    settings = dict(stride=stride, displacement_stride=step, normalize=normalize)
    functions = (
        functools.partial(module.correlation, max_displacement=4, **settings)
        for module in (jax_ops, ops)
    )
    check(*functions, (draw(2, 7, 9, 8), draw(2, 7, 9, 8)))


@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize("padding", ["zeros", "border"])
def test_warp(padding, deterministic):
    settings = dict(padding=padding, mask_threshold=0.9999)
    of_jax = functools.partial(jax_ops.warp, deterministic=deterministic, **settings)
    check(of_jax, functools.partial(ops.warp, **settings), (draw(2, 6, 8, 5), 2 * draw(2, 6, 8, 2)))


def test_mask_and_half_precision():
    image, flow = draw(1, 6, 8, 16), 2 * draw(1, 6, 8, 2)
    with reference_ops():
        expected = ops.warp(image, flow, return_mask=True)
    for found, one in zip(jax_ops.warp(image, flow, return_mask=True), expected):
        assert_close(found, one, 1e-5)
    half = jax.numpy.asarray(image, "bfloat16")
    warped, mask = jax_ops.warp(half, flow, return_mask=True)
    assert warped.dtype == mask.dtype == "bfloat16"
    gradient = jax.grad(lambda image: jax_ops.warp(image, flow).astype("float32").sum())(half)
    assert gradient.dtype == "bfloat16"
    assert_close(warped.astype("float32"), expected[0], 1e-2)


def test_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match=r"take float32, float16, bfloat16; got int32"):
        jax_ops.warp(np.zeros((1, 2, 2, 1), np.int32), draw(1, 2, 2, 2))
    with pytest.raises(Exception, match="do not fit together"):
        jax_ops.correlation(draw(1, 4, 4, 8), draw(1, 4, 5, 8), 1).block_until_ready()
    with pytest.raises(ValueError, match="Strides must be at least 1"):
        jax_ops.correlation(draw(1, 4, 4, 8), draw(1, 4, 4, 8), 1, stride=-1)


@pytest.mark.slow
def test_builds(tmp_path):
    """For a GPU, with nothing left to resolve; and says so where it doesn't."""
    jax_ops.build(tmp_path / "kernels.so", architectures=("80", "90"))
    jax_ops.register(tmp_path / "kernels.so")
    with pytest.raises(RuntimeError, match="was not found"):
        jax_ops.build(tmp_path / "other.so", nvcc="no-such-compiler")
    with pytest.raises(RuntimeError, match="compute_1"):
        jax_ops.build(tmp_path / "other.so", architectures=("1",))
