"""Where the time of a .tflite file goes, by kind of operator and by layer.

    python -m tfflow.tflite.profiling FILE RUNS

prints LiteRT's own events as JSON, one list per line. It uses LiteRT's C library, whose messages to
standard error can only be suppressed in a process of its own.
"""

import collections
import ctypes
import difflib
import importlib.util
import json
import pathlib
import re
import statistics
import sys
from typing import Any

import numpy as np

from tfflow.checks import whole_number
from tfflow.tflite.another_process import cause_of_failure, run_module
from tfflow.tflite.benchmarking import conditions, partitions
from tfflow.tflite.graph import read_graph, read_metadata
from tfflow.types import PathLike

# LiteRT's kinds of events: an operator of its own, and one within a delegate.
_OPERATOR, _DELEGATED = 2, 8
_CPU, _WRITE = 1, 1  # kLiteRtHwAcceleratorCpu, kLiteRtTensorBufferLockModeWrite
_LITERT_NAMES = {  # XNNPACK's names -> LiteRT's, where they differ by more than their spelling
    "CONVOLUTION": "CONV_2D",
    "FULLY_CONNECTED": "CONV_2D",
    "DEPTHWISE_CONV_2D": "CONV_2D",
    "DECONVOLUTION": "TRANSPOSE_CONV",
    "BATCH_MATRIX_MULTIPLY": "BATCH_MATMUL",
    "STATIC_RESHAPE": "RESHAPE",
    "COPY": "CONCATENATION",
    "CONVERT": "QUANTIZE",
    "DEQUANTIZE": "QUANTIZE",
    "CAST": "QUANTIZE",
    "MULTIPLY": "MUL",
    "SUBTRACT": "SUB",
    "DIVIDE": "DIV",
    "CONSTANT_PAD": "PAD",
    "LEAKYRELU": "LEAKY_RELU",
    "SIGMOID": "LOGISTIC",
    "RECIPROCAL_SQUARE_ROOT": "RSQRT",
    "SQUARE_ROOT": "SQRT",
    "NORMALIZE": "SUM",
    "SPLIT": "SLICE",
    "STRIDED_SLICE": "SLICE",
}


def profile(path: PathLike, runs: int = 20) -> dict[str, Any]:
    """Times every operator of a file on one thread, also within LiteRT's delegate (XNNPACK).

    Timing itself costs a little: the sum is a few percent above :func:`benchmark`'s.

    Args:
        path: The file.
        runs: Runs whose medians are taken, after three untimed ones.

    Returns:
        A dict: ``ms`` (all of a run's operators), ``kinds`` and ``layers``, lists of dicts with
        ``name``, ``ms`` and ``calls``, the slowest first; ``outside``, the operators that run
        outside of the delegate, like ``kinds``; ``operators``, how many of them are ``delegated``
        and in how many ``partitions``; ``conditions``, machine, load and versions. A kind is
        XNNPACK's or LiteRT's name of an operator. A layer is one of the network's, by the names in
        the file; operators without one are ``(between layers)``.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a .tflite file or LiteRT can't run it, or ``runs`` is not positive.
        RuntimeError: If this LiteRT can't time its operators; ai-edge-litert 2.3 can, on Linux.
    """
    whole_number("runs", runs)
    graph, parts = read_graph(path), partitions(path)
    measured = run_module(__name__, path, runs)
    if measured.returncode:
        raise RuntimeError(
            f"LiteRT can't time the operators of {path}: {cause_of_failure(measured)}"
        )
    events = [json.loads(line) for line in measured.stdout.splitlines()]
    operators = _operators(graph, parts, events)
    if not operators:
        raise RuntimeError(
            f"LiteRT gave no times of the operators of {path}, or not those that its delegate was "
            "said to take. ai-edge-litert 2.3 does: pip install -U ai-edge-litert"
        )
    layers = _layers(graph, read_metadata(path).get("model", ""))
    kinds, by_layer, outside = _Sums(), _Sums(), _Sums()
    for (name, kind, _, milliseconds), number in zip(events, operators):
        kinds.add(name, milliseconds)
        by_layer.add(layers[number], milliseconds)
        if kind == _OPERATOR:
            outside.add(name, milliseconds)
    return {
        "file": pathlib.Path(path).name,
        "ms": sum(event[3] for event in events),
        "kinds": kinds.rows(),
        "layers": by_layer.rows(),
        "outside": outside.rows(),
        "operators": len(graph.subgraph.operators),
        "delegated": sum(map(len, parts)),
        "partitions": len(parts),
        "conditions": conditions(),
    }


