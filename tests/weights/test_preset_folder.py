"""Presets that are passed on: a folder, an address, the Hugging Face Hub."""

import json
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
from file_server import serving

import tfflow
from tfflow.weights import preset_tflite

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), np.uint8)
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@keras.saving.register_keras_serializable("tests")
class Tiny(tfflow.models.FlowModel):
    """A network of a user's own."""

    def __init__(self, name="tiny", **kwargs):
        super().__init__(name=name, **kwargs)
        self.prediction = keras.layers.Conv2D(2, 5, 4, "same", name="prediction")
        self.build()

    def estimate(self, image1, image2, training=None):
        return {"flow2": self.prediction(keras.ops.concatenate([image1, image2], -1))}


@pytest.fixture(scope="module")
def model():
    return Tiny()


@pytest.fixture
def folder(model, tmp_path):
    card = {"description": "for tests", "licence": "Apache-2.0"}
    return model.save_preset(
        tmp_path / "mine", card=card, tflite=[preset_tflite("rillflow", "small")]
    )


@pytest.fixture
def server(monkeypatch, tmp_path):
    monkeypatch.setenv("TFFLOW_CACHE", str(tmp_path / "cache"))
    with serving() as running:
        yield running


def same_flow(loaded, model):
    np.testing.assert_allclose(loaded.predict_flow(*IMAGES), model.predict_flow(*IMAGES), atol=1e-5)


def test_a_folder_there_and_back(model, folder):
    names = ["README.md", "model.keras", "preset.json", "rillflow_small.tflite"]
    assert sorted(path.name for path in folder.iterdir()) == names
    card = json.loads((folder / "preset.json").read_text(encoding="utf-8"))
    assert card["licence"] == "Apache-2.0" and card["network"] == "tiny"
    assert sorted(card["sha256"]) == ["model.keras", "rillflow_small.tflite"]
    assert "library_name: tfflow" in (folder / "README.md").read_text(encoding="utf-8")
    same_flow(tfflow.load(folder), model)
    same_flow(Tiny.from_preset(folder), model)
    assert tfflow.load(folder, engine="tflite").predict_flow(*IMAGES).shape == (64, 96, 2)
    # Again, with its own file among those to copy: the folder is replaced.
    model.save_preset(folder, tflite=[folder / "rillflow_small.tflite"])
    assert sorted(path.name for path in folder.iterdir()) == names
    model.save_preset(folder)  # without it: what is not on the card must not go to the Hub
    assert sorted(path.name for path in folder.iterdir()) == names[:3]


def test_from_preset_takes_what_load_takes():
    assert tfflow.models.LightFlow.from_preset("lightflow").name == "lightflow"
    with pytest.raises(ValueError, match="lightflow holds a LightFlow, not a RillFlow"):
        tfflow.models.RillFlow.from_preset("lightflow")


def test_what_can_not_be_saved(model, tmp_path):
    with pytest.raises(FileNotFoundError, match="No exported file"):
        model.save_preset(tmp_path / "x", tflite=[tmp_path / "none.tflite"])
    with pytest.raises(ValueError, match="end in .tflite"):
        model.save_preset(tmp_path / "x", tflite=["a.keras"])
    with pytest.raises(ValueError, match="names of their own; got a.tflite, a.tflite"):
        model.save_preset(tmp_path / "x", tflite=["a.tflite", "b/a.tflite"])
    with pytest.raises(ValueError, match="sha256 is set here"):
        model.save_preset(tmp_path / "x", card={"sha256": {}})
    with pytest.raises(TypeError, match="not JSON serializable"):
        model.save_preset(tmp_path / "x", card={"results": {1, 2}})
    with pytest.raises(ValueError, match="not JSON compliant"):
        model.save_preset(tmp_path / "x", card={"results": float("nan")})
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("name", ["README.md", "model.keras", "rillflow_small.tflite"])
def test_a_folder_of_something_else_is_left_alone(name, model, tmp_path):
    (tmp_path / name).write_text("MINE")
    exported = [preset_tflite("rillflow", "small")]
    with pytest.raises(FileExistsError, match=f"{name} is there, and no preset.json"):
        model.save_preset(tmp_path, tflite=exported)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "MINE"


