"""Synthetic scenes as a recipe's data, drawn on first use."""

from collections.abc import Callable
from typing import Any

from tfflow.data import SceneCache, SceneConfig, synthesize
from tfflow.progress import progress_bar

# The scenes that our presets are trained on, and those of another seed that they are measured on.
SIZE: dict[str, Any] = {"height": 320, "width": 448}
HELD_OUT = 200
OURS = SceneConfig(**SIZE)


def drawn_scenes(
    count: int, held_out: int, **config: Any
) -> Callable[[str], tuple[SceneCache, SceneCache]]:
    """A recipe's ``data``: training and held-out scenes, drawn into its folder if needed.

    Args:
        count: Number of scenes to train on.
        held_out: Number of scenes for validation, with another seed.
        **config: Changes to the defaults of :class:`tfflow.data.SceneConfig`.
    """

    def data(folder):
        scenes = SceneConfig(**config)
        return (
            _cache(folder, "train", count, scenes, seed=0),
            held_out_scenes(folder, held_out, scenes),
        )

    return data


def held_out_scenes(folder, count=HELD_OUT, config=OURS):
    """Scenes that no recipe trains on, drawn into its folder if needed: a ``SceneCache``.

    Args:
        folder: The folder of a recipe's data.
        count: Number of scenes; by default those that our presets are measured on.
        config: Their :class:`tfflow.data.SceneConfig`, likewise.
    """
    return _cache(folder, "held_out", count, config, seed=1)


def _cache(root, part, count, config, seed):
    folder = root / f"{config.width}x{config.height}" / part
    with progress_bar(f"drawing {part} scenes") as progress:
        synthesize(folder, count, config, seed, progress=progress)
    return SceneCache(folder)
