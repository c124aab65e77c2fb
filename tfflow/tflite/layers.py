"""Finds the operators of a Keras layer in a .tflite graph, by the names of their results."""

import collections
import re

from tfflow.suggestion import suggestion

_WITH_KERNEL = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED")
_ACTIVATIONS = ("LEAKY_RELU", "RELU", "RELU6", "PRELU", "TANH", "LOGISTIC", "ELU")


def layer_names(model):
    """The names of the layers that have kernels: their paths below the model.

    Keras's ``lightflow/conv1/depthwise`` is ``conv1/depthwise``.
    """
    names = []
    for layer in model._flatten_layers(include_self=False):
        has_kernel = any(len(variable.shape) > 1 for variable in layer.weights)
        if has_kernel and not list(layer._layers):
            names.append(layer_name(layer, model))
    return list(dict.fromkeys(names))


def layer_name(layer, model):
    """A layer's path below its model."""
    return layer.path.removeprefix(f"{model.path}/")


def layer_operators(graph, names):
    """The operators of each layer: its own, the padding before it and the activation after it.

    Args:
        graph: A :class:`tfflow.tflite.graph.Graph`, in float32.
        names: As :func:`layer_names` gives them.

    Returns:
        A dict in the order of execution: name -> list of operators. Layers that the graph lacks are
        left out.
    """
    known = set(names)
    producers, consumers = graph.producers(), graph.consumers()
    found = collections.defaultdict(list)
    for operator in graph.subgraph.operators:
        layer = _layer(graph.tensor_name(operator.outputs[0]), known)
        if layer is None and graph.name(operator) in _WITH_KERNEL:
            # The result may be named by the signature: then the kernel has the layer's name.
            layer = _layer(graph.tensor_name(operator.inputs[1]), known)
        if layer is None:
            continue
        before = [producers.get(number) for number in operator.inputs]
        padding = [op for op in before if op is not None and graph.name(op) == "PAD"]
        behind = consumers[operator.outputs[0]]
        activation = [op for op in behind if graph.name(op) in _ACTIVATIONS]
        for each in (*padding, operator, *activation):
            if not any(each is other for other in found[layer]):
                found[layer].append(each)
    return dict(found)


def results(graph, operators):
    """The names of what operators compute."""
    return [graph.tensor_name(operator.outputs[0]) for operator in operators]


def float_operators(layers, names):
    """For :func:`tfflow.tflite.quantization.quantize`: a function that names layers' operators.

    Args:
        layers: Names of the layers that stay in float.
        names: Of all layers, as :func:`layer_names` gives them.
    """

    def kept(graph):
        operators = layer_operators(graph, names)
        return [name for layer in layers for name in results(graph, operators.get(layer, ()))]

    return kept


def check_found(layers, names, whole, parts):
    """Checks that layers can be kept in float: that their operators can be told by their names.

    Args:
        layers: Names of the layers that stay in float.
        names: Of all layers, as :func:`layer_names` gives them.
        whole: The network's :class:`tfflow.tflite.graph.Graph`, in float32.
        parts: Those of ``encode`` and ``match``, which lack what the other has; or none.

    Raises:
        ValueError: If none of the layers is found in the network, or one that is in neither part.
    """
    found = layer_operators(whole, names).keys() & layers
    if not found:
        raise ValueError(
            f"keep_float names {', '.join(layers)}, and the converted network has no operator of "
            "that name: nothing that leads to the flow, or an operator that the converter left "
            "without one. Name the layers before or after it."
        )
    in_parts = {name for graph in parts.values() for name in layer_operators(graph, names)}
    if parts and found - in_parts:
        raise ValueError(
            f"keep_float names {', '.join(sorted(found - in_parts))}, whose operators can't be "
            "told in encode and match: TensorFlow's converter before 2.21 leaves a layer without "
            "its name where its result is a feature. Update TensorFlow, or export without "
            "streaming or keep_float."
        )


def choose_layers(asked, names, argument):
    """The layers that are asked for by their own name or their block's.

    Args:
        asked: Names, such as ``conv1/depthwise`` or ``conv1``, or a single one.
        names: The names of all layers.
        argument: The argument's name, for the message.

    Returns:
        A list of names, in the order of ``names``.

    Raises:
        ValueError: If there is no such layer; the nearest name is suggested.
    """
    asked = [asked] if isinstance(asked, str) else list(asked)
    for each in asked:
        if not any(_within(name, each) for name in names):
            blocks = {name.rpartition("/")[0] for name in names} - {""}
            raise ValueError(
                f"{argument} must name layers of the model, as the sensitivity report does; got "
                f"{each!r}. {suggestion(each, [*names, *sorted(blocks)])}"
            )
    return [name for name in names if any(_within(name, each) for each in asked)]


def _within(name, asked):
    return name == asked or name.startswith(f"{asked}/")


def _layer(name, known):
    """The layer that a tensor's name refers to; None if there is no known one.

    A fused operator's name holds those of all its parts, separated by semicolons: a convolution's
    and its batch norm's. TensorFlow appends a number to each scope: ``lightflow_1/conv1_1/…`` is
    conv1 of LightFlow, even where another layer is named conv1_1.
    """
    found = []
    for part in name.split(";"):
        scopes = part.split("/")
        plain = [re.sub(r"_\d+$", "", scope) for scope in scopes]
        for numbered, spelling in enumerate((scopes, plain)):
            for start in range(len(spelling)):
                for end in range(start + 1, len(spelling) + 1):
                    layer = "/".join(spelling[start:end])
                    if layer in known:
                        found.append((layer.count("/"), numbered, start, layer))
    # The longest, of conv1 and block/conv1 the latter; and a layer rather than its model's name.
    return max(found, default=(None,))[-1]
