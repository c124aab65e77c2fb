"""Objects in videos: features on key frames, carried along the flow to the frames between them."""

import importlib

_LAZY = {
    "ByError": "schedule",
    "ByMotion": "schedule",
    "FixedInterval": "schedule",
    "FlowGuidedGRU": "aggregation",
    "KeyFrameSchedule": "schedule",
    "propagate": "propagation",
}

__all__ = list(_LAZY)


def __getattr__(name):
    # Keras is imported with the first thing that needs it, not with the package.
    if name in _LAZY:
        return getattr(importlib.import_module(f"tfflow.video.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
