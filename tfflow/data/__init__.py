"""Data: file formats, data sets, synthetic scenes, and the pipeline that feeds training."""

import importlib

_LAZY = {
    "CorruptFileError": "files.errors",
    "read_flow": "files.flows",
    "read_image": "files.images",
    "read_pfm": "files.flows",
    "write_flow": "files.flows",
    "write_image": "files.images",
    "write_pfm": "files.flows",
    "ChairsSDHom": "datasets",
    "DATASETS": "datasets",
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
    "PairFiles": "datasets",
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
