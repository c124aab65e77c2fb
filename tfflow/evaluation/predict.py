"""Flow for pairs of images: as flow files and as pictures."""

import itertools
import math
import pathlib
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from tfflow import tools, visualization
from tfflow.atomic_file import check_writable
from tfflow.data.datasets.base import FlowSample
from tfflow.data.files.errors import error_text
from tfflow.data.files.flow_series import write_what_fits
from tfflow.data.files.flows import FLOW_FORMATS, write_flow
from tfflow.data.files.images import check_image_path, write_image
from tfflow.evaluation.errors import PixelErrors
from tfflow.evaluation.evaluate import known_pixels, read_sample, timed_prediction
from tfflow.types import PathLike, Predictor
from tfflow.vectors import length
from tfflow.visualization.colors import usual_motion

FlowFormat: TypeAlias = Literal[".flo", ".pfm", ".png", ".npy"]


def predict_pairs(
    predictor: Predictor,
    dataset: Sequence[FlowSample],
    output: PathLike,
    *,
    extension: FlowFormat = ".flo",
    max_flow: float | None = None,
    size: tuple[int, int] | None = None,
    occlusion: bool = False,
    model: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    complaints: list[str] | None = None,
) -> list[dict[str, Any]]:
    """Predicts the flow of every pair and writes it as numbers and as pictures.

    For a pair NAME the folder gets ``NAME`` + ``extension`` (the flow), ``NAME_colors.png`` (its
    colours, of the image's size) and ``NAME_figure.png`` (frames, flow with its legend and, where
    known, truth and error, side by side). A name that another pair has already gets a number.

    Args:
        predictor: Anything with ``predict_flow(image1, image2)``.
        dataset: A sequence of samples.
        output: Folder, created if missing.
        extension: ``".flo"``, ``".pfm"``, ``".png"`` (KITTI's) or ``".npy"``.
        max_flow: Motion in px at the rim of the colour wheel; None: the motion that 95 % of each
            pair's pixels stay below.
        size: (height, width) that the network runs at; None: the predictor's own choice.
        occlusion: Also write ``NAME_occlusion.png``, white where the second image hides a pixel,
            and ``NAME_confidence.png``, from black to white; and show both in the figure. The flow
            is predicted in both directions. The confidence is the network's own if it has one.
        model: What to call the predictor in the figures.
        progress: Called with (pairs done, pairs in all).
        complaints: A list, or None. With a list, a pair that can't be read or written is skipped,
            pixels beyond what the format holds are marked as unknown, and a text for each is added
            to it, instead of raising an error.

    Returns:
        A list with a dict for each pair: ``name``, ``motion`` (mean, px), ``epe`` (None where the
        truth is not known), ``files``.

    Raises:
        ValueError: If ``extension`` is not that of a flow file, ``max_flow`` is not positive, a
            pair's images don't match, or a flow is not finite or beyond what the format holds.
        OSError: If the folder can't be written, or a pair can't be read.
    """
    check_extension(extension)
    check_scale(max_flow)
    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    inputs = {
        path.resolve()
        for pair in getattr(dataset, "pairs", ())
        for path in (pair.image1, pair.image2, pair.flow)
        if path is not None
    }
    results: list[dict[str, Any]] = []
    used: set[str] = set()
    for index in range(len(dataset)):
        sample = read_sample(dataset, index, complaints)
        if sample is not None:
            # As an input, NAME_flow.png would be taken for the true flow in KITTI's format.
            kinds = ("colors", "figure", *(("occlusion", "confidence") if occlusion else ()))
            ends = [extension, *(f"_{kind}.png" for kind in kinds)]
            stem = _free_name(sample.name.replace("/", "_"), ends, used)
            files = [output / f"{stem}{end}" for end in ends]
            if taken := inputs.intersection(file.resolve() for file in files):
                raise ValueError(
                    f"{min(taken)} is one of the files that the flow is computed of, and would be "
                    "overwritten; give another folder."
                )
            try:
                flow, maps = _prediction(predictor, sample, size, occlusion)
                if write_what_fits(files[0], flow, sample.name, complaints):
                    _draw(sample, flow, maps, files[1:], max_flow, model)
                    motion, epe = float(length(flow).mean()), _epe(flow, sample)
                    results.append(
                        {"name": sample.name, "motion": motion, "epe": epe, "files": files}
                    )
            except (OSError, ValueError) as error:
                if complaints is None:
                    raise
                complaints.append(f"{sample.name}: {error_text(error)}")
        if progress:
            progress(index + 1, len(dataset))
    return results


