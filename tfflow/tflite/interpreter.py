"""Runs an exported file, with the same call as the Keras model."""

import contextlib
import importlib
import os
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tfflow.checks import whole_number
from tfflow.models.predicting import PredictsFlow
from tfflow.models.prediction import ImagePair, as_size, size_text
from tfflow.tflite.model_file import check_model_file
from tfflow.types import PathLike

# ai-edge-litert, its former name, and TensorFlow's own; all have the same Interpreter.
_RUNTIMES = (
    "ai_edge_litert.interpreter",
    "tflite_runtime.interpreter",
    "tensorflow.lite.python.interpreter",
)
_INPUTS = {"image1", "image2"}
_PARTS = {"encode", "match"}


class FlowInterpreter(PredictsFlow):
    """An exported .tflite file that predicts flow, on LiteRT's CPU kernels (XNNPACK).

    It owns one set of tensors: threads may share it, and then run one after the other. For runs
    at the same time, give each thread a FlowInterpreter of its own.

    Args:
        path: A file written by :func:`tfflow.tflite.export`.
        threads: Number of threads; by default one for each core, but at most four.

    Attributes:
        path: The file.
        size: (height, width) that the file runs at.
        threads: Number of threads.
        metadata: What the file says about itself, see :func:`tfflow.tflite.read_metadata`.
        siamese: Whether it can encode a frame by itself: it was exported with ``streaming=True``.
        gives_confidence: Whether it was exported with ``confidence=True``.
        litert: LiteRT's own interpreter of the file.
        inputs: LiteRT's details of the images, a dict by name.
        outputs: LiteRT's details of what it gives, a dict by name.
        output: Those of the flow.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a .tflite file, is damaged, needs operators that LiteRT lacks, or
            does not turn ``image1`` and ``image2`` (1, H, W, 3) of one size into a ``flow`` of that
            size, all of them float or quantised.
        ImportError: If no LiteRT is installed.

    Example:
        >>> flow = FlowInterpreter("lightflow_int8.tflite").predict_flow(image1, image2)
    """

    def __init__(self, path: PathLike, threads: int | None = None) -> None:
        self.path = check_model_file(path)
        self._opened = self.path.absolute()  # wherever the process goes
        self.threads = check_threads(threads)
        self.litert = open_interpreter(self.path, self.threads)
        self._lock = threading.Lock()  # from setting inputs to having copied outputs
        inputs, outputs = self._flow_signature()
        self.inputs, self.outputs, self.output = inputs, outputs, outputs["flow"]
        self.gives_confidence = "confidence" in outputs
        height, width = (int(side) for side in inputs["image1"]["shape"][1:3])
        self.size = height, width
        self.siamese = set(self.litert.get_signature_list()) >= _PARTS
        self.metadata = metadata_of(self.path)

    def __reduce__(self) -> tuple[Any, ...]:  # for processes, which open the file again
        return type(self), (self._opened, self.threads)

    def __repr__(self) -> str:
        height, width = self.size
        return f"FlowInterpreter({str(self.path)!r}, {height}x{width}, threads={self.threads})"

    def working_size(
        self, image_size: tuple[int, int] | None, size: tuple[int, int] | None = None
    ) -> tuple[int, int]:
        """The file's (height, width), at which images of any size are run.

        Raises:
            ValueError: If another ``size`` is asked for.
        """
        if size is not None and as_size(size) != self.size:
            raise ValueError(
                f"{self.path} runs at {size_text(self.size)} only; got {size_text(size)} (height x "
                "width). Export another file for that size."
            )
        return self.size

    def compiled_parts(
        self, confidence: bool = False
    ) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """(encode, match) as functions of NumPy arrays, for :class:`tfflow.models.FlowStream`.

        ``encode`` takes an image (1, H, W, 3), float32 in [0, 1], and gives a dict of arrays;
        ``match`` takes two such dicts and gives ``{"flow": (1, H, W, 2)}``, with ``confidence``
        also ``"confidence": (1, h, w, 1)``.

        Raises:
            ValueError: If the file was exported without ``streaming=True``, or without the
                ``confidence=True`` that is asked for.
        """
        if not self.siamese:
            raise ValueError(
                f"{self.path} can't encode a frame by itself: it has no signatures encode and "
                "match. Export it with streaming=True, or use predict_flow."
            )
        if confidence:
            self.check_confidence()
        details = self.litert.get_signature_runner("encode").get_input_details()["image"]
        wanted = self.litert.get_signature_list()["match"]["inputs"]

        def encode(image):
            # As with flow, no runner may be kept.
            with self._lock, running(self.path):
                runner = self.litert.get_signature_runner("encode")
                return runner(image=_quantized(image, details))

        def match(features1, features2):
            both = of_two_frames(features1, features2)
            with self._lock, running(self.path):
                runner = self.litert.get_signature_runner("match")
                outputs = runner(**{name: both[name] for name in wanted})
            return outputs if confidence else {"flow": outputs["flow"]}

        return encode, match

    def run(self, image1: npt.NDArray[Any], image2: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """The flow (H, W, 2) of two images (H, W, 3) of :attr:`size`, float32 in [0, 1]."""
        return self._run(image1, image2)["flow"]

    def _run(self, image1, image2):
        with self._lock, running(self.path):
            for name, image in (("image1", image1), ("image2", image2)):
                details = self.inputs[name]
                self.litert.set_tensor(details["index"], _quantized(image[None], details))
            self.litert.invoke()
            found = {name: self.litert.get_tensor(d["index"]) for name, d in self.outputs.items()}
        return {name: _dequantized(found[name], self.outputs[name])[0] for name in found}

    def _flow_pair(self, image1, image2, size):
        return ImagePair(image1, image2, size=self.working_size(None, size))

    def _flow_outputs(self, images1, images2, confidence):
        outputs = [self._run(*images) for images in zip(images1, images2)]
        if len(outputs) == 1:  # not copied once more
            return {name: values[None] for name, values in outputs[0].items()}
        return {name: np.stack([each[name] for each in outputs]) for name in self.outputs}

    def why_no_confidence(self) -> str:
        """A sentence: that this file gives no confidence, and how one is made that does."""
        return (
            f"{self.path} gives no confidence. Files of RillFlow and MaskFlowNet do, if they are "
            "exported with confidence=True."
        )

    def _flow_signature(self):
        """The details of the inputs and of the outputs by name, checked."""
        signatures = self.litert.get_signature_list()
        found = signatures.get("flow") or {"inputs": [], "outputs": []}
        if set(found["inputs"]) != _INPUTS or "flow" not in found["outputs"]:
            raise ValueError(
                f"{self.path} is no flow network exported by tfflow: expected a signature 'flow' "
                f"of image1, image2 -> flow; it has {signatures_in_words(signatures)}."
            )
        # The runner itself must not be kept: while it exists, the interpreter refuses to run.
        runner = self.litert.get_signature_runner("flow")
        inputs, outputs = runner.get_input_details(), runner.get_output_details()
        outputs = {"flow": outputs["flow"], **outputs}  # flow first
        first, second = (_shape(inputs[name]) for name in sorted(_INPUTS))
        if first != second or len(first) != 4 or (first[0], first[3]) != (1, 3):
            raise ValueError(
                f"{self.path}: expected two images (1, H, W, 3); it takes {first} and {second}."
            )
        if -1 in inputs["image1"]["shape_signature"][1:3]:
            raise ValueError(
                f"{self.path} takes images of any size; expected a size of its own. Export it for "
                "a height and a width."
            )
        flow = _shape(outputs["flow"])
        if flow != (*first[:3], 2):
            raise ValueError(
                f"{self.path}: expected a flow {(*first[:3], 2)}, as its images are {first}; it "
                f"gives {flow}."
            )
        trust = _shape(outputs.get("confidence", {"shape": (1, 1, 1, 1)}))
        if len(trust) != 4 or (trust[0], trust[3]) != (1, 1):
            raise ValueError(f"{self.path}: expected a confidence (1, h, w, 1); it gives {trust}.")
        for name, details in (*inputs.items(), *outputs.items()):
            if np.issubdtype(details["dtype"], np.integer) and not details["quantization"][0]:
                raise ValueError(
                    f"{self.path}: {name} is {np.dtype(details['dtype']).name} without a scale; "
                    "expected float32, or quantised integers."
                )
        return inputs, outputs


def _shape(details):
    return tuple(map(int, details["shape"]))


def open_interpreter(path, threads):
    """A LiteRT interpreter with its tensors allocated.

    Raises:
        ValueError: If the file is damaged, or needs operators that LiteRT lacks.
        ImportError: If no LiteRT is installed.
    """
    runtime = litert()
    with running(path):
        interpreter = runtime(model_path=str(path), num_threads=threads)
        interpreter.allocate_tensors()
    return interpreter


@contextlib.contextmanager
def running(path):
    """A context in which LiteRT's errors become ValueError, with the file's name."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"LiteRT can't run {path}: {error}") from error


def litert():
    """The class Interpreter of the first LiteRT that is installed."""
    for name in _RUNTIMES:
        try:
            return importlib.import_module(name).Interpreter
        except ImportError:
            continue
    raise ImportError("Running a .tflite file needs LiteRT: pip install ai-edge-litert")


def check_threads(threads):
    """A number of threads, or the default for None."""
    if threads is None:
        return min(4, os.cpu_count() or 1)
    return whole_number("threads", threads)


def signatures_in_words(signatures):
    """What LiteRT's ``get_signature_list`` gives, for a message."""
    found = (
        f"{name}: {', '.join(each['inputs'])} -> {', '.join(each['outputs'])}"
        for name, each in signatures.items()
    )
    return "; ".join(found) or "none"


def of_two_frames(features1, features2):
    """Two frames' features under the names that ``match`` has for them."""
    return {
        f"features{frame}_{name}": values
        for frame, features in ((1, features1), (2, features2))
        for name, values in features.items()
    }


def metadata_of(path):
    """What a file says about itself; {} where the runtime can't read that."""
    try:
        from tfflow.tflite.graph import read_metadata
    except ImportError:  # an older runtime, without ai-edge-litert's schema
        return {}
    return read_metadata(path)


def _quantized(image, details):
    """An image in [0, 1] as the file takes it: float32, or integers with a scale."""
    dtype, (scale, zero_point) = details["dtype"], details["quantization"]
    if not np.issubdtype(dtype, np.integer):
        return image.astype(dtype, copy=False)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(image / scale) + zero_point, limits.min, limits.max).astype(dtype)


def _dequantized(flow, details):
    scale, zero_point = details["quantization"]
    if not np.issubdtype(flow.dtype, np.integer):
        return flow
    return (flow.astype(np.float32) - zero_point) * np.float32(scale)
