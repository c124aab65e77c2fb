"""The commands of the tools on flow."""

import csv
import signal

import numpy as np
import pytest

import tfflow
from tfflow import tools
from tfflow.cli import main
from tfflow.data import read_image, read_video, write_flow, write_image
from tfflow.visualization import write_video

pytest.importorskip("av", reason="PyAV is an extra; install tfflow[video]")
ENGINE = ("--engine", "tflite")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A clip of a textured plane that moves by (4, 2) px a frame, and two frames of it."""
    root = tmp_path_factory.mktemp("tools")
    plane = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    plane = plane.repeat(6, axis=0).repeat(6, axis=1)
    frames = [plane[40 - 2 * t :, 60 - 4 * t :][:128, :192] for t in range(5)]
    write_video(root / "clip.mp4", frames, fps=10)
    write_video(root / "one.gif", frames[:1], fps=10)
    for name, frame in zip("ab", frames):
        write_image(root / f"{name}.png", frame)
    return root


def run(capsys, *arguments):
    """(exit status, standard output, standard error)."""
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def frames_of(path):
    return list(read_video(path))


def test_warp(folder, tmp_path, capsys):
    out = tmp_path / "warped.png"
    status, printed, _ = run(capsys, "warp", folder / "a.png", folder / "b.png", "-o", out, *ENGINE)
    assert status == 0 and "come from outside" in printed
    first, second, warped = (read_image(p) for p in (folder / "a.png", folder / "b.png", out))
    inner = np.s_[16:-16, 16:-16]
    error, before = (abs(i[inner].astype(int) - first[inner]).mean() for i in (warped, second))
    assert error < 0.3 * before

    flow = np.full((128, 192, 2), 3.0, np.float32)
    write_flow(tmp_path / "flow.flo", flow)
    status, _, _ = run(capsys, "warp", folder / "b.png", "--flow", tmp_path / "flow.flo", "-o", out)
    assert status == 0
    np.testing.assert_array_equal(read_image(out), tools.warp(second, flow))


def test_track(folder, tmp_path, capsys):
    out = tmp_path / "tracks.csv"
    points = ("--point", "100,60", "--point", "190,60")  # the second one leaves
    status, printed, _ = run(capsys, "track", folder / "clip.mp4", "-o", out, *points, *ENGINE)
    assert status == 0 and "1 of 2 points" in printed
    with open(out, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["frame"] for row in rows] == [str(t) for t in range(5) for _ in points[::2]]
    last, lost = rows[-2:]
    assert float(last["time"]) == pytest.approx(0.4) and last["visible"] == "1"
    assert (float(last["x"]), float(last["y"])) == pytest.approx((116, 68), abs=1)
    assert lost["visible"] == "0" and float(lost["confidence"]) == 0


def test_track_small_frames(folder, tmp_path, capsys):
    frames, out = tmp_path / "frames", tmp_path / "tracks.csv"
    frames.mkdir()
    for name in "ab":
        write_image(frames / f"{name}.png", read_image(folder / f"{name}.png")[:20, :50])
    status, printed, _ = run(capsys, "track", frames, "-o", out, *ENGINE)
    assert status == 0 and "of 3 points" in printed  # 20 px apart
    status, _, error = run(capsys, "track", frames, "-o", out, "--grid", 21, *ENGINE)
    assert status != 0 and "--grid must be at most 20" in error


def test_track_into_a_video(folder, tmp_path, capsys):
    out = tmp_path / "tracks.mp4"
    status, _, _ = run(capsys, "track", folder / "clip.mp4", "-o", out, "--limit", 3, *ENGINE)
    assert status == 0
    drawn, plain = frames_of(out), frames_of(folder / "clip.mp4")
    assert len(drawn) == 3
    assert abs(drawn[2].image.astype(int) - plain[2].image).max() > 50


def test_stabilize(folder, tmp_path, capsys):
    out = tmp_path / "stable.mp4"
    status, _, _ = run(
        capsys, "stabilize", folder / "clip.mp4", "-o", out, "--smoothing", 2, *ENGINE
    )
    assert status == 0
    stable, plain = frames_of(out), frames_of(folder / "clip.mp4")
    assert [frame.time for frame in stable] == [frame.time for frame in plain]
    assert stable[0].image.shape == plain[0].image.shape


def test_interpolate_two_images(folder, tmp_path, capsys):
    out = tmp_path / "middle.png"
    images = folder / "a.png", folder / "b.png"
    status, printed, _ = run(capsys, "interpolate", *images, "-o", out, "--time", 0.25, *ENGINE)
    assert status == 0 and "time 0.25" in printed
    images = [read_image(path) for path in images]
    flows = tfflow.load(engine="tflite").predict_flow(*images, backward=True)
    np.testing.assert_array_equal(read_image(out), tools.interpolate(*images, *flows, time=0.25))


@pytest.mark.parametrize("slow, last", [((), 0.4), (("--slow",), 1.2)])
def test_interpolate_a_video(slow, last, folder, tmp_path, capsys):
    out = tmp_path / "more.mp4"
    clip = folder / "clip.mp4"
    status, _, _ = run(capsys, "interpolate", clip, "-o", out, "--factor", 3, *slow, *ENGINE)
    assert status == 0
    times = [frame.time for frame in frames_of(out)]
    np.testing.assert_allclose(times, np.linspace(0, last, 13), atol=1e-3)


def test_motion_mask(folder, tmp_path, capsys):
    clip, out, masks = folder / "clip.mp4", tmp_path / "mask.mp4", tmp_path / "masks"
    status, printed, _ = run(capsys, "motion-mask", clip, "-o", out, *ENGINE)
    assert status == 0 and "moves by itself" in printed
    frames = frames_of(out)
    assert len(frames) == 4 and frames[0].image.mean() < 30  # the plane is the camera's
    status, _, _ = run(capsys, "motion-mask", clip, "-o", masks, "--threshold", 0, *ENGINE)
    assert status == 0
    names = sorted(path.name for path in masks.iterdir())
    assert names == [*(f"{i:06}.png" for i in range(4)), "times.csv"]
    mask = read_image(masks / "000000.png")
    assert set(np.unique(mask)) <= {0, 255}
    overlay = tmp_path / "overlay"
    run(capsys, "motion-mask", clip, "-o", overlay, "--threshold", 0, "--overlay", *ENGINE)
    frame = frames_of(clip)[0].image
    np.testing.assert_array_equal(
        read_image(overlay / "000000.png"), np.where(mask == 255, frame, frame // 4)
    )
    (masks / "mine.png").touch()
    run(capsys, "motion-mask", clip, "-o", masks, "--limit", 3, *ENGINE)  # of another video
    names = sorted(path.name for path in masks.iterdir())
    assert names == ["000000.png", "000001.png", "mine.png", "times.csv"]
    with open(masks / "times.csv", newline="", encoding="utf-8") as file:
        rows = [(float(row["time"]), float(row["next_time"])) for row in csv.DictReader(file)]
    np.testing.assert_allclose(rows, [(0.0, 0.1), (0.1, 0.2)], atol=1e-3)


def test_ctrl_c_ends_a_video_with_the_frames_so_far(folder, tmp_path, capsys, monkeypatch):
    class Interrupted:
        def predict_flow(self, image1, image2):
            signal.raise_signal(signal.SIGINT)
            return np.zeros((*image1.shape[:2], 2), np.float32)

    monkeypatch.setattr(tfflow, "load", lambda *_, **__: Interrupted())
    out = tmp_path / "mask.mp4"
    before = signal.getsignal(signal.SIGINT)
    status, _, error = run(capsys, "motion-mask", folder / "clip.mp4", "-o", out)
    assert status == 130 and "interrupted" in error
    assert len(frames_of(out)) == 1
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("warp {0}/a.png -o {1}/w.png", "expected two images, or one and --flow"),
        ("warp {0}/a.png {0}/b.png -o {0}/b.png", "is one of the inputs"),
        ("warp {0}/b.png --flow {0}/f.png -o {0}/f.png", "is one of the inputs"),
        ("warp {0}/a.png {0}/b.png -o {1}/w.pgm", "unknown extension '.pgm'"),
        ("warp {0}/b.png --flow {0}/f.flo -o {1}/w.png --size 64x64", "--engine, --size would"),
        ("interpolate {0}/a.png {0}/b.png -o {1}/m.pgm", "unknown extension '.pgm'"),
        ("interpolate {0}/a.png {0}/b.png -o {0}/a.png", "is one of the images"),
        ("interpolate {0}/a.png {0}/b.png -o {1}/m.png --slow", "are for a video"),
        ("interpolate {0}/clip.mp4 -o {1}/m.mp4 --time 0.3", "--time is for two images"),
        ("interpolate {0}/clip.mp4 -o {1}/m.mp4 --factor 1", "expected 2 or more"),
        ("motion-mask {0}/one.gif -o {1}/m.gif", "one.gif has fewer than two frames"),
        ("track {0}/clip.mp4 -o {1}/t.txt", ".mp4, .gif or .csv"),
        ("track {0}/clip.mp4 -o {1}/t.csv --point 500,3", "must lie in the first frame"),
        ("stabilize {0}/clip.mp4 -o {0}/clip.mp4", "the video that is read"),
        ("stabilize {0}/none.mp4 -o {1}/s.mp4", "there is no such file"),
        ("stabilize {0}/clip.mp4 -o {1}/s.mp4 --crop 2", "below 1"),
    ],
)
def test_what_can_not_work_is_one_clear_line(arguments, message, folder, tmp_path, capsys):
    words = arguments.format(folder, tmp_path).split()
    status, _, error = run(capsys, *words, *ENGINE)
    assert status == 1 and message in error
    assert not list(tmp_path.iterdir())
