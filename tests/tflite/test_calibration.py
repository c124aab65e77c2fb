"""Calibration: which pairs are taken, and the ranges that are read off them."""

import numpy as np
import pytest

from tfflow.data import FlowSample, write_image
from tfflow.data.files.video import VideoPairs
from tfflow.tflite import calibration, export
from tfflow.tflite.calibration import (
    MAX_PAIRS,
    NARROWEST,
    OUTLIERS,
    _range,
    as_pair,
    measure_ranges,
    open_calibration,
)
from tfflow.tflite.graph import Graph

SIZE = (64, 128)
A, B = np.zeros((4, 5, 3)), np.ones((4, 5, 3))


@pytest.mark.parametrize(
    "item",
    [
        (A, B),
        [A, B],
        (A, B, "flow"),
        FlowSample(A, B, None, None, "name"),
        {"image1": A, "image2": B},
        ({"image2": B, "image1": A}, "flow", "valid"),
    ],
)
def test_pairs(item):
    image1, image2 = as_pair(item)
    np.testing.assert_array_equal(image1, A)
    np.testing.assert_array_equal(image2, B)


@pytest.mark.parametrize("item", [A, (A,), {"image1": A}, "ab", None, ()])
def test_no_pairs(item):
    with pytest.raises(ValueError, match="A pair must be"):
        as_pair(item)


def test_frames_with_their_times_are_no_pairs():
    with pytest.raises(ValueError, match="the video's path"):
        as_pair((A, 0.04))


def test_ranges(exported, model, pairs):
    graph = Graph(exported["float32"].read_bytes())
    ranges = measure_ranges(graph, pairs, SIZE)
    computed = {graph.tensor_name(t) for op in graph.subgraph.operators for t in op.outputs}
    assert set(ranges) == computed | {"image1", "image2"}
    assert ranges["image1"] == ranges["image2"] == (0.0, 1.0)

    flows = [model.predict_flow(*pair, size=SIZE) for pair in pairs]
    outside = int(OUTLIERS * flows[0].size)
    assert outside > 0
    lows = [np.sort(flow, axis=None)[outside] for flow in flows]
    highs = [np.sort(flow, axis=None)[-1 - outside] for flow in flows]
    assert ranges["flow"] == pytest.approx((min(lows), max(highs)), rel=1e-3)


def test_paths_are_no_images(exported):
    with pytest.raises(ValueError, match=r"got the path 'a.png'. Read them with .*read_image"):
        measure_ranges(Graph(exported["float32"].read_bytes()), [("a.png", "b.png")], SIZE)


def test_an_endless_calibration_ends(exported, monkeypatch):
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield A, B

    monkeypatch.setattr("tfflow.tflite.calibration.MAX_PAIRS", 3)
    measure_ranges(Graph(exported["float32"].read_bytes()), endless(), SIZE)
    assert len(taken) == 3 and MAX_PAIRS >= 50


def frame(number):
    """An image (48, 64, 3) that tells its number."""
    return np.full((48, 64, 3), 5 * number, np.uint8)


def numbers(pairs):
    """Which frames the pairs are of."""
    return [tuple(round(float(image.mean()) / 5) for image in as_pair(pair)) for pair in pairs]


