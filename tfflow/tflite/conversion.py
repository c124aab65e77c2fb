"""Converts a Keras model to a .tflite file."""

import pathlib
from collections.abc import Sequence
from typing import Any

import keras

import tfflow
from tfflow.atomic_file import atomic_file
from tfflow.models.flow_model import FlowModel, chosen_outputs
from tfflow.models.prediction import as_size, check_multiples
from tfflow.ops.lite import lite_ops
from tfflow.ops.native import reference_ops
from tfflow.ops.shifted_warp import checked_radius, warp_by_shifts
from tfflow.tflite.calibration import Pairs, check_outliers, open_calibration
from tfflow.tflite.convex_form import convex_without_softmax
from tfflow.tflite.equal_forms import (
    mean_free_kernels,
    steps_as_convolutions,
    thin_heads,
    transposed_as_convolutions,
)
from tfflow.tflite.graph import Graph, foreign_operators
from tfflow.tflite.image_forms import (
    depthwise_of_two_images,
    join_images_later,
    pixels_side_by_side,
    subtract_from_rows,
)
from tfflow.tflite.layers import check_found, choose_layers, float_operators, layer_names
from tfflow.tflite.model_file import description_with
from tfflow.tflite.quantization import CALIBRATED, Quantization, check_quantization, quantize
from tfflow.tflite.rewriting import (
    drop_unused_inputs,
    join_thin_maps,
    leave_confidence_small,
    name_signature,
    slice_without_strides,
    split_wide_concatenations,
)
from tfflow.tflite.streaming_parts import quantize_parts, repeatable, signatures
from tfflow.tflite.trial import check_finite, try_out
from tfflow.types import PathLike

SIGNATURE = "flow"
IMAGES = ("image1", "image2")


