"""Parts of a graph that are exported in another form: the same flow, in faster operators."""

import collections

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

import tfflow
from tfflow.models.layers import TransposedConvolution
from tfflow.tflite import (
    FlowInterpreter,
    conversion,
    convex_form,
    equal_forms,
    export,
    float_selection,
    flops,
    image_forms,
    layers,
    operators,
    quantization,
    rewriting,
)
from tfflow.tflite.graph import Graph, _bytes, read_graph

SIZE = (64, 128)


@pytest.fixture(scope="module")
def rillflow():
    """With answers that are not near zero and shares that keep to one side of an edge."""
    keras.utils.set_random_seed(0)
    model = tfflow.models.create("rillflow", width=0.5)
    for layer in model._flatten_layers():
        if layer.name == "answer":
            layer.kernel.assign(layer.kernel * 30.0)
            layer.bias.assign(np.linspace(0.5, 1.0, layer.bias.shape[0]))
    shares = model.upsampling[-1]
    shares.kernel.assign(shares.kernel * 20.0)
    for projection in model.projections.values():
        projection.bias.assign(np.linspace(-1.0, 2.0, projection.bias.shape[0]))
    return model


@pytest.fixture(scope="module")
def in_float(rillflow, tmp_path_factory):
    path = tmp_path_factory.mktemp("rillflow") / "flow.tflite"
    return export(rillflow, path, size=SIZE, quantization="float32", streaming=True)


def test_the_flow_is_that_of_the_network(rillflow, in_float, pairs):
    interpreter = FlowInterpreter(in_float)
    for pair in pairs[:3]:
        expected = rillflow.predict_flow(*pair)
        assert np.abs(expected).max() > 1.0
        found = interpreter.predict_flow(*pair)
        np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())


def test_frames_one_by_one_give_the_same_flow(in_float, pairs):
    interpreter = FlowInterpreter(in_float)
    expected = interpreter.predict_flow(*pairs[0])
    stream = tfflow.models.FlowStream(interpreter)
    stream.next(pairs[0][0])
    found = stream.next(pairs[0][1])
    np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())


def test_no_operator_is_left_that_leads_nowhere(rillflow):
    graph = conversion.convert(rillflow, SIZE)
    count, consumers = len(graph.subgraph.operators), graph.consumers()
    for operator in graph.subgraph.operators:
        for number in operator.outputs:
            assert consumers[number] or number in graph.subgraph.outputs, graph.name(operator)
    Graph(graph.to_bytes())
    assert len(graph.subgraph.operators) == count


def test_what_became_of_the_operators(in_float):
    counts = operators(in_float)  # of flow, encode and match
    assert (
        counts["EXP"] == 2 * 3 + 2
    )  # the matching, and the upsampling of flow and match, which has no softmax any more:
    assert counts["SOFTMAX"] == 2 * 8  # six windows, the whole map, the average over neighbours
    assert "MEAN" not in counts and "SQUARED_DIFFERENCE" not in counts
    assert "PACK" not in counts
    graph = read_graph(in_float)
    readers = graph.consumers()
    for image in graph.subgraph.inputs:
        assert [graph.name(reader) for reader in readers[image]] == ["SUB"]  # joined later
    stems = [op for op in graph.subgraph.operators if graph.name(op) == "CONV_2D"][:2]
    assert {graph.shape(op.inputs[1])[1:] for op in stems} == {(7, 2, 12)}
    assert {(op.builtinOptions.strideH, op.builtinOptions.strideW) for op in stems} == {(4, 1)}


def test_operators_are_called_as_in_the_schema():
    ours = (float_selection, quantization, convex_form, equal_forms, flops, image_forms, layers)
    ours += (rewriting,)
    names = {
        name
        for module in ours
        for value in vars(module).values()
        if isinstance(value, tuple) and value and all(isinstance(each, str) for each in value)
        for name in value
        if name.isupper()
    }
    assert len(names) > 15
    names -= {"CONV_2D_TRANSPOSE"}  # the quantiser's own name, in WEIGHTED
    assert [name for name in sorted(names) if not hasattr(schema.BuiltinOperator, name)] == []
    assert "TRANSPOSE_CONV" in float_selection.LAYERS


