"""The app's Java, compiled and tested on this machine's JVM: all but what only a phone has.

Java, JUnit 5 and JNA are Debian's packages; without them the tests are skipped.
"""

import importlib.metadata
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from tfflow.data import read_flow
from tfflow.tflite import FlowInterpreter
from tfflow.visualization import flow_to_image

DEMO = pathlib.Path(__file__).parents[2] / "android_demo"
ASSETS = DEMO / "app" / "src" / "main" / "assets"
MODELS = json.loads((ASSETS / "models.json").read_text())["models"]
JARS = pathlib.Path("/usr/share/java")
JUNIT = (
    "junit-jupiter-api",
    "junit-jupiter-engine",
    "junit-jupiter-params",
    "junit-platform-commons",
    "junit-platform-engine",
    "junit-platform-launcher",
    "junit-platform-console",
    "junit-platform-reporting",
    "opentest4j",
    "apiguardian-api",
    "picocli",
    "univocity-parsers",
)
# Of later versions of JUnit alone.
JUNIT_REPORTING = ("opentest4j-reporting-events", "opentest4j-reporting-schema")
# The JVMs are small and short: no time for the second compiler, nor for many threads.
JAVA = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xmx512m")
STRICT = ("-Xlint:all,-options", "-Werror")
LITERT = "2.3."
FEWEST_TESTS = 50  # fewer: something was not found


def missing():
    """Why the Java can't be tested here; empty if it can."""
    absent = [tool for tool in ("javac", "java") if not shutil.which(tool)]
    absent += [jar for jar in (*JUNIT, "jna") if not (JARS / f"{jar}.jar").is_file()]
    return f"no {', '.join(absent)}; install: android_demo/install_java.sh" if absent else ""


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    """Folder with the compiled flowcore and desktop, and their tests."""
    if reason := missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("java")
    jna, flowcore, desktop = JARS / "jna.jar", folder / "flowcore", folder / "desktop"
    compile_java(["flowcore/src/main/java"], flowcore, "8", STRICT)
    compile_java(["desktop/src/main/java"], desktop, "11", STRICT, [flowcore, jna])
    tests = ["flowcore/src/test/java", "desktop/src/test/java"]
    compile_java(tests, folder / "tests", "11", (), [flowcore, desktop, jna, *junit_jars()])
    resources = DEMO / "flowcore" / "src" / "test" / "resources"
    shutil.copytree(resources, folder / "tests", dirs_exist_ok=True)
    return folder


def compile_java(folders, output, release, options, class_path=()):
    sources = [file for folder in folders for file in sorted((DEMO / folder).rglob("*.java"))]
    assert sources, f"no Java in {folders}"
    # -proc:none: the JARs on the class path are no annotation processors.
    command = ["javac", *[f"-J{flag}" for flag in JAVA], "--release", release, "-proc:none"]
    command += ["-d", output, *options]
    command += ["-cp", os.pathsep.join(map(str, class_path))] if class_path else []
    run([*command, *sources])


def junit_jars():
    jars = [JARS / f"{name}.jar" for name in (*JUNIT, *JUNIT_REPORTING)]
    return [jar for jar in jars if jar.is_file()]


def java(class_path, *arguments):
    # Where Debian keeps JNA's native part; elsewhere JNA unpacks its own.
    native = [path.parent for path in pathlib.Path("/usr/lib").glob("*/jni/libjnidispatch*.so")]
    flags = [f"-D{name}={native[0]}" for name in ("jna.boot.library.path",) if native]
    return run(["java", *JAVA, *flags, "-cp", os.pathsep.join(map(str, class_path)), *arguments])


