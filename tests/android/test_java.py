"""The demo's Java, compiled and tested on this machine's JVM: all but what only a phone has.

Java, JUnit 5 and JNA are Debian's packages; without them the tests are skipped.
"""

import csv
import importlib.util
import itertools
import json
import os
import re
import subprocess

import cv2
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from java_tools import APP, DEMO, JARS, JAVA, LITERT, java, junit, litert_library
from PIL import Image
from shape_clips import shapes_clips

from tfflow.data import read_flow
from tfflow.detection import DetectorInterpreter
from tfflow.detection.boxes import select
from tfflow.detection.presets import detector_files
from tfflow.models import FlowStream
from tfflow.models.prediction import at_size
from tfflow.tflite import FlowInterpreter
from tfflow.visualization import flow_to_image

ASSETS = APP / "assets"
DETECTOR = DEMO / "desktop" / "src" / "test" / "resources" / "detector"
# Pixels. Java and Python resize images alike, but for the rounding of float32.
TOLERANCE = 1e-3
DOUBTFUL = 0.35  # FlowField.DOUBTFUL
FEWEST_TESTS = 90  # fewer: something was not found
JVM = ("flowcore", "desktop")


def test_junit(classes):
    # The file of the golden pair's size: in int8, a rounding of a resized image may become a step.
    network = properties(ASSETS, "rillflow")
    counts = junit(classes / "tests", [classes / name for name in JVM], network)
    assert counts["successful"] >= FEWEST_TESTS
    assert counts["aborted"] == 0 or not litert_library()


def test_an_exported_network_passes_its_self_check(classes, exported):
    """What `tfflow export --android-assets` adds, through LiteRT's C library."""
    if not litert_library():
        pytest.skip(f"no libLiteRt.so {LITERT}x: pip install ai-edge-litert")
    counts = junit(
        classes / "tests",
        [classes / name for name in JVM],
        properties(exported, "own"),
        only="org.tfflow.desktop.DesktopNetworkTest",
    )
    assert counts["successful"] == 4


def properties(assets, name):
    """What the Java tests are told of a network of some assets."""
    listing = json.loads((assets / "models.json").read_text())
    [file, *_] = next(one["files"] for one in listing["models"] if one["name"] == name)
    return {
        "tfflow.library": litert_library(),
        "tfflow.assets": assets,
        "tfflow.model": file["file"],
        "tfflow.golden": file["golden_flow"],
        "tfflow.step": listing["golden"]["step"],
    }


@pytest.mark.parametrize("name", ["rillflow", "lightflow"])
def test_command_paints_what_python_paints(classes, tmp_path, name):
    """Frames of another size than the network's, through the phone's pipeline and through ours.

    In float16: in int8 a rounding of the resized image may become a whole step.
    """
    library = litert_library()
    if not library:
        pytest.skip(f"no libLiteRt.so {LITERT}x: pip install ai-edge-litert")
    frames, model, max_flow = tmp_path / "frames", ASSETS / f"{name}_float16.tflite", 12
    frames.mkdir()
    images = [np.asarray(Image.open(ASSETS / f"golden_image{i}.png")) for i in (1, 2)]
    images = [image[20:320, 40:440] for image in (*images, images[0])]
    for number, image in enumerate(images, start=8):  # 9 comes before 10
        Image.fromarray(image).save(frames / f"frame{number}.png")
    arguments = ["--library", library, "--model", model, "--frames", frames]
    arguments += ["--output", tmp_path / "out", "--max-flow", max_flow, "--flow", "yes"]
    output = java(
        [*(classes / name for name in JVM), JARS / "jna.jar"],
        "org.tfflow.desktop.FlowCommand",
        *arguments,
    )
    assert re.search(r"run +p50 +\d", output)
    interpreter = FlowInterpreter(model, threads=1)
    assert interpreter.siamese == (name == "rillflow")
    flows = flows_of(interpreter, images)
    for number, flow in enumerate(flows, start=9):
        got, valid = read_flow(tmp_path / "out" / f"frame{number}.flo")
        assert valid.all()
        np.testing.assert_allclose(got, flow, atol=TOLERANCE)
        overlay = np.asarray(Image.open(tmp_path / "out" / f"frame{number}.png"))
        assert overlay.shape == (300, 400, 4) and (overlay[..., 3] == 255).all()
        painted = flow_to_image(got, max_flow=max_flow)
        np.testing.assert_allclose(overlay[..., :3].astype(int), painted, atol=1)  # levels


