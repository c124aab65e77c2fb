"""The app: does it fit Android's public API, that of its oldest phones, and its own resources?

The true android.jar is not to be had here. The app's Java is compiled against stubs, and these are
checked, member by member, against the public API as npm's @nativescript/types-android lists it.
LiteRT's own are checked against litert_api.txt, which check_litert_api.py makes of its sources.
"""

import json
import os
import pathlib
import re
import shutil
from xml.etree import ElementTree

import class_file
import litert_api
import numpy as np
import public_api
import pytest
from java_tools import (
    ANDROID,
    APP,
    DEMO,
    INSTALL,
    JSON,
    MIN_SDK,
    PACKAGE,
    STUBS,
    compile_java,
    compile_simulated,
    junit,
    link_resources,
    litert_library,
    missing_aapt2,
    run,
)
from java_tools import LITERT as LITERT_VERSION
from PIL import Image

PLATFORM = ("android.", "java.", "javax.", "org.json.")
LITERT = "com.google.ai.edge.litert."
# Lambdas are rewritten for any Android when the app is built.
REWRITTEN = "java.lang.invoke."
# Not in the list, which has `any` in its place; since API 24, says its documentation.
FUNCTIONS, FUNCTIONS_SINCE = "java.util.function.", 24
# The list has none of Uri's interfaces; its documentation has this one, since API 1.
UNLISTED = {("android.net.Uri", "android.os.Parcelable")}


def wrong_stubs(api, stubs):
    """What our stubs declare and Android's public API does not."""
    wrong = []
    for stub in class_file.read_all(stubs):
        if not stub.name.startswith(PLATFORM):
            continue
        known = api.get(stub.name.replace("$", "."))
        if known is None:
            wrong.append(f"there is no class {stub.name}")
            continue
        parents = {parent.replace("$", ".") for parent in (stub.parent, *stub.interfaces)}
        # Enums are but objects there.
        lost = parents - public_api.ancestors(api, stub.name) - {"java.lang.Enum"}
        lost = {parent for parent in lost if (stub.name, parent) not in UNLISTED}
        if lost:
            wrong.append(f"{stub.name} is no {', '.join(lost)}")
        enum = stub.parent == "java.lang.Enum"
        for member in stub.declared:
            # What javac adds by itself; who calls it is looked at in test_minimum_sdk.
            if (member.name, member.descriptor) == ("<init>", "()V") or (
                enum and member.name in ("<init>", "values", "valueOf")
            ):
                continue
            found = public_api.find(api, member)
            value = json.dumps(member.constant)
            if not found:
                wrong.append(f"there is no {text(member)}")
            elif member.name != "<init>" and member.static not in {one.static for one in found}:
                wrong.append(f"{text(member)} is static here or there, not in both")
            elif member.constant is not None and value not in {one.result for one in found}:
                wrong.append(f"{text(member)} is {found[0].result}, not {value}")
    return wrong


def too_new(api, folder, oldest=MIN_SDK):
    """What class files use that a phone of API ``oldest`` does not have, or none has."""
    found = []
    for file in class_file.read_all(folder):
        if file.name.startswith((*PLATFORM, LITERT)):
            continue  # a stub
        for name in sorted(file.types):
            kind = api.get(name.replace("$", "."))
            if kind and kind.since > oldest and not name.startswith(REWRITTEN):
                found.append(f"{file.name} uses {name}, which is of API {kind.since}")
        for member in file.used:
            if not member.owner.startswith(PLATFORM) or member.owner.startswith(REWRITTEN):
                continue
            if member.owner.startswith(FUNCTIONS) and oldest >= FUNCTIONS_SINCE:
                continue
            versions = public_api.find(api, member)
            if not versions:
                found.append(f"{file.name} uses {text(member)}, which no Android has")
            elif (since := min(version.since for version in versions)) > oldest:
                found.append(f"{file.name} uses {text(member)}, which is of API {since}")
    return found


def text(member):
    return f"{member.owner}.{member.name} {member.descriptor}"


def test_app_compiles(app):
    manifest = ElementTree.parse(APP / "AndroidManifest.xml")
    names = [one.get(f"{{{ANDROID}}}name") for one in manifest.iter("activity")]
    assert len(names) == 2
    for name in names:
        assert (app / f"org/tfflow/demo/{name.lstrip('.')}.class").is_file()


def test_stubs_are_androids(api, app):
    assert wrong_stubs(api, app) == []


def test_stubs_are_litert(app):
    """The same members, with nullability, generics and exceptions, as LiteRT's own sources give."""
    wanted = [litert_api.without_defaults(line) for line in known_to_java()]
    assert litert_api.lines(app) == wanted


def known_to_java():
    return [line for line in litert_api.read()[1] if litert_api.of_java(line)]


def test_app_calls_nothing_else_of_litert(app):
    known = {line.split(" static")[0].split(" nulls=")[0] for line in known_to_java()}
    assert not strangers(app, {" ".join(line.split(" ")[:2]) for line in known})


