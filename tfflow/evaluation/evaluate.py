"""End-point error and related metrics, for anything with ``predict_flow`` on any data set."""

import os
import time
from collections.abc import Callable, Sequence

import numpy as np

from tfflow.data.datasets.base import FlowSample, named
from tfflow.data.files.errors import error_text
from tfflow.evaluation.errors import PixelErrors
from tfflow.evaluation.result import Evaluation, PairResult
from tfflow.types import Predictor
from tfflow.vectors import filled, is_known


def evaluate(
    predictor: Predictor,
    dataset: Sequence[FlowSample],
    *,
    limit: int | None = None,
    size: tuple[int, int] | None = None,
    progress: Callable[[int, int, float], object] | None = None,
    complaints: list[str] | None = None,
) -> Evaluation:
    """Evaluates a predictor on a data set with ground truth.

    Every number pools all valid pixels of all pairs, as in mmflow; see :class:`Evaluation`, which
    also has the means over pairs. Memory holds one pair at a time, and a few numbers for each pair.

    Args:
        predictor: Anything with ``predict_flow(image1, image2)``: a model, a ``FlowInterpreter``.
        dataset: A sequence of samples as :class:`tfflow.data.FlowSample`: ``image1``, ``image2``
            (H, W, 3), ``flow`` (H, W, 2) in px, ``valid`` (H, W) or None = everywhere, ``name``,
            and, where it is known, ``occluded`` (H, W).
        limit: Use only the first ``limit`` pairs.
        size: (height, width) that the network runs at; None: the predictor's own choice.
        progress: Called with (pairs done, pairs in all, EPE so far).
        complaints: A list, or None. With a list, pairs that can't be read or have no ground truth
            are skipped and a text for each is added to it, instead of raising an error.

    Returns:
        An :class:`Evaluation`.

    Raises:
        ValueError: If the data set is empty, or has no ground truth or no valid pixel, or the
            predicted flow is not of the truth's size.
        CorruptFileError, OSError: If a pair can't be read.
    """
    total = len(dataset) if limit is None else min(len(dataset), limit)
    if total < 1:
        reason = "is empty" if len(dataset) == 0 else f"cut to its first {limit} pairs"
        raise ValueError(f"Nothing to evaluate on: {named(dataset)} {reason}.")
    per_pair, so_far = [], PixelErrors()
    for index in range(total):
        sample = read_sample(dataset, index, complaints)
        if sample is None:
            continue
        if complaint := complaint_about(sample):
            if complaints is None:
                raise ValueError(f"{complaint}.")
            complaints.append(complaint)
            continue
        flow, seconds = timed_prediction(predictor, sample, size)
        per_pair.append(_measure(index, sample, flow, 1000.0 * seconds))
        so_far += per_pair[-1].errors
        if progress:
            progress(index + 1, total, so_far.epe)
    if so_far.pixels == 0:
        reason = "".join(f" {text}." for text in (complaints or [])[:3])
        raise ValueError(f"No pixel of {named(dataset)} has a known flow.{reason}")
    return Evaluation(tuple(per_pair))


def read_sample(dataset, index, complaints):
    """A sample; if it can't be read, None, with a text added to the list ``complaints``."""
    try:
        sample = dataset[index]
    except (OSError, ValueError) as error:
        if complaints is None:
            raise
        files = getattr(dataset, "pairs", None)
        name = files[index].name if files else f"pair {index + 1}"
        complaints.append(f"{name}: {error_text(error)}")
        return None
    if not hasattr(sample, "image1"):
        raise TypeError(
            "A data set holds tfflow.data.FlowSample(image1, image2, flow, valid, name), where "
            f"valid may be None; got a {type(sample).__name__}."
        )
    return sample


def complaint_about(sample):
    """Why nothing can be measured on a sample, or on the files of one; None if it can."""
    if sample.flow is None:
        return f"{sample.name} has no ground truth; evaluate needs a flow file each"
    size = np.shape(sample.image1)[:2]
    if isinstance(sample.flow, os.PathLike) or np.shape(sample.flow) == (*size, 2):
        return None
    return (
        f"{sample.name}: expected a true flow of the images' size {size}, got "
        f"{np.shape(sample.flow)}"
    )


def timed_prediction(predictor, sample, size=None):
    """The flow of a sample, (H, W, 2) in px, and the seconds that it took.

    Raises:
        ValueError: If the flow is not of the images' size.
    """
    # Not every predictor takes a size.
    options = {} if size is None else {"size": size}
    start = time.perf_counter()
    flow = predictor.predict_flow(sample.image1, sample.image2, **options)
    seconds = time.perf_counter() - start
    flow = np.asarray(filled(flow))
    expected = (*np.shape(sample.image1)[:2], 2)
    if flow.shape != expected:
        raise ValueError(
            f"predict_flow must give a flow of the images' size, {expected}; got "
            f"{flow.shape} for {sample.name}."
        )
    return flow, seconds


def known_pixels(sample):
    """Where a sample's true flow is known, bool (H, W): valid, and neither NaN nor infinite."""
    known = is_known(np.asarray(filled(sample.flow), np.float32))
    return known if sample.valid is None else known & _mask(sample, "valid")


def _mask(sample, name):
    mask, size = np.asarray(getattr(sample, name)), np.shape(sample.flow)[:2]
    if mask.shape != size:
        raise ValueError(
            f"{name} of {sample.name} must be a mask of the flow's size, {size}; got {mask.shape}."
        )
    return mask.astype(bool)


def _measure(index, sample, flow, milliseconds):
    valid = known_pixels(sample)
    errors = {"errors": PixelErrors.measure(flow[valid], sample.flow[valid])}
    if getattr(sample, "occluded", None) is not None:
        occluded = _mask(sample, "occluded")
        for name, chosen in (("matched", valid & ~occluded), ("unmatched", valid & occluded)):
            errors[name] = PixelErrors.measure(flow[chosen], sample.flow[chosen])
    return PairResult(index, sample.name, milliseconds, **errors)
