"""What LiteRT's GPU accelerator takes, and what it computes where there is a driver for it.

Chromium brings a driver in software, and web_demo/install.sh installs Chromium.
"""

import ctypes.util
import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

import tfflow
from tfflow.models.prediction import resize
from tfflow.tflite import conversion
from tfflow.tflite.graph import Graph, read_graph
from tfflow.tflite.rewriting import slice_without_strides
from tfflow.weights.presets import preset_tflite

DRIVER = pathlib.Path("/usr/lib/chromium/vk_swiftshader_icd.json")
SIZE = (64, 128)
OTHERS = ("flownetc", "liteflownet2")
SLOW = pytest.mark.slow

# In a process of its own: some drivers end it.
RUN = """
import json, sys
import numpy as np
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.options import GpuOptions, HardwareAccelerator, Options

path, images, result = sys.argv[1:]
model = CompiledModel.from_file(
    path,
    options=Options(
        hardware_accelerators=HardwareAccelerator.GPU, gpu_options=GpuOptions(enforce_f32=True)
    ),
)
inputs = {}
for name, image in np.load(images).items():
    inputs[name] = model.create_input_buffer_by_name("flow", name)
    inputs[name].write(image)
names = model.get_signature_list()["flow"]["outputs"]
outputs = {name: model.create_output_buffer_by_name("flow", name) for name in names}
model.run_by_name("flow", inputs, outputs)
found = {"flow": outputs["flow"].read(image.size // 3 * 2, np.float32).reshape(*image.shape[:3], 2)}
if "confidence" in outputs:  # at a quarter of the size
    height, width = (side // 4 for side in image.shape[1:3])
    values = outputs["confidence"].read(height * width, np.float32)
    found["confidence"] = values.reshape(1, height, width, 1)
np.savez(result, **found)
print(json.dumps(model.is_fully_accelerated()))
"""


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return tfflow.models.create("rillflow_0.5")


@pytest.fixture(scope="module")
def graph(network):
    """As it is exported with float16 weights, which is what GPUs are given; before these."""
    return conversion.convert(network, SIZE, confidence=True, in_half=True)


@pytest.mark.parametrize("file", ["rillflow", "rillflow_0.5", "lightflow"])
def test_nothing_that_gpus_refuse(file, graph):
    if file != "rillflow_0.5":
        graph = read_graph(preset_tflite(file, "float16"))
    for operator in graph.subgraph.operators:
        name, kind = graph.tensor_name(operator.outputs[0]), graph.name(operator)
        shapes = [graph.shape(number) for number in (*operator.inputs, *operator.outputs)]
        assert max(map(len, shapes)) <= 4, f"{kind} {name}"
        assert kind != "STRIDED_SLICE", name
        # The upsampling's would leave float16's range; the matching's are of what is below 0.
        assert kind != "EXP" or "global_matching" in name, name
        if kind == "GATHER":
            assert len(shapes[1]) == 1, name
        if kind == "PAD":
            assert len(shapes[0]) == 4, name  # three dimensions are padded wrongly, in silence


@pytest.mark.parametrize("name", ["rillflow_0.5", *(pytest.param(n, marks=SLOW) for n in OTHERS)])
def test_the_gpu_runs_all_of_it_and_computes_the_same(name, network, graph, tmp_path):
    if not DRIVER.is_file() or ctypes.util.find_library("vulkan") is None:
        pytest.skip("no software driver of a GPU; install: web_demo/install.sh, libvulkan1")
    if name in OTHERS:
        network = tfflow.models.create(name)
        graph = conversion.convert(network, SIZE, in_half=True)
    images = np.random.default_rng(0).random((2, 1, *SIZE, 3), np.float32)
    images = dict(zip(("image1", "image2"), images))
    (tmp_path / "flow.tflite").write_bytes(graph.to_bytes())
    np.savez(tmp_path / "images.npz", **images)
    files = [str(tmp_path / name) for name in ("flow.tflite", "images.npz", "found.npz")]
    ran = subprocess.run(
        [sys.executable, "-c", RUN, *files],
        capture_output=True,
        text=True,
        env={**os.environ, "VK_ICD_FILENAMES": str(DRIVER)},
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert json.loads(ran.stdout.splitlines()[-1]), "a part of it is left to the CPU"
    found, outputs = np.load(files[2]), network(images)
    expected = np.asarray(outputs["flow"])
    assert np.abs(expected).max() > 0.1
    tolerance = max(2e-3, 1e-4 * np.abs(expected).max())
    np.testing.assert_allclose(found["flow"], expected, atol=tolerance)
    if name not in OTHERS:
        confidence = resize(found["confidence"], SIZE)
        np.testing.assert_allclose(confidence, outputs["confidence"], atol=1e-3)


def test_slices_keep_their_meaning():
    """Whether they count from the end or skip nothing along some axes alone."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((2, 6, 5, 4), tf.float32)])
    def cut(x):
        return {
            "ends": x[:, -3:-1, 2:, :3],
            "whole": x[..., 1:],
            "skips": x[:, ::2, 1:, :],
            "shrinks": x[:, 1],
            "new": x[:, :, None, 2:],
        }

    content = tf.lite.TFLiteConverter.from_concrete_functions([cut.get_concrete_function()], cut)
    content = content.convert()
    graph = Graph(content)
    slice_without_strides(graph)
    kinds = [graph.name(operator) for operator in graph.subgraph.operators]
    assert kinds.count("SLICE") == 4 and kinds.count("STRIDED_SLICE") == 1
    x = np.random.default_rng(0).random((2, 6, 5, 4), np.float32)
    for ours, expected in zip(_run(graph.to_bytes(), x), _run(content, x), strict=True):
        np.testing.assert_array_equal(ours, expected)


def _run(content, x):
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return [interpreter.get_tensor(each["index"]) for each in interpreter.get_output_details()]
