"""Frames of a video: a file, or a folder of images."""

import collections
import contextlib
import itertools
import math
import os
import pathlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tfflow.checks import whole_number
from tfflow.data.files.errors import CorruptFileError, error_text
from tfflow.data.files.images import IMAGE_EXTENSIONS, images_in, read_image
from tfflow.types import PathLike

VIDEO_EXTENSIONS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".gif")

TICK = 1e-4  # s; a frame's time and one that a user types are rounded
_EARLIER = (0, 2, 8, 32)  # s before a time that are tried in turn, before all is decoded
_SLACK = 0.25  # s; headers round, and the last frame's duration is often left out


class TimedFrame(NamedTuple):
    """A frame of a video.

    Attributes:
        image: (H, W, 3) uint8, RGB, upright as players show it.
        time: Seconds from the first frame to this one, by the file's time stamps.
    """

    image: np.ndarray
    time: float


def read_video(
    path: PathLike,
    complaints: list[str] | None = None,
    *,
    start: float = 0.0,
    fps: float | None = None,
) -> Iterator[TimedFrame]:
    """The frames of a video, one after the other.

    The camera's orientation (the display matrix) is applied. Times come from the time stamps, not
    from the header's frame rate: a browser's recording says 1000 there.

    Args:
        path: A file that FFmpeg reads: ``.mp4``, ``.mov``, ``.mkv``, ``.webm``, ``.avi``, ``.gif``.
            Or a folder of images, which are its frames: sorted by name, numbers by value, without
            ``*_flow.*`` and hidden ones.
        complaints: A list, or None. With a list, frames that can't be read or differ in
            size from the first are left out, and a message for each kind of them is added to it
            instead of raising an error.
        start: Seconds; frames before this time are left out. They are not decoded, but for those
            since the last key frame.
        fps: Of a folder, frames a second; None for 25. A file has times of its own.

    Returns:
        An iterator of :class:`TimedFrame`, whose times are the same whatever the start.

    Raises:
        FileNotFoundError: If there is no such file, or the folder holds no image.
        ValueError: If it is a single picture, or a file and ``fps`` is given.
        CorruptFileError: If it holds no video that can be decoded. During iteration, after the
            good frames: if one can't be decoded, or the file ends before its header says.
        ImportError: If PyAV is missing.
    """
    if pathlib.Path(path).is_dir():
        pictures = _of_folder(pathlib.Path(path), complaints, start, 25.0 if fps is None else fps)
        return pictures if complaints is None else _of_one_size(pictures, path, complaints)
    if fps is not None:
        raise ValueError(f"{path} has the times of its frames; fps is for a folder of images")
    container, stream, origin = _open_at(path, start)
    complain = _raise if complaints is None else complaints.append
    frames = _frames(container, stream, path, complain, start, origin)
    return frames if complaints is None else _of_one_size(frames, path, complaints)


def check_other_file(output, source):
    """Refuses to write a video over its own source.

    Raises:
        ValueError: If both names are the same file.
    """
    if pathlib.Path(output).resolve() == pathlib.Path(source).resolve():
        raise ValueError(f"{output} is the video that is read; give another name to write to")


