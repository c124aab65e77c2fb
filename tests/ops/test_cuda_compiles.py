"""The CUDA sources under nvcc, for every architecture that it knows.

tests/native/test_build.py builds them into TensorFlow's library.
"""

import pathlib
import re
import shutil
import subprocess

import pytest
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
