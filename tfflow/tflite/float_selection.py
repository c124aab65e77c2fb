"""Operators that stay in float, as int8 would ruin what they compute; by their results' names."""

from tfflow.tflite.building import EXACT

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

PAIR_CHANNELS = 6  # of two images side by side
IMAGES = 2  # a batch of two at most: both images of a pair


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
    of_tokens = tokens(graph)
    maps = [
        op for op in operators if len(graph.shape(op.outputs[0])) == 3 and id(op) not in of_tokens
    ]
    return sorted({graph.tensor_name(op.outputs[0]) for op in (*maps, *places, *weights)})


def tokens(graph):
    """Operators on tokens (B, N, C), by id: those in reach of a layer that works on them."""
    producers, consumers = graph.producers(), graph.consumers()

    def is_of_tokens(operator):
        shapes = [graph.shape(operator.outputs[0])]
        if graph.name(operator) == "RESHAPE":
            shapes.append(graph.shape(operator.inputs[0]))
        return 3 in map(len, shapes)

    found = {}
    waiting = [op for op in graph.subgraph.operators if graph.name(op) == "FULLY_CONNECTED"]
    while waiting:
        operator = waiting.pop()
        if id(operator) not in found:
            found[id(operator)] = operator
            around = [producers.get(number) for number in operator.inputs]
            around += consumers.get(operator.outputs[0], ())
            waiting += [op for op in around if op is not None and is_of_tokens(op)]
    return found


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
        made_by = producers.get(number)
        if made_by is not None and graph.name(made_by) == "RESHAPE":
            return False  # two pixels of an image side by side: see image_forms
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


def without_int16(graph):
    """Names of the operators that LiteRT can't run in int16."""
    return sorted(
        graph.tensor_name(operator.outputs[0])
        for operator in graph.subgraph.operators
        if graph.name(operator) in NO_INT16
    )


def float_by_default(graph, heads=True):
    """Names of the operators that an int8 file keeps in float if it is asked for nothing.

    Args:
        graph: The float32 graph.
        heads: Whether what makes flow, and the first layer of two images, is among them.
    """
    names = {*exact(graph), *coordinates(graph), *matching(graph)}
    if heads:
        of_images = image_layers(graph)
        names |= {*flow_heads(graph), *of_images, *feeding(graph, of_images)}
    return names
