"""Flow for videos and cameras: as a video, as files, live."""

import collections
import contextlib
import itertools
import math
import os
import pathlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from tfflow import tools, visualization
from tfflow.checks import whole_number
from tfflow.data.files.camera import is_camera, read_camera
from tfflow.data.files.flow_series import flow_series
from tfflow.data.files.video import TICK, TimedFrame, check_other_file, read_video
from tfflow.evaluation.predict import FlowFormat, check_extension, check_scale
from tfflow.models import FlowStream
from tfflow.models.prediction import as_batch
from tfflow.progress import is_false
from tfflow.tools.clips import timed_pictures
from tfflow.types import PathLike, Predictor
from tfflow.visualization.colors import usual_motion
from tfflow.visualization.figures import HIDDEN, as_uint8

_SMALLEST_LEGEND = 40  # px; on a smaller one, the scale can't be read


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
        source: A video file or a folder of frames, see :func:`tfflow.data.read_video`; the number
            or device of a camera, see :func:`tfflow.data.read_camera`; or
            :class:`tfflow.data.TimedFrame` from elsewhere.
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
    every = whole_number("every", every)
    limit = None if limit is None else whole_number("limit", limit)
    if not 0 <= start < math.inf or not (end is None or end > start):
        raise ValueError(
            f"expected start at least 0 and end after it; got start={start:g}, end={end}"
        )
    check_extension(extension)
    check_scale(max_flow)
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
            last = progress is not None and is_false(progress(count, None))
            if draw:
                picture = draw(image1, flow, hidden)
                last |= show is not None and is_false(show(picture.copy()))
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


class _Drawing:
    """Pictures of frames and flow side by side, in colours that don't flicker."""

    def __init__(self, max_flow):
        self.max_flow, self.scale = max_flow, 0.0

    def __call__(self, image, flow, hidden=None):
        # Frames of one's own may be grey, RGBA or float, as the network takes them.
        image = as_uint8(as_batch(image, "a frame")[0][0])
        if hidden is not None:
            image = np.where(hidden[..., None], np.uint8(HIDDEN), image)
        usual = max(usual_motion(flow), 1.0, 0.95 * self.scale)
        self.scale = usual if self.max_flow is None else self.max_flow
        colours = visualization.flow_to_image(flow, max_flow=self.scale, clip=True)
        _add_legend(colours, self.scale)
        return np.concatenate([image, colours], axis=1)


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
    places = [path.resolve() for path in (*video, *series)]
    for place in places:
        if places.count(place) > 1:
            raise ValueError(f"{place} is given twice as an output")
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
