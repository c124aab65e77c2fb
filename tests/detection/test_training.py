"""The detector's training: both stages on a small set, stopped and gone on with."""

import dataclasses
import json
import pathlib
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

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
    monkeypatch.setattr(training, "SIZE", (64, 96))
    monkeypatch.setattr(training, "ALPHA", 0.25)
    monkeypatch.setattr(training, "VALIDATION_BATCHES", 1)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def coco(tmp_path_factory):
    """train.json, val.json and images/, as --dataset coco has it."""
    folder = tmp_path_factory.mktemp("coco")
    write_clips(SyntheticClips(TINY, count=2, frames=4, smallest=20), folder / "images")
    shutil.move(folder / "images" / "annotations.json", folder / "train.json")
    shutil.copy(folder / "train.json", folder / "val.json")
    return folder


def run(stage, coco, steps, output=None, **settings):
    run = Run(training.STAGES[stage]("coco", **settings), data_dir=coco, steps=steps, output=output)
    run.recipe = dataclasses.replace(run.recipe, batch_size=2, steps_per_epoch=1)
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
