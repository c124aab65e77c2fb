"""Decides where correlation, warp and the gradient of convolutions are computed natively.

On TensorFlow's CPU, float32 and float64 tensors are computed by C++ kernels; on NVIDIA GPUs,
float32, float16 and bfloat16 ones by CUDA kernels, on JAX too where ``TFFLOW_OPS=native`` asks for
it (tfflow/native/cuda/jax_ops.py). Both are compiled when first needed (tfflow/native/build.py),
the latter with nvcc. float64 has no GPU kernel: TensorFlow places such an op on the CPU, and
copies. Everything else takes the reference in ``keras.ops``: other backends and dtypes, symbolic
Keras tensors, graphs for XLA, and functions traced for export, so that no exported file needs this
library.

``TFFLOW_OPS=reference`` in the environment turns the kernels off; ``TFFLOW_OPS=native`` makes it an
error if they are unavailable. If unset, there is one warning, and the reference runs.
"""

import contextlib
import contextvars
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import keras

from tfflow.ops.arguments import MASK_THRESHOLD, Padding
from tfflow.types import Tensor

DTYPES = {"CPU": {"float32", "float64"}, "GPU": {"float32", "float16", "bfloat16"}}
CHOICES = ("reference", "native")
# A function that these modules trace goes into a file.
EXPORTERS = ("keras.src.export.", "tensorflow.python.saved_model.", "tensorflow.lite.python.")

_only_reference = contextvars.ContextVar("_only_reference", default=False)
_lock = threading.RLock()
_module = None  # what `load` gave: TensorFlow takes ops and their gradients once in a process
_library = None  # the ops' module; False once known to be unavailable
_gpu_problem = None  # why the library has no GPU kernels, if there is a GPU and it has none
_warned = False  # of _gpu_problem


@contextlib.contextmanager
def reference_ops() -> Iterator[None]:
    """Within it, correlation and warp are the reference's operations, which every program knows.

    For your own function that must run elsewhere:

        >>> with tfflow.ops.native.reference_ops():
        ...     function = tf.function(my_network).get_concrete_function(spec)
        >>> tf.lite.TFLiteConverter.from_concrete_functions([function]).convert()

    A function traced before keeps its operations, ``TfflowCorrelation`` and ``TfflowWarp``: make a
    new ``tf.function`` of it. A process that loads a SavedModel with them must call
    :func:`tfflow.ops.native.load` first.
    """
    token = _only_reference.set(True)
    try:
        yield
    finally:
        _only_reference.reset(token)


def builtin_operators() -> dict[str, list[Any]]:
    """The ``target_spec`` that limits Keras's export to LiteRT's own operators."""
    import tensorflow as tf

    return {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}


def correlation(
    features1: Tensor,
    features2: Tensor,
    max_displacement: int,
    *,
    kernel_size: int = 1,
    stride: int = 1,
    displacement_stride: int = 1,
    padding: int | None = None,
    origin: int = 0,
    normalize: bool = False,
) -> Tensor | None:
    """The native cost volume, or None where the reference has to compute it.

    With the defaults it is :func:`tfflow.ops.correlation`. Beyond that, it compares patches of
    ``kernel_size`` pixels, has the output size of FlowNet's layer with ``padding`` (default:
    ``max_displacement``), and its first output looks at pixel ``origin`` of both axes.
    """
    settings = {
        "max_displacement": max_displacement,
        "kernel_size": kernel_size,
        "stride": stride,
        "displacement_stride": displacement_stride,
        "padding": max_displacement if padding is None else padding,
        "origin": origin,
    }
    kernels = _jax_kernels(features1, features2)
    if kernels is not None:
        return kernels.correlation(features1, features2, **settings, normalize=normalize)
    library = _library_for(features1, features2)
    if library is None:
        return None
    return library.tfflow_correlation(features1, features2, **settings, normalise=normalize)


def warp(
    image: Tensor, flow: Tensor, *, padding: Padding, mask_threshold: float | None
) -> tuple[Tensor, Tensor] | None:
    """The native (warped, mask), or None where the reference has to compute it."""
    kernels = _jax_kernels(image, flow)
    if kernels is not None:
        return kernels.warp(
            image, flow, padding=padding, mask_threshold=mask_threshold, return_mask=True
        )
    library = _library_for(image, flow, are_alike=False)
    if library is None:
        return None
    return library.tfflow_warp(
        image,
        flow,
        border=padding,
        masked=mask_threshold is not None,
        mask_threshold=MASK_THRESHOLD if mask_threshold is None else mask_threshold,
    )


