"""What an export costs and what it gains: one report per file."""

from __future__ import annotations

import itertools
import pathlib
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfflow.markdown import markdown_table
from tfflow.models.prediction import as_rgb_batch
from tfflow.tflite.benchmarking import benchmark, conditions, delegation
from tfflow.tflite.calibration import Pairs, as_pair, synthetic_samples
from tfflow.tflite.graph import operators
from tfflow.tflite.interpreter import FlowInterpreter
from tfflow.tflite.memory import peak_memory
from tfflow.tflite.report_files import Report
from tfflow.tflite.streaming import benchmark_streaming
from tfflow.types import PathLike
from tfflow.vectors import is_known, length
from tfflow.visualization.colors import error_to_image, flow_to_image, largest_motion
from tfflow.visualization.figures import compose

if TYPE_CHECKING:
    from tfflow.models import FlowModel

# Other scenes than those of the calibration.
HELD_OUT_SEED = 1
HELD_OUT_PAIRS = 8


class ExportReport(Report):
    """A report's numbers, a plain dict for JSON, with a table for people; see :func:`report`.

    Attributes:
        picture: The pair on which file and Keras differ most, (H, W, 3) uint8: the first image,
            both flows, their distance. None where there was nothing to compare.
    """

    def as_text(self) -> str:
        """The report as a Markdown table, which reads well in a terminal too."""
        rows = [("file", self["file"])]
        height, width = self["size"]
        rows.append(("network", f"{self['model']}, {height}x{width}, {self['quantization']}"))
        rows.append(("size", f"{self['bytes'] / 1e6:.2f} MB"))
        share = self["delegation"]
        partitions = "partition" if share["partitions"] == 1 else "partitions"
        rows.append(
            (
                "operators",
                f"{share['operators']}, {share['delegated']} of them in the delegate "
                f"({share['partitions']} {partitions})",
            )
        )
        if self.get("peak_memory"):
            rows.append(("memory", f"{self['peak_memory'] / 1e6:.0f} MB at most, one thread"))
        for latency in self["latency"]:
            threads = "thread" if latency["threads"] == 1 else "threads"
            rows.append(
                (
                    f"latency, {latency['threads']} {threads}",
                    f"{latency['median_ms']:.2f} ms (median of {latency['runs']})",
                )
            )
        for latency in self.get("streaming", ()):
            threads = "thread" if latency["threads"] == 1 else "threads"
            rows.append(
                (
                    f"video, {latency['threads']} {threads}",
                    f"{latency['frame_ms']:.2f} ms a frame (encode {latency['encode_ms']:.2f}, "
                    f"match {latency['match_ms']:.2f}) instead of {latency['pair_ms']:.2f} ms",
                )
            )
        reference = self.get("float32")
        if reference:
            times = " / ".join(f"{each['median_ms']:.2f}" for each in reference["latency"])
            text = f"{reference['bytes'] / 1e6:.2f} MB, {times} ms"
            rows.append(("the same in float32", text))
        difference = self.get("difference_px")
        if difference:
            rows.append(
                (
                    "difference from Keras",
                    f"mean {difference['mean']:.4f} px, 99 % below {difference['p99']:.4f} px, "
                    f"at most {difference['max']:.4f} px",
                )
            )
        epe = self.get("epe_px")
        if epe:
            known = f"{epe['file']:.3f} px on {self['pairs']['number']} {self['pairs']['source']}"
            if "keras" in epe:
                change = 100.0 * (epe["file"] / epe["keras"] - 1.0) if epe["keras"] else 0.0
                known += f"; Keras {epe['keras']:.3f} px ({change:+.1f} %)"
            known += f"; zero flow {epe['zero_flow']:.3f} px"
            rows.append(("EPE", known))
        where = self["conditions"]
        rows.append(("measured on", f"{where['cpu']}, {where['cores']} cores, {where['date']}"))
        return "\n".join(markdown_table(rows[0], rows[1:], texts=(0, 1)))


