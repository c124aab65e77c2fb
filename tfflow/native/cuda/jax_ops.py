"""The CUDA kernels as JAX functions, with gradients.

With ``KERAS_BACKEND=jax`` and ``TFFLOW_OPS=native``, tfflow.ops.correlation and warp use these. To
call them directly:

    from tfflow.native.cuda import jax_ops

    jax_ops.load()
    cost = jax_ops.correlation(features1, features2, 4)

``load`` needs nvcc and g++; the functions need an NVIDIA GPU that JAX sees. Meaning, shapes and
names are those of tfflow.ops.correlation and tfflow.ops.warp. There are no second derivatives.
"""

import ctypes
import functools
import hashlib
import pathlib

import jax
import jax.numpy as jnp
import numpy as np

from tfflow.atomic_file import atomic_file
from tfflow.cache_folder import cache_folder
from tfflow.native.cuda.nvcc import compile_library

TARGETS = (
    "tfflow_correlation",
    "tfflow_correlation_gradients",
    "tfflow_warp",
    "tfflow_warp_gradients",
)
DTYPES = ("float32", "float16", "bfloat16")


def build(library, architectures=("native",), nvcc="nvcc"):
    """Compiles the kernels and their handlers into a shared library, in half a minute.

    Args:
        library: The file to write.
        architectures: Compute capabilities, as "80" and "90"; "native" is this machine's GPU.
        nvcc: NVIDIA's compiler, which calls g++.

    Returns:
        ``library``, as a path.

    Raises:
        RuntimeError: If there is no such compiler, or it fails; with its output.
    """
    library = pathlib.Path(library)
    compile_library(library, ["jax_ffi.cc"], jax.ffi.include_dir(), architectures, nvcc)
    return library


@functools.cache
def load():
    """Builds the kernels into the user's cache, once, and registers them.

    Raises:
        RuntimeError: If JAX sees no NVIDIA GPU, or there is no compiler, or it fails.
    """
    if jax.default_backend() != "gpu":
        raise RuntimeError(
            f"The CUDA kernels need an NVIDIA GPU that JAX sees; it has {jax.devices()}. Unset "
            "TFFLOW_OPS for the reference."
        )
    sources = (pathlib.Path(__file__).parent, pathlib.Path(__file__).parents[1])
    content = b"".join(
        path.read_bytes()
        for folder in sources
        for pattern in ("*.cc", "*.cu", "*.h", "*.cuh")
        for path in sorted(folder.glob(pattern))
    )
    key = hashlib.sha256(content + jax.__version__.encode()).hexdigest()[:16]
    library = cache_folder() / f"jax-{key}-{jax.devices()[0].compute_capability}.so"
    if not library.is_file():
        library.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(library, durable=True) as temporary:
            build(temporary)
    register(library)


def register(library, platform="CUDA"):
    """Makes the library's kernels known to JAX; once per process."""
    functions = ctypes.CDLL(str(pathlib.Path(library).resolve()))
    for name in TARGETS:
        capsule = jax.ffi.pycapsule(getattr(functions, name))
        jax.ffi.register_ffi_target(name, capsule, platform=platform)


def correlation(
    features1,
    features2,
    max_displacement,
    *,
    stride=1,
    displacement_stride=1,
    normalize=False,
    kernel_size=1,
    padding=None,
    origin=0,
):
    """tfflow.ops.correlation, with FlowNet's other settings as in tfflow/native/shapes.h.

    ``kernel_size`` is the side of the patches that are compared, ``padding`` (``max_displacement``
    unless given) determines the output's size, and ``origin`` is the pixel that the
    first output looks at.
    """
    _check_dtypes(features1, features2)
    if min(max_displacement, stride - 1, displacement_stride - 1) < 0 or kernel_size % 2 != 1:
        raise ValueError(
            "Strides must be at least 1, max_displacement at least 0 and kernel_size odd; got "
            f"{stride}, {displacement_stride}, {max_displacement} and {kernel_size}."
        )
    if padding is None:
        padding = max_displacement
    sizes = (kernel_size, max_displacement, stride, displacement_stride, padding, origin)
    return _correlation((*sizes, bool(normalize)), features1, features2)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _correlation(settings, first, second):
    kernel_size, max_displacement, stride, step, padding, _, _ = settings
    batch, height, width, _ = first.shape
    lost = 2 * (max_displacement + kernel_size // 2 - padding)
    sides = (max(0, -(-(size - lost) // stride)) for size in (height, width))
    cost = jax.ShapeDtypeStruct(
        (batch, *sides, (2 * (max_displacement // step) + 1) ** 2), first.dtype
    )
    return jax.ffi.ffi_call("tfflow_correlation", cost)(first, second, **_attributes(settings))


def _correlation_forward(settings, first, second):
    return _correlation(settings, first, second), (first, second)


def _correlation_backward(settings, maps, upstream):
    kernel = jax.ffi.ffi_call("tfflow_correlation_gradients", [_like(x) for x in maps])
    return tuple(kernel(upstream, *maps, **_attributes(settings)))


_correlation.defvjp(_correlation_forward, _correlation_backward)


def _attributes(settings):
    *sizes, normalise = settings
    names = "kernel_size", "max_displacement", "stride", "displacement_stride", "padding", "origin"
    return {name: np.int64(size) for name, size in zip(names, sizes)} | {"normalise": normalise}


def warp(
    image,
    flow,
    *,
    padding="zeros",
    mask_threshold=None,
    return_mask=False,
    deterministic=False,
):
    """tfflow.ops.warp. ``deterministic`` gives the same image gradient, bit for bit, every time."""
    _check_dtypes(image)
    threshold = 0.9999 if mask_threshold is None else mask_threshold
    settings = (padding == "border", mask_threshold is not None, threshold, deterministic)
    warped, mask = _warp(settings, image, flow.astype("float32"))
    return (warped, mask) if return_mask else warped


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _warp(settings, image, flow):
    *settings, _ = settings
    mask = jax.ShapeDtypeStruct((*image.shape[:3], 1), image.dtype)
    kernel = jax.ffi.ffi_call("tfflow_warp", [_like(image), mask])
    return tuple(kernel(image, flow, **_warp_attributes(settings)))


def _warp_forward(settings, image, flow):
    return _warp(settings, image, flow), (image, flow)


def _warp_backward(settings, inputs, upstream):
    *settings, deterministic = settings
    image, flow = inputs
    # As warp_workspace_bytes in launch.h.
    size = 16 + 8 * image.size if deterministic else 4 * image.size * (image.dtype != "float32")
    workspace = jax.ShapeDtypeStruct((size,), jnp.uint8)
    kernel = jax.ffi.ffi_call("tfflow_warp_gradients", [_like(image), _like(flow), workspace])
    attributes = _warp_attributes(settings) | {"deterministic": deterministic}
    of_image, of_flow, _ = kernel(upstream[0], image, flow, **attributes)
    return of_image, of_flow


_warp.defvjp(_warp_forward, _warp_backward)


def _warp_attributes(settings):
    repeat_border, masked, threshold = settings
    threshold = np.float32(threshold)
    return {"repeat_border": repeat_border, "masked": masked, "mask_threshold": threshold}


def _like(array):
    return jax.ShapeDtypeStruct(array.shape, array.dtype)


def _check_dtypes(*arrays):
    for array in arrays:
        if array.dtype not in DTYPES:
            raise ValueError(f"The CUDA kernels take {', '.join(DTYPES)}; got {array.dtype}.")
