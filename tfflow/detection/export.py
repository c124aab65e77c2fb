"""Exports detectors as .tflite files: with flow as two, for key frames and for those in between."""

import hashlib
import itertools
import os
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter

import tfflow
from tfflow.atomic_file import atomic_file
from tfflow.detection.detector import FlowGuidedDetector
from tfflow.detection.engines import found
from tfflow.detection.interpreter import BETWEEN, IMAGE, KEY, pair_of
from tfflow.models.prediction import as_batch, at_size
from tfflow.tflite.calibration import check_outliers, ranges_over
from tfflow.tflite.conversion import convert_function
from tfflow.tflite.model_file import description_with
from tfflow.tflite.quantization import CALIBRATED, check_quantization, quantize
from tfflow.tflite.trial import check_finite, try_out
from tfflow.types import PathLike

MAX_CLIPS = 24
# Frames of a clip: the key frame, a later frame, the next key frame and one after that.
CLIP_TIMES = (0, 4, 10, 17)
_FORMS = ("float32", "float16", "weights", "int8")


def export_detector(
    detector: FlowGuidedDetector,
    path: PathLike,
    *,
    classes: Sequence[str] | None = None,
    size: tuple[int, int] = (256, 384),
    quantization: Literal["float32", "float16", "weights", "int8"] = "int8",
    calibration: Iterable[Sequence[Any]] | None = None,
    outliers: float | None = None,
    flow_scale: float | None = None,
    metadata: dict[str, Any] | None = None,
) -> tuple[pathlib.Path, pathlib.Path]:
    """Writes a detector as two .tflite files of LiteRT's builtin operators.

    ``NAME_key.tflite`` has the signature ``key``, ``NAME_between.tflite`` the signature
    ``between``. Both take, float32 in all quantization modes:

    * ``image`` (1, H, W, 3), RGB in [0, 1]: the frame;
    * ``key_image`` (1, H, W, 3): the last key frame; for the first frame of a video, ``image``;
    * ``features`` (1, h, w, C): what ``key`` gave for it; for the first frame, zeros.

    Both give ``boxes`` (1, N, 4), x1, y1, x2, y2 in pixels of H x W, and ``scores`` (1, N, classes)
    in [0, 1]; the caller takes the best and drops those that overlap. ``key`` gives ``features``
    too, ``between`` the ``flow`` to the key frame. The flow network is in both files;
    :class:`tfflow.detection.DetectorInterpreter` runs them.

    Args:
        detector: A :class:`tfflow.detection.FlowGuidedDetector` that was made with ``flow=…``.
        path: ``NAME.tflite``. The files appear only after both are complete and were loaded and run
            in processes of their own.
        classes: The names of the classes, for whoever draws the boxes. None = the detector's own,
            or their numbers.
        size: (height, width) that the files run at, multiples of 32.
        quantization: ``"float32"``, ``"float16"``, ``"weights"`` or ``"int8"``, as for
            :func:`tfflow.tflite.export`. The flow, the boxes and their scores stay in float.
        calibration: For int8, clips like those that the files will see: sequences of
            :class:`tfflow.detection.VideoFrame` or of frames (H, W, 3), uint8 or float in [0, 1].
            A frame alone is a clip too. At most 24 clips are used. None = synthetic clips.
        outliers: For int8, as for :func:`tfflow.tflite.export`. None = 0.001 in the flow network
            and 0 in the detector, which finds objects by its largest values.
        flow_scale: The flow network sees the frames at their size times this, rounded up to what
            it takes; None = the detector's own. A smaller value saves most of the flow's time in
            files for frames larger than it was trained on.
        metadata: As for :func:`tfflow.tflite.export`.

    Returns:
        The two paths, of key frames and of those in between.

    Raises:
        TypeError: If ``detector`` is not a ``FlowGuidedDetector``.
        ValueError: If it has no flow network, another argument is wrong, a weight is NaN or
            infinite, or a file can't be run or its outputs are not finite.
        OSError: If a file can't be written.
    """
    _check(detector, path, classes, size, quantization, calibration, outliers)
    if detector.flow_network is None:
        raise ValueError(
            f"{detector.name} has no flow network, which the files hold. Make it with flow=… and "
            "take over the weights with start_from; or export_image_detector writes one file "
            "without flow."
        )
    paths = pair_of(path)
    flow_scale = detector.checked_flow_scale(flow_scale)
    description = _description(detector, classes, size, quantization, metadata)
    with atomic_file(paths[KEY]) as key_file, atomic_file(paths[BETWEEN]) as between_file:
        detector = detector.in_float32()
        whole = {
            name: convert_function(name, function, shapes, in_half=quantization == "float16")
            for name, (function, shapes) in signatures(detector, size, flow_scale).items()
        }
        ranges = dict.fromkeys(whole)
        if quantization in CALIBRATED:
            clips = synthetic_clips(size) if calibration is None else calibration
            ranges = _ranges(whole, clips, size, outliers, detector.flow_network.name)
        graphs = {
            name: quantize(
                whole[name],
                quantization,
                size=size,
                kept=float_operators,
                ranges=ranges[name],
            )
            for name in whole
        }
        description["pair"] = _checksum(graphs.values())
        for name, temporary in ((KEY, key_file), (BETWEEN, between_file)):
            _write(temporary, graphs[name], description, name)
    return paths[KEY], paths[BETWEEN]


