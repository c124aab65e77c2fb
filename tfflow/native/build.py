"""Compiles the native ops for the TensorFlow that is installed, once, into the user's cache.

A library lies at CACHE/native/KEY/ops-COMPILER.so: KEY stands for TensorFlow, the processor and the
sources, so a change in any of them means a new build, and a library is only loaded where it was
built for. Prebuilt libraries break with every release of TensorFlow; this can't.

Where TensorFlow sees NVIDIA GPUs, the library holds their kernels too: it is then called
ops-COMPILER-cuda-NVCC-SOURCES.so, where SOURCES stands for the CUDA sources and the kinds of GPUs.
If nvcc fails, a file of that name ending in .failed says why, nvcc isn't run again unless asked,
and the library is that for the CPU.
"""

import concurrent.futures
import functools
import hashlib
import os
import platform
import sys
import tempfile
from pathlib import Path

import filelock

from tfflow.atomic_file import atomic_file
from tfflow.cache_folder import cache_folder
from tfflow.native import cxx
from tfflow.native.cuda import nvcc, toolkit
from tfflow.native.cxx import BuildError, find_compiler

SOURCES = Path(__file__).parent
ANY = "?" * 12  # glob pattern for any compiler in a library's name


def built_library():
    """The library for this machine, if it has been built; else None.

    Without a compiler, one built by any other compiler will do. Where there are GPUs, one without
    their kernels will do only if the kernels are known to be unavailable.
    """
    if not toolkit.gpus():
        return _find(_name(find_compiler()))
    found = _find(_name(find_compiler(), on_gpu=True))
    if found or (toolkit.find_nvcc() and not _past_failure()):
        return found
    return _find(_name(find_compiler()))


def holds_gpu_kernels(library):
    """Whether a library that was built here runs on NVIDIA GPUs as well."""
    return "-cuda-" in library.name


def gpu_problem():
    """Why the library has no kernels for the GPUs that TensorFlow sees, and what to do about it.

    None if it has them, or if there is no such GPU.
    """
    if not toolkit.gpus() or _find(_name(find_compiler(), on_gpu=True)):
        return None
    if toolkit.find_nvcc() is None:
        return toolkit.missing()
    failure = _past_failure()
    return failure.read_text("utf-8") if failure else "Run `tfflow build-ops` to compile them."


def build(report=lambda done, total, what: None, force=False):
    """Compiles the ops unless they are there already, and returns the library's path.

    Of several processes that want it at once, one compiles and the others wait for it. GPU kernels
    that can't be compiled are left out; :func:`gpu_problem` then says why.

    Args:
        report: Called as report(done, total, what) while the compiler runs.
        force: Compile even if the library is there.

    Raises:
        BuildError: If there is no C++ compiler, it fails, or the cache can't be written.
    """
    if sys.platform == "win32":
        raise BuildError("Native ops are built on Linux and macOS; this is Windows.")
    compiler = find_compiler()
    if compiler is None:
        wanted = os.environ.get("CXX") or ", ".join(cxx.COMPILERS)
        raise BuildError(f"No C++ compiler was found (looked for {wanted}). {cxx.REMEDY}")
    folder = _folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / _name(compiler, suffix=".lock")):
            library = None if force else built_library()
            return library or _make(compiler, report)
    except OSError as error:
        raise BuildError(
            f"The cache for native ops, {folder}, can't be used: {error}. Make it "
            "writable, or set TFFLOW_CACHE to a folder that is."
        ) from error


def description():
    """What a library is built for and with, as (name, value) pairs for a table."""
    import tensorflow as tf

    compiler = find_compiler()
    library = built_library()
    return [
        ("TensorFlow", tf.__version__),
        ("compiler", f"{compiler}: {cxx.version(compiler)}" if compiler else "none"),
        ("processor", processor()[0]),
        ("cache", str(cache_folder())),
        ("library", str(library or "not built yet")),
        ("GPU", _about_gpus(library)),
    ]


def _about_gpus(library):
    if not toolkit.gpus():
        return "TensorFlow sees none of NVIDIA's"
    if library is None or not holds_gpu_kernels(library):
        return f"no kernels, so the reference. {gpu_problem()}"
    return f"kernels for compute capability {', '.join(toolkit.architectures())}"


