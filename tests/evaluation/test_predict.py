"""Flow for files: videos with their legend, sizes, and what is left out."""

import itertools
import weakref

import numpy as np
import pytest
from PIL import Image

from tfflow.cli.shared import say_size
from tfflow.data import (
    FlowDataset,
    FlowSample,
    TimedFrame,
    read_flow,
    read_image,
    read_video,
    write_image,
)
from tfflow.data.datasets import PairFiles
from tfflow.data.files.video import _of_one_size
from tfflow.evaluation import predict_pairs, predict_video, write_prediction
from tfflow.models import ConfidentFlow
from tfflow.visualization import color_wheel_legend, flow_figure, flow_to_image, write_video
from tfflow.visualization.figures import HIDDEN


class Wheel:
    """A flow of 10 px to the right, of 60 px in the first rows; notes the sizes asked for."""

    multiple = 64

    def __init__(self):
        self.sizes = []

    def predict_flow(self, image1, image2, *, size=None):
        self.sizes.append(size)
        flow = np.zeros((*image1.shape[:2], 2), np.float32)
        flow[..., 0] = 10
        flow[:5] *= 6
        return flow


def test_a_video_has_its_legend_and_no_dark_patches(tmp_path):
    pytest.importorskip("av", reason="PyAV is an extra; install tfflow[video]")
    frames = np.random.default_rng(0).integers(0, 256, (3, 250, 300, 3), np.uint8)
    write_video(tmp_path / "clip.gif", frames, 10)
    wheel = Wheel()
    assert predict_video(wheel, tmp_path / "clip.gif", tmp_path / "a.mp4", size=(64, 128)) == 2
    with pytest.raises(ValueError, match="is the video that is read"):
        predict_video(wheel, tmp_path / "clip.gif", tmp_path / "clip.gif")
    assert wheel.sizes == [(64, 128)] * 2
    for frame, _ in read_video(tmp_path / "a.mp4"):
        panel = frame[:, 300:].astype(float)
        red = flow_to_image(np.array([[[10.0, 0.0]]]))[0, 0]
        for rows in (panel[:5, 20:], panel[10:200, 20:]):  # those beyond the scale, the others
            assert np.abs(rows - red).mean() < 8
        assert np.abs(panel[-50:, -50:] - color_wheel_legend(50, 10.0)).mean() < 8


def moving(count, shape=(48, 64)):
    """Frames of noise that know their number, with uneven times."""
    rng = np.random.default_rng(0)
    for number in range(count):
        image = rng.integers(0, 256, (*shape, 3), np.uint8)
        image[0, 0] = number
        yield TimedFrame(image, number / 10 + (number % 3) / 100)


class Numbered:
    """A flow whose u is the number of the first image and v that of the second."""

    def predict_flow(self, image1, image2):
        flow = np.empty((*image1.shape[:2], 2), np.float32)
        flow[:] = image1[0, 0, 0], image2[0, 0, 0]
        return flow


def numbers(archive):
    """(first, second, time, next time) of each pair in an .npz."""
    with np.load(archive) as flows:
        pairs = [flows[name][0, 0].tolist() for name in flows.files if name != "times"]
        times = flows["times"].tolist()
    return [(*map(int, pair), *time) for pair, time in zip(pairs, times, strict=True)]


def test_parts_of_a_video(tmp_path):
    out, times = tmp_path / "a.npz", [frame.time for frame in moving(30)]
    for options, expected in (
        ({}, range(30)),
        ({"every": 4}, range(0, 30, 4)),
        ({"start": 1.0, "end": 2.0}, range(9 + 1, 20)),
        ({"start": times[7], "every": 3, "limit": 2}, [7, 10, 13]),
        ({"end": times[5]}, range(5)),
    ):
        count = predict_video(Numbered(), moving(30), out, **options)
        pairs = list(itertools.pairwise(expected))
        assert count == len(pairs)
        assert numbers(out) == [(a, b, times[a], times[b]) for a, b in pairs]


def test_flow_beside_the_picture_and_instead_of_it(tmp_path):
    shown = []
    outputs = [tmp_path / name for name in ("a.gif", "a.npz", "flows")]
    assert predict_video(Numbered(), moving(5), outputs, extension=".npy", show=shown.append) == 4
    names = ["000000.npy", "000001.npy", "000002.npy", "000003.npy", "times.csv"]
    assert sorted(path.name for path in outputs[2].iterdir()) == names
    assert np.load(outputs[2] / "000002.npy")[0, 0].tolist() == [2, 3]
    assert len(numbers(outputs[1])) == 4
    assert [picture.shape for picture in shown] == [(48, 128, 3)] * 4
    with Image.open(outputs[0]) as animation:
        assert animation.n_frames == 4
    assert predict_video(Numbered(), moving(3), show=shown.append) == 2, "shown alone"


