"""FlowInterpreter: the model's call for files, with NumPy and LiteRT alone."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import tfflow
from tfflow.tflite import FlowInterpreter, benchmark, operators, read_metadata
from tfflow.tflite.benchmarking import delegation
from tfflow.tflite.graph import Graph, schema

SIZE = (64, 128)


@pytest.mark.parametrize(
    "shape", [(64, 128, 3), (50, 90, 3), (200, 300, 3), (2, 70, 60, 3), (40, 41), (33, 44, 4)]
)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_any_image_as_keras(exported, model, shape, dtype):
    images = np.random.default_rng(1).random((2, *shape))
    pair = (255 * images).astype(np.uint8) if dtype == np.uint8 else images.astype(dtype)
    expected = model.predict_flow(*pair, size=SIZE)
    found = FlowInterpreter(exported["float32"]).predict_flow(*pair)
    assert found.dtype == np.float32 and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_order_of_the_images_matters(exported, pairs):
    file = FlowInterpreter(exported["float32"])
    there, back = file.predict_flow(*pairs[0]), file.predict_flow(*pairs[0][::-1])
    assert np.abs(there - back).mean() > 0.01 * np.abs(there).mean()


def test_attributes(exported):
    file = FlowInterpreter(str(exported["int8"]), threads=2)
    assert file.size == SIZE and file.threads == 2 and file.path == exported["int8"]
    assert file.metadata["quantization"] == "int8"
    assert repr(file).endswith("int8.tflite', 64x128, threads=2)")
    assert 1 <= FlowInterpreter(exported["int8"]).threads <= 4


def test_size_of_the_call(exported, pairs):
    file = FlowInterpreter(exported["int8"])
    np.testing.assert_array_equal(
        file.predict_flow(*pairs[0], size=SIZE), file.predict_flow(*pairs[0])
    )
    with pytest.raises(ValueError, match="runs at 64x128 only; got 64x64"):
        file.predict_flow(*pairs[0], size=(64, 64))
    for size in (64, "64x128", (64,)):
        with pytest.raises(ValueError, match="two whole numbers; got"):
            file.predict_flow(*pairs[0], size=size)


def test_bad_images(exported):
    file = FlowInterpreter(exported["int8"])
    image = np.zeros((64, 128, 3), np.uint8)
    with pytest.raises(ValueError, match="one size"):
        file.predict_flow(image, image[:32])
    with pytest.raises(ValueError, match="NaN"):
        file.predict_flow(image / 255.0, np.full(image.shape, np.nan))


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", True])
def test_bad_threads(exported, threads):
    with pytest.raises(ValueError, match="threads must be a whole number"):
        FlowInterpreter(exported["int8"], threads=threads)


def test_threads_of_numpy(exported):
    assert FlowInterpreter(exported["int8"], threads=np.int64(2)).threads == 2


def test_tfflow_load(exported):
    assert isinstance(tfflow.load(str(exported["int8"])), FlowInterpreter)


READERS = [FlowInterpreter, operators, read_metadata, benchmark, delegation]


@pytest.mark.parametrize("read", READERS)
def test_no_file(read, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing\.tflite"):
        read(tmp_path / "missing.tflite")


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "it is empty"), (b"no model, but some text", "it begins with b'no model'")],
)
def test_no_model_file(read, content, message, tmp_path):
    path = tmp_path / "fake.tflite"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"fake.tflite is not a .tflite file: {message}"):
        read(path)


@pytest.mark.parametrize("read", READERS)
def test_folder(read, tmp_path):
    with pytest.raises(ValueError, match="is not a file"):
        read(tmp_path)


@pytest.mark.parametrize("read", [FlowInterpreter, operators, benchmark, delegation])
@pytest.mark.parametrize("share", [0.00001, 0.3, 0.99])
def test_truncated(read, share, exported, tmp_path):
    content = exported["int8"].read_bytes()
    path = tmp_path / "half.tflite"
    path.write_bytes(content[: 8 + int(share * len(content))])
    with pytest.raises(ValueError, match=r"half\.tflite"):
        read(path)


def run_once(path):
    FlowInterpreter(path).run(*np.zeros((2, *SIZE, 3), np.float32))


@pytest.mark.parametrize("run", [run_once, benchmark])
def test_an_error_while_it_runs_names_the_file(run, exported, tmp_path):
    graph = Graph(exported["float32"].read_bytes())
    index = graph.add_constant("index", np.int32([99]))  # of a tensor that has one
    taken = graph.add_tensor("taken", (1, *SIZE, 3))
    image = graph.signature()[0]["image1"]
    for operator in graph.subgraph.operators:
        operator.inputs = [taken if number == image else number for number in operator.inputs]
    take = graph.new_operator("GATHER", [image, index], [taken], schema.GatherOptionsT())
    graph.subgraph.operators.insert(0, take)
    path = tmp_path / "damaged.tflite"
    path.write_bytes(graph.to_bytes())
    with pytest.raises(ValueError, match=r"can't run .*damaged\.tflite: .*index"):
        run(path)


def test_file_of_another_model(exported, tmp_path):
    graph = Graph(exported["float32"].read_bytes())
    graph.model.signatureDefs[0].inputs[0].name = b"left"
    path = tmp_path / "stereo.tflite"
    path.write_bytes(graph.to_bytes())
    with pytest.raises(ValueError, match="image1, image2 -> flow; it has flow: image2, left"):
        FlowInterpreter(path)

    graph.model.signatureDefs = []
    path.write_bytes(graph.to_bytes())
    with pytest.raises(ValueError, match="it has none"):
        FlowInterpreter(path)


def test_foreign_file_has_no_metadata(exported, tmp_path):
    graph = Graph(exported["float32"].read_bytes())
    graph.model.metadata = []
    path = tmp_path / "plain.tflite"
    path.write_bytes(graph.to_bytes())
    assert read_metadata(path) == {} and FlowInterpreter(path).metadata == {}


def test_runs_without_tensorflow_and_keras(exported):
    code = (
        "import sys, numpy, tfflow\n"
        "image = numpy.zeros((30, 40, 3), numpy.uint8)\n"
        f"flow = tfflow.load({str(exported['int8'])!r}).predict_flow(image, image)\n"
        "assert flow.shape == (30, 40, 2)\n"
        "heavy = {'tensorflow', 'keras', 'ai_edge_quantizer', 'cv2'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ}, timeout=60)


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_falls_back_on_another_runtime(exported, pairs, monkeypatch):
    from tfflow.tflite import interpreter

    monkeypatch.setattr(
        interpreter, "_RUNTIMES", ("no_such_runtime", "tensorflow.lite.python.interpreter")
    )
    expected = tfflow.load(exported["float32"]).predict_flow(*pairs[0])
    monkeypatch.undo()
    found = FlowInterpreter(exported["float32"]).predict_flow(*pairs[0])
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())

    monkeypatch.setattr(interpreter, "_RUNTIMES", ("no_such_runtime",))
    with pytest.raises(ImportError, match="pip install ai-edge-litert"):
        FlowInterpreter(exported["float32"])


@pytest.mark.parametrize(
    ("flow", "shape", "dtype", "message"),
    [
        (
            lambda x: x,
            (1, 8, 16, 3),
            tf.float32,
            r"expected a flow \(1, 8, 16, 2\).* gives \(1, 8, 1",
        ),
        (lambda x: x[:, ::4, ::4, :2], (1, 8, 16, 3), tf.float32, r"gives \(1, 2, 4, 2\)"),
        (
            lambda x: x[..., :2],
            (1, None, None, 3),
            tf.float32,
            "images of any size; expected a size",
        ),
        (lambda x: x[..., :2], (1, 8, 16, 1), tf.float32, r"expected two images \(1, H, W, 3\)"),
        (lambda x: x[..., :2], (1, 8, 16, 3), tf.uint8, "image1 is uint8 without a scale"),
    ],
)
def test_files_of_others_whose_flow_would_be_wrong(flow, shape, dtype, message, tmp_path):
    image = tf.TensorSpec(shape, dtype)
    module = tf.Module()
    module.flow = tf.function(
        lambda image1, image2: {
            "flow": flow(tf.cast(image1, "float32") + tf.cast(image2, "float32"))
        },
        input_signature=[image, image],
    )
    tf.saved_model.save(module, tmp_path / "saved", signatures={"flow": module.flow})
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(tmp_path / "saved"), signature_keys=["flow"]
    )
    (tmp_path / "foreign.tflite").write_bytes(converter.convert())
    with pytest.raises(ValueError, match=message):
        FlowInterpreter(tmp_path / "foreign.tflite")
