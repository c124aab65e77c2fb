"""Flow for files: pairs of images to flow files and pictures, a video to a video."""

import itertools
import pathlib

import numpy as np

from tfflow import visualization
from tfflow.data.formats import FLOW_EXTENSIONS, write_flow, write_image
from tfflow.data.video import read_video
from tfflow.models import FlowStream

_PICTURES = ("colors", "figure")


def predict_pairs(predictor, dataset, output, *, extension=".flo", max_flow=None, progress=None):
    """Predicts the flow of every pair and writes it down, as numbers and as pictures.

    For a pair NAME the folder gets ``NAME`` + ``extension`` (the flow), ``NAME_colors.png`` (its
    colours, of the image's size) and ``NAME_figure.png`` (frames, flow with its legend and, where
    known, truth and error, side by side).

    Args:
        predictor: Anything with ``predict_flow(image1, image2)``.
        dataset: A sequence of samples.
        output: Folder, made if it is not there.
        extension: ``".flo"``, ``".pfm"`` or ``".png"`` (KITTI's).
        max_flow: Motion in px at the rim of the colour wheel; None: each pair's own largest.
        progress: Called with (pairs done, pairs in all).

    Returns:
        A list with a dict for each pair: ``name``, ``motion`` (mean, px), ``epe`` (None where the
        truth is not known), ``files``.

    Raises:
        ValueError: If ``extension`` is none of a flow file.
        OSError: If the folder can't be written.
    """
    if extension not in FLOW_EXTENSIONS:
        raise ValueError(f"A flow file ends in {', '.join(FLOW_EXTENSIONS)}; got {extension!r}.")
    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    results = []
    for index in range(len(dataset)):
        sample = dataset[index]
        flow = predictor.predict_flow(sample.image1, sample.image2)
        stem = sample.name.replace("/", "_")
        # NAME_flow.png would be taken for the truth, in KITTI's format, if this became an input.
        files = [output / f"{stem}{extension}", *(output / f"{stem}_{p}.png" for p in _PICTURES)]
        write_flow(files[0], flow)
        write_image(files[1], visualization.flow_to_image(flow, max_flow=max_flow))
        figure = visualization.flow_figure(
            sample.image1, sample.image2, flow, truth=sample.flow, valid=sample.valid
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


def predict_video(
    predictor, source, output, *, max_flow=None, limit=None, progress=None, complaints=None
):
    """Writes a video of another one's frames and, beside each, its flow to the next frame.

    Args:
        predictor: Anything with ``predict_flow(image1, image2)``; one that is ``siamese`` encodes
            each frame once, see :class:`tfflow.models.FlowStream`.
        source: A video file; see :func:`tfflow.data.read_video`.
        output: ``.mp4`` or ``.gif``.
        max_flow: Motion in px at the rim of the colour wheel. None: the largest so far, slowly
            forgotten, so that colours don't flicker.
        limit: Only the first so many pairs.
        progress: Called with (pairs done, None).
        complaints: A list, which takes what can't be read in place of an error; see
            :func:`tfflow.data.read_video`.

    Returns:
        Number of pairs.

    Raises:
        ValueError: If the video has fewer than two frames.
        CorruptFileError: If a frame can't be decoded, or the video is cut off; nothing is written.
    """
    pairs = itertools.islice(itertools.pairwise(read_video(source, complaints)), limit)
    first = next(pairs, None)
    if first is None:
        raise ValueError(f"{source} has fewer than two frames; there is no motion in it.")
    predict = _for_video(predictor, first[0].image)
    count = 0

    def panels():
        nonlocal count
        scale = max_flow
        for (image1, time), (image2, _) in itertools.chain([first], pairs):
            flow = predict(image1, image2)
            if max_flow is None:
                # The 99th percentile: single wild pixels shall not dim the rest.
                largest = float(np.percentile(np.linalg.norm(flow, axis=-1), 99))
                scale = max(largest, 1.0, 0.95 * (scale or 0.0))
            colours = visualization.flow_to_image(flow, max_flow=scale)
            count += 1
            if progress:
                progress(count, None)
            yield np.concatenate([image1, colours], axis=1), time

    visualization.write_video(output, panels())
    return count


def _for_video(predictor, first_frame):
    """predict_flow for pairs of which each begins with the frame that the one before ended with."""
    if not getattr(predictor, "siamese", False):
        return predictor.predict_flow
    stream = FlowStream(predictor)
    stream.next(first_frame)
    return lambda image1, image2: stream.next(image2)


def _epe(flow, sample):
    if sample.flow is None:
        return None
    valid = np.ones(flow.shape[:2], bool) if sample.valid is None else sample.valid
    return float(np.linalg.norm(flow[valid] - sample.flow[valid], axis=-1).mean())
