"""Clips as the shipped detector knows them, drawn quickly."""

import dataclasses

from tfflow.detection import SyntheticClips
from tfflow.detection.training import SCENES, SMALLEST


def shapes_clips(count, frames):
    """Scenes of the training's kind, from a pool that is made in a second."""
    config = dataclasses.replace(SCENES, textures=6, texture_size=384, shapes=32)
    return SyntheticClips(config, seed=5, count=count, frames=frames, hues=True, smallest=SMALLEST)
