"""The demos' assets are the package's files, and their golden flow is what those predict."""

import hashlib
import importlib.util
import json
import pathlib
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from PIL import Image

from tfflow import tflite
from tfflow.cli import main
from tfflow.detection import DetectorInterpreter, add_detector_to_assets
from tfflow.detection.presets import detector_files
from tfflow.tflite import FlowInterpreter, app_assets
from tfflow.tflite.app_assets import app_flow, write_assets
from tfflow.weights import presets

ROOT = pathlib.Path(__file__).parents[2]
ASSETS = ROOT / "android_demo" / "app" / "src" / "main" / "assets"
LISTS = json.loads((ASSETS / "models.json").read_text())
FILES = [file for model in LISTS["models"] for file in model["files"]]
GOLDEN, DETECTORS = LISTS["golden"], LISTS["detectors"]
REMEDY = "run python export/fill_demo.py"


def flow_of(name, images=None):
    """A flow that is kept in the assets."""
    height, width = (-(-side // GOLDEN["step"]) for side in (images or pair())[0].shape[:2])
    return np.fromfile(ASSETS / name, "<f4").reshape(height, width, 2)


def pair():
    return [np.asarray(Image.open(ASSETS / GOLDEN[f"image{i}"])) for i in (1, 2)]


def distance(one, other):
    return np.linalg.norm(one - other, axis=-1).mean()


def passes(flow, golden, truth):
    """What org.tfflow.core.network.SelfCheck and the page's self_check.js ask for."""
    return distance(flow, golden) <= 0.5 and (
        distance(flow, truth) <= 1.1 * distance(golden, truth) + 0.1
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file["file"])
def test_assets_are_the_packages_files(file):
    content = (ASSETS / file["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == file["sha256"], REMEDY
    if "preset" in file:
        form = pathlib.Path(file["file"]).stem.removeprefix(f"{file['preset']}_")
        assert content == presets.preset_tflite(file["preset"], form).read_bytes(), REMEDY


@pytest.mark.parametrize("file", FILES, ids=lambda file: file["file"])
def test_golden_flow_is_the_files(file):
    step = GOLDEN["step"]
    flow = app_flow(FlowInterpreter(ASSETS / file["file"], threads=1), *pair())[::step, ::step]
    golden = flow_of(file["golden_flow"])
    np.testing.assert_allclose(flow, golden, atol=1e-3, err_msg=REMEDY)


def test_the_pair_is_easy():
    """So that a healthy accelerator is near both the truth and the golden flow."""
    truth = flow_of(GOLDEN["truth"])
    assert distance(truth, 0) > 2
    for file in FILES:
        assert distance(flow_of(file["golden_flow"]), truth) < 0.4 * distance(truth, 0)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file["file"])
def test_healthy_kernels_pass_the_self_check_and_broken_ones_do_not(file):
    """LiteRT's own kernels stand for an accelerator: they round otherwise than XNNPACK."""
    interpreter = FlowInterpreter(ASSETS / file["file"], threads=1)
    interpreter.litert = Interpreter(
        str(ASSETS / file["file"]),
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.litert.allocate_tensors()
    step = GOLDEN["step"]
    flow = app_flow(interpreter, *pair())[::step, ::step]
    golden, truth = flow_of(file["golden_flow"]), flow_of(GOLDEN["truth"])
    assert passes(flow, golden, truth)
    # The worst pixel may be further off than what the check once allowed.
    worst = np.linalg.norm(flow - golden, axis=-1).max()
    assert file["file"] != "lightflow_int8.tflite" or worst > 0.5
    broken = {
        "nothing": np.zeros_like(flow),
        "twice": 2 * flow,
        "half": flow / 2,
        "u and v exchanged": flow[..., ::-1],
        "the other way": app_flow(interpreter, *pair()[::-1])[::step, ::step],
        "one NaN": np.where(np.indices(flow.shape).sum(0) == 0, np.nan, flow),
    }
    for name, wrong in broken.items():
        assert not passes(wrong, golden, truth), name


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector["key"])
def test_detectors_are_the_packages_files(detector):
    interpreter = DetectorInterpreter(detector_files(detector["preset"]), threads=1)
    for part, path in interpreter.paths.items():
        content = (ASSETS / detector[part]).read_bytes()
        assert content == path.read_bytes(), REMEDY
        assert hashlib.sha256(content).hexdigest() == detector[f"{part}_sha256"], REMEDY
    assert tuple(detector["classes"]) == interpreter.classes
    assert tuple(detector["size"]) == interpreter.size


def test_the_web_demo_gets_the_same_files():
    spec = importlib.util.spec_from_file_location("make_site", ROOT / "web_demo" / "make_site.py")
    make_site = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_site)
    files = make_site.model_files()
    names = ["models.json", *(GOLDEN[key] for key in ("image1", "image2", "truth"))]
    names += [file[key] for file in FILES for key in ("file", "golden_flow")]
    assert files == {f"models/{name}": (ASSETS / name).read_bytes() for name in names}


def test_a_file_is_added_to_assets(tmp_path):
    own, assets = tmp_path / "own_int8.tflite", tmp_path / "assets"
    shutil.copy(presets.preset_tflite("lightflow", "int8"), own)
    assert tflite.add_to_assets(own, assets) == "own"
    made = json.loads((assets / "models.json").read_text())
    assert made["golden"] == GOLDEN
    for key in ("image1", "image2", "truth"):
        assert (assets / GOLDEN[key]).read_bytes() == (ASSETS / GOLDEN[key]).read_bytes()
    wanted = next(file for file in FILES if file["file"] == "lightflow_int8.tflite")
    [file] = made["models"][0]["files"]
    assert file == {
        **wanted,
        "file": "own_int8.tflite",
        "golden_flow": "golden_flow_own_int8.bin",
    }
    flow = (assets / file["golden_flow"]).read_bytes()
    assert flow == (ASSETS / wanted["golden_flow"]).read_bytes()
    # Another form of it, the same again, and another network.
    half = tmp_path / "own_float16.tflite"
    shutil.copy(presets.preset_tflite("lightflow", "float16"), half)
    assert tflite.add_to_assets(half, assets) == tflite.add_to_assets(own, assets) == "own"
    assert tflite.add_to_assets(own, assets, name="second") == "second"
    models = json.loads((assets / "models.json").read_text())["models"]
    assert [model["name"] for model in models] == ["own", "second"]
    assert [file["quantization"] for file in models[0]["files"]] == ["float16", "int8"]


def test_a_file_of_another_network_is_not_overwritten(tmp_path):
    flow, assets = tmp_path / "flow.tflite", tmp_path / "assets"
    shutil.copy(presets.preset_tflite("lightflow", "int8"), flow)
    tflite.add_to_assets(flow, assets)
    before = {path.name: path.read_bytes() for path in assets.iterdir()}
    shutil.copy(presets.preset_tflite("lightflow", "float16"), flow)
    for name in (None, "another"):
        with pytest.raises(
            ValueError, match=r"flow.tflite is already in .* as flow in int8\. Give"
        ):
            tflite.add_to_assets(flow, assets, name=name)
    assert {path.name: path.read_bytes() for path in assets.iterdir()} == before


def test_what_was_replaced_is_gone(tmp_path):
    assets = tmp_path / "assets"
    for name in ("old_int8.tflite", "new_int8.tflite", "other_float16.tflite"):
        shutil.copy(
            presets.preset_tflite("lightflow", name.split("_")[1].split(".")[0]), tmp_path / name
        )
        tflite.add_to_assets(tmp_path / name, assets, name="own")
    names = {path.name for path in assets.glob("*.tflite")}
    assert names == {"new_int8.tflite", "other_float16.tflite"}
    assert not (assets / "golden_flow_old_int8.bin").exists()
    tflite.add_to_assets(tmp_path / "new_int8.tflite", assets, name="second")
    tflite.add_to_assets(tmp_path / "old_int8.tflite", assets, name="own")
    assert (assets / "new_int8.tflite").exists()  # the second network's


def test_networks_and_detectors_do_not_overwrite_each_other(tmp_path):
    flow, assets = tmp_path / "own_key.tflite", tmp_path / "assets"
    shutil.copy(presets.preset_tflite("lightflow", "int8"), flow)
    tflite.add_to_assets(flow, assets)
    detector = tmp_path / "detector"
    detector.mkdir()
    for part, path in DetectorInterpreter(detector_files("shapes"), threads=1).paths.items():
        shutil.copy(path, detector / f"own_{part}.tflite")
    before = {path.name: path.read_bytes() for path in assets.iterdir()}
    with pytest.raises(ValueError, match="own_key.tflite is already in .* another kind"):
        add_detector_to_assets(detector / "own.tflite", assets)
    assert {path.name: path.read_bytes() for path in assets.iterdir()} == before
    for part in ("key", "between"):
        (detector / f"own_{part}.tflite").rename(detector / f"flow_{part}.tflite")
    add_detector_to_assets(detector / "flow.tflite", assets)
    shutil.copy(flow, tmp_path / "flow_between.tflite")
    with pytest.raises(ValueError, match="flow_between.tflite is already in .* another kind"):
        tflite.add_to_assets(tmp_path / "flow_between.tflite", assets)


def test_a_link_in_the_assets_is_replaced_and_not_followed(tmp_path):
    preset, assets = tmp_path / "preset.tflite", tmp_path / "assets"
    shutil.copy(presets.preset_tflite("lightflow", "int8"), preset)
    own = tmp_path / "own" / "lightflow_int8.tflite"
    own.parent.mkdir()
    shutil.copy(preset, own)
    tflite.add_to_assets(own, assets)
    (assets / own.name).unlink()
    (assets / own.name).symlink_to(preset)
    preset.write_bytes(b"the package's own")
    tflite.add_to_assets(own, assets)
    assert preset.read_bytes() == b"the package's own"
    assert (assets / own.name).read_bytes() == own.read_bytes()


def test_networks_that_are_added_at_the_same_time_are_all_there(tmp_path, monkeypatch):
    def slowly(*arguments):
        time.sleep(0.3)  # the others have read the list by now, if they could
        return write_assets(*arguments)

    monkeypatch.setattr(app_assets, "write_assets", slowly)
    files = [tmp_path / f"net{number}_int8.tflite" for number in range(3)]
    for file in files:
        shutil.copy(presets.preset_tflite("lightflow", "int8"), file)
    with ThreadPoolExecutor(3) as threads:
        names = list(threads.map(lambda file: tflite.add_to_assets(file, tmp_path / "a"), files))
    models = json.loads((tmp_path / "a" / "models.json").read_text())["models"]
    assert sorted(model["name"] for model in models) == sorted(names)


def test_a_detector_is_added_to_assets(tmp_path):
    for part, path in DetectorInterpreter(detector_files("shapes"), threads=1).paths.items():
        shutil.copy(path, tmp_path / f"own_{part}.tflite")
    assets = tmp_path / "assets"
    assets.mkdir()
    with pytest.raises(ValueError, match="has no flow network, which the app needs too. Add one"):
        add_detector_to_assets(tmp_path / "own.tflite", assets)
    assert list(assets.iterdir()) == []
    shutil.copy(ASSETS / "models.json", assets)
    for wrong in (0, "10", None):
        with pytest.raises(ValueError, match="interval must be a whole number of at least 1"):
            add_detector_to_assets(tmp_path / "own.tflite", assets, interval=wrong)
    for interval in (5, 10):  # the second time it replaces itself
        add_detector_to_assets(tmp_path / "own.tflite", assets, interval=interval)
    made = json.loads((assets / "models.json").read_text())
    names = {"key": "own_key.tflite", "between": "own_between.tflite"}
    # The app runs the first one.
    assert made == {**LISTS, "detectors": [{**DETECTORS[0], **names}, *DETECTORS]}
    for name in names.values():
        assert (assets / name).read_bytes() == (tmp_path / name).read_bytes()


def test_what_can_not_be_added_is_refused(tmp_path):
    own = presets.preset_tflite("lightflow", "int8")
    (tmp_path / "models.json").write_text("{}")
    with pytest.raises(ValueError, match=r"is no list of networks .* Remove it"):
        tflite.add_to_assets(own, tmp_path)
    (tmp_path / "models.json").write_text('{"golden": {"step": 8}, "models": []}')
    with pytest.raises(ValueError, match="another golden pair"):
        tflite.add_to_assets(own, tmp_path)
    with pytest.raises(FileNotFoundError):
        tflite.add_to_assets(tmp_path / "absent.tflite", tmp_path)


def test_the_command_line_refuses_what_makes_no_sense(capsys):
    command = ["export", "lightflow", "-o", "a.tflite", "--quantize", "int8_uint8"]
    assert main([*command, "--android-assets", "assets"]) == 1
    assert "take float32 images" in capsys.readouterr().err
    command = ["export", "lightflow", "-o", "a.onnx"]
    assert main([*command, "--android-assets", "assets"]) == 1
    assert "--android-assets is for .tflite files; leave it out" in capsys.readouterr().err


def test_lines_for_an_app():
    """The file's own name, sizes and types, in four languages."""
    text = tflite.usage(presets.preset_tflite("lightflow", "int8"))
    for line in (
        "image1 and image2, each (1, 384, 512, 3) float32, RGB in [0, 1]",
        'CompiledModel.create(context.assets, "lightflow_int8.tflite",',
        "CpuOptions(numThreads = 4)",
        "writeFloat(image1)  // FloatArray(589824)",
        'forResource: "lightflow_int8"',
        "toInputAt: 0)  // Data of 2359296 bytes",
        "393216 Float32 values",
        "await loadLiteRt(",
        "new Tensor(values, [1, 384, 512, 3])",
        'FlowInterpreter("lightflow_int8.tflite").predict_flow(image1, image2)',
    ):
        assert line in text