def strangers(folder, known):
    """What the app uses of LiteRT's classes and the list does not have."""
    owners = {}
    for line in known_to_java():
        if match := re.match(r"(\S+) is (?:interface )?(\S+)", line):
            owners[match[1]] = match[2]
    found = set()
    for file in class_file.read_all(folder):
        if file.name.startswith((*PLATFORM, LITERT)):
            continue
        for member in file.used:
            names, owner = [], member.owner
            while owner.startswith(LITERT):
                names.append(f"{owner}.{member.name} {member.descriptor}")
                owner = owners.get(owner, "")
            inherited = owner in ("java.lang.Enum", "java.lang.Object") and member.name in (
                "name",
                "ordinal",
                "equals",
                "hashCode",
                "toString",
                "getClass",
                "getMessage",
            )
            if names and not inherited and not known & set(names):
                found.add(names[0])
    return found


def test_the_list_is_of_the_version_that_gradle_names():
    head, _ = litert_api.read()
    catalog = (DEMO / "gradle/libs.versions.toml").read_text()
    assert f'\nlitert = "{head["version"]}"' in catalog
    for name in ("litert", "litert-gpu"):  # both of one version: they are of one build
        assert re.search(rf'^{name} = .*name = "{name}", version.ref = "litert"', catalog, re.M)


def test_a_wrong_litert_stub_is_caught(tmp_path):
    """Planted: what the app was once written against."""
    stubs = tmp_path / "stubs"
    shutil.copytree(STUBS, stubs)
    file = stubs / "com/google/ai/edge/litert/CompiledModel.java"
    content = file.read_text()
    planted = {
        "getInputTensorType(@NotNull String a0, @NotNull String a1)": (
            "getInputTensorType(@NotNull String a0, @Nullable String a1)"
        ),
        "create(@NotNull AssetManager": "load(@NotNull AssetManager",
    }
    content = content.replace("android.content.res.AssetManager a0", "AssetManager a0").replace(
        "package com.google.ai.edge.litert;",
        "package com.google.ai.edge.litert; import android.content.res.AssetManager;",
    )
    for right, wrong in planted.items():
        assert right in content, right
        content = content.replace(right, wrong, 1)
    file.write_text(content)
    compile_java([stubs], tmp_path / "classes", "8")
    wanted = {litert_api.without_defaults(line) for line in known_to_java()}
    got = set(litert_api.lines(tmp_path / "classes"))
    assert {line.split(" ")[0].rpartition(".")[2] for line in wanted - got} == {
        "getInputTensorType",
        "create",
    }
    assert {line.split(" ")[0].rpartition(".")[2] for line in got - wanted} == {
        "getInputTensorType",
        "load",
    }


def test_fakes_are_litert(classes, resources, tmp_path):
    """They have nothing that the real ones lack, and what they have is the same."""
    if not JSON.is_file():
        pytest.skip(f"no {JSON.name}; {INSTALL}")
    compile_simulated(tmp_path, classes, resources)
    known = {litert_api.without_defaults(line) for line in known_to_java()}
    assert set(litert_api.lines(tmp_path / "classes")) <= known


def test_minimum_sdk(api, app, classes):
    for folder in (classes / "flowcore", app):
        assert too_new(api, folder) == []


def test_a_wrong_stub_is_caught(api, tmp_path):
    stubs = tmp_path / "stubs"
    shutil.copytree(STUBS / "android", stubs / "android")
    planted = {
        "view/View.java": ("setEnabled(boolean enabled)", "setEnabled(String enabled)"),
        "media/MediaCodec.java": ("END_OF_STREAM = 4", "END_OF_STREAM = 5"),
        "net/Uri.java": ("static Uri parse", "Uri parse"),
        "graphics/RectF.java": ("void set(", "void setAll("),
        "os/Looper.java": ("class Looper {}", "class Looper extends Handler {}"),
    }
    for name, (right, wrong) in planted.items():
        file = stubs / "android" / name
        content = file.read_text()
        assert content.count(right) == 1, name
        file.write_text(content.replace(right, wrong))
    handler = stubs / "android/os/Handler.java"  # so that the false Looper compiles
    handler.write_text(handler.read_text().replace("looper) {}", "looper) {} Handler() {}"))
    compile_java([stubs], tmp_path / "classes", "8")
    assert sorted(wrong_stubs(api, tmp_path / "classes")) == [
        "android.media.MediaCodec.BUFFER_FLAG_END_OF_STREAM I is 4, not 5",
        "android.net.Uri.parse (Ljava/lang/String;)Landroid/net/Uri; is static here or there, "
        "not in both",
        "android.os.Looper is no android.os.Handler",
        "there is no android.graphics.RectF.setAll (FFFF)V",
        "there is no android.view.View.setEnabled (Ljava/lang/String;)V",
    ]


