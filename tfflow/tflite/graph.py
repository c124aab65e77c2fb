"""A .tflite file as a graph that can be read and edited.

A .tflite file is a flatbuffer: operators, tensors that refer to each other by number, and buffers
with the constants. The schema that ai-edge-litert ships does the unpacking and packing.
"""

import collections
import hashlib
import json
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tfflow.tflite.model_file import check_model_file
from tfflow.types import PathLike

METADATA = "tfflow"
NO_LOOPS = "Write keras.ops.fori_loop, scan or while_loop as a loop of Python's."
LARGE = 4096  # bytes of a constant that is looked for among those that are there

_OPERATOR_NAMES = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")
}
_NUMPY_TYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT8: np.int8,
}


def operators(path: PathLike) -> dict[str, int]:
    """The operators of a .tflite file: a dict of name -> number, the most frequent first.

    TensorFlow's own operators appear as ``"Flex…"``, custom ones by their own name.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a .tflite file.
    """
    return operator_counts(read_graph(path))


def read_graph(path):
    """The :class:`Graph` of a file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a .tflite file, or a damaged one.
    """
    path = check_model_file(path)
    try:
        return Graph(path.read_bytes())
    except Exception as error:  # unpacking a damaged file may raise anything
        raise ValueError(f"{path} is damaged or incomplete: {error!r}.") from error


def operator_counts(graph):
    """As :func:`operators`, for a :class:`Graph`, over all its subgraphs."""
    names = [graph.name(op) for subgraph in graph.model.subgraphs for op in subgraph.operators]
    return dict(sorted(collections.Counter(names).items(), key=lambda item: (-item[1], item[0])))


def foreign_operators(graph):
    """Names of the operators that are not LiteRT's builtin ones, sorted."""
    custom = schema.BuiltinOperator.CUSTOM
    subgraphs = graph.model.subgraphs
    return sorted(
        {graph.name(op) for s in subgraphs for op in s.operators if graph.code(op) == custom}
    )


def read_metadata(path: PathLike) -> dict[str, Any]:
    """What ``export`` wrote about itself into a .tflite file; an empty dict for a foreign file.

    Keys: ``model``, ``size`` ([height, width]), ``quantization``, ``units`` ("px"), ``tfflow``
    (the version), and whatever was passed as ``metadata``.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a .tflite file, or a damaged one.
    """
    path = check_model_file(path)
    content = path.read_bytes()
    try:
        model = schema.Model.GetRootAs(content, 0)
        for index in range(model.MetadataLength()):
            entry = model.Metadata(index)
            if entry.Name() == METADATA.encode():
                return json.loads(model.Buffers(entry.Buffer()).DataAsNumpy().tobytes())
    except Exception as error:  # unpacking a damaged file may raise anything
        raise ValueError(f"{path} is damaged or incomplete: {error!r}.") from error
    return {}


