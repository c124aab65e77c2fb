"""LiteRT (TensorFlow Lite): export, quantise, run, measure::

    path = export(model, "lightflow_int8.tflite", size=(384, 512), quantization="int8")
    flow = FlowInterpreter(path).predict_flow(image1, image2)
    flow = FlowStream(path).next(frame)  # of a video, with export(…, streaming=True)
    print(report(path, model).as_text())

Running a file needs only NumPy and ai-edge-litert; TensorFlow is imported by ``export``.
"""

import importlib

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
    "profile": "profiling",
    "read_metadata": "graph",
    "report": "reporting",
    "usage": "app_lines",
    # The module has another name, or it would replace the function once imported.
    "sensitivity": "layer_sensitivity",
}

__all__ = list(_LAZY)


def __getattr__(name):
    # Running a file must neither wait for the converter nor need it.
    if name in _LAZY:
        return getattr(importlib.import_module(f"tfflow.tflite.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
