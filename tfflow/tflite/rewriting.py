"""Changes to a graph that keep its meaning and make it faster on LiteRT's XNNPACK delegate."""

import copy

import numpy as np
from ai_edge_litert import schema_py_generated as schema

# The most inputs of a concatenation that XNNPACK takes.
WIDEST = 4
# Joining maps of so few channels moves a few bytes at a time.
THIN = 4


def name_signature(graph):
    """Puts inputs and outputs in the order of the signature, under its names.

    The converter orders a SavedModel's inputs as it likes (image2 before image1) and calls the
    output ``StatefulPartitionedCall:0``; code that goes by index or tensor name must not have to
    know. Where an output is also read within the graph, the quantiser lists another tensor as
    output than the signature does. An output with the name of an input becomes the tensor NAME_out.
    """
    inputs, outputs = (dict(sorted(tensors.items())) for tensors in graph.signature())
    # flow comes first, whatever else there is: Swift's interpreter knows outputs by number alone.
    outputs = dict(sorted(outputs.items(), key=lambda named: named[0] != "flow"))
    graph.subgraph.inputs, graph.subgraph.outputs = [*inputs.values()], [*outputs.values()]
    wanted = {
        **inputs,
        **{f"{name}_out" if name in inputs else name: number for name, number in outputs.items()},
    }
    for number, tensor in enumerate(graph.subgraph.tensors):
        name = tensor.name.decode()
        if wanted.get(name, number) != number:
            tensor.name = f"{name}_inner".encode()
    for name, number in wanted.items():
        graph.tensor(number).name = name.encode()


def leave_confidence_small(graph):
    """Gives the confidence at the size at which it was computed, without its last resize.

    It is as smooth as before, and whoever runs the file resizes it with the flow anyway: a frame of
    another size, a view. At 384x512 the resize takes RillFlow 0.6 ms of 33.
    """
    producers = graph.producers()
    for entry in graph.model.signatureDefs[0].outputs:
        resize = producers.get(entry.tensorIndex)
        # A constant has no operator.
        computed = entry.name == b"confidence" and resize is not None
        if computed and graph.name(resize) == "RESIZE_BILINEAR":
            outputs = graph.subgraph.outputs
            outputs[list(outputs).index(entry.tensorIndex)] = resize.inputs[0]
            entry.tensorIndex = resize.inputs[0]


def drop_unused_inputs(graph):
    """Removes inputs that no operator reads, so that nobody has to fill them."""
    consumers = graph.consumers()
    signature = graph.model.signatureDefs[0]
    signature.inputs = [entry for entry in signature.inputs if entry.tensorIndex in consumers]
    graph.subgraph.inputs = [number for number in graph.subgraph.inputs if number in consumers]


def join_thin_maps(graph):
    """Replaces the concatenation of two thin maps, such as two images, by convolutions.

    Concatenating two RGB images copies 3 values at a time: at 384x512 that took 4.8 ms in int8,
    more than all the rest of LightFlow together, and 1.3 ms in float32. Two 1x1 convolutions
    that put the channels where they belong, and their sum, take 0.9 ms, and a mean that is
    subtracted from an image becomes the convolution's bias. All of it is exact: every channel
    is 1 · x - mean, plus zeros.
    """
    graph.replace_each(lambda operator: _as_convolutions(graph, operator))


def _joins_thin_maps(graph, operator):
    if graph.name(operator) != "CONCATENATION" or len(operator.inputs) != 2:
        return False
    output = graph.tensor(operator.outputs[0])
    return (
        len(output.shape) == 4
        and operator.builtinOptions.axis in (3, -1)
        and output.type == schema.TensorType.FLOAT32
        and all(graph.constant(t) is None and graph.shape(t)[-1] <= THIN for t in operator.inputs)
    )


