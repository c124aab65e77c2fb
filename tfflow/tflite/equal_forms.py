"""Parts of a graph in another form: equal but for rounding, and faster on LiteRT's XNNPACK.

docs/rillflow.md and docs/export.md say what they gain.
"""

import copy

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfflow.tflite.building import NO_ACTIVATION, Builder
from tfflow.tflite.rewriting import replace_input

# A head: at most so many outputs, with so many channels for each, on a map of so many pixels.
FEW, MANY, LARGE = 4, 8, 2048
# A kernel of few outputs: at most so many products more, for every four values that aren't copied.
FEW_PRODUCTS = 256
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
        kernel, bias = graph.kernel(operator), graph.constant(operator.inputs[2])
        axes = graph.constant(mean.inputs[1])
        last = len(graph.shape(result)) - 1
        if (
            kernel is None
            or bias is None
            or axes is None
            or axes.reshape(-1).tolist() not in ([last], [-1])
            or operator.builtinOptions.fusedActivationFunction != NO_ACTIVATION
            or readers["SUB"].builtinOptions.fusedActivationFunction != NO_ACTIVATION
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
    options, kernel = convolution.builtinOptions, graph.kernel(convolution)
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
    build = Builder(graph, graph.operator_name(convolution), exact=True)
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


# Slices ------------------------------------------------------------------------------------------


def steps_as_convolutions(graph):
    """Rewrites slices that take every n-th pixel as depthwise convolutions of one tap.

    XNNPACK has no slices with steps: they end a partition, and take ten times as long.
    """
    graph.replace_each(lambda operator: _stepping(graph, operator))


def _stepping(graph, operator):
    if graph.name(operator) != "STRIDED_SLICE":
        return None
    begin, steps = (graph.constant(operator.inputs[number]) for number in (1, 3))
    source, result = graph.shape(operator.inputs[0]), graph.shape(operator.outputs[0])
    if begin is None or steps is None or len(result) != 4 or len(steps) != 4:
        return None
    if not graph.is_float(operator.outputs[0]):
        return None
    step = int(steps[1])
    whole = (source[0], -(-source[1] // step), -(-source[2] // step), source[3])
    if steps.tolist() != [1, step, step, 1] or step < 2 or begin.any() or result != whole:
        return None
    build = Builder(graph, graph.tensor_name(operator.outputs[0]))
    build.depthwise(operator.inputs[0], np.ones((1, 1, 1, source[3]), np.float32), result[:3])
    convolution = build.operators[-1]
    convolution.builtinOptions.strideH = convolution.builtinOptions.strideW = step
    convolution.outputs = operator.outputs
    return build.operators


# Padding ---------------------------------------------------------------------------------------


def padding_by_kernels(graph, kept, smallest):
    """Gives kernels that move by two pixels a row and a column of zeros instead of padding the map.

    LiteRT's "same" padding begins with one pixel for a 4x4 kernel, with none for a 3x3 one. The
    copy of a large map in float takes longer than the products with zeros in int8, if these are
    few. What is computed in float stays as it is: the results that ``kept`` names, and kernels of
    less than ``smallest`` weights.
    """
    producers, consumers = graph.producers(), graph.consumers()
    for operator in graph.subgraph.operators:
        kernel = graph.kernel(operator)
        pad = producers.get(operator.inputs[0])
        if kernel is None or pad is None or graph.name(pad) != "PAD":
            continue
        options, margins = operator.builtinOptions, graph.constant(pad.inputs[1])
        outputs, rows, columns, _ = kernel.shape
        _, height, width, _ = graph.shape(pad.inputs[0])
        if (
            rows != columns
            or rows % 2 == 0
            or kernel.size < smallest
            or outputs * (2 * rows + 1) > FEW_PRODUCTS
            or height % 2
            or width % 2
            or (options.strideH, options.strideW) != (2, 2)
            or options.padding != schema.Padding.VALID
            or max(options.dilationHFactor, options.dilationWFactor) > 1
            or margins is None
            or margins.tolist() != [[0, 0], [rows // 2] * 2, [columns // 2] * 2, [0, 0]]
            or graph.tensor_name(operator.outputs[0]) in kept
            or len(consumers[operator.inputs[0]]) != 1
        ):
            continue
        larger = np.pad(kernel, ((0, 0), (0, 1), (0, 1), (0, 0)))
        name = f"{graph.tensor_name(operator.inputs[1])}/and_zeros"
        operator.inputs = [
            pad.inputs[0],
            graph.add_constant(name, larger),
            *operator.inputs[2:],
        ]
        operator.builtinOptions = copy.copy(options)
        operator.builtinOptions.padding = schema.Padding.SAME
    graph.drop_unused()


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
    build.slice(x, (0, 1, 1, 0), graph.shape(operator.outputs[0]))  # it may end before
    build.operators[-1].outputs = operator.outputs
    return build.operators
