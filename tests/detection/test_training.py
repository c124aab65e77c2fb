"""The detector's training: both stages on a small set, stopped and gone on with."""

import dataclasses
import json
import pathlib
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from coco_tree import write_coco_tree

import tfflow
from tfflow.cli import main
from tfflow.data import SceneConfig
from tfflow.detection import SyntheticClips, load_detector, training, write_clips
from tfflow.recipes import Run

TINY = SceneConfig(
    height=64, width=96, objects=(2, 4), textures=4, texture_size=128, shapes=24, shape_size=64
)


@pytest.fixture(scope="module", autouse=True)
def eager():
    """A few steps take less time than tracing them into a graph."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    monkeypatch.setattr(training, "VALIDATION_BATCHES", 1)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def coco(tmp_path_factory):
    """Videos in COCO's format: train.json, val.json and images/."""
    folder = tmp_path_factory.mktemp("coco")
    write_clips(SyntheticClips(TINY, count=2, frames=4, smallest=20), folder / "images")
    shutil.move(folder / "images" / "annotations.json", folder / "train.json")
    shutil.copy(folder / "train.json", folder / "val.json")
    return folder


@pytest.fixture
def coco_tree(tmp_path):
    """Images in the layout of COCO 2017."""
    return write_coco_tree(tmp_path / "images", train=4, val=2)


def run(stage, coco, steps, output=None, **settings):
    settings = {"size": (64, 96), "alpha": 0.25, "batch_size": 2, **settings}
    run = Run(training.STAGES[stage]("coco", **settings), data_dir=coco, steps=steps, output=output)
    run.recipe = dataclasses.replace(run.recipe, steps_per_epoch=1)
    return run.train()


def epochs(folder):
    return [json.loads(line)["epoch"] for line in pathlib.Path(folder, "log.jsonl").open()]


def test_both_stages_one_after_the_other(coco):
    first = run("images", coco, 2)
    assert first.gru is None and epochs("runs/detector_images") == [1, 2]
    flow = tfflow.models.create("lightflow", width=0.25)
    flow.save("flow.keras")
    second = run("clips", coco, 1, flow="flow.keras")
    saved = load_detector("runs/detector_clips/model.keras")
    assert load_detector("runs/detector_clips/best.keras").classes == 9
    assert saved.gru is not None and saved.classes == 9
    for one, other in zip(saved.flow_network.get_weights(), flow.get_weights()):
        np.testing.assert_array_equal(one, other)  # not trained unless asked for
    names = [layer.name for layer in second.layers]
    assert "gru" in names and "backbone" in names


@pytest.mark.slow
def test_images_without_videos(coco_tree, capsys):
    run("images", coco_tree, 1)
    flow = tfflow.models.create("lightflow", width=0.25)
    flow.save("flow.keras")
    run("clips", coco_tree, 1, flow="flow.keras")
    assert "training on 21 frames of a moving window on each of 4 images" in capsys.readouterr().out
    saved = load_detector("runs/detector_clips/model.keras")
    assert saved.class_names == ("person", "car", "toothbrush")  # for whoever draws boxes
    assert saved.alpha == 0.25 and saved.flow_network is not None

    train = ["train-detector", "images", "--dataset", "coco", "--data-dir", str(coco_tree)]
    same = ["--steps", "1", "--batch-size", "2"]
    assert main([*train, *same, "--size", "64x128", "--alpha", "0.5"]) == 1
    error = capsys.readouterr().err
    assert "holds another run (size [64, 96], not [64, 128]; alpha 0.25, not 0.5)" in error


def test_a_damaged_image_is_named(coco_tree, capsys, monkeypatch):
    """Also where it is met in the middle of a run, by TensorFlow's threads."""
    monkeypatch.setattr(training.DetectorStage, "validation", lambda *_: keras.callbacks.Callback())
    read = training.ClipBatches.batch

    def damage_later(batches, number):
        if number == 2:
            for path in (coco_tree / "train2017").iterdir():
                path.write_bytes(path.read_bytes()[:900])
        return read(batches, number)

    monkeypatch.setattr(training.ClipBatches, "batch", damage_later)
    command = ["train-detector", "images", "--dataset", "coco", "--data-dir", str(coco_tree)]
    command += ["--steps", "20", "--size", "64x96", "--alpha", "0.25", "--batch-size", "1"]
    assert main(command) == 1
    assert "the image is damaged or truncated (900 bytes" in capsys.readouterr().err


@pytest.mark.slow
def test_precision_after_training(coco_tree, capsys):
    run("images", coco_tree, 1)
    command = ["evaluate-detector", "runs/detector_images/model.keras", "--dataset", "coco"]
    command += ["--data-dir", str(coco_tree), "--size", "64x96"]
    assert main([*command, "--json", "ap.json"]) == 0
    found = json.loads(pathlib.Path("ap.json").read_text())
    assert found["frames"] == found["key_frames"] == 2 and 0 <= found["ap"] <= 1
    assert set(found["of_class"]) == {"person", "car", "toothbrush"}
    assert "what is slow" not in capsys.readouterr().out
    assert main([*command, "--in-motion", "--limit", "1"]) == 0
    output = capsys.readouterr().out
    assert "21, 21 of them key frames" in output and "what is slow" in output
    carried = ["--in-motion", "--limit", "1", "--interval", "10", "--flow", "lightflow"]
    assert main([*command, *carried]) == 0
    assert "21, 3 of them key frames" in capsys.readouterr().out
    for split in ("train", "val"):
        other = coco_tree / "annotations" / f"instances_{split}2017.json"
        other.write_text(other.read_text().replace("toothbrush", "dog"))
    assert main(command) == 1
    assert "knows other classes (person, car, toothbrush) than" in capsys.readouterr().err


@pytest.mark.slow
def test_an_interrupted_run_ends_with_the_same_weights(coco, monkeypatch):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    whole = run("images", coco, 3, output="whole")
    callbacks = Run.callbacks
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Run, "callbacks", lambda *arguments: [*callbacks(*arguments), Stop()])
        run("images", coco, 3, output="cut")
    assert epochs("cut") == [1, 2]
    resumed = run("images", coco, 3, output="cut")
    assert epochs("cut") == [1, 2, 3]
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_says_what_is_missing_or_does_not_go_together(coco, capsys):
    with pytest.raises(FileNotFoundError, match="no runs/detector_images/model.keras"):
        run("clips", coco, 1)
    assert main(["train-detector", "images", "--train-flow"]) == 1
    assert "no flow network; leave out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stage", "option", "value", "message"),
    [
        ("images", "--size", "250x384", "size must be two multiples of 32"),
        ("images", "--alpha", "-1", "alpha must be above 0"),
        ("images", "--weights", "nofile.h5", "no weights at nofile.h5"),
        ("clips", "--flow", "nope", "'nope' is neither a preset"),
        ("images", "--init", "nofile.keras", "No model at nofile.keras"),
        ("clips", "--alpha", "0.25", "no runs/detector_images/model.keras"),
    ],
)
def test_a_wrong_argument_fails_before_clips_are_drawn(stage, option, value, message, capsys):
    assert main(["train-detector", stage, option, value]) == 1
    assert message in capsys.readouterr().err
    assert not pathlib.Path("clips").exists() and not pathlib.Path("runs").exists()
