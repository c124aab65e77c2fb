"""The layer that int8 ruins is found, and kept in float it loses nothing."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfflow
from tfflow.tflite import (
    FlowInterpreter,
    SensitivityReport,
    conversion,
    export,
    sensitivity,
)
from tfflow.tflite.graph import Graph
from tfflow.tflite.layers import _layer, choose_layers, layer_names, layer_operators

SIZE = (64, 64)
NAMES = ["first", "second", "third", "prediction"]


@pytest.fixture(scope="module")
def found(tiny, pairs):
    return sensitivity(tiny, size=SIZE, calibration=pairs[:4], pairs=pairs[4:])


def rows(report):
    return {row["name"]: row for row in report["layers"]}


def distance(path, other, pairs):
    """Mean distance of two files' flows in px, at the files' size."""
    files = FlowInterpreter(path), FlowInterpreter(other)
    flows = ([file.predict_flow(*small(pair)) for pair in pairs] for file in files)
    return np.linalg.norm(np.subtract(*map(np.stack, flows)), axis=-1).mean()


def small(pair):
    """A pair at the files' size: nothing is resized back."""
    from tfflow.models.prediction import ImagePair

    images = ImagePair(*pair, size=SIZE)
    return images.image1[0], images.image2[0]


def test_the_ruined_layer_is_the_most_sensitive(found):
    first, second = found["layers"][:2]
    assert first["name"] == "second" and first["alone_px"] > 10 * second["alone_px"] > 0
    losses = [row["alone_px"] for row in found["layers"]]
    assert losses == sorted(losses, reverse=True)
    # Alone it loses what int8 loses in all, and in float it wins nearly that.
    assert first["alone_px"] == pytest.approx(found["int8_px"], rel=0.1)
    assert first["won_px"] == pytest.approx(found["int8_px"], rel=0.1)
    assert abs(rows(found)["third"]["won_px"]) < 0.1 * first["won_px"]


def test_what_the_int8_file_keeps_in_float_anyway(found):
    in_float = {name for name, row in rows(found).items() if row["in_float"]}
    assert in_float == {"first", "prediction"}  # what reads both images, and what makes flow
    assert all((row["won_px"] is None) == row["in_float"] for row in found["layers"])
    assert found["int8_px"] != found["all_int8_px"]


def test_shares_of_the_multiplications(found):
    shares = {name: row["multiplications"] for name, row in rows(found).items()}
    assert shares["second"] == shares["third"] == pytest.approx(4 * shares["prediction"])
    assert 0.5 < sum(shares.values()) < 1.0  # two more convolutions put the images side by side


def test_the_numbers_are_those_of_exported_files(found, tiny, pairs, tmp_path, monkeypatch):
    graph = conversion.convert(tiny, SIZE)
    monkeypatch.setattr(conversion, "convert", lambda model, size, **_: graph)
    paths = {}
    for name, options in (
        ("float", {"quantization": "float32"}),
        ("int8", {}),
        ("all", {"heads_in_float": False}),
        ("kept", {"keep_float": ["second"]}),
        ("alone", {"heads_in_float": False, "keep_float": ["first", "third", "prediction"]}),
    ):
        paths[name] = tmp_path / f"{name}.tflite"
        export(tiny, paths[name], size=SIZE, calibration=pairs[:4], **options)

    def lost(name):
        return distance(paths["float"], paths[name], pairs[4:])

    second = rows(found)["second"]
    assert lost("int8") == pytest.approx(found["int8_px"], rel=1e-3)
    assert lost("all") == pytest.approx(found["all_int8_px"], rel=1e-3)
    assert found["int8_px"] - lost("kept") == pytest.approx(second["won_px"], rel=1e-3)
    assert lost("alone") == pytest.approx(second["alone_px"], rel=0.05)

    def kinds(name):
        graph = Graph(paths[name].read_bytes())
        constants = [
            graph.constant(op.inputs[1])
            for op in graph.subgraph.operators
            if graph.name(op) == "CONV_2D"
        ]
        return [constant.dtype.name for constant in constants if constant.shape[0] == 8]

    assert kinds("int8") == ["float32", "int8", "int8"]
    assert kinds("kept") == ["float32", "float32", "int8"]
    assert kinds("all") == ["int8"] * 3


def test_only_the_layers_that_are_asked_for(found, tiny, pairs):
    part = sensitivity(
        tiny, size=SIZE, calibration=pairs[:4], pairs=pairs[4:], layers=["third", "first"]
    )
    expected = [row for row in found["layers"] if row["name"] in ("third", "first")]
    assert part["layers"] == expected and part["int8_px"] == found["int8_px"]


