"""Callbacks: what they add to the logs and leave on disk."""

import json
import math

import keras
import numpy as np
import pytest

import tfflow
from tfflow.data import CorruptFileError, PairFolder, write_flow, write_image
from tfflow.data.datasets import FlowSample, Mixture
from tfflow.evaluation.callback import EvaluatePairs
from tfflow.training.callbacks import (
    FlowPictures,
    FreezeStatistics,
    JsonLines,
    SaveBest,
    Speed,
    TensorBoardFrom,
    WithAverage,
    read_log,
)
from tfflow.training.distribution import InputClock


@pytest.fixture(scope="module")
def pairs():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    flow = np.full((64, 64, 2), 3.0, np.float32)
    return [FlowSample(image, image, flow, np.ones((64, 64), bool), "still")]


@pytest.fixture(scope="module")
def model():
    return tfflow.models.create("lightflow_0.5")


def test_evaluate_pairs_adds_to_the_logs(model, pairs):
    callback = EvaluatePairs(pairs, "val", every=2)
    callback.set_model(model)
    logs = {}
    callback.on_epoch_end(0, logs)
    assert logs == {}
    callback.on_epoch_end(1, logs)
    flow = model.predict_flow(pairs[0].image1, pairs[0].image2)
    expected = np.linalg.norm(flow - pairs[0].flow, axis=-1).mean()
    assert logs == {"val_epe": pytest.approx(expected, rel=1e-5)}


def test_evaluate_pairs_names_a_damaged_file_before_training(tmp_path, pairs):
    for name in ("a", "b", "c"):
        for role in ("img1", "img2"):
            write_image(tmp_path / f"{name}_{role}.png", pairs[0].image1)
        write_flow(tmp_path / f"{name}_flow.flo", pairs[0].flow)
    damaged = tmp_path / "b_img2.png"
    damaged.write_bytes(damaged.read_bytes()[:-99])
    EvaluatePairs(PairFolder(tmp_path)[:1], "val").on_train_begin()
    with pytest.raises(CorruptFileError, match=r"1 pairs of .*b_img2.png.*--skip-corrupt"):
        EvaluatePairs(PairFolder(tmp_path), "val").on_train_begin()
    (tmp_path / "c_flow.flo").unlink()
    with pytest.raises(ValueError, match="^c has no ground truth"):
        EvaluatePairs(PairFolder(tmp_path), "val").on_train_begin()


def test_evaluate_pairs_looks_at_all_of_a_list_before_training(pairs):
    first = pairs[0]
    for wrong, message in (
        (first._replace(flow=None, name="x"), "x has no ground truth"),
        (first._replace(flow=first.flow[:-1], name="x"), "x: expected a true flow of the images'"),
    ):
        for dataset in ([first, wrong], Mixture([[first], [first, wrong]])):
            EvaluatePairs(dataset[:1], "val").on_train_begin()
            with pytest.raises(ValueError, match=message):
                EvaluatePairs(dataset, "val").on_train_begin()


def test_json_lines_appends(tmp_path):
    callback = JsonLines(tmp_path / "log.jsonl")
    callback.on_epoch_end(0, {"loss": np.float32(0.5)})
    callback.on_epoch_end(1, {"loss": 0.25})
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").open()]
    assert lines == [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}]
    # Going on after the first epoch, the second one is trained once more.
    later = JsonLines(tmp_path / "log.jsonl", epoch=1)
    assert len(read_log(tmp_path / "log.jsonl")) == 2  # nothing is lost before it trains
    later.on_train_begin()
    later.on_epoch_end(1, {"loss": 0.125})
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").open()]
    assert lines == [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.125}]


