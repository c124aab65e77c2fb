"""Pictures of the pairs that a predictor does worst on."""

import os
import pathlib
import re
from collections.abc import Callable, Sequence

from tfflow.atomic_file import atomic_file
from tfflow.data.datasets.base import FlowSample
from tfflow.data.files.images import write_image
from tfflow.evaluation.evaluate import timed_prediction
from tfflow.evaluation.result import Evaluation
from tfflow.types import PathLike, Predictor
from tfflow.visualization import flow_figure


def write_worst_pairs(
    evaluation: Evaluation,
    predictor: Predictor,
    dataset: Sequence[FlowSample],
    output: PathLike,
    count: int,
    *,
    size: tuple[int, int] | None = None,
    model: str | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> list[pathlib.Path]:
    """Draws the pairs with the largest EPE: frames, flow, truth and error side by side.

    The flow is predicted once more, so that an evaluation need not keep any.

    Args:
        evaluation: The :class:`Evaluation` of ``predictor`` on ``dataset``.
        predictor: As given to :func:`evaluate`.
        dataset: As given to :func:`evaluate`.
        output: Folder, created if missing. The files are named ``worst_1_NAME.png`` …, with
            underscores for slashes in NAME, and ``worst.csv`` lists them; those that an earlier
            call's list has are removed.
        count: How many pairs.
        size: As given to :func:`evaluate`.
        model: What to call the predictor in the figures.
        progress: Called with (pictures done, pictures in all).

    Returns:
        A list of the pictures' paths, the worst pair's first.

    Raises:
        OSError: If the folder can't be written, or has a ``worst.csv`` of something else.
    """
    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    worst = evaluation.worst(count)
    paths, listing = [], output / "worst.csv"
    earlier = _listed(listing)
    for rank, pair in enumerate(worst, start=1):
        sample = dataset[pair.index]
        flow, _ = timed_prediction(predictor, sample, size)
        figure = flow_figure(
            sample.image1,
            sample.image2,
            flow,
            truth=sample.flow,
            valid=sample.valid,
            title=f"{rank}. {pair.name}",
            metrics=({"model": model} if model else {}) | _metrics(pair),
        )
        number = str(rank).zfill(len(str(len(worst))))  # so that names sort as ranks do
        paths.append(output / f"worst_{number}_{pair.name.replace('/', '_')}.png")
        write_image(paths[-1], figure)
        if progress:
            progress(rank, len(worst))
    for path in earlier - {*paths}:
        path.unlink(missing_ok=True)
    with atomic_file(listing) as temporary:
        names = "\n".join(["file", *(path.name for path in paths), ""])
        temporary.write_bytes(os.fsencode(names))  # a name need not be UTF-8
    return paths


def _listed(listing):
    """The pictures that an earlier call has listed."""
    if not listing.is_file():
        return set()
    heading, *names = os.fsdecode(listing.read_bytes()).split("\n")
    if heading != "file":
        raise FileExistsError(f"{listing} is no list of such pictures; give another folder.")
    return {
        listing.with_name(name) for name in names if re.fullmatch(r"worst_\d+_[^/\\]*\.png", name)
    }


def _metrics(pair):
    metrics = {"EPE": f"{pair.epe:.2f} px", "Fl": f"{pair.errors.fl:.1f} %"}
    for name, part in (("matched", pair.matched), ("unmatched", pair.unmatched)):
        if part is not None and part.pixels:
            metrics[f"EPE {name}"] = f"{part.epe:.2f} px"
    metrics["mean true motion"] = f"{pair.errors.zero_flow_epe:.2f} px"
    return metrics
