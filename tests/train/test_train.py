"""The training script: every recipe is well formed, trains, stops and goes on."""

import dataclasses
import json
import pathlib
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfflow

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "train"))
import recipes
import train


@pytest.fixture(scope="module", autouse=True)
def eager():
    """Two steps take less time than tracing them into a graph."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    config = tfflow.data.SceneConfig(height=96, width=128)
    root = tmp_path_factory.mktemp("scenes")
    tfflow.data.synthesize(root, 8, config=config, workers=1)
    return tfflow.data.SceneCache(root)


def smoke(name, scenes, epochs=1):
    """A recipe cut down to seconds: its own loss, optimizer and augmentation on tiny crops."""
    recipe = recipes.get(name).with_steps(2 * epochs)
    return dataclasses.replace(
        recipe,
        model="lightflow_0.5",
        data=lambda folder: (scenes, scenes[:2]),
        crop=(64, 64),
        batch_size=2,
        steps_per_epoch=2,
        validation_pairs=2,
    )


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_every_recipe_trains(name, scenes, tmp_path):
    recipe = smoke(name, scenes)
    train.train(recipe, train.parse_arguments([name, "--output", str(tmp_path)]))
    model = tfflow.load(tmp_path / "model.keras")
    assert isinstance(model, keras.Model)
    log = json.loads((tmp_path / "log.jsonl").read_text())
    assert np.isfinite([log["loss"], log["epe"], log["val_epe"]]).all()
    assert (tmp_path / "best.keras").is_file()


def test_an_interrupted_run_goes_on(scenes, tmp_path, monkeypatch):
    recipe = smoke("lightflow_demo", scenes, epochs=2)
    arguments = train.parse_arguments(["lightflow_demo", "--output", str(tmp_path)])

    class Interrupted(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    def make_callbacks(*given):
        return [*original(*given), Interrupted()]

    original = train.make_callbacks
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train, "make_callbacks", make_callbacks)
        train.train(recipe, arguments)
    model = train.train(recipe, arguments)
    assert int(model.optimizer.iterations) == 4
    epochs = [json.loads(line)["epoch"] for line in (tmp_path / "log.jsonl").open()]
    assert epochs == [1, 2]


def test_statistics_freeze_where_the_recipe_says(scenes, tmp_path):
    recipe = smoke("lightflow_demo", scenes, epochs=2)
    recipe = dataclasses.replace(recipe, freeze_statistics_after=1)
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            norm = self.model.encoder[0].depthwise_norm
            seen.append((self.model.freeze_statistics, np.asarray(norm.moving_mean).copy()))

    original = train.make_callbacks
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "make_callbacks", lambda *given: [*original(*given), Watch()])
        model = train.train(recipe, train.parse_arguments(["x", "--output", str(tmp_path)]))
    assert [frozen for frozen, _ in seen] == [False, True]
    assert np.abs(seen[0][1]).max() > 0
    np.testing.assert_array_equal(seen[0][1], seen[1][1])
    assert tfflow.load(tmp_path / "model.keras").freeze_statistics is model.freeze_statistics


def test_a_folder_of_another_run_is_left_alone(scenes, tmp_path):
    arguments = train.parse_arguments(["lightflow_demo", "--output", str(tmp_path)])
    train.claim_folder(tmp_path, smoke("lightflow_demo", scenes), arguments)
    with pytest.raises(ValueError, match="recipe lightflow_demo, not lightflow_chairs"):
        train.train(smoke("lightflow_chairs", scenes), arguments)


def test_the_published_table_has_its_length_and_rates():
    recipe = recipes.get("lightflow_chairs")
    assert recipe.steps == 403 * (22_232 // 128)
    schedule = recipe.optimizer(recipe.steps)._learning_rate
    epoch = recipe.steps_per_epoch
    for first, rate in ((0, 1e-3), (58, 5e-4), (174, 2.5e-4), (346, 6.25e-5), (347, 3.125e-5)):
        assert float(schedule(first * epoch + 1)) == pytest.approx(rate)


def test_unknown_recipe_suggests_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'lightflow_chairs'"):
        recipes.get("lightflow_chair")
