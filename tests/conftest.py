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


def pytest_terminal_summary(terminalreporter):
    """What a fresh clone lacks is said once, not with each test that is skipped for it."""
    reports = terminalreporter.stats.get("skipped", ())
    lacking = sum("../shared" in str(report.longrepr) for report in reports)
    if lacking:
        terminalreporter.write_line(
            f"{lacking} of the {len(reports)} skipped tests need the full golden files and real "
            "pairs, which are kept outside of the repository (../shared). That is as it should be "
            "in a fresh clone."
        )
