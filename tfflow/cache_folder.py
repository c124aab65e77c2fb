"""Where this library keeps what it has compiled and downloaded."""

import os
import sys
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """$TFFLOW_CACHE, or tfflow in the platform's cache folder; without a home, in /tmp."""
    if os.environ.get("TFFLOW_CACHE"):
        return Path(os.environ["TFFLOW_CACHE"]).expanduser()
    try:
        home = Path.home()
    except RuntimeError:  # a user without one, as in a container
        home = Path(tempfile.gettempdir(), f"tfflow-{os.getuid()}")
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "tfflow"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache").expanduser() / "tfflow"
