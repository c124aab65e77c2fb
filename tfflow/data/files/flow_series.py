"""The flow of a video's frames: a file for each, or all of them in one .npz. Pictures likewise."""

import contextlib
import csv
import pathlib
import re
import zipfile

import numpy as np

from tfflow.atomic_file import atomic_file
from tfflow.data.files.flows import write_flow
from tfflow.data.files.images import write_image

_COLUMNS = ("file", "time", "next_time")


def flow_series(path, extension=".flo"):
    """A context that gives ``write(flow, time, next_time, hidden)``, for the pairs of a video.

    A folder, created if missing, gets a file for each pair, ``000000.flo`` and so on, and at the
    end, or when something fails, ``times.csv`` of those that are there. Before the first one, what
    an earlier video's ``times.csv`` names is removed. An ``.npz`` gets an array (H, W, 2) for each,
    ``000000`` and so on, and ``times`` (N, 2), seconds; it appears at the end, and memory never
    holds more than one flow.
    ``hidden``, (H, W) bool, is ``000000_occlusion.png``, white where hidden, or an array of that
    name; None: it is left out.

    Args:
        path: The ``.npz`` or the folder.
        extension: That of a folder's files; see :func:`tfflow.data.write_flow`.

    Raises:
        OSError: If it can't be written.
    """
    path = pathlib.Path(path)
    return _archive(path) if path.suffix.lower() == ".npz" else _folder(path, extension)


@contextlib.contextmanager
def picture_series(path):
    """A context that gives ``write(picture, time, next_time)``: a ``.png`` for each frame.

    Args:
        path: A folder. It becomes what that of :func:`flow_series` does.

    Raises:
        OSError: If it can't be written.
    """
    with _numbered(pathlib.Path(path), ".png") as add:
        yield lambda picture, *when: add(lambda file: write_image(file, picture), *when)


@contextlib.contextmanager
def _folder(path, extension):
    with _numbered(path, extension) as add:

        def write(flow, time, next_time, hidden=None):
            def write_files(file):
                write_flow(file, flow)
                if hidden is not None:
                    occlusion = file.with_name(f"{file.stem}_occlusion.png")
                    write_image(occlusion, np.uint8(255) * hidden)

            add(write_files, time, next_time)

        yield write


@contextlib.contextmanager
def _numbered(path, extension):
    """A context that gives ``add(write_files, time, next_time)``, which passes on a file's name."""
    path.mkdir(parents=True, exist_ok=True)
    rows, times = [], path / "times.csv"

    def add(write_files, time, next_time):
        if not rows:
            _remove_earlier(times)
        name = f"{len(rows):06}{extension}"
        write_files(path / name)
        rows.append((name, time, next_time))

    try:
        yield add
    finally:
        if rows:  # else an earlier video is still there
            with (
                atomic_file(times) as temporary,
                open(temporary, "w", newline="", encoding="utf-8") as file,
            ):
                csv.writer(file).writerows([_COLUMNS, *rows])


def _remove_earlier(times):
    """Removes a ``times.csv`` and the files that it names, if it is one of ours."""
    if not times.is_file():
        return
    with open(times, newline="", encoding="utf-8") as file:
        columns, *rows = [*csv.reader(file)] or [None]
    if columns != list(_COLUMNS):
        return
    for name in [row[0] for row in rows if row and re.fullmatch(r"\d{6,}\.\w+", row[0])]:
        stem = name.partition(".")[0]
        for each in (name, f"{stem}_occlusion.png"):
            (times.parent / each).unlink(missing_ok=True)
    times.unlink()


@contextlib.contextmanager
def _archive(path):
    times = []
    with atomic_file(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:

        def add(name, array):
            # The archive doesn't know in advance that it will be large.
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)

        def write(flow, time, next_time, hidden=None):
            add(f"{len(times):06}", flow)
            if hidden is not None:
                add(f"{len(times):06}_occlusion", hidden)
            times.append((time, next_time))

        yield write
        add("times", np.array(times, np.float64).reshape(-1, 2))