class _Sums:
    """Times added up by name."""

    def __init__(self):
        self.ms, self.calls = collections.Counter(), collections.Counter()

    def add(self, name, milliseconds):
        self.ms[name] += milliseconds
        self.calls[name] += 1

    def rows(self):
        return [
            {"name": name, "ms": milliseconds, "calls": self.calls[name]}
            for name, milliseconds in self.ms.most_common()
        ]


def _operators(graph, parts, events):
    """For each event, the number of the file's operator that it is a part of; empty if none fit.

    The delegate merges and splits operators but keeps their order: the longest runs of matching
    kinds are found, and each remaining event belongs to the operator before it.
    """
    parts = [*parts]
    found, start = [], 0
    while start < len(events):
        _, kind, number, _ = events[start]
        if kind == _OPERATOR:
            found.append(number)
            start += 1
            continue
        # A delegate counts its operators from the first on.
        end = start + 1
        while end < len(events) and events[end][1] == kind and events[end][2] > events[end - 1][2]:
            end += 1
        if not parts:
            return []
        part = parts.pop(0)
        done = [_kind(event[0]) for event in events[start:end]]
        asked = [_kind(graph.name(graph.subgraph.operators[each])) for each in part]
        place = 0
        matches = difflib.SequenceMatcher(None, asked, done, autojunk=False).get_matching_blocks()
        for first, at, length in matches:
            found += [part[place]] * (start + at - len(found))
            for offset in range(length):
                place = first + offset
                found.append(part[place])
        start = end
    return [] if parts else found


def _kind(name):
    """One name for what XNNPACK and LiteRT call differently."""
    name = name.partition(" (")[0].upper().replace(" ", "_")
    return _LITERT_NAMES.get(name, name)


def _layers(graph, model):
    """For each operator the layer that computes it: the first part of its path below the model."""
    found = []
    for operator in graph.subgraph.operators:
        path = graph.tensor_name(operator.outputs[0]).partition(";")[0].split("/")
        path = [re.sub(r"_\d+$", "", part) for part in path[:-1]]
        if path and path[0] == model:
            path = path[1:]
        found.append(path[0] if path else "(between layers)")
    return found


# In the process that measures ------------------------------------------------------------------


class _Event(ctypes.Structure):
    """LiteRT's ProfiledEventData."""

    _fields_ = [
        ("tag", ctypes.c_char_p),
        ("kind", ctypes.c_int),
        ("start_us", ctypes.c_uint64),
        ("elapsed_us", ctypes.c_uint64),
        ("memory", ctypes.c_size_t * 6),
        ("number", ctypes.c_uint64),
        ("other_number", ctypes.c_uint64),
        ("source", ctypes.c_int),
    ]


class _LiteRt:
    """LiteRT's C library: functions by their names without "LiteRt"."""

    def __init__(self):
        package = importlib.util.find_spec("ai_edge_litert")
        if package is None:
            raise RuntimeError("ai-edge-litert is not installed: pip install ai-edge-litert")
        self.library = ctypes.CDLL(str(pathlib.Path(package.origin).with_name("libLiteRt.so")))

    def call(self, name, *arguments):
        status = getattr(self.library, f"LiteRt{name}")(*arguments)
        if status:
            raise RuntimeError(f"LiteRt{name} gives status {status}")

    def make(self, name, *arguments):
        """The handle that the function writes to its last argument."""
        made = ctypes.c_void_p()
        self.call(name, *arguments, ctypes.byref(made))
        return made