def test_showing_and_progress_can_end_it(tmp_path):
    seen = []
    count = predict_video(
        Numbered(), moving(30), tmp_path / "a.gif", show=lambda picture: len(seen) < 3,
        progress=lambda done, total: seen.append(done),
    )  # fmt: skip
    assert count == 3
    with Image.open(tmp_path / "a.gif") as animation:
        assert animation.n_frames == 3, "the last one too"
    predict_video(Numbered(), moving(30), tmp_path / "a.npz", progress=lambda done, total: done < 5)
    assert len(numbers(tmp_path / "a.npz")) == 5


def test_memory_holds_a_few_frames_however_long_the_video_is(tmp_path):
    pytest.importorskip("av", reason="PyAV is an extra; install tfflow[video]")
    frames, most = [], 0

    def watched():
        nonlocal most
        for frame in moving(200):
            frames.append(weakref.ref(frame.image))
            yield frame
            most = max(most, sum(each() is not None for each in frames))

    outputs = [tmp_path / "a.mp4", tmp_path / "a.npz"]
    assert predict_video(Numbered(), watched(), outputs, show=lambda picture: None) == 199
    assert most <= 4
    assert len(numbers(outputs[1])) == len(list(read_video(outputs[0]))) == 199


def test_what_a_video_can_not_be_written_to(tmp_path):
    for options, message in (
        ({"output": "a.avi"}, "unknown extension '.avi', use .mp4 or .gif for pictures, .npz or a"),
        ({"output": ["a.gif", "b.mp4"]}, "at most one .mp4 or .gif; got a.gif and b.mp4"),
        ({"output": tmp_path, "extension": ".exr"}, "A flow file ends in .flo, .pfm, .png, .npy"),
        ({"output": [tmp_path / "b", f"{tmp_path}/b/"]}, "b is given twice as an output"),
        ({"every": 0}, "every must be a whole number of at least 1; got 0"),
        ({"every": 2.5}, "every must be a whole number"),
        ({"limit": -1}, "limit must be a whole number of at least 1"),
        ({"start": -1}, "start at least 0"),
        ({"start": float("nan")}, "start at least 0"),
        ({"end": float("nan")}, "end after it; got start=0, end=nan"),
        ({"start": 2, "end": 2}, "end after it; got start=2, end=2"),
        ({"start": 50}, "the source has fewer than two frames of those that are asked for"),
    ):
        with pytest.raises(ValueError, match=message):
            predict_video(Numbered(), moving(5), **options)
    assert not list(tmp_path.iterdir())


def test_frames_of_another_size_are_left_out():
    frames = [
        TimedFrame(np.zeros((4, width, 3), np.uint8), n) for n, width in enumerate((6, 6, 8, 6))
    ]
    complaints = []
    kept = list(_of_one_size(iter(frames), "a.mp4", complaints))
    assert [frame.time for frame in kept] == [0, 1, 3]
    assert complaints == ["a.mp4: 1 of 4 frames are 8x4, not 6x4 as the first"]


def test_pairs_are_predicted_at_a_given_size(tmp_path):
    image = np.zeros((20, 30, 3), np.uint8)
    wheel = Wheel()
    (result,) = predict_pairs(
        wheel, [FlowSample(image, image, None, None, "a/b")], tmp_path, size=(64, 64)
    )
    assert wheel.sizes == [(64, 64)] and result["epe"] is None
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "a_b.flo",
        "a_b_colors.png",
        "a_b_figure.png",
    ]


def test_what_is_hidden_and_the_confidence_are_written_too(tmp_path):
    """Of a predictor without a confidence of its own, and of one with."""

    class Right:
        def predict_flow(self, image1, image2):
            return np.full((20, 30, 2), (5, 0) if image1.any() else (-5, 0), np.float32)

    class Sure(Right):
        gives_confidence = True

        def predict_flow(self, image1, image2, confidence=False):
            flow = super().predict_flow(image1, image2)
            return ConfidentFlow(flow, np.full((20, 30), 0.2, np.float32)) if confidence else flow

    images = np.ones((20, 30, 3), np.uint8), np.zeros((20, 30, 3), np.uint8)
    pairs = [FlowSample(*images, None, None, "a")]
    for predictor, trust in ((Right(), 255), (Sure(), 51)):
        (result,) = predict_pairs(predictor, pairs, tmp_path, occlusion=True)
        assert [path.name for path in result["files"][3:]] == [
            "a_occlusion.png",
            "a_confidence.png",
        ]
        hidden = read_image(tmp_path / "a_occlusion.png")
        assert (hidden[:, :25] == 0).all() and (hidden[:, 25:] == 255).all()  # leaves the image
        assert (read_image(tmp_path / "a_confidence.png") == trust).all()
    plain = flow_figure(*images, np.zeros((20, 30, 2)))
    assert read_image(tmp_path / "a_figure.png").shape[0] > plain.shape[0]


