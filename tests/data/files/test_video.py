"""Videos as people have them: turned, cut off, with time stamps of their own."""

import struct
import wave
from fractions import Fraction

import cv2
import numpy as np
import pytest
from PIL import Image

from tfflow.cli import main
from tfflow.data import CorruptFileError, read_video, write_image
from tfflow.data.files.video import VideoPairs
from tfflow.visualization import write_video

av = pytest.importorskip("av", reason="PyAV is an extra; install tfflow[video]")

# Of the four corners, the top left alone is red, the top right alone green.
CORNERS = np.zeros((48, 64, 3), np.uint8)
CORNERS[:24, :32, 0] = CORNERS[:24, 32:, 1] = 200

# a, b, c, d of the matrix in the file, and what it makes of a picture, for EXIF's eight ways.
ORIENTATIONS = {
    "upright": ((1, 0, 0, 1), lambda x: x),
    "mirrored": ((-1, 0, 0, 1), lambda x: x[:, ::-1]),
    "half turn": ((-1, 0, 0, -1), lambda x: np.rot90(x, 2)),
    "upside down": ((1, 0, 0, -1), lambda x: x[::-1]),
    "transposed": ((0, 1, 1, 0), lambda x: x.swapaxes(0, 1)),
    "right turn": ((0, 1, -1, 0), lambda x: np.rot90(x, -1)),
    "transversed": ((0, -1, -1, 0), lambda x: np.rot90(x, 2).swapaxes(0, 1)),
    "left turn": ((0, -1, 1, 0), lambda x: np.rot90(x)),
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    write_video(path, [CORNERS] * 4, 10)
    return path


def turned(clip, path, numbers):
    """A copy with another matrix in its track header, as a phone writes it there."""
    content = clip.read_bytes()
    one = 1 << 16
    plain = struct.pack(">9i", one, 0, 0, 0, one, 0, 0, 0, 1 << 30)
    start = content.index(plain, content.index(b"tkhd"))
    a, b, c, d = (one * number for number in numbers)
    matrix = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content[:start] + matrix + content[start + len(matrix) :])
    return path


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_frames_are_upright(name, clip, tmp_path):
    numbers, expected = ORIENTATIONS[name]
    path = turned(clip, tmp_path / "turned.mp4", numbers)
    frame = next(read_video(path)).image
    assert frame.shape == expected(CORNERS).shape
    assert np.abs(frame.astype(float) - expected(CORNERS)).mean() < 4
    for each in next(iter(VideoPairs(path, 1))):
        np.testing.assert_array_equal(each, frame)
    if name.endswith(("upright", "turn")):  # OpenCV mirrors nothing
        there, shown = cv2.VideoCapture(str(path)).read()
        assert not there or np.abs(frame.astype(float) - shown[..., ::-1]).mean() < 4


