"""The guides in docs/, from top to bottom: their Python and commands, with small numbers."""

import json
import pathlib
import re
import shlex
import sys

import keras
import numpy as np
import pytest
from coco_tree import write_coco_tree
from golden_files import load, state_dict

import tfflow
from tfflow.cli import main
from tfflow.data import write_flow, write_image
from tfflow.detection import load_detector
from tfflow.visualization import write_video

DOCS = pathlib.Path(__file__).parents[1] / "docs"
SIZE = (128, 192)
# Data sets and checkpoints that are not here; tests/test_docs.py reads these commands.
ELSEWHERE = ("/data", "--data-dir scenes", "mmflow/")


def blocks(page, *, replaced):
    """(language, text) of a page's blocks of code, in order, with other numbers."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for old, new in replaced.items():
        assert old in text, old
        text = text.replace(old, new)
    return re.findall(r"^```(python|bash)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def run_commands(text, capsys):
    for line in text.splitlines():
        if not any(word in line for word in ELSEWHERE):
            command, *arguments = shlex.split(line, comments=True)
            assert command == "tfflow"
            assert main(arguments) == 0, f"{line}: {capsys.readouterr().err}"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """What the guides find: frames, a clip, pairs with their flow; user modules can be imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    frames = np.random.default_rng(0).integers(0, 256, (3, *SIZE, 3), np.uint8)
    flow = np.zeros((*SIZE, 2), np.float32)
    for name in ("pairs", "frames", "drone/a/frames", "drone/a/flow"):
        pathlib.Path(name).mkdir(parents=True)
    for i, frame in enumerate(frames):
        write_image(f"frames/{i:06}.png", frame)
        write_image(f"drone/a/frames/{i:06}.png", frame)
    for i in range(2):
        write_flow(f"drone/a/flow/{i:06}.flo", flow)
        write_image(f"pairs/{i}_img1.png", frames[i])
        write_image(f"pairs/{i}_img2.png", frames[i + 1])
        write_flow(f"pairs/{i}_flow.flo", flow)
    for name, frame in zip(("a.png", "b.png"), frames):
        write_image(name, frame)
    write_video("clip.mp4", frames, fps=10)
    yield tmp_path
    keras.backend.clear_session()


@pytest.fixture
def module():
    """Writes a module; what it registers is gone after the test."""
    registered = tfflow.models.registry._ENTRIES, tfflow.recipes._recipes(), tfflow.data.DATASETS
    before, written = [dict(each) for each in registered], []

    def write(name, text):
        pathlib.Path(f"{name}.py").write_text(text, encoding="utf-8")
        written.append(name)

    yield write
    for name in written:
        sys.modules.pop(name, None)
    for each, old in zip(registered, before):
        each.clear()
        each.update(old)


def test_own_network(folder, module, capsys):
    smaller = {"count=500, held_out=20": "count=2, held_out=2, textures=8, shapes=8"}
    (_, code), (_, commands) = blocks(
        "own_network.md", replaced=smaller | {"steps=4000": "steps=2"}
    )
    module("my_network", code)
    run_commands(commands, capsys)
    assert pathlib.Path("small.tflite").is_file()
    assert type(tfflow.load("runs/small_scenes/model.keras")).__name__ == "Small"


@pytest.mark.slow
def test_own_data(folder, module, capsys):
    smaller = {
        "pairs[:-100], pairs[-100:]": "pairs[:-1], pairs[-1:]",
        "batch_size=8": "batch_size=1",
        "steps=2000": "steps=1",
        "crop=(256, 320)": "crop=(64, 64)",
        "--size 256x320": "--size 64x64",
    }
    (_, look), (_, code), (_, train), (_, arrays) = blocks("own_data.md", replaced=smaller)
    run_commands(look, capsys)
    module("my_data", code)
    run_commands(train, capsys)
    assert pathlib.Path("drone_int8.tflite").is_file()
    found = {}
    exec(arrays, found)
    assert found["flow"].shape == (4, 64, 64, 2)


