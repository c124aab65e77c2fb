"""Parts of a graph in another form: equal but for rounding, and faster on LiteRT's XNNPACK.

docs/rillflow.md says what each of them gains.
"""

import copy
import math

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfflow.tflite.building import NO_ACTIVATION, Builder
from tfflow.tflite.rewriting import replace_input

# Most channels and shortest stride of a convolution whose pixels are put side by side.
THIN, LONG_STEP = 4, 4

# A head: at most so many outputs, with so many channels for each, on a map of so many pixels.
FEW, MANY, LARGE = 4, 8, 2048
# XNNPACK's depthwise convolutions have at most so many taps; others take fifty times as long.
MOST_TAPS = 25


# Features ----------------------------------------------------------------------------------------


def mean_free_kernels(graph):
    """Takes the mean over channels from a linear convolution's kernel instead of its result.

    If only a vector minus its mean, and its variance, are read, a kernel minus its mean over the
    outputs gives the same: one reduction and one subtraction less over every map that is matched.
    """
    consumers = graph.consumers()
    dropped = set()
    for operator in graph.subgraph.operators:
        if graph.name(operator) != "CONV_2D":
            continue
        result = operator.outputs[0]
        readers = {graph.name(each): each for each in consumers[result]}
        if set(readers) != {"MEAN", "SUB", "SQUARED_DIFFERENCE"} or len(consumers[result]) != 3:
            continue
        mean = readers.pop("MEAN")
        kernel, bias = (graph.constant(number) for number in operator.inputs[1:])
        axes = graph.constant(mean.inputs[1])
        last = len(graph.shape(result)) - 1
        if (
            kernel is None
            or bias is None
            or axes is None
            or axes.reshape(-1).tolist() not in ([last], [-1])
            or operator.builtinOptions.fusedActivationFunction != NO_ACTIVATION
            or {result, mean.outputs[0], readers["SUB"].outputs[0]} & set(graph.subgraph.outputs)
            or any(list(op.inputs) != [result, mean.outputs[0]] for op in readers.values())
            or len(consumers[mean.outputs[0]]) != 2
        ):
            continue
        name = graph.tensor_name(result)
        operator.inputs = [
            operator.inputs[0],
            graph.add_constant(f"{name}/kernel", kernel - kernel.mean(axis=0, keepdims=True)),
            graph.add_constant(f"{name}/bias", bias - bias.mean()),
        ]
        variance, free = readers["SQUARED_DIFFERENCE"], readers["SUB"]
        square = graph.new_operator("SQUARE", [result], variance.outputs, schema.SquareOptionsT())
        variance.opcodeIndex, variance.inputs = square.opcodeIndex, square.inputs
        variance.builtinOptions = square.builtinOptions
        variance.builtinOptionsType = square.builtinOptionsType
        for reader in consumers[free.outputs[0]]:
            replace_input(reader, free.outputs[0], result)
        dropped |= {id(mean), id(free)}
    graph.subgraph.operators = [op for op in graph.subgraph.operators if id(op) not in dropped]


# Heads -------------------------------------------------------------------------------------------


def thin_heads(graph):
    """Rewrites convolutions of few outputs, which predict flow, so that no register stays empty.

    XNNPACK computes as many outputs at a time as a register holds: two to four of 8 or 16. So each
    tap becomes an output: a 1x1 convolution multiplies each pixel with all taps' kernels, a
    depthwise one moves each product to the pixel that it is for, another 1x1 one adds them up.
    Where XNNPACK has no depthwise convolution of so many taps, they move and add in two steps.
    """
    graph.replace_each(lambda operator: _by_taps(graph, operator))


