"""The quantization modes of an exported file, made of its float32 graph by ai-edge-quantizer."""

import contextlib
import dataclasses
import functools
import io
import re
import threading
import warnings
from typing import Literal, TypeAlias

import numpy as np

from tfflow.suggestion import suggestion
from tfflow.tflite.building import EXACT
from tfflow.tflite.calibration import measure_ranges
from tfflow.tflite.convex_form import drop_idle_limits
from tfflow.tflite.graph import NO_LOOPS, Graph
from tfflow.tflite.rewriting import name_signature, stay_integer, take_uint8_images

Quantization: TypeAlias = Literal[
    "float32", "float16", "weights", "dynamic", "int8", "int8_uint8", "int16x8"
]
QUANTIZATIONS: dict[Quantization, str] = {
    "float32": "float32 weights and activations",
    "float16": "float16 weights, float32 activations; half the size",
    "weights": "int8 weights, float32 activations; weights become float32 when the file is opened",
    "dynamic": "int8 weights, float32 activations, quantised on the fly for large convolutions",
    "int8": "int8 weights and activations; images and flow float32",
    "int8_uint8": "int8, images as uint8 (scale 1/255), flow float32",
    "int16x8": "int8 weights, int16 activations; exact, and slow: XNNPACK lacks kernels for it",
}
_ONE_AT_A_TIME = threading.Lock()

CALIBRATED = ("int8", "int8_uint8", "int16x8")

# Smaller weights stay float in "dynamic": they take little space, and quantising activations of few
# channels on the fly costs more time than it saves (LightFlow: 13.6 ms against 4.6 ms).
MIN_DYNAMIC_WEIGHTS = 1024

# The operators that have weights, by the quantiser's names.
WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D_TRANSPOSE", "FULLY_CONNECTED")

# The search for a cost volume's operands ends at LAYERS; its values pass through the others.
LAYERS = (
    *("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED"),
    *("LEAKY_RELU", "RESIZE_BILINEAR", "DEPTH_TO_SPACE"),
)
ELEMENTWISE = ("ADD", "SUB", "MUL", "GATHER", "SOFTMAX", "REDUCE_MAX")
MOVES = ("RESHAPE", "PAD", "SLICE", "STRIDED_SLICE", "TRANSPOSE")

# Operators between images, or maps, and the layer that reads them.
ARRANGING = ("CONCATENATION", "PAD", "RESHAPE", "SUB")

# LiteRT's kernels for these take no int16.
NO_INT16 = ("DEPTH_TO_SPACE",)

LARGEST_KERNEL = 32 << 20  # bytes: see _mend_quantizer

PAIR_CHANNELS = 6  # of two images side by side
IMAGES = 2  # a batch of two at most: both images of a pair


def check_quantization(name):
    """Raises ValueError with the nearest name if ``name`` is no quantization."""
    if name not in QUANTIZATIONS:
        known = ", ".join(QUANTIZATIONS)
        raise ValueError(
            f"quantization must be one of {known}; got {name!r}. {suggestion(name, QUANTIZATIONS)}"
        )


def quantize(
    graph,
    quantization,
    *,
    size,
    calibration=None,
    outliers=None,
    heads_in_float=True,
    kept=None,
    ranges=None,
):
    """A float32 graph in another quantization mode.

    Args:
        graph: The float32 :class:`Graph`; it stays as it is.
        quantization: A key of :data:`QUANTIZATIONS`.
        size: (height, width) of its inputs.
        calibration: Image pairs, for the modes in :data:`CALIBRATED`.
        outliers: What the calibration leaves out, see :func:`measure_ranges`.
        heads_in_float: Keep what :func:`flow_heads` finds in float32, in modes int8 and dynamic.
        kept: What else to keep in float32 there: a function from the :class:`Graph` to the names of
            operators' results.
        ranges: Instead of ``calibration``, as :func:`measure_ranges` gives them.

    Returns:
        The new :class:`Graph`.
    """
    content = graph.to_bytes()
    if quantization == "float32":
        return Graph(content)
    if quantization == "float16":
        return _weights_alone(content, _float16_weights(), "float_casting")
    if quantization == "weights":
        return _weights_alone(content, _int8_weights(), "min_max_uniform_quantize")
    kept = set(kept(graph)) if kept else set()
    kept |= {*feeding(graph, kept), *exact(graph)}
    if heads_in_float:
        kept |= set(flow_heads(graph))
    if quantization == "dynamic":
        return _dynamic(content, kept)

    if quantization == "int16x8":
        kept |= set(_without_int16(graph))
    elif heads_in_float:
        of_images = image_layers(graph)
        kept |= {*of_images, *feeding(graph, of_images)}
    kept |= {*coordinates(graph), *matching(graph)}
    if ranges is None:
        ranges = measure_ranges(graph, calibration, size, outliers)
    if len(graph.model.subgraphs) > 1:
        raise ValueError(f"Loops can't be in {quantization}. {NO_LOOPS}")
    graph = _static(content, ranges, kept, 16 if quantization == "int16x8" else 8)
    name_signature(graph)
    if quantization != "int16x8":
        stay_integer(graph)
        drop_idle_limits(graph)
    if quantization == "int8_uint8":
        take_uint8_images(graph)
    return graph


