"""Operations of optical-flow networks, each written once in ``keras.ops`` as the reference."""

from tfflow.ops.correlation import correlation
from tfflow.ops.deformable import convolution_at, deformable_convolution
from tfflow.ops.local_average import local_average
from tfflow.ops.norm import safe_norm
from tfflow.ops.resample import (
    downsample_triangle,
    resize,
    resize_flow,
    upsample_convex,
    upsample_from_corner,
    upsample_nearest,
    upsample_transposed,
)
from tfflow.ops.warp import warp

__all__ = [
    "convolution_at",
    "correlation",
    "deformable_convolution",
    "downsample_triangle",
    "local_average",
    "resize",
    "resize_flow",
    "safe_norm",
    "upsample_convex",
    "upsample_from_corner",
    "upsample_nearest",
    "upsample_transposed",
    "warp",
]
