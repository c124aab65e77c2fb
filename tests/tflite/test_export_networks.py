"""Networks with correlation and warping as .tflite: builtin operators, and Keras's flow."""

import keras
import numpy as np
import pytest
from golden_files import load, state_dict

import tfflow
from tfflow.tflite import FlowInterpreter, export, operators, quantization
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


def test_kernels_above_32_mib_are_rounded_channel_by_channel():
    """FlowNetS has some; the quantiser's own way for them fails."""
    from ai_edge_quantizer import qtyping
    from ai_edge_quantizer.algorithms.uniform_quantize import uniform_quantize_tensor

    kernel = np.random.default_rng(0).normal(size=(1024, 3, 3, 1000)).astype(np.float32)
    scale = np.abs(kernel).max(axis=(1, 2, 3), keepdims=True) / 127
    parameters = qtyping.UniformQuantParams(
        num_bits=8,
        quantized_dimension=0,
        scale=scale,
        zero_point=np.zeros_like(scale, np.int32),
        symmetric=True,
    )
    assert kernel.nbytes > quantization.LARGEST_KERNEL
    quantization._mend_quantizer()
    rounded = uniform_quantize_tensor.uniform_quantize(kernel, parameters)
    assert rounded.dtype == np.int8
    assert np.abs(rounded - kernel / scale).max() < 0.501


@pytest.mark.slow
def test_flownets_in_int8(tmp_path):
    keras.utils.set_random_seed(0)
    model = tfflow.models.create("flownets")
    pairs = [tuple(np.random.default_rng(0).random((2, 128, 128, 3), np.float32))]
    path = export(model, tmp_path / "flownets.tflite", size=(128, 128), calibration=pairs)
    flow, expected = (each.predict_flow(*pairs[0]) for each in (FlowInterpreter(path), model))
    assert np.abs(flow - expected).mean() < 0.06 * np.abs(expected).mean()
