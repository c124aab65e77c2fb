"""Flow for files: pairs of images to flow files and pictures, a video to a video."""

import collections
import contextlib
import itertools
import math
import os
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from tfflow import tools, visualization
from tfflow.atomic_file import check_writable
from tfflow.data.datasets.base import FlowSample
from tfflow.data.files.camera import is_camera, read_camera
from tfflow.data.files.errors import error_text
from tfflow.data.files.flow_series import flow_series, write_what_fits
from tfflow.data.files.flows import FLOW_FORMATS, write_flow
from tfflow.data.files.images import check_image_path, write_image
from tfflow.data.files.video import TICK, TimedFrame, check_other_file, read_video
from tfflow.evaluation.errors import PixelErrors
from tfflow.evaluation.evaluate import known_pixels, read_sample, timed_prediction
from tfflow.models import FlowStream
from tfflow.tools.clips import timed_pictures
from tfflow.types import PathLike, Predictor
from tfflow.vectors import length
from tfflow.visualization.colors import usual_motion
from tfflow.visualization.figures import HIDDEN

FlowFormat: TypeAlias = Literal[".flo", ".pfm", ".png", ".npy"]

_SMALLEST_LEGEND = 40  # px; on a smaller one, the scale can't be read


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
    _check_extension(extension)
    _check_scale(max_flow)
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
    _check_scale(max_flow)
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


def predict_video(
    predictor: Predictor,
    source: PathLike | int | Iterable[TimedFrame],
    output: PathLike | Sequence[PathLike] = (),
    *,
    extension: FlowFormat = ".flo",
    max_flow: float | None = None,
    size: tuple[int, int] | None = None,
    limit: int | None = None,
    every: int = 1,
    start: float = 0.0,
    end: float | None = None,
    occlusion: bool = False,
    show: Callable[[npt.NDArray[np.uint8]], object] | None = None,
    progress: Callable[[int, None], object] | None = None,
    complaints: list[str] | None = None,
) -> int:
    """The flow of a video or a camera, from each frame to the next: as a video, as files, live.

    A picture has a frame and, beside it, its flow. Where frames are large enough, a corner of the
    flow shows the colour wheel with its scale. Frames keep their times. Memory holds a few frames,
    however long the video is; except for a ``.gif``, which is made in memory.

    Args:
        predictor: Anything with ``predict_flow(image1, image2)``; one that is ``siamese`` encodes
            each frame once, see :class:`tfflow.models.FlowStream`.
        source: A video file, see :func:`tfflow.data.read_video`; the number or device of a camera,
            see :func:`tfflow.data.read_camera`; or :class:`tfflow.data.TimedFrame` from elsewhere.
        output: Where to, one or several, by their names:

            * ``.mp4`` or ``.gif``, at most one of them: the pictures;
            * ``.npz``: the flow, an array (H, W, 2) for each pair, ``"000000"`` and so on, and
              ``"times"`` (N, 2), the seconds of both frames;
            * a folder: the flow, a file for each pair, and ``times.csv``.
        extension: That of a folder's files.
        max_flow: Motion in px at the rim of the colour wheel; faster motions get the rim's colours
            too. None: the motion that 95 % of the pixels stay below, as a slowly decaying maximum,
            so that colours don't flicker.
        size: (height, width) that the network runs at; None: the predictor's own choice.
        limit: Use only the first ``limit`` pairs.
        every: Use only every so many frames; the flow is from one to the next of these.
        start: Seconds; leave out frames before this time.
        end: Seconds; leave out frames from this time on.
        occlusion: Predict the flow in both directions. In the pictures, what the next frame hides
            is red; a folder also gets ``000000_occlusion.png``, white where hidden, and an ``.npz``
            ``"000000_occlusion"``, (H, W) bool, for each pair.
        show: Called with each picture, (H, 2 W, 3) uint8; see
            :meth:`tfflow.visualization.Window.show`. If it returns False, this pair is the last.
        progress: Called with (pairs done, None). If it returns False, this pair is the last.
        complaints: A list that collects what can't be read or written, instead of raising an error;
            see :func:`tfflow.data.read_video`.

    Returns:
        Number of pairs.

    Raises:
        ValueError: If there are fewer than two frames, a number is out of its range, or an output
            is ``source`` or has another extension.
        OSError: If there is no such video or camera, or an output can't be written.
        CorruptFileError: If a frame can't be decoded, or the video is cut off; then there is no
            video and no ``.npz``.
    """
    if every < 1 or start < 0 or (end is not None and end <= start):
        raise ValueError(
            "expected every to be at least 1, start at least 0 and end after it; got "
            f"every={every}, start={start:g}, end={end}"
        )
    _check_extension(extension)
    _check_scale(max_flow)
    video, series = _outputs(output, source)
    frames = _frames(source, start, complaints)
    if end is not None:
        frames = itertools.takewhile(lambda frame: frame.time < end, frames)
    pairs = itertools.islice(itertools.pairwise(itertools.islice(frames, 0, None, every)), limit)
    first = next(pairs, None)
    if first is None:
        raise ValueError(
            f"{_name(source)} has fewer than two frames of those that are asked for; there is no "
            "motion in it."
        )
    predict = _for_video(predictor, first[0].image, size, occlusion)
    draw = _Drawing(max_flow) if video or show else None
    count = 0

    def pictures(writers):
        nonlocal count
        for (image1, time), (image2, next_time) in itertools.chain([first], pairs):
            flow, hidden = predict(image1, image2)
            for write in writers:
                write(flow, time, next_time, hidden)
            count += 1
            last = progress is not None and _is_false(progress(count, None))
            if draw:
                picture = draw(image1, flow, hidden)
                last |= show is not None and _is_false(show(picture.copy()))
                yield picture, time
            if last:
                return

    with contextlib.ExitStack() as stack:
        drawn = pictures(
            [stack.enter_context(flow_series(path, extension, complaints)) for path in series]
        )
        if video:
            visualization.write_video(video[0], drawn)
        else:
            collections.deque(drawn, maxlen=0)
    return count