def report(
    path: PathLike,
    model: FlowModel | None = None,
    pairs: Pairs | None = None,
    *,
    threads: Sequence[int] = (1, 2, 4),
    runs: int = 50,
) -> ExportReport:
    """Measures an exported file: size, operators, latency; with the model, what the export changed.

    Both run at the file's size on the same pairs, so the difference comes from the export alone.

    Args:
        path: The .tflite file.
        model: The Keras model it was made from; None leaves the comparison out.
        pairs: Iterable of pairs that the file was not calibrated on: (image1, image2),
            (image1, image2, flow), (image1, image2, flow, valid) or
            :class:`tfflow.data.FlowSample`. With a true flow, EPE is measured. None = synthetic
            scenes where a model is given.
        threads: Numbers of threads to measure the latency at.
        runs: Timed runs for each; fewer, at least five, for a slow file.

    Returns:
        An :class:`ExportReport`, a dict: ``file``, ``bytes``, ``model``, ``size``,
        ``quantization``, ``operators`` (name -> number), ``delegation``, ``peak_memory`` (bytes),
        ``latency`` (one dict for each number of threads, see :func:`benchmark`), ``streaming`` (the
        same for a file exported with ``streaming=True``, see :func:`benchmark_streaming`),
        ``float32`` (``bytes`` and ``latency`` of the same network in float32, where a model is
        given and the file is quantised otherwise),
        ``difference_px`` (length of the difference vector from Keras: ``mean``, ``p99``, ``max``),
        ``epe_px`` (``file``, ``keras`` and, to compare with, ``zero_flow``, over all valid pixels),
        ``pairs``, ``conditions``. The differences, EPE and pairs are missing where they were not
        measured.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not an exported file, or ``pairs`` holds no pair.
    """
    interpreter = FlowInterpreter(path)
    path = interpreter.path
    values = {
        "file": path.name,
        "bytes": path.stat().st_size,
        "model": interpreter.metadata.get("model", "unknown"),
        "size": list(interpreter.size),
        "quantization": interpreter.metadata.get("quantization", "unknown"),
        "operators": operators(path),
        "delegation": delegation(path),
        "peak_memory": peak_memory(path),
        "latency": [benchmark(path, threads=number, runs=runs) for number in threads],
    }
    if interpreter.siamese:
        values["streaming"] = [benchmark_streaming(path, number, runs) for number in threads]
    source = "given pairs"
    if pairs is None and model is not None:
        source = "synthetic pairs"
        pairs = synthetic_samples(interpreter.size, HELD_OUT_PAIRS, HELD_OUT_SEED)
    if model is not None and values["quantization"] != "float32":
        values["float32"] = _measure_float32(model, interpreter, threads, runs)
    picture = None
    if pairs is not None:
        compared, picture = _compare(interpreter, model, pairs, source)
        values |= compared
    result = ExportReport(values, conditions=conditions())
    result.picture = picture
    return result


def _measure_float32(model, interpreter, threads, runs):
    """Size and latency of the same file in float32: what quantisation gains here."""
    from tfflow.tflite.conversion import export  # needs TensorFlow; the rest of a report does not

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "float32.tflite")
        export(
            model,
            path,
            size=interpreter.size,
            quantization="float32",
            streaming=interpreter.siamese,
            confidence=interpreter.gives_confidence,
            warp_radius=interpreter.metadata.get("warp_radius"),
        )
        latency = [benchmark(path, threads=number, runs=runs) for number in threads]
        return {"bytes": path.stat().st_size, "latency": latency}