def flow_heads(graph):
    """Names of the operators that make flow, which int8 would ruin.

    A flow of ±100 px in 256 steps is off by up to 0.4 px, at each of five levels that are summed:
    all in int8, a trained LightFlow was 0.74 px from Keras's flow instead of 0.45 px. Heads are
    operators whose result, or all of whose computed operands, are maps of one or two channels
    (a gate, a flow), or of three or four predicted by a convolution (both), and the separable
    convolutions that predict such maps. They are small: float costs a twentieth of the time.
    """
    producers = graph.producers()

    def is_flow(number):
        shape = graph.shape(number)
        made_by = producers.get(number)
        predicted = made_by is not None and graph.name(made_by) == "CONV_2D"
        # Maps, and lists of pixels.
        return len(shape) in (2, 4) and shape[-1] <= (4 if predicted else 2)

    heads = []
    for operator in graph.subgraph.operators:
        computed = [number for number in operator.inputs if number in producers]
        makes_flow = is_flow(operator.outputs[0])
        if not makes_flow and not (computed and all(map(is_flow, computed))):
            continue
        heads.append(operator)
        if makes_flow and graph.name(operator) == "CONV_2D":
            before = producers.get(operator.inputs[0])
            if before is not None and graph.name(before) == "LEAKY_RELU":
                heads.append(before)
                before = producers.get(before.inputs[0])
            if before is not None and graph.name(before) == "DEPTHWISE_CONV_2D":
                heads.append(before)
    return sorted({graph.tensor_name(operator.outputs[0]) for operator in heads})


def coordinates(graph):
    """Names of the operators that compute where a warp looks, and with what weights.

    They are maps without channels, (B, h, w), and those of one or two channels from which a
    gather's indices come, or that follow from their whole numbers. In 256 steps, a map 48 wide
    would be off by a tenth of a pixel, and one 512 wide by a pixel.
    """
    producers, consumers = graph.producers(), graph.consumers()

    def is_thin(operator):
        """No layer's result: a map of one or two channels, or a list of numbers."""
        shape = graph.shape(operator.outputs[0])
        thin = len(shape) == 1 or shape[-1] <= 2
        return thin and graph.name(operator) not in ("CONV_2D", "DEPTHWISE_CONV_2D")

    def connected(operators, neighbours):
        found, waiting = {}, [*operators]
        while waiting:
            operator = waiting.pop()
            if operator is not None and id(operator) not in found and is_thin(operator):
                found[id(operator)] = operator
                waiting += neighbours(operator)
        return [*found.values()]

    def sources(operator):
        return [producers.get(number) for number in operator.inputs]

    operators = graph.subgraph.operators
    gathers = [op for op in operators if graph.name(op) == "GATHER"]
    places = connected([producers.get(op.inputs[1]) for op in gathers], sources)
    whole = [op for op in places if graph.name(op) == "FLOOR"]
    weights = connected(whole, lambda operator: consumers[operator.outputs[0]])
    maps = [op for op in operators if len(graph.shape(op.outputs[0])) == 3]
    return sorted({graph.tensor_name(op.outputs[0]) for op in (*maps, *places, *weights)})


