"""The bodies of the CUDA kernels on NumPy arrays, by way of cuda_emulation.cc."""

import ctypes
import pathlib
import subprocess

import ml_dtypes
import numpy as np

DTYPES = (np.float32, np.float16, ml_dtypes.bfloat16)
TOO_LARGE = 1
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas")


class Correlation(ctypes.Structure):
    """shapes.h's."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("batch", "height", "width", "channels")),
        *((name, ctypes.c_int64) for name in ("kernel_size", "max_displacement", "stride")),
        *((name, ctypes.c_int64) for name in ("displacement_stride", "padding", "origin")),
        ("normalise", ctypes.c_bool),
    ]

    @property
    def span(self):
        return 2 * (self.max_displacement // self.displacement_stride) + 1

    @property
    def output_shape(self):
        lost = 2 * (self.max_displacement + self.kernel_size // 2 - self.padding)
        sides = (max(0, -(-(size - lost) // self.stride)) for size in (self.height, self.width))
        return self.batch, *sides, self.span**2


class Warp(ctypes.Structure):
    """shapes.h's."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("batch", "height", "width", "channels")),
        ("border", ctypes.c_int32),
        ("masked", ctypes.c_bool),
        ("mask_threshold", ctypes.c_float),
    ]


class Emulation:
    """The library, compiled into a folder. Outputs are NaN before: what isn't written shows.

    ``backwards`` lets the threads take their turns in the opposite order.
    """

    def __init__(self, compiler, folder):
        source = pathlib.Path(__file__).with_suffix(".cc")
        library = folder / "emulation.so"
        flags = ["-std=c++17", "-O1", "-fPIC", "-shared", *WARNINGS]
        subprocess.run([compiler, *flags, source, "-o", library], check=True)
        self.library = ctypes.CDLL(str(library))

    def correlation(self, shape, first, second, backwards=False):
        cost = np.full(shape.output_shape, np.nan, first.dtype)
        self.call("correlation", shape, _kind(first), first, second, cost, int(backwards))
        return cost

    def correlation_gradients(self, shape, first, second, upstream, backwards=False):
        gradients = np.full_like(first, np.nan), np.full_like(first, np.nan)
        arguments = upstream, first, second, *gradients, int(backwards)
        self.call("correlation_gradients", shape, _kind(first), *arguments)
        return gradients

    def warp(self, image, flow, padding="zeros", threshold=None):
        """(warped, mask)."""
        warped = np.full_like(image, np.nan)
        mask = np.full((*image.shape[:3], 1), np.nan, image.dtype)
        shape = warp_shape(image, padding, threshold)
        self.call("warp", shape, _kind(image), image, flow, warped, mask, 0)
        return warped, mask

    def warp_gradients(
        self,
        image,
        flow,
        upstream,
        padding="zeros",
        threshold=None,
        *,
        fixed_point=False,
        backwards=False,
    ):
        gradients = np.full_like(image, np.nan), np.full_like(flow, np.nan)
        shape, choices = warp_shape(image, padding, threshold), (_kind(image), int(fixed_point))
        arrays = upstream, image, flow, *gradients
        self.call("warp_gradients", shape, *choices, *arrays, int(backwards))
        return gradients

    def call(self, name, shape, *arguments, expected=0):
        """A function of cuda_emulation.cc, arrays as pointers; checks what it returns."""
        arguments = [
            ctypes.c_void_p(x.ctypes.data) if isinstance(x, np.ndarray) else x for x in arguments
        ]
        outcome = getattr(self.library, f"emulate_{name}")(ctypes.byref(shape), *arguments)
        assert outcome == expected


def warp_shape(image, padding, threshold):
    border = ("zeros", "border").index(padding)
    return Warp(*image.shape, border, threshold is not None, 0.9999)


def _kind(array):
    return DTYPES.index(array.dtype)