def test_int8_keeps_in_float_what_needs_it(rillflow, pairs, tmp_path):
    path = export(
        rillflow,
        tmp_path / "flow.tflite",
        size=SIZE,
        quantization="int8",
        calibration=pairs[:2],
        keep_float=["down2", "refinement"],
    )
    graph = read_graph(path)
    readers = graph.consumers()
    for image in graph.subgraph.inputs:  # rounded nowhere before the first layer
        assert [graph.name(reader) for reader in readers[image]] == ["SUB"]
    kinds = collections.defaultdict(set)
    for operator in graph.subgraph.operators:
        kinds[graph.name(operator)] |= {graph.tensor(t).type for t in operator.outputs}
    in_float = {graph.tensor(graph.subgraph.inputs[0]).type}
    for name in ("EXP", "BATCH_MATMUL", "DIV", "SQUARE", "RSQRT", "DEPTH_TO_SPACE"):
        assert kinds[name] == in_float, name
    found = FlowInterpreter(path).predict_flow(*pairs[0])
    expected = rillflow.predict_flow(*pairs[0])
    assert np.abs(found - expected).mean() < 0.2 * np.abs(expected).mean()


@pytest.mark.parametrize(("outputs", "kernel"), [(2, 5), (4, 3), (1, 3), (2, 7)])
def test_thin_heads_are_the_same_convolution(outputs, kernel):
    keras.utils.set_random_seed(0)
    layer = keras.layers.Conv2D(outputs, kernel, padding="same", bias_initializer="ones")
    x = np.random.default_rng(0).normal(size=(1, 45, 64, 32)).astype("f4")
    expected = layer(x)
    graph = conversion.convert_function(
        "head", lambda inputs: {"y": layer(inputs["x"])}, {"x": x.shape}
    )
    names = [graph.name(operator) for operator in graph.subgraph.operators]
    assert names == ["CONV_2D", *["DEPTHWISE_CONV_2D", "CONV_2D"] * (1 if kernel <= 5 else 2)]
    for operator in graph.subgraph.operators:
        if graph.name(operator) == "DEPTHWISE_CONV_2D":
            assert np.prod(graph.shape(operator.inputs[1])[1:3]) <= equal_forms.MOST_TAPS
    found = Interpreter(model_content=graph.to_bytes())
    found.allocate_tensors()
    found = found.get_signature_runner("head")(x=x)["y"]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("height", "width", "outputs", "use_bias"),
    [(6, 7, 5, True), (1, 9, 6, False), (12, 1, 16, True)],
)
def test_doubling_is_the_same_as_ordinary_convolutions(height, width, outputs, use_bias):
    keras.utils.set_random_seed(0)
    layer = TransposedConvolution(outputs, use_bias=use_bias)
    x = np.random.default_rng(0).normal(size=(1, height, width, 24)).astype("f4")
    layer.build(x.shape)
    if use_bias:
        layer.bias.assign(np.linspace(-1, 1, outputs))
    expected = layer(x)
    graph = conversion.convert_function(
        "up", lambda inputs: {"y": layer(inputs["x"])}, {"x": x.shape}
    )
    names = [graph.name(operator) for operator in graph.subgraph.operators]
    assert names == ["PAD", "CONV_2D", "DEPTH_TO_SPACE", "SLICE", "LEAKY_RELU"]
    content = graph.to_bytes()
    found = Interpreter(model_content=content)
    found.allocate_tensors()
    found = found.get_signature_runner("up")(x=x)["y"]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    weights = sum(len(_bytes(buffer)) for buffer in Graph(content).model.buffers)
    assert weights < 4 * layer.count_params() + 4096  # the old kernel is gone


def found_and_expected(layer, shape):
    """(graph, a layer's result in LiteRT, in Keras)."""
    x = np.random.default_rng(0).normal(size=shape).astype("f4")
    expected = np.asarray(layer(x))
    graph = conversion.convert_function(
        "part", lambda inputs: {"y": layer(inputs["x"])}, {"x": shape}
    )
    found = Interpreter(model_content=graph.to_bytes())
    found.allocate_tensors()
    return graph, found.get_signature_runner("part")(x=x)["y"], expected


@pytest.mark.parametrize("padding", ["same", "valid", "around", "before"])
@pytest.mark.parametrize(
    ("kernel", "strides", "wide"),
    [((7, 7), 1, 4), ((8, 7), (2, 1), 4), ((7, 8), (1, 3), 3), ((8, 7), 2, 4), ((3, 6), 5, 2)],
)
def test_pixels_side_by_side_give_the_same_convolution(kernel, strides, wide, padding):
    keras.utils.set_random_seed(0)
    layer = keras.layers.Conv2D(
        24,
        kernel,
        strides,
        "same" if padding == "same" else "valid",
        bias_initializer="random_normal",
        activation="relu",
    )
    margins = {
        "around": ((0, 0), (2, 2), (3, 3), (0, 0)),
        "before": ((0, 0), (3, 0), (6, 0), (0, 0)),
    }

    def padded(x):
        return layer(keras.ops.pad(x, margins[padding]) if padding in margins else x)

    graph, found, expected = found_and_expected(padded, (2, 13, 20, 3))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    (convolution,) = (o for o in graph.subgraph.operators if graph.name(o) == "CONV_2D")
    assert graph.shape(convolution.inputs[1])[1:3] == (kernel[0], wide)
    assert float_selection.image_layers(graph) == []  # two pixels, not two images
    assert convolution.builtinOptions.strideW == 1


