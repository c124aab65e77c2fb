"""Building the native ops: once, in a cache, by one process; and what happens where it can't be."""

import os
import pathlib
import shlex
import shutil
import stat
import subprocess
import sys

import keras
import pytest

from tfflow import cli, ops
from tfflow.cache_folder import cache_folder
from tfflow.native import build, cxx
from tfflow.native.cuda import toolkit
from tfflow.native.cxx import BuildError
from tfflow.ops import native

SOURCES = pathlib.Path(build.__file__).parent
# A GPU as far as TensorFlow says; what is meant for it is computed by the CPU.
GPU = """
import tensorflow as tf
gpu = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
tf.test.is_built_with_cuda = lambda: True
tf.config.get_visible_devices = lambda kind=None: [gpu]
tf.config.list_logical_devices = lambda kind=None: [gpu] if kind == "GPU" else []
tf.config.experimental.get_device_details = lambda device: {"compute_capability": (9, 0)}
"""
USE = """
import numpy as np
from tfflow import ops
x = np.ones((1, 4, 5, 3), np.float32)
for _ in range(2):
    print(float(np.sum(ops.correlation(x, x, 1))), float(np.sum(ops.warp(x, x[..., :2]))))
"""
EXPECTED = ["390.0 36.0"] * 2


@pytest.fixture
def compiler():
    found = cxx.find_compiler()
    if found is None:
        pytest.skip("no C++ compiler")
    return found


def start(cache, program=USE, **environment):
    kept = {key: value for key, value in os.environ.items() if key not in ("TFFLOW_OPS", "CXX")}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**kept, "TF_CPP_MIN_LOG_LEVEL": "2", "TFFLOW_CACHE": str(cache), **environment},
    )


def finish(process):
    out, said = process.communicate(timeout=600)
    assert process.returncode == 0, said[-3000:]
    return out.splitlines(), said


def failing_compiler(folder, name="g++"):
    """A compiler that knows its version and nothing else."""
    path = folder / name
    path.write_text(
        '#!/bin/sh\ncase "$1" in --version) echo "broken 1.0";; '
        '*) echo "a.cc:1: error: no such luck" >&2; exit 3;; esac\n'
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.slow
def test_two_processes_build_once(tmp_path, compiler):
    both = [start(tmp_path) for _ in range(2)]
    said = ""
    for process in both:
        out, errors = finish(process)
        assert out == EXPECTED
        said += errors
    assert "tfflow: compiling native ops for TensorFlow" in said
    libraries = list(tmp_path.rglob("*.so"))
    assert len(libraries) == 1
    assert {path.suffix for path in libraries[0].parent.iterdir()} == {".so", ".lock"}
    # And the next one doesn't even need a compiler.
    out, errors = finish(start(tmp_path, PATH="/nowhere"))
    assert out == EXPECTED and "compiling" not in errors and "RuntimeWarning" not in errors


def test_no_compiler(tmp_path):
    out, said = finish(start(tmp_path, PATH="/nowhere"))
    assert out == EXPECTED
    assert said.count("RuntimeWarning") == 1
    assert "No C++ compiler was found" in said and "apt install g++" in said


def test_failing_compiler(tmp_path):
    out, said = finish(start(tmp_path / "cache", CXX=str(failing_compiler(tmp_path))))
    assert out == EXPECTED
    assert said.count("RuntimeWarning") == 1 and "no such luck" in said and "status 3" in said
    assert not list(tmp_path.rglob("*.so"))


def test_a_compiler_that_is_no_command(monkeypatch):
    monkeypatch.setenv("CXX", 'g++ "')
    monkeypatch.delenv("TFFLOW_OPS", raising=False)
    monkeypatch.setattr(native, "_library", None)
    monkeypatch.setattr(native, "_module", None)
    with pytest.raises(BuildError, match="CXX is no command, 'g\\+\\+ \"'.*No closing quotation"):
        build.build()
    features = keras.ops.ones((1, 4, 5, 3))
    with pytest.warns(RuntimeWarning, match="CXX is no command"):
        assert ops.correlation(features, features, 1).shape == (1, 4, 5, 9)


def test_a_library_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    done = []
    monkeypatch.setenv("TFFLOW_CACHE", str(tmp_path))
    build._folder().mkdir(parents=True)
    monkeypatch.setattr(cxx, "link", lambda compiler, objects, path: path.write_bytes(b"code"))
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, n=name, f=real: (done.append(n), f(*a))[1])
    assert build._link("g++", []).read_bytes() == b"code"
    assert done == ["fsync", "replace"]