def convolution(images: Any, kernel: Any) -> Any:
    """A convolution of stride 1, padded by half of its odd kernel; None where Keras's has to do.

    It needs no kernel of ours: on a CPU, TensorFlow's gradient with respect to the images takes two
    to four times as long as the convolution, and is one itself, of the upstream gradient with the
    kernel turned around.

    Args:
        images: (B, H, W, C).
        kernel: (height, width, C, outputs).
    """
    if not _takes_kernels(images, kernel) or _place({_dtype(images)}) != "CPU":
        return None
    if _dtype(images) not in DTYPES["CPU"] or _is_elsewhere():
        return None
    import tensorflow as tf

    @tf.custom_gradient
    def convolved(images, kernel):
        def gradient(upstream):
            return _convolution_gradient(images, kernel, upstream)

        return tf.nn.conv2d(images, kernel, 1, "SAME"), gradient

    result = convolved(images, tf.convert_to_tensor(kernel))
    if not tf.executing_eagerly():
        _let_go(result)
    return result


def _convolution_gradient(images, kernel, upstream):
    import tensorflow as tf

    turned = tf.transpose(tf.reverse(kernel, (0, 1)), (0, 1, 3, 2))
    of_kernel = tf.raw_ops.Conv2DBackpropFilter(
        input=images,
        filter_sizes=tf.shape(kernel),
        out_backprop=upstream,
        strides=(1, 1, 1, 1),
        padding="SAME",
    )
    return tf.nn.conv2d(upstream, turned, 1, "SAME"), of_kernel


def _let_go(result):
    """Lets a graph with :func:`convolution`'s result be freed.

    TensorFlow registers a graph's custom gradients for ever, with what they close over: the whole
    graph, and the weights of its network. What is registered instead finds the tensors in the
    operation, as any other gradient does. TensorFlow has no public way to it: where a version has
    another one, the graph stays, and all works.
    """
    try:
        from tensorflow.python.framework import ops

        name = result.op.get_attr("_gradient_op_type").decode()
        entry = ops.gradient_registry._registry[name]
        if result.op.type == "IdentityN" and len(result.op.inputs) == 3 and "type" in entry:
            entry["type"] = _gradient_of_operation
    except (ImportError, AttributeError, KeyError, ValueError):
        pass


def _gradient_of_operation(operation, upstream, *_):
    _, images, kernel = operation.inputs  # of the IdentityN that TensorFlow puts behind
    return None, *_convolution_gradient(images, kernel, upstream)


def load() -> Any:
    """The native ops' module from ``tensorflow.load_op_library``, compiled if needed.

    The first call decides which library a process has.

    Raises:
        tfflow.native.build.BuildError: If they can't be built or loaded.
    """
    global _module
    from tfflow.native import build

    with _lock:
        if _module is None:
            path = build.built_library()
            if path is None:
                import tensorflow as tf

                print(
                    f"tfflow: compiling native ops for TensorFlow {tf.__version__}, once ...",
                    file=sys.stderr,
                    flush=True,
                )
                path = build.build()
            _module = _load(path)
        return _module


def _jax_kernels(*tensors):
    """The CUDA kernels as JAX functions where TFFLOW_OPS=native asks for them, else None."""
    asked = keras.backend.backend() == "jax" and _choice() == "native"
    if not asked or _only_reference.get():
        return None
    dtypes = {_dtype(tensor) for tensor in tensors}
    if not dtypes <= DTYPES["GPU"] or any(isinstance(t, keras.KerasTensor) for t in tensors):
        return None
    from tfflow.native.cuda import jax_ops

    jax_ops.load()
    return jax_ops


def _library_for(*tensors, are_alike=True):
    """The native ops if they support these tensors here and now; else None.

    Args:
        are_alike: Whether the tensors' dtypes have to be the same on a GPU too.
    """
    choice = _choice()
    if not _takes_kernels(*tensors) or (_library is False and choice is None):
        return None
    dtypes = {_dtype(tensor) for tensor in tensors}
    place = _place(dtypes)
    if len(dtypes) > 1 and (are_alike or place == "CPU"):
        return None
    if not dtypes <= DTYPES[place] or _is_elsewhere():
        return None
    return _loaded(place, required=choice == "native")


def _takes_kernels(*tensors):
    """Whether these are tensors of TensorFlow, and nothing asks for the reference."""
    if keras.backend.backend() != "tensorflow" or _only_reference.get():
        return False
    return _choice() != "reference" and not any(isinstance(t, keras.KerasTensor) for t in tensors)