def _measure(path, runs):
    """Events of one run, [name, kind, number, median milliseconds]; the process's end frees all."""
    litert = _LiteRt()
    environment = litert.make("CreateEnvironment", 0, None)
    model = litert.make("CreateModelFromFile", environment, str(path).encode())
    options = litert.make("CreateOptions")
    litert.call("SetOptionsHardwareAccelerators", options, _CPU)
    text = ctypes.create_string_buffer(b"enable_profiling = true\n")
    keep = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda text: None)
    more = litert.make("CreateOpaqueOptions", b"runtime_options_string", text, keep)
    litert.call("AddOpaqueOptions", options, more)
    compiled = litert.make("CreateCompiledModel", environment, model, options)
    signature = litert.make("GetModelSignature", model, ctypes.c_size_t(0))
    inputs, outputs = (
        _buffers(litert, environment, compiled, signature, side) for side in ("Input", "Output")
    )

    def run():
        litert.call(
            "RunCompiledModel",
            *(compiled, ctypes.c_size_t(0)),
            *(ctypes.c_size_t(len(inputs)), inputs, ctypes.c_size_t(len(outputs)), outputs),
        )

    profiler = litert.make("CompiledModelGetProfiler", compiled)
    for _ in range(3):
        run()
    timed = []
    for _ in range(runs):
        litert.call("StartProfiler", profiler)  # forgets the run before
        run()
        litert.call("StopProfiler", profiler)
        timed.append(_events(litert, profiler))
    for same in zip(*timed, strict=True):
        name, kind, number, _ = same[0]
        yield name, kind, number, statistics.median(event[3] for event in same)


def _buffers(litert, environment, compiled, signature, side):
    """An array of tensor buffers, those of inputs filled with noise."""
    number = ctypes.c_size_t()
    litert.call(f"GetNumSignature{side}s", signature, ctypes.byref(number))
    buffers = []
    for index in map(ctypes.c_size_t, range(number.value)):
        tensor = litert.make(f"GetSignature{side}TensorByIndex", signature, index)
        shape = ctypes.create_string_buffer(128)  # a LiteRtRankedTensorType has 72 bytes
        litert.call("GetRankedTensorType", tensor, shape)
        needs = litert.make(
            f"GetCompiledModel{side}BufferRequirements", compiled, ctypes.c_size_t(0), index
        )
        buffer = litert.make("CreateManagedTensorBufferFromRequirements", environment, shape, needs)
        if side == "Input":
            _fill(litert, buffer)
        buffers.append(buffer)
    return (ctypes.c_void_p * len(buffers))(*buffers)


def _fill(litert, buffer):
    size = ctypes.c_size_t()
    litert.call("GetTensorBufferSize", buffer, ctypes.byref(size))
    memory = ctypes.c_void_p()
    litert.call("LockTensorBuffer", buffer, ctypes.byref(memory), _WRITE)
    noise = np.random.default_rng(0).random(size.value // 4, np.float32)
    ctypes.memmove(memory, noise.ctypes.data, noise.nbytes)
    litert.call("UnlockTensorBuffer", buffer)


def _events(litert, profiler):
    number = ctypes.c_int()
    litert.call("GetNumProfilerEvents", profiler, ctypes.byref(number))
    events = (_Event * number.value)()
    litert.call("GetProfilerEvents", profiler, number, events)
    return [
        (event.tag.decode(), event.kind, event.number, event.elapsed_us / 1000)
        for event in events
        if event.kind in (_OPERATOR, _DELEGATED)
    ]


if __name__ == "__main__":
    for measured_event in _measure(sys.argv[1], int(sys.argv[2])):
        print(json.dumps(measured_event))
