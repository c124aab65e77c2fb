"""Synthetic scenes: layered two-dimensional worlds with exact flow, see `scene`.

    config = SceneConfig(height=320, width=448)
    rendered = render(sample_scene(config, seed=0, index=7))
    rendered.images[0], rendered.images[1], rendered.flows[0], rendered.occlusions[0]

`tfflow.data.scene_cache` draws many of them into a folder. Drawing on a CPU needs OpenCV.
"""

import importlib

from tfflow.data.synthetic.config import SceneConfig
from tfflow.data.synthetic.scene import Scene, sample_scene

# What draws is imported when it is first used: it needs OpenCV, or Keras.
_LAZY = {
    "Pool": "pool",
    "make_pool": "pool",
    "RenderedScene": "render_cv",
    "render": "render_cv",
    "motion_statistics": "statistics",
    "scene_batches": "stream",
}

__all__ = ["Scene", "SceneConfig", "sample_scene", *_LAZY]


def __getattr__(name):
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
