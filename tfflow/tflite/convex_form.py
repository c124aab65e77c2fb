"""Convex upsampling in another form: equal but for rounding, and faster on LiteRT's XNNPACK.

docs/rillflow.md says what it gains.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfflow.tflite.building import NO_ACTIVATION, Builder
from tfflow.tflite.rewriting import replace_input

# Places of the nine neighbours, row by row; the middle one is the pixel's own.
PLACES = [[row, column] for row in range(3) for column in range(3)]
MIDDLE = 4
# How far a logit may be above the middle's: of two beyond it, neither wins. Eight exponentials of
# it, times a flow of 5,000 px, are just below float32's maximum. RillFlow's stay below 40.
HIGHEST = 78.0


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
    kernel, bias = graph.kernel(logits), graph.constant(logits.inputs[2])
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
