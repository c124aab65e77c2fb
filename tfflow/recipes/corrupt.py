"""Leaves out the pairs of a data set that can't be read."""

from tfflow.atomic_file import read_json, write_json
from tfflow.data.datasets import Mixture
from tfflow.data.datasets.base import named
from tfflow.progress import progress_bar


def without_corrupt(dataset, record):
    """The data set without unreadable pairs, which are recorded and stay the same in later runs."""
    if isinstance(dataset, Mixture):
        rest = [
            without_corrupt(part, record.with_stem(f"{record.stem}_{number}"))
            for number, part in enumerate(dataset.datasets)
        ]
        return Mixture(rest, dataset.ratios)
    if not hasattr(dataset, "readable"):
        print(f"{named(dataset)} has no files of its own to check")
        return dataset
    skipped = None
    if record.is_file():
        skipped = read_json(record, "Delete it to have all files read again.")
        if not _is_about(skipped, dataset):
            print(f"{record} is about other pairs: all files are read again")
            skipped = None
    if skipped is None:
        with progress_bar(f"reading all of {dataset.name}") as progress:
            readable, complaints = dataset.readable(progress)
        kept = set(map(id, readable.pairs))
        positions = [i for i, files in enumerate(dataset.pairs) if id(files) not in kept]
        names = [dataset.pairs[i].name for i in positions]
        skipped = {"positions": positions, "names": names, "why": complaints}
        write_json(record, skipped | {"pairs": len(dataset)})
    print(f"skipping {len(skipped['names'])} pairs that can't be read; {record} says why")
    return dataset.without(skipped["positions"])


def _is_about(skipped, dataset):
    """Whether a record is about these pairs, judged by their number and the names in it."""
    names = [pair.name for pair in dataset.pairs]
    return skipped.get("pairs") == len(names) and skipped["names"] == [
        names[position] for position in skipped["positions"]
    ]
