"""Objects in videos: features on key frames, carried along the flow to the frames between them."""

import importlib

_LAZY = {
    "BoxLoss": "losses",
    "ByError": "schedule",
    "ByMotion": "schedule",
    "CentrenessLoss": "losses",
    "ClipAugmentation": "sampling",
    "ClipBatches": "sampling",
    "Detections": "boxes",
    "FixedInterval": "schedule",
    "FlowGuidedDetector": "detector",
    "FlowGuidedGRU": "aggregation",
    "FocalLoss": "losses",
    "KeyFrameSchedule": "schedule",
    "VideoDetector": "video_detector",
    "average_precision": "evaluation",
    "decode": "boxes",
    "detect_video": "files",
    "encode": "boxes",
    "evaluate": "evaluation",
    "head_losses": "losses",
    "load_detector": "loading",
    "motion_speeds": "evaluation",
    "overlaps": "boxes",
    "propagate": "propagation",
    "suppress": "boxes",
}

__all__ = list(_LAZY)


def __getattr__(name):
    # Keras is imported with the first thing that needs it, not with the package.
    if name in _LAZY:
        return getattr(importlib.import_module(f"tfflow.video.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
