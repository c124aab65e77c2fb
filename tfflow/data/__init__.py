"""Data: file formats, data sets, synthetic scenes, and the pipeline that feeds training."""

from typing import TYPE_CHECKING

from tfflow.lazy import importer

if TYPE_CHECKING:
    from tfflow.data.datasets import DATASETS as DATASETS
    from tfflow.data.datasets import HD1K as HD1K
    from tfflow.data.datasets import ChairsSDHom as ChairsSDHom
    from tfflow.data.datasets import FlowDataset as FlowDataset
    from tfflow.data.datasets import FlowSample as FlowSample
    from tfflow.data.datasets import FlyingChairs as FlyingChairs
    from tfflow.data.datasets import FlyingThings3D as FlyingThings3D
    from tfflow.data.datasets import FlyingThings3DSubset as FlyingThings3DSubset
    from tfflow.data.datasets import Kitti2012 as Kitti2012
    from tfflow.data.datasets import Kitti2015 as Kitti2015
    from tfflow.data.datasets import Middlebury as Middlebury
    from tfflow.data.datasets import Mixture as Mixture
    from tfflow.data.datasets import PairFiles as PairFiles
    from tfflow.data.datasets import PairFolder as PairFolder
    from tfflow.data.datasets import Sintel as Sintel
    from tfflow.data.datasets import open_dataset as open_dataset
    from tfflow.data.files.camera import read_camera as read_camera
    from tfflow.data.files.errors import CorruptFileError as CorruptFileError
    from tfflow.data.files.flows import read_flow as read_flow
    from tfflow.data.files.flows import read_pfm as read_pfm
    from tfflow.data.files.flows import write_flow as write_flow
    from tfflow.data.files.flows import write_pfm as write_pfm
    from tfflow.data.files.images import read_image as read_image
    from tfflow.data.files.images import write_image as write_image
    from tfflow.data.files.video import TimedFrame as TimedFrame
    from tfflow.data.files.video import read_video as read_video
    from tfflow.data.pipeline.batches import training_pipeline as training_pipeline
    from tfflow.data.scenes import SceneConfig as SceneConfig
    from tfflow.data.scenes.cache import SceneCache as SceneCache
    from tfflow.data.scenes.cache import synthesize as synthesize

_LAZY = {
    "CorruptFileError": "files.errors",
    "read_camera": "files.camera",
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


if not TYPE_CHECKING:  # to type checkers, any other name is an error
    # TensorFlow, OpenCV and PyAV are imported with what needs them, not with the package.
    __getattr__ = importer(__name__, _LAZY)