def flows_of(interpreter, images):
    """From each image to the next; each is encoded once, if the file can do that."""
    if not interpreter.siamese:
        return [interpreter.predict_flow(*pair) for pair in itertools.pairwise(images)]
    stream = FlowStream(interpreter)
    return [stream.next(image) for image in images][1:]


def test_command_leaves_out_doubtful_flow(classes, exported, tmp_path):
    """Of a file that streams, and of one that does not: what Python trusts as little."""
    library = litert_library()
    if not library:
        pytest.skip(f"no libLiteRt.so {LITERT}x: pip install ai-edge-litert")
    (tmp_path / "frames").mkdir()
    images = [np.asarray(Image.open(ASSETS / f"golden_image{i}.png")) for i in (1, 2)]
    images = [image[20:320, 40:440].copy() for image in images]
    noise = np.random.default_rng(7).integers(0, 256, (120, 150, 3), dtype=np.uint8)
    images[1][90:210, 100:250] = noise  # where nothing of the first image goes
    for number, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / "frames" / f"frame{number}.png")
    arguments = ["--library", library, "--frames", tmp_path / "frames", "--flow", "yes"]
    for model in (ASSETS / "rillflow_float16.tflite", exported / "own.tflite"):
        output = tmp_path / model.stem
        java(
            [*(classes / name for name in JVM), JARS / "jna.jar"],
            "org.tfflow.desktop.FlowCommand",
            *arguments,
            *("--model", model, "--output", output, "--confidence", DOUBTFUL),
        )
        expected = FlowInterpreter(model, threads=1).predict_flow(*images, confidence=True)
        got, valid = read_flow(output / "frame1.flo")
        overlay = np.asarray(Image.open(output / "frame1.png"))
        np.testing.assert_array_equal(overlay[..., 3], np.where(valid, 255, 0))
        sure = expected.confidence >= DOUBTFUL
        near = np.abs(expected.confidence - DOUBTFUL) < TOLERANCE
        np.testing.assert_array_equal(valid[~near], sure[~near])
        assert 0.01 < valid.mean() < 0.99 and near.mean() < 0.01
        np.testing.assert_allclose(got[valid], expected.flow[valid], atol=TOLERANCE)


def test_command_refuses_confidence_of_a_network_without(classes, tmp_path):
    library = litert_library()
    if not library:
        pytest.skip(f"no libLiteRt.so {LITERT}x: pip install ai-edge-litert")
    for number in (1, 2):
        Image.new("RGB", (8, 8)).save(tmp_path / f"frame{number}.png")
    model = ASSETS / "lightflow_int8.tflite"
    arguments = ["--library", library, "--model", model, "--frames", tmp_path]
    arguments += ["--output", tmp_path / "out", "--confidence", DOUBTFUL]
    with pytest.raises(AssertionError, match="gives no confidence: leave out --confidence, or"):
        java(
            [*(classes / name for name in JVM), JARS / "jna.jar"],
            "org.tfflow.desktop.FlowCommand",
            *arguments,
        )
    assert not (tmp_path / "out").exists()


