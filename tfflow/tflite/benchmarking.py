"""How long an exported file takes on this machine."""

import datetime
import os
import platform
import time
from typing import Any

import numpy as np

from tfflow.checks import whole_number
from tfflow.native.build import processor
from tfflow.tflite.interpreter import check_threads, open_interpreter, running
from tfflow.tflite.model_file import check_model_file
from tfflow.types import PathLike

SECONDS = 10.0  # after which a benchmark may stop


def benchmark(path: PathLike, threads: int = 1, runs: int = 50, warmup: int = 5) -> dict[str, Any]:
    """Latency of a .tflite file: the network alone, without resizing and copying images.

    Args:
        path: The file.
        threads: Number of threads.
        runs: Timed runs at most, after ``warmup`` untimed ones. After ten seconds it stops, once
            there are five.

    Returns:
        A dict: ``threads``, ``runs`` (those that were made), ``median_ms``, ``mean_ms``,
        ``min_ms``, ``p90_ms`` (nine in ten runs are quicker).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a .tflite file, LiteRT can't run it, or a number is out of its
            range.
    """
    whole_number("runs", runs)
    whole_number("warmup", warmup, least=0)
    threads = check_threads(threads)
    interpreter = open_interpreter(check_model_file(path), threads)
    generator = np.random.default_rng(0)
    for detail in interpreter.get_input_details():
        noise = generator.random(detail["shape"])
        high = 255 if detail["dtype"] == np.uint8 else 1
        interpreter.set_tensor(detail["index"], (noise * high).astype(detail["dtype"]))
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while len(times) < warmup + runs and (len(times) < warmup + 5 or time.perf_counter() < end):
        start = time.perf_counter()
        with running(path):
            interpreter.invoke()
        times.append(1000.0 * (time.perf_counter() - start))
    timed = np.array(times[warmup:])
    return {
        "threads": threads,
        "runs": len(timed),
        "median_ms": float(np.median(timed)),
        "mean_ms": float(timed.mean()),
        "min_ms": float(timed.min()),
        "p90_ms": float(np.percentile(timed, 90)),
    }


def delegation(path):
    """How much of a file LiteRT hands to its delegate (XNNPACK): the rest runs slower.

    Returns:
        A dict: ``operators`` (in the file), ``delegated`` (of these) and ``partitions``. Each
        further partition costs a copy of the tensors between them.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a .tflite file or LiteRT can't run it.
    """
    nodes, parts = _partitions(path)
    delegated = sum(map(len, parts))
    return {"operators": len(nodes), "delegated": delegated, "partitions": len(parts)}


def partitions(path):
    """The operators that LiteRT's delegate takes: a list of their numbers for each partition."""
    return _partitions(path)[1]


def _partitions(path):
    details = open_interpreter(check_model_file(path), 1)._get_ops_details()
    delegates = [detail for detail in details if detail["op_name"] == "DELEGATE"]
    nodes = [detail for detail in details if detail["op_name"] != "DELEGATE"]
    producer = {tensor: node for node in nodes for tensor in node["outputs"]}

    # What a delegate replaced lies between its outputs and its inputs.
    replaced, parts = set(), []
    for delegate in delegates:
        given, part = set(delegate["inputs"]), []
        wanted = [tensor for tensor in delegate["outputs"] if tensor not in given]
        while wanted:
            node = producer.get(wanted.pop())
            if node is not None and node["index"] not in replaced:
                replaced.add(node["index"])
                part.append(node["index"])
                wanted += [tensor for tensor in node["inputs"] if tensor not in given]
        parts.append(sorted(part))
    return nodes, parts


def conditions():
    """What a measurement depends on: a dict of the machine, its load, and the versions."""
    import tfflow

    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "cpu": processor()[0],
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "tfflow": tfflow.__version__,
        **_versions("ai-edge-litert", "ai-edge-quantizer", "tensorflow", "keras", "numpy"),
    }


def _versions(*packages):
    import importlib.metadata

    found = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found
