"""Correlation and warp are tested as reference and as native ops, by the same tests."""

import pytest

from tfflow.native import build

BOTH_WAYS = ("test_golden_ops", "test_ops")


@pytest.fixture(scope="session")
def native_library():
    """The native ops; tests of them are skipped where they can't be built."""
    try:
        return build.build()
    except build.BuildError as error:
        pytest.skip(str(error))


@pytest.fixture
def native(native_library, monkeypatch):
    """Native ops or an error, for the time of a test."""
    monkeypatch.setenv("TFFLOW_OPS", "native")


# For every test, as pytest forgets a name that pytest_generate_tests adds to a parametrized one.
@pytest.fixture(autouse=True)
def implementation(request, monkeypatch):
    if not hasattr(request, "param"):
        return
    if request.param == "native":
        request.getfixturevalue("native")
    monkeypatch.setenv("TFFLOW_OPS", request.param)


def pytest_generate_tests(metafunc):
    name = metafunc.function.__name__
    if metafunc.module.__name__.split(".")[-1] not in BOTH_WAYS:
        return
    if "correlation" in name or "warp" in name:
        metafunc.parametrize("implementation", ["reference", "native"], indirect=True)
