"""Clips as the shipped detector knows them, drawn quickly."""

import dataclasses
import importlib.util
import pathlib

from tfflow.detection import SyntheticClips

SCRIPT = pathlib.Path(__file__).parents[1] / "train" / "detector.py"


def shapes_clips(count, frames):
    """Scenes of the training script's kind, from a pool that is made in a second."""
    spec = importlib.util.spec_from_file_location("detector_script", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    config = dataclasses.replace(script.SCENES, textures=6, texture_size=384, shapes=32)
    return SyntheticClips(
        config, seed=5, count=count, frames=frames, hues=True, smallest=script.SMALLEST
    )
