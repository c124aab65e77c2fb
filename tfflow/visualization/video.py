"""Writing a sequence of pictures as .mp4 or animated .gif."""

import itertools
import math
import os
import struct
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from tfflow.atomic_file import atomic_file
from tfflow.types import PathLike

_BT709 = 1  # its number in H.264's tables of colour primaries, transfer and matrix
_CLOCK = 90_000  # ticks per second, usual for video: 24, 25, 30 and 29.97 fps fit exactly


def write_video(
    path: PathLike,
    frames: Iterable[npt.NDArray[Any]] | Iterable[tuple[npt.NDArray[Any], float]],
    fps: float | None = None,
) -> None:
    """Writes pictures as a video, in the format that the extension names, whole or not at all.

    .gif (256 colours a frame, at most 50 frames a second) plays anywhere and in a README; .mp4
    (H.264, needs PyAV) is far smaller. An .mp4's width and height must be even: the last column or
    row is repeated where they are not.

    Args:
        path: .gif or .mp4; its folder must exist.
        frames: an iterable of pictures (H, W, 3) uint8, all of one size, taken one by one; without
            `fps`, of (picture, time in seconds), like `tfflow.data.TimedFrame`.
        fps: frames per second; a .gif keeps all times to a hundredth of a second only. None:
            each frame has its time; the last is shown as long as the one before.

    Raises:
        ImportError: .mp4 without PyAV installed.
        ValueError: another extension, no frames, frames of two sizes, pictures with neither `fps`
            nor times, an fps that is not positive, a time that is not finite, or a picture that a
            .gif would show for over 655 s.
        TypeError: frames that are not uint8.
        OSError: the file can't be written.
    """
    path = Path(path)
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise ValueError(
            f"cannot write a video to {path}: unknown extension {path.suffix!r}, use .mp4 or .gif"
        )
    timed: Iterable[Any] = frames
    if fps is not None:
        if not 0 < fps < math.inf:
            raise ValueError(f"expected a frame rate above 0 per second, got {fps}")
        rate = Fraction(float(fps))
        if fps >= 1:
            rate = rate.limit_denominator(1001)  # 29.97 is 30000 / 1001
        timed = ((frame, number / rate) for number, frame in enumerate(frames))
    checked = _checked_frames(path, timed)
    with atomic_file(path) as temporary:
        write(temporary, checked)


def _checked_frames(path, frames):
    """Yields the frames; raises on the first that does not fit, or when there is none."""
    shape = None
    for index, item in enumerate(frames):
        if isinstance(item, np.ndarray) or len(item) != 2:
            raise ValueError(
                f"{path}: without fps, expected pairs (picture, time in seconds); frame {index} is "
                f"of shape {np.shape(item)}. Give fps for pictures alone"
            )
        frame, time = np.array(item[0]), item[1]  # its own: a loop may fill one array again
        if not math.isfinite(time):
            raise ValueError(f"{path}: expected a time in seconds, that of frame {index} is {time}")
        if frame.dtype != np.uint8:
            raise TypeError(f"{path}: expected frames of uint8, frame {index} is {frame.dtype}")
        if frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape:
            raise ValueError(f"{path}: expected frames (H, W, 3), frame {index} is {frame.shape}")
        if shape is None:
            shape = frame.shape
        if frame.shape != shape:
            raise ValueError(
                f"{path}: expected frames of one size {shape}, frame {index} is {frame.shape}"
            )
        yield frame, time
    if shape is None:
        raise ValueError(f"{path}: expected at least one frame, got none")


def _with_ticks(frames, clock, least):
    """Yields (frame, ticks to show it for): `clock` ticks per second, at least `least`.

    Each ends when the next should start, so that rounding errors do not add up.
    """
    frame, start = next(frames)
    now, ticks = 0, clock // 25
    for after, time in frames:
        ticks = max(least, round(clock * (time - start)) - now)
        yield frame, ticks
        now += ticks
        frame = after
    yield frame, ticks


def _write_gif(path, frames):
    def pictures():
        for frame, hundredths in _with_ticks(frames, 100, 2):  # players slow down faster ones
            picture = Image.fromarray(frame)
            picture.info["duration"] = 10 * hundredths
            yield picture

    pictures = pictures()
    try:
        next(pictures).save(path, save_all=True, append_images=pictures, loop=0)
    except (OverflowError, struct.error) as error:  # the latter by Pillow before 13
        raise ValueError(
            "a .gif shows no picture for longer than 655 s, and equal ones count as one: write an "
            ".mp4"
        ) from error


def _write_mp4(path, frames):
    try:
        import av
    except ImportError as error:
        raise ImportError("writing .mp4 needs PyAV: pip install av (or write a .gif)") from error
    frames = _with_ticks(frames, _CLOCK, 1)
    first = next(frames)
    height, width = first[0].shape[:2]
    with av.open(os.path.abspath(path), "w") as container:  # "12:30.mp4" would be a protocol
        # The rate is a hint for the encoder; the time stamps are what counts. At a rate of 90,000
        # (two frames of one time), it loses frames.
        rate = min(Fraction(_CLOCK, first[1]), Fraction(1000))
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"  # the one that every player and browser shows
        # Colours carry the meaning: nearly no loss. x264's own preset would need 2.5 times as long
        # for no better pictures and no smaller files.
        stream.options = {"crf": "15", "preset": "veryfast"}
        # Tagged as it is converted: without a tag, players use one matrix for small videos and
        # another for large ones, and the hues shift.
        codec = stream.codec_context
        codec.color_primaries = codec.color_trc = codec.colorspace = _BT709
        codec.time_base = Fraction(1, _CLOCK)
        converter = av.video.reformatter.VideoReformatter()  # a frame's own would be set up anew
        now = 0
        for frame, ticks in itertools.chain([first], frames):
            if height % 2 or width % 2:
                frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            picture = converter.reformat(picture, format="yuv420p", dst_colorspace="ITU709")
            picture.time_base, picture.pts, picture.duration = codec.time_base, now, ticks
            now += ticks
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


_WRITERS = {".gif": _write_gif, ".mp4": _write_mp4}
