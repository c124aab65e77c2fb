"""A video in, a video with boxes out; the command for it; a detector's .keras file."""

import json
import signal

import keras
import numpy as np
import pytest

import tfflow
from tfflow.cli import main, shared
from tfflow.data import read_video
from tfflow.detection import Detections, FlowGuidedDetector, detect_video, load_detector
from tfflow.visualization import write_video


@pytest.fixture
def clip(tmp_path):
    frames = np.random.default_rng(0).integers(0, 255, (5, 64, 96, 3), np.uint8)
    write_video(tmp_path / "clip.mp4", frames, 10)
    return tmp_path / "clip.mp4"


class Played:
    """Finds one object, which moves; every other frame is a key frame."""

    def reset(self):
        self.count = 0

    def next(self, frame):
        self.is_key, x = self.count % 2 == 0, 10.0 * self.count
        self.count += 1
        return Detections(np.float32([(x, 10, x + 20, 40)]), np.float32([0.5]), np.array([1]))


def test_the_video_shows_the_boxes(clip, tmp_path):
    seen = []
    results = detect_video(
        Played(),
        clip,
        tmp_path / "boxes.mp4",
        classes=("cat", "dog"),
        progress=lambda *a: seen.append(a),
    )
    assert [each["key"] for each in results] == [True, False, True, False, True]
    assert results[2]["boxes"] == [[20.0, 10.0, 40.0, 40.0]] and results[2]["classes"] == ["dog"]
    assert seen[-1] == (5, None)
    assert [each["time"] for each in results] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    frames = list(read_video(tmp_path / "boxes.mp4"))
    assert [frame.time for frame in frames] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    # White around the picture: a key frame.
    borders = [frame.image[0].mean() > 230 for frame in frames]
    assert borders == [True, False, True, False, True]


def test_ctrl_c_leaves_what_is_there(clip, tmp_path, capsys, monkeypatch):
    class Interrupting(Played):
        def next(self, frame):
            if self.count == 2:
                signal.raise_signal(signal.SIGINT)
            return super().next(frame)

    monkeypatch.setattr(shared, "video_detector", lambda *args, **options: Interrupting())
    outputs = tmp_path / "boxes.mp4", tmp_path / "boxes.json"
    words = ["detect", clip, "-o", outputs[0], "--json", outputs[1]]
    assert main([*map(str, words)]) == 130
    assert "Ctrl-C again drops it" in capsys.readouterr().err
    assert len(list(read_video(outputs[0]))) == len(json.loads(outputs[1].read_text())) == 3


def test_limit_and_what_is_refused(clip, tmp_path):
    assert len(detect_video(Played(), clip, tmp_path / "boxes.gif", limit=2)) == 2
    with pytest.raises(FileNotFoundError, match="No video at"):
        detect_video(Played(), tmp_path / "none.mp4", tmp_path / "boxes.mp4")
    with pytest.raises(FileNotFoundError, match="that is a folder"):
        detect_video(Played(), tmp_path, tmp_path / "boxes.mp4")
    with pytest.raises(ValueError, match="is the video that is read"):
        detect_video(Played(), clip, clip.parent / "." / clip.name)
    with pytest.raises(ValueError, match="use .mp4 or .gif"):
        detect_video(Played(), clip, tmp_path / "boxes.avi")


@pytest.fixture(scope="module")
def keras_file(tmp_path_factory):
    keras.utils.set_random_seed(0)
    flow = tfflow.models.create("lightflow", width=0.25)
    detector = FlowGuidedDetector(2, alpha=0.25, channels=8, depth=1, flow=flow)
    path = tmp_path_factory.mktemp("detector") / "detector.keras"
    detector.save(path)
    return path


