"""A predictor's flow for a test set, in the form that the benchmark's server takes."""

import contextlib
import dataclasses
import os
import pathlib
import secrets
import shutil
import tempfile
import zipfile
from collections.abc import Callable

import numpy as np

from tfflow.atomic_file import atomic_file
from tfflow.data.datasets import FlowDataset
from tfflow.data.files.flows import KITTI_RANGE, write_flow
from tfflow.evaluation.evaluate import timed_prediction
from tfflow.evaluation.leaderboards import BENCHMARKS, Benchmark
from tfflow.types import PathLike, Predictor


@dataclasses.dataclass(frozen=True)
class Submission:
    """What was written.

    Attributes:
        path: The folder (Sintel) or the .zip (KITTI).
        pairs: Number of pairs in it.
        missing: What the server wants but is not in it, one text each; empty if it is complete.
        next_step: What to do with it.
    """

    path: pathlib.Path
    pairs: int
    missing: tuple
    next_step: str


def missing_from_submission(dataset: FlowDataset, benchmark: Benchmark) -> tuple[str, ...]:
    """What the server wants and the data set lacks, judged by the pairs' names alone.

    Args:
        dataset: As for :func:`write_submission`.
        benchmark: Likewise.

    Returns:
        A tuple of texts; empty if the data set is complete.

    Raises:
        ValueError: As :func:`write_submission`.
    """
    return BENCHMARKS[_known(benchmark)].missing(_members(dataset, benchmark))


def write_submission(
    predictor: Predictor,
    dataset: FlowDataset,
    output: PathLike,
    benchmark: Benchmark,
    *,
    size: tuple[int, int] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Submission:
    """Predicts the flow of a test set and writes it as the benchmark's server takes it.

    * ``"sintel"``: a folder with ``clean/SCENE/frame0001.flo`` … and ``final/…``, from which
      Sintel's bundler makes the one file to upload.
    * ``"kitti2012"``: a .zip with ``000000_10.png`` to ``000194_10.png``, KITTI's 16-bit PNG.
    * ``"kitti2015"``: a .zip with ``flow/000000_10.png`` to ``flow/000199_10.png``, likewise.
      Its PNG holds -512 to 511.98 px; values beyond are clipped.

    The output gets its name only when it is complete.

    Args:
        predictor: Anything with ``predict_flow(image1, image2)``.
        dataset: The test set, a :class:`tfflow.data.FlowDataset`: for Sintel with both passes, as
            ``open_dataset("sintel-test:…")``.
        output: The folder (Sintel; must be new or empty), or the .zip file.
        benchmark: "sintel", "kitti2012" or "kitti2015".
        size: (height, width) that the network runs at; None: the predictor's own choice.
        progress: Called with (pairs done, pairs in all).

    Returns:
        A :class:`Submission`, which says what is missing, if anything.

    Raises:
        ValueError: If the benchmark is unknown, the pairs are not those of its test set or have a
            true flow, the output's name does not fit, or a flow is not finite or not of its
            image's size.
        FileExistsError: If the folder exists and is not empty.
        OSError: If it can't be written.
    """
    form = BENCHMARKS[_known(benchmark)]
    members = _members(dataset, benchmark)
    output = pathlib.Path(output)
    if form.suffix and output.suffix.lower() != form.suffix:
        raise ValueError(f"A submission to {benchmark} is a {form.suffix} file; got {output}.")
    writer = _zip_writer if form.suffix else _folder_writer
    with writer(output) as write:
        for index, member in enumerate(members):
            sample = dataset[index]
            flow, _ = timed_prediction(predictor, sample, size)
            if not np.isfinite(flow).all():
                raise ValueError(
                    f"The flow predicted for {sample.name} is not finite at "
                    f"{int((~np.isfinite(flow)).any(axis=-1).sum())} pixels; no server takes that."
                )
            write(member, flow)
            if progress:
                progress(index + 1, len(members))
    return Submission(
        output, len(members), form.missing(members), form.next_step.format(path=output)
    )


def _known(benchmark):
    if benchmark not in BENCHMARKS:
        raise ValueError(f"benchmark must be one of {', '.join(BENCHMARKS)}; got {benchmark!r}.")
    return benchmark


def _members(dataset, benchmark):
    """The file name of each pair, from the pairs' names alone, so that mistakes show at once."""
    form = BENCHMARKS[benchmark]
    if not isinstance(dataset, FlowDataset):
        raise ValueError(f"A submission needs a data set of files, its test set; got {dataset!r}.")
    if dataset.name in {f"{each}-test" for each in BENCHMARKS} - {f"{benchmark}-test"}:
        raise ValueError(  # KITTI's two sets have the same names
            f"A submission to {benchmark} needs the pairs of its test set; got {dataset.name}."
        )
    members = {}
    for files in dataset.pairs:
        member = form.member(files.name)
        if member is None or files.flow is not None:
            found = "a pair with a true flow" if member else "another name"
            raise ValueError(
                f"A submission to {benchmark} needs the pairs of its test set, named {form.names}, "
                f"without a true flow; got {found}: {files.name!r}."
            )
        if member in members:
            raise ValueError(f"{files.name!r} and {members[member]!r} are both {member}.")
        members[member] = files.name
    if not members:
        raise ValueError(f"Nothing to submit: {dataset!r} is empty.")
    return list(members)


@contextlib.contextmanager
def _folder_writer(output):
    """Yields ``write(member, flow)``; the folder takes its name when the block is done."""
    output = pathlib.Path(os.path.realpath(output))  # a link can't be replaced by a folder
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise FileExistsError(f"{output} is there already; give a new folder, or remove it.")
    output.parent.mkdir(parents=True, exist_ok=True)
    # Beside it, because a rename is atomic within one file system only.
    temporary = output.parent / f".{secrets.token_hex(4)}.{output.name}"

    def write(member, flow):
        path = temporary / member
        path.parent.mkdir(parents=True, exist_ok=True)
        write_flow(path, flow)

    try:
        yield write
        os.replace(temporary, output)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def _zip_writer(output):
    """Yields ``write(member, flow)``; the .zip takes its name when the block is done."""
    with (
        atomic_file(output) as temporary,
        tempfile.TemporaryDirectory() as folder,
        # A PNG is compressed already.
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive,
    ):
        png = pathlib.Path(folder, "flow.png")

        def write(member, flow):
            write_flow(png, np.clip(np.asarray(flow, np.float32), *KITTI_RANGE))
            archive.write(png, member)

        yield write
