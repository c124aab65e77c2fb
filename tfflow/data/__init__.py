"""Data: file formats, data sets, synthetic scenes, and the pipeline that feeds training."""

import importlib

_LAZY = {
    "CorruptFileError": "formats",
    "read_flow": "formats",
    "read_image": "formats",
    "read_pfm": "formats",
    "write_flow": "formats",
    "write_image": "formats",
    "write_pfm": "formats",
    "ChairsSDHom": "datasets",
    "FlowDataset": "datasets",
    "FlowSample": "datasets",
    "FlyingChairs": "datasets",
    "FlyingThings3D": "datasets",
    "FlyingThings3DSubset": "datasets",
    "HD1K": "datasets",
    "Kitti2012": "datasets",
    "Kitti2015": "datasets",
    "Middlebury": "datasets",
    "Mixture": "datasets",
    "PairFolder": "datasets",
    "Sintel": "datasets",
    "open_dataset": "datasets",
    "SceneCache": "scene_cache",
    "synthesize": "scene_cache",
    "SceneConfig": "synthetic",
    "TimedFrame": "video",
    "read_video": "video",
    "training_pipeline": "pipeline",
}

__all__ = list(_LAZY)


def __getattr__(name):
    # TensorFlow, OpenCV and PyAV are imported with what needs them, not with the package.
    if name in _LAZY:
        return getattr(importlib.import_module(f"tfflow.data.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
