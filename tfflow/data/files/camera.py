"""Frames of a camera."""

import os
import re
import time
from collections.abc import Iterator

from tfflow.data.files.video import TimedFrame
from tfflow.types import PathLike


def read_camera(device: int | PathLike) -> Iterator[TimedFrame]:
    """The frames of a camera, as they come, until it is gone or the iterator is closed.

    It is opened by OpenCV, at the size and rate that the driver chooses. Times are those of this
    machine's clock when a frame arrives. A frame that nobody asks for in time is dropped, so that
    slow work sees fewer frames, not old ones.

    Args:
        device: OpenCV's number of the camera, 0 for the first; or, on Linux, its path:
            ``"/dev/video0"``, or a link to that.

    Returns:
        An iterator of :class:`tfflow.data.TimedFrame`.

    Raises:
        OSError: If there is no such camera, or it gives no picture.
    """
    import cv2

    number = device if isinstance(device, int) else _number(device)
    capture = cv2.VideoCapture(number)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    # Some drivers open what can't be read.
    good, first = capture.read() if capture.isOpened() else (False, None)
    if not good:
        capture.release()
        raise OSError(
            f"there is no picture from camera {device}; is it connected, allowed, and not in use "
            "by another program?"
        )
    return _frames(capture, first)


def is_camera(path: PathLike) -> bool:
    """Whether a path is that of a camera's device on Linux."""
    return _DEVICE.fullmatch(os.path.realpath(path)) is not None


_DEVICE = re.compile(r"/dev/video(\d+)")


def _number(path):
    """OpenCV takes the path of a device for that of a file, so it gets the number."""
    match = _DEVICE.fullmatch(os.path.realpath(path))
    if match is None:
        raise OSError(f"{path} is no camera: expected a number like 0, or /dev/video0")
    return int(match[1])


def _frames(capture, image):
    import cv2

    start, good = time.monotonic(), True
    try:
        while good:
            yield TimedFrame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), time.monotonic() - start)
            good, image = capture.read()
    finally:
        capture.release()
