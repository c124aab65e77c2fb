"""Python in a process of its own: a file may kill its process, and memory starts clean."""

import os
import pathlib
import signal
import subprocess
import sys


def run_module(name, *arguments):
    """Runs a module of this package as a program, with this process's package and settings.

    Not with what lies in the working folder: a ``random.py`` there would be taken for Python's.

    Returns:
        A ``subprocess.CompletedProcess`` with what it printed as text.
    """
    here = str(pathlib.Path(__file__).parents[2])  # the package, wherever this process found it
    paths = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        [sys.executable, "-P", "-m", name, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": paths},
    )


def cause_of_failure(run):
    """Why a program failed, in words: the last line that it said, or the signal that ended it."""
    if run.returncode < 0:
        return f"it ends the process with {signal.Signals(-run.returncode).name}"
    return (run.stderr.strip().splitlines() or ["it said nothing"])[-1]
