"""Builds operators of a graph, one after the other."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

# Suffix for names of operators that int8 would ruin: quantize leaves them in float.
EXACT = "/exact"

NO_ACTIVATION = schema.ActivationFunctionType.NONE


class Builder:
    """Adds operators that compute a tensor step by step; ``operators`` are those it added."""

    def __init__(self, graph, name, exact=False):
        self.graph, self.name, self.operators = graph, name, []
        self.ending = EXACT if exact else ""

    def __call__(self, kind, inputs, shape, options=None):
        name = f"{self.name}/{len(self.operators)}_{kind.lower()}{self.ending}"
        result = self.graph.add_tensor(name, shape)
        self.operators.append(self.graph.new_operator(kind, inputs, [result], options))
        return result

    def constant(self, name, array):
        return self.graph.add_constant(f"{self.name}/{name}", np.asarray(array))

    def reshape(self, number, shape):
        options = schema.ReshapeOptionsT()
        options.newShape = list(shape)
        size = self.constant(f"shape{len(self.operators)}", np.int32(shape))
        return self("RESHAPE", [number, size], shape, options)

    def slice(self, number, begin, size):
        count = len(self.operators)
        numbers = [self.constant(f"begin{count}", np.int32(begin))]
        numbers.append(self.constant(f"size{count}", np.int32(size)))
        return self("SLICE", [number, *numbers], size, schema.SliceOptionsT())

    def convolution(self, number, kernel, bias, size):
        count = len(self.operators)
        options = schema.Conv2DOptionsT()
        options.padding, options.strideH, options.strideW = schema.Padding.VALID, 1, 1
        operands = [self.constant(f"kernel{count}", kernel), self.constant(f"bias{count}", bias)]
        return self("CONV_2D", [number, *operands], (*size, len(kernel)), options)

    def depthwise(self, number, kernel, size):
        """A depthwise convolution of step 1 with zeros around the map, without a bias."""
        count = len(self.operators)
        options = schema.DepthwiseConv2DOptionsT()
        options.padding, options.depthMultiplier = schema.Padding.SAME, 1
        options.strideH = options.strideW = 1
        zeros = self.constant(f"bias{count}", np.zeros(kernel.shape[-1]))
        operands = [self.constant(f"kernel{count}", kernel), zeros]
        shape = (*size, kernel.shape[-1])
        return self("DEPTHWISE_CONV_2D", [number, *operands], shape, options)
