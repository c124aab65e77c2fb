"""A checkpoint that was given to the wrong network: the error names the networks that it fits."""

import sys

import numpy as np
import pytest
from golden_files import load, state_dict

import tfflow
from tfflow import cli
from tfflow.weights import load_liteflownet_official, load_mmflow
from tfflow.weights.importing import import_checkpoint
from tfflow.weights.projects import networks_that_fit


def tensors_of(name):
    return state_dict(load(name)[0])


@pytest.fixture
def built(monkeypatch):
    """Names of the networks that are built."""
    names, create = [], tfflow.models.registry.create
    monkeypatch.setattr(
        tfflow.models.registry,
        "create",
        lambda name, **arguments: names.append(name) or create(name, **arguments),
    )
    return names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("liteflownet_pre_M6S6", ["liteflownet_pre_M6S6"]),
        # Two names of one network: the last training stage is the network itself.
        ("liteflownet", ["liteflownet", "liteflownet_pre_M2S2R2"]),
        ("lightflow_0.5", ["lightflow_0.5"]),
        pytest.param("flownets", ["flownets"], marks=pytest.mark.slow),
        pytest.param("flownet2", ["flownet2"], marks=pytest.mark.slow),
        pytest.param("maskflownets", ["maskflownets"], marks=pytest.mark.slow),
    ],
)
def test_only_networks_of_about_that_size_are_built(name, expected, built):
    assert networks_that_fit(tensors_of(name)) == expected
    assert len(built) <= 2


def test_tensors_of_nothing_here_fit_nothing(built):
    tensors = tensors_of("liteflownet_pre_M6S6")
    assert networks_that_fit({}) == []
    assert networks_that_fit({f"fnet.{name}": each for name, each in tensors.items()}) == []
    assert built == []
    name = "decoder.decoders.level6.NetM.pred_flow.bias"
    assert networks_that_fit({**tensors, name: np.zeros(3)}) == []


def test_a_network_of_ones_own_is_among_them(monkeypatch):
    monkeypatch.setattr(tfflow.models.registry, "_ENTRIES", dict(tfflow.models.registry._ENTRIES))
    tfflow.models.register(
        "mine", tfflow.models.LiteFlowNet, finest_level=6, use_regularization=False
    )
    found = networks_that_fit(tensors_of("liteflownet_pre_M6S6"))
    assert found == ["liteflownet_pre_M6S6", "mine"]


def test_every_way_to_load_names_what_fits():
    tensors = tensors_of("liteflownet_pre_M6S6")
    other = tfflow.models.create("liteflownet_pre_M6S6R6")
    with pytest.raises(ValueError, match=r"loaded\. It fits liteflownet_pre_M6S6\.\n  missing:"):
        load_mmflow(other, tensors)
    with pytest.raises(ValueError, match=r"It fits liteflownet_pre_M6S6\.\n"):
        import_checkpoint("liteflownet_pre_M6S6R6", tensors)
    with pytest.raises(ValueError, match=r"has no lightflow_0\.5; .* It fits liteflownet_pre_M6S6"):
        import_checkpoint("lightflow_0.5", tensors)
    for load_it in (load_mmflow, load_liteflownet_official):
        with pytest.raises(TypeError, match=r"has no LightFlow; .* It fits liteflownet_pre_M6S6\."):
            load_it(tfflow.models.create("lightflow_0.5"), tensors)


@pytest.mark.parametrize(
    "command",
    [
        ["export", "theirs.npz", "-o", "x.tflite"],
        ["sensitivity", "theirs.npz"],
    ],
    ids=lambda command: command[0],
)
def test_commands_say_how_a_checkpoint_is_imported(command, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("theirs.npz", **tensors_of("liteflownet_pre_M6S6"))
    assert cli.main(command) == 1
    said = capsys.readouterr().err
    assert "tfflow import-weights liteflownet_pre_M6S6 theirs.npz -o theirs.keras; then" in said


def test_without_pytorch_the_command_is_said_without_the_network(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / "theirs.pth").write_bytes(b"PK")
    with pytest.raises(ValueError, match="import-weights NETWORK .*theirs.pth -o theirs.keras"):
        tfflow.load(tmp_path / "theirs.pth")


def test_a_checkpoint_that_is_not_there_or_is_of_nobody(tmp_path):
    with pytest.raises(FileNotFoundError, match="No checkpoint at absent.pth"):
        tfflow.load("absent.pth")
    np.savez(tmp_path / "raft.npz", **{"fnet.conv1.weight": np.zeros(3)})
    with pytest.raises(ValueError, match="import-weights NETWORK .*raft.npz"):
        tfflow.load(tmp_path / "raft.npz")
