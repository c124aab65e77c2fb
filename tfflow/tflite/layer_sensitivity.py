"""Which layers lose the most in int8, measured one by one."""

from collections.abc import Sequence

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from tfflow.markdown import markdown_table
from tfflow.models.flow_model import FlowModel
from tfflow.progress import progress_bar
from tfflow.tflite import conversion
from tfflow.tflite.benchmarking import conditions
from tfflow.tflite.calibration import (
    Pairs,
    image_pairs,
    measure_ranges,
    open_calibration,
    synthetic_samples,
)
from tfflow.tflite.float_selection import float_by_default
from tfflow.tflite.flops import multiplications
from tfflow.tflite.layers import choose_layers, layer_names, layer_operators, results
from tfflow.tflite.quantization import quantize
from tfflow.tflite.report_files import Report
from tfflow.tflite.reporting import HELD_OUT_PAIRS, HELD_OUT_SEED
from tfflow.types import PathLike
from tfflow.vectors import length


class SensitivityReport(Report):
    """What each layer loses, a plain dict for JSON, with a table; see :func:`sensitivity`."""

    def as_text(self) -> str:
        """The layers as a Markdown table, the most sensitive first."""
        height, width = self["size"]
        pairs = "1 pair" if self["pairs"] == 1 else f"{self['pairs']} pairs"
        title = (
            f"{self['model']}, {height}x{width}, {pairs}: int8 is "
            f"{self['int8_px']:.4f} px from float32, all in int8 {self['all_int8_px']:.4f} px"
        )
        rows = []
        for layer in self["layers"]:
            won = "in float" if layer["in_float"] else f"{layer['won_px']:+.4f} px"
            share = f"{100.0 * layer['multiplications']:.1f} %"
            rows.append((layer["name"], f"{layer['alone_px']:.4f} px", won, share))
        heads = ("layer", "int8 alone", "won in float", "multiplications")
        return "\n".join([title, "", *markdown_table(heads, rows)])


def sensitivity(
    model: FlowModel,
    *,
    size: tuple[int, int] = (384, 512),
    calibration: Pairs | PathLike | None = None,
    outliers: float | None = None,
    pairs: Pairs | PathLike | None = None,
    layers: Sequence[str] | None = None,
) -> SensitivityReport:
    """Measures what int8 costs layer by layer, to decide which to keep in float.

    A layer is a convolution with the padding before it and the activation after it. It is tried
    alone in int8, all others in float32: that is its own loss. It is also tried in float32 within
    the int8 file that :func:`tfflow.tflite.export` makes: that is what keeping it in float32 would
    win, which is less where the layers around it lose the same. The calibration runs once.

    Args:
        model: A :class:`tfflow.models.FlowModel`.
        size: (height, width) to measure at, as for ``export``.
        calibration: As for ``export``; None = synthetic scenes.
        outliers: As for ``export``.
        pairs: The pairs to measure on, in any form that ``calibration`` takes; at most 50,
            preferably not those of the calibration. None = 8 other synthetic scenes.
        layers: Names of the layers to measure, or of blocks of layers; None = all.

    Returns:
        A :class:`SensitivityReport`, a dict: ``model``, ``size``, ``pairs`` (their number),
        ``int8_px`` and ``all_int8_px`` (mean length in px of the difference of flow from the
        float32 file, with and without the heads in float), ``layers``, a list sorted by loss, and
        ``conditions``. Each layer is a dict: ``name``; ``alone_px``, the same length with this
        layer alone in int8; ``in_float``, whether the int8 file keeps it in float by default;
        ``won_px``, by how much ``int8_px`` falls if it is kept too (None if ``in_float``);
        ``multiplications``, its share of the network's.

    Raises:
        TypeError, ValueError: As ``export``; and if no layer has one of the names.

    Example:
        >>> found = sensitivity(model, calibration="clip.mp4")
        >>> print(found.as_text())
        >>> export(model, "lightflow.tflite", keep_float=[found["layers"][0]["name"]])
    """
    size = conversion.checked_size(model, size)
    model = model.in_float32()
    names = layer_names(model)
    wanted = choose_layers(names if layers is None else layers, names, "layers")
    calibration = open_calibration(calibration, size)
    if pairs is None:
        pairs = synthetic_samples(size, HELD_OUT_PAIRS, HELD_OUT_SEED)
    images = list(image_pairs(open_calibration(pairs, size, "pairs"), size))
    if not images:
        raise ValueError("pairs holds no pair; expected some (image1, image2).")

    graph = conversion.convert(model, size)
    operators = {
        name: found for name, found in layer_operators(graph, names).items() if name in wanted
    }
    everything = results(graph, graph.subgraph.operators)
    ranges = measure_ranges(graph, calibration, size, outliers)
    reference = _flows(graph, images)

    def loss(kept, heads_in_float):
        quantized = quantize(
            graph,
            "int8",
            size=size,
            ranges=ranges,
            heads_in_float=heads_in_float,
            kept=lambda graph: kept,
        )
        distance = length(_flows(quantized, images) - reference)
        return float(distance.mean(dtype=np.float64))

    int8_loss, all_int8_loss = loss([], True), loss([], False)
    by_default = float_by_default(graph)
    total = sum(multiplications(graph, operator) for operator in graph.subgraph.operators)

    rows = []
    with progress_bar("layers") as progress:
        for name, own in operators.items():
            own_results = results(graph, own)
            others = [each for each in everything if each not in own_results]
            weighted = [each for each in own if multiplications(graph, each)]
            in_float = by_default.issuperset(results(graph, weighted))
            rows.append(
                {
                    "name": name,
                    "alone_px": loss(others, False),
                    "in_float": in_float,
                    "won_px": None if in_float else int8_loss - loss(own_results, True),
                    "multiplications": sum(multiplications(graph, each) for each in own) / total,
                }
            )
            progress(len(rows), len(operators))
    rows.sort(key=lambda row: -row["alone_px"])
    return SensitivityReport(
        model=model.name,
        size=list(size),
        pairs=len(images),
        int8_px=int8_loss,
        all_int8_px=all_int8_loss,
        layers=rows,
        conditions=conditions(),
    )


def _flows(graph, images):
    """The flow of each pair, (N, H, W, 2) float32."""
    interpreter = Interpreter(model_content=graph.to_bytes(), num_threads=1)
    interpreter.allocate_tensors()
    inputs, outputs = graph.signature()
    flows = []
    for pair in images:
        for name, image in zip(("image1", "image2"), pair):
            interpreter.set_tensor(inputs[name], image)
        interpreter.invoke()
        flows.append(interpreter.get_tensor(outputs["flow"])[0])
    return np.stack(flows)