@pytest.mark.parametrize(
    ("kernel", "strides", "shape"),
    [
        (7, 1, (1, 16, 15, 3)),  # an odd number of pixels
        (3, 5, (1, 16, 21, 3)),  # pixels behind the last window
        (5, 1, (1, 16, 16, 3)),  # a small window
        (7, 1, (1, 16, 16, 5)),  # too many channels to gain
    ],
)
def test_other_first_layers_stay(kernel, strides, shape):
    layer = keras.layers.Conv2D(8, kernel, strides, bias_initializer="random_normal")
    graph, found, expected = found_and_expected(layer, shape)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert [graph.name(o) for o in graph.subgraph.operators] == ["CONV_2D"]


@pytest.mark.parametrize(
    ("step", "shape"), [(2, (1, 6, 8, 5)), (2, (2, 7, 9, 16)), (3, (1, 7, 6, 4))]
)
def test_every_nth_pixel_is_a_convolution(step, shape):
    graph, found, expected = found_and_expected(lambda x: x[:, ::step, ::step], shape)
    np.testing.assert_array_equal(found, expected)
    assert [graph.name(o) for o in graph.subgraph.operators] == ["DEPTHWISE_CONV_2D"]


@pytest.mark.parametrize("index", [np.s_[:, 1::2, ::2], np.s_[:, ::2, ::3], np.s_[:, :6:2, ::2]])
def test_other_slices_with_steps_stay(index):
    graph, found, expected = found_and_expected(lambda x: x[index], (1, 8, 8, 4))
    np.testing.assert_array_equal(found, expected)
    assert [graph.name(o) for o in graph.subgraph.operators] == ["STRIDED_SLICE"]


def grouped(filters, kernel, strides, groups):
    return lambda: keras.layers.Conv2D(filters, kernel, strides, "same", groups=groups)


def free_of_its_mean(x, activation):
    mean = keras.ops.mean(x, -1, keepdims=True)
    variance = keras.ops.mean(tf.math.squared_difference(x, mean), -1, keepdims=True)
    return activation(x - mean) * keras.ops.rsqrt(variance + 1e-3)


def relu_of_what_is_free_of_its_mean():
    convolution = keras.layers.Conv2D(32, 3, padding="same")
    return lambda x: free_of_its_mean(convolution(x), keras.ops.relu)


@pytest.mark.parametrize(
    ("made", "shape"),
    [
        (grouped(2, 3, 1, 2), (1, 48, 64, 64)),
        (grouped(32, 5, 1, 2), (1, 32, 64, 8)),
        (grouped(32, 5, 1, 8), (1, 32, 64, 32)),
        (grouped(12, 7, 4, 3), (1, 32, 64, 3)),
        (relu_of_what_is_free_of_its_mean, (1, 32, 64, 16)),
        (
            lambda: keras.layers.Conv2DTranspose(8, 4, 2, "same", output_padding=1),
            (1, 8, 16, 16),  # becomes 15x31
        ),
        # As many values as channels, along another axis.
        (lambda: lambda x: x - np.float32([1, 2]).reshape(2, 1, 1, 1), (2, 16, 16, 2)),
        (lambda: lambda x: x - np.float32([1, 2, 3]).reshape(3, 1), (1, 16, 3, 3)),
        (lambda: lambda x: x - np.float32([1, 2, 3]).reshape(3, 1, 1), (1, 1, 16, 3)),
        (
            lambda: (
                lambda x: keras.ops.concatenate([x - np.float32([1, 2]).reshape(2, 1, 1, 1), x], -1)
            ),
            (2, 48, 64, 2),
        ),
        # No floats.
        (lambda: lambda x: keras.ops.cast((x > 0)[:, ::2, ::2], "float32"), (1, 16, 16, 3)),
        (
            lambda: lambda x: keras.ops.cast(keras.ops.cast(x, "int32") - [1, 2, 3], "float32"),
            (1, 16, 16, 3),
        ),
    ],
)
def test_what_looks_like_something_else_stays_right(made, shape):
    keras.utils.set_random_seed(0)
    _, found, expected = found_and_expected(made(), shape)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_kernel_of_a_layer_that_is_used_twice_is_stored_once():
    layer = TransposedConvolution(64)

    def both(x):
        return keras.ops.concatenate([layer(x), layer(x + 1.0)], -1)

    graph, found, expected = found_and_expected(both, (1, 6, 8, 32))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert sum(len(_bytes(b)) for b in graph.model.buffers) < 4 * layer.count_params() + 8192


