"""Objects in videos: found on key frames, carried along the flow to the frames between them."""

from typing import TYPE_CHECKING

from tfflow.lazy import importer

if TYPE_CHECKING:
    from tfflow.detection.aggregation import FlowGuidedGRU as FlowGuidedGRU
    from tfflow.detection.app_assets import add_detector_to_assets as add_detector_to_assets
    from tfflow.detection.box_propagation import BoxPropagator as BoxPropagator
    from tfflow.detection.box_propagation import move_boxes as move_boxes
    from tfflow.detection.boxes import Detections as Detections
    from tfflow.detection.boxes import decode as decode
    from tfflow.detection.boxes import encode as encode
    from tfflow.detection.boxes import overlaps as overlaps
    from tfflow.detection.boxes import suppress as suppress
    from tfflow.detection.clip_datasets import ImageNetVID as ImageNetVID
    from tfflow.detection.clip_files import write_clips as write_clips
    from tfflow.detection.clips import VideoFrame as VideoFrame
    from tfflow.detection.coco import CocoClips as CocoClips
    from tfflow.detection.coco import open_coco as open_coco
    from tfflow.detection.detector import FlowGuidedDetector as FlowGuidedDetector
    from tfflow.detection.evaluation import average_precision as average_precision
    from tfflow.detection.evaluation import evaluate as evaluate
    from tfflow.detection.evaluation import motion_speeds as motion_speeds
    from tfflow.detection.export import export_detector as export_detector
    from tfflow.detection.export import export_image_detector as export_image_detector
    from tfflow.detection.files import detect_video as detect_video
    from tfflow.detection.interpreter import DetectorInterpreter as DetectorInterpreter
    from tfflow.detection.loading import load_detector as load_detector
    from tfflow.detection.losses import BoxLoss as BoxLoss
    from tfflow.detection.losses import CentrenessLoss as CentrenessLoss
    from tfflow.detection.losses import FocalLoss as FocalLoss
    from tfflow.detection.losses import head_losses as head_losses
    from tfflow.detection.moving_stills import MovingStills as MovingStills
    from tfflow.detection.propagation import propagate as propagate
    from tfflow.detection.sampling import ClipAugmentation as ClipAugmentation
    from tfflow.detection.sampling import ClipBatches as ClipBatches
    from tfflow.detection.schedule import ByConfidence as ByConfidence
    from tfflow.detection.schedule import ByError as ByError
    from tfflow.detection.schedule import ByMotion as ByMotion
    from tfflow.detection.schedule import FixedInterval as FixedInterval
    from tfflow.detection.schedule import KeyFrameSchedule as KeyFrameSchedule
    from tfflow.detection.synthetic_clips import SyntheticClips as SyntheticClips
    from tfflow.detection.video_detector import VideoDetector as VideoDetector

_LAZY = {
    "BoxLoss": "losses",
    "BoxPropagator": "box_propagation",
    "ByConfidence": "schedule",
    "ByError": "schedule",
    "ByMotion": "schedule",
    "CentrenessLoss": "losses",
    "ClipAugmentation": "sampling",
    "ClipBatches": "sampling",
    "CocoClips": "coco",
    "DetectorInterpreter": "interpreter",
    "Detections": "boxes",
    "FixedInterval": "schedule",
    "FlowGuidedDetector": "detector",
    "FlowGuidedGRU": "aggregation",
    "FocalLoss": "losses",
    "ImageNetVID": "clip_datasets",
    "KeyFrameSchedule": "schedule",
    "MovingStills": "moving_stills",
    "SyntheticClips": "synthetic_clips",
    "VideoDetector": "video_detector",
    "VideoFrame": "clips",
    "add_detector_to_assets": "app_assets",
    "average_precision": "evaluation",
    "decode": "boxes",
    "detect_video": "files",
    "encode": "boxes",
    "evaluate": "evaluation",
    "export_detector": "export",
    "export_image_detector": "export",
    "head_losses": "losses",
    "load_detector": "loading",
    "motion_speeds": "evaluation",
    "move_boxes": "box_propagation",
    "open_coco": "coco",
    "overlaps": "boxes",
    "propagate": "propagation",
    "suppress": "boxes",
    "write_clips": "clip_files",
}

__all__ = list(_LAZY)


if not TYPE_CHECKING:  # to type checkers, any other name is an error
    # Keras is imported with the first thing that needs it, not with the package.
    __getattr__ = importer(__name__, _LAZY)