@pytest.mark.parametrize("content", ["my notes\nline two\n", "[1, 2]\n", '{"step": 3}\n'])
def test_json_lines_leaves_other_files_alone(content, tmp_path):
    (tmp_path / "notes.txt").write_text(content)
    with pytest.raises(ValueError, match="no log of epochs; give another name"):
        JsonLines(tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == content


def test_save_best_says_that_nothing_was_saved(tmp_path):
    callback = SaveBest(tmp_path / "best.keras", "val_epee")
    callback.on_train_begin()
    callback.on_epoch_end(0, {"loss": 1.0, "val_epe": 2.0})
    with pytest.warns(UserWarning, match="had 'val_epee', but loss, val_epe"):
        callback.on_train_end()
    with pytest.raises(FileNotFoundError, match="create it first"):
        SaveBest(tmp_path / "none" / "best.keras", "loss").on_train_begin()


def test_speed_and_the_wait_for_data(monkeypatch):
    times = iter([100.0, 104.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(times))
    clock = InputClock()
    step = clock.measured(lambda iterator: ({"loss": 1.0}, 0.5))
    callback = Speed(clock, step=10)
    keras_model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    keras_model.compile(keras.optimizers.Adam(0.25), "mse")
    callback.set_model(keras_model)
    step(None)  # before the epoch: not its time
    callback.on_epoch_begin(0)
    for batch in range(2):
        assert step(None) == {"loss": 1.0}
        callback.on_train_batch_end(batch)
    logs = {}
    callback.on_epoch_end(0, logs)
    assert logs == {
        "step": 12,
        "learning_rate": pytest.approx(0.25),
        "steps_per_second": pytest.approx(0.5),
        "input_wait": pytest.approx(0.25),
    }


def test_averages_are_shown_at_an_epochs_end_and_the_own_weights_return_exactly():
    made = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    made.compile(keras.optimizers.Adam(0.1, use_ema=True, ema_momentum=0.5), "mse")
    rng = np.random.default_rng(0)
    for _ in range(3):
        made.train_on_batch(rng.normal(size=(4, 3)), rng.normal(size=(4, 2)))
    own = [np.array(weight) for weight in made.get_weights()]
    averages = [np.array(v) for v in made.optimizer._model_variables_moving_average]

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["seen"] = self.model.get_weights()

    callback, logs = WithAverage([Look()]), {}
    callback.set_model(made)
    callback.on_epoch_end(0, logs)
    for weights, expected in ((logs["seen"], averages), (made.get_weights(), own)):
        for weight, value in zip(weights, expected, strict=True):
            np.testing.assert_array_equal(weight, value)
    assert np.abs(own[0] - averages[0]).max() > 1e-3


def test_an_average_that_nobody_keeps_is_told_before_training():
    made = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    made.compile("adam", "mse")
    with pytest.raises(ValueError, match="give it use_ema=True"):
        made.fit(np.zeros((4, 3)), np.zeros((4, 2)), callbacks=[WithAverage([])], verbose=0)
    assert int(made.optimizer.iterations) == 0


def test_flow_pictures_reach_tensorboard(model, pairs, tmp_path):
    pytest.importorskip("tensorboard", reason="TensorBoard is an extra")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    callback = FlowPictures(pairs, tmp_path, every=1)
    callback.set_model(model)
    callback.on_epoch_end(0)
    events = EventAccumulator(str(tmp_path), size_guidance={"tensors": 0})
    events.Reload()
    (picture,) = events.Tensors("flow/still")
    width, height, png = (picture.tensor_proto.string_val[i] for i in range(3))
    assert int(width) > 2 * 64 and int(height) > 64
    assert png.startswith(b"\x89PNG")
    (pyramid,) = events.Tensors("pyramid/still")
    assert pyramid.tensor_proto.string_val[2].startswith(b"\x89PNG")


def test_curves_over_batches_go_on_where_a_run_does(tmp_path):
    pytest.importorskip("tensorboard", reason="TensorBoard is an extra")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    made = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    made.compile("sgd", "mse")
    for step in (0, 3):
        callback = TensorBoardFrom(step, tmp_path, update_freq=1)
        made.fit(np.zeros((6, 3)), np.zeros((6, 1)), 2, callbacks=[callback], verbose=0)
    events = EventAccumulator(str(tmp_path / "train"), size_guidance={"tensors": 0})
    events.Reload()
    assert [event.step for event in events.Tensors("batch_loss")] == [1, 2, 3, 4, 5, 6]


def test_the_best_model_is_there_whole_or_as_it_was(tmp_path):
    class Disk:
        """A model whose file holds its number; the disk is full from the third on."""

        saved = 0

        def save(self, path):
            self.saved += 1
            path.write_text(f"{self.saved}")
            if self.saved > 2:
                raise OSError("no space")

    path = tmp_path / "best.keras"
    saving = SaveBest(path, "val_epe", best=9.0)
    saving.set_model(Disk())
    for value, content in ((9.5, None), (7.0, "1"), (8.0, "1"), (math.nan, "1"), (6.0, "2")):
        saving.on_epoch_end(0, {"val_epe": value})
        assert (path.read_text() if path.exists() else None) == content
    with pytest.raises(OSError, match="no space"):
        saving.on_epoch_end(0, {"val_epe": 5.0})
    assert path.read_text() == "2" and [*tmp_path.iterdir()] == [path]


def test_a_log_into_no_folder_is_refused_before_training(tmp_path):
    with pytest.raises(OSError, match="none"):
        JsonLines(tmp_path / "none" / "log.jsonl").on_train_begin()


def test_statistics_are_frozen_between_fits(model):
    """A training step that Keras has made keeps what was before."""
    x = {f"image{i}": np.random.default_rng(i).random((2, 64, 64, 3), np.float32) for i in (1, 2)}
    truth = np.zeros((2, 64, 64, 2), np.float32)
    statistics = [w for w in model.weights if w.path.endswith("moving_mean")]

    def moved():
        before = [np.array(each) for each in statistics]
        model.fit(x, truth, verbose=0)
        return any((np.array(each) != b).any() for each, b in zip(statistics, before))

    model.compile("sgd", tfflow.losses.LightFlowL1())
    assert moved()
    model.freeze_statistics = True
    assert not moved()
    model.freeze_statistics = False
    assert moved()


def test_networks_without_batch_norm_have_no_statistics():
    callback = FreezeStatistics(1)
    callback.set_model(tfflow.models.create("rillflow", width=0.25))
    with pytest.raises(ValueError, match="rillflow has no freeze_statistics"):
        callback.on_train_begin()
