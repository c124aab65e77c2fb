"""Whether the native ops need GPU kernels here, for which GPUs, and what compiles them."""

import functools
import hashlib
import os
import pathlib
import shutil
import subprocess

SOURCES = pathlib.Path(__file__).parent
NVCC = pathlib.Path("bin", "nvcc")  # in a CUDA toolkit
USUAL = pathlib.Path("/usr/local/cuda")
REMEDY = (
    "Install a version of NVIDIA's CUDA toolkit that knows your GPU and your g++, or name its nvcc "
    "in NVCC and a g++ for it in NVCC_CCBIN, and run `tfflow build-ops --force`."
)


def gpus():
    """The NVIDIA GPUs that TensorFlow sees; none if it isn't built for them."""
    import tensorflow as tf

    return tf.config.get_visible_devices("GPU") if tf.test.is_built_with_cuda() else []


def architectures():
    """The GPUs' compute capabilities, as "80" and "90"; "native" if TensorFlow doesn't know one."""
    import tensorflow as tf

    found = set()
    for gpu in gpus():
        capability = tf.config.experimental.get_device_details(gpu).get("compute_capability")
        if capability is None:
            return ("native",)
        found.add(tuple(capability))
    return tuple(f"{major}{minor}" for major, minor in sorted(found))


def find_nvcc():
    """The path of NVIDIA's compiler: $NVCC, $CUDACXX, or where toolkits put it; else None."""
    named = _named()
    home = os.environ.get("CUDA_HOME") or USUAL
    places = [named] if named else ["nvcc", pathlib.Path(home, NVCC), USUAL / NVCC]
    return next(filter(None, (shutil.which(str(place)) for place in places)), None)


def _named():
    return os.environ.get("NVCC") or os.environ.get("CUDACXX")


def missing():
    """The message for when :func:`find_nvcc` finds nothing."""
    looked = _named() or f"nvcc in PATH, in CUDA_HOME and in {USUAL}"
    return f"No CUDA compiler was found (looked for {looked}). {REMEDY}"


def sources_key():
    """Stands for the CUDA sources, their flags and the GPUs that they are compiled for."""
    digest = hashlib.sha256(" ".join(architectures()).encode())
    for source in sorted(SOURCES.iterdir()):
        if source.suffix in (".cc", ".cu", ".h") or source.name == "nvcc.py":
            digest.update(f"{source.name}\n".encode() + source.read_bytes())
    return digest.hexdigest()[:12]


@functools.cache
def version(nvcc):
    """The compiler's own words: its last line names version and build; nothing if it fails."""
    try:
        found = subprocess.run([nvcc, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""  # compiling with it will say why
    return (found.stdout.splitlines() or [""])[-1]