class Graph:
    """The main graph of a .tflite file; edits are made in place.

    Args:
        content: The file's bytes.

    Attributes:
        model: The unpacked flatbuffer, ``schema.ModelT``.
        subgraph: The graph that runs, ``model.subgraphs[0]``; its ``operators`` are in the order
            of execution.
    """

    def __init__(self, content):
        self.model = schema.ModelT.InitFromPackedBuf(content, 0)
        self.subgraph = self.model.subgraphs[0]
        self._large = {}
        for buffer in self.model.buffers:
            if buffer.offset > 1:  # the quantiser writes constants behind the flatbuffer
                end = buffer.offset + buffer.size
                buffer.data = np.frombuffer(content[buffer.offset : end], np.uint8)
                buffer.offset = buffer.size = 0
        for operator in self.subgraph.operators:
            operator.inputs, operator.outputs = (
                _numbers(operator.inputs),
                _numbers(operator.outputs),
            )
        self.subgraph.inputs = _numbers(self.subgraph.inputs)
        self.subgraph.outputs = _numbers(self.subgraph.outputs)

    def to_bytes(self):
        """The file's bytes, without tensors and constants that nothing refers to."""
        self.drop_unused()
        builder = schema.flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())

    # Reading ---------------------------------------------------------------------------------

    def code(self, operator):
        """An operator's number in ``schema.BuiltinOperator``."""
        return _builtin(self.model.operatorCodes[operator.opcodeIndex])

    def name(self, operator):
        """An operator's name, e.g. ``"CONV_2D"``; a custom operator's own."""
        code = self.code(operator)
        if code == schema.BuiltinOperator.CUSTOM:
            entry = self.model.operatorCodes[operator.opcodeIndex]
            return (entry.customCode or b"CUSTOM").decode()
        return _OPERATOR_NAMES.get(code, f"operator {code}")

    def tensor(self, number):
        return self.subgraph.tensors[number]

    def tensor_name(self, number):
        return self.tensor(number).name.decode()

    def operator_name(self, operator):
        """The name of an operator's result; its kernel's where the signature named the result."""
        result = operator.outputs[0]
        named = operator.inputs[1] if result in self.subgraph.outputs else result
        return self.tensor_name(named)

    def shape(self, number):
        return tuple(int(side) for side in self.tensor(number).shape)

    def is_float(self, number):
        return self.tensor(number).type == schema.TensorType.FLOAT32

    def producers(self):
        """Tensor number -> the operator that computes it; inputs and constants are not in it."""
        return {t: op for op in self.subgraph.operators for t in op.outputs}

    def consumers(self):
        """Tensor number -> the operators that read it."""
        found = collections.defaultdict(list)
        for operator in self.subgraph.operators:
            for tensor in operator.inputs:
                found[tensor].append(operator)
        return found

    def constant(self, number):
        """A constant tensor as an array; None for a tensor that is computed or given."""
        tensor = self.tensor(number)
        data = self.model.buffers[tensor.buffer].data
        if data is None or len(data) == 0 or tensor.type not in _NUMPY_TYPES:
            return None
        array = np.frombuffer(np.asarray(data).tobytes(), _NUMPY_TYPES[tensor.type])
        return array.reshape(self.shape(number))

    def kernel(self, operator):
        """A CONV_2D's constant kernel; None if it is computed or of groups, and for others."""
        kernel = self.constant(operator.inputs[1]) if self.name(operator) == "CONV_2D" else None
        whole = kernel is not None and kernel.shape[-1] == self.shape(operator.inputs[0])[-1]
        return kernel if whole else None

    def signature(self):
        """The first signature's (inputs, outputs): two dicts of name -> tensor number."""
        found = self.model.signatureDefs[0]
        return (
            {entry.name.decode(): entry.tensorIndex for entry in found.inputs},
            {entry.name.decode(): entry.tensorIndex for entry in found.outputs},
        )

    # Editing ---------------------------------------------------------------------------------

    def add_tensor(self, name, shape, kind=schema.TensorType.FLOAT32, quantization=None):
        """A new tensor, computed by an operator that is yet to be added; returns its number."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = name.encode(), list(shape), kind
        # Buffer 0 is empty by definition and stands for "no constant".
        tensor.buffer, tensor.quantization = 0, quantization
        self.subgraph.tensors.append(tensor)
        return len(self.subgraph.tensors) - 1

    def add_constant(self, name, array):
        """A new constant, int32 if the array is and float32 otherwise; returns its number."""
        array = np.asarray(array, np.int32 if array.dtype == np.int32 else np.float32)
        content = array.tobytes()
        # Of a layer that is used twice, the kernel is stored once.
        key = (hashlib.sha256(content).digest(), array.shape, array.dtype)
        if len(content) >= LARGE and key in self._large:
            return self._large[key]
        whole = array.dtype == np.int32
        kind = schema.TensorType.INT32 if whole else schema.TensorType.FLOAT32
        number = self.add_tensor(name, array.shape, kind)
        self.tensor(number).buffer = self._add_buffer(content)
        self._large[key] = number
        return number

    def new_operator(self, name, inputs, outputs, options=None):
        """A builtin operator, to be put into ``subgraph.operators`` where it is to run.

        Args:
            name: e.g. ``"CONV_2D"``.
            inputs, outputs: Tensor numbers.
            options: The schema's options, e.g. ``schema.Conv2DOptionsT()``.
        """
        operator = schema.OperatorT()
        operator.opcodeIndex = self._operator_code(getattr(schema.BuiltinOperator, name))
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        if options is not None:
            operator.builtinOptions = options
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        return operator

    def replace_each(self, replacement):
        """Puts ``replacement(operator)``, a list, in each operator's place; None keeps it."""
        new = []
        for operator in self.subgraph.operators:
            put = replacement(operator)
            new += [operator] if put is None else put
        self.subgraph.operators = new

    def set_metadata(self, values):
        """Puts a dict into the file, for :func:`read_metadata`."""
        entry = schema.MetadataT()
        entry.name = METADATA.encode()
        entry.buffer = self._add_buffer(json.dumps(values).encode())
        kept = [m for m in self.model.metadata or [] if m.name != entry.name]
        self.model.metadata = [*kept, entry]

    def append(self, other):
        """Appends another file's main graph with its signature, after the existing ones.

        Constants that exist already are shared, so weights are stored once.

        Args:
            other: A :class:`Graph`, not usable afterwards.

        Raises:
            ValueError: If it has loops, whose bodies are graphs of their own.
        """
        if len(other.model.subgraphs) > 1:
            raise ValueError(f"A file with several parts can't have loops. {NO_LOOPS}")
        other.drop_unused()
        known = {_bytes(buffer): index for index, buffer in enumerate(self.model.buffers)}
        known[b""] = 0
        for tensor in other.subgraph.tensors:
            content = _bytes(other.model.buffers[tensor.buffer])
            if content not in known:
                known[content] = self._add_buffer(content)
            tensor.buffer = known[content]
        for operator in other.subgraph.operators:
            entry = other.model.operatorCodes[operator.opcodeIndex]
            operator.opcodeIndex = self._same_operator_code(entry)
        (signature,) = other.model.signatureDefs
        signature.subgraphIndex = len(self.model.subgraphs)
        other.subgraph.name = signature.signatureKey
        self.model.subgraphs.append(other.subgraph)
        self.model.signatureDefs.append(signature)

    def _same_operator_code(self, entry):
        def key(each):
            return _builtin(each), each.customCode, each.version

        for index, each in enumerate(self.model.operatorCodes):
            if key(each) == key(entry):
                return index
        self.model.operatorCodes.append(entry)
        return len(self.model.operatorCodes) - 1

    def _add_buffer(self, content):
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(content, np.uint8)
        self.model.buffers.append(buffer)
        return len(self.model.buffers) - 1

    def _operator_code(self, builtin):
        for index, entry in enumerate(self.model.operatorCodes):
            if _builtin(entry) == builtin:
                return index
        entry = schema.OperatorCodeT()
        entry.builtinCode, entry.deprecatedBuiltinCode = builtin, min(builtin, 127)
        entry.version = 1
        self.model.operatorCodes.append(entry)
        return len(self.model.operatorCodes) - 1

    def drop_unused(self):
        """Removes operators and tensors that lead to no output; tensors get other numbers."""
        graph = self.subgraph
        wanted = set(graph.outputs)
        kept = []
        for operator in reversed(graph.operators):
            # An operator without outputs has an effect elsewhere.
            if not operator.outputs or wanted.intersection(operator.outputs):
                kept.append(operator)
                wanted.update(operator.inputs)
        graph.operators = kept[::-1]
        wanted.update(graph.inputs)
        wanted.update(t for operator in kept for t in operator.outputs)

        self._large = {}  # tensors have other numbers now
        numbers = {old: new for new, old in enumerate(sorted(wanted - {-1}))}
        graph.tensors = [graph.tensors[old] for old in numbers]
        numbers[-1] = -1  # an optional input that is left out
        for operator in graph.operators:
            operator.inputs = [numbers[t] for t in operator.inputs]
            operator.outputs = [numbers[t] for t in operator.outputs]
        graph.inputs = [numbers[t] for t in graph.inputs]
        graph.outputs = [numbers[t] for t in graph.outputs]
        for signature in self.model.signatureDefs or []:
            if signature.subgraphIndex:
                continue  # of a graph that append added
            for entry in [*signature.inputs, *signature.outputs]:
                entry.tensorIndex = numbers[entry.tensorIndex]
        self._drop_unused_buffers()

    def _drop_unused_buffers(self):
        tensors = [tensor for subgraph in self.model.subgraphs for tensor in subgraph.tensors]
        users = [*tensors, *(self.model.metadata or [])]
        used = sorted({0, *(user.buffer for user in users)})
        numbers = {old: new for new, old in enumerate(used)}
        self.model.buffers = [self.model.buffers[old] for old in used]
        for user in users:
            user.buffer = numbers[user.buffer]


def _builtin(entry):
    # Numbers over 127 are only in the new field; old files have only the old one.
    return max(entry.builtinCode, entry.deprecatedBuiltinCode)


def _bytes(buffer):
    return b"" if buffer.data is None else np.asarray(buffer.data, np.uint8).tobytes()


def _numbers(array):
    return [] if array is None else [int(number) for number in array]
