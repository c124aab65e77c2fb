"""Operations of optical-flow networks, each written once in ``keras.ops`` as the reference."""

from tfflow.ops.correlation import correlation
from tfflow.ops.resample import resize, resize_flow, upsample_nearest
from tfflow.ops.warp import warp

__all__ = ["correlation", "resize", "resize_flow", "upsample_nearest", "warp"]