def _as_convolutions(graph, concatenation):
    if not _joins_thin_maps(graph, concatenation):
        return None
    joined = concatenation.outputs[0]
    shape = graph.shape(joined)
    parts, operators, offset = [], [], 0
    for number in concatenation.inputs:
        source, bias = _without_mean(graph, number)
        channels = graph.shape(source)[-1]
        name = f"{graph.tensor_name(joined)}/part{len(parts) + 1}"
        # LiteRT's filters are (out, height, width, in).
        kernel = np.zeros((shape[-1], 1, 1, channels), np.float32)
        kernel[offset : offset + channels, 0, 0] = np.eye(channels)
        biases = np.zeros(shape[-1], np.float32)
        biases[offset : offset + channels] = bias
        offset += channels

        part = graph.add_tensor(name, shape)
        operands = [
            source,
            graph.add_constant(f"{name}/kernel", kernel),
            graph.add_constant(f"{name}/bias", biases),
        ]
        options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.VALID
        options.strideH = options.strideW = 1
        operators.append(graph.new_operator("CONV_2D", operands, [part], options))
        parts.append(part)
    options = schema.AddOptionsT()
    options.fusedActivationFunction = concatenation.builtinOptions.fusedActivationFunction
    return [*operators, graph.new_operator("ADD", parts, [joined], options)]


def _without_mean(graph, number):
    """For x - mean with a constant mean per channel, (x, -mean); for any other, (itself, 0)."""
    operator = graph.producers().get(number)
    if operator is not None and graph.name(operator) == "SUB":
        source, subtrahend = operator.inputs
        mean = graph.constant(subtrahend)
        none = schema.ActivationFunctionType.NONE
        if (
            mean is not None
            and mean.size in (1, mean.shape[-1] if mean.shape else 1)
            and graph.shape(source) == graph.shape(number)
            and operator.builtinOptions.fusedActivationFunction == none
        ):
            return source, -mean.reshape(-1)
    return number, 0.0


def split_wide_concatenations(graph):
    """Joins more than four maps in groups: XNNPACK runs no wider concatenation.

    Neighbours with the fewest values come first, because what is in a group is copied twice.
    """
    graph.replace_each(lambda operator: _grouped(graph, operator))


def _grouped(graph, concatenation):
    """Concatenations of groups of inputs, as many as it takes; then that of their outputs."""
    if graph.name(concatenation) != "CONCATENATION":
        return None
    added = []
    output = graph.tensor(concatenation.outputs[0])
    axis = concatenation.builtinOptions.axis % len(output.shape)
    inputs = list(concatenation.inputs)
    while len(inputs) > WIDEST:
        sides = [graph.shape(number)[axis] for number in inputs]
        count = min(WIDEST, len(inputs) - WIDEST + 1)
        start = min(range(len(inputs) - count + 1), key=lambda i: sum(sides[i : i + count]))
        group = inputs[start : start + count]
        shape = list(output.shape)
        shape[axis] = sum(sides[start : start + count])
        name = f"{output.name.decode()}/group{len(added) + 1}"
        joined = graph.add_tensor(name, shape, output.type)
        options = copy.deepcopy(concatenation.builtinOptions)
        options.fusedActivationFunction = schema.ActivationFunctionType.NONE
        added.append(graph.new_operator("CONCATENATION", group, [joined], options))
        inputs[start : start + count] = [joined]
    concatenation.inputs = inputs
    return [*added, concatenation]


def slice_without_strides(graph):
    """Turns each STRIDED_SLICE that skips nothing into a SLICE, and a RESHAPE if it drops an axis.

    XNNPACK and GPUs support more of these.
    """
    graph.replace_each(lambda operator: _as_slice(graph, operator))


def _as_slice(graph, operator):
    """The operators that a STRIDED_SLICE is equal to; None for others, and if it skips values."""
    options = operator.builtinOptions
    if graph.name(operator) != "STRIDED_SLICE":
        return None
    begin, end, strides = (graph.constant(number) for number in operator.inputs[1:])
    if options.ellipsisMask or options.newAxisMask or options.offset:
        return None
    if begin is None or end is None or strides is None or (strides != 1).any():
        return None
    source, result = operator.inputs[0], operator.outputs[0]
    name, sides = graph.tensor_name(result), list(graph.shape(result))
    dropped = [axis for axis in range(len(begin)) if options.shrinkAxisMask >> axis & 1]
    for axis in dropped:
        sides.insert(axis, 1)
    begin = [
        0
        if options.beginMask >> axis & 1 and axis not in dropped
        else slice(int(start), None).indices(side)[0]
        for axis, (start, side) in enumerate(zip(begin, graph.shape(source)))
    ]
    numbers = {"begin": begin, "size": sides}
    operands = [graph.add_constant(f"{name}/{key}", np.int32(n)) for key, n in numbers.items()]
    if not dropped:
        return [graph.new_operator("SLICE", [source, *operands], [result], schema.SliceOptionsT())]
    part = graph.add_tensor(f"{name}/slice", sides, graph.tensor(result).type)
    shape = graph.add_constant(f"{name}/shape", np.int32(graph.shape(result)))
    return [
        graph.new_operator("SLICE", [source, *operands], [part], schema.SliceOptionsT()),
        graph.new_operator("RESHAPE", [part, shape], [result], schema.ReshapeOptionsT()),
    ]


