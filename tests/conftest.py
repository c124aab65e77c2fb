"""Shared fixtures. The tests pass in a fresh clone; what needs ../shared is skipped there."""

import os
import signal
import sys
from pathlib import Path

import pytest

# One place for the settings that every test process needs, before TensorFlow is first imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# Helpers of the tests (golden_files.py) are imported by name from any folder.
sys.path.insert(0, str(Path(__file__).parent))

# A shell has its background jobs ignore Ctrl-C, which tests press.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_dir():
    """The folder of reference files kept outside the repository (real pairs, all golden files)."""
    if not SHARED.is_dir():
        pytest.skip("reference files outside the repository are not here (../shared)")
    return SHARED


# What takes long begins first, so that no worker is left with it at the end.
LONGEST = (
    *("tests/test_recipes.py", "tests/tflite", "tests/android"),
    *("tests/models/test_registry.py", "tests/models/test_liteflownet.py"),
    *("tests/tflite/test_streaming.py", "tests/training/test_distribution.py"),
    *("tests/models/test_flownet.py", "tests/detection/test_export.py"),
    *("tests/test_package.py", "tests/native/test_build.py", "tests/detection/test_detector.py"),
    *("tests/detection/test_training.py", "tests/models/test_golden_gradients.py"),
    *("tests/models/test_streaming.py", "tests/models/test_maskflownet.py"),
)
# Files that share what is made once for a folder: conftest.py's exports and compiled classes.
TOGETHER = {
    "tests/android": ("test_app.py", "test_java.py"),
    "tests/tflite": (
        *("test_calibration.py", "test_export.py", "test_interpreter.py", "test_report.py"),
        *("test_runtimes.py", "test_sensitivity.py", "test_threads.py", "test_warp_radius.py"),
    ),
}


def scope(nodeid):
    """What is run by one worker: a file's tests, or those of files that share much."""
    folder, _, name = nodeid.split("::")[0].rpartition("/")
    return folder if name in TOGETHER.get(folder, ()) else f"{folder}/{name}"


def pytest_collection_modifyitems(items):
    items.sort(
        key=lambda item: (
            LONGEST.index(scope(item.nodeid)) if scope(item.nodeid) in LONGEST else len(LONGEST)
        )
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """``--dist loadfile`` in the order of the tests, with some files together."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return scope(nodeid)

    config.option.loadscopereorder = False
    return Scheduling(config, log)


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
