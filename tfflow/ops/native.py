"""Where correlation and warp go to their native kernels, and where they don't.

On TensorFlow's CPU, float32 and float64 tensors are computed by C++ kernels, which are compiled
when they are first wanted (tfflow/native/build.py). Everything else takes the reference in
``keras.ops``: other backends and dtypes, symbolic Keras tensors, graphs for XLA, and what is traced
in order to be exported, so that no exported file needs this library.

``TFFLOW_OPS=reference`` in the environment turns the kernels off; ``TFFLOW_OPS=native`` makes it an
error if they can't be had. Unset, that is one warning, and the reference runs.
"""

import contextlib
import contextvars
import os
import sys
import threading
import warnings

import keras

DTYPES = ("float32", "float64")
CHOICES = ("reference", "native")
# A function that is traced for one of these ends in a file.
EXPORTERS = ("keras.src.export.", "tensorflow.python.saved_model.", "tensorflow.lite.python.")

_only_reference = contextvars.ContextVar("_only_reference", default=False)
_lock = threading.Lock()
_library = None  # the ops' module; False once they are known not to be had


@contextlib.contextmanager
def reference_ops():
    """Within it, correlation and warp are the reference's operations."""
    token = _only_reference.set(True)
    try:
        yield
    finally:
        _only_reference.reset(token)


def correlation(
    features1,
    features2,
    max_displacement,
    *,
    kernel_size=1,
    stride=1,
    displacement_stride=1,
    padding=None,
    origin=0,
    normalize=False,
):
    """The native cost volume, or None where the reference has to compute it.

    With the defaults it is :func:`tfflow.ops.correlation`. Beyond that, it compares patches of
    ``kernel_size`` pixels, has the output size of FlowNet's layer with ``padding`` (default:
    ``max_displacement``), and its first output looks at pixel ``origin`` of both axes.
    """
    library = _library_for(features1, features2)
    if library is None:
        return None
    return library.tfflow_correlation(
        features1,
        features2,
        kernel_size=kernel_size,
        max_displacement=max_displacement,
        stride=stride,
        displacement_stride=displacement_stride,
        padding=max_displacement if padding is None else padding,
        origin=origin,
        normalise=normalize,
    )


def warp(image, flow, *, padding, mask_threshold):
    """The native (warped, mask), or None where the reference has to compute it."""
    library = _library_for(image, flow)
    if library is None:
        return None
    return library.tfflow_warp(
        image,
        flow,
        border=padding,
        masked=mask_threshold is not None,
        mask_threshold=0.9999 if mask_threshold is None else mask_threshold,
    )


def load():
    """The native ops' module, compiled if need be; ``tensorflow.load_op_library``'s.

    Raises:
        tfflow.native.build.BuildError: If they can't be built or loaded.
    """
    from tfflow.native import build

    path = build.built_library()
    if path is None:
        import tensorflow as tf

        print(
            f"tfflow: compiling native ops for TensorFlow {tf.__version__}, once ...",
            file=sys.stderr,
            flush=True,
        )
        path = build.build()
    return _load(path)


def _library_for(*tensors):
    """The native ops if they can compute with these tensors, here and now; else None."""
    if keras.backend.backend() != "tensorflow" or _only_reference.get():
        return None
    choice = os.environ.get("TFFLOW_OPS")
    if choice == "reference" or (_library is False and choice is None):
        return None
    if choice not in (None, "", *CHOICES):
        raise ValueError(f"TFFLOW_OPS must be one of {CHOICES} or unset; it is {choice!r}.")
    if any(isinstance(tensor, keras.KerasTensor) for tensor in tensors):
        return None
    dtypes = {keras.backend.standardize_dtype(tensor.dtype) for tensor in tensors}
    if len(dtypes) > 1 or not dtypes <= set(DTYPES) or _is_elsewhere():
        return None
    return _loaded(required=choice == "native")


def _is_elsewhere():
    """Whether the graph being traced is for XLA or a file, or the device is no CPU."""
    import tensorflow as tf
    from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

    if tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("TPU"):
        return True
    if tf.executing_eagerly():
        return False
    if GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()):
        return True
    # Whoever exports traces the function anew, and has no public flag that says so.
    frame = sys._getframe()
    while frame is not None:
        if f"{frame.f_globals.get('__name__')}.".startswith(EXPORTERS):
            return True
        frame = frame.f_back
    return False


def _loaded(required):
    """The ops' module; None after a warning if they can't be had, an error if ``required``."""
    global _library
    from tfflow.native.build import BuildError

    with _lock:  # tf.distribute calls from several threads
        if not _library:
            try:
                _library = load()
            except BuildError as error:
                if required:
                    raise
                _library = False
                warnings.warn(
                    f"tfflow runs correlation and warp without their native kernels, several times "
                    f"slower. {error} (TFFLOW_OPS=reference silences this.)",
                    RuntimeWarning,
                    stacklevel=4,
                )
        return _library or None


def _load(path):
    import tensorflow as tf

    from tfflow.native.build import BuildError

    try:
        library = tf.load_op_library(str(path))
    except (tf.errors.OpError, OSError) as error:
        raise BuildError(
            f"The native ops in {path} can't be loaded: {error}. Run `tfflow build-ops --force`."
        ) from error
    _register_gradients(library)
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
