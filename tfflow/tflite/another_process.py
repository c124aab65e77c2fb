"""Python in a process of its own: a file may kill its process, and memory starts clean."""

import os
import pathlib
import subprocess
import sys


def run_module(name, *arguments):
    """Runs a module of this package as a program, with this process's package and settings.

    Returns:
        A ``subprocess.CompletedProcess`` with what it printed as text.
    """
    here = str(pathlib.Path(__file__).parents[2])  # the package, wherever this process found it
    paths = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        [sys.executable, "-m", name, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": paths},
    )
