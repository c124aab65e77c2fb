"""Callbacks: what they add to the logs and leave on disk."""

import json

import numpy as np
import pytest

import tfflow
from tfflow.data.datasets import FlowSample
from tfflow.evaluation.callback import EvaluatePairs
from tfflow.training.callbacks import FlowPictures, JsonLines


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


def test_json_lines_appends(tmp_path):
    callback = JsonLines(tmp_path / "log.jsonl")
    callback.on_epoch_end(0, {"loss": np.float32(0.5)})
    callback.on_epoch_end(1, {"loss": 0.25})
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").open()]
    assert lines == [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}]


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