def export(
    model: FlowModel,
    path: PathLike,
    *,
    size: tuple[int, int] = (384, 512),
    quantization: Quantization = "int8",
    calibration: Pairs | PathLike | None = None,
    outliers: float | None = None,
    heads_in_float: bool = True,
    keep_float: Sequence[str] | None = None,
    streaming: bool = False,
    confidence: bool = False,
    warp_radius: int | None = None,
    metadata: dict[str, Any] | None = None,
) -> pathlib.Path:
    """Writes a model as a .tflite file that holds LiteRT's builtin operators only.

    The file has one signature, ``flow``: ``image1`` and ``image2``, (1, H, W, 3), RGB, float32 in
    [0, 1] (uint8 with ``"int8_uint8"``), to ``flow``, (1, H, W, 2) float32, in pixels from image1
    to image2. The bilinear upsampling to the full size is part of the graph, so ``flow`` means
    what the Keras model's means.

    With ``streaming`` it has two more, for videos, on the same weights: ``encode``, from ``image``
    to features under the names that ``model.encode`` gives them, and ``match``, from the
    features of two frames, ``features1_NAME`` and ``features2_NAME``, to ``flow``.
    :class:`tfflow.tflite.FlowStream` runs them.

    Args:
        model: A :class:`tfflow.models.FlowModel`; one of mixed precision is exported in float32.
        path: The .tflite file to write. It appears only after it is complete and was loaded and run
            in a process of its own.
        size: (height, width) that the file runs at, multiples of the model's ``multiple``.
            :class:`FlowInterpreter` resizes images of any other size.
        quantization: ``"float32"``, ``"float16"`` (weights), ``"weights"`` (int8 weights alone),
            ``"dynamic"`` (int8 weights, large convolutions in int8 too), ``"int8"`` (images and
            flow float32), ``"int8_uint8"`` (images uint8), or ``"int16x8"`` (slow; to compare).
        calibration: For int8, image pairs like those the file will see: an iterable of
            (image1, image2) or of :class:`tfflow.data.FlowSample`, of any size; or the path of a
            folder of frames or pairs, of a data set or of a video. At most 50 are used, spread
            evenly for a path. None = synthetic scenes.
        outliers: For int8, the share of a tensor's values that may lie outside its range at either
            end, at least 0 and below 0.5. 0 = minimum and maximum; None = 0.001.
        heads_in_float: Keep the prediction of flow in float32 in the modes int8 and dynamic, and in
            int8 also the layers that read two joined images. It costs a seventh of the time.
        keep_float: What else to keep in float32 there: names of layers, as
            :func:`tfflow.tflite.sensitivity` gives them, or of blocks of layers.
        streaming: Also write ``encode`` and ``match``; for siamese networks.
        confidence: Also give ``confidence``, (1, h, w, 1) float32 in [0, 1], beside ``flow``: how
            far the network trusts it; h x w is the size at which the network computes it, RillFlow
            a quarter of H x W. For networks whose ``gives_confidence`` is True.
        warp_radius: Warp without GATHER, which mobile GPUs don't support: as a sum of shifted
            copies, by displacements of at most this many pixels along either axis, 1 to 16, at each
            level's own resolution (:func:`tfflow.ops.shifted_warp.shifted_warp` has formula and
            error). Slower on CPUs above 1; see docs/export_warp.md. None = the exact warp, by any
            displacement.
        metadata: A dict of further metadata for the file, such as its licence, of what JSON can
            hold; see :func:`read_metadata`.

    Returns:
        The path, a ``pathlib.Path``.

    Raises:
        TypeError: If ``model`` is not a ``FlowModel``.
        ValueError: If the size, the quantization, the calibration, ``outliers``, ``keep_float``,
            ``warp_radius``, ``metadata`` or the path's extension is wrong, the model has an
            operator that LiteRT lacks (the message names it), no warp for ``warp_radius``, or can't
            encode a frame by itself for ``streaming`` (it names those that can); a weight is NaN or
            infinite; or the file can't be run or its flow is not finite.
        OSError: If the file can't be written.

    Example:
        >>> tfflow.tflite.export(model, "lightflow_int8.tflite", calibration=pairs)
    """
    size = checked_size(model, size)
    check_quantization(quantization)
    outliers = check_outliers(outliers)
    in_float = _layers_in_float(model, keep_float, quantization)
    path = pathlib.Path(path)
    if path.suffix != ".tflite":
        raise ValueError(f"The file must be named *.tflite; got {path}.")
    if streaming and not model.siamese:
        raise ValueError(f"streaming=True is impossible: {model.why_not_siamese()}")
    if confidence and not model.gives_confidence:
        raise ValueError(f"confidence=True is impossible: {model.why_no_confidence()}")
    if warp_radius is not None:
        warp_radius = checked_radius(warp_radius, "warp_radius")
    own = {
        "model": model.name,
        "size": list(size),
        "quantization": quantization,
        "units": "px",
        "tfflow": tfflow.__version__,
        **({"streaming": True} if streaming else {}),
        **({"confidence": True} if confidence else {}),
        **({} if warp_radius is None else {"warp_radius": warp_radius}),
    }
    description = description_with(own, metadata)

    # What may fail comes before what takes time.
    check_finite(model)
    with atomic_file(path) as temporary:
        if quantization in CALIBRATED:
            calibration = open_calibration(calibration, size)
        model = model.in_float32()
        settings = {
            "size": size,
            "calibration": calibration,
            "outliers": outliers,
            "heads_in_float": heads_in_float,
            "kept": float_operators(in_float, layer_names(model)),
        }
        if streaming:
            settings["calibration"] = repeatable(calibration)
        parts = {}
        with warp_by_shifts(warp_radius) as warps:
            # The file whose weights are float16 is the one for GPUs, which compute in float16 too.
            in_half = quantization == "float16"
            whole = convert(model, size, confidence=confidence, in_half=in_half)
            if streaming:
                for name, endpoint in signatures(model, size, confidence).items():
                    parts[name] = convert_function(name, *endpoint, in_half=in_half)
        if in_float:
            check_found(in_float, layer_names(model), whole, parts)
        if warp_radius is not None and not warps.count:
            raise ValueError(f"{model.name} has no warp; export it without warp_radius.")
        graph = quantize(whole, quantization, **settings)
        if streaming:
            for part in quantize_parts(parts, quantization, **settings).values():
                graph.append(part)
        graph.set_metadata(description)
        graph.model.description = f"{model.name} optical flow, tfflow {tfflow.__version__}".encode()
        temporary.write_bytes(graph.to_bytes())
        try_out(temporary)
    return path


def convert(model, size, *, confidence=False, in_half=False):
    """The float32 :class:`Graph` of a model; see :func:`convert_function`.

    Args:
        model: The model.
        size: (height, width).
        confidence: Whether it gives ``confidence`` beside ``flow``.
        in_half: As there.

    Raises:
        ValueError: If the model has an operator that LiteRT lacks.
    """

    def flow(images):
        return chosen_outputs(model(images, training=False), confidence)

    return convert_function(SIGNATURE, flow, dict.fromkeys(IMAGES, (1, *size, 3)), in_half=in_half)