def matching(graph):
    """Names of the operators of cost volumes, their operands and what follows from their values.

    XNNPACK takes no int8 BATCH_MATMUL: in LiteRT's own kernels RillFlow's cost volumes take 44 ms
    of 72, in float 8 ms. The products or differences by which features of unit length are compared
    are also too small for int8 to distinguish.
    """
    producers, consumers = graph.producers(), graph.consumers()
    starts = [op for op in graph.subgraph.operators if graph.name(op) in ("BATCH_MATMUL", "RSQRT")]

    def is_layer(operator):
        # A depthwise convolution of one tap takes every n-th pixel.
        name = graph.name(operator)
        taps = graph.shape(operator.inputs[1])[1:3] if name == "DEPTHWISE_CONV_2D" else None
        return name in LAYERS and taps != (1, 1)

    def operands(operator):
        found = (producers.get(number) for number in operator.inputs)
        return [op for op in found if op is not None and not is_layer(op)]

    def readers(operator):
        found = consumers.get(operator.outputs[0], ())
        return [
            op
            for op in found
            if graph.name(op) in (*ELEMENTWISE, *MOVES) or not is_map(op.outputs[0])
        ]

    def is_map(number):
        """False for the rows of a cost volume, which are joined tile by tile."""
        shape = graph.shape(number)
        return len(shape) < 4 or (len(shape) == 4 and shape[0] <= IMAGES)

    found = {}
    for following in (operands, readers):
        waiting, seen = [*starts], set()
        while waiting:
            operator = waiting.pop()
            if id(operator) not in seen:
                seen.add(id(operator))
                found[id(operator)] = operator
                waiting += following(operator)
    return sorted({graph.tensor_name(operator.outputs[0]) for operator in found.values()})


def image_layers(graph):
    """Names of the operators that join two images, and of the first layer that reads them.

    All other layers inherit the first layer's int8 error: in LightFlow, it was the largest part of
    the distance from Keras, and of the EPE where motions are small. In float it costs a tenth of
    the time. (A siamese network reads its images one by one; its first layer is a large one.)
    """
    height = max(graph.shape(number)[1] for number in graph.subgraph.inputs)
    producers = graph.producers()

    def is_pair(number):
        shape = graph.shape(number)
        return len(shape) == 4 and shape[-1] == PAIR_CHANNELS and 2 * shape[1] >= height

    layers = []
    for operator in graph.subgraph.operators:
        source = operator.inputs[0]
        follows = graph.name(operator) == "LEAKY_RELU" and producers.get(source) in layers
        if follows or is_pair(source) or is_pair(operator.outputs[0]):
            layers.append(operator)
    return sorted({graph.tensor_name(operator.outputs[0]) for operator in layers})


def exact(graph):
    """Names of the operators that the export added for float only."""
    names = (graph.tensor_name(operator.outputs[0]) for operator in graph.subgraph.operators)
    return sorted(name for name in names if name.endswith(EXACT))


def feeding(graph, kept):
    """Names of the operators that only arrange what only operators in float read.

    In int8 they would round for nothing and be converted to float right after: RubberWhale was
    0.461 px with the inputs of RillFlow's second refinement joined in int8, 0.438 in float.
    """
    consumers = graph.consumers()
    kept, found = set(kept), []
    for operator in reversed(graph.subgraph.operators):
        result = operator.outputs[0]
        readers = {graph.tensor_name(reader.outputs[0]) for reader in consumers[result]}
        if graph.name(operator) in ARRANGING and readers and readers <= kept:
            found.append(graph.tensor_name(result))
            kept.add(found[-1])
    return sorted(found)


def _without_int16(graph):
    return sorted(
        graph.tensor_name(operator.outputs[0])
        for operator in graph.subgraph.operators
        if graph.name(operator) in NO_INT16
    )


def _weights_alone(content, weights, algorithm):
    from ai_edge_quantizer import qtyping

    config = qtyping.OpQuantizationConfig(
        weight_tensor_config=weights,
        compute_precision=qtyping.ComputePrecision.FLOAT,
        explicit_dequantize=True,
    )
    return _run(content, [(".*", kind, config, algorithm) for kind in WEIGHTED])


