"""Published checkpoints by name: where each lies, what it was trained on, what it reached.

``checkpoints.csv`` lists them. mmflow's are 34, with the EPE and Fl that its tables give (on
training splits, all pixels); those of pytorch-liteflownet are the authors' own LiteFlowNets.
"""

from __future__ import annotations

import csv
import dataclasses
import functools
import pathlib
import sys
import urllib.parse
from typing import TYPE_CHECKING

from tfflow.cache_folder import cache_folder
from tfflow.models import registry
from tfflow.suggestion import suggestion
from tfflow.weights.importing import import_checkpoint
from tfflow.weights.state_dict import import_torch

if TYPE_CHECKING:
    from tfflow.models import FlowModel

TOLERANCE = 0.02  # share of a published number by which a measured one may differ
LIST = pathlib.Path(__file__).with_name("checkpoints.csv")
# Column of the list -> (kind of data set, what is measured).
RESULTS = {
    "chairs": ("chairs-val", "epe"),
    "sdhom": ("chairs-sdhom-test", "epe"),
    "sintel_clean": ("sintel-clean", "epe"),
    "sintel_final": ("sintel-final", "epe"),
    "kitti2012": ("kitti2012", "epe"),
    "kitti2015": ("kitti2015", "epe"),
    "kitti2015_fl": ("kitti2015", "fl"),
}
# Of each, what is before the first comma is enough for a table.
_FREIBURG = "research only, no commercial use (University of Freiburg)"
DATA_TERMS = {
    "FlyingChairs": _FREIBURG,
    "FlyingThings3D": _FREIBURG,
    "FlyingThings3D_subset": _FREIBURG,
    "ChairsSDHom": _FREIBURG,
    "Sintel": "CC BY 3.0, made of the film Sintel, © Blender Foundation",
    "KITTI2012": "CC BY-NC-SA 3.0, no commercial use",
    "KITTI2015": "CC BY-NC-SA 3.0, no commercial use",
}
PROJECT_TERMS = {
    "mmflow": "Apache License 2.0, OpenMMLab",
    "sniklaus": "research only, the authors' weights: commercial use needs their consent; "
    "converted by pytorch-liteflownet, GPL-3.0",
}


@dataclasses.dataclass(frozen=True)
class PublishedCheckpoint:
    """A checkpoint that somebody else trained and published.

    Attributes:
        name: ``"project/name"``.
        network: The registry's name of its network.
        trained_on: Data sets, in the order of training.
        results: (kind of data set, ``"epe"`` or ``"fl"``) -> published number, px or percent.
        url: Where it lies.
    """

    name: str
    network: str
    trained_on: tuple[str, ...]
    results: dict[tuple[str, str], float]
    url: str

    @property
    def path(self) -> pathlib.Path:
        """Where it is kept, once it has been downloaded."""
        file = pathlib.PurePosixPath(urllib.parse.urlsplit(self.url).path)
        # read_state_dict goes by the ending.
        return cache_folder() / "checkpoints" / self.name.partition("/")[0] / f"{file.stem}.pth"

    @property
    def terms(self) -> list[str]:
        """The licence of the weights, then the terms of each data set, a line each."""
        project = self.name.partition("/")[0]
        return [
            f"weights of {project}/…: {PROJECT_TERMS[project]}",
            *(f"{data}: {DATA_TERMS[data]}" for data in self.trained_on),
        ]

    @property
    def short_terms(self) -> str:
        """The terms in a few words, such as ``"Apache License 2.0; data: research only"``."""
        weights = PROJECT_TERMS[self.name.partition("/")[0]]
        data = dict.fromkeys(DATA_TERMS[each].partition(",")[0] for each in self.trained_on)
        return f"{weights.partition(',')[0]}; data: {', '.join(data)}"

    @property
    def megabytes(self) -> float:
        """Size of the file; before it was downloaded, that of its weights."""
        from tfflow.download import record_of

        record = record_of(self.path)
        size = record["bytes"] if record else 4 * (registry.entry(self.network).parameters or 0)
        return size / 1e6


