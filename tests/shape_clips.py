"""Clips as the shipped detector knows them, drawn quickly."""

from tfflow.data import SceneConfig, SyntheticClips


def shapes_clips(count, frames):
    config = SceneConfig(
        height=256,
        width=384,
        motion_scale=0.15,
        background_speed=(7.0, 20.0),
        object_speed=(2.0, 10.0),
        object_rotation=1.5,
        object_zoom=0.02,
        acceleration=0.02,
        objects=(3, 6),
        object_size=(0.25, 0.9),
        textures=6,
        texture_size=384,
        shapes=32,
    )
    return SyntheticClips(config, seed=5, count=count, frames=frames, hues=True, smallest=150)
