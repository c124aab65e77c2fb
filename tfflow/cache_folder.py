"""Where this library keeps what it has compiled and downloaded."""

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """$TFFLOW_CACHE, or tfflow in the platform's cache folder."""
    if os.environ.get("TFFLOW_CACHE"):
        return Path(os.environ["TFFLOW_CACHE"]).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "tfflow"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser() / "tfflow"
