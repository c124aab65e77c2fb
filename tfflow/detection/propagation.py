"""Feature propagation: a key frame's features, seen from the current frame.

Deep Feature Flow (Zhu et al., CVPR 2017, arXiv 1611.07715), without its scale map: the equation of
"Towards High Performance Video Object Detection for Mobiles" (arXiv 1804.05830) has none.
"""

from keras import ops

from tfflow.ops import resize_flow, warp
from tfflow.types import Tensor


def propagate(features: Tensor, flow: Tensor) -> Tensor:
    """Warps the key frame's ``features`` to the current frame.

    ``flow`` goes from the CURRENT frame to the KEY frame, as ``predict_flow(current, key)`` gives
    it: current(p) looks like key(p + flow(p)). So the result at p is ``features`` at p + flow(p),
    and looks like the features of the current frame. An object that moved 16 px to the right since
    the key frame has a flow of (-16, 0).

    The flow may be of any size and is in pixels of its own grid, for example from a network that
    saw the frames at half their size; it is converted to the features' size and units here. Each
    feature takes the mean of the flow over the pixels that it stands for. What lies outside of the
    key frame is zero.

    Args:
        features: The key frame's features, (B, h, w, C), floating point.
        flow: (B, H, W, 2), channel 0 = u to the right, channel 1 = v downwards.

    Returns:
        (B, h, w, C), in the features' dtype.

    Raises:
        ValueError: If the shapes do not match, or heights and widths are not known.

    Example:
        >>> flow = model.predict_flow(frames, key_frames)
        >>> propagated = propagate(detector.features(key_frames), flow)
    """
    return warp(features, flow_at_features(flow, features))


def flow_at_features(flow, features):
    """Converts a flow from its own grid and pixels to the features' grid and feature pixels.

    Args:
        flow: (B, H, W, 2).
        features: (B, h, w, C); only the shape is used.

    Returns:
        (B, h, w, 2) in feature pixels: the mean of the flow over each feature's pixels.

    Raises:
        ValueError: As for :func:`propagate`.
    """
    of_flow, of_features = tuple(flow.shape), tuple(features.shape)
    if len(of_flow) != 4 or of_flow[-1] != 2 or len(of_features) != 4:
        raise ValueError(
            "propagate expects features (B, h, w, C) and a flow (B, H, W, 2); got "
            f"{of_features} and {of_flow}."
        )
    size = of_features[1:3]
    if None in size or None in of_flow[1:3]:
        raise ValueError(
            f"propagate must know heights and widths; got features {of_features} and flow "
            f"{of_flow}. Trace the graph for images of one size."
        )
    # Blocks of whole pixels, whose mean is taken. With a stride of 16 and a flow of the images'
    # size, the first step changes nothing.
    blocks = tuple(max(1, round(of_flow[axis + 1] / size[axis])) for axis in (0, 1))
    flow = resize_flow(flow, tuple(n * block for n, block in zip(size, blocks)))
    if blocks != (1, 1):
        flow = ops.average_pool(flow, blocks, strides=blocks, data_format="channels_last")
    return flow / ops.convert_to_tensor([blocks[1], blocks[0]], dtype=flow.dtype)
