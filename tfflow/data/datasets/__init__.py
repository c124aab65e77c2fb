"""Image pairs, most with ground truth flow, in the layouts in which they are published.

A data set is a sequence of `FlowSample`. The command line and the recipes name one as in
`open_dataset("chairs:/data/FlyingChairs_release")`. A new data set is a class here and a line
in `DATASETS`.
"""

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tfflow.data.datasets.base import FlowDataset, FlowSample, PairFiles
from tfflow.data.datasets.chairs import FlyingChairs
from tfflow.data.datasets.chairs_sdhom import ChairsSDHom
from tfflow.data.datasets.folder import PairFolder
from tfflow.data.datasets.hd1k import HD1K
from tfflow.data.datasets.kitti import Kitti2012, Kitti2015
from tfflow.data.datasets.middlebury import Middlebury
from tfflow.data.datasets.mixture import Mixture
from tfflow.data.datasets.sintel import Sintel
from tfflow.data.datasets.things import FlyingThings3D, FlyingThings3DSubset
from tfflow.suggestion import suggestion
from tfflow.types import PathLike

__all__ = [
    "DATASETS",
    "HD1K",
    "ChairsSDHom",
    "FlowDataset",
    "FlowSample",
    "FlyingChairs",
    "FlyingThings3D",
    "FlyingThings3DSubset",
    "Kitti2012",
    "Kitti2015",
    "Middlebury",
    "Mixture",
    "PairFiles",
    "PairFolder",
    "Sintel",
    "open_dataset",
]


def _open_scene_cache(root):
    from tfflow.data.scenes.cache import SceneCache  # its layouts need the data sets in turn

    return SceneCache(root)


DATASETS: dict[str, Callable[..., Any]] = {
    "chairs": functools.partial(FlyingChairs, split="train"),
    "chairs-val": functools.partial(FlyingChairs, split="val"),
    "chairs-all": functools.partial(FlyingChairs, split="all"),
    "chairs-sdhom": ChairsSDHom,
    "chairs-sdhom-test": functools.partial(ChairsSDHom, split="test"),
    "things": FlyingThings3D,
    "things-test": functools.partial(FlyingThings3D, split="test"),
    "things-final": functools.partial(FlyingThings3D, pass_name="final"),
    "things-final-test": functools.partial(FlyingThings3D, pass_name="final", split="test"),
    "things-subset": FlyingThings3DSubset,
    "things-subset-val": functools.partial(FlyingThings3DSubset, split="val"),
    **{
        f"sintel{of_pass}{of_split}": functools.partial(
            Sintel,
            pass_name=pass_name,  # type: ignore[arg-type]  # one of them, not any text
            split=split,  # type: ignore[arg-type]  # likewise
        )
        for of_pass, pass_name in (("", "both"), ("-clean", "clean"), ("-final", "final"))
        for of_split, split in (
            ("", "training"),
            ("-train", "train"),
            ("-val", "val"),
            ("-test", "test"),
        )
    },
    "kitti2012": Kitti2012,
    "kitti2012-test": functools.partial(Kitti2012, split="test"),
    "kitti2015": Kitti2015,
    "kitti2015-test": functools.partial(Kitti2015, split="test"),
    "hd1k": HD1K,
    "hd1k-test": functools.partial(HD1K, split="test"),
    "middlebury": Middlebury,
    "middlebury-test": functools.partial(Middlebury, split="test"),
    "folder": PairFolder,
    "scenes": _open_scene_cache,
}


def open_dataset(spec: PathLike) -> FlowDataset | Any:
    """Opens a data set by its spec.

    Args:
        spec: "kind:path" with a kind from `DATASETS`, as "chairs-val:/data/FlyingChairs_release";
            or a path alone: all pairs in FlyingChairs' layout, a cache of synthetic scenes or a
            plain folder, whichever is there.

    Returns:
        A sequence of `FlowSample` with a `name`.

    Raises:
        ValueError: an unknown kind; the nearest known one is named.
        FileNotFoundError: there is no such path, or not what the data set looks for.
    """
    spec = os.fspath(spec)
    path = Path(os.path.expanduser(spec))
    if os.path.exists(path):  # pathlib's raises for a name that is too long
        return DATASETS[_guess_kind(path)](path)
    kind, colon, root = spec.partition(":")
    if not colon or re.match(r"[A-Za-z]:[\\/]", spec):  # or a drive of Windows
        raise FileNotFoundError(
            f"no data set at {spec}: no such folder (with a kind it is written kind:path, "
            f"kinds: {', '.join(DATASETS)})"
        )
    if kind not in DATASETS:
        raise ValueError(
            f"unknown kind of data set {kind!r} in {spec!r}. {suggestion(kind, DATASETS)}"
        )
    if not root:
        raise ValueError(f"expected {kind}:path, got {spec!r} without a path")
    return DATASETS[kind](Path(os.path.expanduser(root)))


def _guess_kind(path):
    if FlyingChairs.find(path):
        return "chairs-all"
    return "scenes" if (path / "scenes.json").is_file() else "folder"
