"""Weights: our presets, published checkpoints by name, importers for other projects' files."""

from tfflow.weights.checkpoints import (
    PublishedCheckpoint,
    checkpoint,
    download_checkpoint,
    list_checkpoints,
    load_checkpoint,
)
from tfflow.weights.loaders import load_lightflow_pytorch, load_liteflownet_official, load_mmflow
from tfflow.weights.presets import list_presets, preset_card, preset_tflite
from tfflow.weights.state_dict import read_state_dict

__all__ = [
    "PublishedCheckpoint",
    "checkpoint",
    "download_checkpoint",
    "list_checkpoints",
    "list_presets",
    "load_checkpoint",
    "load_lightflow_pytorch",
    "load_liteflownet_official",
    "load_mmflow",
    "preset_card",
    "preset_tflite",
    "read_state_dict",
]
