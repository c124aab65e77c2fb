"""The CUDA sources under nvcc: for every architecture that it knows, and TensorFlow's library."""

import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import tensorflow as tf
from cuda_emulation import WARNINGS

from tfflow.native.cuda import nvcc

SOURCES = pathlib.Path(nvcc.__file__).parent


def compile_for(architecture, source, folder):
    compiler = shutil.which("nvcc")
    if compiler is None:
        pytest.skip("no nvcc to compile the kernels with")
    known = subprocess.run(
        [compiler, "--list-gpu-arch"], capture_output=True, text=True, check=True
    )
    if f"compute_{architecture}" not in known.stdout.split():
        pytest.skip(f"this nvcc does not compile for sm_{architecture}")
    flags = ["-std=c++17", "-O3", f"-arch=sm_{architecture}", "-Werror=all-warnings"]
    flags += [f"-Xcompiler={','.join(WARNINGS)}", "-Xptxas=-v"]
    command = [compiler, *flags, "-c", SOURCES / source, "-o", folder / "kernels.o"]
    compiled = subprocess.run(command, capture_output=True, text=True)
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    spilled = re.findall(r"([1-9]\d*) bytes (?:stack frame|spill)", compiled.stderr)
    assert not spilled, "registers were kept in memory"


@pytest.mark.parametrize("source", ["correlation.cu", "warp.cu"])
def test_compiles(source, tmp_path):
    compile_for(90, source, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", [70, 75, 80, 86, 89])
@pytest.mark.parametrize("source", ["correlation.cu", "warp.cu"])
def test_compiles_for_all(source, architecture, tmp_path):
    compile_for(architecture, source, tmp_path)


LOADS = """
import sys, tensorflow as tf
from tensorflow.python.framework import kernels
library = tf.load_op_library(sys.argv[1])
for name in ("Correlation", "CorrelationGradient", "Warp", "WarpGradient"):
    found = [k.device_type for k in kernels.get_registered_kernels_for_op("Tfflow" + name).kernel]
    assert found.count("GPU") == 3, (name, found)
"""


@pytest.mark.slow
def test_tensorflow_ops_build_and_load(tmp_path):
    """Kernels, registration and the ops' definitions in one library; nothing is run on it."""
    if shutil.which("nvcc") is None or shutil.which("g++") is None:
        pytest.skip("no nvcc or no g++")
    objects = nvcc.compile_for_tensorflow(tmp_path, architectures=("90",))
    for source in sorted(SOURCES.parent.glob("*.cc")):
        objects.append(tmp_path / f"{source.name}.o")
        flags = ["-std=c++17", "-fPIC", "-w", *tf.sysconfig.get_compile_flags()]
        subprocess.run(["g++", *flags, "-c", source, "-o", objects[-1]], check=True)
    nvcc.link(objects, tmp_path / "ops.so")
    # In a process of its own: the ops can't be defined twice.
    subprocess.run([sys.executable, "-c", LOADS, tmp_path / "ops.so"], check=True)
