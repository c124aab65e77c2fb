"""Exported files mean what the Keras model means, in every form, and bad requests leave nothing."""

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from keras import ops

import tfflow
from tfflow.tflite import (
    QUANTIZATIONS,
    FlowInterpreter,
    conversion,
    export,
    operators,
    quantization,
)
from tfflow.tflite.graph import Graph

SIZE = (64, 128)
FORMS = list(QUANTIZATIONS)


def flow_of_keras(model, pair):
    return model.predict_flow(*pair, size=SIZE)


def relative_error(path, model, pairs):
    """Mean distance from Keras's flow, over the flow's own mean length."""
    file = FlowInterpreter(path, threads=1)
    expected = np.stack([flow_of_keras(model, pair) for pair in pairs])
    found = np.stack([file.predict_flow(*pair) for pair in pairs])
    return (
        np.linalg.norm(found - expected, axis=-1).mean() / np.linalg.norm(expected, axis=-1).mean()
    )


def test_float32_equals_keras(exported, model, pairs):
    file = FlowInterpreter(exported["float32"])
    for pair in pairs:
        expected = flow_of_keras(model, pair)
        assert np.abs(expected).max() > 1.0  # a flow of nearly zero would prove nothing
        difference = np.abs(file.predict_flow(*pair) - expected).max()
        assert difference <= 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize(
    # int8's loss on random weights says nothing of trained ones, but a mistake would cost it all.
    ("form", "most"),
    [("float16", 0.01), ("dynamic", 0.05), ("int8", 0.35), ("int8_uint8", 0.35)],
)
def test_quantized_is_near_keras(exported, model, pairs, form, most):
    error = relative_error(exported[form], model, pairs[4:])  # not those of the calibration
    assert 0.0 < error <= most


def test_uint8_images_lose_nothing(exported, pairs):
    for pair in pairs:
        flows = [FlowInterpreter(exported[f]).predict_flow(*pair) for f in ("int8", "int8_uint8")]
        np.testing.assert_array_equal(*flows)


@pytest.mark.parametrize("form", FORMS)
def test_interface(exported, form):
    graph = Graph(exported[form].read_bytes())
    inputs, outputs = graph.signature()
    assert list(inputs) == ["image1", "image2"] and list(outputs) == ["flow"]
    # By index and by tensor name it is the same.
    assert [graph.tensor_name(t) for t in graph.subgraph.inputs] == ["image1", "image2"]
    assert list(inputs.values()) == graph.subgraph.inputs
    assert [graph.tensor_name(t) for t in graph.subgraph.outputs] == ["flow"]
    assert {graph.shape(t) for t in inputs.values()} == {(1, *SIZE, 3)}
    assert graph.shape(outputs["flow"]) == (1, *SIZE, 2)

    kind = schema.TensorType.UINT8 if form == "int8_uint8" else schema.TensorType.FLOAT32
    assert {graph.tensor(t).type for t in inputs.values()} == {kind}
    assert graph.tensor(outputs["flow"]).type == schema.TensorType.FLOAT32
    if form == "int8_uint8":
        for tensor in map(graph.tensor, inputs.values()):
            assert tensor.quantization.scale[0] == np.float32(1 / 255)
            assert tensor.quantization.zeroPoint[0] == 0


@pytest.mark.parametrize("form", FORMS)
def test_metadata(exported, form):
    assert tfflow.tflite.read_metadata(exported[form]) == {
        "model": "lightflow_0.5",
        "size": [64, 128],
        "quantization": form,
        "units": "px",
        "tfflow": tfflow.__version__,
        "licence": "Apache-2.0",
    }


def test_sizes_of_the_files(exported):
    size = {form: path.stat().st_size for form, path in exported.items()}
    assert size["float16"] < 0.55 * size["float32"]
    assert size["dynamic"] < 0.35 * size["float32"]
    assert size["int8"] < 0.35 * size["float32"]


@pytest.mark.parametrize("form", FORMS)
def test_operators(exported, form):
    counts = operators(exported[form])
    builtin = {name for name in vars(schema.BuiltinOperator) if not name.startswith("_")}
    assert set(counts) <= builtin - {"CUSTOM"}
    # The first of the network's 19 became two convolutions, one for each image.
    assert counts["DEPTHWISE_CONV_2D"] == 18 and counts["CONV_2D"] == 19 + 2
    assert counts["SUB"] == 2 and "MAXIMUM" not in counts


