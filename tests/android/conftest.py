"""What the tests of android_demo/ share: its Java, compiled once."""

import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import java_tools
import public_api

from tfflow import cli
from tfflow.detection import add_detector_to_assets


@pytest.fixture(scope="session")
def classes(tmp_path_factory):
    """Folder with the compiled flowcore and desktop, and their tests."""
    if reason := java_tools.missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("java")
    java_tools.compile_jvm(folder)
    return folder


@pytest.fixture(scope="session")
def resources(tmp_path_factory):
    """Folder with what aapt2 makes of the app's resources: R.java under gen, and app.apk."""
    if reason := java_tools.missing_aapt2():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("resources")
    java_tools.link_resources(java_tools.APP, folder)
    return folder


@pytest.fixture(scope="session")
def app(classes, resources, tmp_path_factory):
    """Folder with the app's classes and those of our stubs."""
    folder = tmp_path_factory.mktemp("app")
    java_tools.compile_app(folder, classes, resources)
    return folder


@pytest.fixture(scope="session")
def api():
    """Android's public API."""
    if not public_api.FILE.is_file():
        pytest.skip(f"no {public_api.FILE.name}; install: android_demo/install_java.sh")
    return public_api.read(public_api.FILE)


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """A folder of assets to which tfflow has added a network and a small detector.

    The network, `own`, gives its confidence and does not stream.
    """
    folder = tmp_path_factory.mktemp("exported")
    for file in ("models.json", "golden_truth.bin", "golden_image1.png", "golden_image2.png"):
        shutil.copy(java_tools.APP / "assets" / file, folder)
    command = ["export", "rillflow", "--size", "128x192", "--quantize", "float32"]
    command += ["--confidence", "--threads", "1", "-o", str(folder / "own.tflite")]
    assert cli.main([*command, "--android-assets", str(folder)]) in (None, 0)
    detector = java_tools.DEMO / "desktop/src/test/resources/detector/detector_key.tflite"
    add_detector_to_assets(detector, folder, interval=3)
    return folder