def test_what_the_next_frame_hides_is_red_in_a_video_and_written_beside_the_flow(tmp_path):
    class Right:
        def predict_flow(self, image1, image2):
            later = image2.mean() > image1.mean()
            return np.full((20, 30, 2), (5, 0) if later else (-5, 0), np.float32)

    frames = [TimedFrame(np.full((20, 30, 3), 40 + 40 * n, np.uint8), n) for n in range(3)]
    shown, outputs = [], [tmp_path / "a.npz", tmp_path / "flows"]
    assert predict_video(Right(), frames, outputs, occlusion=True, show=shown.append) == 2
    hidden = np.zeros((20, 30), bool)
    hidden[:, 25:] = True  # leaves the image
    with np.load(tmp_path / "a.npz") as archive:
        np.testing.assert_array_equal(archive["000001_occlusion"], hidden)
    written = read_image(tmp_path / "flows" / "000001_occlusion.png")
    np.testing.assert_array_equal(written[..., 0] > 0, hidden)
    assert (shown[1][:, :25] == 80).all() and (shown[1][:, 25:30] == HIDDEN).all()


def test_frames_of_ones_own_are_drawn_as_the_network_takes_them():
    flat = np.full((20, 30, 3), 51, np.uint8)
    alike = {
        "uint8": flat,
        "float": flat / np.float32(255),
        "grey": flat[..., 0],
        "one channel": flat[..., :1],
        "RGBA": np.dstack([flat, np.full((20, 30), 255, np.uint8)]),
    }
    for name, image in alike.items():
        shown = []
        predict_video(Wheel(), [TimedFrame(image, n) for n in range(2)], show=shown.append)
        np.testing.assert_array_equal(shown[0][:, :30], flat, err_msg=name)
        assert shown[0].dtype == np.uint8, name


def test_the_images_themselves_are_never_written_over(tmp_path):
    images = [tmp_path / "a.png", tmp_path / "b.png"]
    for image in images:
        write_image(image, np.zeros((64, 64, 3), np.uint8))
    before = images[0].read_bytes()
    pair = FlowDataset("images", [PairFiles("a", *images)])
    with pytest.raises(ValueError, match="a.png is one of the files that the flow is computed of"):
        predict_pairs(Wheel(), pair, tmp_path / "." / "x" / "..", extension=".png", complaints=[])
    assert images[0].read_bytes() == before
    predict_pairs(Wheel(), pair, tmp_path, extension=".flo")
    assert (tmp_path / "a.flo").is_file() and images[0].read_bytes() == before


def test_without_complaints_a_pair_that_can_not_be_written_is_an_error(tmp_path):
    image = np.zeros((20, 30, 3), np.uint8)
    wheel = Wheel()
    wheel.predict_flow = lambda image1, image2: np.full((20, 30, 2), 700, np.float32)
    pairs = [FlowSample(image, image, None, None, "a")]
    with pytest.raises(ValueError, match="KITTI's .png holds -512"):
        predict_pairs(wheel, pairs, tmp_path, extension=".png")


@pytest.mark.parametrize("wrong", [0, -1.0, float("inf"), float("nan")])
def test_the_scale_of_the_colours_is_checked_before_anything_is_written(wrong, tmp_path):
    image = np.zeros((20, 30, 3), np.uint8)
    sample, frames = FlowSample(image, image, None, None, "a"), [(image, 0.0), (image, 0.1)]
    for function, inputs, output in (
        (predict_pairs, [sample], "pairs"),
        (predict_video, frames, "flow.npz"),
        (write_prediction, sample, "flow.png"),
    ):
        with pytest.raises(ValueError, match="max_flow must be above 0 px and finite"):
            function(Wheel(), inputs, tmp_path / output, max_flow=wrong)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["flow.pgm", "none/flow.flo", "none/flow.png"])
