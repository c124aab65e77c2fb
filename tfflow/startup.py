"""TensorFlow without the dozen lines that it prints when it starts."""

import contextlib
import os
import sys
import tempfile


def start_backend_quietly(use_devices=True):
    """Imports Keras and its backend; for programs, where every line on the terminal should be news.

    TensorFlow's C++ side writes to the process's standard error before any setting of its own can
    stop it, also about GPU drivers that a machine without a GPU does not have. What is written
    while it starts is kept back, and shown if the start fails.

    Args:
        use_devices: Whether to look for devices at once. Not so where they are still to be set up,
            as for several workers.
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
def _stderr_into(file):
    """The process's standard error, C++'s too, goes into a file."""
    sys.stderr.flush()
    terminal = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)
