"""Published checkpoints by name, from a server on this machine that has them in mmflow's form."""

import io
import pickle
import re
import subprocess
import sys
import types

import golden_files
import numpy as np
import pytest
from file_server import serving

import tfflow
from tfflow import cli
from tfflow.data import write_flow, write_image
from tfflow.data.datasets import DATASETS
from tfflow.weights import checkpoints

NAMES = tfflow.weights.list_checkpoints()
MMFLOW = [name for name in NAMES if name.startswith("mmflow/")]
SMALL = "mmflow/liteflownet_pre_M6S6_8x1_flyingchairs_320x448"
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), np.uint8)


def tensors_of(network):
    """Names and shapes of mmflow's checkpoint of a network, taken from the golden files.

    A training stage without a golden file has the tensors of the finer levels left out.
    """
    whole = {"liteflownet_pre_M2S2R2": "liteflownet", "flownet2css_sd": "flownet2css"}
    stage = re.fullmatch(r"(liteflownet2?)_pre_M(\d)S\dR\d", network)
    name = whole.get(network, stage[1] if stage else network)
    description, _ = golden_files.load(name)
    tensors = {each["key"]: tuple(each["shape"]) for each in description["state_dict"]}
    if stage:
        finest = int(stage[2])
        level = {key: int(re.search(r"level(\d)|$", key)[1] or 9) for key in tensors}
        tensors = {key: shape for key, shape in tensors.items() if level[key] >= finest}
        tensors.pop(f"decoder.decoders.level{finest}.upflow_layer.weight", None)
    return tensors


def mmflow_form(network):
    """A checkpoint as mmcv writes it: what was trained, its state, the optimizer's."""
    state = {
        key: np.broadcast_to(np.float32(0.01), shape) for key, shape in tensors_of(network).items()
    }
    meta = {"epoch": 1, "iter": 300_000, "mmflow_version": "0.5.2", "CLASSES": None}
    return {"meta": meta, "state_dict": state, "optimizer": {"state": {}, "param_groups": []}}


@pytest.fixture
def server(monkeypatch, tmp_path):
    with serving() as running:
        monkeypatch.setenv("TFFLOW_MIRROR", running.address)
        monkeypatch.setenv("TFFLOW_CACHE", str(tmp_path / "cache"))
        yield running


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def put(server, torch, name, checkpoint=None):
    """Lets the server have a checkpoint under its true path, in PyTorch's own format."""
    found = tfflow.weights.checkpoint(name)
    checkpoint = checkpoint or mmflow_form(found.network)
    state = {
        key: torch.from_numpy(np.array(value)) for key, value in checkpoint["state_dict"].items()
    }
    content = io.BytesIO()
    torch.save({**checkpoint, "state_dict": state}, content)
    path = "/" + found.url.split("/", 3)[3]
    server.files[path] = content.getvalue()
    return path


