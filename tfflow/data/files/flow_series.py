"""The flow of a video's frames: a file for each, or all of them in one .npz. Pictures likewise."""

import contextlib
import csv
import itertools
import pathlib
import re
import zipfile

import numpy as np

from tfflow.atomic_file import atomic_file
from tfflow.data.files.flows import KITTI_RANGE, write_flow
from tfflow.data.files.images import write_image

_COLUMNS = ["file", "time", "next_time"]
_OCCLUSION = "occlusion"  # a column more, where there are such pictures


def flow_series(path, extension=".flo", complaints=None):
    """A context that gives ``write(flow, time, next_time, hidden)``, for the pairs of a video.

    A folder, created if missing, gets a file for each pair, ``000000.flo`` and so on, and
    ``times.csv`` of those that are there. Once it has the first one, what an earlier video's
    ``times.csv`` names is removed. An ``.npz`` gets an array (H, W, 2) for each, ``000000`` and so
    on, and ``times`` (N, 2), seconds; it appears at the end, and memory never holds more than one
    flow.
    ``hidden``, (H, W) bool, is ``000000_occlusion.png``, white where hidden and named in
    ``times.csv`` too, or an array of that name; None: it is left out.

    Args:
        path: The ``.npz`` or the folder.
        extension: That of a folder's files; see :func:`tfflow.data.write_flow`.
        complaints: A list, or None; see :func:`write_what_fits`. A pair that can't be written is
            left out, and its number too.

    Raises:
        OSError: If it can't be written, or a file of somebody else would be written over.
        ValueError: If a file can't hold a flow, and ``complaints`` is None.
    """
    path = pathlib.Path(path)
    if path.suffix.lower() == ".npz":
        return _archive(path)
    return _folder(path, extension, complaints)


def write_what_fits(path, flow, name, complaints):
    """Writes a flow file, as :func:`tfflow.data.write_flow` does.

    Args:
        path: The file.
        flow: (H, W, 2), px.
        name: What a complaint calls it.
        complaints: A list, or None. With a list, pixels that KITTI's ``.png`` can't hold are marked
            as unknown, and a text for what could not be written is added to it, instead of raising
            an error.

    Returns:
        Whether there is a file.
    """
    valid = None
    if complaints is not None and path.suffix == ".png":
        low, high = KITTI_RANGE
        inside = ((flow >= low) & (flow <= high)) | ~np.isfinite(flow)
        valid = inside.all(axis=-1)
        if not valid.all():
            complaints.append(
                f"{name}: {int((~valid).sum())} pixels move by more than the 512 px that KITTI's "
                ".png holds; they are marked as unknown. --format flo holds them"
            )
    try:
        write_flow(path, flow, valid)
    except ValueError as error:
        if complaints is None:
            raise
        complaints.append(f"{name}: {error}")
        return False
    return True


@contextlib.contextmanager
def picture_series(path):
    """A context that gives ``write(picture, time, next_time)``: a ``.png`` for each frame.

    Args:
        path: A folder. It becomes what that of :func:`flow_series` does.

    Raises:
        OSError: If it can't be written, or a file of somebody else would be written over.
    """
    with _numbered(pathlib.Path(path), ".png") as add:

        def write(picture, time, next_time):
            def write_files(file):
                write_image(file, picture)
                return True

            add(write_files, time, next_time)

        yield write


@contextlib.contextmanager
def _folder(path, extension, complaints):
    with _numbered(path, extension) as add:

        def write(flow, time, next_time, hidden=None):
            def write_files(file, occlusion=None):
                name = f"the flow at {time:.2f} s"
                if not write_what_fits(file, flow, name, complaints):
                    return False
                if occlusion is not None:
                    write_image(occlusion, np.uint8(255) * hidden)
                return True

            add(write_files, time, next_time, hidden is not None)

        yield write


@contextlib.contextmanager
def _numbered(path, extension):
    """A context that gives ``add(write_files, time, next_time)``, for one pair after the other.

    ``write_files`` gets the pair's file, and that of its occlusion if ``add`` is told that there is
    one; it returns whether it has written them.
    """
    path.mkdir(parents=True, exist_ok=True)
    rows, times = [], path / "times.csv"
    earlier = _named_in(times)
    numbers = itertools.count()

    def add(write_files, time, next_time, has_occlusion=False):
        stem = f"{next(numbers):06}"
        row = [f"{stem}{extension}", time, next_time]
        row += [f"{stem}_occlusion.png"] if has_occlusion else []
        files = [path / name for name in (row[0], *row[3:])]
        for file in files:
            if file.exists() and file not in earlier:
                raise FileExistsError(
                    f"{file} is there, and no {times.name} of an earlier video names it: give "
                    "another folder"
                )
        if rows:
            # Before its files are there: should the run be killed, the next one knows of them.
            _append(times, row)
        if not write_files(*files):
            return
        rows.append(row)
        if len(rows) == 1:
            for file in earlier - {*files}:
                file.unlink(missing_ok=True)
            _write(times, rows)

    try:
        yield add
    finally:
        if rows:  # else an earlier video is still there
            _write(times, rows)


def _write(times, rows):
    with (
        atomic_file(times) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        columns = [*_COLUMNS, _OCCLUSION][: len(rows[0])]
        csv.writer(file).writerows([columns, *rows])


def _append(times, row):
    with open(times, "a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(row)


def _named_in(times):
    """The files that a ``times.csv`` of ours names."""
    if not times.is_file():
        return set()
    with open(times, newline="", encoding="utf-8") as file:
        columns, *rows = [*csv.reader(file)] or [None]
    if columns not in (_COLUMNS, [*_COLUMNS, _OCCLUSION]):
        raise FileExistsError(f"{times} is not of an earlier video: give another folder")
    names = [name for row in rows for name in (*row[:1], *row[3:])]
    ours = re.compile(r"\d{6,}(\.\w+|_occlusion\.png)")
    return {times.with_name(name) for name in names if ours.fullmatch(name)}


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
