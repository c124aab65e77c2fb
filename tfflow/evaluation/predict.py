"""Flow for files: pairs of images to flow files and pictures, a video to a video."""

import functools
import itertools
import pathlib
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tfflow import tools, visualization
from tfflow.data.datasets.base import FlowSample
from tfflow.data.files.flows import FLOW_EXTENSIONS, KITTI_RANGE, write_flow
from tfflow.data.files.images import write_image
from tfflow.data.files.video import check_other_file, read_video
from tfflow.evaluation.errors import PixelErrors
from tfflow.evaluation.evaluate import known_pixels, read_sample, timed_prediction
from tfflow.models import FlowStream
from tfflow.types import PathLike, Predictor
from tfflow.visualization.colors import usual_motion

_SMALLEST_LEGEND = 40  # px; on a smaller one, the scale can't be read


def predict_pairs(
    predictor: Predictor,
    dataset: Sequence[FlowSample],
    output: PathLike,
    *,
    extension: Literal[".flo", ".pfm", ".png"] = ".flo",
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
    known, truth and error, side by side).

    Args:
        predictor: Anything with ``predict_flow(image1, image2)``.
        dataset: A sequence of samples.
        output: Folder, created if missing.
        extension: ``".flo"``, ``".pfm"`` or ``".png"`` (KITTI's).
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
        ValueError: If ``extension`` is not that of a flow file, a pair's images don't match, or a
            flow is not finite or beyond what the format holds.
        OSError: If the folder can't be written, or a pair can't be read.
    """
    if extension not in FLOW_EXTENSIONS:
        raise ValueError(f"A flow file ends in {', '.join(FLOW_EXTENSIONS)}; got {extension!r}.")
    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    results = []
    for index in range(len(dataset)):
        sample = read_sample(dataset, index, complaints)
        if sample is not None:
            flow, maps = _prediction(predictor, sample, size, occlusion)
            stem = sample.name.replace("/", "_")
            # As an input, NAME_flow.png would be taken for the true flow in KITTI's format.
            files = [output / f"{stem}{end}" for end in (extension, "_colors.png", "_figure.png")]
            if _write_flow(files[0], flow, sample.name, complaints):
                scale = max_flow or usual_motion(flow)
                write_image(files[1], visualization.flow_to_image(flow, max_flow=scale))
                for kind, values in maps.items():
                    files.append(output / f"{stem}_{kind}.png")
                    write_image(files[-1], visualization.confidence_to_image(values))
                figure = visualization.flow_figure(
                    sample.image1,
                    sample.image2,
                    flow,
                    truth=sample.flow,
                    valid=sample.valid,
                    metrics={"model": model} if model else None,
                    max_flow=max_flow,
                    **maps,
                )
                write_image(files[2], figure)
                results.append(
                    {
                        "name": sample.name,
                        "motion": float(np.linalg.norm(flow, axis=-1).mean()),
                        "epe": _epe(flow, sample),
                        "files": files,
                    }
                )
        if progress:
            progress(index + 1, len(dataset))
    return results


def _prediction(predictor, sample, size, occlusion):
    """A pair's flow; if asked for, what is hidden and the confidence, both (H, W) by name."""
    if not occlusion:
        return timed_prediction(predictor, sample, size)[0], {}
    pair, options = (sample.image1, sample.image2), {} if size is None else {"size": size}
    backward = predictor.predict_flow(*pair[::-1], **options)
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
        path: ``.flo`` or ``.pfm`` for the flow; any image extension for its colours.
        max_flow: As for :func:`predict_pairs`, for the colours.
        size: Likewise.

    Returns:
        The flow, (H, W, 2) px.

    Raises:
        ValueError: If the path has another extension, or the flow is not finite.
        OSError: If the file can't be written.
    """
    flow, _ = timed_prediction(predictor, sample, size)
    if pathlib.Path(path).suffix.lower() in (".flo", ".pfm"):
        write_flow(path, flow)
    else:
        scale = max_flow or usual_motion(flow)
        write_image(path, visualization.flow_to_image(flow, max_flow=scale))
    return flow


def _write_flow(path, flow, name, complaints):
    """Whether the flow could be written; what could not goes into the list ``complaints``."""
    valid = None
    if complaints is not None and path.suffix == ".png":
        low, high = KITTI_RANGE
        inside = ((flow >= low) & (flow <= high)) | ~np.isfinite(flow)
        valid = inside.all(axis=-1)
        if not valid.all():
            complaints.append(
                f"{name}: {int((~valid).sum())} pixels move by more than the 512 px that KITTI's "
                ".png holds; they are marked as unknown. --format flo holds them"
            )
    try:
        write_flow(path, flow, valid)
    except ValueError as error:
        if complaints is None:
            raise
        complaints.append(f"{name}: {error}")
        return False
    return True


def predict_video(
    predictor: Predictor,
    source: PathLike,
    output: PathLike,
    *,
    max_flow: float | None = None,
    size: tuple[int, int] | None = None,
    limit: int | None = None,
    progress: Callable[[int, None], object] | None = None,
    complaints: list[str] | None = None,
) -> int:
    """Writes a video with the frames of another and, beside each, its flow to the next frame.

    Frames keep their times. Where the frames are large enough, a corner of the flow shows the
    colour wheel with its scale.

    Args:
        predictor: Anything with ``predict_flow(image1, image2)``; one that is ``siamese`` encodes
            each frame once, see :class:`tfflow.models.FlowStream`.
        source: A video file; see :func:`tfflow.data.read_video`.
        output: ``.mp4`` or ``.gif``.
        max_flow: Motion in px at the rim of the colour wheel; faster motions get the rim's colours
            too. None: the motion that 95 % of the pixels stay below, as a slowly decaying maximum,
            so that colours don't flicker.
        size: (height, width) that the network runs at; None: the predictor's own choice.
        limit: Use only the first ``limit`` pairs.
        progress: Called with (pairs done, None).
        complaints: A list that collects what can't be read, instead of raising an error; see
            :func:`tfflow.data.read_video`.

    Returns:
        Number of pairs.

    Raises:
        ValueError: If the video has fewer than two frames, or ``output`` is ``source``.
        CorruptFileError: If a frame can't be decoded, or the video is cut off; nothing is written.
    """
    check_other_file(output, source)
    pairs = itertools.islice(itertools.pairwise(read_video(source, complaints)), limit)
    first = next(pairs, None)
    if first is None:
        raise ValueError(f"{source} has fewer than two frames; there is no motion in it.")
    predict = _for_video(predictor, first[0].image, size)
    count = 0

    def panels():
        nonlocal count
        scale = max_flow
        for (image1, time), (image2, _) in itertools.chain([first], pairs):
            flow = predict(image1, image2)
            if max_flow is None:
                scale = max(usual_motion(flow), 1.0, 0.95 * (scale or 0.0))
            colours = visualization.flow_to_image(flow, max_flow=scale, clip=True)
            _add_legend(colours, scale)
            count += 1
            if progress:
                progress(count, None)
            yield np.concatenate([image1, colours], axis=1), time

    visualization.write_video(output, panels())
    return count


def _for_video(predictor, first_frame, size):
    """predict_flow for pairs in sequence: each begins with the frame that ended the one before."""
    if not getattr(predictor, "siamese", False):
        # Not every predictor takes a size.
        return functools.partial(predictor.predict_flow, **({} if size is None else {"size": size}))
    stream = FlowStream(predictor, size=size)
    stream.next(first_frame)
    return lambda image1, image2: stream.next(image2)


def _add_legend(picture, scale):
    """Puts the colour wheel into the lower right corner of a picture if there is room for it."""
    size = min(picture.shape[:2]) // 5
    if size >= _SMALLEST_LEGEND:
        picture[-size:, -size:] = visualization.color_wheel_legend(size, scale)


def _epe(flow, sample):
    """Mean end-point error in px; None if the true flow is known nowhere."""
    if sample.flow is None:
        return None
    valid = known_pixels(sample)
    errors = PixelErrors.measure(flow[valid], sample.flow[valid])
    return errors.epe if errors.pixels else None