def _draw(sample, flow, maps, files, max_flow, model):
    """Writes the pictures of a pair: its colours, its figure, and each of the maps."""
    colors, figure, *others = files
    scale = usual_motion(flow) if max_flow is None else max_flow
    write_image(colors, visualization.flow_to_image(flow, max_flow=scale))
    for file, values in zip(others, maps.values(), strict=True):
        write_image(file, visualization.confidence_to_image(values))
    drawn = visualization.flow_figure(
        sample.image1,
        sample.image2,
        flow,
        truth=sample.flow,
        valid=sample.valid,
        metrics={"model": model} if model else None,
        max_flow=max_flow,
        **maps,
    )
    write_image(figure, drawn)


def _free_name(name, ends, used):
    """The name, or the first of ``NAME_2``, ``NAME_3``, … of which no file is in use.

    Its files, the name with each of ``ends``, are in use then.
    """
    numbered = (f"{name}_{number}" for number in itertools.count(2))
    for each in itertools.chain([name], numbered):
        files = {each + end for end in ends}
        if not files & used:
            used |= files
            return each


def _prediction(predictor, sample, size, occlusion):
    """A pair's flow; if asked for, what is hidden and the confidence, both (H, W) by name."""
    if not occlusion:
        return timed_prediction(predictor, sample, size)[0], {}
    pair, options = (sample.image1, sample.image2), {} if size is None else {"size": size}
    backward = np.array(predictor.predict_flow(*pair[::-1], **options))  # it may fill one again
    if getattr(predictor, "gives_confidence", False):
        flow, confidence = predictor.predict_flow(*pair, confidence=True, **options)
    else:
        flow, _ = timed_prediction(predictor, sample, size)
        confidence = tools.confidence(flow, backward)
    return flow, {"occlusion": tools.occlusion(flow, backward), "confidence": confidence}


def write_prediction(
    predictor: Predictor,
    sample: FlowSample,
    path: PathLike,
    *,
    max_flow: float | None = None,
    size: tuple[int, int] | None = None,
) -> npt.NDArray[np.float32]:
    """Predicts the flow of one pair and writes it as one file.

    Args:
        predictor: Anything with ``predict_flow(image1, image2)``.
        sample: A :class:`tfflow.data.FlowSample`.
        path: ``.flo``, ``.pfm`` or ``.npy`` for the flow; any image extension for its colours.
        max_flow: As for :func:`predict_pairs`, for the colours.
        size: Likewise.

    Returns:
        The flow, (H, W, 2) px.

    Raises:
        ValueError: If the path has another extension, ``max_flow`` is not positive, or the flow is
            not finite.
        OSError: If the file can't be written.
    """
    check_scale(max_flow)
    as_numbers = pathlib.Path(path).suffix.lower() in (".flo", ".pfm", ".npy")
    if as_numbers:
        check_writable(path)
    else:
        check_image_path(path)
    flow, _ = timed_prediction(predictor, sample, size)
    if as_numbers:
        write_flow(path, flow)
    else:
        scale = usual_motion(flow) if max_flow is None else max_flow
        write_image(path, visualization.flow_to_image(flow, max_flow=scale))
    return flow


def check_extension(extension):
    if extension not in FLOW_FORMATS:
        raise ValueError(f"A flow file ends in {', '.join(FLOW_FORMATS)}; got {extension!r}.")


def check_scale(max_flow):
    if max_flow is not None and not 0 < max_flow < math.inf:
        raise ValueError(f"max_flow must be above 0 px and finite; got {max_flow!r}.")


def _epe(flow, sample):
    """Mean end-point error in px; None if the true flow is known nowhere."""
    if sample.flow is None:
        return None
    valid = known_pixels(sample)
    errors = PixelErrors.measure(flow[valid], sample.flow[valid])
    return errors.epe if errors.pixels else None
