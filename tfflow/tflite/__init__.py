"""LiteRT (TensorFlow Lite): export, quantise, run, measure::

    path = export(model, "lightflow_int8.tflite", size=(384, 512), quantization="int8")
    flow = FlowInterpreter(path).predict_flow(image1, image2)
    flow = FlowStream(path).next(frame)  # of a video, with export(…, streaming=True)
    print(report(path, model).as_text())

Running a file needs only NumPy and ai-edge-litert; TensorFlow is imported by ``export``.
"""

from typing import TYPE_CHECKING

from tfflow.lazy import importer

if TYPE_CHECKING:
    from tfflow.tflite.app_assets import add_to_assets as add_to_assets
    from tfflow.tflite.app_lines import usage as usage
    from tfflow.tflite.benchmarking import benchmark as benchmark
    from tfflow.tflite.conversion import export as export
    from tfflow.tflite.graph import operators as operators
    from tfflow.tflite.graph import read_metadata as read_metadata
    from tfflow.tflite.int8_training import prepare_for_int8 as prepare_for_int8
    from tfflow.tflite.interpreter import FlowInterpreter as FlowInterpreter
    from tfflow.tflite.layer_sensitivity import SensitivityReport as SensitivityReport
    from tfflow.tflite.layer_sensitivity import sensitivity as sensitivity
    from tfflow.tflite.profiling import profile as profile
    from tfflow.tflite.quantization import QUANTIZATIONS as QUANTIZATIONS
    from tfflow.tflite.reporting import ExportReport as ExportReport
    from tfflow.tflite.reporting import report as report
    from tfflow.tflite.streaming import FlowStream as FlowStream
    from tfflow.tflite.streaming import benchmark_streaming as benchmark_streaming

_LAZY = {
    "ExportReport": "reporting",
    "FlowInterpreter": "interpreter",
    "FlowStream": "streaming",
    "QUANTIZATIONS": "quantization",
    "SensitivityReport": "layer_sensitivity",
    "add_to_assets": "app_assets",
    "benchmark": "benchmarking",
    "benchmark_streaming": "streaming",
    "export": "conversion",
    "operators": "graph",
    "prepare_for_int8": "int8_training",
    "profile": "profiling",
    "read_metadata": "graph",
    "report": "reporting",
    "usage": "app_lines",
    # The module has another name, or it would replace the function once imported.
    "sensitivity": "layer_sensitivity",
}

__all__ = list(_LAZY)


if not TYPE_CHECKING:  # to type checkers, any other name is an error
    # Running a file must neither wait for the converter nor need it.
    __getattr__ = importer(__name__, _LAZY)
