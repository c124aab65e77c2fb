"""How much memory a .tflite file takes while it runs.

    python -m tfflow.tflite.memory FILE

prints it in kilobytes. It runs in a process of its own because a process's peak never goes down.
"""

import pathlib
import sys

import numpy as np

from tfflow.tflite.another_process import cause_of_failure, run_module
from tfflow.tflite.interpreter import litert, open_interpreter
from tfflow.tflite.model_file import check_model_file


def peak_memory(path):
    """The most memory that opening and running a file on one thread adds to a process, in bytes.

    Weights, activations and the delegate's packed copy of the weights; not the runtime itself.

    Returns:
        Bytes, or None where the system does not report it: only Linux does.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a .tflite file or LiteRT can't run it.
    """
    path = check_model_file(path)
    if not pathlib.Path("/proc/self/clear_refs").exists():
        return None
    run = run_module(__name__, path)
    if run.returncode:
        raise ValueError(f"LiteRT can't run {path}: {cause_of_failure(run)}")
    return int(run.stdout) * 1024


def _kilobytes(name):
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])


def _main(path):
    litert()  # imported before the first measurement
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = _kilobytes("VmRSS")
    interpreter = open_interpreter(path, 1)
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
    for _ in range(2):
        interpreter.invoke()
    print(_kilobytes("VmHWM") - before)


if __name__ == "__main__":
    _main(sys.argv[1])
