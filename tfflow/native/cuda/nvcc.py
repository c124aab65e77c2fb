"""Compiles the CUDA kernels, for TensorFlow and for JAX, with the nvcc that is installed."""

import concurrent.futures
import pathlib
import shutil
import subprocess

SOURCES = pathlib.Path(__file__).parent
KERNELS = ("correlation.cu", "warp.cu")
REGISTRATION = "register_gpu.cc"  # with TensorFlow
MINUTES = 10  # after which a compiler has hung


def compile_library(library, sources, include, architectures=("native",), nvcc="nvcc"):
    """One shared library of the kernels and ``sources`` beside them, whose headers are ``include``.

    Args:
        architectures: Compute capabilities, as "80" and "90"; "native" is this machine's GPU.

    Raises:
        RuntimeError: If there is no such compiler, or it fails; with what it said.
    """
    files = [str(SOURCES / source) for source in (*KERNELS, *sources)]
    flags = ["-shared", f"-isystem={include}", *_for(architectures)]
    _run([nvcc, *_EVERY, *flags, *files, "-o", str(library)])


def compile_for_tensorflow(folder, architectures=("native",), nvcc="nvcc"):
    """Objects that, linked into the library of the native ops, make them run on NVIDIA GPUs.

    They are the kernels and their registration (register_gpu.cc), to be linked by
    :func:`link`, which finds CUDA's runtime, with those of register.cc.

    Returns:
        The objects' paths in ``folder``.

    Raises:
        RuntimeError: As for :func:`compile_library`.
    """
    import tensorflow as tf

    made, commands = [], []
    for source in (*KERNELS, REGISTRATION):
        made.append(pathlib.Path(folder) / f"{source}.o")
        flags = list(_for(architectures))
        if source not in KERNELS:
            flags = ["-DEIGEN_USE_GPU", "-Xcompiler=-w", *tf.sysconfig.get_compile_flags()]
        commands.append([nvcc, *_EVERY, *flags, "-c", str(SOURCES / source), "-o", str(made[-1])])
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(_run, commands))
    return made


def link(objects, library, nvcc="nvcc"):
    """Links objects to a library of TensorFlow ops, with CUDA's runtime in it."""
    import tensorflow as tf

    flags = tf.sysconfig.get_link_flags()
    _run([nvcc, "-shared", *map(str, objects), "-o", str(library), *flags])


_EVERY = ("-std=c++17", "-O3", "-Xcompiler=-fPIC,-Wno-unknown-pragmas")


def _for(architectures):
    if tuple(architectures) == ("native",):
        return ("-arch=native",)
    return tuple(f"-gencode=arch=compute_{a},code=sm_{a}" for a in architectures)


def _run(command):
    if shutil.which(command[0]) is None:
        raise RuntimeError(
            f"The CUDA compiler {command[0]!r} was not found; it comes with NVIDIA's CUDA toolkit."
        )
    try:
        ran = subprocess.run(command, capture_output=True, timeout=60 * MINUTES)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{command[0]} took more than {MINUTES} minutes.") from None
    except OSError as error:
        raise RuntimeError(f"{command[0]} doesn't run: {error}.") from error
    if ran.returncode:
        said = (ran.stdout + ran.stderr).decode(errors="replace").strip()
        raise RuntimeError(f"{command[0]} failed:\n{' '.join(command)}\n{said}")
