"""Files with encode and match: the pairs' flows, each weight stored once, in every form."""

import itertools
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from golden_files import load, state_dict

import tfflow
from tfflow.tflite import (
    FlowInterpreter,
    FlowStream,
    benchmark_streaming,
    conversion,
    export,
    read_metadata,
    report,
)
from tfflow.tflite.graph import Graph, foreign_operators
from tfflow.tflite.quantization import quantize

SIZE = (128, 192)
SLOW = pytest.mark.slow


def clip(frames, height=SIZE[0], width=SIZE[1]):
    """A moving pattern, (frames, height, width, 3) uint8."""
    noise = np.random.default_rng(3).random((height // 8 + 8, width // 8 + 16, 3))
    picture = (255 * noise.repeat(8, 0).repeat(8, 1)).astype(np.uint8)
    return np.stack([picture[i : i + height, 2 * i : 2 * i + width] for i in range(frames)])


@pytest.fixture(scope="module")
def network():
    """LiteFlowNet2 with its two coarsest levels, trained weights."""
    model = tfflow.models.create("liteflownet2")
    tfflow.weights.load_mmflow(model, state_dict(load("liteflownet2")[0]))
    small = tfflow.models.create("liteflownet2", finest_level=5)
    trained = model.weights_by_name()
    for name, weight in small.weights_by_name().items():
        weight.assign(trained[name])
    return small


@pytest.fixture(scope="module")
def exported(network, tmp_path_factory):
    """A dict: quantization -> the file, made when it is asked for; converted once."""
    folder = tmp_path_factory.mktemp("streaming")
    pairs = list(itertools.pairwise(clip(2)))
    known = {}

    def once(original):
        def function(signature, *arguments, **settings):
            key = (signature, *settings.values())
            if key not in known:
                known[key] = original(signature, *arguments, **settings)
            return known[key]

        return function

    class Files(dict):
        def __missing__(self, form):
            # convert calls convert_function with the signature's name first.
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(conversion, "convert_function", cached)
                self[form] = export(
                    network,
                    folder / f"{form}.tflite",
                    size=SIZE,
                    quantization=form,
                    calibration=iter(pairs),
                    streaming=True,
                )
            return self[form]

    cached = once(conversion.convert_function)
    return Files()


def flows_of(stream, frames):
    flows = [stream.next(frame) for frame in frames]
    assert flows[0] is None
    return np.stack(flows[1:])


def of_pairs(predictor, frames):
    return np.stack([predictor.predict_flow(*pair) for pair in itertools.pairwise(frames)])


@pytest.mark.parametrize("form", ["float32", pytest.param("float16", marks=SLOW)])
def test_stream_equals_pairs(exported, form):
    frames = clip(5, 100, 170)  # resized to the file's size
    flows = flows_of(FlowStream(exported[form], threads=1), frames)
    expected = of_pairs(FlowInterpreter(exported[form], threads=1), frames)
    assert np.abs(expected).max() > 1.0
    np.testing.assert_allclose(flows, expected, atol=1e-4)


def test_stream_equals_keras(exported, network):
    frames = clip(4)
    flows = flows_of(FlowStream(exported["float32"]), frames)
    np.testing.assert_allclose(flows, of_pairs(network, frames), atol=1e-4)


@pytest.mark.parametrize(
    ("form", "most"),
    [
        pytest.param("dynamic", 0.2, marks=SLOW),
        ("int8", 0.3),
        pytest.param("int8_uint8", 0.3, marks=SLOW),
    ],
)
def test_quantized_streams_are_near_keras(exported, network, form, most):
    """As near as the pairs, whose int8 ranges are those of two images together."""
    frames = clip(4)
    expected = of_pairs(network, frames)
    flows = flows_of(FlowStream(exported[form], threads=1), frames)
    pairs = of_pairs(FlowInterpreter(exported[form], threads=1), frames)
    error, of_pair = (np.linalg.norm(each - expected, axis=-1).mean() for each in (flows, pairs))
    assert error < most and error < 1.5 * of_pair


@pytest.mark.parametrize(
    "form",
    ["float32", "int8", *(pytest.param(form, marks=SLOW) for form in ("float16", "dynamic"))],
)
def test_weights_are_stored_once(exported, network, form):
    graph = Graph(exported[form].read_bytes())
    weights = [buffer for buffer in graph.model.buffers if _length(buffer) > 10_000]
    contents = {np.asarray(buffer.data).tobytes() for buffer in weights}
    assert len(contents) == len(weights) > 10
    bytes_each = {"float32": 4, "float16": 2}.get(form, 1)
    stored = sum(map(_length, graph.model.buffers))
    assert stored < 1.25 * bytes_each * network.count_params()


def _length(buffer):
    return 0 if buffer.data is None else len(buffer.data)


@pytest.mark.parametrize("form", ["float32", "int8", pytest.param("int8_uint8", marks=SLOW)])
def test_signatures(exported, form):
    path = exported[form]
    runner = FlowInterpreter(path).litert.get_signature_list()
    assert set(runner) == {"flow", "encode", "match"}
    names = ["image5", "image6", "level5", "level6"]
    assert runner["encode"] == {"inputs": ["image"], "outputs": names}
    both = [f"features{i}_{name}" for i in (1, 2) for name in names]
    assert runner["match"] == {"inputs": both, "outputs": ["flow"]}

    graph = Graph(path.read_bytes())
    assert foreign_operators(graph) == []
    for subgraph, signature in zip(graph.model.subgraphs, graph.model.signatureDefs):
        for numbers, entries in (
            (subgraph.inputs, signature.inputs),
            (subgraph.outputs, signature.outputs),
        ):
            # By name, by tensor name and by index it is the same.
            assert [subgraph.tensors[n].name for n in numbers] == sorted(e.name for e in entries)
            assert {e.tensorIndex for e in entries} == set(numbers)
            for entry in entries:
                assert subgraph.tensors[entry.tensorIndex].name == entry.name
    assert read_metadata(path)["streaming"] is True
    kind = np.uint8 if form == "int8_uint8" else np.float32
    encode = FlowInterpreter(path).litert.get_signature_runner("encode")
    assert encode.get_input_details()["image"]["dtype"] == kind
    assert {each["dtype"] for each in encode.get_output_details().values()} == {np.float32}


def test_frames_of_another_size(exported):
    stream = FlowStream(exported["float32"])
    stream.next(clip(1)[0])
    with pytest.raises(ValueError, match=r"128x192 .*got 64x64.*reset\(\)"):
        stream.next(clip(1, 64, 64)[0])
    stream.reset()
    assert stream.next(clip(1, 64, 64)[0]) is None


def test_pairs_between_frames(exported):
    """The same interpreter may predict pairs in between: signatures share no state."""
    file, frames = FlowInterpreter(exported["float32"], threads=1), clip(3)
    stream = tfflow.models.FlowStream(file)
    stream.next(frames[0])
    expected = file.predict_flow(*frames[:2])
    np.testing.assert_allclose(stream.next(frames[1]), expected, atol=1e-4)
    file.predict_flow(*frames[1:])
    expected = file.predict_flow(*frames[1:])
    np.testing.assert_allclose(stream.next(frames[2]), expected, atol=1e-4)


def test_file_without_parts(exported, tmp_path):
    graph = Graph(exported["float32"].read_bytes())
    graph.model.signatureDefs = graph.model.signatureDefs[:1]
    graph.model.subgraphs = graph.model.subgraphs[:1]
    path = tmp_path / "flow.tflite"
    path.write_bytes(graph.to_bytes())
    assert not FlowInterpreter(path).siamese and FlowInterpreter(exported["float32"]).siamese
    for use in (FlowStream, benchmark_streaming):
        with pytest.raises(ValueError, match=r"flow.tflite can't encode.*streaming=True"):
            use(path)


@pytest.mark.parametrize("name", ["lightflow_0.5", "maskflownets"])
def test_other_networks_are_refused(name, tmp_path):
    model = tfflow.models.create(name)
    path = tmp_path / "flow.tflite"
    with pytest.raises(ValueError, match="streaming=True is impossible: .*can: flownetc, lite"):
        export(model, path, size=SIZE, quantization="float32", streaming=True)
    assert list(tmp_path.iterdir()) == []


def test_loops_are_refused_where_they_can_not_be():
    def looping(inputs):
        return {"y": keras.ops.fori_loop(0, 3, lambda i, x: keras.ops.tanh(x + 1.0), inputs["x"])}

    graphs = [conversion.convert_function(name, looping, {"x": (1, 4, 4, 2)}) for name in "ab"]
    with pytest.raises(ValueError, match="several parts can't have loops. Write keras.ops.fori"):
        graphs[0].append(graphs[1])
    with pytest.raises(ValueError, match="Loops can't be in int8. Write keras.ops.fori_loop"):
        quantize(graphs[0], "int8", size=(4, 4), ranges={})


class Tiny(tfflow.models.SiameseFlowModel):
    """The result of ``last`` is a feature; nothing reads ``unused``."""

    def __init__(self):
        super().__init__(name="tiny")
        self.first = keras.layers.Conv2D(16, 5, 4, "same", activation="relu", name="first")
        self.last = keras.layers.Conv2D(16, 3, 1, "same", name="last")
        self.head = keras.layers.Conv2D(2, 3, 1, "same", name="head")
        self.unused = keras.layers.Conv2D(8, 3, 1, "same", name="unused")
        self.build()

    def extract(self, images, training=None):
        features = self.last(self.first(images))
        self.unused(features)
        return {"level2": features}

    def estimate_from(self, first, second, training=None):
        return {"flow2": self.head(keras.ops.concatenate([first["level2"], second["level2"]], -1))}


def test_a_layer_whose_result_is_a_feature_stays_in_float_in_encode(tmp_path):
    def exported():
        return export(
            Tiny(), tmp_path / "t.tflite", size=SIZE, streaming=True, keep_float=["last", "unused"]
        )

    if tuple(map(int, tf.__version__.split(".")[:2])) < (2, 21):
        with pytest.raises(ValueError, match="names last, whose .* Update TensorFlow"):
            exported()
        return
    found = 0
    for subgraph in Graph(exported().read_bytes()).model.subgraphs:
        for tensor in subgraph.tensors:
            if tuple(tensor.shape) == (16, 3, 3, 16):  # the kernel of last
                assert tensor.type == schema.TensorType.FLOAT32, subgraph.name
                found += 1
    assert found == 2  # in flow and encode


def test_a_layer_that_does_not_lead_to_the_flow_can_not_be_kept(tmp_path):
    with pytest.raises(ValueError, match="keep_float names unused, and the converted network has"):
        export(Tiny(), tmp_path / "t.tflite", size=SIZE, keep_float=["unused"])
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_where_a_part_fails(network, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise ValueError("no such part")

    monkeypatch.setattr(conversion, "convert", lambda *_, **__: None)
    monkeypatch.setattr(conversion, "convert_function", fail)
    monkeypatch.setattr(conversion, "Graph", lambda content: None)
    with pytest.raises(ValueError, match="no such part"):
        export(network, tmp_path / "a.tflite", size=SIZE, quantization="float32", streaming=True)
    assert list(tmp_path.iterdir()) == []


def test_report(exported):
    values = report(exported["float32"], runs=2, threads=(1, 2))
    assert [each["threads"] for each in values["streaming"]] == [1, 2]
    for each in values["streaming"]:
        assert 0 < each["encode_ms"] < each["frame_ms"] and each["match_ms"] > 0
        assert each["pair_ms"] > 0
    assert "video, 2 threads" in values.as_text() and "ms a frame (encode" in values.as_text()
    with pytest.raises(ValueError, match="runs must be"):
        benchmark_streaming(exported["float32"], runs=0)
    with pytest.raises(ValueError, match="warmup must be a whole number of at least 0; got -1"):
        benchmark_streaming(exported["float32"], warmup=-1)
    default = benchmark_streaming(exported["float32"], threads=None, runs=1, warmup=0)
    assert default["threads"] == FlowInterpreter(exported["float32"]).threads


def test_runs_without_tensorflow_and_keras(exported):
    code = (
        "import sys, numpy\n"
        "from tfflow.tflite import FlowStream\n"
        f"stream = FlowStream({str(exported['int8'])!r})\n"
        "image = numpy.zeros((30, 40, 3), numpy.uint8)\n"
        "assert stream.next(image) is None and stream.next(image).shape == (30, 40, 2)\n"
        "heavy = {'tensorflow', 'keras', 'ai_edge_quantizer', 'cv2'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ}, timeout=60)


def test_video_uses_the_stream(exported, tmp_path, monkeypatch):
    pytest.importorskip("av")
    from tfflow.evaluation import predict_video
    from tfflow.visualization import write_video

    write_video(tmp_path / "clip.gif", clip(4), 10)
    file, expected = FlowInterpreter(exported["float32"], threads=1), tmp_path / "pairs.gif"
    monkeypatch.setattr(file, "siamese", False)
    assert predict_video(file, tmp_path / "clip.gif", expected) == 3
    monkeypatch.undo()
    monkeypatch.setattr(file, "predict_flow", None)
    assert predict_video(file, tmp_path / "clip.gif", tmp_path / "stream.gif") == 3
    assert (tmp_path / "stream.gif").read_bytes() == expected.read_bytes()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=SLOW) for name in ("flownetc", "liteflownet", "liteflownet2")]
)
def test_a_whole_clip(name, tmp_path):
    keras.utils.set_random_seed(0)
    model = tfflow.models.create(name)
    tfflow.weights.load_mmflow(model, state_dict(load(name)[0]))
    path = export(model, tmp_path / "a.tflite", size=SIZE, quantization="float32", streaming=True)
    frames = clip(30)
    flows = flows_of(FlowStream(path), frames)
    np.testing.assert_allclose(flows, of_pairs(FlowInterpreter(path), frames), atol=1e-4)
    np.testing.assert_allclose(flows[:2], of_pairs(model, frames[:3]), atol=1e-3)
    assert path.stat().st_size < 1.05 * 4 * model.count_params() + 500_000
    assert foreign_operators(Graph(path.read_bytes())) == []


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("level 2",), "names a feature 'level 2'; in a file, names are of letters"),
        (("é",), "names a feature 'é'"),
        (("f2", "F2"), "differ in capitals alone, which a file can't have: f2, F2"),
        (("f2", "same"), "The feature (f2|same) is a constant, or another one under a second name"),
    ],
)
def test_features_that_a_file_can_not_have(names, message, tmp_path):
    class Own(tfflow.models.SiameseFlowModel):
        multiple, flow_div = 4, 20.0

        def __init__(self):
            super().__init__()
            self.first = keras.layers.Conv2D(4, 4, 4)
            self.head = keras.layers.Conv2D(2, 1)
            self.build()

        def extract(self, images, training=None):
            return dict.fromkeys(names, self.first(images))

        def estimate_from(self, features1, features2, training=None):
            both = [*features1.values(), *features2.values()]
            return {"flow2": self.head(keras.ops.concatenate(both, axis=-1))}

    with pytest.raises(ValueError, match=message):
        export(
            Own(),
            tmp_path / "own.tflite",
            size=(64, 64),
            quantization="int8",
            calibration=[tuple(clip(2, 64, 64))],
            streaming=True,
        )
