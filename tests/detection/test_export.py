"""A detector's two files: the same boxes as Keras's, in a video too."""

import shutil

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

import tfflow
from tfflow.detection import (
    ByMotion,
    DetectorInterpreter,
    FixedInterval,
    FlowGuidedDetector,
    VideoDetector,
    export_detector,
    export_image_detector,
)
from tfflow.detection.app_assets import detector_assets
from tfflow.detection.clips import VideoFrame
from tfflow.detection.export import _images, _two_at_least
from tfflow.models.parts import dtype_policy
from tfflow.tflite import operators, read_metadata
from tfflow.tflite.graph import Graph

SIZE = (128, 128)


def images(number, seed=0):
    """A smooth pattern that moves to the right."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] / 20.0
    frames = [
        np.stack([np.sin(x - shift / 10 + c) * np.cos(y + seed + 2 * c) for c in range(3)], axis=-1)
        for shift in range(0, 3 * number, 3)
    ]
    return (0.5 + 0.4 * np.stack(frames)).astype(np.float32)


@pytest.fixture(scope="module")
def detector():
    keras.utils.set_random_seed(0)
    flow = tfflow.models.create("lightflow", width=0.25)
    model = FlowGuidedDetector(3, alpha=0.25, channels=16, depth=1, flow=flow)
    # Statistics of the images, so that random weights have something to say.
    norms = [x for x in model.backbone.layers if isinstance(x, keras.layers.BatchNormalization)]
    for norm in norms:
        norm.momentum = 0.0
    model.features(images(2), training=True)
    for norm in norms:
        norm.momentum = 0.99
    return model


@pytest.fixture(scope="module")
def files(detector, tmp_path_factory):
    folder = tmp_path_factory.mktemp("detector")
    names = ["cat", "dog", "cow"]
    return export_detector(
        detector,
        folder / "pets.tflite",
        classes=names,
        size=SIZE,
        quantization="float32",
        metadata={"licence": "Apache-2.0"},
    )


def detections(video, frames):
    return [(video.next(frame), video.is_key) for frame in frames]


@pytest.mark.parametrize("schedule", [FixedInterval(3), ByMotion(1.0, longest=3)])
def test_a_video_through_the_files_is_a_video_through_keras(detector, files, schedule):
    frames = images(5)
    options = {"schedule": schedule, "score": 0.0, "most": 1000, "overlap": 1.0}
    by_keras = detections(VideoDetector(detector, **options), frames)
    by_files = detections(
        VideoDetector(DetectorInterpreter(files[0], threads=1), **options), frames
    )
    assert [key for _, key in by_files] == [key for _, key in by_keras]
    assert any(not key for _, key in by_keras[1:])
    for (one, _), (other, _) in zip(by_files, by_keras):
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-4)
        np.testing.assert_allclose(np.sort(one.boxes, 0), np.sort(other.boxes, 0), atol=0.05)


def test_what_the_files_say_of_themselves(files):
    assert [path.name for path in files] == ["pets_key.tflite", "pets_between.tflite"]
    for path in files:
        described = read_metadata(path)
        assert described["classes"] == ["cat", "dog", "cow"] and described["size"] == [128, 128]
        assert described["licence"] == "Apache-2.0"
        assert not [name for name in operators(path) if name.startswith("Flex")]
    key, between = (Graph(path.read_bytes()).signature() for path in files)
    assert set(key[0]) == set(between[0]) == {"image", "key_image", "features"}
    assert set(key[1]) == {"boxes", "scores", "features"}
    assert set(between[1]) == {"boxes", "scores", "flow"}
    interpreter = DetectorInterpreter(files[0], threads=1)
    assert interpreter.size == SIZE and interpreter.classes == ("cat", "dog", "cow")
    # Whichever name is given, it is both.
    for path in (files[1], files[0].with_name("pets.tflite")):
        assert DetectorInterpreter(path, threads=1).paths == interpreter.paths


def test_flow_comes_with_the_frames_in_between(detector, files):
    frames = images(2)
    interpreter = DetectorInterpreter(files[0], threads=1)
    features = interpreter.first(frames[:1])["features"]
    found = interpreter.between(frames[1:], frames[:1], features)
    expected = detector.estimate_flow(frames[1:], frames[:1])
    np.testing.assert_allclose(found["flow"], expected, atol=1e-3)


@pytest.mark.slow
def test_int8_is_near(detector, files, tmp_path):
    frames = images(6, seed=1)
    clips = [
        [np.rint(255 * frame).astype(np.uint8) for frame in images(11, seed)] for seed in (2, 3)
    ]
    path, _ = export_detector(
        detector, tmp_path / "int8.tflite", size=SIZE, quantization="int8", calibration=clips
    )
    assert path.stat().st_size < 0.45 * files[0].stat().st_size
    options = {"schedule": FixedInterval(3), "score": 0.0, "most": 1000, "overlap": 1.0}
    exact, near = (
        detections(VideoDetector(DetectorInterpreter(each, threads=1), **options), frames)
        for each in (files[0], path)
    )
    for (one, _), (other, _) in zip(exact, near):
        np.testing.assert_allclose(one.scores, other.scores, atol=0.02)
    # Where the warp looks is not rounded to 256 places: maps without channels stay in float.
    graph = Graph(path.read_bytes())
    numbers = {number for operator in graph.subgraph.operators for number in operator.outputs}
    maps = [number for number in numbers if len(graph.shape(number)) == 3]
    assert maps and all(graph.tensor(n).type != schema.TensorType.INT8 for n in maps)


def test_a_detector_of_images_is_one_file(tmp_path):
    keras.utils.set_random_seed(0)
    model = FlowGuidedDetector(["cat", "dog"], alpha=0.25, channels=16, depth=1, aggregation=False)
    path = export_image_detector(model, tmp_path / "a.tflite", size=SIZE, quantization="float32")
    interpreter = DetectorInterpreter(path, threads=1)
    assert interpreter.size == SIZE and interpreter.classes == ("cat", "dog")
    assert not interpreter.has_flow and str(path) in repr(interpreter)
    every = {"schedule": FixedInterval(1), "score": 0.0, "most": 1000, "overlap": 1.0}
    frames = images(2)
    with pytest.raises(ValueError, match="for single images. .*FixedInterval\\(1\\), .*BoxPropag"):
        VideoDetector(interpreter)
    ours, theirs = VideoDetector(interpreter, **every), VideoDetector(model, **every)
    for frame in frames:
        near, exact = ours.next(frame), theirs.next(frame)
        np.testing.assert_allclose(near.boxes, exact.boxes, atol=1e-2)
        np.testing.assert_allclose(near.scores, exact.scores, atol=1e-4)
        assert ours.is_key
    with pytest.raises(ValueError, match="for single images; the app runs the two files"):
        detector_assets(path)
    with pytest.raises(ValueError, match="joins key frames by a GRU"):
        grown = FlowGuidedDetector(2, alpha=0.25, channels=16, depth=1)
        export_image_detector(grown, tmp_path / "b.tflite", size=SIZE)
    with pytest.raises(ValueError, match="b_key.tflite is how one of the two files"):
        export_image_detector(model, tmp_path / "b_key.tflite", size=SIZE)


def test_a_file_that_is_named_is_the_one_that_runs(files, tmp_path):
    model = FlowGuidedDetector(["cat"], alpha=0.25, channels=16, depth=1, aggregation=False)
    for part, file in zip(("key", "between"), files):
        shutil.copy(file, tmp_path / f"a_{part}.tflite")
    path = tmp_path / "a.tflite"
    assert DetectorInterpreter(path, threads=1).has_flow  # where it is no file
    export_image_detector(model, path, size=SIZE, quantization="float32")
    assert DetectorInterpreter(path, threads=1).classes == ("cat",)


def test_files_of_two_exports_are_refused(detector, files, tmp_path):
    options = {"size": SIZE, "quantization": "float32"}
    again = export_detector(detector, tmp_path / "again.tflite", **options)
    pairs = [read_metadata(file)["pair"] for file in (*files, *again)]
    assert len(set(pairs)) == 1  # the same weights: no other export
    bias = detector.classes_head.bias
    kept = bias.numpy()
    bias.assign(kept + 1)
    other = export_detector(detector, tmp_path / "other.tflite", **options)
    bias.assign(kept)
    shutil.copy(files[0], tmp_path / "mixed_key.tflite")
    shutil.copy(other[1], tmp_path / "mixed_between.tflite")
    with pytest.raises(ValueError, match="come from two exports.* Take both from one export"):
        DetectorInterpreter(tmp_path / "mixed_key.tflite")


def test_a_detector_of_images_in_mixed_precision(tmp_path):
    with dtype_policy("mixed_float16"):
        model = FlowGuidedDetector(2, alpha=0.25, channels=16, depth=1, aggregation=False)
    path = export_image_detector(model, tmp_path / "a.tflite", size=SIZE, quantization="float32")
    assert not DetectorInterpreter(path, threads=1).has_flow


@pytest.fixture
def of_images():
    keras.utils.set_random_seed(0)
    return FlowGuidedDetector(2, alpha=0.25, channels=16, depth=1, aggregation=False)


@pytest.mark.slow
def test_calibration_of_any_kind_of_frame(of_images, tmp_path):
    """Frames as float give the same file as the same frames as uint8."""
    clip = [np.rint(255 * frame).astype(np.uint8) for frame in images(5)]
    written = []
    for number, frames in enumerate((clip, [frame / np.float32(255) for frame in clip])):
        path = tmp_path / f"{number}.tflite"
        written.append(export_image_detector(of_images, path, size=SIZE, calibration=[frames]))
    first, second = (path.read_bytes() for path in written)
    assert first == second


def test_images_alone_calibrate_as_clips_of_one_frame(of_images):
    clip = [np.rint(255 * frame).astype(np.uint8) for frame in images(2)]
    frame = VideoFrame(clip[1], np.zeros((0, 4)), np.zeros(0), np.zeros(0))
    one_by_one = [list(each) for each in _images([clip[0], frame, clip[1:]], SIZE)]
    assert [[time for time, _ in each] for each in one_by_one] == [[0], [0], [0]]
    for each, image in zip(one_by_one, (clip[0], clip[1], clip[1])):
        np.testing.assert_allclose(each[0][1][0], image / np.float32(255), atol=1e-6)


def test_a_still_is_calibrated_on_twice():
    """On first frames alone all that carries features along would be calibrated on zeros."""
    clip = [np.rint(255 * frame).astype(np.uint8) for frame in images(5)]
    still, moving = (list(_two_at_least(each)) for each in _images([clip[0], clip], SIZE))
    assert [time for time, _ in still] == [time for time, _ in moving] == [0, 4]
    np.testing.assert_array_equal(still[1][1][:, 4:, 4:], still[0][1][:, :-4, :-4])
    np.testing.assert_allclose(moving[1][1][0], clip[4] / np.float32(255), atol=1e-6)


def test_wrong_calibration_and_metadata(of_images, tmp_path):
    for wrong, message in (
        ("clip.mp4", "calibration must be clips"),
        ([[255 * images(1)[0]]], "a frame of calibration is float32 and must lie in"),
        ([], "calibration holds no clip"),
    ):
        with pytest.raises(ValueError, match=message):
            export_image_detector(of_images, tmp_path / "a.tflite", size=SIZE, calibration=wrong)
    with pytest.raises(ValueError, match="metadata must be what JSON can hold"):
        export_image_detector(of_images, tmp_path / "a.tflite", metadata={"ap": np.float32(0.5)})
    assert not (tmp_path / "a.tflite").exists()


def test_refuses(detector, files, tmp_path):
    with pytest.raises(TypeError, match="expects a tfflow.detection.FlowGuidedDetector; got str"):
        export_detector("detector", tmp_path / "a.tflite")
    with pytest.raises(ValueError, match="has no flow network"):
        plain = FlowGuidedDetector(3, alpha=0.25, channels=16, depth=1)
        export_detector(plain, tmp_path / "a.tflite")
    with pytest.raises(ValueError, match="has 3 classes; got 1 names"):
        export_detector(detector, tmp_path / "a.tflite", classes=["cat"])
    with pytest.raises(ValueError, match="must be named \\*.tflite"):
        export_detector(detector, tmp_path / "a.lite")
    with pytest.raises(ValueError, match="multiples of 32"):
        export_detector(detector, tmp_path / "a.tflite", size=(100, 128))
    with pytest.raises(ValueError, match="is exported as float32, .*; got 'int16x8'"):
        export_detector(detector, tmp_path / "a.tflite", quantization="int16x8")
    assert list(tmp_path.iterdir()) == []

    with pytest.raises(FileNotFoundError, match="no model file"):
        DetectorInterpreter(tmp_path / "a_key.tflite")
    for name, source in (("key", files[1]), ("between", files[0])):
        shutil.copy(source, tmp_path / f"swapped_{name}.tflite")
    with pytest.raises(ValueError, match="is no detector .* signature 'key' .* it has between:"):
        DetectorInterpreter(tmp_path / "swapped_key.tflite")
    with pytest.raises(ValueError, match="Exported files have their own size; leave out size"):
        VideoDetector(DetectorInterpreter(files[0]), size=SIZE)
