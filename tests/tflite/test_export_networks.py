"""Networks with correlation and warping as .tflite: builtin operators, and Keras's flow."""

import keras
import numpy as np
import pytest
from golden_files import load, state_dict

import tfflow
from tfflow.tflite import FlowInterpreter, export, operators
from tfflow.tflite.graph import read_graph

SIZE = (64, 128)
SLOW = pytest.mark.slow
QUICK = "liteflownet_pre_M6S6"
ENTRIES = [tfflow.models.entry(name) for name in tfflow.models.list()]


@pytest.mark.parametrize(
    "name",
    [
        # Two levels: all kinds of layers, and a warp before each unit of the finer one.
        "liteflownet_pre_M5S5R5",
        pytest.param("liteflownet", marks=SLOW),
        pytest.param("liteflownet2", marks=SLOW),
    ],
)
def test_float_file_equals_keras(name, pairs, tmp_path):
    model = tfflow.models.create(name)
    tfflow.weights.load_mmflow(model, state_dict(load(name)[0]))
    path = export(model, tmp_path / "flow.tflite", size=SIZE, quantization="float32")
    expected = model.predict_flow(*pairs[0])
    assert np.abs(expected).max() > 1.0
    found = FlowInterpreter(path).predict_flow(*pairs[0])
    np.testing.assert_allclose(found, expected, atol=1e-3)

    counts = operators(path)
    warps = 3 * len(model.levels) - 1  # the coarsest level has no flow yet to warp by before M
    assert counts["GATHER"] == 4 * warps and "GATHER_ND" not in counts
    graph = read_graph(path)
    joins = [o for o in graph.subgraph.operators if graph.name(o) == "CONCATENATION"]
    assert max(len(o.inputs) for o in joins) <= 4  # XNNPACK takes no wider one


@pytest.mark.parametrize(
    "name",
    [pytest.param(entry.name, marks=() if entry.name == QUICK else SLOW) for entry in ENTRIES],
)
def test_every_network_exports(name, pairs, tmp_path):
    """With random weights: builtin operators alone, and Keras's flow to float32's rounding."""
    keras.utils.set_random_seed(0)
    model = tfflow.models.create(name)
    path = export(model, tmp_path / "flow.tflite", size=SIZE, quantization="float32")
    expected = model.predict_flow(*pairs[0], size=SIZE)
    found = FlowInterpreter(path).predict_flow(*pairs[0])
    assert np.abs(found - expected).max() <= 2e-4 * np.abs(expected).max()
