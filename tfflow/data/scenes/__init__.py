"""Synthetic scenes: layered two-dimensional worlds with exact flow, see `scene`::

    config = SceneConfig(height=320, width=448)
    rendered = render(sample_scene(config, seed=0, index=7))
    rendered.images[0], rendered.images[1], rendered.flows[0], rendered.occlusions[0]

`tfflow.data.synthesize` draws many of them into a folder.
"""

from tfflow.data.scenes.config import SceneConfig
from tfflow.data.scenes.scene import Scene, sample_scene
from tfflow.lazy import importer

# The modules that draw need OpenCV, so they are imported on first use.
_LAZY = {
    "Pool": "pool",
    "make_pool": "pool",
    "RenderedScene": "rendering",
    "render": "rendering",
}

__all__ = ["Scene", "SceneConfig", "sample_scene", *_LAZY]

__getattr__ = importer(__name__, _LAZY)
