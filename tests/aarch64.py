"""An aarch64 Python with NumPy and a .tflite runtime, under QEMU; nothing is installed.

Debian's packages and PyPI's wheels are unpacked into a folder. For test_runtimes.py, or by hand:

    python tests/aarch64.py FOLDER ai-edge-litert==2.3.0

prints the command that runs such a Python.
"""

import pathlib
import platform
import shlex
import shutil
import subprocess
import sys
import zipfile

DEBIAN = "bookworm"  # it has Python 3.11, for which tflite-runtime 2.14.0 has wheels
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PACKAGES = (
    "python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libc6 libexpat1 zlib1g libffi8 "
    "libbz2-1.0 liblzma5 libgcc-s1 libstdc++6"
)
GLIBC = (17, 27, 28, 31, 34, 35)  # of the wheels' names: manylinux_2_17 and so on

# Without dot products and half floats, as on a Raspberry Pi 4.
PROCESSOR = "cortex-a72"
CPUINFO = """\
processor\t: 0
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3

"""


class Unavailable(Exception):
    """Something that the emulation needs is not to be had here."""


def emulated_python(folder, runtime, numpy="numpy<2"):
    """The beginning of a command that runs an aarch64 Python, a list of words.

    Args:
        folder: Where everything is unpacked; it may hold an earlier call's files.
        runtime: What pip calls the runtime: ``"ai-edge-litert==2.3.0"``.
        numpy: What pip calls NumPy.

    Raises:
        Unavailable: If QEMU, Debian's packages or the wheels can't be had.
    """
    folder = pathlib.Path(folder).resolve()
    root = folder / "root"
    if not (root / "usr/bin/python3.11").exists():
        _unpack_debian([f"{name}:arm64" for name in PACKAGES.split()], root, folder / "apt")
    # XNNPACK asks what processor it is; QEMU before 8.2 would show it this machine's.
    (root / "proc").mkdir(exist_ok=True)
    (root / "proc" / "cpuinfo").write_text(CPUINFO)
    packages = folder / runtime
    if not packages.exists():
        _unpack_wheels([runtime, numpy], packages)
    return [
        *(str(_qemu(folder)), "-cpu", PROCESSOR, "-L", str(root)),
        *("-E", f"PYTHONHOME={root / 'usr'}", "-E", f"PYTHONPATH={packages}"),
        str(root / "usr/bin/python3.11"),
    ]


def _qemu(folder):
    for name in ("qemu-aarch64", "qemu-aarch64-static"):
        if found := shutil.which(name):
            return found
    unpacked = folder / "qemu"
    if not unpacked.exists():
        if platform.machine() != "x86_64":
            raise Unavailable("QEMU's qemu-aarch64 is not installed")
        _unpack_debian(["qemu-user-static:amd64"], unpacked, folder / "apt")
    return unpacked / "usr/bin/qemu-aarch64-static"


def _unpack_debian(names, target, work):
    """Debian packages, fetched and unpacked; apt's own settings and lists stay as they are."""
    if not (shutil.which("apt-get") and pathlib.Path(KEYRING).exists()):
        raise Unavailable("no apt-get with Debian's keys, to fetch an aarch64 Python")
    for name in ("lists/partial", "cache/archives/partial"):
        (work / name).mkdir(parents=True, exist_ok=True)
    (work / "status").touch()
    source = f"deb [signed-by={KEYRING}] http://deb.debian.org/debian {DEBIAN} main\n"
    (work / "sources.list").write_text(source)
    settings = {
        "APT::Architecture": "amd64",
        "APT::Architectures": "amd64,arm64",
        "APT::Sandbox::User": "",
        "Dir::State": work,
        "Dir::State::lists": work / "lists",
        "Dir::State::status": work / "status",
        "Dir::Cache": work / "cache",
        "Dir::Etc::sourcelist": work / "sources.list",
        "Dir::Etc::sourceparts": "-",
    }
    apt = ["apt-get", "-qq", *(f"-o{key}={value}" for key, value in settings.items())]
    _call([*apt, "update"], work)
    _call([*apt, "download", *names], work)
    target.mkdir(exist_ok=True)
    for package in sorted(work.glob("*.deb")):
        _call(["dpkg", "-x", str(package), str(target)], work)
        package.unlink()


def _unpack_wheels(names, target):
    wheels = target.with_name(f"{target.name}.wheels")
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"]
    platforms = [f"--platform=manylinux_2_{number}_aarch64" for number in GLIBC]
    platforms.append("--platform=manylinux2014_aarch64")
    _call([*pip, "--python-version=3.11", *platforms, "-d", str(wheels), *names], target.parent)
    for wheel in wheels.glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(target)


def _call(command, folder):
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise Unavailable(f"{command[0]} is missing") from error
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"{shlex.join(command)}: {error.stderr[-500:]}") from error


if __name__ == "__main__":
    print(shlex.join(emulated_python(*sys.argv[1:])))
