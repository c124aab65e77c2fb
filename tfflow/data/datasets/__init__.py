"""Pairs of images, most with the true flow between them, in the layouts they are published in.

A data set is a sequence of `FlowSample`. The command line and the recipes name one as
`open_dataset("chairs:/data/FlyingChairs_release")` does. A new data set is a class here and a line
in `DATASETS`.
"""

import difflib
import functools
import os
from pathlib import Path

from tfflow.data.datasets.base import FlowDataset, FlowSample, PairFiles
from tfflow.data.datasets.chairs import FlyingChairs
from tfflow.data.datasets.folder import PairFolder

__all__ = [
    "DATASETS",
    "FlowDataset",
    "FlowSample",
    "FlyingChairs",
    "PairFiles",
    "PairFolder",
    "open_dataset",
]


def _open_scene_cache(root):
    from tfflow.data.scene_cache import SceneCache  # needs what drawing needs: only where asked for

    return SceneCache(root)


DATASETS = {
    "chairs": functools.partial(FlyingChairs, split="train"),
    "chairs-val": functools.partial(FlyingChairs, split="val"),
    "chairs-all": functools.partial(FlyingChairs, split="all"),
    "folder": PairFolder,
    "scenes": _open_scene_cache,
}


def open_dataset(spec):
    """Opens the data set that a text names.

    Args:
        spec: "kind:path" with a kind of `DATASETS`, as "chairs-val:/data/FlyingChairs_release"; or
            a path alone: FlyingChairs' layout (then all its pairs), a cache of synthetic scenes or
            a plain folder, whichever is there.

    Returns:
        A sequence of `FlowSample` with a `name`.

    Raises:
        ValueError: an unknown kind; the nearest known one is named.
        FileNotFoundError: there is no such path.
        Whatever the data set raises on files that are not as they should be.
    """
    spec = os.fspath(spec)
    path = Path(spec).expanduser()
    if path.exists():
        return DATASETS[_guess_kind(path)](path)
    kind, colon, root = spec.partition(":")
    if not colon:
        raise FileNotFoundError(
            f"no data set at {spec}: no such folder (with a kind it is written kind:path, "
            f"kinds: {', '.join(DATASETS)})"
        )
    if kind not in DATASETS:
        nearest = difflib.get_close_matches(kind, DATASETS, n=1)
        hint = f"did you mean {nearest[0]!r}? " if nearest else ""
        raise ValueError(
            f"unknown kind of data set {kind!r} in {spec!r}; {hint}Kinds: {', '.join(DATASETS)}"
        )
    if not root:
        raise ValueError(f"expected {kind}:path, got {spec!r} without a path")
    return DATASETS[kind](Path(root).expanduser())


def _guess_kind(path):
    if FlyingChairs.find(path):
        return "chairs-all"
    return "scenes" if (path / "scenes.json").is_file() else "folder"
