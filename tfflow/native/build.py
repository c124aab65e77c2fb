"""Compiles the native ops for the TensorFlow that is installed, once, into the user's cache.

A library lies at CACHE/native/KEY/ops-COMPILER.so: KEY stands for TensorFlow, the processor and the
sources, so a new one of these is a new build, and an old library is never loaded by what it was not
made for. Prebuilt libraries break with every release of TensorFlow; this can't.
"""

import concurrent.futures
import contextlib
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tfflow.atomic_file import atomic_file

SOURCES = Path(__file__).parent
# What includes TensorFlow's headers and runs no loops is compiled without the processor's flags.
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


def cache_folder():
    """Where built libraries lie: $TFFLOW_CACHE, or tfflow in the platform's cache folder."""
    if "TFFLOW_CACHE" in os.environ:
        return Path(os.environ["TFFLOW_CACHE"]).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "tfflow"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser() / "tfflow"


def find_compiler():
    """The path of the C++ compiler: $CXX, or the first of COMPILERS that is there; else None."""
    if "CXX" in os.environ:
        return shutil.which(os.environ["CXX"])
    return next(filter(None, map(shutil.which, COMPILERS)), None)


def built_library():
    """The library for this machine, if it has been built; else None.

    Without a compiler, one that another compiler has built before will do.
    """
    folder, compiler = _folder(), find_compiler()
    if compiler:
        library = folder / _name(compiler)
        return library if library.is_file() else None
    return next(iter(sorted(folder.glob("ops-*.so"))), None)


def build(report=lambda done, total, what: None, force=False):
    """Compiles the ops unless they are there already, and returns the library's path.

    Of several processes that want it at once, one compiles and the others wait for it.

    Args:
        report: Called as report(done, total, what) while the compiler runs.
        force: Compile even if the library is there.

    Raises:
        BuildError: If there is no compiler, it fails, or the cache can't be written.
    """
    if sys.platform == "win32":
        raise BuildError("Native ops are built on Linux and macOS; this is Windows.")
    compiler = find_compiler()
    if compiler is None:
        wanted = os.environ.get("CXX") or ", ".join(COMPILERS)
        raise BuildError(f"No C++ compiler was found (looked for {wanted}). {REMEDY}")
    library = _folder() / _name(compiler)
    try:
        library.parent.mkdir(parents=True, exist_ok=True)
        with _lock(library.with_suffix(".lock")):
            if force or not library.is_file():
                with atomic_file(library) as temporary:
                    _compile(compiler, temporary, report)
    except OSError as error:
        raise BuildError(
            f"The cache for native ops, {library.parent}, can't be used: {error}. Make it "
            "writable, or set TFFLOW_CACHE to a folder that is."
        ) from error
    return library


def description():
    """What a library is built for and with, as (name, value) pairs for a table."""
    import tensorflow as tf

    compiler = find_compiler()
    library = built_library()
    return [
        ("TensorFlow", tf.__version__),
        ("compiler", f"{compiler}: {_version(compiler)}" if compiler else "none"),
        ("processor", _processor()[0]),
        ("cache", str(cache_folder())),
        ("library", str(library or "not built yet")),
    ]


def _folder():
    return cache_folder() / "native" / _key()


@functools.cache
def _key():
    import tensorflow as tf

    digest = hashlib.sha256()
    facts = (*_flags(), platform.machine(), *_processor(), tf.version.GIT_VERSION)
    for fact in facts:
        digest.update(f"{fact}\n".encode())
    for source in sorted([*SOURCES.glob("*.cc"), *SOURCES.glob("*.h")]):
        digest.update(f"{source.name}\n".encode() + source.read_bytes())
    return f"tensorflow-{tf.__version__}-{digest.hexdigest()[:16]}"


def _name(compiler):
    return f"ops-{hashlib.sha256(_version(compiler).encode()).hexdigest()[:12]}.so"


@functools.cache
def _version(compiler):
    """The compiler's own words: its first line names version and build."""
    try:
        found = subprocess.run([compiler, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"The C++ compiler {compiler} doesn't run: {error}. {REMEDY}") from error
    return (found.stdout.splitlines() or [""])[0]


@functools.cache
def _processor():
    """(name, instruction sets): code for one with AVX-512 must not be run on one without."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    except OSError:
        return platform.processor() or platform.machine(), ""
    fields = {key.strip(): value.strip() for key, _, value in (x.partition(":") for x in lines)}
    name = fields.get("model name") or platform.machine()
    return name, fields.get("flags") or fields.get("Features", "")


def _flags():
    """(for every source, for kernels, for linking)."""
    import tensorflow as tf

    native = "-march=native" if platform.machine() in ("x86_64", "AMD64") else "-mcpu=native"
    # No -ffast-math: what becomes of NaN is promised.
    every = ("-std=c++17", "-fPIC", "-w", *tf.sysconfig.get_compile_flags())
    return every, ("-O3", native), tuple(tf.sysconfig.get_link_flags())


def _compile(compiler, library, report):
    every, for_kernels, for_linking = _flags()
    names = REGISTRATION + KERNELS
    with tempfile.TemporaryDirectory(prefix="tfflow-ops-") as folder:
        objects = [str(Path(folder, name).with_suffix(".o")) for name in names]
        commands = [
            [compiler, *every, *(("-O2",) if name in REGISTRATION else for_kernels), "-c"]
            + [str(SOURCES / name), "-o", made]
            for name, made in zip(names, objects)
        ]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            running = {pool.submit(_run, x): name for x, name in zip(commands, names)}
            for done, finished in enumerate(concurrent.futures.as_completed(running), 1):
                finished.result()
                report(done, len(names) + 1, running[finished])
        _run([compiler, "-shared", *objects, "-o", str(library), *for_linking])
        report(len(names) + 1, len(names) + 1, library.name)


def _run(command):
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


@contextlib.contextmanager
def _lock(path):
    """One process at a time; the lock goes with the process, however that ends."""
    import fcntl

    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
