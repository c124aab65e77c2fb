"""The frames of a clip as users give them: pictures, or pictures with their times."""

import numpy as np


def pictures(frames):
    """Copies of pictures, as a loop may fill one array again and again.

    Raises:
        ValueError: If a frame is no picture, as a ``tfflow.data.TimedFrame``.
    """
    for frame in frames:
        if isinstance(frame, tuple):
            raise ValueError(
                "the frames must be pictures (H, W, 3); got tuples, as read_video gives them: give "
                "(frame.image for frame in …)."
            )
        yield np.array(frame)


def timed_pictures(frames):
    """(copy of a picture, time in seconds) of each frame.

    Raises:
        ValueError: If a frame is no such pair, but a picture alone.
    """
    for frame in frames:
        if isinstance(frame, np.ndarray) or len(frame) != 2:
            raise ValueError(
                "the frames must be pairs (picture, time in seconds), as read_video gives them; "
                f"got {np.shape(frame)}. For pictures alone at 25 a second: "
                "((picture, number / 25) for number, picture in enumerate(…))."
            )
        image, time = frame
        yield np.array(image), time