def test_table_and_file(found, tmp_path):
    text = found.as_text()
    table = text.splitlines()[2:]
    assert "tiny, 64x64, 2 pairs" in text and len(table) == 2 + len(NAMES)
    assert table[2].startswith("| second ") and text.count("in float |") == 3  # and the header
    assert len({len(line) for line in table}) == 1  # a straight table
    path = found.write(tmp_path / "found.json")
    assert SensitivityReport(json.loads(path.read_text())) == found
    assert (tmp_path / "found.md").read_text() == text + "\n"
    with pytest.raises(ValueError, match=r"must be named \*.json"):
        found.write(tmp_path / "found.txt")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layers": ["secnd"]}, "layers must name.*got 'secnd'. Did you mean 'second'"),
        ({"pairs": []}, "pairs holds no pair"),
        ({"calibration": []}, "calibration holds no pair"),
        ({"outliers": 1}, "outliers must be the share"),
        ({"size": (60, 64)}, "Nearest: 64x64"),
    ],
)
def test_bad_requests(arguments, message, tiny, pairs):
    arguments = {"size": SIZE, "calibration": pairs[:1], "pairs": pairs[:1], **arguments}
    with pytest.raises(ValueError, match=message):
        sensitivity(tiny, **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"keep_float": ["thrd"]}, "keep_float must name layers.*'thrd'. Did you mean 'third'"),
        ({"keep_float": "first", "quantization": "float32"}, "float32 computes in float anyway"),
    ],
)
def test_bad_exports(arguments, message, tiny, pairs, tmp_path):
    with pytest.raises(ValueError, match=message):
        export(tiny, tmp_path / "a.tflite", size=SIZE, calibration=pairs[:1], **arguments)
    assert not list(tmp_path.iterdir())


def test_a_layer_may_have_its_models_name():
    assert _layer("up_1/first_1/convolution", {"up", "first"}) == "first"
    assert _layer("up_1/up_1/convolution", {"up", "first"}) == "up"
    assert _layer("net_1/block_1/conv1_1/Relu", {"conv1", "block/conv1"}) == "block/conv1"
    # TensorFlow numbers every scope: this is conv1, and the next is conv1_1's.
    assert _layer("net_1/conv1_1/convolution", {"conv1", "conv1_1"}) == "conv1"
    assert _layer("net_1/conv1_1_2/convolution", {"conv1", "conv1_1"}) == "conv1_1"
    assert _layer("net/conv1_1/convolution", {"conv2", "conv1_1"}) == "conv1_1"


def test_a_head_whose_result_is_the_answer_keeps_its_name():
    class Plain(tfflow.models.FlowModel):
        def __init__(self):
            super().__init__(name="plain")
            self.first = keras.layers.Conv2D(16, 3, padding="same", name="first")
            self.head = keras.layers.Conv2D(2, 3, padding="same", name="head")
            self.build()

        def estimate(self, image1, image2, training=None):
            x = self.first(keras.ops.concatenate([image1, image2], axis=-1))
            return {"flow0": self.head(x)}

    plain = Plain()
    graph = conversion.convert(plain, (64, 64))
    found = layer_operators(graph, layer_names(plain))
    kinds = [graph.name(operator) for operator in found["head"]]
    assert kinds.count("CONV_2D") == 2 and "DEPTHWISE_CONV_2D" in kinds  # in a faster form


def test_the_first_stages_layers_are_not_the_second_ones():
    network = tfflow.models.create("maskflownet")
    images = tf.TensorSpec((1, 64, 64, 3))
    traced = tf.function(lambda a, b: network({"image1": a, "image2": b}), autograph=False)
    operations = traced.get_concrete_function(images, images).graph.get_operations()
    names = layer_names(network)
    found = {_layer(each.name, set(names)) for each in operations if "conv" in each.type.lower()}
    assert found - {None} == set(names)


def test_layers_of_a_network_in_blocks(model, converted_once):
    names = layer_names(model)
    graph = conversion.convert(model, (64, 128))
    found = layer_operators(graph, names)
    assert sorted(found) == sorted(names) and len(names) == 38
    kinds = {name: [graph.name(op) for op in operators] for name, operators in found.items()}
    of_both = ["PAD", "CONV_2D", "PAD", "CONV_2D", "ADD", "LEAKY_RELU"]  # images
    assert kinds["conv1/depthwise"] == of_both
    assert kinds["conv2/depthwise"] == ["PAD", "DEPTHWISE_CONV_2D", "LEAKY_RELU"]
    for name in (name for name in names if name.endswith("pointwise")):
        assert kinds[name] == ["CONV_2D", "LEAKY_RELU"]
    # No operator belongs to two layers.
    assert len({id(op) for own in found.values() for op in own}) == sum(map(len, found.values()))
    assert choose_layers("conv1", names, "layers") == [
        name for name in names if name.startswith("conv1/")
    ]