def _by_taps(graph, convolution):
    if graph.name(convolution) != "CONV_2D":
        return None
    options, kernel = convolution.builtinOptions, graph.constant(convolution.inputs[1])
    if kernel is None:
        return None
    outputs, rows, columns, channels = kernel.shape
    taps = rows * columns
    batch, height, width, _ = graph.shape(convolution.outputs[0])
    if (
        outputs > FEW
        or channels < MANY * outputs
        or taps == 1
        or height * width < LARGE
        or options.padding != schema.Padding.SAME
        or max(options.strideH, options.strideW) > 1
        or max(options.dilationHFactor, options.dilationWFactor) > 1
        or options.fusedActivationFunction != NO_ACTIVATION
    ):
        return None
    build = Builder(graph, graph.tensor_name(convolution.outputs[0]), exact=True)
    size = (batch, height, width)
    # Products: of tap after tap, all outputs.
    each = kernel.transpose(1, 2, 0, 3).reshape(taps * outputs, 1, 1, channels)
    x = build.convolution(convolution.inputs[0], each, np.zeros(len(each)), size)
    if taps <= MOST_TAPS:
        x = build.depthwise(x, _moves(rows, columns, 1, outputs), size)
        total = _sums(1, taps, outputs)
    else:  # along a row, added up to one product for each row, then along the column
        x = build.depthwise(x, _moves(1, columns, rows, outputs), size)
        of_rows = _sums(rows, columns, outputs)
        x = build.convolution(x, of_rows, np.zeros(len(of_rows)), size)
        x = build.depthwise(x, _moves(rows, 1, 1, outputs), size)
        total = _sums(1, rows, outputs)
    convolution.inputs = [x, build.constant("sum", total), *convolution.inputs[2:]]
    return [*build.operators, convolution]


def _moves(rows, columns, groups, outputs):
    """A depthwise kernel for products of rows times columns taps, by one of which each is moved."""
    taps = np.eye(rows * columns, dtype=np.float32).reshape(1, rows, columns, -1)
    return np.repeat(np.tile(taps, groups), outputs, axis=-1)


def _sums(groups, taps, outputs):
    """A 1x1 kernel that adds up the products of the taps of each group, output by output."""
    added = np.tile(np.eye(outputs, dtype=np.float32), (1, taps))
    return np.kron(np.eye(groups, dtype=np.float32), added)[:, None, None]


# Upsampling --------------------------------------------------------------------------------------


def transposed_as_convolutions(graph):
    """Rewrites transposed 4x4 convolutions, which double the size, as 2x2 ones.

    Two neighbours along an axis, of which one may lie outside, determine the two outputs between
    them, each by two of the four taps: a convolution with four times the outputs, sorted into
    place by depth-to-space, without the first and the last row and column. It multiplies as much,
    one window more along each axis, and XNNPACK's ordinary convolutions take about half of the
    time of its transposed ones.
    """
    graph.replace_each(lambda operator: _doubling(graph, operator))


# Of the kernel, the taps on the neighbours before and after, for both outputs between them.
TAPS = np.array([[2, 0], [3, 1]])


def _doubling(graph, operator):
    if graph.name(operator) != "TRANSPOSE_CONV":
        return None
    options, kernel = operator.builtinOptions, graph.constant(operator.inputs[1])
    bias = graph.constant(operator.inputs[3]) if len(operator.inputs) > 3 else None
    if kernel is None or (len(operator.inputs) > 3 and bias is None):
        return None
    outputs, rows, columns, channels = kernel.shape
    if (
        (rows, columns, options.strideH, options.strideW) != (4, 4, 2, 2)
        or options.padding != schema.Padding.SAME
        or options.fusedActivationFunction != NO_ACTIVATION
        or outputs <= FEW  # a flow, which int8 leaves in float by its few channels
    ):
        return None
    batch, height, width, _ = graph.shape(operator.inputs[2])
    build = Builder(graph, graph.tensor_name(operator.outputs[0]))
    margins = build.constant("margins", np.int32([[0, 0], [1, 1], [1, 1], [0, 0]]))
    padded = (batch, height + 2, width + 2, channels)
    x = build("PAD", [operator.inputs[2], margins], padded, schema.PadOptionsT())
    # (outputs, row and its taps, column and its taps, channels) -> (row, column, outputs, taps, …)
    small = kernel[:, TAPS][:, :, :, TAPS].transpose(1, 3, 0, 2, 4, 5)
    small = small.reshape(4 * outputs, 2, 2, channels)
    bias = np.zeros(outputs, np.float32) if bias is None else bias
    x = build.convolution(x, small, np.tile(bias, 4), (batch, height + 1, width + 1))
    doubled = (batch, 2 * (height + 1), 2 * (width + 1), outputs)
    to_space = schema.DepthToSpaceOptionsT()
    to_space.blockSize = 2
    x = build("DEPTH_TO_SPACE", [x], doubled, to_space)
    build.slice(x, (0, 1, 1, 0), (batch, 2 * height, 2 * width, outputs))
    build.operators[-1].outputs = operator.outputs
    return build.operators