def _is_false(answer):
    return isinstance(answer, (bool, np.bool_)) and not answer


class _Drawing:
    """Pictures of frames and flow side by side, in colours that don't flicker."""

    def __init__(self, max_flow):
        self.max_flow, self.scale = max_flow, 0.0

    def __call__(self, image, flow, hidden=None):
        if hidden is not None:
            image = np.where(hidden[..., None], np.uint8(HIDDEN), image)
        usual = max(usual_motion(flow), 1.0, 0.95 * self.scale)
        self.scale = usual if self.max_flow is None else self.max_flow
        colours = visualization.flow_to_image(flow, max_flow=self.scale, clip=True)
        _add_legend(colours, self.scale)
        return np.concatenate([image, colours], axis=1)


def _check_extension(extension):
    if extension not in FLOW_FORMATS:
        raise ValueError(f"A flow file ends in {', '.join(FLOW_FORMATS)}; got {extension!r}.")


def _check_scale(max_flow):
    if max_flow is not None and not 0 < max_flow < math.inf:
        raise ValueError(f"max_flow must be above 0 px and finite; got {max_flow!r}.")


def _outputs(output, source):
    """The outputs that are videos, at most one, and those for the flow itself."""
    outputs = [output] if isinstance(output, (str, os.PathLike)) else list(output)
    video, series = [], []
    for path in map(pathlib.Path, outputs):
        suffix = path.suffix.lower()
        if suffix in (".mp4", ".gif"):
            video.append(path)
        elif suffix in ("", ".npz") or path.is_dir():
            series.append(path)
        else:
            raise ValueError(
                f"cannot write a video's flow to {path}: unknown extension {path.suffix!r}, use "
                ".mp4 or .gif for pictures, .npz or a folder for the flow itself"
            )
        if isinstance(source, (str, os.PathLike)):
            check_other_file(path, source)
    if len(video) > 1:
        raise ValueError(f"expected at most one .mp4 or .gif; got {video[0]} and {video[1]}")
    return video, series


def _frames(source, start, complaints):
    """The frames of a source from a time on."""
    if isinstance(source, (int, np.integer)):
        frames = read_camera(int(source))
    elif isinstance(source, (str, os.PathLike)):
        camera = is_camera(source)
        frames = read_camera(source) if camera else read_video(source, complaints, start=start)
    else:
        frames = itertools.starmap(TimedFrame, timed_pictures(source))
    return itertools.dropwhile(lambda frame: frame.time < start - TICK, frames)


def _name(source):
    if isinstance(source, (int, np.integer)):
        return f"camera {source}"
    return source if isinstance(source, (str, os.PathLike)) else "the source"


def _for_video(predictor, first_frame, size, occlusion):
    """(flow, what is hidden or None) of pairs in sequence: each begins where the last one ended."""
    # Not every predictor takes a size.
    options = {} if size is None else {"size": size}
    stream = None
    if getattr(predictor, "siamese", False):
        stream = FlowStream(predictor, size=size)
        stream.next(first_frame)

    def flow_and_hidden(image1, image2):
        flow = stream.next(image2) if stream else predictor.predict_flow(image1, image2, **options)
        if not occlusion:
            return flow, None
        flow = np.array(flow)  # it may fill one array again
        return flow, tools.occlusion(flow, predictor.predict_flow(image2, image1, **options))

    return flow_and_hidden


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