def test_folders_that_are_none_or_damaged(folder, tmp_path):
    with pytest.raises(ValueError, match=r"expected a folder with preset.json"):
        tfflow.load(tmp_path)
    (folder / "rillflow_small.tflite").unlink()
    with pytest.raises(ValueError, match="on the preset's card but not in its folder"):
        tfflow.load(folder, engine="tflite")
    with (folder / "model.keras").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ValueError, match="not the file on its card"):
        tfflow.load(folder)
    card = json.loads((folder / "preset.json").read_text(encoding="utf-8"))
    card["sha256"] = {"../other.tflite": "0"}
    (folder / "preset.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(ValueError, match="not in its folder"):
        tfflow.load(folder, engine="tflite")
    (folder / "preset.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match="no card of a preset"):
        tfflow.load(folder)


@pytest.mark.parametrize("name", ["model.keras", "rillflow_small.tflite"])
def test_a_page_at_an_address_is_not_kept(name, folder, server):
    address, content = f"{server.address}/b/{name}", (folder / name).read_bytes()
    server.files[f"/b/{name}"] = b"<html>Please log in</html>"
    with pytest.raises(ValueError, match=f"{address} gave no .*a page to log in"):
        tfflow.load(address)
    server.files[f"/b/{name}"] = content
    assert tfflow.load(address).predict_flow(*IMAGES).shape == (64, 96, 2)


def test_an_address(model, folder, server):
    server.files["/a/model.keras"] = (folder / "model.keras").read_bytes()
    server.files["/a/x.tflite"] = (folder / "rillflow_small.tflite").read_bytes()
    for _ in range(2):
        same_flow(tfflow.load(f"{server.address}/a/model.keras"), model)
    assert len(server.requests) == 1
    assert tfflow.load(f"{server.address}/a/x.tflite").predict_flow(*IMAGES).shape == (64, 96, 2)
    with pytest.raises(ValueError, match="address of a .keras or .tflite file"):
        tfflow.load(f"{server.address}/a/model.h5")
    with pytest.raises(ValueError, match="compile=True.*on this machine"):
        tfflow.load(f"{server.address}/a/model.keras", compile=True)
    server.files["/a/model.keras?download=1"] = server.files["/a/model.keras"]
    with pytest.raises(ValueError, match="A .keras file runs on keras, not on tflite"):
        tfflow.load(f"{server.address}/a/model.keras?download=1", engine="tflite")


HARM = '__import__("pathlib").Path("HARMED").touch()'


def malicious(way, path, tmp_path):
    """A .keras file that would run code if it could."""
    if way == "lambda":  # code in the file
        layer = keras.layers.Lambda(lambda x: x)
        keras.Sequential([keras.Input((2,)), layer]).save(path)
        return
    # A module of the machine, imported by its name, with a side effect.
    (tmp_path / "trojan.py").write_text(HARM + "\nclass Trojan: pass", encoding="utf-8")
    keras.Sequential([keras.Input((2,)), keras.layers.ReLU()]).save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    named = {"module": "trojan", "class_name": "Trojan", "registered_name": None, "config": {}}
    if way == "function":
        named = {"module": "builtins", "class_name": "function", "config": "eval"}
    config = json.loads(parts["config.json"])
    config["config"]["layers"].append(named)
    parts["config.json"] = json.dumps(config)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("suffix", [".keras", ".tflite"])
def test_a_file_that_arrives_damaged_is_not_kept(suffix, server, folder):
    name = "model.keras" if suffix == ".keras" else "rillflow_small.tflite"
    whole = (folder / name).read_bytes()
    address, damaged = f"{server.address}/m{suffix}", bytearray(whole)
    if suffix == ".keras":
        damaged[len(whole) // 2] ^= 255
    else:
        del damaged[2 * len(whole) // 3 :]
    server.files[f"/m{suffix}"] = bytes(damaged)
    with pytest.raises(ValueError, match=f"gave no whole {suffix} file.*nothing was kept"):
        tfflow.load(address)
    server.files[f"/m{suffix}"] = whole
    assert tfflow.load(address).predict_flow(*IMAGES).shape == (64, 96, 2)


@pytest.mark.parametrize("way", ["lambda", "class", "function"])
def test_a_file_from_elsewhere_runs_no_code(way, server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    malicious(way, tmp_path / "bad.keras", tmp_path)
    server.files["/bad.keras"] = (tmp_path / "bad.keras").read_bytes()
    message = "can't be loaded|neither Keras's nor tfflow's"
    with pytest.raises(ValueError, match=message):
        tfflow.load(f"{server.address}/bad.keras")
    assert not (tmp_path / "HARMED").exists() and "trojan" not in sys.modules


def test_a_class_that_is_not_registered_is_refused(folder):
    program = f"import tfflow; tfflow.load({str(folder)!r})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ".Tiny, which is neither Keras's nor tfflow's" in done.stderr
    assert "import their module first" in done.stderr


@pytest.fixture
def hub(server, folder, monkeypatch, tmp_path):
    """The addresses of the Hub that its own client asks for, with one repository."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "ENDPOINT", server.address)  # HF_ENDPOINT, read at the import
    template = server.address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    server.headers["X-Repo-Commit"] = COMMIT
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    siblings = [{"rfilename": name} for name in files]
    info = {"id": "someone/flow", "sha": COMMIT, "siblings": siblings}
    tree = [
        {"type": "file", "path": name, "size": len(content), "oid": "0" * 40}
        for name, content in files.items()
    ]
    api = "/api/models/someone/flow"
    for revision in ("main", "v1"):
        server.files[f"{api}/revision/{revision}"] = json.dumps(info).encode()
    server.files[f"{api}/tree/{COMMIT}"] = json.dumps(tree).encode()
    for name, content in files.items():
        server.files[f"/someone/flow/resolve/{COMMIT}/{name}"] = content
    return server


def test_the_hub(hub, model):
    same_flow(tfflow.load("hf://someone/flow"), model)
    same_flow(tfflow.load("hf://someone/flow@v1"), model)
    assert tfflow.load("hf://someone/flow", engine="tflite").predict_flow(*IMAGES).shape
    assert not any(path.endswith("README.md") for path, _ in hub.requests)
    hub.status["/api/models/someone/none/revision/main"] = 404
    with pytest.raises(ConnectionError, match="hf://someone/none can't be fetched"):
        tfflow.load("hf://someone/none")
    for name in ("hf://flow", "hf://a/b/c", "hf:///flow"):
        with pytest.raises(ValueError, match="hf://user/name@revision; got"):
            tfflow.load(name)


def test_without_the_hubs_client(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"pip install 'tfflow\[hub\]'"):
        tfflow.load("hf://someone/flow")