def test_where_one_prediction_goes_is_checked_before_it_is_made(name, tmp_path):
    image, wheel = np.zeros((20, 30, 3), np.uint8), Wheel()
    sample = FlowSample(image, image, None, None, "a")
    with pytest.raises((ValueError, OSError), match="cannot write"):
        write_prediction(wheel, sample, tmp_path / name)
    assert not wheel.sizes


def test_a_size_that_was_chosen_is_said(capsys):
    large, small = np.zeros((2250, 4000, 3), np.uint8), np.zeros((436, 1024, 3), np.uint8)
    say_size(Wheel(), large, None)
    assert "Images of 2250x4000 (height x width) are run at 768x1344;" in capsys.readouterr().err
    say_size(Wheel(), small, None)
    say_size(Wheel(), large, (384, 512))
    say_size(object(), large, None)  # a .tflite file has one size
    say_size(Wheel(), None, None)
    assert capsys.readouterr().err == ""


def test_a_source_may_fill_one_array_again_and_again(tmp_path):
    def camera():
        image = np.zeros((48, 64, 3), np.uint8)
        for number in range(4):
            image[:] = number
            yield TimedFrame(image, float(number))

    predict_video(Numbered(), camera(), tmp_path / "a.npz")
    assert [pair[:2] for pair in numbers(tmp_path / "a.npz")] == [(0, 1), (1, 2), (2, 3)]


def test_pairs_of_one_name_do_not_overwrite_each_other(tmp_path):
    images = [np.full((20, 30, 3), number, np.uint8) for number in range(4)]
    samples = [
        FlowSample(images[number], images[3], None, None, name)
        for number, name in enumerate(("a/b", "a_b", "a_b_2"))
    ]
    results = predict_pairs(Numbered(), samples, tmp_path)
    names = [result["files"][0].name for result in results]
    assert names == ["a_b.flo", "a_b_2.flo", "a_b_2_2.flo"]
    samples = [FlowSample(*images[:2], None, None, name) for name in ("c", "c_colors")]
    results = predict_pairs(Numbered(), samples, tmp_path / "png", extension=".png")
    files = [file for result in results for file in result["files"]]
    assert len({*files}) == 6 and all(file.is_file() for file in files)
    for number, name in enumerate(names):
        assert read_flow(tmp_path / name)[0][0, 0].tolist() == [number, 3]


def test_with_complaints_no_pair_ends_all(tmp_path):
    image = np.zeros((20, 30, 3), np.uint8)
    pairs = [FlowSample(image, image, None, None, name) for name in ("a", "b" * 250, "c", "d")]
    pairs[2] = pairs[2]._replace(image2=image[:10])

    class Picky(Wheel):
        def predict_flow(self, image1, image2, *, size=None):
            if image1.shape != image2.shape:
                raise ValueError("of two sizes")
            return super().predict_flow(image1, image2, size=size)

    complaints = []
    results = predict_pairs(Picky(), pairs, tmp_path, complaints=complaints)
    assert [result["name"] for result in results] == ["a", "d"]
    assert "File name too long" in complaints[0] and complaints[1] == "c: of two sizes"


def test_who_sees_a_picture_may_draw_into_it(tmp_path):
    image = np.full((20, 30, 3), 200, np.uint8)

    def show(picture):
        picture[:] = 0
        return np.bool_(True)

    frames = [(image, time / 10) for time in range(3)]
    predict_video(Wheel(), frames, tmp_path / "a.gif", show=show)
    with Image.open(tmp_path / "a.gif") as written:
        assert np.asarray(written.convert("RGB"))[:, :30].min() > 150
    assert predict_video(Wheel(), frames, tmp_path / "b.gif", progress=lambda *_: np.False_) == 1


def test_a_predictor_may_fill_one_array_again(tmp_path):
    class Bound:
        array = np.zeros((20, 30, 2), np.float32)

        def predict_flow(self, image1, image2):
            self.array[..., 0] = 2.0 if image1[0, 0, 0] < image2[0, 0, 0] else -2.0
            return self.array

    first, second = np.zeros((20, 30, 3), np.uint8), np.full((20, 30, 3), 9, np.uint8)
    predict_pairs(Bound(), [FlowSample(first, second, None, None, "a")], tmp_path, occlusion=True)
    assert read_image(tmp_path / "a_occlusion.png")[:, :25].max() == 0
    frames = [(first, 0.0), (second, 0.1)]
    predict_video(Bound(), frames, tmp_path / "a.npz", occlusion=True)
    with np.load(tmp_path / "a.npz") as archive:
        assert not archive["000000_occlusion"][:, :25].any() and (archive["000000"] != 0).any()
