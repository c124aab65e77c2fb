"""Compiles the native ops' C++ sources, with the compiler that is installed."""

import functools
import os
import platform
import shlex
import shutil
import subprocess
from pathlib import Path

SOURCES = Path(__file__).parent
# Sources with TensorFlow's headers and no loops are compiled without the processor's flags.
REGISTRATION = ("register.cc",)
KERNELS = ("correlation.cc", "correlation_products.cc", "correlation_gradients.cc", "warp.cc")
COMPILERS = ("g++", "c++", "clang++")
MINUTES = 10  # after which a compiler has hung
REMEDY = (
    "Install a C++17 compiler (Debian, Ubuntu: apt install g++) or name one in CXX, and run "
    "`tfflow build-ops`."
)


class BuildError(RuntimeError):
    """The native ops can't be built here; the message says why and what to do."""


def find_compiler():
    """The command of the C++ compiler: $CXX, or the first of COMPILERS that is there; else None.

    As for make, $CXX may hold several words: "ccache g++". Empty counts as unset.

    Raises:
        BuildError: If $CXX has a quotation without an end.
    """
    try:
        words = shlex.split(os.environ.get("CXX", ""))
    except ValueError as error:
        raise BuildError(f"CXX is no command, {os.environ['CXX']!r}: {error}. {REMEDY}") from error
    if words:
        path = shutil.which(words[0])
        return path and shlex.join([path, *words[1:]])
    return next(filter(None, map(shutil.which, COMPILERS)), None)


@functools.cache
def version(compiler):
    """The compiler's own words: its first line names version and build."""
    try:
        found = subprocess.run(
            [*shlex.split(compiler), "--version"], capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"The C++ compiler {compiler} doesn't run: {error}. {REMEDY}") from error
    return (found.stdout.splitlines() or [""])[0]


def further_words(compiler):
    """What follows the compiler's name in its command: flags, or what ccache is to run."""
    return " ".join(shlex.split(compiler)[1:])


def flags():
    """(for every source, for kernels, for linking)."""
    import tensorflow as tf

    native = "-march=native" if platform.machine() in ("x86_64", "AMD64") else "-mcpu=native"
    # No -ffast-math: the handling of NaN is guaranteed.
    every = ("-std=c++17", "-fPIC", "-w", *tf.sysconfig.get_compile_flags())
    return every, ("-O3", native), tuple(tf.sysconfig.get_link_flags())


def commands(compiler, folder):
    """Each source's compiler command by its name; the object's path comes last."""
    every, for_kernels, _ = flags()
    all_of_them = {}
    for name in REGISTRATION + KERNELS:
        optimised = ("-O2",) if name in REGISTRATION else for_kernels
        made = str(Path(folder, name).with_suffix(".o"))
        files = ("-c", str(SOURCES / name), "-o", made)
        all_of_them[name] = [*shlex.split(compiler), *every, *optimised, *files]
    return all_of_them


def link(compiler, objects, library):
    """Links the objects to a library of TensorFlow ops."""
    run([*shlex.split(compiler), "-shared", *objects, "-o", str(library), *flags()[2]])


def run(command):
    try:
        ran = subprocess.run(command, capture_output=True, timeout=60 * MINUTES)
    except subprocess.TimeoutExpired:
        raise BuildError(
            f"The C++ compiler {command[0]} took more than {MINUTES} minutes. {REMEDY}"
        ) from None
    if ran.returncode:
        said = (ran.stderr + ran.stdout).decode(errors="replace")
        raise BuildError(_failure(command, ran.returncode, said))


def _failure(command, status, said):
    lines = said.strip().splitlines()
    errors = [line for line in lines if "error" in line] or lines
    first = "\n".join(errors[:5]) or "it said nothing"
    return (
        f"The C++ compiler {command[0]} failed (status {status}):\n{first}\n"
        f"If it is an old one (C++17 is needed), try another. {REMEDY}"
    )