def test_the_list():
    assert len(MMFLOW) == 34 and len(set(NAMES)) == len(NAMES)
    for name in NAMES:
        found = tfflow.weights.checkpoint(name)
        assert found.network in tfflow.models.list()
        assert found.network.replace("_sd", "-sd") in name.replace("_ft", "")
        assert found.url.startswith("http") and len(found.terms) == 1 + len(found.trained_on)
        assert found.results or not name.startswith("mmflow/")
        for kind, what in found.results:
            assert kind in DATASETS and what in ("epe", "fl")
    found = tfflow.weights.checkpoint("mmflow/flownet2cs_8x1_sfine_flyingthings3d_subset_384x768")
    # "Sintel clean" stands twice in mmflow's table; the second is final.
    assert found.results["sintel-clean", "epe"] == 1.96
    assert found.results["sintel-final", "epe"] == 3.69
    assert found.results["kitti2015", "fl"] == 28.28
    assert tfflow.weights.list_checkpoints("flownet2sd") == [
        "mmflow/flownet2sd_8x1_slong_chairssdhom_384x448"
    ]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == SMALL else pytest.mark.slow)
        for name in {tfflow.weights.checkpoint(name).network: name for name in MMFLOW}.values()
    ],
)
def test_every_network_takes_its_checkpoint(name):
    from tfflow.weights.importing import import_checkpoint

    network = tfflow.weights.checkpoint(name).network
    imported = import_checkpoint(network, mmflow_form(network))
    assert imported.project == "mmflow"
    assert imported.model.count_params() >= tfflow.models.entry(network).parameters


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == SMALL else pytest.mark.slow) for name in MMFLOW]
)
def test_a_checkpoint_by_its_name(name, server, torch, capsys):
    path = put(server, torch, name)
    known = re.search(r"-([0-9a-f]{8})\.pth$", path)
    if known:  # no content has that hash: it is refused, and taken under a name without one
        with pytest.raises(ValueError, match=f"begins with {known[1]} by its name"):
            tfflow.load(name)
        return
    model = tfflow.load(name)
    assert model.predict_flow(*IMAGES).shape == (64, 96, 2)
    said = capsys.readouterr().err
    assert "Apache License 2.0" in said and "SHA-256" in said
    again = tfflow.load(name)
    assert len(server.requests) == 1 and capsys.readouterr().err == ""
    for mine, theirs in zip(again.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(mine, theirs)


def test_the_command_line(server, torch, capsys, tmp_path):
    put(server, torch, SMALL)
    assert cli.main(["download", SMALL]) == 0
    assert "M6S6_8x1_flyingchairs_320x448.pth" in capsys.readouterr().out
    assert cli.main(["models", "--checkpoints", "liteflownet_pre_M6S6"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "chairs-val 4.43" in out and "yes" in out and "no commercial use" in out
    assert cli.main(["download", SMALL[:-2]]) == 1
    assert f"Did you mean '{SMALL}'" in capsys.readouterr().err
    assert cli.main(["models", "--checkpoints", "lightflow"]) == 0


@pytest.mark.parametrize("kind", ["truncated", "swapped", "a page", "malicious"])
def test_what_is_refused_leaves_nothing(kind, server, torch, tmp_path):
    path = put(server, torch, SMALL)
    good = server.files[path]
    harm = tmp_path / "harm"

    class Malicious:
        def __reduce__(self):
            return open, (str(harm), "w")

    if kind == "swapped":
        other = "mmflow/liteflownet_pre_M6S6R6_8x1_flyingchairs_320x448"
        good_of_other = put(server, torch, other)
        server.files[path] = server.files[good_of_other]
    else:
        server.files[path] = {
            "truncated": good[: len(good) // 2],
            "a page": b"<html><body>Sign in to the network</body></html>",
            "malicious": pickle.dumps({"state_dict": Malicious()}),
        }[kind]
    found = tfflow.weights.checkpoint(SMALL)
    with pytest.raises(ValueError):
        tfflow.load(SMALL)
    assert not harm.exists()
    assert [p.name for p in found.path.parent.iterdir()] == [f"{found.path.name}.lock"]
    server.files[path] = good
    assert tfflow.load(SMALL).predict_flow(*IMAGES).shape == (64, 96, 2)


def test_two_processes_download_one_name(server, torch):
    path = put(server, torch, SMALL)
    command = [sys.executable, "-c", "import sys; from tfflow.cli import main; sys.exit(main())"]
    both = [subprocess.Popen([*command, "download", SMALL]) for _ in range(2)]
    assert [each.wait(timeout=300) for each in both] == [0, 0]
    assert [asked for asked, _ in server.requests] == [path]


def test_without_pytorch_nothing_is_downloaded(server, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="pip install torch"):
        tfflow.load(SMALL)
    assert server.requests == []


def test_a_name_that_is_none():
    with pytest.raises(ValueError, match=f"Did you mean '{SMALL}'"):
        tfflow.load(SMALL[:-1])
    with pytest.raises(ValueError, match="export it, and load the .tflite"):
        tfflow.load(SMALL, engine="tflite")
    with pytest.raises(ValueError, match="Published weights: tfflow.load"):
        tfflow.load("flownetc")


@pytest.mark.parametrize(
    ("epe", "fl", "verdicts"),
    [(7.99, 25.5, ["agree", "agree"]), (8.3, 30.0, ["DIFFER", "DIFFER"])],
)
def test_a_measurement_beside_the_published_one(epe, fl, verdicts):
    found = tfflow.weights.checkpoint(
        "mmflow/flownet2css-sd_8x1_sfine_flyingthings3d_subset_chairssdhom_384x448"
    )
    measured = types.SimpleNamespace(epe=epe, fl=fl)
    lines = checkpoints.compare_with_published(found, "kitti2015", measured)
    assert [line.split()[-1] for line in lines] == verdicts
    assert f"EPE {epe:.2f} px, published 7.99 px" in lines[0] and "Fl" in lines[1]
    assert checkpoints.compare_with_published(found, "chairs", measured) == []


def test_evaluate_prints_the_published_number(server, torch, capsys, tmp_path):
    put(server, torch, SMALL)
    data = tmp_path / "FlyingChairs_release" / "data"
    data.mkdir(parents=True)
    for number in (1, 2):
        for i in (1, 2):
            write_image(data / f"{number:05d}_img{i}.ppm", IMAGES[i - 1])
        write_flow(data / f"{number:05d}_flow.flo", np.zeros((64, 96, 2), np.float32))
    (data.parent / "FlyingChairs_train_val.txt").write_text("2\n2\n")
    dataset = f"chairs-val:{tmp_path}"
    assert cli.main(["evaluate", "--model", SMALL, "--dataset", dataset]) == 0
    assert "published 4.43 px: THEY DIFFER" in capsys.readouterr().out
    command = ["evaluate", "--model", SMALL, "--dataset", dataset, "--limit", "1"]
    assert cli.main(command) == 0
    assert "published" not in capsys.readouterr().out


def test_the_table_has_the_terms_in_each_row(capsys):
    assert cli.main(["models", "--checkpoints", "liteflownet"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert out.count("Apache License 2.0; data: research only") == 3  # a row each
    assert "Apache License 2.0; data: research only, CC BY-NC-SA 3.0" in out
    assert out.count("research only; data: research only") == 3
    assert "weights of mmflow/…: Apache License 2.0, OpenMMLab" in out
    assert "weights of sniklaus/…: research only, the authors'" in out