@pytest.fixture
def frames(tmp_path):
    """A folder of twelve frames, whose order is that of the numbers, not of the letters."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(12):
        write_image(folder / f"frame{number}.png", frame(number))
    return folder


@pytest.fixture
def clip(tmp_path):
    pytest.importorskip("av", reason="PyAV is an extra; install tfflow[video]")
    from tfflow.visualization import write_video

    write_video(tmp_path / "clip.mp4", [frame(number) for number in range(12)], fps=10)
    return tmp_path / "clip.mp4"


@pytest.mark.parametrize("source", ["frames", "clip"])
def test_neighbouring_frames_are_pairs(source, request):
    pairs = open_calibration(request.getfixturevalue(source), SIZE)
    assert len(pairs) == 11
    # A file with encode and match goes through them twice.
    for _ in range(2):
        assert numbers(pairs) == [(number, number + 1) for number in range(11)]


@pytest.mark.parametrize("source", ["frames", "clip"])
def test_few_pairs_are_spread_over_all(source, request, monkeypatch):
    monkeypatch.setattr(calibration, "MAX_PAIRS", 4)
    pairs = open_calibration(str(request.getfixturevalue(source)), SIZE)
    assert numbers(pairs) == [(0, 1), (2, 3), (5, 6), (8, 9)]


def test_named_pairs_and_data_sets(tmp_path):
    for number in range(4):
        write_image(tmp_path / f"{number // 2}_img{1 + number % 2}.png", frame(number))
    for source in (tmp_path, f"folder:{tmp_path}"):
        assert numbers(open_calibration(source, SIZE)) == [(0, 1), (2, 3)]


def test_a_video_read_in_part_is_closed(clip):
    pairs = iter(VideoPairs(clip, 4))
    next(pairs)
    pairs.close()
    assert len(VideoPairs(clip, 100)) == 11


def test_a_file_from_a_folder_is_that_of_its_pairs(frames, tiny, tmp_path):
    pairs = [(frame(number), frame(number + 1)) for number in range(11)]
    for name, source in (("given", pairs), ("folder", frames), ("single", pairs[:1])):
        export(tiny, tmp_path / f"{name}.tflite", size=(64, 64), calibration=source)
    given, folder, single = (
        (tmp_path / f"{name}.tflite").read_bytes() for name in ("given", "folder", "single")
    )
    assert given == folder and given != single


def test_outliers(tiny, pairs):
    from tfflow.tflite.conversion import convert

    graph = convert(tiny, (64, 64))
    name = graph.tensor_name(graph.subgraph.outputs[0])
    pairs = [(image1[:, :64], image2[:, :64]) for image1, image2 in pairs]
    flows = [tiny.predict_flow(*pair) for pair in pairs]
    whole = measure_ranges(graph, pairs, (64, 64), outliers=0)[name]
    assert whole == pytest.approx((np.min(flows), np.max(flows)), rel=1e-3)
    widths = []
    for share in (0, None, 0.01, 0.2):
        low, high = measure_ranges(graph, pairs, (64, 64), outliers=share)[name]
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True) and len(set(widths)) == 4


@pytest.mark.parametrize("shape", [(1, 300, 400, 7), (1, 512, 512, 32), (500_000,), ()])
def test_the_range_of_a_sample_is_that_of_all(shape):
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    if len(shape) == 4:
        values *= np.arange(shape[-1])  # a channel that were left out would be missed
    low, high = _range(values, 0.01)
    expected = np.quantile(values, (0.01, 0.99))
    assert (low, high) == pytest.approx((expected[0], max(expected[1], low + NARROWEST)), rel=0.05)
    assert _range(values, 0)[0] == values.min()


def test_outliers_reach_the_file(tiny, pairs, tmp_path):
    contents = []
    for share in (0, 0.1):
        path = tmp_path / "a.tflite"
        export(tiny, path, size=(64, 64), calibration=pairs[:2], outliers=share)
        contents.append(path.read_bytes())
    assert contents[0] != contents[1]


def _one_image(folder):
    write_image(folder / "alone.png", frame(1))
    return folder


def _one_frame(folder):
    pytest.importorskip("av")
    from tfflow.visualization import write_video

    write_video(folder / "still.mp4", [frame(1)], fps=10)
    return folder / "still.mp4"


def _no_video(folder):
    pytest.importorskip("av")
    (folder / "text.mp4").write_text("no video")
    return folder / "text.mp4"


def _no_image(folder):
    write_image(folder / "a.png", frame(1))
    (folder / "b.png").write_text("no image")
    return folder


def _an_image(folder):
    write_image(folder / "a.png", frame(1))
    return folder / "a.png"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda folder: folder, FileNotFoundError, "no images in"),
        (lambda folder: folder / "absent", FileNotFoundError, "absent: no such folder"),
        (lambda folder: folder / "absent.mp4", FileNotFoundError, "No video at"),
        (_one_image, ValueError, "two images or more.*found only alone.png"),
        (_one_frame, ValueError, "still.mp4 has fewer than two frames"),
        (_no_video, ValueError, "text.mp4: expected a video file"),
        (_no_image, ValueError, "b.png"),
        (_an_image, ValueError, "must be a folder of images or a video .*got the file .*a.png"),
        (lambda folder: [], ValueError, "calibration holds no pair"),
        (lambda folder: iter([]), ValueError, "calibration holds no pair"),
        (lambda folder: 5, TypeError, "must be image pairs, a path .*got int"),
    ],
)
def test_no_calibration(make, error, message, tiny, tmp_path):
    folder, out = tmp_path / "source", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    with pytest.raises(error, match=message):
        export(tiny, out / "a.tflite", size=(64, 64), calibration=make(folder))
    assert not list(out.iterdir())


@pytest.mark.parametrize("outliers", [-0.1, 0.5, 3, float("nan"), "many", (1, 2)])
def test_no_share_of_outliers(outliers, tiny, tmp_path):
    with pytest.raises(ValueError, match="outliers must be the share"):
        export(tiny, tmp_path / "a.tflite", size=(64, 64), calibration=[(A, B)], outliers=outliers)
    assert not list(tmp_path.iterdir())