@pytest.mark.slow
def test_fine_tune(folder):
    smaller = {"pairs[:-20], pairs[-20:]": "pairs[:-1], pairs[-1:]", "(mine, 4, ": "(mine, 1, "}
    smaller |= {"steps_per_epoch=100, epochs=5": "steps_per_epoch=1, epochs=1"}
    _, (_, code) = blocks("fine_tune.md", replaced=smaller)
    exec(code, {})
    assert tfflow.load("mine.keras", compile=True).compiled
    assert pathlib.Path("mine_int8.tflite").is_file()


def test_from_mmflow(folder, capsys):
    config = pathlib.Path("work_dirs/liteflownet2_ft_4x1_500k_kitti_320x896")
    config.mkdir(parents=True)
    np.savez(config / "latest.npz", **state_dict(load("liteflownet_pre_M6S6")[0]))
    smaller = {"latest.pth": "latest.npz", "liteflownet2 ": "liteflownet_pre_M6S6 "}
    smaller |= {'create("liteflownet2")': 'create("liteflownet_pre_M6S6")', "384x512": "64x128"}
    for language, text in blocks("from_mmflow.md", replaced=smaller):
        exec(text, {}) if language == "python" else run_commands(text, capsys)
    assert pathlib.Path("liteflownet2.tflite").is_file() and pathlib.Path("out/a.flo").is_file()


@pytest.mark.slow
def test_own_detector(folder, capsys):
    write_coco_tree(folder / "my")
    network = keras.applications.MobileNet((None, None, 3), 0.25, include_top=False, weights=None)
    network.save("mobilenet_2_5_224_tf_no_top.h5")
    small = " --size 64x96 --alpha 0.25 --batch-size 2 --steps 2"
    smaller = {
        "--weights imagenet": "--weights mobilenet_2_5_224_tf_no_top.h5",
        "train-detector images": "train-detector images" + small,
        "train-detector clips": "train-detector clips" + small,
        "model.keras --dataset": "model.keras --size 64x96 --dataset",
        "--size 256x384": "--size 64x96",
        "model.keras -o": "model.keras --size 64x96 -o",
    }
    for _, text in blocks("own_detector.md", replaced=smaller):
        run_commands(text, capsys)
    detector = load_detector("runs/detector_clips/model.keras")
    assert detector.class_names == ("person", "car", "toothbrush")
    listed = json.loads(pathlib.Path("app/src/main/assets/models.json").read_text())
    assert [model["name"] for model in listed["models"]] == ["flow"]
    assert listed["detectors"][0]["key"] == "my_int8_key.tflite"
    assert listed["detectors"][0]["classes"] == ["person", "car", "toothbrush"]
    assert pathlib.Path("boxes.mp4").is_file()


def test_trust(folder, capsys):
    images = np.random.default_rng(0).random((2, 1, *SIZE, 3), np.float32)
    names = {
        "tfflow": tfflow,
        "model": tfflow.load("rillflow"),
        **{f"image{i}": image[0] for i, image in enumerate(images, start=1)},
        **{f"batch{i}": image for i, image in enumerate(images, start=1)},
    }
    for language, text in blocks("trust.md", replaced={}):
        run_commands(text, capsys) if language == "bash" else exec(text, names)
    assert names["hidden"].shape == names["trust"].shape == SIZE
    assert pathlib.Path("out/a_occlusion.png").is_file()


@pytest.mark.slow
def test_tools(folder, capsys):
    image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    write_video("clip.mp4", [image] * 3, fps=10)  # between frames of noise there is no motion
    names = {"image1": image, "image2": image, "labels2": image[..., 0]}
    faster = {"tfflow.load() ": 'tfflow.load(engine="tflite") '}
    for language, text in blocks("tools.md", replaced=faster):
        run_commands(text, capsys) if language == "bash" else exec(text, names)
    assert names["warped"].shape == (*SIZE, 3) and names["labels1"].shape == SIZE
    assert names["tracks"].visible.shape == (3, 2) and names["visible"].shape == (2,)
    assert len(names["stable"]) == 3 and names["middle"].dtype == np.uint8
    assert names["mask"].shape == SIZE and names["still"].shape == (*SIZE, 2)
    assert pathlib.Path("masks/000001.png").is_file()