def stay_integer(graph):
    """Lets leaky ReLU and depth-to-space run in int8, where the quantiser put floats around them.

    ai-edge-quantizer does not know these operators and writes DEQUANTIZE, LEAKY_RELU, QUANTIZE.
    LiteRT has both in int8, and XNNPACK runs them. Leaky ReLU takes the scale calibrated for its
    output; depth-to-space keeps its input's because it only moves values.
    """
    producers, consumers = graph.producers(), graph.consumers()
    operators = []
    for operator in graph.subgraph.operators:
        operators.append(operator)
        if graph.name(operator) not in ("LEAKY_RELU", "DEPTH_TO_SPACE"):
            continue
        before = producers.get(operator.inputs[0])
        result = operator.outputs[0]
        after = [op for op in consumers[result] if graph.name(op) == "QUANTIZE"]
        if before is None or graph.name(before) != "DEQUANTIZE" or not after:
            continue

        source = before.inputs[0]
        moves_only = graph.name(operator) == "DEPTH_TO_SPACE"
        scaled_as = graph.tensor(source if moves_only else after[0].outputs[0])
        integer = graph.add_tensor(
            f"{graph.tensor_name(result)}_int8",
            graph.shape(result),
            scaled_as.type,
            copy.deepcopy(scaled_as.quantization),
        )
        operator.inputs, operator.outputs = [source], [integer]
        for quantize in after:
            if _scaling(graph, quantize.outputs[0]) == _scaling(graph, integer):
                # Nothing left to do: its readers now read our result.
                for reader in consumers[quantize.outputs[0]]:
                    replace_input(reader, quantize.outputs[0], integer)
                    consumers[integer].append(reader)
            else:
                quantize.inputs = [integer]  # from one int8 scale to another
                consumers[integer].append(quantize)
        if len(after) < len(consumers[result]) or result in graph.subgraph.outputs:
            # Some read it in float: as before, through a DEQUANTIZE.
            dequantize = graph.new_operator("DEQUANTIZE", [integer], [result])
            producers[result] = dequantize
            operators.append(dequantize)
    graph.subgraph.operators = operators


def take_uint8_images(graph):
    """Makes the inputs uint8 with scale 1/255 and zero point 0: the bytes of an image as they are.

    The conversion from uint8 to int8 goes through float: XNNPACK runs DEQUANTIZE and QUANTIZE, but
    no QUANTIZE from uint8 to int8 (3.9 ms against 4.5 ms).
    """
    images = {}
    for number in graph.subgraph.inputs:
        name = graph.tensor_name(number)
        graph.tensor(number).name = f"{name}_float".encode()
        quantization = schema.QuantizationParametersT()
        quantization.scale, quantization.zeroPoint = [1.0 / 255.0], [0]
        kind = schema.TensorType.UINT8
        images[number] = graph.add_tensor(name, graph.shape(number), kind, quantization)
    graph.subgraph.inputs = list(images.values())
    for entry in graph.model.signatureDefs[0].inputs:
        entry.tensorIndex = images[entry.tensorIndex]
    graph.subgraph.operators = [
        *(graph.new_operator("DEQUANTIZE", [image], [old]) for old, image in images.items()),
        *graph.subgraph.operators,
    ]


def _scaling(graph, number):
    quantization = graph.tensor(number).quantization
    return float(quantization.scale[0]), int(quantization.zeroPoint[0])


def replace_input(operator, old, new):
    """Lets an operator read another tensor."""
    operator.inputs = [new if number == old else number for number in operator.inputs]