def test_the_command(clip, keras_file, tmp_path, capsys):
    arguments = [str(clip), "-o", str(tmp_path / "out.mp4"), "--model", str(keras_file)]
    arguments += ["--interval", "2", "--score", "0.001", "--json", str(tmp_path / "boxes.json")]
    assert main(["detect", *arguments, "--classes", "cat,dog"]) == 0
    assert "5 frames, 3 of them key frames" in capsys.readouterr().out
    results = json.loads((tmp_path / "boxes.json").read_text())
    assert len(results) == 5 and {n for each in results for n in each["classes"]} <= {"cat", "dog"}
    assert (tmp_path / "out.mp4").stat().st_size > 1000


def test_a_detector_of_images_has_its_boxes_carried(clip, tmp_path, capsys):
    path = tmp_path / "images.keras"
    names = ["cat", "dog"]
    FlowGuidedDetector(names, alpha=0.25, channels=8, depth=1, aggregation=False).save(path)
    command = ["detect", str(clip), "-o", str(tmp_path / "out.mp4"), "--model", str(path)]
    command += ["--score", "0.001", "--json", str(tmp_path / "boxes.json")]
    for arguments, keys in (
        (["--interval", "1"], [True] * 5),
        (["--interval", "3", "--flow", "lightflow"], [True, False, False, True, False]),
        (["--interval", "4", "--by-confidence", "0"], [True, False, False, False, True]),
    ):
        assert main([*command, *arguments]) == 0
        results = json.loads((tmp_path / "boxes.json").read_text())
        assert [each["key"] for each in results] == keys
        assert {name for each in results for name in each["classes"]} <= set(names)


def test_a_detector_with_flow_takes_no_other(clip, keras_file, tmp_path, capsys):
    command = ["detect", str(clip), "-o", str(tmp_path / "out.mp4"), "--model", str(keras_file)]
    assert main([*command, "--flow", "lightflow"]) == 1
    assert "has its own flow; leave out --flow" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--json", "none/boxes.json"], "none does not exist; create it first"),
        (["--model", "shaps"], "'shaps' is no detector's preset"),
        (["--model", "none.keras"], "No model at none.keras"),
        (["--model", "none_key.tflite"], "There is no model file none_key.tflite"),
        (["--json", "boxes.txt"], "--json must be named *.json; got boxes.txt"),
    ],
)
def test_the_command_refuses(clip, tmp_path, capsys, arguments, message):
    assert main(["detect", str(clip), "-o", str(tmp_path / "out.mp4"), *arguments]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.mp4").exists()


def test_loading(keras_file, tmp_path):
    assert load_detector(keras_file).classes == 2
    tfflow.models.create("lightflow", width=0.25).save(tmp_path / "flow.keras")
    with pytest.raises(ValueError, match="holds a LightFlow; expected a tfflow.detection.Flow"):
        load_detector(tmp_path / "flow.keras")
    (tmp_path / "broken.keras").write_bytes(b"no model")
    with pytest.raises(ValueError, match="can't be loaded as a Keras model"):
        load_detector(tmp_path / "broken.keras")


@pytest.mark.slow
def test_exported_by_the_command_and_run(clip, keras_file, tmp_path, capsys):
    output = tmp_path / "pets.tflite"
    arguments = [str(keras_file), "-o", str(output), "--size", "128x128", "--classes", "cat,dog"]
    assert main(["export-detector", *arguments, "--quantize", "float32"]) == 0
    assert "pets_key.tflite: " in capsys.readouterr().out
    arguments = [str(clip), "-o", str(tmp_path / "out.gif"), "--model", str(output)]
    assert main(["detect", *arguments, "--score", "0.001", "--threads", "1"]) == 0
    assert "5 frames, 1 of them key frames" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["export", "{}", "-o", "a.tflite", "--streaming"], "tfflow export-detector"),
        (["flow", "{}", "{}", "-o", "out", "--model", "{}"], "predicts no flow. For a detector"),
        (["detect", "{}", "-o", "a.mp4", "--model", "{}", "--classes", "a"], "has 2 classes"),
    ],
)
def test_a_detector_where_flow_is_wanted(keras_file, capsys, command, message):
    assert main([word.format(keras_file) for word in command]) == 1
    assert message in capsys.readouterr().err
