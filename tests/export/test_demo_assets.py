"""The demos' assets are the package's files, and their golden flow is what those predict."""

import hashlib
import importlib.util
import json
import pathlib

import numpy as np
import pytest
from PIL import Image

from tfflow.tflite import DetectorInterpreter, FlowInterpreter
from tfflow.weights import presets

ROOT = pathlib.Path(__file__).parents[2]
ASSETS = ROOT / "android_demo" / "app" / "src" / "main" / "assets"
LISTS = json.loads((ASSETS / "models.json").read_text())
MODELS, DETECTORS = LISTS["models"], LISTS["detectors"]
REMEDY = "run python export/fill_demo.py"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["file"])
def test_assets_are_the_packages_files(model):
    content = (ASSETS / model["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == model["sha256"], REMEDY
    assert content == presets.preset_tflite(model["preset"], model["quantization"]).read_bytes()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["file"])
def test_golden_flow_is_the_files(model):
    images = [np.asarray(Image.open(ASSETS / f"golden_image{i}.png")) for i in (1, 2)]
    step = model["golden_step"]
    flow = FlowInterpreter(ASSETS / model["file"], threads=1).predict_flow(*images)[::step, ::step]
    golden = np.fromfile(ASSETS / model["golden_flow"], "<f4").reshape(model["golden_shape"])
    assert np.abs(golden).max() > 1.0  # it moves
    np.testing.assert_allclose(flow, golden, atol=1e-3, err_msg=REMEDY)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector["key"])
def test_detectors_are_the_packages_files(detector):
    interpreter = DetectorInterpreter(presets.detector_files(detector["preset"]), threads=1)
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
    names = ["models.json", "golden_image1.png", "golden_image2.png"]
    names += [model[key] for model in MODELS for key in ("file", "golden_flow")]
    assert files == {f"models/{name}": (ASSETS / name).read_bytes() for name in names}
