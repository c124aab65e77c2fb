"""How much a .tflite file computes."""

import math

from tfflow.tflite.graph import read_graph


def flops(path):
    """Floating-point operations of one run: two for each multiplication and its addition.

    Convolutions of all kinds and matrix products are counted, as usual when networks are compared;
    sums, activations, resizing and gathering of pixels are not.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a .tflite file.
    """
    graph = read_graph(path)
    return 2 * sum(multiplications(graph, operator) for operator in graph.subgraph.operators)


def multiplications(graph, operator):
    """The multiplications of one operator of a :class:`Graph`; 0 for what is not counted."""
    kind = graph.name(operator)
    inputs = [graph.shape(number) if number >= 0 else () for number in operator.inputs]
    output = graph.shape(operator.outputs[0])
    if kind == "CONV_2D":  # filters are (out, height, width, in)
        return math.prod(output) * math.prod(inputs[1][1:])
    if kind == "DEPTHWISE_CONV_2D":  # (1, height, width, out)
        return math.prod(output) * math.prod(inputs[1][1:3])
    if kind == "TRANSPOSE_CONV":  # inputs are the output's shape, the filters, the map
        return math.prod(inputs[2][:3]) * math.prod(inputs[1])
    if kind == "FULLY_CONNECTED":
        return math.prod(output) * inputs[1][-1]
    if kind == "BATCH_MATMUL":
        return math.prod(output) * inputs[0][-2 if operator.builtinOptions.adjX else -1]
    return 0
