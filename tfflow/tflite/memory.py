"""How much memory a .tflite file takes while it runs."""

import pathlib
import subprocess
import sys

from tfflow.tflite.model_file import check_model_file

# In a process of its own: what one has used at most never goes down again.
_PROGRAM = """
import sys
import numpy as np
from tfflow.tflite.interpreter import litert, open_interpreter

def kilobytes(name):
    for line in open("/proc/self/status"):
        if line.startswith(name + ":"):
            return int(line.split()[1])

path, threads = sys.argv[1], int(sys.argv[2])
litert()  # imported before the first look
open("/proc/self/clear_refs", "w").write("5")  # the most so far is forgotten
before = kilobytes("VmRSS")
interpreter = open_interpreter(path, threads)
for detail in interpreter.get_input_details():
    interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
for _ in range(2):
    interpreter.invoke()
print(kilobytes("VmHWM") - before)
"""


def peak_memory(path, threads=1):
    """What opening and running a file adds to a process's memory at most, in bytes.

    Weights, activations and the delegate's packed copy of the weights; not the runtime itself.

    Args:
        path: The file.
        threads: Number of threads.

    Returns:
        Bytes, or None where the system does not tell: only Linux does.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no .tflite file or LiteRT can't run it.
    """
    path = check_model_file(path)
    if not pathlib.Path("/proc/self/clear_refs").exists():
        return None
    command = [sys.executable, "-c", _PROGRAM, str(path), str(threads)]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise ValueError(f"LiteRT can't run {path}: {(run.stderr.splitlines() or ['?'])[-1]}")
    return int(run.stdout) * 1024
