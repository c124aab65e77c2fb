"""The first layers, which read images, in another form: equal, and faster on LiteRT's XNNPACK."""

import copy
import math

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfflow.tflite.building import NO_ACTIVATION, Builder

# A convolution whose pixels are put side by side has at most so many channels, and such a stride or
# so many taps along each axis: the fewest for which it was faster.
THIN, LONG_STEP, WIDE = 4, 4, 7


def subtract_from_rows(graph):
    """Subtracts a value for each channel of an image from whole rows instead of from pixels.

    XNNPACK repeats what is subtracted for each pixel: three values at a time.
    """
    graph.replace_each(lambda operator: _from_rows(graph, operator))


def _from_rows(graph, operator):
    if graph.name(operator) != "SUB":
        return None
    number, less = operator.inputs[0], graph.constant(operator.inputs[1])
    shape = graph.shape(operator.outputs[0])
    if less is None or len(shape) != 4 or graph.shape(number) != shape:
        return None
    if not 1 < shape[3] <= THIN or less.shape[-1:] != shape[3:] or less.size != shape[3]:
        return None
    if graph.constant(number) is not None or not graph.is_float(number):
        return None
    batch, height, width, channels = shape
    build = Builder(graph, graph.tensor_name(operator.outputs[0]))
    row = (batch, height, 1, width * channels)
    rows = build.reshape(number, row)
    less = build.constant("row", np.tile(less.reshape(-1), width))
    x = build("SUB", [rows, less], row, operator.builtinOptions)
    build.reshape(x, shape)
    build.operators[-1].outputs = operator.outputs
    return build.operators


def pixels_side_by_side(graph):
    """Joins neighbouring pixels into one with more channels, for convolutions with few channels.

    XNNPACK multiplies one tap's channels at a time: three for an image. In memory, a row of (W, 3)
    is also one of (W / 4, 12), so a kernel 7 wide with stride 4 becomes one 2 wide with stride 1,
    its last column empty. One with stride 1 becomes one 4 wide over pairs of pixels, of which it
    computes both results, with twice the outputs. That is a seventh more arithmetic in less time,
    in int8 in three fifths of it. The padding is added to whole rows, too.
    """
    producers, consumers = graph.producers(), graph.consumers()
    # The padding before it loses its reader, and is left out when the graph is packed.
    graph.replace_each(lambda operator: _side_by_side(graph, operator, producers, consumers))


