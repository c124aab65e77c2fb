"""Shared fixtures. The tests pass in a fresh clone; what needs ../shared is skipped there."""

import os
import sys
from pathlib import Path

import pytest

# One place for the settings that every test process needs, before TensorFlow is first imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# Helpers of the tests (golden_files.py) are imported by name from any folder.
sys.path.insert(0, str(Path(__file__).parent))

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_dir():
    """The folder of reference files kept outside the repository (real pairs, all golden files)."""
    if not SHARED.is_dir():
        pytest.skip("reference files outside the repository are not here (../shared)")
    return SHARED
