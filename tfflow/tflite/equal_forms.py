"""Parts of a graph in another form: equal but for rounding, and faster on LiteRT's XNNPACK.

docs/rillflow.md says what each of them gains.
"""

import copy
import math

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfflow.tflite.building import NO_ACTIVATION, Builder
from tfflow.tflite.rewriting import replace_input

# Places of the nine neighbours in convex upsampling, row by row; the middle one is the pixel's own.
PLACES = [[row, column] for row in range(3) for column in range(3)]
MIDDLE = 4
# A softmax logit beyond this takes all; exp(60) is far below float32's maximum.
HIGHEST = 60.0
# Most channels and shortest stride of a convolution whose pixels are put side by side.
THIN, LONG_STEP = 4, 4

# A head: at most so many outputs, with so many channels for each, on a map of so many pixels.
FEW, MANY, LARGE = 4, 8, 2048


# Convex upsampling -------------------------------------------------------------------------------


def convex_without_softmax(graph):
    """Rewrites convex upsampling as exponentials and their weighted sums, divided at the end.

    The softmax of 196,608 rows of nine and the products of (16, 9) by (9, 2) matrices take 9.9 ms
    at 384x512, most of it overhead per row. Instead, the convolution that makes the logits writes
    each neighbour's 16 side by side, minus those of the pixel's own flow, whose exponentials are
    then 1: they need not be computed, and no maximum has to be found. The others, times how far the
    neighbours' flows are from the pixel's own and times ones, (3, 8) by (8, 16), are the weighted
    sums and all but 1 of their divisors.
    """
    producers, consumers = graph.producers(), graph.consumers()
    replaced = {}
    for operator in graph.subgraph.operators:
        if graph.name(operator) == "DEPTH_TO_SPACE":
            replaced |= _convex(graph, operator, producers, consumers)
    if replaced:
        graph.replace_each(lambda operator: replaced.get(id(operator)))


def drop_idle_limits(graph):
    """Removes a limit that no int8 number reaches: it would only copy 1.8 million values."""
    producers, consumers = graph.producers(), graph.consumers()
    for operator in graph.subgraph.operators:
        source = producers.get(operator.inputs[0])
        if graph.name(operator) != "MINIMUM" or source is None:
            continue
        limit = graph.constant(operator.inputs[1])
        if limit is None or limit.size != 1 or graph.name(source) != "DEQUANTIZE":
            continue
        integer = graph.tensor(source.inputs[0])
        if integer.type != schema.TensorType.INT8 or operator.outputs[0] in graph.subgraph.outputs:
            continue
        scale, zero = float(integer.quantization.scale[0]), int(integer.quantization.zeroPoint[0])
        if scale * (127 - zero) < float(limit.reshape(-1)[0]):
            for reader in consumers[operator.outputs[0]]:
                replace_input(reader, operator.outputs[0], operator.inputs[0])


