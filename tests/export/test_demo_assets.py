"""The demos' assets are the package's files, and their golden flow is what those predict."""

import hashlib
import json
import pathlib

import numpy as np
import pytest
from PIL import Image

from tfflow.tflite import FlowInterpreter
from tfflow.weights import presets

ASSETS = pathlib.Path(__file__).parents[2] / "android_demo" / "app" / "src" / "main" / "assets"
MODELS = json.loads((ASSETS / "models.json").read_text())["models"]
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