def _folder():
    return cache_folder() / "native" / _key()


@functools.cache
def _key():
    import tensorflow as tf

    digest = hashlib.sha256()
    facts = (*cxx.flags(), platform.machine(), *processor(), tf.version.GIT_VERSION)
    for fact in facts:
        digest.update(f"{fact}\n".encode())
    for source in sorted([*SOURCES.glob("*.cc"), *SOURCES.glob("*.h")]):
        digest.update(f"{source.name}\n".encode() + source.read_bytes())
    return f"tensorflow-{tf.__version__}-{digest.hexdigest()[:16]}"


def _name(compiler, on_gpu=False, suffix=".so"):
    """A library's name; without a compiler, a pattern that matches any."""
    parts = [
        "ops",
        _digest(cxx.version(compiler) + cxx.further_words(compiler)) if compiler else ANY,
    ]
    if on_gpu:
        found = toolkit.find_nvcc()
        parts += ["cuda", _digest(toolkit.version(found)) if found else ANY, toolkit.sources_key()]
    return "-".join(parts) + suffix


def _digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[: len(ANY)]


def _find(pattern):
    return next(iter(sorted(_folder().glob(pattern))), None)


def _past_failure():
    """The file that says how nvcc failed on this build before; None if it didn't."""
    return _find(_name(find_compiler(), on_gpu=True, suffix=".failed"))


@functools.cache
def processor():
    """(name, instruction sets): code for one with AVX-512 must not be run on one without."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    except OSError:
        return platform.processor() or platform.machine(), ""
    fields = {key.strip(): value.strip() for key, _, value in (x.partition(":") for x in lines)}
    name = fields.get("model name") or platform.machine()
    return name, fields.get("flags") or fields.get("Features", "")


def _make(compiler, report):
    """Compiles and links the library, with kernels for the GPUs if there are any and nvcc can."""
    on_gpu = bool(toolkit.gpus() and toolkit.find_nvcc())
    with tempfile.TemporaryDirectory(prefix="building-", dir=_folder()) as folder:
        commands = cxx.commands(compiler, folder)
        total = len(commands) + on_gpu + 1
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            of_gpu = pool.submit(_compile_for_gpu, folder) if on_gpu else None
            running = {pool.submit(cxx.run, command): name for name, command in commands.items()}
            running |= {of_gpu: "CUDA kernels"} if on_gpu else {}
            for done, finished in enumerate(concurrent.futures.as_completed(running), 1):
                if finished is not of_gpu:
                    finished.result()
                report(done, total, running[finished])
        objects = [command[-1] for command in commands.values()]
        library = _link_for_gpu(compiler, objects, of_gpu) if on_gpu else None
        library = library or _link(compiler, objects)
        report(total, total, library.name)
        return library


def _link(compiler, objects):
    library = _folder() / _name(compiler)
    with atomic_file(library, durable=True) as temporary:
        cxx.link(compiler, objects, temporary)
    return library


def _compile_for_gpu(folder):
    return nvcc.compile_for_tensorflow(folder, toolkit.architectures(), toolkit.find_nvcc())


def _link_for_gpu(compiler, objects, of_gpu):
    """The library with the future's GPU objects; if nvcc failed, None and a file saying why.

    The C++ objects are still good, and the CPU's library is made of them.
    """
    library = _folder() / _name(compiler, on_gpu=True)
    failure = library.with_suffix(".failed")
    try:
        with atomic_file(library, durable=True) as temporary:
            nvcc.link([*objects, *of_gpu.result()], temporary, toolkit.find_nvcc())
    except RuntimeError as error:
        library.unlink(missing_ok=True)  # an older build, which --force should replace
        with atomic_file(failure) as temporary:
            temporary.write_text(_gpu_failure(str(error)), "utf-8")
        return None
    failure.unlink(missing_ok=True)
    return library


def _gpu_failure(said):
    """nvcc's message for people, without the command, which fills a screen."""
    first, *lines = said.splitlines()
    lines = [line for line in lines if "error" in line or "fatal" in line] or lines[1:]
    return "\n".join([f"The CUDA compiler: {first}", *lines[:5], toolkit.REMEDY])
