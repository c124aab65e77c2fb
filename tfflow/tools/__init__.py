"""What people do with flow, on NumPy arrays, whichever network or file it comes from."""

from tfflow.tools.camera import camera_flow, camera_motion, motion_mask, motion_masks
from tfflow.tools.consistency import confidence, occlusion
from tfflow.tools.interpolation import interpolate, interpolate_clip
from tfflow.tools.stabilization import stabilize
from tfflow.tools.tracking import PointTracker, Tracks, grid_points, track
from tfflow.tools.warping import warp

__all__ = [
    "PointTracker",
    "Tracks",
    "camera_flow",
    "camera_motion",
    "confidence",
    "grid_points",
    "interpolate",
    "interpolate_clip",
    "motion_mask",
    "motion_masks",
    "occlusion",
    "stabilize",
    "track",
    "warp",
]
