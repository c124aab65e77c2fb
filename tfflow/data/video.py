"""Frames of a video file."""

import contextlib
import itertools
import pathlib

from tfflow.data.formats import CorruptFileError

VIDEO_EXTENSIONS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".gif")


def read_video(path):
    """The frames of a video, one after the other.

    Args:
        path: A file that FFmpeg reads: ``.mp4``, ``.mov``, ``.mkv``, ``.webm``, ``.avi``, ``.gif``.

    Returns:
        (frames per second, iterator of (H, W, 3) uint8 RGB frames).

    Raises:
        FileNotFoundError: If there is no such file.
        CorruptFileError: If it holds no video that can be decoded.
        ImportError: If PyAV is missing (extra ``video``).
    """
    container, stream = _open(path)
    rate = float(stream.average_rate or 25)
    return rate, (frame.to_ndarray(format="rgb24") for frame in _frames(container, path))


class VideoPairs:
    """Neighbouring frames of a video as pairs, spread evenly over the clip.

    Frames are decoded when they are asked for; it can be gone through again.

    Args:
        path: A video, see :func:`read_video`.
        most: At most so many pairs; all there are if there are fewer.

    Yields:
        (frame, next frame), each (H, W, 3) uint8 RGB.

    Raises:
        FileNotFoundError: If there is no such file.
        CorruptFileError: If it holds no video that can be decoded.
        ValueError: If it has fewer than two frames.
        ImportError: If PyAV is missing (extra ``video``).
    """

    def __init__(self, path, most):
        self.path = pathlib.Path(path)
        # Not from the header, which may hold no number or a wrong one.
        pairs = _count_frames(self.path) - 1
        if pairs < 1:
            raise ValueError(f"{self.path} has fewer than two frames; there is no motion in it.")
        count = min(most, pairs)
        self.indices = [index * pairs // count for index in range(count)]

    def __len__(self):
        return len(self.indices)

    def __iter__(self):
        container, _ = _open(self.path)
        wanted = iter(self.indices)
        first = next(wanted)
        with contextlib.closing(_frames(container, self.path)) as frames:
            for index, (frame, after) in enumerate(itertools.pairwise(frames)):
                if index == first:
                    yield frame.to_ndarray(format="rgb24"), after.to_ndarray(format="rgb24")
                    first = next(wanted, None)
                    if first is None:
                        return


def _open(path):
    """(container, its video stream) of a file."""
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No video at {path}.")
    try:
        import av
    except ImportError as error:
        raise ImportError('Reading a video needs PyAV: pip install "tfflow[video]"') from error
    try:
        container = av.open(str(path))
        stream = container.streams.video[0]
    except (av.error.FFmpegError, IndexError) as error:
        raise CorruptFileError(f"{path}: expected a video file; FFmpeg says: {error}") from error
    stream.thread_type = "AUTO"
    return container, stream


def _count_frames(path):
    """The number of frames, by their packets: nothing is decoded."""
    container, _ = _open(path)
    from av.error import FFmpegError

    with container:
        try:
            return sum(packet.size > 0 for packet in container.demux(video=0))
        except FFmpegError as error:
            raise CorruptFileError(f"{path}: the video can't be read: {error}") from error


def _frames(container, path):
    """PyAV's frames, one after the other; the container is closed at the end."""
    from av.error import FFmpegError

    with container:
        try:
            yield from container.decode(video=0)
        except FFmpegError as error:
            raise CorruptFileError(f"{path}: a frame can't be decoded: {error}") from error
