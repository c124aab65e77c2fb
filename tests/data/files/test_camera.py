"""Cameras. The stand-in is OpenCV's own VideoCapture, which reads a clip for a camera."""

import cv2
import numpy as np
import pytest

from tfflow.data import read_camera
from tfflow.data.files.camera import is_camera
from tfflow.visualization import write_video


@pytest.fixture
def camera(tmp_path, monkeypatch):
    """Camera 3 shows a red clip of four frames; returns the list of what was opened."""
    pytest.importorskip("av", reason="PyAV is an extra; install tfflow[video]")
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 200
    write_video(tmp_path / "clip.mp4", [red] * 4, 25)
    real, opened = cv2.VideoCapture, []

    def open_camera(number):
        opened.append(real(str(tmp_path / "clip.mp4") if number == 3 else number))
        return opened[-1]

    monkeypatch.setattr(cv2, "VideoCapture", open_camera)
    return opened


@pytest.mark.parametrize("device", [3, "/dev/video3"])
def test_frames_are_rgb_and_have_the_time_at_which_they_came(device, camera):
    frames = list(read_camera(device))
    assert len(frames) == 4
    for frame in frames:
        assert frame.image.shape == (48, 64, 3) and frame.image.dtype == np.uint8
        assert np.abs(frame.image.astype(int) - (200, 0, 0)).mean() < 5
    times = [frame.time for frame in frames]
    assert times == sorted(times) and 0 <= times[0] < times[-1] < 60
    assert not camera[0].isOpened(), "released at its end"


def test_a_camera_is_released_when_nobody_looks(camera):
    frames = read_camera(3)
    next(frames)
    assert camera[0].isOpened()
    frames.close()
    assert not camera[0].isOpened()


@pytest.mark.parametrize(
    ("device", "message"),
    [
        (97, "no picture from camera 97; is it connected"),
        ("/dev/video97", "no picture from camera /dev/video97"),
        ("clip.mp4", "clip.mp4 is no camera: expected a number like 0"),
    ],
)
def test_no_camera(device, message):
    with pytest.raises(OSError, match=message):
        read_camera(device)


def test_devices_are_known_by_their_name(tmp_path):
    assert is_camera("/dev/video0") and not is_camera("/dev/video") and not is_camera("video0")
    (tmp_path / "usb-Camera").symlink_to("/dev/video12")
    assert is_camera(tmp_path / "usb-Camera")
