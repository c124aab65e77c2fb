"""Writing a file so that its name holds either the whole new content or what it held before."""

import contextlib
import errno
import json
import os
import re
import secrets
from pathlib import Path

# A full disk, a full quota, a file larger than is allowed.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_HEX = 8  # digits in a temporary file's name
_TEMPORARY = re.compile(rf"\.[0-9a-f]{{{_HEX}}}\..+")


@contextlib.contextmanager
def atomic_file(path, durable=False):
    """Yields a temporary path beside `path`; the file written there is renamed at the end.

    ```python
    with atomic_file("flow.flo") as temporary:
        temporary.write_bytes(content)
    ```

    The temporary file is in the same folder, because a rename is atomic within one file system
    only, and has the same extension, because Pillow and FFmpeg go by it. When the block raises, the
    temporary file is removed and `path` is as it was. A symbolic link is followed, not replaced.

    Args:
        path: where the file will be; its folder must exist.
        durable: whether it is on the disk before it has its name, so that no half of it is there
            after a power cut either.

    Yields:
        A `pathlib.Path` for the block to write to.

    Raises:
        OSError: as `check_writable`; or if the disk is full.
    """
    target = check_writable(path)

    # A plain name instead of `tempfile`, whose files keep mode 0600 after the rename. It ends as
    # the file's does, because some writers ask for more than one extension: `.weights.h5`.
    # Not all of the name, which may be as long as a name can be.
    temporary = target.parent / f".{secrets.token_hex(_HEX // 2)}.{target.name[-60:]}"
    try:
        yield temporary
        if durable:
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        if error.errno in _FULL and error.filename is None:  # no writer says which file it was
            raise OSError(
                error.errno, f"cannot write {path}: {os.strerror(error.errno)}"
            ) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def remove_left_behind(folder):
    """Removes the temporary files that killed processes left in a folder.

    Only for a folder that nobody else is writing to.
    """
    for path in Path(folder).glob(".*"):
        if _TEMPORARY.fullmatch(path.name) and path.is_file():
            path.unlink(missing_ok=True)


def write_json(path, value):
    """Writes a value as indented JSON, durably; errors as `atomic_file`."""
    with atomic_file(path, durable=True) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def read_json(path, advice):
    """What `write_json` wrote.

    Args:
        path: the file.
        advice: what to do if it is damaged, a sentence.

    Raises:
        ValueError: it is damaged.
        OSError: it can't be read.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}). {advice}") from error


def check_writable(path):
    """Checks that a file can be written, before the work that produces it.

    Returns:
        Its `pathlib.Path`, with symbolic links followed.

    Raises:
        FileNotFoundError, NotADirectoryError: the folder does not exist or is a file.
        PermissionError: the folder can't be written.
        IsADirectoryError, OSError: `path` is a folder, or a device or another special file.
    """
    target = Path(os.path.realpath(path))
    folder = target.parent
    if not folder.exists():
        raise FileNotFoundError(
            f"cannot write {path}: its folder {folder} does not exist; create it first"
        )
    if not folder.is_dir():
        raise NotADirectoryError(f"cannot write {path}: {folder} is a file, not a folder")
    if target.is_dir():
        raise IsADirectoryError(f"cannot write {path}: it is a folder; give a file name inside it")
    if target.exists() and not target.is_file():
        raise OSError(
            f"cannot write {path}: it is a device or another special file; give a plain file name"
        )
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"cannot write {path}: no permission to write in {folder}")
    return target