def _convex(graph, to_space, producers, consumers):
    """Replacements of operators, by their ids; empty if this is not convex upsampling."""

    def before(operator, kind, index=0):
        """The producer of an input, if it is of that kind and has no other reader."""
        found = None if operator is None else producers.get(operator.inputs[index])
        if found is None or graph.name(found) != kind or len(consumers[found.outputs[0]]) != 1:
            return None
        return found

    product = before(before(to_space, "RESHAPE"), "BATCH_MATMUL")
    softmax = before(product, "SOFTMAX")
    logits = before(before(softmax, "RESHAPE"), "CONV_2D")
    joined = before(before(product, "RESHAPE", 1), "CONCATENATION")
    if logits is None or joined is None or softmax.builtinOptions.beta != 1:
        return {}
    padded = _source_of_neighbours(graph, joined, producers)
    kernel, bias = (graph.constant(number) for number in logits.inputs[1:])
    batch, height, width, channels = graph.shape(joined.inputs[0])
    fine = to_space.builtinOptions.blockSize**2
    if (
        padded is None
        or kernel is None
        or bias is None
        or kernel.shape[1:3] != (1, 1)
        or logits.builtinOptions.fusedActivationFunction != NO_ACTIVATION
        or graph.shape(softmax.outputs[0])[-4:] != (height, width, fine, len(PLACES))
    ):
        return {}
    last, scale = _scaled(graph, to_space, consumers)
    build = Builder(graph, graph.tensor_name(to_space.outputs[0]), exact=True)

    others = [place for place in PLACES if place != PLACES[MIDDLE]]
    count = len(others)
    kernel, bias = (each.reshape(fine, len(PLACES), -1) for each in (kernel, bias))
    kernel, bias = (
        np.delete(each - each[:, MIDDLE : MIDDLE + 1], MIDDLE, axis=1).transpose(1, 0, 2)
        for each in (kernel, bias)
    )
    logits.inputs = [
        logits.inputs[0],
        build.constant("logits/kernel", kernel.reshape(count * fine, 1, 1, -1)),
        build.constant("logits/bias", bias.reshape(-1)),
    ]
    graph.tensor(logits.outputs[0]).shape = [batch, height, width, count * fine]
    highest = build.constant("highest", np.float32(HIGHEST))
    x = build("MINIMUM", [logits.outputs[0], highest], graph.shape(logits.outputs[0]))
    x = build("EXP", [x], graph.shape(x), schema.ExpOptionsT())
    # At most four dimensions: GPUs take no more.
    shares = build.reshape(x, (batch * height, width, count, fine))

    # The neighbours' flows minus the pixel's own, and ones, fetched by a convolution.
    rows = channels + 1
    fetch = np.zeros((rows, count, 3, 3, channels), np.float32)
    for channel in range(channels):
        fetch[channel, :, 1, 1, channel] = -scale
        for neighbour, (row, column) in enumerate(others):
            fetch[channel, neighbour, row, column, channel] = scale
    fetch = fetch.reshape(rows * count, 3, 3, channels)
    ones = np.repeat(np.float32([0.0] * channels + [1.0]), count)
    around = build.convolution(padded, fetch, ones, (batch, height, width))
    around = build.reshape(around, (batch * height, width, rows, count))
    shape = (batch * height, width, rows, fine)
    sums = build("BATCH_MATMUL", [around, shares], shape, schema.BatchMatMulOptionsT())
    weighted = build.slice(sums, (0, 0, 0, 0), (batch * height, width, channels, fine))
    total = build.slice(sums, (0, 0, channels, 0), (batch * height, width, 1, fine))
    one = build.constant("one", np.float32(1.0))
    total = build("ADD", [total, one], graph.shape(total), schema.AddOptionsT())
    means = build("DIV", [weighted, total], graph.shape(weighted), schema.DivOptionsT())
    means = build.reshape(means, (batch, height, width, channels * fine))
    # DEPTH_TO_SPACE wants a fine pixel's channels side by side; a product with a permutation is
    # faster than a TRANSPOSE.
    order = np.arange(channels * fine).reshape(channels, fine).transpose().reshape(-1)
    permutation = np.eye(channels * fine, dtype=np.float32)[order][:, None, None]
    zeros = np.zeros(channels * fine, np.float32)
    means = build.convolution(means, permutation, zeros, (batch, height, width))
    own = build.slice(padded, (0, 1, 1, 0), (batch, height, width, channels))
    repeated = np.tile(scale * np.eye(channels, dtype=np.float32), (fine, 1))[:, None, None]
    own = build.convolution(own, repeated, zeros, (batch, height, width))
    means = build("ADD", [means, own], graph.shape(means), schema.AddOptionsT())
    to_space.inputs, to_space.outputs = [means], [last.outputs[0]]
    return {id(to_space): [], id(last): [*build.operators, to_space]}


def _source_of_neighbours(graph, joined, producers):
    """The tensor whose nine shifted copies a CONCATENATION joins, row by row; else None."""
    slices = [producers.get(number) for number in joined.inputs]
    if any(operator is None or graph.name(operator) != "SLICE" for operator in slices):
        return None
    starts = [graph.constant(operator.inputs[1]) for operator in slices]
    wanted = [[0, *place, 0] for place in PLACES]
    if any(start is None for start in starts) or [start.tolist() for start in starts] != wanted:
        return None
    sources = {operator.inputs[0] for operator in slices}
    return sources.pop() if len(sources) == 1 else None


def _scaled(graph, operator, consumers):
    """The operator that scales a result by one number, and the number; else ``operator`` and 1."""
    readers = consumers[operator.outputs[0]]
    if len(readers) == 1 and graph.name(readers[0]) == "MUL":
        factors = [graph.constant(number) for number in readers[0].inputs]
        single = [each for each in factors if each is not None and each.size == 1]
        if single and readers[0].builtinOptions.fusedActivationFunction == NO_ACTIVATION:
            return readers[0], float(single[0].reshape(-1)[0])
    return operator, 1.0


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
    places = np.zeros((1, rows, columns, taps, outputs), np.float32)
    for tap in range(taps):
        places[0, tap // columns, tap % columns, tap] = 1
    x = build.depthwise(x, places.reshape(1, rows, columns, -1), size)
    total = np.tile(np.eye(outputs, dtype=np.float32), (1, taps))[:, None, None]
    convolution.inputs = [x, build.constant("sum", total), *convolution.inputs[2:]]
    return [*build.operators, convolution]


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
