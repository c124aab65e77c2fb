"""One device, two devices and two processes train the same: batches are global."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import numpy as np
import pytest
import small_network
import tensorflow as tf

import tfflow
from tfflow.data.pipeline.batches import WorkerShare
from tfflow.training import distribution

SCRIPT = pathlib.Path(__file__).with_name("distributed_run.py")
# A network in miniature, batch norm and all; the others with the slow tests.
QUICK, *OTHERS = "small", "liteflownet_pre_M6S6", "lightflow_0.5", "clipped"


def start(mode, output, networks, config=None):
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    if config is not None:
        environment["TF_CONFIG"] = json.dumps(config)
    command = [sys.executable, SCRIPT, mode, output, *networks]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def free_ports(count):
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def finished(processes):
    try:
        outputs = [process.communicate(timeout=400)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, output in zip(processes, outputs):
        assert process.returncode == 0, output[-3000:]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """All at the same time: starting TensorFlow is most of what they do."""
    folder = tmp_path_factory.mktemp("runs")
    processes = [start(mode, folder / mode, [QUICK]) for mode in ("none", "mirrored")]
    workers = [f"localhost:{port}" for port in free_ports(2)]
    for index in range(2):
        task = {"type": "worker", "index": index}
        config = {"cluster": {"worker": workers}, "task": task}
        processes.append(start("multi-worker", folder / "multi-worker", [QUICK], config))
    finished(processes)
    return folder


def check_equal(folder, mode, network):
    alone, together = (np.load(folder / f"{kind}-{network}.npz") for kind in ("none", mode))
    left_out = {"predict", "predict_on_batch", "predict_flow"} if mode == "multi-worker" else set()
    assert set(together) == set(alone) - left_out
    for name in together:
        tolerance = 1e-5 * np.abs(alone[name]).max()
        np.testing.assert_allclose(together[name], alone[name], rtol=0, atol=tolerance)
    first, last = alone["loss"][:2]
    # The large ones do not learn in eight steps.
    assert last < first if network == QUICK else last != first


@pytest.mark.parametrize("mode", ["mirrored", "multi-worker"])
def test_the_same_loss_and_weights_after_8_steps(runs, mode):
    check_equal(runs, mode, QUICK)


@pytest.mark.slow
def test_other_networks_and_gradients_that_are_clipped_when_they_are_whole(tmp_path):
    finished([start(mode, tmp_path / mode, OTHERS) for mode in ("none", "mirrored")])
    for network in OTHERS:
        check_equal(tmp_path, "mirrored", network)


def test_a_process_has_one_mirrored_strategy():
    """TensorFlow mixes up the reductions of two: the run after the next failed."""
    assert distribution.make_strategy("mirrored") is distribution.make_strategy("mirrored")


def test_unknown_strategy():
    with pytest.raises(ValueError, match="distribute must be one of none, mirrored"):
        distribution.make_strategy("both")


@pytest.mark.parametrize("text", ["", "{}", '{"cluster": {"worker": ["a:1"]}}', "nonsense"])
def test_workers_need_a_cluster(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match="needs the environment variable TF_CONFIG"):
        distribution.make_strategy("multi-worker")


def test_one_device_has_all_of_the_batch():
    strategy = distribution.make_strategy("none")
    assert distribution.is_chief(strategy)
    assert distribution.share(strategy) == WorkerShare()
    assert distribution.distribute(strategy, lambda share: share) == WorkerShare()
    assert tf.distribute.get_strategy() is strategy


def test_several_steps_at_once_are_refused():
    model = small_network.Small()
    model.compile("sgd", loss="mse", steps_per_execution=2)
    with pytest.raises(ValueError, match="compile the model with steps_per_execution=1; got 2"):
        distribution.prepare(model)


def test_thawing_after_training_asks_for_a_new_optimizer():
    """As without a strategy; Keras would say that it knows no such variable."""
    model = small_network.Small()
    model.freeze_parts(("prediction",))
    model.compile("sgd", loss=tfflow.losses.MultiLevelEPE({"level2": 1.0}))
    distribution.prepare(model)
    images = small_network.images()
    batches = tf.data.Dataset.from_tensors((images, np.zeros((2, 64, 64, 2), np.float32))).repeat()
    model.fit(batches, steps_per_epoch=1, verbose=0, shuffle=False)
    model.freeze_parts(())
    with pytest.raises(ValueError, match="Call compile with a new one"):
        model.fit(batches, steps_per_epoch=1, verbose=0, shuffle=False)