@pytest.mark.slow
def test_failing_cuda_compiler(tmp_path, compiler):
    failing = {"NVCC": str(failing_compiler(tmp_path, "nvcc"))}
    for _ in range(2):
        out, said = finish(start(tmp_path, GPU + USE, **failing))
        assert out == EXPECTED
        assert said.count("RuntimeWarning") == 1 and "no such luck" in said
        assert "without their kernels for it" in said and "NVIDIA's CUDA toolkit" in said
    (library,) = tmp_path.rglob("*.so")
    assert "-cuda-" not in library.name
    process = start(tmp_path, GPU + USE, TFFLOW_OPS="native", **failing)
    _, said = process.communicate(timeout=600)
    assert process.returncode and "BuildError: The native ops have no GPU kernels here." in said
    # The same library is what a machine without GPU, or a scope of the CPU, takes.
    out, said = finish(start(tmp_path, TFFLOW_OPS="native"))
    assert out == EXPECTED and "compiling" not in said


def test_cache_that_can_not_be_written(tmp_path, compiler):
    (tmp_path / "file").write_text("not a folder")
    out, said = finish(start(tmp_path / "file"))
    assert out == EXPECTED
    assert said.count("RuntimeWarning") == 1 and "set TFFLOW_CACHE" in said


def test_native_or_nothing(tmp_path):
    process = start(tmp_path, PATH="/nowhere", TFFLOW_OPS="native")
    _, said = process.communicate(timeout=600)
    assert process.returncode and "BuildError: No C++ compiler was found" in said


def test_reference_never_builds(tmp_path):
    out, said = finish(start(tmp_path, TFFLOW_OPS="reference"))
    assert out == EXPECTED and "compiling" not in said and not list(tmp_path.iterdir())


def test_a_damaged_library_is_a_warning(tmp_path, compiler, monkeypatch):
    monkeypatch.setenv("TFFLOW_CACHE", str(tmp_path))
    library = build._folder() / build._name(compiler)
    library.parent.mkdir(parents=True)
    library.write_text("no library")
    out, said = finish(start(tmp_path))
    assert out == EXPECTED
    assert said.count("RuntimeWarning") == 1 and "tfflow build-ops --force" in said


def test_command(tmp_path, compiler, monkeypatch, capsys):
    every, _, linking = cxx.flags()
    # Nothing is run: no time to optimise it.
    monkeypatch.setattr(cxx, "flags", lambda: (every, ("-O0",), linking))
    monkeypatch.setenv("TFFLOW_CACHE", str(tmp_path))
    assert cli.main(["build-ops"]) == 0
    printed = "".join(capsys.readouterr().out.split())  # without the line breaks of the table
    assert str(next(tmp_path.rglob("*.so"))) in printed
    monkeypatch.setenv("CXX", str(failing_compiler(tmp_path)))
    assert cli.main(["build-ops"]) == 1
    said = capsys.readouterr().err
    assert "no such luck" in said and "Traceback" not in said


GPU_KERNELS = """
from tensorflow.python.framework import kernels
from tfflow import ops
x = tf.ones((1, 4, 5, 3), "float16")
print(float(tf.reduce_sum(ops.correlation(x, x, 1))), float(tf.reduce_sum(ops.warp(x, x[..., :2]))))
for name in ("Correlation", "CorrelationGradient", "Warp", "WarpGradient"):
    found = [k.device_type for k in kernels.get_registered_kernels_for_op("Tfflow" + name).kernel]
    print(found.count("GPU"))
"""