def test_command_does_not_write_over_its_frames(classes, tmp_path):
    for number in (1, 2):
        Image.new("RGB", (8, 8)).save(tmp_path / f"frame{number}.png")
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(AssertionError, match="--output is the frames' own folder"):
        java(
            [*(classes / name for name in JVM), JARS / "jna.jar"],
            "org.tfflow.desktop.FlowCommand",
            *("--library", "none", "--model", "none"),
            *("--frames", tmp_path, "--output", tmp_path / "link"),
        )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--colors", "fst"), "--colors must be exact or fast; got fst"),
        (("--flow", "true"), "--flow must be no or yes; got true"),
        (("--fit", "foo"), "--fit must be stretch or letterbox; got foo"),
        (("--max-flow", "abc"), "--max-flow must be a number; got abc"),
        (("--opacity", "1.5"), "--opacity must be a whole number; got 1.5"),
    ],
)
def test_command_refuses_other_words(classes, option, message, tmp_path):
    for number in (1, 2):
        Image.new("RGB", (8, 8)).save(tmp_path / f"frame{number}.png")
    arguments = ["--library", "none", "--model", "none", "--frames", tmp_path]
    with pytest.raises(AssertionError, match=message):
        java(
            [*(classes / name for name in JVM), JARS / "jna.jar"],
            "org.tfflow.desktop.FlowCommand",
            *arguments,
            *("--output", tmp_path / "out", *option),
        )


@pytest.mark.slow
def test_command_encodes_each_frame_once(classes, tmp_path):
    """A file with encode and match: the flow of tfflow's own stream, and what the app is told."""
    from tfflow import models, tflite

    library = litert_library()
    if not library:
        pytest.skip(f"no libLiteRt.so {LITERT}x: pip install ai-edge-litert")
    path = tflite.export(
        models.create("liteflownet2"),
        tmp_path / "own_float32.tflite",
        size=(64, 128),
        quantization="float32",
        streaming=True,
    )
    images = np.random.default_rng(6).integers(0, 256, (4, 50, 90, 3), dtype=np.uint8)
    (tmp_path / "frames").mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / "frames" / f"frame{number}.png")
    arguments = ["--library", library, "--model", path, "--frames", tmp_path / "frames"]
    arguments += ["--output", tmp_path / "out", "--flow", "yes"]
    java(
        [*(classes / name for name in JVM), JARS / "jna.jar"],
        "org.tfflow.desktop.FlowCommand",
        *arguments,
    )
    for number, flow in enumerate(flows_of(FlowInterpreter(path, threads=1), images), start=1):
        got, _ = read_flow(tmp_path / "out" / f"frame{number}.flo")
        np.testing.assert_allclose(got, flow, atol=TOLERANCE)
    name = tflite.add_to_assets(path, tmp_path / "assets")
    [model] = json.loads((tmp_path / "assets" / "models.json").read_text())["models"]
    streaming = model["files"][0]["streaming"]
    assert model["name"] == name == "own"
    assert "level3" in streaming["encode"] and "features1_level3" in streaming["match"]


def test_command_finds_what_python_finds(classes, tmp_path):
    """Many inputs and outputs by name, key frames and those between."""
    pair = [DETECTOR / f"detector_{name}.tflite" for name in ("key", "between")]
    random = np.random.default_rng(4)
    images = random.integers(0, 256, (7, 145, 233, 3), dtype=np.uint8)  # they are shrunk
    assert compare_detections(classes, tmp_path, *pair, images, score=0.35, most=9) > 20


@pytest.mark.slow
def test_command_finds_what_an_exported_detector_finds(classes, tmp_path):
    from tfflow.detection import FlowGuidedDetector, export_detector
    from tfflow.models import create

    detector = FlowGuidedDetector(3, alpha=0.35, channels=32, flow=create("lightflow"))
    pair = export_detector(
        detector, tmp_path / "detector.tflite", size=(128, 192), quantization="float32"
    )
    random = np.random.default_rng(4)
    images = random.integers(0, 256, (5, 190, 331, 3), dtype=np.uint8)
    # A new detector is sure of nothing: a low threshold makes it find much.
    assert compare_detections(classes, tmp_path, *pair, images, score=0.001, most=50) > 20


