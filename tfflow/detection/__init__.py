"""Objects in videos: features on key frames, carried along the flow to the frames between them."""

import importlib

_LAZY = {
    "BoxLoss": "losses",
    "ByError": "schedule",
    "ByMotion": "schedule",
    "CentrenessLoss": "losses",
    "ClipAugmentation": "sampling",
    "ClipBatches": "sampling",
    "CocoVideo": "clip_datasets",
    "DetectorInterpreter": "interpreter",
    "Detections": "boxes",
    "FixedInterval": "schedule",
    "FlowGuidedDetector": "detector",
    "FlowGuidedGRU": "aggregation",
    "FocalLoss": "losses",
    "ImageNetVID": "clip_datasets",
    "KeyFrameSchedule": "schedule",
    "SyntheticClips": "synthetic_clips",
    "VideoDetector": "video_detector",
    "VideoFrame": "clips",
    "average_precision": "evaluation",
    "decode": "boxes",
    "detect_video": "files",
    "encode": "boxes",
    "evaluate": "evaluation",
    "export_detector": "export",
    "head_losses": "losses",
    "load_detector": "loading",
    "motion_speeds": "evaluation",
    "overlaps": "boxes",
    "propagate": "propagation",
    "suppress": "boxes",
    "write_clips": "clip_files",
}

__all__ = list(_LAZY)


def __getattr__(name):
    # Keras is imported with the first thing that needs it, not with the package.
    if name in _LAZY:
        return getattr(importlib.import_module(f"tfflow.detection.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