def test_pixels_of_unit_length_stay_in_float_when_every_second_is_matched():
    def nets(x):
        unit = x * keras.ops.rsqrt(keras.ops.sum(keras.ops.square(x), -1, keepdims=True))
        some = unit[:, ::2, ::2]
        return keras.ops.matmul(some, keras.ops.transpose(some, (0, 1, 3, 2)))

    graph, _, _ = found_and_expected(nets, (1, 8, 8, 16))
    steps = [o for o in graph.subgraph.operators if graph.name(o) == "DEPTHWISE_CONV_2D"]
    assert steps and {graph.tensor_name(o.outputs[0]) for o in steps} <= {
        *float_selection.matching(graph)
    }


@pytest.mark.parametrize(("strides", "activation"), [(2, None), (3, "relu")])
def test_a_depthwise_convolution_of_two_images_takes_one_after_the_other(strides, activation):
    keras.utils.set_random_seed(0)
    layer = keras.layers.DepthwiseConv2D(
        3, strides, bias_initializer="random_normal", activation=activation
    )
    mean = np.float32([0.1, 0.2, 0.3])

    def first(x):
        joined = keras.ops.concatenate([x - mean, keras.ops.tanh(x)], -1)
        return layer(keras.ops.pad(joined, ((0, 0), (1, 2), (2, 1), (0, 0))))

    graph, found, expected = found_and_expected(first, (1, 11, 14, 3))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    kinds = {graph.name(o) for o in graph.subgraph.operators}
    assert "CONV_2D" in kinds and not kinds & {"DEPTHWISE_CONV_2D", "CONCATENATION"}


@pytest.mark.parametrize("shape", [(1, 4, 6, 3), (2, 1, 5, 4)])
def test_a_mean_is_subtracted_from_whole_rows(shape):
    mean = np.arange(1, shape[-1] + 1).astype(np.float32)
    graph, found, expected = found_and_expected(lambda x: keras.ops.subtract(x, mean), shape)
    np.testing.assert_array_equal(found, expected)
    assert [graph.name(o) for o in graph.subgraph.operators] == ["RESHAPE", "SUB", "RESHAPE"]


@pytest.mark.parametrize(
    ("filters", "kernel", "strides", "padding"),
    [
        *[(8, 4, 1, "same"), (8, 4, 2, "valid"), (8, 3, 2, "same"), (8, 2, 2, "same")],
        (2, 4, 2, "same"),  # a flow
    ],
)
def test_other_transposed_convolutions_stay(filters, kernel, strides, padding):
    layer = keras.layers.Conv2DTranspose(filters, kernel, strides, padding)
    layer.build((1, 6, 6, 16))
    graph = conversion.convert_function(
        "up", lambda inputs: {"y": layer(inputs["x"])}, {"x": (1, 6, 6, 16)}
    )
    assert "TRANSPOSE_CONV" in {graph.name(operator) for operator in graph.subgraph.operators}


@pytest.mark.parametrize(
    ("outputs", "channels", "size", "options"),
    [
        (5, 64, 64, {}),  # enough outputs
        (2, 12, 64, {}),  # little to multiply for each of 18 products
        (2, 32, 32, {}),  # a small map
        (2, 32, 64, {"strides": 2}),
        (2, 32, 64, {"activation": "relu"}),
    ],
)
def test_other_convolutions_stay(outputs, channels, size, options):
    layer = keras.layers.Conv2D(outputs, 3, padding="same", **options)
    shape = (1, size, size, channels)
    layer.build(shape)
    graph = conversion.convert_function(
        "other", lambda inputs: {"y": layer(inputs["x"])}, {"x": shape}
    )
    assert "DEPTHWISE_CONV_2D" not in {graph.name(op) for op in graph.subgraph.operators}


