"""One process at a time writes a folder."""

import contextlib
from pathlib import Path

import filelock

_NAME = ".lock"
_LOOK_AGAIN = 5.0  # seconds


@contextlib.contextmanager
def folder_lock(folder, waiting=None):
    """Waits until no other process or thread is in such a block with this folder.

    The lock is released however the process ends. Its file, ``.lock`` in the folder, stays.

    Args:
        folder: an existing folder.
        waiting: called every few seconds while another one has it.
    """
    lock = filelock.FileLock(Path(folder) / _NAME)
    while True:
        try:
            lock.acquire(timeout=_LOOK_AGAIN)
            break
        except filelock.Timeout:
            if waiting:
                waiting()
    try:
        yield
    finally:
        lock.release()
