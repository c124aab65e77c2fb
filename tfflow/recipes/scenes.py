"""Synthetic scenes as a recipe's data, drawn on first use."""

from collections.abc import Callable
from typing import Any

from tfflow.data import SceneCache, SceneConfig, synthesize
from tfflow.progress import progress_bar


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
        root = folder / f"{scenes.width}x{scenes.height}"
        return (
            _cache(root / "train", count, scenes, seed=0),
            _cache(root / "held_out", held_out, scenes, seed=1),
        )

    return data


def _cache(folder, count, config, seed):
    with progress_bar(f"drawing {folder.name} scenes") as progress:
        synthesize(folder, count, config, seed, progress=progress)
    return SceneCache(folder)
