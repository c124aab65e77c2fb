"""The quantization modes of an exported file, made of its float32 graph by ai-edge-quantizer."""

import contextlib
import dataclasses
import functools
import io
import re
import threading
import warnings
from typing import Literal, TypeAlias

import numpy as np

from tfflow.suggestion import suggestion
from tfflow.tflite.calibration import measure_ranges
from tfflow.tflite.convex_form import drop_idle_limits
from tfflow.tflite.equal_forms import padding_by_kernels
from tfflow.tflite.float_selection import (
    coordinates,
    exact,
    feeding,
    float_by_default,
    flow_heads,
    matching,
    without_int16,
)
from tfflow.tflite.graph import NO_LOOPS, Graph
from tfflow.tflite.rewriting import name_signature, stay_integer, take_uint8_images

Quantization: TypeAlias = Literal[
    "float32", "float16", "weights", "dynamic", "int8", "int8_uint8", "int16x8"
]
QUANTIZATIONS: dict[Quantization, str] = {
    "float32": "float32 weights and activations",
    "float16": "float16 weights, float32 activations; half the size",
    "weights": "int8 weights, float32 activations; weights become float32 when the file is opened",
    "dynamic": "int8 weights, float32 activations, quantised on the fly for large convolutions",
    "int8": "int8 weights and activations; images and flow float32",
    "int8_uint8": "int8, images as uint8 (scale 1/255), flow float32",
    "int16x8": "int8 weights, int16 activations; exact, and slow: XNNPACK lacks kernels for it",
}
_ONE_AT_A_TIME = threading.Lock()

CALIBRATED = ("int8", "int8_uint8", "int16x8")

# Smaller weights stay float in "dynamic": they take little space, and quantising activations of few
# channels on the fly costs more time than it saves (LightFlow: 13.6 ms against 4.6 ms).
MIN_DYNAMIC_WEIGHTS = 1024

# The operators that have weights, by the quantiser's names.
WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D_TRANSPOSE", "FULLY_CONNECTED")

LARGEST_KERNEL = 32 << 20  # bytes: see _mend_quantizer


def check_quantization(name):
    """Raises ValueError with the nearest name if ``name`` is no quantization."""
    if name not in QUANTIZATIONS:
        known = ", ".join(QUANTIZATIONS)
        raise ValueError(
            f"quantization must be one of {known}; got {name!r}. {suggestion(name, QUANTIZATIONS)}"
        )


def quantize(
    graph,
    quantization,
    *,
    size,
    calibration=None,
    outliers=None,
    heads_in_float=True,
    kept=None,
    ranges=None,
):
    """A float32 graph in another quantization mode.

    Args:
        graph: The float32 :class:`Graph`; it stays as it is.
        quantization: A key of :data:`QUANTIZATIONS`.
        size: (height, width) of its inputs.
        calibration: Image pairs, for the modes in :data:`CALIBRATED`.
        outliers: What the calibration leaves out, see :func:`measure_ranges`.
        heads_in_float: Keep what :func:`flow_heads` finds in float32, in modes int8 and dynamic.
        kept: What else to keep in float32 there: a function from the :class:`Graph` to the names of
            operators' results.
        ranges: Instead of ``calibration``, as :func:`measure_ranges` gives them.

    Returns:
        The new :class:`Graph`.
    """
    content = graph.to_bytes()
    if quantization == "float32":
        return Graph(content)
    if quantization == "float16":
        return _weights_alone(content, _float16_weights(), "float_casting")
    if quantization == "weights":
        return _weights_alone(content, _int8_weights(), "min_max_uniform_quantize")
    kept = set(kept(graph)) if kept else set()
    kept |= {*feeding(graph, kept), *exact(graph)}
    if heads_in_float:
        kept |= set(flow_heads(graph))
    if quantization == "dynamic":
        return _dynamic(Graph(content), kept)

    if quantization == "int16x8":
        kept |= {*without_int16(graph), *coordinates(graph), *matching(graph)}
    else:
        kept |= float_by_default(graph, heads_in_float)
    if ranges is None:
        ranges = measure_ranges(graph, calibration, size, outliers)
    if len(graph.model.subgraphs) > 1:
        raise ValueError(f"Loops can't be in {quantization}. {NO_LOOPS}")
    graph = _static(content, ranges, kept, 16 if quantization == "int16x8" else 8)
    name_signature(graph)
    if quantization != "int16x8":
        stay_integer(graph)
        drop_idle_limits(graph)
    if quantization == "int8_uint8":
        take_uint8_images(graph)
    return graph


