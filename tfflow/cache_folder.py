"""Where this library keeps what it has compiled and downloaded."""

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """$TFFLOW_CACHE, or tfflow in the platform's cache folder.

    A user without a home gets a folder that can't be made, and so what is done where the cache
    can't be written: the shared /tmp is no place for libraries that are loaded.
    """
    if os.environ.get("TFFLOW_CACHE"):
        return Path(os.environ["TFFLOW_CACHE"]).expanduser()
    try:
        home = Path.home()
    except RuntimeError:  # a number without a name, as in a container
        home = Path("/nonexistent")
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "tfflow"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache").expanduser() / "tfflow"
