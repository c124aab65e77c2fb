"""The frames of a clip as users give them: pictures, or pictures with their times."""

import os

import numpy as np


def picture(frame):
    """A copy of a picture, as a loop may fill one array again and again.

    Raises:
        ValueError: If it is none, as a ``tfflow.data.TimedFrame``, or a file's name.
    """
    if isinstance(frame, tuple):
        raise ValueError(
            "the frames must be pictures (H, W, 3); got tuples, as read_video gives them: give "
            "(frame.image for frame in …)."
        )
    if isinstance(frame, (str, os.PathLike)):
        raise ValueError(
            "the frames must be pictures (H, W, 3), not the name of a file: "
            f"tfflow.data.read_image({str(frame)!r})."
        )
    return np.array(frame)


def pictures(frames):
    """Copies of pictures.

    Raises:
        ValueError: If they are none, see :func:`picture`.
    """
    _check_no_file(frames, "(frame.image for frame in tfflow.data.read_video({}))")
    return map(picture, frames)


def timed_pictures(frames):
    """(copy of a picture, time in seconds) of each frame.

    Raises:
        ValueError: If a frame is no such pair, but a picture alone.
    """
    _check_no_file(frames, "tfflow.data.read_video({})")
    for frame in frames:
        if isinstance(frame, np.ndarray) or len(frame) != 2:
            raise ValueError(
                "the frames must be pairs (picture, time in seconds), as read_video gives them; "
                f"got {np.shape(frame)}. For pictures alone at 25 a second: "
                "((picture, number / 25) for number, picture in enumerate(…))."
            )
        image, time = frame
        yield np.array(image), time


def _check_no_file(frames, instead):
    if isinstance(frames, (str, os.PathLike)):
        raise ValueError(
            f"expected the frames of a clip, not its name: {instead.format(repr(str(frames)))}."
        )