def _weights_alone(content, weights, algorithm):
    from ai_edge_quantizer import qtyping

    config = qtyping.OpQuantizationConfig(
        weight_tensor_config=weights,
        compute_precision=qtyping.ComputePrecision.FLOAT,
        explicit_dequantize=True,
    )
    return _run(content, [(".*", kind, config, algorithm) for kind in WEIGHTED])


def _dynamic(graph, kept):
    from ai_edge_quantizer import qtyping

    config = qtyping.OpQuantizationConfig(
        weight_tensor_config=_int8_weights(),
        compute_precision=qtyping.ComputePrecision.INTEGER,
        explicit_dequantize=False,
        min_weight_elements=MIN_DYNAMIC_WEIGHTS,
    )
    # Depthwise convolutions would leave the delegate in this form.
    kinds = ("CONV_2D", "CONV_2D_TRANSPOSE", "FULLY_CONNECTED")
    rules = [(".*", kind, config, "min_max_uniform_quantize") for kind in kinds]
    padding_by_kernels(graph, kept, MIN_DYNAMIC_WEIGHTS)
    return _run(graph.to_bytes(), rules + _in_float(kept))


def _static(content, ranges, kept, bits):
    from ai_edge_quantizer import qtyping

    activations = qtyping.TensorQuantizationConfig(num_bits=bits, symmetric=bits == 16)
    config = qtyping.OpQuantizationConfig(
        activation_tensor_config=activations,
        weight_tensor_config=_int8_weights(),
        compute_precision=qtyping.ComputePrecision.INTEGER,
        explicit_dequantize=False,
    )
    rules = [
        (".*", "*", config, "min_max_uniform_quantize"),
        (".*", "INPUT", None, "no_quantize"),
        (".*", "OUTPUT", None, "no_quantize"),
    ]
    calibrated = {
        name: {"min": np.full((1, 1, 1, 1), low), "max": np.full((1, 1, 1, 1), high)}
        for name, (low, high) in ranges.items()
    }
    return _run(content, rules + _in_float(kept), calibrated)


def _float16_weights():
    from ai_edge_quantizer import qtyping

    return qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT)


def _int8_weights():
    from ai_edge_quantizer import qtyping

    channelwise = qtyping.QuantGranularity.CHANNELWISE
    return qtyping.TensorQuantizationConfig(num_bits=8, symmetric=True, granularity=channelwise)


def _in_float(names):
    """The quantiser's rules that leave the operators with these results as they are."""
    # It matches against the names of all of an operator's results, each followed by a semicolon.
    # In one pattern: Python forgets compiled patterns above 512, and the quantiser looks for each
    # at every operator; compiling them anew was 95% of an int8 export.
    either = "|".join(map(re.escape, sorted(names)))
    return [(f"^(?:{either});?$", "*", None, "no_quantize")] if names else []


def _run(content, rules, calibrated=None):
    from ai_edge_quantizer import qtyping, quantizer

    _mend_quantizer()
    run = quantizer.Quantizer(content)
    for pattern, kind, config, algorithm in rules:
        run.update_quantization_recipe(
            pattern, qtyping.TFLOperationName(kind), config, algorithm_key=algorithm
        )
    # It draws a progress bar even when told not to, and warns of its own use of the interpreter.
    # Both belong to the process: of two threads, the second would keep the first one's silence.
    with _ONE_AT_A_TIME, contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = run.quantize(calibrated, enable_progress_bar=False, enable_progress_report=False)
    return Graph(bytes(result.quantized_model))


@functools.cache
def _mend_quantizer():
    """Lets ai-edge-quantizer round kernels above 32 MiB, such as FlowNetS's, part by part.

    Its version 0.10 makes two dimensions of such a kernel, but not of its scales, and fails.
    """
    from ai_edge_quantizer.algorithms.uniform_quantize import uniform_quantize_tensor

    original = uniform_quantize_tensor.uniform_quantize

    def in_parts(values, parameters, *arguments, **settings):
        parts = -(-values.nbytes // LARGEST_KERNEL)
        if values.ndim < 3 or parts < 2 or parameters.quantized_dimension != 0:
            return original(values, parameters, *arguments, **settings)
        rounded = [
            original(
                values[channels],
                dataclasses.replace(
                    parameters,
                    scale=parameters.scale[channels],
                    zero_point=parameters.zero_point[channels],
                ),
                *arguments,
                **settings,
            )
            for channels in np.array_split(np.arange(len(values)), parts)
        ]
        return np.concatenate(rounded)

    uniform_quantize_tensor.uniform_quantize = in_parts
