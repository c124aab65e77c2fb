"""``model.export`` and TensorFlow's converter: files that run without this package."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from small_network import Small

import tfflow
from tfflow.cli import main
from tfflow.models.parts import dtype_policy
from tfflow.tflite.graph import foreign_operators, read_graph

RNG = np.random.default_rng(0)
IMAGES = dict(zip(("image1", "image2"), RNG.random((2, 1, 70, 100, 3), np.float32)))
FAMILIES = [
    "flownets",
    "flownetc",
    "flownet2cs",
    "lightflow_0.5",
    "liteflownet_pre_M5S5R5",
    "liteflownet2_pre_M5S5R5",
    "maskflownets",
    "maskflownet",
    "rillflow_0.5",
]


class Correlating(tfflow.models.FlowModel):
    """A network in miniature with both native operations."""

    def __init__(self, name="correlating", **kwargs):
        super().__init__(name=name, **kwargs)
        make = keras.layers.Conv2D
        # Not a stride above the kernel: ONNX Runtime pads "same" by less than nothing there.
        self.features = make(4, 9, 8, "same", name="features")
        self.prediction = make(2, 3, padding="same", name="prediction")
        self.build()

    def estimate(self, image1, image2, training=None):
        one, other = self.features(image1), self.features(image2)
        coarse = self.prediction(tfflow.ops.correlation(one, other, 2))
        other = tfflow.ops.warp(other, coarse)
        fine = self.prediction(tfflow.ops.correlation(one, other, 2))
        return {"flow3": coarse + fine}


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    network = Correlating()
    network.predict_flow(*(each[0] for each in IMAGES.values()))  # traced with the native ops
    return network


@pytest.fixture(scope="module")
def expected(model):
    flow = np.asarray(model(IMAGES)["flow"])
    assert np.abs(flow).max() > 1.0
    return flow


def run_litert(path, images=IMAGES):
    graph = read_graph(path)
    assert not foreign_operators(graph)
    return Interpreter(str(path)).get_signature_runner()(**images)


def test_saved_model_in_a_process_without_this_package(model, expected, tmp_path):
    model.export(tmp_path / "saved", verbose=False)
    np.savez(tmp_path / "images.npz", **IMAGES)
    code = (
        "import sys, numpy as np, tensorflow as tf\n"
        f"folder = {str(tmp_path)!r}\n"
        "images = dict(np.load(folder + '/images.npz'))\n"
        "served = tf.saved_model.load(folder + '/saved')\n"
        "np.save(folder + '/flow', served.serve(images)['flow'])\n"
        "assert 'tfflow' not in sys.modules\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=environment)
    np.testing.assert_allclose(np.load(tmp_path / "flow.npy"), expected, atol=1e-4)


def test_a_model_in_mixed_precision_is_exported_in_float32(model, expected, tmp_path):
    with dtype_policy("mixed_bfloat16"):
        mixed = type(model).from_config({**model.get_config(), "dtype": "mixed_bfloat16"})
    mixed.set_weights(model.get_weights())
    mixed.export(tmp_path / "saved", verbose=False)
    saved = tf.saved_model.load(tmp_path / "saved")
    np.testing.assert_allclose(saved.serve(IMAGES)["flow"], expected, atol=1e-4)


@pytest.mark.parametrize("size", [None, (128, 128)])
def test_litert(model, expected, size, tmp_path):
    path = tmp_path / "x.tflite"
    model.export(path, "litert", verbose=False, input_signature=model.input_signature(size))
    if size is None:
        np.testing.assert_allclose(run_litert(path)["flow"], expected, atol=1e-4)
    images = dict(zip(IMAGES, RNG.random((2, 1, 128, 128, 3), np.float32)))
    np.testing.assert_allclose(run_litert(path, images)["flow"], model(images)["flow"], atol=1e-4)


def test_converter_from_keras_model(model, expected, tmp_path):
    path = tmp_path / "x.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    np.testing.assert_allclose(run_litert(path)["flow"], expected, atol=1e-4)


needs_onnx = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("tf2onnx", "onnxruntime"))), reason="needs tf2onnx"
)


def test_without_tf2onnx_it_says_what_to_install(model, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="needs tf2onnx: pip install tf2onnx"):
        model.export(tmp_path / "x.onnx", "onnx")
    assert not list(tmp_path.iterdir())


@needs_onnx
def test_onnx(model, expected, tmp_path):
    import onnxruntime

    model.export(tmp_path / "x.onnx", "onnx", verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "x.onnx")
    (flow,) = session.run(["flow"], IMAGES)
    np.testing.assert_allclose(flow, expected, atol=1e-4)


@needs_onnx
def test_onnx_of_a_network_that_matches(tmp_path):
    import onnxruntime

    keras.utils.set_random_seed(0)
    network, path = tfflow.models.create("rillflow_0.5"), tmp_path / "x.onnx"
    # Its coarsest map has one row here, which tf2onnx does not handle.
    with pytest.raises(ValueError, match="at least twice 64"):
        network.export(path, "onnx", input_signature=network.input_signature((64, 128)))
    assert not path.exists()
    network.export(path, "onnx", input_signature=network.input_signature((128, 192)))
    images = {k: RNG.random((1, 128, 192, 3), np.float32) for k in IMAGES}
    (flow,) = onnxruntime.InferenceSession(path).run(["flow"], images)
    np.testing.assert_allclose(flow, network(images)["flow"], atol=1e-3)


@pytest.mark.skipif(not importlib.util.find_spec("openvino"), reason="needs openvino")
def test_openvino(model, expected, tmp_path):
    import openvino

    model.export(tmp_path / "x.xml", "openvino", verbose=False)
    compiled = openvino.Core().compile_model(tmp_path / "x.xml", "CPU")
    np.testing.assert_allclose(compiled(IMAGES)["flow"], expected, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_in_litert(name, tmp_path):
    keras.utils.set_random_seed(0)
    network = tfflow.models.create(name)
    expected = np.asarray(network(IMAGES)["flow"])
    network.export(tmp_path / "x.tflite", "litert", verbose=False)
    found = run_litert(tmp_path / "x.tflite")["flow"]
    np.testing.assert_allclose(found, expected, atol=1e-4 * max(1.0, np.abs(expected).max()))


def test_a_function_of_ones_own_within_reference_ops(tmp_path):
    def function(a, b):
        return tfflow.ops.warp(a, tfflow.ops.correlation(a, b, 1)[..., :2])

    specs = [tf.TensorSpec((1, 8, 8, 3))] * 2
    with tfflow.ops.native.reference_ops():
        traced = tf.function(function).get_concrete_function(*specs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced])
    (tmp_path / "x.tflite").write_bytes(converter.convert())
    assert not foreign_operators(read_graph(tmp_path / "x.tflite"))


def test_command_line_makes_a_saved_model(tmp_path, capsys):
    Small().save(tmp_path / "x.keras")

    def run(*arguments):
        status = main(["export", str(tmp_path / "x.keras"), *map(str, arguments)])
        return status, capsys.readouterr()

    folder = tmp_path / "saved"
    for wrong in (("-o", tmp_path / "x.pb"), ("-o", folder, "--quantize", "int8")):
        status, printed = run(*wrong)
        assert status == 1 and len(printed.err.splitlines()) == 1
    assert run("-o", folder, "--size", "64x128")[0] == 0
    shape = tf.saved_model.load(folder).signatures["serving_default"].inputs[0].shape
    assert shape == (1, 64, 128, 3)
    status, printed = run("-o", folder)
    assert status == 1 and "is there already" in printed.err


@needs_onnx
@pytest.mark.parametrize("size", [None, "64x128"])
def test_command_line_makes_onnx(size, tmp_path):
    import onnxruntime

    keras.utils.set_random_seed(0)
    network = tfflow.models.create("lightflow", width=0.25)
    network.save(tmp_path / "x.keras")
    options = ["--size", size] if size else []
    command = ["export", str(tmp_path / "x.keras"), "-o", str(tmp_path / "x.onnx"), *options]
    assert main(command) == 0
    images = (
        IMAGES if size is None else {k: RNG.random((1, 64, 128, 3), np.float32) for k in IMAGES}
    )
    (flow,) = onnxruntime.InferenceSession(tmp_path / "x.onnx").run(["flow"], images)
    np.testing.assert_allclose(flow, network(images)["flow"], atol=1e-4)