def convert_function(signature, function, shapes, *, in_half=False):
    """A part of a model as a float32 :class:`Graph` with one signature.

    Args:
        signature: The signature's name.
        function: Maps a dict of tensors to a dict of tensors; their keys become the signature's.
        shapes: Of the inputs, name -> shape. Features that are not needed are left out.
        in_half: Whether values must stay in float16's range, as on a GPU.

    Raises:
        ValueError: If the function has an operator that LiteRT lacks.
    """
    import tensorflow as tf

    specs = {name: tf.TensorSpec(shape, tf.float32, name=name) for name, shape in shapes.items()}
    function = tf.function(function, input_signature=[specs], autograph=False)
    with reference_ops(), lite_ops():
        graph = Graph(_convert_traced(function.get_concrete_function()))
    graph.model.signatureDefs[0].signatureKey = signature.encode()
    if signature != SIGNATURE:  # flow keeps both images, used or not
        drop_unused_inputs(graph)
    leave_confidence_small(graph)
    name_signature(graph)
    rewrite(graph, in_half)
    graph.drop_unused()
    return graph


def rewrite(graph, in_half=False):
    """Gives a float32 graph the form that LiteRT's XNNPACK runs fastest."""
    slice_without_strides(graph)
    if not in_half:  # its exponentials may be large
        convex_without_softmax(graph)
    depthwise_of_two_images(graph)
    join_thin_maps(graph)
    split_wide_concatenations(graph)
    join_images_later(graph)
    pixels_side_by_side(graph)
    subtract_from_rows(graph)
    steps_as_convolutions(graph)
    mean_free_kernels(graph)
    thin_heads(graph)
    transposed_as_convolutions(graph)


def _convert_traced(function):
    import tensorflow as tf

    # Keras's ExportArchive gives the same file in twice the time: it traces and loads more. Without
    # what holds its variables, the function would be converted another way, in another order.
    holder = tf.Module()
    holder.kept = list(function.graph.variables)

    def converter():
        return tf.lite.TFLiteConverter.from_concrete_functions([function], holder)

    # Keras's own model.export(format="litert") lets TensorFlow's operators in ("Flex"), which no
    # phone's LiteRT can run.
    strict = converter()
    strict.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    try:
        return strict.convert()
    except Exception as error:
        # The message is pages of the converter's internals. If allowed to, it turns the foreign
        # operators into custom ones of the same names.
        lenient = converter()
        lenient.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        lenient.allow_custom_ops = True
        try:
            foreign = foreign_operators(Graph(lenient.convert()))
        except Exception:
            foreign = []
        if not foreign:
            raise
        advice = "Write that part of the network with other operations."
        if any("Tfflow" in name for name in foreign):
            advice = "Trace that function within tfflow.ops.native.reference_ops()."
        raise ValueError(
            "A .tflite file for phones holds LiteRT's builtin operators only, and this model needs "
            f"{', '.join(foreign)}. {advice}"
        ) from error


def _layers_in_float(model, keep_float, quantization):
    if not keep_float:
        return []
    if quantization not in (*CALIBRATED, "dynamic"):
        raise ValueError(
            f"keep_float is for {', '.join(CALIBRATED)} and dynamic; {quantization} computes in "
            "float anyway."
        )
    return choose_layers(keep_float, layer_names(model), "keep_float")


def checked_size(model, size):
    """(height, width) that a model can be exported at.

    Raises:
        TypeError: If ``model`` is not a ``FlowModel``.
        ValueError: If the size is wrong or Keras doesn't run on TensorFlow.
    """
    if not isinstance(model, FlowModel):
        raise TypeError(
            "export expects a FlowModel, as tfflow.models.create gives; got "
            f"{type(model).__name__}."
        )
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "export needs Keras on TensorFlow; it runs on "
            f"{keras.backend.backend()}. Save the model, set KERAS_BACKEND=tensorflow, load it."
        )
    height, width = as_size(size)
    if None in (height, width):
        raise ValueError(f"size must be (height, width), two whole numbers; got {size!r}.")
    advice = "FlowInterpreter resizes images of any size to the file's."
    check_multiples((height, width), model.multiple, model.name, advice)
    return height, width
