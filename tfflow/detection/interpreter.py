"""Running a detector's exported files: what a VideoDetector runs its frames on."""

import pathlib
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from tfflow.tflite.interpreter import (
    check_threads,
    metadata_of,
    open_interpreter,
    running,
    signatures_in_words,
)
from tfflow.tflite.model_file import check_model_file
from tfflow.types import PathLike

KEY, BETWEEN, IMAGE = "key", "between", "image"
_INPUTS = {"image", "key_image", "features"}
# Signature -> (inputs, outputs).
_SIGNATURES = {
    KEY: (_INPUTS, {"boxes", "scores", "features"}),
    BETWEEN: (_INPUTS, {"boxes", "scores", "flow"}),
    IMAGE: ({"image"}, {"boxes", "scores"}),
}


class DetectorInterpreter:
    """The files of :func:`tfflow.detection.export_detector`, on LiteRT's CPU kernels.

    Give it to a :class:`tfflow.detection.VideoDetector`. The one file of
    :func:`tfflow.detection.export_image_detector` works too, with ``FixedInterval(1)``. It owns one
    set of tensors: detectors in several threads may share it, and then run one after the other.

    Args:
        path: ``NAME_key.tflite``; ``NAME_between.tflite`` lies beside it. Or ``NAME.tflite``: a
            file of ``export_image_detector``, or where it is none, both of these.
        threads: Number of threads; by default one for each core, but at most four.

    Attributes:
        size: (height, width) that the files run at.
        has_flow: Whether they carry features along the flow; a file for images does not.
        classes: The names of the classes.
        metadata: What the files say about themselves, see :func:`tfflow.tflite.read_metadata`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If one is not a .tflite file, is damaged, or is not such an export; or the two
            do not belong together.
        ImportError: If no LiteRT is installed.

    Example:
        >>> video = tfflow.detection.VideoDetector(DetectorInterpreter("detector_key.tflite"))
        >>> for frame in frames:
        ...     boxes, scores, classes = video.next(frame)
    """

    def __init__(self, path: PathLike, threads: int | None = None) -> None:
        self.threads = check_threads(threads)
        self.paths = {name: check_model_file(each) for name, each in _files_of(path).items()}
        self._runners = {}
        for name, each in self.paths.items():
            self._runners[name] = _runner(open_interpreter(each, self.threads), each, name)
        shapes = {name: _shapes(runner) for name, runner in self._runners.items()}
        self.has_flow = KEY in shapes
        if self.has_flow and shapes[KEY] != shapes[BETWEEN]:
            raise ValueError(
                f"{self.paths[KEY]} and {self.paths[BETWEEN]} do not belong together: they take "
                f"{shapes[KEY]} and {shapes[BETWEEN]}. Export both at once."
            )
        described = {name: metadata_of(each) for name, each in self.paths.items()}
        if len({each.get("pair") for each in described.values()}) > 1:
            raise ValueError(
                f"{self.paths[KEY]} and {self.paths[BETWEEN]} do not belong together: they come "
                "from two exports, and the features of one mean nothing to the other. Take both "
                "from one export."
            )
        main = KEY if self.has_flow else IMAGE
        self.size = tuple(shapes[main]["image"][1:3])
        # Of the first key frame's past, and what stands for features where there are none.
        self._nothing = np.zeros(shapes[main].get("features", ()), np.float32)
        self._last = None, None
        self._lock = threading.Lock()
        self.metadata = described[main]
        count = self._runners[main].get_output_details()["scores"]["shape"][-1]
        self.classes = tuple(self.metadata.get("classes", map(str, range(count))))

    def __reduce__(self) -> tuple[Any, ...]:  # for processes, which open the files again
        return type(self), (next(iter(self.paths.values())).absolute(), self.threads)

    def __repr__(self) -> str:
        height, width = self.size
        return (
            f"DetectorInterpreter({str(next(iter(self.paths.values())))!r}, {height}x{width}, "
            f"threads={self.threads})"
        )

    def first(self, image: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
        """A key frame without a past; these methods are what VideoDetector calls."""
        return self.key(image, image, self._nothing)

    def key(
        self,
        image: npt.NDArray[Any],
        key_image: npt.NDArray[Any],
        features: npt.NDArray[Any],
        flow: npt.NDArray[Any] | None = None,
    ) -> dict[str, npt.NDArray[Any]]:
        if not self.has_flow:
            return {**self._run(IMAGE, image=image), "features": self._nothing}
        return self._run(KEY, image=image, key_image=key_image, features=features)

    def flow(
        self, image: npt.NDArray[Any], key_image: npt.NDArray[Any], features: npt.NDArray[Any]
    ) -> npt.NDArray[Any]:
        # The boxes come with it and are kept in case this is not a key frame.
        result = self._run(BETWEEN, image=image, key_image=key_image, features=features)
        flow = result["flow"][0]
        self._last = flow, result
        return flow

    def between(
        self,
        image: npt.NDArray[Any],
        key_image: npt.NDArray[Any],
        features: npt.NDArray[Any],
        flow: npt.NDArray[Any] | None = None,
    ) -> dict[str, npt.NDArray[Any]]:
        of_flow, result = self._last
        if flow is not None and flow is of_flow:  # not that of another video
            self._last = None, None
            return result
        return self._run(BETWEEN, image=image, key_image=key_image, features=features)

    def _run(self, name, **inputs):
        with self._lock, running(self.paths[name]):
            return self._runners[name](**inputs)


def pair_of(path):
    """The two files of NAME.tflite, NAME_key.tflite or NAME_between.tflite: signature -> path."""
    path = pathlib.Path(path)
    name = path.name
    for part in (KEY, BETWEEN):
        name = name.removesuffix(f"_{part}.tflite")
    name = name.removesuffix(".tflite")
    return {part: path.with_name(f"{name}_{part}.tflite") for part in (KEY, BETWEEN)}


def _files_of(path):
    """The files that a path stands for: signature -> path."""
    path, pair = pathlib.Path(path), pair_of(path)
    if not path.is_file() or path in pair.values():
        return pair
    if IMAGE in open_interpreter(check_model_file(path), 1).get_signature_list():
        return {IMAGE: path}
    if pair[KEY].exists():  # the file is a flow network of the same name
        return pair
    raise ValueError(
        f"{path} is no detector: that is two files, {pair[KEY].name} and {pair[BETWEEN].name}, "
        "and they are not beside it; or one for images, with a signature 'image'. A file that "
        "predicts flow is for tfflow flow."
    )


def _runner(interpreter, path, name):
    """The file's signature, checked."""
    signatures = interpreter.get_signature_list()
    found = signatures.get(name, {"inputs": [], "outputs": []})
    inputs, outputs = _SIGNATURES[name]
    if set(found["inputs"]) != inputs or set(found["outputs"]) != outputs:
        raise ValueError(
            f"{path} is no detector exported by tfflow: expected a signature '{name}' of "
            f"{', '.join(sorted(inputs))} -> {', '.join(sorted(outputs))}; it has "
            f"{signatures_in_words(signatures)}."
        )
    runner = interpreter.get_signature_runner(name)
    image = _shapes(runner)["image"]
    given = {each: tuple(d["shape"]) for each, d in runner.get_output_details().items()}
    boxes, scores = given["boxes"], given["scores"]
    if not (len(image) == 4 and (image[0], image[3]) == (1, 3) and min(image) > 0) or not (
        len(boxes) == len(scores) == 3 and boxes[:2] == scores[:2] and boxes[2] == 4
    ):
        raise ValueError(
            f"{path} is no detector exported by tfflow: expected image (1, H, W, 3) -> boxes "
            f"(1, N, 4), scores (1, N, classes); it has {image} -> "
            f"{tuple(map(int, boxes))}, {tuple(map(int, scores))}."
        )
    return runner


def _shapes(runner):
    return {
        name: tuple(int(side) for side in details["shape"])
        for name, details in runner.get_input_details().items()
    }