def test_command_finds_what_the_shipped_detector_finds(classes, tmp_path):
    """In int8, as the app has it, from frames of its size: a resized one has other roundings."""
    interpreter = DetectorInterpreter(detector_files("shapes"), threads=1)
    images = [
        cv2.resize(frame.image, interpreter.size[::-1])
        for frame in shapes_clips(count=1, frames=5)[0]
    ]
    pair = interpreter.paths["key"], interpreter.paths["between"]
    assert compare_detections(classes, tmp_path, *pair, images, score=0.05, most=50) > 20


def compare_detections(classes, folder, key, between, images, **limits):
    """The command's boxes are those of Python; returns how many there are."""
    library = litert_library()
    if not library:
        pytest.skip(f"no libLiteRt.so {LITERT}x: pip install ai-edge-litert")
    (folder / "frames").mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / "frames" / f"frame{number}.png")
    limits |= {"interval": 3, "overlap": 0.4}
    arguments = ["--library", library, "--key", key, "--between", between]
    arguments += ["--frames", folder / "frames", "--output", folder / "boxes.csv"]
    arguments += [word for name, value in limits.items() for word in (f"--{name}", value)]
    output = java(
        [*(classes / name for name in JVM), JARS / "jna.jar"],
        "org.tfflow.desktop.DetectCommand",
        *arguments,
    )
    assert re.search(r"between +p50 +\d", output)
    with open(folder / "boxes.csv", newline="") as file:
        rows = list(csv.reader(file))[1:]
    at = 0
    for number, (is_key, found) in enumerate(detect(key, between, images, **limits)):
        for box in found:
            assert rows[at][:2] == [f"frame{number}.png", str(int(is_key))]
            np.testing.assert_allclose(np.float32(rows[at][2:]), box, atol=TOLERANCE)
            at += 1
    assert at == len(rows)
    return at


def detect(key, between, images, interval, **limits):
    """tfflow.detection.VideoDetector on two files: (is a key frame, its boxes (N, 6))."""
    key, between = (
        Interpreter(str(file), num_threads=1).get_signature_runner() for file in (key, between)
    )
    details = key.get_input_details()
    height, width = details["image"]["shape"][1:3]
    features, key_image = np.zeros(details["features"]["shape"], np.float32), None
    for number, frame in enumerate(images):
        image = at_size(frame[None], (height, width))
        is_key = number % interval == 0
        key_image = image if key_image is None else key_image
        result = (key if is_key else between)(image=image, key_image=key_image, features=features)
        if is_key:
            key_image, features = image, result["features"]
        found = select(result["boxes"][0], result["scores"][0], **limits)
        edges = np.float32([frame.shape[1], frame.shape[0]] * 2)
        boxes = np.clip(found.boxes * (edges / np.float32([width, height] * 2)), 0, edges)
        yield is_key, np.column_stack([boxes, found.scores, found.classes])


@pytest.mark.parametrize("command", ["FlowCommand", "DetectCommand"])
def test_commands_refuse_what_they_cannot_do(classes, command):
    parts = [*(classes / name for name in JVM), JARS / "jna.jar"]
    words = ["java", *JAVA, "-cp", os.pathsep.join(map(str, parts))]
    words += [f"org.tfflow.desktop.{command}", "--library", "x", "--frames", "x"]
    result = subprocess.run(words, capture_output=True, text=True, timeout=100, check=False)
    assert result.returncode == 2
    assert re.match(r"--(model|key) is missing\n\n", result.stderr)


def test_golden_files_are_tfflows():
    spec = importlib.util.spec_from_file_location("make_golden", DEMO / "make_golden.py")
    make_golden = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_golden)
    for name, wanted in make_golden.golden_arrays().items():
        kept = np.fromfile(make_golden.FOLDER / f"{name}.bin", wanted.dtype).reshape(wanted.shape)
        # Another machine's sine may differ in the last bit, and with it a colour by one level.
        atol = 1e-5 if wanted.dtype.kind == "f" else 1
        np.testing.assert_allclose(
            kept.astype(float), wanted.astype(float), atol=atol, err_msg=f"{name}: make_golden.py"
        )