def test_int8_is_int8_but_for_the_first_layer_and_the_heads(exported):
    graph = Graph(exported["int8"].read_bytes())
    kinds = {}
    for operator in graph.subgraph.operators:
        kind = graph.tensor(operator.outputs[0]).type
        kinds.setdefault(graph.name(operator), []).append(kind == schema.TensorType.INT8)
    # In float are five predictors of a depthwise and a pointwise convolution each, with the one
    # activation that only a predictor reads; and conv1, for both images.
    assert sum(kinds["CONV_2D"]) == 19 - 5 - 1
    assert sum(kinds["DEPTHWISE_CONV_2D"]) == 18 - 5
    assert sum(kinds["LEAKY_RELU"]) == 27 - 2 and len(kinds["LEAKY_RELU"]) == 38
    assert sum(kinds["DEPTH_TO_SPACE"]) == 4 and len(kinds["DEPTH_TO_SPACE"]) == 8
    assert not any(kinds["RESIZE_BILINEAR"])
    # One for each predictor: nothing goes to float and back in between.
    assert len(kinds["DEQUANTIZE"]) == 5


def test_heads_in_int8_on_request(model, pairs, converted_once, tmp_path):
    path = export(
        model,
        tmp_path / "all.tflite",
        size=SIZE,
        calibration=pairs[:4],
        heads_in_float=False,
    )
    assert operators(path)["DEQUANTIZE"] == 1
    assert relative_error(path, model, pairs[4:]) < 0.35