@pytest.mark.parametrize("spread", [1.0, 13.0])  # 13: two logits 69 and 74 above the middle
def test_convex_upsampling_is_the_same_without_softmax(spread):
    keras.utils.set_random_seed(0)
    layer = keras.layers.Conv2D(9 * 16, 1)
    rng = np.random.default_rng(0)
    x, flow = rng.normal(0, 5, (1, 6, 7, 8)), rng.normal(0, 9, (1, 6, 7, 2))
    layer.build(x.shape)
    bias = spread * rng.normal(size=layer.bias.shape)
    layer.bias.assign(bias)
    layer.kernel.assign(layer.kernel / spread)

    def upsampled(inputs):
        return {"y": 3.0 * tfflow.ops.upsample_convex(inputs["flow"], layer(inputs["x"]), 4)}

    inputs = {"x": np.float32(x), "flow": np.float32(flow)}
    expected = upsampled(inputs)["y"]
    shapes = {name: array.shape for name, array in inputs.items()}
    content = conversion.convert_function("upsample", upsampled, shapes).to_bytes()
    graph = Graph(content)
    names = {graph.name(operator) for operator in graph.subgraph.operators}
    assert "EXP" in names and not names & {"SOFTMAX", "MUL"}
    found = Interpreter(model_content=content)
    found.allocate_tensors()
    found = found.get_signature_runner("upsample")(**inputs)["y"]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


def test_where_a_warp_looks_is_not_in_int8_even_where_flow_is(pairs):
    class Warping(tfflow.models.FlowModel):
        def __init__(self):
            super().__init__(name="warping")
            self.features = keras.layers.Conv2D(8, 5, 4, "same", name="features")
            self.first, self.second = (
                keras.layers.Conv2D(2, 3, 1, "same", name=name) for name in ("first", "second")
            )
            self.build()

        def estimate(self, image1, image2, training=None):
            features1, features2 = self.features(image1), self.features(image2)
            flow = 40.0 * self.first(features1 - features2)
            warped = tfflow.ops.warp(features2, flow, padding="border")
            return {"flow2": flow + self.second(features1 - warped)}

    graph = conversion.convert(Warping(), SIZE)
    quantized = quantization.quantize(
        graph, "int8", size=SIZE, calibration=pairs[:2], heads_in_float=False
    )
    consumers = quantized.consumers()
    position = {"ADD", "SUB", "MINIMUM", "RELU", "RESHAPE", "FULLY_CONNECTED", "BATCH_MATMUL"}
    seen, waiting = [], [op for op in quantized.subgraph.operators if quantized.name(op) == "FLOOR"]
    assert len(waiting) == 1
    while waiting:
        operator = waiting.pop()
        kind = quantized.name(operator)
        seen.append(kind)
        if kind == "QUANTIZE":  # the weights, from 0 to 1, where they meet the features
            assert quantized.tensor(operator.outputs[0]).quantization.scale[0] < 0.005
        if kind == "FLOOR" or kind in position:
            waiting += consumers[operator.outputs[0]]
    assert seen.count("CAST") == 2 and "SUB" in seen


@pytest.mark.parametrize(
    ("side", "channels", "outputs", "margins", "padded"),
    [
        (16, 32, 32, (1, 1), False),
        (16, 32, 64, (1, 1), True),  # many products with zeros
        (16, 32, 32, (1, 2), True),  # other padding than a larger kernel has
        (16, 3, 32, (1, 1), True),  # in float, as its kernel is small
    ],
)
def test_dynamic_files_pad_by_a_larger_kernel(side, channels, outputs, margins, padded):
    keras.utils.set_random_seed(0)
    layer = keras.layers.Conv2D(outputs, 3, 2, bias_initializer="random_normal")
    around = ((0, 0), margins, margins, (0, 0))
    graph, _, expected = found_and_expected(
        lambda x: layer(keras.ops.pad(x, around)), (1, side, side, channels)
    )
    for kept, pads in ((None, padded), (lambda graph: results(graph), True)):
        quantized = quantization.quantize(graph, "dynamic", size=(side, side), kept=kept)
        kinds = [quantized.name(o) for o in quantized.subgraph.operators]
        assert kinds == (["PAD", "CONV_2D"] if pads else ["CONV_2D"])
        found = Interpreter(model_content=quantized.to_bytes())
        found.allocate_tensors()
        x = np.random.default_rng(0).normal(size=(1, side, side, channels)).astype("f4")
        found = found.get_signature_runner("part")(x=x)["y"]
        np.testing.assert_allclose(found, expected, atol=0.05 if kept is None else 1e-5)


def results(graph):
    return [graph.tensor_name(o.outputs[0]) for o in graph.subgraph.operators]