def export_image_detector(
    detector: FlowGuidedDetector,
    path: PathLike,
    *,
    classes: Sequence[str] | None = None,
    size: tuple[int, int] = (256, 384),
    quantization: Literal["float32", "float16", "weights", "int8"] = "int8",
    calibration: Iterable[Sequence[Any]] | None = None,
    outliers: float | None = None,
    metadata: dict[str, Any] | None = None,
) -> pathlib.Path:
    """Writes a detector for single images as one .tflite file of LiteRT's builtin operators.

    Its signature ``image`` takes ``image`` (1, H, W, 3), float32 RGB in [0, 1], and gives ``boxes``
    and ``scores``, as the files of :func:`export_detector` do.
    :class:`tfflow.detection.DetectorInterpreter` runs it, and
    :class:`tfflow.detection.BoxPropagator` carries its boxes along a video's flow.

    Args:
        detector: A :class:`tfflow.detection.FlowGuidedDetector` that was made with
            ``aggregation=False``. A flow network is left out.
        path: ``NAME.tflite``; it appears only after it is complete and was run.
        classes: As for :func:`export_detector`, like all that follow.
        size: Likewise.
        quantization: Likewise.
        calibration: Likewise.
        outliers: Likewise; None = 0.
        metadata: Likewise.

    Returns:
        The path.

    Raises:
        TypeError: If ``detector`` is not a ``FlowGuidedDetector``.
        ValueError: As for :func:`export_detector`, but it needs no flow network; or if ``detector``
            has a GRU.
        OSError: If the file can't be written.
    """
    _check(detector, path, classes, size, quantization, calibration, outliers)
    if detector.gru is not None:
        raise ValueError(
            f"{detector.name} joins key frames by a GRU, which single images have no use for. Make "
            "it with aggregation=False, as tfflow train-detector images does, or give it a flow "
            "network and use export_detector."
        )
    if pathlib.Path(path) in pair_of(path).values():
        raise ValueError(
            f"{path} is how one of the two files of a detector for videos is named, and would be "
            "taken for it. Give the file another name."
        )
    description = _description(detector, classes, size, quantization, metadata)
    path = pathlib.Path(path)
    with atomic_file(path) as temporary:
        detector = detector.in_float32()

        def function(inputs):
            return found(detector, detector.features(inputs["image"], training=False))

        shapes = {"image": (1, *size, 3)}
        whole = convert_function(IMAGE, function, shapes, in_half=quantization == "float16")
        ranges = None
        if quantization in CALIBRATED:
            clips = synthetic_clips(size) if calibration is None else calibration
            feeds = [{"image": image} for clip in _images(clips, size) for _, image in clip]
            _check_feeds(feeds)
            ranges = ranges_over(whole, feeds, outliers or 0.0)
        graph = quantize(whole, quantization, size=size, kept=float_operators, ranges=ranges)
        _write(temporary, graph, description, IMAGE)
    return path


def _description(detector, classes, size, quantization, metadata):
    own = {
        "model": detector.name,
        "size": list(size),
        "quantization": quantization,
        "units": "px",
        "classes": list(classes or detector.class_names or map(str, range(detector.classes))),
        "tfflow": tfflow.__version__,
    }
    return description_with(own, metadata)


def _checksum(graphs):
    """What both files of one export have in common, and no others."""
    checksum = hashlib.sha256()
    for graph in graphs:
        checksum.update(graph.to_bytes())
    return checksum.hexdigest()


def _write(path, graph, description, frames):
    graph.set_metadata(description)
    graph.model.description = (
        f"{description['model']}, frames: {frames}, tfflow {tfflow.__version__}".encode()
    )
    path.write_bytes(graph.to_bytes())
    try_out(path)


def _check(detector, path, classes, size, quantization, calibration, outliers):
    """Raises what needs no conversion."""
    if not isinstance(detector, FlowGuidedDetector):
        raise TypeError(
            "export_detector expects a tfflow.detection.FlowGuidedDetector; got "
            f"{type(detector).__name__}."
        )
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "export_detector needs Keras on TensorFlow; it runs on "
            f"{keras.backend.backend()}. Set KERAS_BACKEND=tensorflow."
        )
    detector.check_size((1, *size, 3))
    check_quantization(quantization)
    if quantization not in _FORMS:
        raise ValueError(f"A detector is exported as {', '.join(_FORMS)}; got {quantization!r}.")
    if classes is not None and len(classes) != detector.classes:
        raise ValueError(
            f"{detector.name} has {detector.classes} classes; got {len(classes)} names."
        )
    if pathlib.Path(path).suffix != ".tflite":
        raise ValueError(f"The files must be named *.tflite; got {path}.")
    if isinstance(calibration, (str, os.PathLike)):
        raise ValueError(
            f"calibration must be clips, sequences of frames; got the name {str(calibration)!r}. "
            "The command tfflow export-detector --calibration takes a video or a folder."
        )
    check_outliers(outliers)
    check_finite(detector)


