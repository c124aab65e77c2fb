"""TensorFlow without the dozen lines that it prints when it starts."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


def start_backend_quietly(use_devices: bool = True) -> None:
    """Imports Keras and its backend; for programs that should print only what matters.

    TensorFlow's C++ side writes to the process's standard error before any of its settings can stop
    it, even about missing GPU drivers on a machine without a GPU. What it writes while it starts is
    held back, and shown if the start fails.

    Args:
        use_devices: Whether to look for devices at once. False if they are still to be set up, as
            for several workers.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with tempfile.TemporaryFile() as kept:
        try:
            with _stderr_into(kept):
                import keras

                if use_devices and keras.backend.backend() == "tensorflow":
                    keras.ops.zeros(())  # the first tensor looks for devices
        except BaseException:
            kept.seek(0)
            sys.stderr.write(kept.read().decode(errors="replace"))
            raise


@contextlib.contextmanager
def without_remapper() -> Iterator[None]:
    """TensorFlow without the part that joins operations into one.

    It fails on the training of networks with leaky ReLU, harmlessly, but with a line "remapper
    failed: INVALID_ARGUMENT". Where it succeeds it gains nothing: measured on a CPU with RillFlow,
    LightFlow and LiteFlowNet, in training and evaluation.
    """
    import tensorflow as tf

    before = tf.config.optimizer.get_experimental_options().get("remapping", True)
    tf.config.optimizer.set_experimental_options({"remapping": False})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({"remapping": before})


@contextlib.contextmanager
def _stderr_into(file):
    """Sends the process's standard error, C++'s too, to a file."""
    sys.stderr.flush()
    terminal = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)
