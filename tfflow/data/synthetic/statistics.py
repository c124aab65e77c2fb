"""How fast things move in the scenes of a configuration, to compare with a real data set."""

import dataclasses

import numpy as np

from tfflow.data.synthetic.render_cv import render
from tfflow.data.synthetic.scene import sample_scene

PERCENTILES = (0, 25, 50, 75, 90, 99, 100)


def motion_statistics(config, count=200, seed=0):
    """Statistics of the flow's length in pixels.

    Args:
        config: `SceneConfig`.
        count: number of scenes to measure; about 30 ms each.
        seed: of the scenes.

    Returns:
        dict: "mean", and "pixels" and "pairs", each {percentile: length} for 0, 25, 50, 75, 90, 99
        and 100 percent, over all pixels of all scenes and over the scenes' mean lengths; "occluded"
        and "objects", the fractions of pixels that the second frame does not show and that objects
        cover.
    """
    # Surfaces move nothing; small ones are quickly made.
    config = dataclasses.replace(config, textures=2, texture_size=64, motion_blur=0.0, jpeg=0.0)
    lengths, occluded, objects = [], [], []
    for index in range(count):
        scene = render(sample_scene(config, seed, index))
        lengths.append(np.linalg.norm(scene.flows[0, ::2, ::2], axis=-1))
        occluded.append(scene.occlusions[0].mean())
        objects.append((scene.ids[0] > 0).mean())
    lengths = np.stack(lengths)

    def percentiles(values):
        return dict(zip(PERCENTILES, np.percentile(values, PERCENTILES).round(2).tolist()))

    return {
        "mean": float(lengths.mean()),
        "pixels": percentiles(lengths),
        "pairs": percentiles(lengths.mean((1, 2))),
        "occluded": float(np.mean(occluded)),
        "objects": float(np.mean(objects)),
    }
