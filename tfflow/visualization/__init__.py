"""Pictures of optical flow: colour code and legend, error maps, arrows, figures, video.

Everything takes NumPy arrays (or what `np.asarray` takes) and returns (H, W, 3) uint8 RGB, which
`tfflow.data.write_image` writes. Flow is (H, W, 2) in pixels, u to the right, v downwards.

>>> picture = flow_figure(image1, image2, model.predict_flow(image1, image2), truth)
>>> write_image("figure.png", picture)
"""

from tfflow.visualization.boxes import draw_boxes
from tfflow.visualization.colors import (
    color_wheel_legend,
    error_legend,
    error_to_image,
    flow_to_image,
)
from tfflow.visualization.figures import (
    compose,
    confidence_to_image,
    flow_figure,
    flow_to_arrows,
    pyramid_figure,
)
from tfflow.visualization.tracks import TrackDrawing
from tfflow.visualization.video import write_video
from tfflow.visualization.window import Window

__all__ = [
    "TrackDrawing",
    "Window",
    "color_wheel_legend",
    "compose",
    "confidence_to_image",
    "draw_boxes",
    "error_legend",
    "error_to_image",
    "flow_figure",
    "flow_to_arrows",
    "flow_to_image",
    "pyramid_figure",
    "write_video",
]