def _compare(interpreter, model, pairs, source):
    differences = _Lengths()
    errors = {name: _Lengths() for name in ("file", "keras", "zero_flow")}
    number, most, worst = 0, -1.0, None
    for image1, image2, truth, valid in itertools.chain.from_iterable(map(_pairs_of, pairs)):
        number += 1
        flows = {"file": interpreter.predict_flow(image1, image2)}
        if model is not None:
            flows["keras"] = model.predict_flow(image1, image2, size=interpreter.size)
            distance = _distance(flows["file"], flows["keras"])
            differences.add(distance)
            if distance.mean() > most:
                most, worst = distance.mean(), (image1, flows)
        if truth is not None:
            for name, flow in (flows | {"zero_flow": np.zeros_like(truth)}).items():
                errors[name].add(_distance(flow, truth)[valid])
    if not number:
        raise ValueError("pairs holds no pair; expected some (image1, image2[, flow]).")

    values = {"pairs": {"number": number, "source": source}}
    if differences.count:
        values["difference_px"] = {
            "mean": differences.mean,
            "p99": differences.percentile(99),
            "max": differences.largest,
        }
    if epe := {name: of.mean for name, of in errors.items() if of.count}:
        values["epe_px"] = epe
    return values, _picture(*worst) if worst else None


class _Lengths:
    """Mean, percentiles and maximum of any number of lengths in px, in little memory."""

    # Each bin is a thousandth wider than the one before.
    _SMALLEST, _GROWTH, _BINS = 1e-6, np.log(1.001), 1 << 15

    def __init__(self):
        self.count, self._sum, self.largest = 0, 0.0, 0.0
        self._bins = np.zeros(self._BINS, np.int64)

    def add(self, lengths):
        """Adds an array of any shape; it may be empty."""
        lengths = np.asarray(lengths, np.float64).ravel()
        if not lengths.size:
            return
        self.count += lengths.size
        self._sum += float(lengths.sum())
        self.largest = float(np.maximum(self.largest, lengths.max()))
        places = np.log(np.maximum(lengths, self._SMALLEST) / self._SMALLEST) / self._GROWTH
        places = np.minimum(np.nan_to_num(places, nan=np.inf), self._BINS - 1).astype(np.int64)
        self._bins += np.bincount(places, minlength=self._BINS)

    @property
    def mean(self):
        return self._sum / self.count

    def percentile(self, percent):
        """To a thousandth of itself."""
        place = int(np.searchsorted(np.cumsum(self._bins), percent / 100 * self.count))
        return min(self.largest, float(self._SMALLEST * np.exp((place + 0.5) * self._GROWTH)))


def _picture(image1, flows):
    """The first image, both flows in one scale, and their distance."""
    file, keras = flows["file"], flows["keras"]
    everywhere = np.ones(keras.shape[:2], bool)
    largest = largest_motion(keras, everywhere)
    distance = _distance(file, keras)
    scale = max(0.1, float(np.percentile(distance, 99)))
    panels = {
        "first image": as_rgb_batch(image1, "image1")[0][0],
        "flow of the file": flow_to_image(file, largest),
        f"flow of Keras, to {largest:.1f} px": flow_to_image(keras, largest),
        f"difference, mean {distance.mean():.3f} px, scale to {scale:.2f} px": error_to_image(
            file, keras, everywhere, scale
        ),
    }
    return compose(list(panels.values()), list(panels), columns=2)


def _pairs_of(item):
    """(image1, image2, flow or None, valid or None) of a pair, or of each pair of a batch."""
    image1, image2 = as_pair(item)
    truth, valid = _truth(item)
    if image1.ndim < 4:
        return [(image1, image2, truth, valid)]
    nothing = itertools.repeat(None)
    return zip(
        image1,
        image2,
        nothing if truth is None else truth,
        nothing if valid is None else valid,
    )


def _truth(item):
    """(flow, valid) of a pair that has a true flow; (None, None) for any other."""
    if isinstance(item, (tuple, list)) and isinstance(item[0], dict):  # a training example
        item = (None, None, *item[1:])
    flow = item[2] if isinstance(item, (tuple, list)) and len(item) > 2 else None
    if flow is None:
        return None, None
    valid = item[3] if len(item) > 3 else None
    flow = np.asarray(flow)
    known = is_known(flow)
    return flow, known if valid is None else known & np.asarray(valid).astype(bool)


def _distance(flow, other):
    return length(flow.astype(np.float64) - other)