def run(command):
    result = subprocess.run(
        list(map(str, command)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, f"{command[0]} failed:\n{result.stdout}\n{result.stderr}"
    return result.stdout


def litert_library():
    """ai-edge-litert's C library, of the version that the Java side is written for.

    The C API is young: another version's functions may take other arguments, and end the JVM.
    """
    package = importlib.util.find_spec("ai_edge_litert")
    if package and not importlib.metadata.version("ai-edge-litert").startswith(LITERT):
        return None
    library = package and pathlib.Path(package.origin).parent / "libLiteRt.so"
    return library if library and library.is_file() else None


def test_junit(classes):
    library, model = litert_library(), MODELS[0]
    properties = {
        "tfflow.library": library,
        "tfflow.assets": ASSETS,
        "tfflow.model": model["file"],
        "tfflow.golden": model["golden_flow"],
        "tfflow.step": model["golden_step"],
    }
    parts = [classes / name for name in ("tests", "flowcore", "desktop")]
    output = java(
        [*parts, JARS / "jna.jar", *junit_jars()],
        *[f"-D{name}={value}" for name, value in properties.items() if value],
        "org.junit.platform.console.ConsoleLauncher",
        f"--scan-classpath={classes / 'tests'}",
        "--disable-banner",
        "--disable-ansi-colors",
    )
    counts = {
        name: int(number) for number, name in re.findall(r"\[ *(\d+) tests (\w+) *\]", output)
    }
    assert counts["failed"] == 0, output
    assert counts["successful"] >= FEWEST_TESTS, output
    assert counts["aborted"] == 0 or not library, output
    assert counts["skipped"] == 0, output


def test_app_compiles(classes, tmp_path):
    """The phone's own classes fit flowcore, and (as far as our stubs are true) Android and LiteRT.

    The true android.jar is not in Debian; the stubs have the few names that the app uses, written
    from the documentation.
    """
    strings = (DEMO / "app/src/main/res/values/strings.xml").read_text()
    fields = "".join(
        f"public static int {name};" for name in re.findall(r'string name="(\w+)"', strings)
    )
    resources = tmp_path / "R.java"
    resources.write_text(
        f"package org.tfflow.demo; class R {{ static class string {{ {fields} }} }}"
    )
    app = tmp_path / "app"
    sources = ["app/src/main/java", pathlib.Path(__file__).parent / "stubs"]
    compile_java(sources, app, "8", (*STRICT, resources), [classes / "flowcore"])
    manifest = ElementTree.parse(DEMO / "app/src/main/AndroidManifest.xml")
    name = manifest.find("application/activity").get(
        "{http://schemas.android.com/apk/res/android}name"
    )
    assert (app / f"org/tfflow/demo/{name.lstrip('.')}.class").is_file()


def test_command_paints_what_python_paints(classes, tmp_path):
    """Frames of another size than the network's, through the phone's pipeline and through ours."""
    library = litert_library()
    if not library:
        pytest.skip(f"no libLiteRt.so {LITERT}x: pip install ai-edge-litert")
    frames, model, max_flow = tmp_path / "frames", ASSETS / MODELS[0]["file"], 12
    frames.mkdir()
    images = [np.asarray(Image.open(ASSETS / f"golden_image{i}.png")) for i in (1, 2)]
    images = [image[20:260:2, 40:400:2] for image in (*images, images[0])]
    for number, image in enumerate(images):
        Image.fromarray(image).save(frames / f"frame{number}.png")
    arguments = ["--library", library, "--model", model, "--frames", frames]
    arguments += ["--output", tmp_path / "out", "--max-flow", max_flow, "--flow", "yes"]
    output = java(
        [classes / "flowcore", classes / "desktop", JARS / "jna.jar"],
        "org.tfflow.desktop.FlowCommand",
        *arguments,
    )
    assert re.search(r"run +p50 +\d", output)
    interpreter = FlowInterpreter(model, threads=1)
    for number in (1, 2):
        flow = interpreter.predict_flow(images[number - 1], images[number])
        got, valid = read_flow(tmp_path / "out" / f"frame{number}.flo")
        assert valid.all()
        np.testing.assert_array_equal(got, flow)  # bit for bit
        overlay = np.asarray(Image.open(tmp_path / "out" / f"frame{number}.png"))
        assert overlay.shape == (120, 180, 4) and (overlay[..., 3] == 255).all()
        painted = flow_to_image(flow, max_flow=max_flow)
        np.testing.assert_array_equal(overlay[..., :3], painted)


def test_command_refuses_what_it_cannot_do(classes, tmp_path):
    parts = [classes / "flowcore", classes / "desktop", JARS / "jna.jar"]
    command = ["java", *JAVA, "-cp", os.pathsep.join(map(str, parts))]
    command += ["org.tfflow.desktop.FlowCommand", "--library", "x", "--model", "x"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith("--frames is missing")


def test_golden_files_are_tfflows():
    spec = importlib.util.spec_from_file_location("make_golden", DEMO / "make_golden.py")
    make_golden = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_golden)
    for name, wanted in make_golden.golden_arrays().items():
        kept = np.fromfile(make_golden.FOLDER / f"{name}.bin", wanted.dtype).reshape(wanted.shape)
        # Another machine's sine may differ in the last bit, and with it a colour by one level.
        atol = 1e-5 if wanted.dtype.kind == "f" else 1
        np.testing.assert_allclose(
            kept.astype(float), wanted.astype(float), atol=atol, err_msg=f"{name}: make_golden.py"
        )
