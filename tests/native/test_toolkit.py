"""Which GPU kernels are built, and how: with pretended GPUs and compilers, so in no time."""

import pathlib
import stat

import pytest
import tensorflow as tf

from tfflow.native import build, cxx
from tfflow.native.cuda import nvcc, toolkit


class Machine:
    """What is pretended, and which commands were run."""

    def __init__(self):
        self.capabilities = [(9, 0)]
        self.nvcc_fails_at = None
        self.commands = []

    def run_nvcc(self, command):
        self.commands.append([str(x) for x in command])
        if self.nvcc_fails_at and self.nvcc_fails_at in command:
            raise RuntimeError("nvcc failed:\nnvcc -c\nof no use\na.cu(1): error: no such luck")
        pathlib.Path(command[command.index("-o") + 1]).write_text("made by nvcc")

    def run_cxx(self, command):
        self.commands.append(command)
        pathlib.Path(command[command.index("-o") + 1]).write_text("made by g++")


@pytest.fixture
def machine(monkeypatch, tmp_path):
    pretended = Machine()
    compiler = executable(tmp_path / "g++")
    for name in ("NVCC", "CUDACXX", "CUDA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CXX", str(compiler))
    monkeypatch.setenv("NVCC", str(executable(tmp_path / "nvcc")))
    monkeypatch.setenv("TFFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tf.test, "is_built_with_cuda", lambda: True)
    monkeypatch.setattr(
        tf.config, "get_visible_devices", lambda kind: list(enumerate(pretended.capabilities))
    )
    monkeypatch.setattr(
        tf.config.experimental,
        "get_device_details",
        lambda gpu: {"compute_capability": gpu[1]} if gpu[1] else {},
    )
    monkeypatch.setattr(nvcc, "_run", pretended.run_nvcc)
    monkeypatch.setattr(cxx, "run", pretended.run_cxx)
    return pretended


def executable(path, says="compiler 1.0"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_architectures(machine, monkeypatch):
    machine.capabilities = [(12, 0), (9, 0), (8, 6), (9, 0)]
    assert toolkit.architectures() == ("86", "90", "120")
    machine.capabilities = [(9, 0), None]
    assert toolkit.architectures() == ("native",)
    monkeypatch.setattr(tf.test, "is_built_with_cuda", lambda: False)
    assert toolkit.gpus() == []


def test_where_nvcc_is_looked_for(machine, monkeypatch, tmp_path):
    monkeypatch.delenv("NVCC")
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    monkeypatch.setattr(toolkit, "USUAL", tmp_path / "usual")
    assert toolkit.find_nvcc() is None
    assert "nvcc in PATH, in CUDA_HOME and in" in toolkit.missing()
    places = []
    for folder in ("usual", "home"):
        places.append(executable(tmp_path / folder / "bin" / "nvcc"))
    assert toolkit.find_nvcc() == str(places[0])
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "home"))
    assert toolkit.find_nvcc() == str(places[1])
    on_path = executable(tmp_path / "path" / "nvcc")
    monkeypatch.setenv("PATH", str(on_path.parent))
    assert toolkit.find_nvcc() == str(on_path)
    for name in ("CUDACXX", "NVCC"):
        monkeypatch.setenv(name, str(executable(tmp_path / name)))
        assert toolkit.find_nvcc() == str(tmp_path / name)
    monkeypatch.setenv("NVCC", "/no/such/nvcc")
    assert toolkit.find_nvcc() is None and "looked for /no/such/nvcc" in toolkit.missing()