def encoded(path, times, codec="libx264", clock=1000, **options):
    """A video of noise with these time stamps, of `clock` ticks a second."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=clock)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        stream.options = {"g": "5"}
        for time in times:
            picture = rng.integers(0, 256, (32, 48, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, clock)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


UNEVEN = [0, 33, 67, 100, 240, 273, 307, 340]  # 30 frames a second, of which three are lost


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.webm", "libvpx")])
@pytest.mark.parametrize("output", ["b.mp4", "b.gif"])
def test_time_stamps_rule(name, codec, output, tmp_path):
    source = encoded(tmp_path / name, UNEVEN, codec)
    frames = list(read_video(source))
    assert [1000 * frame.time for frame in frames] == pytest.approx(UNEVEN, abs=1)
    write_video(tmp_path / output, frames)
    times = [1000 * frame.time for frame in read_video(tmp_path / output)]
    assert times == pytest.approx(UNEVEN, abs=1 if output.endswith("mp4") else 5)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        *(("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.webm", "libvpx")),
        *(("a.avi", "mpeg4"), ("b.avi", "libx264")),
        # Where a search lands behind the time that is sought.
        *(("a.ts", "libx264"), ("b.ts", "mpeg2video"), ("a.mpg", "mpeg2video"), ("a.flv", "flv1")),
    ],
)
def test_reading_from_a_later_time(name, codec, tmp_path):
    path = encoded(tmp_path / name, range(60), codec, 25)
    frames = list(read_video(path))
    for start in (0.5, 1.2, 2.35, 5):
        found = list(read_video(path, start=start))
        expected = [frame for frame in frames if frame.time > start - 1e-4]
        assert [frame.time for frame in found] == pytest.approx([f.time for f in expected])
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a.image, b.image)


def test_frames_before_the_start_are_not_decoded(tmp_path):
    path = encoded(tmp_path / "a.mp4", range(200), "libx264", 25)  # a key frame every 5
    content = bytearray(path.read_bytes())
    content[len(content) // 4 : len(content) // 3] = bytes(len(content) // 3 - len(content) // 4)
    path.write_bytes(content)
    with pytest.raises(CorruptFileError):
        list(read_video(path))
    assert len(list(read_video(path, start=4.0))) == 100


@pytest.mark.parametrize("name", ["a.mkv", "a.avi", "a.mp4", "a.mov"])
def test_a_video_that_is_cut_off(name, tmp_path):
    options = {"movflags": "faststart"} if name[2:] in ("mp4", "mov") else {}
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    path = encoded(tmp_path / name, range(60), codec, 25, **options)
    complaints = []
    assert len(list(read_video(path, complaints))) == 60 and not complaints
    assert len(VideoPairs(path, 100)) == 59

    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    there = len(list(read_video(path, complaints)))
    assert 20 < there < 45
    assert complaints and all(str(path) in text for text in complaints)
    with pytest.raises(CorruptFileError, match="cut off|can't be"):
        list(read_video(path))
    with pytest.raises(CorruptFileError, match="cut off|can't be"):
        VideoPairs(path, 100)


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "libx264"), ("a.webm", "libvpx")])
def test_a_video_that_begins_later_is_whole(name, codec, tmp_path):
    frames = list(read_video(encoded(tmp_path / name, range(50, 110), codec, 25)))
    assert len(frames) == 60 and frames[0].time == 0


def test_frames_that_an_edit_list_cuts_off_are_not_counted(tmp_path):
    options = {"avoid_negative_ts": "disabled"}
    path = encoded(tmp_path / "a.mp4", range(-10, 30), clock=25, **options)
    frames = list(read_video(path))
    pairs = VideoPairs(path, 100)
    assert len(frames) == 30 and len(pairs) == len(list(pairs)) == 29


def test_a_colon_in_a_relative_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_video("12:30.mp4", read_video(encoded(tmp_path / "a.mp4", UNEVEN)))
    assert len(list(read_video("12:30.mp4"))) == len(UNEVEN)


def test_a_file_without_a_video(tmp_path):
    with wave.open(str(tmp_path / "sound.avi"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(8000))
    with pytest.raises(CorruptFileError, match="says: no pictures in it$"):
        read_video(tmp_path / "sound.avi")
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(CorruptFileError, match="says: Invalid data found when processing input$"):
        read_video(tmp_path / "empty.mp4")


def test_commands_write_what_is_there_and_fail(tmp_path, capsys):
    path = encoded(tmp_path / "clip.mkv", range(20), clock=25)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    arguments = [str(path), "-o", str(tmp_path / "out.gif")]
    for command in (["flow", *arguments, "--engine", "tflite"], ["detect", *arguments]):
        assert main(command) == 1
        printed = capsys.readouterr()
        assert "the file is cut off" in printed.err and "out.gif" in printed.out
        with Image.open(tmp_path / "out.gif") as animation:
            assert animation.n_frames > 5
        (tmp_path / "out.gif").unlink()


@pytest.fixture
def pictures(tmp_path):
    """A folder of frames, each of the grey of its number, and what is no frame."""
    (tmp_path / "frames").mkdir()
    for number in (9, 10, 11, 8):
        image = np.full((48, 64, 3), 10 * number, np.uint8)
        write_image(tmp_path / "frames" / f"f{number}.png", image)
    for other in (".f1.png", "f8_flow.png", "notes.txt"):
        (tmp_path / "frames" / other).write_text("no frame")
    return tmp_path / "frames"


def test_a_folder_of_pictures_is_a_video(pictures):
    frames = list(read_video(pictures))
    assert [frame.image[0, 0, 0] for frame in frames] == [80, 90, 100, 110]
    assert [frame.time for frame in frames] == pytest.approx([0, 0.04, 0.08, 0.12])
    later = list(read_video(pictures, start=0.1, fps=10))
    assert [(f.image[0, 0, 0], f.time) for f in later] == [(90, 0.1), (100, 0.2), (110, 0.3)]


def test_what_a_folder_lacks(pictures, clip, tmp_path):
    (pictures / "f10.png").write_bytes(b"damaged")
    write_image(pictures / "f12.png", np.zeros((32, 32, 3), np.uint8))
    with pytest.raises(CorruptFileError, match=r"f10\.png"):
        list(read_video(pictures))
    complaints = []
    assert len(list(read_video(pictures, complaints))) == 3
    assert "f10.png" in complaints[0] and "1 of 4 frames are 32x32" in complaints[1]
    (pictures / "f13.png").symlink_to("gone.png")
    Image.fromarray(np.zeros((32, 48), np.float32)).save(pictures / "f14.tif")
    complaints.clear()
    assert len(list(read_video(pictures, complaints))) == 3
    assert "f13.png" in complaints[1] and "floating point" in complaints[2]
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"a folder without images, \.png"):
        read_video(tmp_path / "empty")
    for fps in (0, -1, float("inf")):
        with pytest.raises(ValueError, match="fps must be above 0; got"):
            read_video(pictures, fps=fps)
    with pytest.raises(ValueError, match="has the times of its frames; fps is for a folder"):
        read_video(clip, fps=10)
    with pytest.raises(ValueError, match=r"f9\.png is one picture. Give a video, or a folder"):
        read_video(pictures / "f9.png")


def test_commands_take_a_folder_of_pictures(pictures, tmp_path, capsys):
    commands = (
        ("flow", pictures, "-o", "flow.mp4", "--engine", "tflite"),
        ("track", pictures, "-o", "tracks.mp4", "--engine", "tflite"),
        ("detect", pictures, "-o", "boxes.mp4"),
    )
    for command in commands:
        words = [*map(str, command), "--fps", "10"]
        words[words.index("-o") + 1] = str(tmp_path / words[words.index("-o") + 1])
        assert main(words) == 0, capsys.readouterr().err
        times = [frame.time for frame in read_video(words[words.index("-o") + 1])]
        assert times[:3] == pytest.approx([0, 0.1, 0.2])
    archive = tmp_path / "flow.npz"
    assert main(["flow", str(pictures), "-o", str(archive), "--engine", "tflite"]) == 0
    with np.load(archive) as flows:
        assert flows["times"][:, 0] == pytest.approx([0, 0.04, 0.08])
    assert main(["flow", str(pictures), "-o", str(tmp_path / "out"), "--fps", "10"]) == 1
    assert "a folder of frames is one if -o is a .mp4, .gif or .npz" in capsys.readouterr().err