def _side_by_side(graph, convolution, producers, consumers):
    options, kernel = convolution.builtinOptions, graph.kernel(convolution)
    if kernel is None or kernel.shape[3] > THIN or not graph.is_float(convolution.inputs[0]):
        return None
    outputs, rows, columns, channels = kernel.shape
    step = options.strideW
    number, margins = _margins(graph, convolution, kernel, producers, consumers)
    bias = graph.constant(convolution.inputs[2])
    if (
        (step < LONG_STEP and min(rows, columns) < WIDE)
        or bias is None
        or max(options.dilationWFactor, options.dilationHFactor) > 1
    ):
        return None
    batch, height, width, _ = graph.shape(number)
    _, out_height, out_width, _ = graph.shape(convolution.outputs[0])
    joined, results = (step, 1) if step > 1 else (2, 2)
    wide = -(-(columns + results - 1) // joined)
    top, left = margins
    bottom = max((out_height - 1) * options.strideH + rows - top - height, 0)
    row = joined * (out_width // results - 1 + wide)
    right = row - left - width
    if out_width % results or right < 0:
        return None
    # (outputs, …) -> (result, outputs, rows, columns, channels), each moved by its place.
    moved = np.zeros((results, outputs, rows, wide * joined, channels), np.float32)
    for place in range(results):
        moved[place, :, :, place : place + columns] = kernel

    build = Builder(graph, graph.operator_name(convolution))
    x = build.reshape(number, (batch, height, 1, width * channels))
    added = np.int32([[0, 0], [top, bottom], [0, 0], [left * channels, right * channels]])
    if added.any():
        height += top + bottom
        shape = (batch, height, 1, row * channels)
        x = build("PAD", [x, build.constant("margins", added)], shape, schema.PadOptionsT())
    x = build.reshape(x, (batch, height, row // joined, joined * channels))
    kernel = moved.reshape(results * outputs, rows, wide, joined * channels)
    size = (batch, out_height, out_width // results)
    x = build.convolution(x, kernel, np.tile(bias, results), size)
    changed = build.operators[-1].builtinOptions
    changed.strideH = options.strideH
    changed.fusedActivationFunction = options.fusedActivationFunction
    if results > 1:
        build.reshape(x, graph.shape(convolution.outputs[0]))
    build.operators[-1].outputs = convolution.outputs
    return build.operators


def _margins(graph, convolution, kernel, producers, consumers):
    """What a convolution reads without its padding, and the rows and columns before it."""
    number, options = convolution.inputs[0], convolution.builtinOptions
    if options.padding == schema.Padding.SAME:
        before = []
        steps = (options.strideH, options.strideW)
        sides = zip(graph.shape(number)[1:3], kernel.shape[1:3], steps, strict=True)
        for side, taps, step in sides:
            before.append(max((-(-side // step) - 1) * step + taps - side, 0) // 2)
        return number, before
    pad = producers.get(number)
    if pad is None or graph.name(pad) != "PAD" or len(consumers[number]) != 1:
        return number, [0, 0]
    margins = graph.constant(pad.inputs[1])
    if margins is None or margins[0].any() or margins[3].any():
        return number, [0, 0]
    return pad.inputs[0], margins[1:3, 0].tolist()


def depthwise_of_two_images(graph):
    """Joins two images behind a depthwise convolution that reads them side by side.

    Joining copies three values at a time. Instead, each image has a convolution that makes all of
    the channels, the other image's from zeros, and these are added up at the size of the result.
    """
    producers, consumers = graph.producers(), graph.consumers()
    graph.replace_each(lambda operator: _image_by_image(graph, operator, producers, consumers))


def _image_by_image(graph, depthwise, producers, consumers):
    if graph.name(depthwise) != "DEPTHWISE_CONV_2D":
        return None
    pad = producers.get(depthwise.inputs[0])
    joined = producers.get(pad.inputs[0]) if pad and graph.name(pad) == "PAD" else None
    if joined is None or graph.name(joined) != "CONCATENATION":
        return None
    options, margins = depthwise.builtinOptions, graph.constant(pad.inputs[1])
    kernel, bias = (graph.constant(number) for number in depthwise.inputs[1:])
    images = joined.inputs
    shapes = [graph.shape(number) for number in images]
    channels = sum(shape[-1] for shape in shapes)
    if (
        len(images) != 2
        or max(shape[-1] for shape in shapes) > THIN
        or joined.builtinOptions.axis not in (3, -1)
        or joined.builtinOptions.fusedActivationFunction != NO_ACTIVATION
        or any(len(consumers[each.outputs[0]]) != 1 for each in (joined, pad))
        or margins is None
        or margins[3].any()
        or kernel is None
        or bias is None
        or kernel.shape[-1] != channels
        or options.padding != schema.Padding.VALID
        or options.strideW != options.strideH
        or options.strideW < 2
        or max(options.dilationWFactor, options.dilationHFactor) > 1
    ):
        return None
    build = Builder(graph, graph.operator_name(depthwise))
    result = graph.shape(depthwise.outputs[0])
    parts, start = [], 0
    for number, shape in zip(images, shapes, strict=True):
        end = start + shape[-1]
        padded = tuple(side + sum(added) for side, added in zip(shape, margins.tolist()))
        x = build("PAD", [number, pad.inputs[1]], padded, schema.PadOptionsT())
        own = np.zeros((channels, *kernel.shape[1:3], shape[-1]), np.float32)
        for channel in range(start, end):
            own[channel, :, :, channel - start] = kernel[0, :, :, channel]
        some = np.zeros_like(bias)
        some[start:end] = bias[start:end]
        parts.append(build.convolution(x, own, some, result[:3]))
        step = build.operators[-1].builtinOptions
        step.strideH = step.strideW = options.strideW
        start = end
    added = schema.AddOptionsT()
    added.fusedActivationFunction = options.fusedActivationFunction
    return [
        *build.operators,
        graph.new_operator("ADD", parts, depthwise.outputs, added),
    ]


def join_images_later(graph):
    """Joins a batch of two images after the first layer that reads them, if its map is smaller.

    A siamese network's images are concatenated only to be read by one convolution: copying all
    their pixels takes 0.6 ms at 384x512, copying the convolution's results 0.2 ms.
    """
    consumers = graph.consumers()
    for concatenation in graph.subgraph.operators:
        images = concatenation.inputs
        if (
            graph.name(concatenation) != "CONCATENATION"
            or concatenation.builtinOptions.axis != 0
            or len(images) < 2
            or any(number not in graph.subgraph.inputs for number in images)
            or concatenation.builtinOptions.fusedActivationFunction != NO_ACTIVATION
        ):
            continue
        chain = _first_layer(graph, concatenation, consumers)
        if chain and _smaller(graph, chain[-1].outputs[0], concatenation.outputs[0]):
            _join_behind(graph, concatenation, chain)
            return


def _smaller(graph, number, other):
    return math.prod(graph.shape(number)) < math.prod(graph.shape(other))


def _first_layer(graph, concatenation, consumers):
    """The operators from a concatenation to the first convolution's activation; [] without one."""
    chain, number = [], concatenation.outputs[0]
    while True:
        readers = consumers[number]
        last = graph.name(chain[-1]) if chain else None
        if last == "LEAKY_RELU":
            return chain
        if len(readers) != 1 or number in graph.subgraph.outputs:
            break
        (operator,) = readers
        wanted = ("LEAKY_RELU",) if last == "CONV_2D" else ("SUB", "PAD", "CONV_2D")
        constants = [t for t in operator.inputs if t != number]
        small = all(graph.constant(t) is not None for t in constants)
        if graph.name(operator) == "SUB":  # of each channel's mean
            small = small and all(set(graph.shape(t)[:-1]) <= {1} for t in constants)
        if graph.name(operator) not in wanted or operator.inputs[0] != number or not small:
            break
        chain.append(operator)
        number = operator.outputs[0]
    return []


def _join_behind(graph, concatenation, chain):
    result = chain[-1].outputs[0]
    images, parts, copies = concatenation.inputs, [], []
    for count, number in enumerate(images, start=1):
        batch = graph.shape(number)[0]
        for operator in chain:
            own = copy.copy(operator)
            shape = (batch, *graph.shape(operator.outputs[0])[1:])
            name = f"{graph.tensor_name(operator.outputs[0])}/image{count}"
            own.inputs = [number, *operator.inputs[1:]]
            number = graph.add_tensor(name, shape)
            own.outputs = [number]
            copies.append(own)
        parts.append(number)
    concatenation.inputs, concatenation.outputs = parts, [result]
    gone = {id(operator) for operator in chain}
    operators = []
    for operator in graph.subgraph.operators:
        if operator is concatenation:
            operators += copies
        if id(operator) not in gone:
            operators.append(operator)
    graph.subgraph.operators = operators