def _choice():
    choice = os.environ.get("TFFLOW_OPS") or None
    if choice not in (None, *CHOICES):
        raise ValueError(f"TFFLOW_OPS must be one of {CHOICES} or unset; it is {choice!r}.")
    return choice


def _dtype(tensor):
    return keras.backend.standardize_dtype(tensor.dtype)


def _place(dtypes):
    """The device whose kernel is needed for these dtypes: "GPU" or "CPU"."""
    import tensorflow as tf
    from tensorflow.python.eager import context

    if not tf.config.list_logical_devices("GPU"):
        return "CPU"
    # This is the innermost scope, within functions too. A scope around the call of an already
    # traced function can't be seen, but every op with a GPU kernel has one for the CPU.
    if context.context().device_spec.device_type == "CPU":
        return "CPU"
    if dtypes != {"float64"}:
        return "GPU"
    # TensorFlow puts ops without a GPU kernel on the CPU, unless forbidden. While a function is
    # traced the answer is always no, although functions are placed like eager operations.
    with tf.init_scope():
        return "CPU" if tf.config.get_soft_device_placement() else "GPU"


def _is_elsewhere():
    """Whether the graph being traced is for XLA or a file, or the device has no native kernels."""
    import tensorflow as tf
    from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

    if tf.config.list_logical_devices("TPU"):
        return True
    if tf.config.list_logical_devices("GPU") and not tf.test.is_built_with_cuda():
        return True
    if tf.executing_eagerly():
        return False
    if GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()):
        return True
    # Exporters trace the function again, and no public flag says so.
    frame = sys._getframe()
    while frame is not None:
        if f"{frame.f_globals.get('__name__')}.".startswith(EXPORTERS):
            return True
        frame = frame.f_back
    return False


def _loaded(place, required):
    """The ops' module if it has kernels for the place; else None and a warning, or an error."""
    global _library, _warned
    import tensorflow as tf

    from tfflow.native.build import BuildError

    with _lock:  # tf.distribute calls from several threads
        if not _library:
            try:
                # In a tf.function, AutoGraph would rewrite what runs the compiler, and complain.
                _library = tf.autograph.experimental.do_not_convert(load)()
            except BuildError as error:
                if required:
                    raise
                _library = False
                _warn(f"without their native kernels, several times slower. {error}")
        if _library and place == "GPU" and _gpu_problem:
            if required:
                raise BuildError(f"The native ops have no GPU kernels here. {_gpu_problem}")
            if not _warned:
                _warned = True
                _warn(f"on the GPU without their kernels for it. {_gpu_problem}")
            return None
        return _library or None


def _warn(message):
    text = f"tfflow runs correlation and warp {message} (TFFLOW_OPS=reference silences this.)"
    warnings.warn(text, RuntimeWarning, stacklevel=5)


def _load(path):
    import tensorflow as tf

    from tfflow.native import build

    global _gpu_problem
    try:
        library = tf.load_op_library(str(path))
    except (tf.errors.OpError, OSError) as error:
        raise build.BuildError(
            f"The native ops in {path} can't be loaded: {error}. Run `tfflow build-ops --force`."
        ) from error
    _register_gradients(library)
    _gpu_problem = None if build.holds_gpu_kernels(path) else build.gpu_problem()
    return library


def _register_gradients(library):
    import tensorflow as tf

    @tf.RegisterGradient("TfflowCorrelation")
    def _(op, upstream):
        names = ("kernel_size", "max_displacement", "stride", "displacement_stride", "padding")
        attributes = {name: op.get_attr(name) for name in (*names, "origin", "normalise")}
        return library.tfflow_correlation_gradient(upstream, *op.inputs, **attributes)

    @tf.RegisterGradient("TfflowWarp")
    def _(op, upstream, _of_mask):
        border = op.get_attr("border")
        return library.tfflow_warp_gradient(
            upstream,
            *op.inputs,
            border=border.decode() if isinstance(border, bytes) else border,
            masked=op.get_attr("masked"),
            mask_threshold=op.get_attr("mask_threshold"),
        )

    def second_order(op, *_):
        raise NotImplementedError(
            f"{op.type} has no gradient: the native correlation and warp can be differentiated "
            "once. For second-order gradients, compute within "
            "tfflow.ops.native.reference_ops(), or set TFFLOW_OPS=reference."
        )

    for name in ("TfflowCorrelationGradient", "TfflowWarpGradient"):
        tf.RegisterGradient(name)(second_order)