def signatures(detector, size, flow_scale):
    """What each file computes: signature -> (function, shapes of its inputs)."""
    image = (1, *size, 3)
    features = tuple(detector.features(keras.ops.zeros(image), training=False).shape)

    def propagated(inputs):
        flow = detector.estimate_flow(inputs["image"], inputs["key_image"], flow_scale)
        return detector.propagate(inputs["features"], flow), flow

    def key(inputs):
        own = detector.features(inputs["image"], training=False)
        joined = detector.aggregate(own, propagated(inputs)[0])
        return {"features": joined, **found(detector, joined)}

    def between(inputs):
        features, flow = propagated(inputs)
        return {"flow": flow, **found(detector, features)}

    shapes = {"image": image, "key_image": image, "features": features}
    return {KEY: (key, shapes), BETWEEN: (between, shapes)}


def float_operators(graph):
    """Names of the operators that int8 would harm: the heads, and those that make boxes.

    Also those that shrink the images for the flow network, whose first layer is in float too.
    """
    producers = graph.producers()
    _, outputs = graph.signature()
    kept, waiting = [], [outputs["boxes"], outputs["scores"]]
    while waiting:
        operator = producers.get(waiting.pop())
        if operator is None or any(operator is other for other in kept):
            continue
        kept.append(operator)
        if graph.name(operator) != "CONV_2D":
            waiting += operator.inputs
    kept += [
        operator
        for operator in graph.subgraph.operators
        if operator.inputs[0] in graph.subgraph.inputs
        and graph.name(operator) in ("RESIZE_BILINEAR", "AVERAGE_POOL_2D")
    ]
    return sorted({graph.tensor_name(operator.outputs[0]) for operator in kept})


def synthetic_clips(size):
    """Clips of synthetic scenes, for want of others.

    Raises:
        ImportError: If OpenCV, which draws them, is not installed.
    """
    from tfflow.data import SceneConfig
    from tfflow.detection.synthetic_clips import SyntheticClips

    config = SceneConfig(
        height=size[0], width=size[1], motion_scale=0.15, objects=(2, 7), textures=24, shapes=48
    )
    return SyntheticClips(config, count=12, frames=max(CLIP_TIMES) + 1)


def _ranges(whole, clips, size, outliers, flow_network):
    """The ranges of all tensors of both files over frames of some clips."""
    feeds = list(_feeds(whole[KEY], clips, size))
    _check_feeds(feeds)
    ranges = {}
    for part, graph in whole.items():
        if outliers is not None:
            ranges[part] = ranges_over(graph, feeds, outliers)
            continue
        ranges[part] = ranges_over(graph, feeds, 0.0)
        of_flow = ranges_over(graph, feeds, None)
        ranges[part] |= {name: of_flow[name] for name in of_flow if flow_network in name}
    # One range for the features, which one file gives and both take.
    _, outputs = whole[KEY].signature()
    of_features = ranges[KEY][whole[KEY].tensor_name(outputs["features"])]
    for name, graph in whole.items():
        inputs, _ = graph.signature()
        ranges[name][graph.tensor_name(inputs["features"])] = of_features
    return ranges


def _check_feeds(feeds):
    if not feeds:
        raise ValueError("calibration holds no clip; expected some, better a dozen.")


def _images(clips, size):
    """For each clip, (time, image (1, H, W, 3) of the file's size) of some of its frames."""
    for clip in itertools.islice(clips, MAX_CLIPS):
        if _is_frame(clip):
            clip = [clip]
        frames = ((t, getattr(clip[t], "image", clip[t])) for t in CLIP_TIMES if t < len(clip))
        yield (
            (t, at_size(as_batch(frame, "a frame of calibration")[0], size)) for t, frame in frames
        )


def _two_at_least(clip):
    """The frames; of a single one also a copy, moved by a 32nd of its sides.

    With a first frame alone there are no features to carry along, and all that carries them would
    be calibrated on zeros.
    """
    time, image = next(clip)
    yield time, image
    later = next(clip, None)
    if later is None:
        _, height, width, _ = image.shape
        yield CLIP_TIMES[1], np.roll(image, (height // 32, width // 32), axis=(1, 2))
        return
    yield later
    yield from clip


def _is_frame(clip):
    shape = getattr(clip, "shape", ())
    return hasattr(clip, "image") or (len(shape) == 3 and shape[-1] in (1, 3, 4))


def _feeds(graph, clips, size):
    """Yields the inputs of both files for some frames of each clip, name -> array."""
    interpreter = Interpreter(model_content=graph.to_bytes(), num_threads=1)
    runner = interpreter.get_signature_runner(KEY)
    shape = runner.get_input_details()["features"]["shape"]
    for clip in _images(clips, size):
        key_image, features = None, np.zeros(shape, np.float32)
        for time, image in _two_at_least(clip):
            feed = {
                "image": image,
                "key_image": image if key_image is None else key_image,
                "features": features,
            }
            yield feed
            if time % 10 == 0:
                features, key_image = runner(**feed)["features"], image