def test_staying_integer_keeps_the_meaning(exported, model, pairs, converted_once, tmp_path):
    """Leaky ReLU in int8 instead of in float between two scalings differs by roundings alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantization, "stay_integer", lambda graph: None)
        path = export(model, tmp_path / "between.tflite", size=SIZE, calibration=pairs[:4])
    assert operators(path)["DEQUANTIZE"] > 25
    between, integer = FlowInterpreter(path), FlowInterpreter(exported["int8"])
    for pair in pairs:
        expected = between.predict_flow(*pair)
        difference = np.abs(integer.predict_flow(*pair) - expected).mean()
        assert difference < 0.25 * np.abs(expected).mean()


def test_calibrates_on_synthetic_scenes_by_default(model, pairs, converted_once, tmp_path):
    pytest.importorskip("cv2")
    path = export(model, tmp_path / "default.tflite", size=SIZE)
    assert relative_error(path, model, pairs) < 0.35


def test_calibration_resizes_and_takes_training_examples(model, converted_once, tmp_path):
    image1, image2 = np.random.default_rng(0).random((2, 2, 50, 70, 3), np.float32)
    examples = [({"image1": image1, "image2": image2}, np.zeros((2, 50, 70, 2), np.float32))]
    path = export(model, tmp_path / "a.tflite", size=SIZE, calibration=examples)
    assert relative_error(path, model, [(image1[0], image2[0])]) < 0.35


def test_mixed_precision_is_exported_in_float32(model, pairs, tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        mixed = tfflow.models.create("lightflow_0.5")
    finally:
        keras.config.set_dtype_policy("float32")
    mixed.set_weights(model.get_weights())
    path = export(mixed, tmp_path / "mixed.tflite", size=(64, 64), quantization="float32")
    assert keras.config.dtype_policy().name == "float32"
    expected = model.predict_flow(*pairs[0], size=(64, 64))
    found = FlowInterpreter(path).predict_flow(*pairs[0])
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


class Foreign(tfflow.models.FlowModel):
    """A network with an operator that LiteRT lacks."""

    def __init__(self):
        super().__init__(name="foreign")
        self.build()

    def estimate(self, image1, image2, training=None):
        spectrum = ops.linalg.svd(image1[..., 0], compute_uv=False)
        flow = image1[..., :2] * ops.sum(spectrum) + ops.erfinv(image2[..., :2])
        return {"flow2": flow[:, ::4, ::4]}


def test_foreign_operators_are_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match="needs Erfinv, Svd"):
        export(Foreign(), tmp_path / "foreign.tflite", size=(64, 64), quantization="float32")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": (60, 128)}, "got 60x128.*Nearest: 64x128"),
        ({"size": (100, 200)}, "Nearest: 64x192, 64x256, 128x192, 128x256"),
        ({"size": (0, 64)}, "multiples of 64; got 0x64"),
        ({"size": (64.5, 64)}, r"two whole numbers; got \(64.5"),
        ({"size": 64}, "two whole numbers; got 64"),
        ({"quantization": "int9"}, "one of float32, .*got 'int9'.*mean 'int8'"),
        ({"calibration": []}, "calibration holds no pair"),
        ({"calibration": [np.zeros((64, 128, 3))]}, "A pair must be"),
        ({"calibration": [(np.zeros((8, 8, 3)), np.zeros((8, 9, 3)))]}, "one size and number"),
        ({"path": "model.lite"}, r"must be named \*.tflite"),
    ],
)
def test_bad_requests_leave_nothing(model, converted_once, tmp_path, arguments, message):
    arguments = {"path": "model.tflite", "size": SIZE, **arguments}
    path = tmp_path / arguments.pop("path")
    path.write_bytes(b"before")
    with pytest.raises(ValueError, match=message):
        export(model, path, **arguments)
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"before"]


def test_no_such_folder(model, tmp_path, monkeypatch):
    monkeypatch.setattr(conversion, "convert", None)  # it fails before it converts
    with pytest.raises(FileNotFoundError, match="nowhere"):
        export(model, tmp_path / "nowhere" / "a.tflite", size=SIZE)


def test_metadata_that_json_lacks(model, tmp_path, monkeypatch):
    monkeypatch.setattr(conversion, "convert", None)  # it fails before it converts
    with pytest.raises(ValueError, match="metadata must be what JSON can hold: .*PosixPath"):
        export(model, tmp_path / "a.tflite", size=SIZE, metadata={"licence": tmp_path})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"size": 3, "streaming": True}, "metadata can't have 'size', 'streaming'"),
        ({"ap": float("nan")}, "what JSON can hold"),
        ("Apache-2.0", "must be a dict; got str"),
    ],
)
def test_metadata_that_would_mislead(metadata, message, model, tmp_path, monkeypatch):
    monkeypatch.setattr(conversion, "convert", None)  # it fails before it converts
    with pytest.raises(ValueError, match=message):
        export(model, tmp_path / "a.tflite", size=SIZE, metadata=metadata)


def test_not_a_flow_model(tmp_path):
    with pytest.raises(TypeError, match="got Sequential"):
        export(keras.Sequential(), tmp_path / "a.tflite")


def test_layers_on_tokens_are_in_int8_and_sensitivity_says_what_stays_in_float(pairs, tmp_path):
    class Tokens(tfflow.models.FlowModel):
        multiple, flow_div = 8, 20.0

        def __init__(self):
            super().__init__()
            self.first = keras.layers.Conv2D(8, 8, 8)
            self.second = keras.layers.Dense(24, activation="relu", name="second")
            self.third = keras.layers.Dense(8, name="third")
            self.head = keras.layers.Conv2D(2, 1)
            self.build()

        def estimate(self, image1, image2, training=None):
            maps = self.first(ops.concatenate([image1, image2], axis=-1))
            batch, height, width, channels = ops.shape(maps)
            tokens = ops.reshape(maps, (batch, height * width, channels))
            tokens = tokens + self.third(self.second(tokens))
            likeness = ops.matmul(tokens, ops.transpose(tokens, (0, 2, 1)))
            attention = likeness / (1.0 + ops.sum(ops.abs(likeness), axis=-1, keepdims=True))
            tokens = ops.matmul(attention, tokens)
            return {"flow3": self.head(ops.reshape(tokens, ops.shape(maps)))}

    model = Tokens()
    options = {"size": SIZE, "calibration": pairs[:2]}
    path = export(model, tmp_path / "tokens.tflite", quantization="int8", **options)
    graph = Graph(path.read_bytes())
    types = {
        name: {
            graph.tensor(operator.outputs[0]).type
            for operator in graph.subgraph.operators
            if graph.name(operator) == name
        }
        for name in ("FULLY_CONNECTED", "BATCH_MATMUL")
    }
    assert types == {
        "FULLY_CONNECTED": {schema.TensorType.INT8},
        "BATCH_MATMUL": {schema.TensorType.FLOAT32},
    }
    found = tfflow.tflite.sensitivity(model, pairs=pairs[:1], **options)
    in_float = {layer["name"]: layer["in_float"] for layer in found["layers"]}
    assert in_float["second"] is in_float["third"] is False