def test_gpu_kernels_are_compiled_and_linked(machine):
    machine.capabilities = [(8, 0), (9, 0)]
    steps = []
    library = build.build(lambda *step: steps.append(step))
    assert library.read_text() == "made by nvcc" and build.holds_gpu_kernels(library)
    assert build.gpu_problem() is None and build.built_library() == library
    assert dict(build.description())["GPU"] == "kernels for compute capability 80, 90"
    assert [done for done, _, _ in steps] == list(range(1, len(steps) + 1))
    assert steps[-1] == (len(steps), len(steps), library.name)
    by_nvcc = [command for command in machine.commands if command[0].endswith("nvcc")]
    *compiled, linked = by_nvcc
    for command in compiled:
        is_kernel = command[command.index("-c") + 1].endswith(".cu")
        assert ("-gencode=arch=compute_80,code=sm_80" in command) == is_kernel
        assert ("-gencode=arch=compute_90,code=sm_90" in command) == is_kernel
        assert ("-DEIGEN_USE_GPU" in command) != is_kernel
    made = [command[command.index("-o") + 1] for command in machine.commands[:-1]]
    assert sorted(x for x in linked if x.endswith(".o")) == sorted(made)
    assert len(made) == len(cxx.REGISTRATION + cxx.KERNELS) + 3
    machine.commands.clear()
    assert build.build() == library and not machine.commands


def test_what_a_new_library_is_built_for(machine, monkeypatch, tmp_path):
    libraries = [build.build()]
    machine.capabilities = [(8, 9)]
    libraries.append(build.build())
    monkeypatch.setenv("NVCC", str(executable(tmp_path / "newer", "compiler 2.0")))
    libraries.append(build.build())
    changed = tmp_path / "cuda"
    changed.mkdir()
    for source in toolkit.SOURCES.iterdir():
        if source.is_file():
            (changed / source.name).write_bytes(source.read_bytes())
    (changed / "warp_plan.h").write_text("changed")
    monkeypatch.setattr(toolkit, "SOURCES", changed)
    libraries.append(build.build())
    machine.capabilities = []
    libraries.append(build.build())
    assert not build.holds_gpu_kernels(libraries[-1])
    assert len(set(libraries)) == len(libraries)
    assert "sees none" in dict(build.description())["GPU"]


def test_without_nvcc_the_cpu_has_its_library(machine, monkeypatch):
    with_kernels = build.build()
    monkeypatch.setenv("NVCC", "/no/such/nvcc")
    assert build.built_library() == with_kernels  # compiled before nvcc went
    with_kernels.unlink()
    assert build.built_library() is None
    library = build.build()
    assert library.read_text() == "made by g++" and build.built_library() == library
    assert "looked for /no/such/nvcc" in build.gpu_problem()
    assert "NVIDIA's CUDA toolkit" in dict(build.description())["GPU"]
    monkeypatch.setenv("NVCC", str(executable(library.parent / "nvcc")))
    assert build.built_library() is None  # nvcc has come: there is something to build


@pytest.mark.parametrize("step", ["-c", "-shared"])
def test_nvcc_that_fails_is_not_tried_twice(machine, step):
    machine.nvcc_fails_at = step
    library = build.build()
    assert library.read_text() == "made by g++" and not build.holds_gpu_kernels(library)
    problem = build.gpu_problem()
    assert "nvcc failed:\na.cu(1): error: no such luck\nInstall" in problem
    assert toolkit.REMEDY in problem and "of no use" not in problem
    assert problem in dict(build.description())["GPU"]
    machine.commands.clear()
    assert build.built_library() == build.build() == library and not machine.commands
    machine.nvcc_fails_at = None
    assert build.holds_gpu_kernels(build.build(force=True))
    assert build.gpu_problem() is None
    assert not list(library.parent.glob("*.failed"))


def test_what_is_no_compiler(machine, monkeypatch, tmp_path):
    monkeypatch.undo()
    folder = executable(tmp_path / "bad", "compiler 1.0")
    folder.write_text("\0 no program")
    with pytest.raises(RuntimeError, match=r"bad doesn't run: .*format"):
        nvcc._run([str(folder)])
    assert toolkit.version(str(folder)) == ""
    with pytest.raises(RuntimeError, match="'/no/such/nvcc' was not found"):
        nvcc._run(["/no/such/nvcc"])