class VideoPairs:
    """Neighbouring frames of a video as pairs, spread evenly over the clip.

    Frames are decoded on demand; it can be iterated over again.

    Args:
        path: A video, see :func:`read_video`.
        most: Largest number of pairs; all pairs if there are fewer.

    Yields:
        (frame, next frame), each (H, W, 3) uint8 RGB.

    Raises:
        FileNotFoundError: If there is no such file.
        CorruptFileError: If it holds no video that can be decoded, or ends before its header says.
        ValueError: If it has fewer than two frames.
        ImportError: If PyAV is missing.
    """

    def __init__(self, path, most):
        self.path = pathlib.Path(path)
        # Counted, as the header may hold no number or a wrong one.
        pairs = _count_frames(self.path) - 1
        if pairs < 1:
            raise ValueError(f"{self.path} has fewer than two frames; there is no motion in it.")
        count = min(whole_number("most", most), pairs)
        self.indices = [index * pairs // count for index in range(count)]

    def __len__(self):
        return len(self.indices)

    def __iter__(self):
        wanted = iter(self.indices)
        first = next(wanted)
        with contextlib.closing(read_video(self.path)) as frames:
            for index, (frame, after) in enumerate(itertools.pairwise(frames)):
                if index == first:
                    yield frame.image, after.image
                    first = next(wanted, None)
                    if first is None:
                        return


def _of_folder(folder, complaints, start, fps):
    """The images of a folder as frames."""
    if not 0 < fps < math.inf:
        raise ValueError(f"fps must be above 0; got {fps!r}")
    files = images_in(folder)
    if not files:
        raise FileNotFoundError(
            f"No video at {folder}: that is a folder without images, {', '.join(IMAGE_EXTENSIONS)}."
        )

    def frames():
        for number, file in enumerate(files):
            if number / fps < start - TICK:
                continue
            try:
                yield TimedFrame(read_image(file), number / fps)
            except (OSError, ValueError) as error:
                if complaints is None:
                    raise
                complaints.append(error_text(error))

    return frames()


def _open(path):
    """(container, its video stream) of a file."""
    path = pathlib.Path(path)
    if not path.is_file():
        found = "that is a folder" if path.is_dir() else "there is no such file"
        raise FileNotFoundError(f"No video at {path}: {found}.")
    if path.suffix.lower() in set(IMAGE_EXTENSIONS) - {".webp"}:  # which may move
        raise ValueError(f"{path} is one picture. Give a video, or a folder of its frames.")
    try:
        import av
    except ImportError as error:
        raise ImportError("Reading a video needs PyAV: pip install av") from error
    try:
        container = av.open(os.path.abspath(path))  # "12:30.mp4" alone would be a protocol
        stream = container.streams.video[0]
    except (av.error.FFmpegError, IndexError) as error:
        reason = getattr(error, "strerror", None) or "no pictures in it"
        raise CorruptFileError(f"{path}: expected a video file; FFmpeg says: {reason}") from error
    stream.thread_type = "AUTO"
    return container, stream


def _raise(complaint):
    raise CorruptFileError(complaint)


def _count_frames(path):
    """The number of frames, counted from packets without decoding."""
    container, stream = _open(path)
    with container:
        packets = _packets(container, stream, path, _raise)
        # No frame comes from what an edit list cuts off.
        return sum(packet.size > 0 and not packet.is_discard for packet in packets)


def _packets(container, stream, path, complain):
    """The video's packets. Complains of a damaged one, and at the end if the file is cut off."""
    import av

    reached, gap = None, 0.0
    try:
        for packet in container.demux():
            if packet.pts is not None:
                end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                if reached is not None:
                    gap = max(gap, end - reached)
                reached = end if reached is None else max(reached, end)
            if packet.is_corrupt:
                complain(f"{path}: a frame is damaged; the file may be cut off or broken")
            elif packet.stream_index == stream.index:
                yield packet
    except av.error.FFmpegError as error:
        complain(f"{path}: the video can't be read to its end; FFmpeg says: {error}")
        return
    if container.duration is None or reached is None:  # a browser's recording has none
        return
    if "matroska" not in container.format.name:  # whose duration counts from time 0
        reached -= (container.start_time or 0) / av.time_base
    promised = container.duration / av.time_base
    if promised - reached > max(_SLACK, gap):
        complain(
            f"{path}: the video ends after {reached:.2f} of the {promised:.2f} seconds that its "
            "header says; the file is cut off. Fetch it again"
        )


def _frames(container, stream, path, complain, start, origin):
    """The frames from ``start`` on, one after the other; the container is closed at the end."""
    import av

    converter = av.video.reformatter.VideoReformatter()  # a frame's own would be set up anew
    matrix, time = None, 0.0
    step = 1 / float(stream.average_rate or 25)  # for a format without time stamps
    with container:
        for packet in _packets(container, stream, path, complain):
            try:
                decoded = packet.decode()
            except av.error.FFmpegError as error:
                complain(f"{path}: a frame can't be decoded: {error}")
                continue
            for frame in decoded:
                # Older versions of FFmpeg give it only with the first frame.
                matrix = frame.side_data.get("DISPLAYMATRIX") or matrix
                if origin is None:
                    origin = frame.time or 0.0
                    time = 0.0
                else:
                    time = time + step if frame.time is None else frame.time - origin
                if time < start - TICK:
                    continue
                image = converter.reformat(frame, format="rgb24").to_ndarray()
                yield TimedFrame(image if matrix is None else _upright(image, matrix), time)


def _open_at(path, start):
    """A file, at or before a time: (container, its video stream, its first frame's time or None).

    It is at the last key frame before where the file can be searched, else at the beginning.
    """
    import av

    container, stream = _open(path)
    first = stream.start_time
    # An .avi has no time stamps: its frames are numbered from where reading begins. An .mpg has
    # few, and FFmpeg guesses wrong ones after a search.
    if start <= 0 or first is None or container.format.name in ("avi", "mpeg"):
        return container, stream, None
    origin = float(first * stream.time_base)
    for earlier in _EARLIER:
        if earlier >= start:
            break
        place = first + int((start - earlier) / stream.time_base)
        try:
            container.seek(place, stream=stream)
            # Many formats land behind the time, or where nothing can be decoded yet.
            frame = next(container.decode(stream), None)
            if frame is not None and frame.time is not None and frame.time - origin <= start + TICK:
                container.seek(place, stream=stream)
                return container, stream, origin
        except av.error.FFmpegError:
            break
    container.close()
    return *_open(path), None


def _upright(image, matrix):
    """Turns and mirrors a picture by FFmpeg's display matrix, to quarter turns.

    Source: libavutil/display.h: (x, y) of the stored picture goes to (a x + c y, b x + d y) of the
    shown one, y downwards; the nine numbers are (a, b, u, c, d, v, x, y, w).
    """
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].astype(float)
    if abs(b) + abs(c) > abs(a) + abs(d):
        image, a, d = image.swapaxes(0, 1), c, b
    return np.ascontiguousarray(image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def _of_one_size(frames, path, complaints):
    """The frames of the first one's size; complaints say how many others there were."""
    counts = collections.Counter()
    for frame in frames:
        size = frame.image.shape[1::-1]
        counts[size] += 1
        if size == next(iter(counts)):
            yield frame
    first, *others = counts or [None]
    for width, height in others:
        complaints.append(
            f"{path}: {counts[width, height]} of {counts.total()} frames are {width}x{height}, not "
            f"{first[0]}x{first[1]} as the first"
        )