# Images ------------------------------------------------------------------------------------------


def pixels_side_by_side(graph):
    """Joins a stride's pixels into one with more channels, for convolutions with few channels.

    XNNPACK multiplies one tap's channels at a time: three for an image. In memory, a row of (W, 3)
    is also one of (W / 4, 12), so a kernel 7 wide with stride 4 becomes one 2 wide with stride 1,
    its first column empty: an eighth more arithmetic in less time, and padding on one side only.
    """
    producers, consumers = graph.producers(), graph.consumers()
    # The padding before it loses its reader, and is left out when the graph is packed.
    graph.replace_each(lambda operator: _side_by_side(graph, operator, producers, consumers))


def _side_by_side(graph, convolution, producers, consumers):
    if graph.name(convolution) != "CONV_2D":
        return None
    options = convolution.builtinOptions
    step = options.strideW
    pad = producers.get(convolution.inputs[0])
    kernel = graph.constant(convolution.inputs[1])
    if pad is None or graph.name(pad) != "PAD" or kernel is None or step < LONG_STEP:
        return None
    batch, height, width, channels = graph.shape(pad.inputs[0])
    margins = graph.constant(pad.inputs[1])
    if (
        channels > THIN
        or width % step
        or margins is None
        or options.padding != schema.Padding.VALID
        or max(options.dilationWFactor, options.dilationHFactor) > 1
        or len(consumers[pad.outputs[0]]) != 1
        or margins[0].any()
        or margins[3].any()
    ):
        return None
    (top, _), (left, _) = margins[1].tolist(), margins[2].tolist()
    out_height, out_width = graph.shape(convolution.outputs[0])[1:3]
    outputs, rows, columns = kernel.shape[:3]
    # The kernel reaches from -left to columns - 1 - left: whole steps on either side of 0.
    before, after = -(-left // step), -(-(columns - left) // step)
    wide = np.zeros((outputs, rows, (before + after) * step, channels), np.float32)
    start = before * step - left
    wide[:, :, start : start + columns] = kernel
    right = max(out_width - 1 + after - width // step, 0)
    bottom = max((out_height - 1) * options.strideH + rows - top - height, 0)

    build = Builder(graph, graph.tensor_name(convolution.outputs[0]))
    x = build.reshape(pad.inputs[0], (batch, height, width // step, step * channels))
    shape = (batch, height + top + bottom, width // step + before + right, step * channels)
    x = build(
        "PAD",
        [x, build.constant("margins", np.int32([[0, 0], [top, bottom], [before, right], [0, 0]]))],
        shape,
        schema.PadOptionsT(),
    )
    kernel = wide.reshape(outputs, rows, before + after, step * channels)
    convolution.inputs = [x, build.constant("kernel", kernel), *convolution.inputs[2:]]
    convolution.builtinOptions = copy.copy(options)
    convolution.builtinOptions.strideW = 1
    return [*build.operators, convolution]


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
