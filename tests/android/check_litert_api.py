"""Compiles LiteRT's own Kotlin sources, lists their members, and compiles the app against them.

    git clone https://github.com/google-ai-edge/LiteRT
    npm install --prefix kotlin kotlin-compiler@2.2.21
    python tests/android/check_litert_api.py LiteRT \
        --kotlin kotlin/node_modules/kotlin-compiler --version 2.3.0 --commit COMMIT

writes litert_api.txt; with --check it says whether the list is what it would write. The checkout
must be at COMMIT. Then the app's Java, and that of flowlitert, is compiled against the classes that
Kotlin made, and so are the lines of docs/in_your_app.md and the Kotlin that tfflow export prints.
ModelProvider.kt is left out: it needs other libraries, and nothing here uses it. Needs a JDK.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import java_tools
import litert_api

from tfflow import tflite
from tfflow.weights import presets

SOURCES = "litert/kotlin/src/main/kotlin/com/google/ai/edge/litert"
PAGE = java_tools.DEMO.parent / "docs" / "in_your_app.md"
FILES = ("Common", "Environment", "LiteRtException", "Model", "TensorBuffer", "AcceleratorProvider")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkout", type=pathlib.Path, help="of LiteRT's repository")
    parser.add_argument("--kotlin", type=pathlib.Path, required=True, help="npm's kotlin-compiler")
    parser.add_argument("--version", required=True, help="LiteRT's, as build.gradle names it")
    parser.add_argument("--commit", required=True, help="that the checkout is at")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    arguments = parser.parse_args()
    if missing := java_tools.missing() or java_tools.missing_aapt2():
        sys.exit(f"check_litert_api: {missing}")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        kotlin = compile_kotlin(arguments.checkout / SOURCES, arguments.kotlin, folder)
        compiler = (arguments.kotlin / "build.txt").read_text().strip()
        content = text(litert_api.lines(kotlin), arguments, compiler)
        if not arguments.check:
            litert_api.FILE.write_text(content)
        elif litert_api.FILE.read_text() != content:
            sys.exit(f"{litert_api.FILE.name} is not what these sources give: run without --check")
        print(f"{litert_api.FILE.name}: {len(litert_api.lines(kotlin))} lines")
        compile_app(kotlin, arguments.kotlin, folder)
        print(f"the app's Java compiles against LiteRT {arguments.version}'s own Kotlin")
        compile_page(arguments.kotlin, folder)
        print(f"the Kotlin and the Java of {PAGE.name} compile against the app's")
        compile_printed(kotlin, arguments.kotlin, folder)
        print("the Kotlin that tfflow export prints compiles against LiteRT's own")


def text(lines, arguments, compiler):
    head = [
        "# What LiteRT's Kotlin API is to Java; made by check_litert_api.py, which says how.",
        f"# version: {arguments.version}",
        f"# commit: {arguments.commit}",
        f"# sources: {SOURCES}: {', '.join(FILES)}",
        f"# compiler: {compiler}",
        "# nulls: for each parameter, and last the result: ! never null, ? may be null, - a number",
        "# defaults: Kotlin may leave arguments out; Java must give all of them",
        "",
    ]
    return "\n".join([*head, *lines, ""])


def compile_kotlin(sources, compiler, folder):
    """LiteRT's sources to a folder of class files."""
    stubs = folder / "stubs"
    java_tools.compile_java([java_tools.STUBS / "android"], stubs, "8")
    files = [sources / f"{name}.kt" for name in FILES]
    if absent := [str(file) for file in files if not file.is_file()]:
        sys.exit(f"check_litert_api: there is no {', '.join(absent)}: is it LiteRT's repository?")
    kotlinc(compiler, files, [stubs], folder / "kotlin", "-nowarn")
    return folder / "kotlin"


def kotlinc(compiler, files, class_path, output, *options):
    command = ["java", "-Xmx1g", "-cp", compiler / "lib" / "kotlin-compiler.jar"]
    command += ["org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-kotlin-home", compiler, *options]
    command += ["-module-name", "litert", "-jvm-target", "1.8", "-d", output]
    command += ["-cp", os.pathsep.join(map(str, class_path)), *files]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"check_litert_api: Kotlin's compiler says:\n{result.stdout}{result.stderr}")


def compile_app(kotlin, compiler, folder):
    """The Java that we ship against these classes and Android's stubs."""
    resources = folder / "resources"
    resources.mkdir()
    java_tools.link_resources(java_tools.APP, resources)
    android = folder / "android"
    shutil.copytree(
        java_tools.STUBS, android, ignore=lambda at, names: {"google", "jetbrains"} & {*names}
    )
    core = folder / "flowcore"
    java_tools.compile_flowcore(core)
    jars = [compiler / "lib" / name for name in ("kotlin-stdlib.jar", "annotations-13.0.jar")]
    java_tools.compile_shipped(folder / "app", [android], resources, [core, kotlin, *jars])


def compile_page(compiler, folder):
    """The page for other people's apps: its lines fit what it says they fit."""
    ours = [folder / "flowcore", folder / "app"]
    for language, end in (("kotlin", "kt"), ("java", "java")):
        blocks = re.findall(rf"```{language}\n(import .*?)```", PAGE.read_text(), re.DOTALL)
        assert len(blocks) == 1, f"expected one piece of {language} that begins with its imports"
        file = folder / f"Motion.{end}"
        file.write_text(blocks[0])
        if language == "kotlin":
            # What may be null, and what may not, is an error of Kotlin's compiler.
            kotlinc(compiler, [file], ours, folder / "page_kotlin", "-Werror")
        else:
            java_tools.compile_java([file], folder / "page_java", "8", java_tools.STRICT, ours)


def compile_printed(kotlin, compiler, folder):
    """The lines for an app without these modules."""
    text = tflite.usage(presets.preset_tflite("lightflow", "int8"))
    lines = re.search(r"^Kotlin.*:\n((?: +.*\n)+)", text, re.MULTILINE)[1]
    file = folder / "Printed.kt"
    file.write_text(
        "import com.google.ai.edge.litert.*\n"
        f"fun run(context: android.content.Context, image1: FloatArray): FloatArray {{\n{lines}"
        "    return flow\n}\n"
    )
    kotlinc(compiler, [file], [folder / "stubs", kotlin], folder / "printed", "-Werror")


if __name__ == "__main__":
    main()