def test_a_newer_call_is_caught(api, tmp_path):
    """Planted: what compiles for Java 8, and what compiles against an honest stub."""
    stub = tmp_path / "android/media/MediaExtractor.java"
    stub.parent.mkdir(parents=True)
    stub.write_text(
        "package android.media; public final class MediaExtractor {"
        "public long getSampleSize() { return 0; } public long getSampleTime() { return 0; } }"
    )
    planted = tmp_path / "Planted.java"
    planted.write_text(
        """
        class Planted {
            Object now() { return java.time.Instant.now(); }
            String join(Iterable<String> lines) { return String.join("", lines); }
            java.nio.Buffer old(java.nio.ByteBuffer bytes) { return bytes.flip(); }
            long size(android.media.MediaExtractor file) {
                return file.getSampleSize() + file.getSampleTime();
            }
        }
        """
    )
    compile_java([stub.parent, planted], tmp_path / "classes", "8")
    found = "\n".join(too_new(api, tmp_path / "classes"))
    for caught in (
        r"uses java\.time\.Instant, which is of API 26",
        r"Instant\.now \S+, which is of API 26",
        r"String\.join \S+, which is of API 26",
        r"MediaExtractor\.getSampleSize \(\)J, which is of API 28",
    ):
        assert re.search(caught, found), found
    assert found.count("\n") == 3, found
    assert too_new(api, tmp_path / "classes", oldest=28) == []


def test_on_a_simulated_phone(classes, resources, exported, tmp_path):
    """The app's own classes run: see fakes/README.md."""
    library = litert_library()
    if not library:
        pytest.skip(f"no libLiteRt.so {LITERT_VERSION}x: pip install ai-edge-litert")
    if not JSON.is_file():
        pytest.skip(f"no {JSON.name}; {INSTALL}")
    compile_simulated(tmp_path, classes, resources)
    # To look at the screens: TFFLOW_SCREENS=folder pytest tests/android
    screens = pathlib.Path(os.environ.get("TFFLOW_SCREENS", tmp_path / "screens"))
    screens.mkdir(parents=True, exist_ok=True)
    properties = {
        "tfflow.library": library,
        "tfflow.assets": APP / "assets",
        "tfflow.resources": APP / "res",
        "tfflow.exported": exported,
        "tfflow.screens": screens,
    }
    parts = [classes / "flowcore", classes / "desktop"]
    assert junit(tmp_path / "classes", parts, properties)["successful"] >= 33
    pictures = [np.asarray(Image.open(path)) for path in sorted(screens.glob("*.png"))]
    assert [picture.shape for picture in pictures] == 3 * [(1184, 720, 3)]
    assert all(picture.std() > 20 for picture in pictures)  # something is on them


def test_resources_and_manifest(resources):
    badging = run(["aapt2", "dump", "badging", resources / "app.apk"])
    assert f"package: name='{PACKAGE}'" in badging
    assert f"sdkVersion:'{MIN_SDK}'" in badging
    assert f"launchable-activity: name='{PACKAGE}.MainActivity'" in badging
    assert "uses-permission: name='android.permission.CAMERA'" in badging
    assert "uses-feature-not-required: name='android.hardware.camera.any'" in badging
    assert re.search(r"application: label='tfflow' icon='res/mipmap\S+'", badging)


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("AndroidManifest.xml", "@style/AppTheme.Pictures", "@style/AppTheme.Picture"),
        ("res/layout/main.xml", "android:keepScreenOn", "android:keepScreenOff"),
    ],
)
def test_wrong_resources_are_caught(tmp_path, name, right, wrong):
    if reason := missing_aapt2():
        pytest.skip(reason)
    copy = tmp_path / "app"
    shutil.copytree(APP / "res", copy / "res")
    shutil.copy(APP / "AndroidManifest.xml", copy)
    content = (copy / name).read_text()
    assert right in content
    (copy / name).write_text(content.replace(right, wrong, 1))
    with pytest.raises(AssertionError, match=re.escape(wrong.rpartition("/")[2])):
        link_resources(copy, tmp_path)


def test_gradle_says_what_was_checked():
    gradle = (DEMO / "app/build.gradle.kts").read_text()
    for module in ("app", "flowlitert"):
        text = (DEMO / module / "build.gradle.kts").read_text()
        assert re.search(rf"minSdk = {MIN_SDK}\b", text)
        assert "compileSdk = 36" in text
    assert '"x86_64"' in gradle  # emulators
    library = (DEMO / "flowlitert/build.gradle.kts").read_text()
    assert "libs.litert)" in library and "libs.litert.gpu)" in library
    rules = (DEMO / "flowlitert/consumer-rules.pro").read_text()
    assert "consumerProguardFiles" in library
    # What LiteRT's C++ makes by name stays, and there are classes of these names.
    kept = re.findall(r"^-keep class (\S+?)(?:\$\*)? ", rules, re.M)
    known = {line.split(" ")[0] for line in litert_api.read()[1]}
    assert len(kept) == 4 and set(kept) <= known
    assert f'namespace = "{PACKAGE}"' in gradle
    catalog = (DEMO / "gradle/libs.versions.toml").read_text()
    aliases = {
        match.replace("-", ".") for match in re.findall(r"^([\w-]+) = \{", catalog, re.MULTILINE)
    }
    used = set()
    for file in (DEMO / "build.gradle.kts", *DEMO.glob("*/build.gradle.kts")):
        text = re.sub("//.*", "", file.read_text())
        used |= set(re.findall(r"\blibs\.(?:plugins\.)?([\w.]+)", text))
    assert used == aliases
