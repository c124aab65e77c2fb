"""Data: file formats, data sets, synthetic scenes, and the pipeline that feeds training."""

import importlib

_LAZY = {
    "CorruptFileError": "files.formats",
    "read_flow": "files.formats",
    "read_image": "files.formats",
    "read_pfm": "files.formats",
    "write_flow": "files.formats",
    "write_image": "files.formats",
    "write_pfm": "files.formats",
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
    "SceneCache": "scenes.cache",
    "synthesize": "scenes.cache",
    "SceneConfig": "scenes",
    "TimedFrame": "files.video",
    "read_video": "files.video",
    "training_pipeline": "pipeline.batches",
}

__all__ = list(_LAZY)


def __getattr__(name):
    # TensorFlow, OpenCV and PyAV are imported with what needs them, not with the package.
    if name in _LAZY:
        return getattr(importlib.import_module(f"tfflow.data.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