@functools.cache
def _published():
    with LIST.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {
        row["name"]: PublishedCheckpoint(
            row["name"],
            row["network"],
            tuple(row["trained_on"].split()),
            {key: float(row[column]) for column, key in RESULTS.items() if row[column]},
            row["url"],
        )
        for row in rows
    }


def list_checkpoints(network: str | None = None) -> list[str]:
    """Names of the published checkpoints, all or those of one network.

    Args:
        network: The registry's name of a network, or None.
    """
    return [name for name, c in _published().items() if network in (None, c.network)]


def checkpoint(name: str) -> PublishedCheckpoint:
    """The :class:`PublishedCheckpoint` of a name.

    Raises:
        ValueError: If there is none of that name; the nearest is suggested.
    """
    if name not in _published():
        raise ValueError(
            f"No checkpoint is named {name!r}. {suggestion(name, list_checkpoints())} "
            "All: tfflow models --checkpoints."
        )
    return _published()[name]


def download_checkpoint(name: str, *, again: bool = False) -> pathlib.Path:
    """Downloads a published checkpoint, if it is not in the cache yet, and checks it.

    It is kept only if every tensor of it has its place in the network. The terms under which it and
    its training data were published are printed to standard error, the first time.

    Args:
        name: One of :func:`list_checkpoints`.
        again: Download it anew.

    Returns:
        The path of the file.

    Raises:
        ConnectionError: If it can't be fetched; the part that arrived is kept for the next try.
        ImportError: If PyTorch is missing, which is needed to read it.
        ValueError: If there is none of that name, or the file is not the expected one.
    """
    return _fetched(checkpoint(name), again)[0]


def load_checkpoint(name: str) -> FlowModel:
    """The network of a published checkpoint with its weights; downloaded the first time.

    Args, errors: as :func:`download_checkpoint`.

    Returns:
        A :class:`tfflow.models.FlowModel`.
    """
    found = checkpoint(name)
    path, model = _fetched(found)
    return model or import_checkpoint(found.network, path).model


def compare_with_published(found, kind, errors):
    """Lines that say how measured errors compare with what was published.

    Args:
        found: A :class:`PublishedCheckpoint`.
        kind: The kind of data set that was measured, such as ``"sintel-clean"``.
        errors: The measured numbers, with attributes ``epe`` and ``fl``.

    Returns:
        A list, empty where nothing was published of this data set.
    """
    lines = []
    for (measured_on, what), published in found.results.items():
        if measured_on != kind:
            continue
        measured = getattr(errors, what)
        # Published numbers are rounded, and resizing differs a little from library to library.
        agrees = abs(measured - published) <= 0.005 + TOLERANCE * published
        unit = {"epe": "px", "fl": "%"}[what]
        lines.append(
            f"{what.upper() if what == 'epe' else 'Fl'} {measured:.2f} {unit}, published "
            f"{published:g} {unit}: {'they agree' if agrees else 'THEY DIFFER'}"
        )
    return lines


def _fetched(found, again=False):
    """(Path, the network if it had to be built for the check, else None)."""
    from tfflow.download import fetch, record_of

    try:
        import_torch()
    except ImportError as error:  # now, not after the download
        raise ImportError(
            f"{found.name} is read once it is there, to see whether it is whole, and that needs "
            "PyTorch: pip install torch"
        ) from error
    models = []

    def check(file):
        models.append(import_checkpoint(found.network, file).model)

    if again or not found.path.is_file():
        print(f"{found.name}, {found.url}", *found.terms, sep="\n  ", file=sys.stderr)
    path = fetch(found.url, found.path, check=check, again=again)
    if models:
        print(f"  {path}: SHA-256 {record_of(path)['sha256']}", file=sys.stderr)
    return path, models[0] if models else None
