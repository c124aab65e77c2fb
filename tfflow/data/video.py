"""Frames of a video file."""

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
    rate = float(stream.average_rate or 25)
    return rate, _frames(container, path, av.error.FFmpegError)


def _frames(container, path, ffmpeg_error):
    with container:
        try:
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="rgb24")
        except ffmpeg_error as error:
            raise CorruptFileError(f"{path}: a frame can't be decoded: {error}") from error
