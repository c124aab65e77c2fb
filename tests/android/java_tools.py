"""Compiles and runs the demo's Java with Debian's tools, and says which of them are missing."""

import importlib.metadata
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
from xml.etree import ElementTree

DEMO = pathlib.Path(__file__).parents[2] / "android_demo"
APP = DEMO / "app" / "src" / "main"
LIBRARY = DEMO / "flowlitert" / "src" / "main" / "java"
STUBS = pathlib.Path(__file__).parent / "stubs"
ANNOTATIONS = STUBS / "jspecify"  # of what may be null
FAKES = pathlib.Path(__file__).parent / "fakes"
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
JSON = JARS / "com.android.json.jar"  # Android's own org.json
FRAMEWORK_RESOURCES = pathlib.Path("/usr/share/android-framework-res/framework-res.apk")
# The JVMs are small and short: no time for the second compiler, nor for many threads.
JAVA = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xmx512m")
STRICT = ("-Xlint:all,-options", "-Werror")
TIMEOUT = 600  # s; machines that do much else are slow
LITERT = "2.3."
INSTALL = "install: android_demo/install_java.sh"
ANDROID = "http://schemas.android.com/apk/res/android"
PACKAGE = "org.tfflow.demo"
MIN_SDK = 24
# Debian's aapt2 and framework resources are of API 29; the app's Gradle file says 36.
RESOURCES_SDK = 29


def missing():
    """Why the Java can't be tested here; empty if it can."""
    absent = [tool for tool in ("javac", "java") if not shutil.which(tool)]
    absent += [jar for jar in (*JUNIT, "jna") if not (JARS / f"{jar}.jar").is_file()]
    return f"no {', '.join(absent)}; {INSTALL}" if absent else ""


def missing_aapt2():
    """Why the resources can't be linked here; empty if they can."""
    absent = [] if shutil.which("aapt2") else ["aapt2"]
    absent += [] if FRAMEWORK_RESOURCES.is_file() else [FRAMEWORK_RESOURCES.name]
    return f"no {', '.join(absent)}; {INSTALL}" if absent else ""


def compile_jvm(folder):
    """All that runs on this machine's JVM: flowcore, desktop, the list of networks, the tests."""
    jna, flowcore, desktop = JARS / "jna.jar", folder / "flowcore", folder / "desktop"
    compile_flowcore(flowcore)
    compile_java([DEMO / "desktop/src/main/java"], desktop, "11", STRICT, [flowcore, jna])
    tests = [DEMO / f"{module}/src/test/java" for module in ("flowcore", "desktop")]
    if JSON.is_file():
        tests += [DEMO / "flowlitert/src/test/java", LIBRARY / "org/tfflow/litert/ModelList.java"]
    compile_java(tests, folder / "tests", "11", (), [flowcore, desktop, jna, JSON, *junit_jars()])
    golden = DEMO / "flowcore" / "src" / "test" / "resources"
    shutil.copytree(golden, folder / "tests", dirs_exist_ok=True)


def compile_flowcore(folder):
    """flowcore, and beside its classes those of the annotations, which no JVM needs."""
    compile_java([ANNOTATIONS], folder, "8")
    compile_java([DEMO / "flowcore/src/main/java"], folder, "8", STRICT, [folder])


def compile_app(folder, classes, resources):
    """The app's Java, and flowlitert's, against our stubs of Android's and LiteRT's classes."""
    compile_shipped(folder, [STUBS], resources, [classes / "flowcore"])


def compile_shipped(folder, stubs, resources, class_path):
    """All Java that goes into the app but flowcore's, which is on the class path."""
    stubs = [part for stub in stubs for part in sorted(stub.iterdir()) if part != ANNOTATIONS]
    sources = [*stubs, LIBRARY, APP / "java", resources / "gen"]
    compile_java(sources, folder, "8", STRICT, class_path)


def compile_simulated(folder, classes, resources):
    """The app and its tests, on fakes that run where there are such, else on stubs."""
    shutil.copytree(STUBS, folder / "src", ignore=shutil.ignore_patterns("json", "jspecify"))
    shutil.copytree(FAKES, folder / "src", dirs_exist_ok=True)
    sources = [folder / "src", LIBRARY, APP / "java", resources / "gen"]
    jars = [JARS / "jna.jar", JSON, *junit_jars()]
    class_path = [classes / "flowcore", classes / "desktop", *jars]
    compile_java(sources, folder / "classes", "11", (), class_path)


def junit(folder, class_path, properties, only=None):
    """Runs a folder's tests, or one class of them; counts those successful, failed, and so on."""
    output = java(
        [folder, *class_path, JARS / "jna.jar", JSON, *junit_jars()],
        *[f"-D{name}={value}" for name, value in properties.items() if value],
        "org.junit.platform.console.ConsoleLauncher",
        f"--select-class={only}" if only else f"--scan-classpath={folder}",
        "--disable-banner",
        "--disable-ansi-colors",
    )
    counts = re.findall(r"\[ *(\d+) tests (\w+) *\]", output)
    counts = {name: int(number) for number, name in counts}
    assert counts["failed"] == 0, output
    assert counts["skipped"] == 0, output
    return counts


def compile_java(sources, output, release, options=(), class_path=()):
    """Java files and folders of such to class files in ``output``."""
    files = [
        file
        for source in map(pathlib.Path, sources)
        for file in (sorted(source.rglob("*.java")) if source.is_dir() else [source])
    ]
    assert files, f"no Java in {sources}"
    # -proc:none: the JARs on the class path are no annotation processors.
    command = ["javac", *[f"-J{flag}" for flag in JAVA], "--release", release, "-proc:none"]
    command += ["-d", output, *options]
    command += ["-cp", os.pathsep.join(map(str, class_path))] if class_path else []
    run([*command, *files])


def link_resources(app, folder):
    """Compiles and links an app's manifest and resources, as Gradle does with a newer aapt2."""
    run(["aapt2", "compile", "--dir", app / "res", "-o", folder / "res.zip"])
    ElementTree.register_namespace("android", ANDROID)
    manifest = ElementTree.parse(app / "AndroidManifest.xml")
    manifest.getroot().set("package", PACKAGE)  # Gradle's namespace
    application = manifest.find("application")
    for element in application.findall("uses-native-library"):
        application.remove(element)  # of API 31: this aapt2 does not know it
    manifest.write(folder / "AndroidManifest.xml", encoding="utf-8", xml_declaration=True)
    command = ["aapt2", "link", "-I", FRAMEWORK_RESOURCES]
    command += ["--manifest", folder / "AndroidManifest.xml"]
    command += ["--min-sdk-version", MIN_SDK, "--target-sdk-version", RESOURCES_SDK]
    command += ["--java", folder / "gen", "-o", folder / "app.apk", folder / "res.zip"]
    run(command)


def junit_jars():
    jars = [JARS / f"{name}.jar" for name in (*JUNIT, *JUNIT_REPORTING)]
    return [jar for jar in jars if jar.is_file()]


def java(class_path, *arguments):
    # Where Debian keeps JNA's native part; elsewhere JNA unpacks its own.
    native = [path.parent for path in pathlib.Path("/usr/lib").glob("*/jni/libjnidispatch*.so")]
    flags = [f"-D{name}={native[0]}" for name in ("jna.boot.library.path",) if native]
    command = ["java", *JAVA, *flags, "-cp", os.pathsep.join(map(str, class_path)), *arguments]
    return run(command)


def run(command):
    result = subprocess.run(
        list(map(str, command)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
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
