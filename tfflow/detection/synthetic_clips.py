"""Clips of synthetic scenes, drawn on demand.

clips = SyntheticClips(SceneConfig(height=192, width=256), count=100, frames=8)
for image, boxes, classes, tracks in clips[0]: ...
"""

import colorsys
import dataclasses
from typing import Any

import numpy as np

from tfflow.checks import whole_number
from tfflow.data.scenes import SceneConfig, render, sample_scene
from tfflow.data.scenes.pool import cached_pool
from tfflow.data.scenes.shapes import SHAPES
from tfflow.detection.clips import Clip, ClipSet, make_frame


class SyntheticClips(ClipSet):
    """Clips of synthetic scenes: objects that move, deform and hide each other.

    The boxes are exact: they enclose exactly the pixels of an object that are visible in the frame.
    An object's class is the kind of its outline (`tfflow.data.scenes.shapes`): blob, polygon,
    ellipse, box, bars, branch, furniture, cluster, lattice. The scenes are those of
    `sample_scene(config, seed, index)`. Needs OpenCV.

    Args:
        config: `SceneConfig`; its `scenes_per_pool` scenes share outlines and textures.
        seed: whole number from 0 up.
        count: how many clips.
        frames: how many frames each has.
        step: whole time between two frames: 4 gives every fourth, with four times the motion.
        hues: whether each class has a hue of its own. Outlines alone are hard to tell from each
            other, and from the patterns of a background; with hues, a detector learns sooner.
        smallest: objects with fewer visible pixels are left out of a frame; from 1 up.

    Attributes:
        classes: the names of the classes.

    Raises:
        ValueError: a number is out of its range.
    """

    count: int  # type: ignore[assignment]  # not a sequence's method

    def __init__(
        self,
        config: SceneConfig,
        *,
        seed: int = 0,
        count: int = 1000,
        frames: int = 8,
        step: int = 1,
        hues: bool = False,
        smallest: int = 32,
    ) -> None:
        numbers = {"count": count, "frames": frames, "step": step, "smallest": smallest}
        for name, value in numbers.items():
            whole_number(name, value)
        self.config, self.seed, self.count = config, seed, count
        self.frames, self.step, self.smallest = frames, step, smallest
        self.hues = hues
        self.classes = tuple(kind.__name__ for kind in SHAPES)

    def describe(self) -> dict[str, Any]:
        """A dict, for JSON, of all that these clips are drawn from."""
        names = ("seed", "count", "frames", "step", "hues", "smallest")
        return {"scenes": self.config.to_dict(), **{name: getattr(self, name) for name in names}}

    def __len__(self) -> int:
        return self.count

    def _clip(self, index: int) -> Clip:
        scene = sample_scene(self.config, self.seed, index)
        pool = cached_pool(self.config, self.seed, scene.pool)
        kinds = [-1, *pool.kinds[scene.shape[1:]].tolist()]
        if self.hues:
            scene = _in_hues(scene, kinds, len(self.classes))
        rendered = render(scene, self.frames, pool, step=self.step)

        def read(time):
            seen = np.bincount(rendered.ids[time].ravel(), minlength=len(kinds))
            boxes = rendered.boxes(time)
            layers = [layer for layer in boxes if seen[layer] >= self.smallest]
            return make_frame(
                rendered.images[time],
                [boxes[layer] for layer in layers],
                [kinds[layer] for layer in layers],
                layers,
            )

        return Clip(f"scene_{index:06d}", range(self.frames), read)


def _in_hues(scene, kinds, count):
    """The scene with its objects' textures as shades of their class's hue."""
    rng = np.random.default_rng([scene.seed, scene.index, 5])
    colour = scene.colour.copy()
    for layer, kind in enumerate(kinds):
        if kind < 0:
            continue
        hue, saturation = (kind + rng.uniform(-0.25, 0.25)) / count, rng.uniform(0.55, 0.95)
        shade = np.array(colorsys.hsv_to_rgb(hue % 1, saturation, 1.0))
        contrast, level = rng.uniform(0.5, 1.1), rng.uniform(100, 200)
        # Luminance around its mean, times the shade.
        colour[layer, :, :3] = contrast * shade[:, None] * np.array([0.299, 0.587, 0.114])
        colour[layer, :, 3] = shade * (level - contrast * 118)
    return dataclasses.replace(scene, colour=colour)
