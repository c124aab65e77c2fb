"""The detector's training script: both stages on a small set, stopped and gone on with."""

import csv
import dataclasses
import pathlib
import shutil
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfflow
from tfflow.data import SceneConfig, SyntheticClips, write_clips
from tfflow.video import load_detector

TRAIN = pathlib.Path(__file__).parents[2] / "train"
TINY = SceneConfig(
    height=64, width=96, objects=(2, 4), textures=4, texture_size=128, shapes=24, shape_size=64
)


@pytest.fixture(scope="module", autouse=True)
def eager():
    """A few steps take less time than tracing them into a graph."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def script(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(TRAIN)
    monkeypatch.delitem(sys.modules, "detector", raising=False)
    import detector

    monkeypatch.setattr(detector, "SIZE", (64, 96))
    monkeypatch.setattr(detector, "ALPHA", 0.25)
    monkeypatch.setattr(detector, "STEPS_PER_EPOCH", 1)
    stages = {
        name: dataclasses.replace(stage, batch_size=2) for name, stage in detector.STAGES.items()
    }
    monkeypatch.setattr(detector, "STAGES", stages)
    monkeypatch.chdir(tmp_path)
    yield detector
    sys.modules.pop("detector", None)


@pytest.fixture(scope="module")
def coco(tmp_path_factory):
    """train.json, val.json and images/, as --dataset coco has it."""
    folder = tmp_path_factory.mktemp("coco")
    write_clips(SyntheticClips(TINY, count=2, frames=4, smallest=20), folder / "images")
    shutil.move(folder / "images" / "annotations.json", folder / "train.json")
    shutil.copy(folder / "train.json", folder / "val.json")
    return folder


def run(script, stage, coco, *arguments):
    given = [stage, "--dataset", "coco", "--data-dir", str(coco), *arguments]
    return script.train(script.parse_arguments(given))


def epochs(path):
    with open(path) as file:
        return [int(line["epoch"]) for line in csv.DictReader(file)]


def test_both_stages_one_after_the_other(script, coco):
    first = run(script, "images", coco, "--steps", "2")
    assert first.gru is None and epochs("runs/detector_images/log.csv") == [0, 1]
    flow = tfflow.models.create("lightflow", width=0.25)
    flow.save("flow.keras")
    second = run(script, "clips", coco, "--steps", "1", "--flow", "flow.keras")
    saved = load_detector("runs/detector_clips/model.keras")
    assert saved.gru is not None and saved.classes == 9
    for one, other in zip(saved.flow_network.get_weights(), flow.get_weights()):
        np.testing.assert_array_equal(one, other)  # not trained unless asked for
    names = [layer.name for layer in second.layers]
    assert "gru" in names and "backbone" in names


@pytest.mark.slow
def test_an_interrupted_run_goes_on(script, coco, monkeypatch):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    fit = script.FlowGuidedDetector.fit

    def stopped(self, *arguments, callbacks, **kwargs):
        return fit(self, *arguments, callbacks=[*callbacks, Stop()], **kwargs)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(script.FlowGuidedDetector, "fit", stopped)
        run(script, "images", coco, "--steps", "3")
    run(script, "images", coco, "--steps", "3")
    assert epochs("runs/detector_images/log.csv") == [0, 1, 2]


def test_says_what_is_missing(script, coco):
    with pytest.raises(FileNotFoundError, match="begins with runs/detector_images/model.keras"):
        run(script, "clips", coco, "--steps", "1")
