import os
import sys

import numpy as np
import pytest
from PIL import Image

from tfflow.data import read_video
from tfflow.visualization import flow_to_image, write_video


def moving_wheel(count, shape=(51, 75)):
    y, x = np.mgrid[: shape[0], : shape[1]]
    return [flow_to_image(np.stack([x - 30.0 - 2 * k, y - 25.0], -1), 50) for k in range(count)]


def test_mp4(tmp_path):
    av = pytest.importorskip("av")
    frames = moving_wheel(7)
    write_video(tmp_path / "a.mp4", iter(frames), 12.5)
    assert os.listdir(tmp_path) == ["a.mp4"]
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (76, 52), "padded to even"
        assert stream.average_rate == 12.5
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(decoded) == 7
    for frame, found in zip(frames, decoded, strict=True):
        difference = found[:51, :75].astype(float) - frame
        assert np.abs(difference).mean() < 2.5 and np.abs(difference.mean((0, 1))).max() < 3


def test_gif(tmp_path):
    frames = moving_wheel(7)
    write_video(tmp_path / "a.gif", iter(frames), 10)
    with Image.open(tmp_path / "a.gif") as animation:
        assert (animation.n_frames, animation.size) == (7, (75, 51))
        assert (animation.info["duration"], animation.info["loop"]) == (100, 0)
        for index, frame in enumerate(frames):
            animation.seek(index)
            found = np.asarray(animation.convert("RGB")).astype(float)
            assert np.abs(found - frame).mean() < 8


def test_one_frame(tmp_path):
    for name in ("a.gif", "a.mp4"):
        if name.endswith("mp4"):
            pytest.importorskip("av")
        write_video(tmp_path / name, moving_wheel(1), 25)
        assert (tmp_path / name).stat().st_size > 0


@pytest.mark.parametrize("extension", [".gif", ".mp4"])
def test_bad_frames_leave_nothing(tmp_path, extension):
    if extension == ".mp4":
        pytest.importorskip("av")
    path = tmp_path / f"a{extension}"
    frame = np.zeros((8, 8, 3), np.uint8)
    for frames, error, text in (
        ([], ValueError, "at least one frame"),
        ([frame, frame[:4]], ValueError, r"one size \(8, 8, 3\), frame 1 is \(4, 8, 3\)"),
        ([frame, frame / 255.0], TypeError, "frame 1 is float64"),
        ([frame[..., 0]], ValueError, r"frame 0 is \(8, 8\)"),
    ):
        with pytest.raises(error, match=text):
            write_video(path, frames, 25)
        assert not os.listdir(tmp_path)


def test_wrong_arguments(tmp_path):
    frames = moving_wheel(2)
    with pytest.raises(ValueError, match=r"unknown extension '\.avi', use \.mp4 or \.gif"):
        write_video(tmp_path / "a.avi", frames, 25)
    for fps in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="frame rate above 0"):
            write_video(tmp_path / "a.gif", frames, fps)
    with pytest.raises(FileNotFoundError, match="create it first"):
        write_video(tmp_path / "missing" / "a.gif", frames, 25)
    with pytest.raises(ValueError, match="without fps, expected pairs .* Give fps"):
        write_video(tmp_path / "a.gif", frames)
    with pytest.raises(ValueError, match="expected a time in seconds, that of frame 1 is nan"):
        write_video(tmp_path / "a.gif", zip(moving_wheel(2), (0.0, float("nan"))))
    assert not os.listdir(tmp_path)


def test_a_gif_of_what_stands_still_for_too_long(tmp_path):
    frames = [(np.zeros((8, 8, 3), np.uint8), time) for time in (0.0, 400.0, 800.0)]
    with pytest.raises(ValueError, match="no picture for longer than 655 s.*write an .mp4"):
        write_video(tmp_path / "a.gif", frames)
    assert not os.listdir(tmp_path)


def test_frames_an_hour_apart(tmp_path):
    pytest.importorskip("av", reason="PyAV is an extra; install tfflow[video]")
    write_video(tmp_path / "a.mp4", moving_wheel(3), fps=1 / 3600)
    times = [frame.time for frame in read_video(tmp_path / "a.mp4")]
    assert times == pytest.approx([0, 3600, 7200])


def test_mp4_without_pyav_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r"pip install av"):
        write_video(tmp_path / "a.mp4", moving_wheel(2), 25)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("times", [(0, 0, 0), (0, 0, 0.04, 0.08), (3, 2, 1)])
def test_frames_of_one_time_are_all_there(times, tmp_path):
    pytest.importorskip("av", reason="PyAV is an extra; install tfflow[video]")
    frames = [(np.full((64, 64, 3), 60 * i, np.uint8), time) for i, time in enumerate(times)]
    write_video(tmp_path / "a.mp4", frames)
    shown = [int(frame.image.mean()) for frame in read_video(tmp_path / "a.mp4")]
    np.testing.assert_allclose(shown, [60 * i for i in range(len(times))], atol=4)


@pytest.mark.parametrize("extension", [".gif", ".mp4"])
def test_a_loop_may_fill_one_array_again(extension, tmp_path):
    pytest.importorskip("av")
    picture = np.zeros((32, 32, 3), np.uint8)

    def frames():
        for number in range(4):
            picture[:] = 60 * number
            yield picture

    write_video(tmp_path / f"a{extension}", frames(), np.float32(10))
    means = [frame.image.mean() for frame in read_video(tmp_path / f"a{extension}")]
    np.testing.assert_allclose(means, [0, 60, 120, 180], atol=2)