def _dynamic(content, kept):
    from ai_edge_quantizer import qtyping

    config = qtyping.OpQuantizationConfig(
        weight_tensor_config=_int8_weights(),
        compute_precision=qtyping.ComputePrecision.INTEGER,
        explicit_dequantize=False,
        min_weight_elements=MIN_DYNAMIC_WEIGHTS,
    )
    # Depthwise convolutions would leave the delegate in this form.
    kinds = ("CONV_2D", "CONV_2D_TRANSPOSE", "FULLY_CONNECTED")
    rules = [(".*", kind, config, "min_max_uniform_quantize") for kind in kinds]
    return _run(content, rules + _in_float(kept))


def _static(content, ranges, kept, bits):
    from ai_edge_quantizer import qtyping

    activations = qtyping.TensorQuantizationConfig(num_bits=bits, symmetric=bits == 16)
    config = qtyping.OpQuantizationConfig(
        activation_tensor_config=activations,
        weight_tensor_config=_int8_weights(),
        compute_precision=qtyping.ComputePrecision.INTEGER,
        explicit_dequantize=False,
    )
    rules = [
        (".*", "*", config, "min_max_uniform_quantize"),
        (".*", "INPUT", None, "no_quantize"),
        (".*", "OUTPUT", None, "no_quantize"),
    ]
    calibrated = {
        name: {"min": np.full((1, 1, 1, 1), low), "max": np.full((1, 1, 1, 1), high)}
        for name, (low, high) in ranges.items()
    }
    return _run(content, rules + _in_float(kept), calibrated)


def _float16_weights():
    from ai_edge_quantizer import qtyping

    return qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT)


def _int8_weights():
    from ai_edge_quantizer import qtyping

    channelwise = qtyping.QuantGranularity.CHANNELWISE
    return qtyping.TensorQuantizationConfig(num_bits=8, symmetric=True, granularity=channelwise)


def _in_float(names):
    """The quantiser's rules that leave the operators with these results as they are."""
    # It matches against the names of all of an operator's results, each followed by a semicolon.
    # In one pattern: Python forgets compiled patterns above 512, and the quantiser looks for each
    # at every operator; compiling them anew was 95% of an int8 export.
    either = "|".join(map(re.escape, sorted(names)))
    return [(f"^(?:{either});?$", "*", None, "no_quantize")] if names else []


def _run(content, rules, calibrated=None):
    from ai_edge_quantizer import qtyping, quantizer

    _mend_quantizer()
    run = quantizer.Quantizer(content)
    for pattern, kind, config, algorithm in rules:
        run.update_quantization_recipe(
            pattern, qtyping.TFLOperationName(kind), config, algorithm_key=algorithm
        )
    # It draws a progress bar even when told not to, and warns of its own use of the interpreter.
    # Both belong to the process: of two threads, the second would keep the first one's silence.
    with _ONE_AT_A_TIME, contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = run.quantize(calibrated, enable_progress_bar=False, enable_progress_report=False)
    return Graph(bytes(result.quantized_model))


@functools.cache
def _mend_quantizer():
    """Lets ai-edge-quantizer round kernels above 32 MiB, such as FlowNetS's, part by part.

    Its version 0.10 makes two dimensions of such a kernel, but not of its scales, and fails.
    """
    from ai_edge_quantizer.algorithms.uniform_quantize import uniform_quantize_tensor

    original = uniform_quantize_tensor.uniform_quantize

    def in_parts(values, parameters, *arguments, **settings):
        parts = -(-values.nbytes // LARGEST_KERNEL)
        if values.ndim < 3 or parts < 2 or parameters.quantized_dimension != 0:
            return original(values, parameters, *arguments, **settings)
        rounded = [
            original(
                values[channels],
                dataclasses.replace(
                    parameters,
                    scale=parameters.scale[channels],
                    zero_point=parameters.zero_point[channels],
                ),
                *arguments,
                **settings,
            )
            for channels in np.array_split(np.arange(len(values)), parts)
        ]
        return np.concatenate(rounded)

    uniform_quantize_tensor.uniform_quantize = in_parts