@pytest.mark.slow
def test_library_with_gpu_kernels(tmp_path, compiler):
    """It is built and loaded, and its GPU kernels are registered; nothing is run on them."""
    if toolkit.find_nvcc() is None:
        pytest.skip("no nvcc")
    out, said = finish(start(tmp_path, GPU + GPU_KERNELS, TFFLOW_OPS="native"))
    assert out == [EXPECTED[0], *"3333"] and "RuntimeWarning" not in said
    (library,) = tmp_path.rglob("*.so")
    assert build.holds_gpu_kernels(library)


def test_everything_that_is_compiled_is_shipped():
    included = {path.name for path in SOURCES.glob("*.cc")}
    assert included == {*cxx.REGISTRATION, *cxx.KERNELS}


@pytest.mark.slow
@pytest.mark.parametrize("sanitizer", ["address,undefined", "thread"])
@pytest.mark.parametrize("machine", ["native", "x86-64-v3", "x86-64"])
def test_sanitizers_find_nothing(tmp_path, compiler, sanitizer, machine):
    driver = pathlib.Path(__file__).parent / "driver.cc"
    program = tmp_path / "driver"
    flags = ["-std=c++17", "-O1", "-g", "-Wall", "-Wextra", "-Werror", f"-march={machine}"]
    flags += [f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all", f"-I{SOURCES}", "-pthread"]
    sources = [driver, *(SOURCES / name for name in cxx.KERNELS)]
    empty = tmp_path / "empty.cc"
    empty.write_text("int main() {}")
    tried = subprocess.run([compiler, *flags, empty, "-o", program], capture_output=True)
    if tried.returncode or subprocess.run([program], capture_output=True).returncode:
        pytest.skip(f"{compiler} has no -fsanitize={sanitizer} for {machine} here")
    compiled = subprocess.run([compiler, *flags, *sources, "-o", program], capture_output=True)
    assert compiled.returncode == 0, compiled.stderr.decode()
    ran = subprocess.run([program], capture_output=True, text=True)
    assert ran.returncode == 0 and ran.stdout == "0\n", ran.stdout + ran.stderr[-3000:]


def test_a_compiler_of_two_words(tmp_path, monkeypatch):
    for name in ("ccache", "my g++"):
        path = tmp_path / name
        path.write_text("#!/bin/sh\necho $0 $*")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("CXX", "ccache g++ -m64")
    command = cxx.find_compiler()
    assert shlex.split(command) == [str(tmp_path / "ccache"), "g++", "-m64"]
    assert cxx.version(command) == f"{tmp_path / 'ccache'} g++ -m64 --version"
    assert cxx.commands(command, tmp_path)["warp.cc"][:3] == shlex.split(command)
    others = (f"{tmp_path / 'ccache'} g++", f"{tmp_path / 'ccache'} g++ -O0", command)
    assert len(set(map(build._name, others))) == 3  # with other flags it is another library
    monkeypatch.setenv("CXX", f"'{tmp_path / 'my g++'}'")
    assert cxx.version(cxx.find_compiler()) == f"{tmp_path / 'my g++'} --version"
    monkeypatch.setenv("CXX", "")
    assert cxx.find_compiler() == next(filter(None, map(shutil.which, cxx.COMPILERS)), None)


def test_an_empty_cache_folder_is_none(monkeypatch):
    monkeypatch.delenv("TFFLOW_CACHE", raising=False)
    usual = cache_folder()
    monkeypatch.setenv("TFFLOW_CACHE", "")
    assert cache_folder() == usual and usual.is_absolute()


def test_a_user_without_a_home_gets_no_cache_that_others_can_write_to(monkeypatch):
    for name in ("TFFLOW_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pathlib.Path.home", home)
    assert not cache_folder().parents[1].exists()
