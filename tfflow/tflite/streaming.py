"""Runs a video through an exported file, encoding each frame once; measures what that saves."""

import statistics
import time
from typing import Any

import numpy as np

from tfflow.checks import whole_number
from tfflow.models import streaming
from tfflow.tflite.interpreter import FlowInterpreter
from tfflow.types import PathLike


class FlowStream(streaming.FlowStream):
    """:class:`tfflow.models.FlowStream` of a file that was exported with ``streaming=True``.

    Args:
        path: The file.
        threads: Number of threads; by default one for each core, but at most four.
        confidence: Whether to keep ``confidence``, for files exported with ``confidence=True``.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not an exported file, or was exported without ``streaming=True``, or
            without the confidence that is asked for.
        ImportError: If no LiteRT is installed.

    Example:
        >>> stream = FlowStream("liteflownet2.tflite")
        >>> for frame in frames:
        ...     flow = stream.next(frame)  # None for the first
    """

    def __init__(
        self, path: PathLike, threads: int | None = None, *, confidence: bool = False
    ) -> None:
        super().__init__(FlowInterpreter(path, threads=threads), confidence=confidence)


def benchmark_streaming(
    path: PathLike, threads: int | None = 1, runs: int = 50, warmup: int = 5
) -> dict[str, Any]:
    """Latency of encode and match, and for comparison of flow, the three measured in turn.

    They are timed as an app runs them, with features copied from one signature to the other.

    Args:
        path: A file exported with ``streaming=True``.
        threads: Number of threads, or None as for :class:`FlowInterpreter`.
        runs: Timed runs, after ``warmup`` untimed ones.

    Returns:
        A dict: ``threads``, ``runs``, and the medians ``encode_ms``, ``match_ms``, ``frame_ms``
        (both, which is what a video's frame costs) and ``pair_ms`` (flow, from two images).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not an exported file, was exported without ``streaming=True``, or a
            number is too small.
    """
    whole_number("runs", runs)
    whole_number("warmup", warmup, least=0)
    interpreter = FlowInterpreter(path, threads=threads)
    encode, match = interpreter.compiled_parts()
    images = np.random.default_rng(0).random((2, 1, *interpreter.size, 3), np.float32)
    features = encode(images[0])
    times: dict[str, list[float]] = {"encode": [], "match": [], "frame": [], "pair": []}
    for _ in range(warmup + runs):
        start = time.perf_counter()
        newer = encode(images[1])
        encoded = time.perf_counter()
        match(features, newer)
        matched = time.perf_counter()
        # Not predict_flow: checking and resizing images is not part of the network.
        interpreter.run(images[0, 0], images[1, 0])
        paired = time.perf_counter()
        times["encode"].append(encoded - start)
        times["match"].append(matched - encoded)
        times["frame"].append(matched - start)
        times["pair"].append(paired - matched)
    medians = {
        f"{name}_ms": 1000.0 * statistics.median(values[warmup:]) for name, values in times.items()
    }
    return {"threads": interpreter.threads, "runs": runs, **medians}
