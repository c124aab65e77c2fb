"""Several data sets as one."""

import bisect
import itertools
from collections.abc import Callable, Sequence
from typing import Any, overload

from tfflow.data.datasets.base import FlowSample


class Mixture(Sequence[FlowSample]):
    """Several data sets in a row, and the ratios in which a training pipeline draws from them.

    As a sequence it has the samples of one data set after the other. Its `ratios` are for
    pipelines: with (2, 1, 1), of every four consecutive samples two come from the first data set
    and one from each of the others, whatever their sizes. FlowNet2 and MaskFlowNet are trained
    this way.

    Args:
        datasets: sequences of `FlowSample`, none of them empty.
        ratios: a positive whole number for each data set; None: every sample counts the same.

    Attributes:
        name: the names of the data sets, as "sintel+kitti2015+hd1k"; "samples" for a list.
        datasets, ratios: as given, tuples; `ratios` may be None.

    Raises:
        ValueError: no data set, an empty one, invalid ratios, or a mixture inside that has ratios.
    """

    def __init__(self, datasets: Sequence[Any], ratios: Sequence[int] | None = None) -> None:
        self.datasets = tuple(datasets)
        if not self.datasets:
            raise ValueError("expected one data set or more to mix, got none")
        for dataset in self.datasets:
            if not len(dataset):
                raise ValueError(f"expected data sets that are not empty, {dataset!r} is")
        _refuse_ratios_inside(self.datasets)
        self.ratios = None if ratios is None else _checked_ratios(ratios, self.datasets)
        self.name = "+".join(getattr(dataset, "name", "samples") for dataset in self.datasets)
        self._starts = (0, *itertools.accumulate(map(len, self.datasets)))

    def __len__(self) -> int:
        return self._starts[-1]

    @overload
    def __getitem__(self, index: int) -> FlowSample: ...
    @overload
    def __getitem__(self, index: slice) -> "Mixture": ...
    def __getitem__(self, index: int | slice) -> "FlowSample | Mixture":
        """A sample; for a slice a mixture without ratios, as it may lack a data set.

        Raises:
            IndexError: there is no such sample.
            ValueError: a slice that is empty or goes backwards.
        """
        if isinstance(index, slice):
            return self._part(index)
        position = range(len(self))[index]
        number = bisect.bisect_right(self._starts, position) - 1
        return self.datasets[number][position - self._starts[number]]

    def _part(self, index):
        wanted = range(*index.indices(len(self)))
        if wanted.step < 0:
            raise ValueError(f"expected a slice that goes forwards, got {index}")
        parts = []
        for dataset, start in zip(self.datasets, self._starts[:-1], strict=True):
            here = [i - start for i in wanted if start <= i < start + len(dataset)]
            if here:
                parts.append(dataset[here[0] : here[-1] + 1 : wanted.step])
        return Mixture(parts)

    def readable(
        self, progress: Callable[[int, int], object] | None = None
    ) -> tuple["Mixture", list[str]]:
        """`FlowDataset.readable` for each data set that has it.

        Raises:
            ValueError: nothing in one of the data sets can be read.
        """
        total = sum(len(dataset) for dataset in self.datasets if hasattr(dataset, "readable"))
        datasets, complaints, before = [], [], 0
        for dataset in self.datasets:
            if hasattr(dataset, "readable"):
                readable, found = dataset.readable(_counted_on(progress, before, total))
                datasets.append(readable)
                complaints += found
                before += len(dataset)
            else:
                datasets.append(dataset)
        return Mixture(datasets, self.ratios), complaints

    def __repr__(self) -> str:
        shares = f" in ratios {self.ratios}" if self.ratios else ""
        return f"<Mixture {self.name}: {len(self)} samples{shares}>"


def _counted_on(progress, before, total):
    """`progress` for one of the data sets, after `before` samples of others."""
    return progress and (lambda done, _: progress(before + done, total))


def _refuse_ratios_inside(datasets):
    for dataset in datasets:
        inner = getattr(dataset, "ratios", None)
        if inner is not None:
            raise ValueError(
                f"{dataset.name} has ratios {inner}, which count in no other mixture. Mix all data "
                "sets at once: of (a, b) as (1, 3), half of the pairs, and c, Mixture([a, b, c], "
                "(1, 3, 4))."
            )


def _checked_ratios(ratios, datasets):
    ratios = tuple(ratios)
    if len(ratios) != len(datasets):
        raise ValueError(
            f"expected a ratio for each of the {len(datasets)} data sets, got {len(ratios)}: "
            f"{ratios}"
        )
    for ratio in ratios:
        if isinstance(ratio, bool) or not isinstance(ratio, int) or ratio < 1:
            raise ValueError(
                f"expected ratios that are whole numbers from 1 on, got {ratios}; write shares of "
                "0.5, 0.25 and 0.25 as (2, 1, 1), and leave out what is to have no share"
            )
    return ratios
