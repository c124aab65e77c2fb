"""What surrounds the code says the same everywhere: versions, Pythons, workflows, metadata."""

import configparser
import fnmatch
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import tomllib

import pytest
import yaml

import tfflow

ROOT = pathlib.Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
ADDRESS = "https://example.org/owner/name"


def release_of(root):
    """The module .ci/release.py for a checkout."""
    path = root / ".ci" / "release.py"
    spec = importlib.util.spec_from_file_location("release", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def config():
    """setup.cfg."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


@pytest.fixture
def checkout(tmp_path):
    """A copy of what a release reads and writes, with a date in its changelog."""
    names = ("README.md", "CHANGELOG.md", "CITATION.cff", "tfflow/__init__.py", ".ci/release.py")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    change(tmp_path / "CHANGELOG.md", rf"(## \[{tfflow.__version__}\] - ).+", r"\g<1>2026-12-01")
    return tmp_path


def change(path, pattern, replacement):
    text, count = re.subn(pattern, replacement, path.read_text(encoding="utf-8"))
    assert count == 1
    path.write_text(text, encoding="utf-8")


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def tracked_files(folder="."):
    """Names of the files that git tracks in a folder; skips the test outside of a clone."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", folder], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    if not listed:
        pytest.skip("not a clone: git lists no files")
    return listed.rstrip("\0").split("\0")


def test_no_merge_left_its_markers():
    marker = re.compile(rb"^(<{7}|={7}|>{7}|\|{7})( |\r?$)", re.MULTILINE)
    files = filter(pathlib.Path.is_file, map(ROOT.joinpath, tracked_files()))
    contents = {str(path.relative_to(ROOT)): path.read_bytes() for path in files}
    texts = {name: content for name, content in contents.items() if b"\0" not in content}
    assert len(texts) > 100
    assert not [name for name, text in texts.items() if marker.search(text)]


def test_there_is_one_version(config):
    release = release_of(ROOT)
    assert config["metadata"]["version"] == "attr: tfflow.__version__"
    assert release.package_version() == tfflow.__version__
    assert release.cited_version() == tfflow.__version__
    assert yaml.safe_load(read("CITATION.cff"))["version"] == tfflow.__version__


def test_the_changelog_has_a_section_for_the_version():
    release = release_of(ROOT)
    _, text = release.changelog_section(tfflow.__version__)
    assert "### Added" in text
    assert "## [" not in text
    with pytest.raises(ValueError, match="no section"):
        release.changelog_section("9.9.9")


def test_pythons_are_the_same_everywhere(config):
    oldest = config["options"]["python_requires"].removeprefix(">=")
    pythons = re.findall(r":: (3\.\d+)$", config["metadata"]["classifiers"], re.MULTILINE)
    assert pythons[0] == oldest
    jobs = yaml.safe_load(read(".github/workflows/tests.yml"))["jobs"]
    assert jobs["each"]["strategy"]["matrix"]["python"] == pythons
    assert f"Python {oldest} or newer" in read("README.md")
    assert f"tfflow needs Python {oldest} or newer" in read("Makefile")
    assert f">= ({oldest.replace('.', ', ')})" in read("Makefile")
    ruff = tomllib.loads(read("pyproject.toml"))["tool"]["ruff"]
    assert ruff["target-version"] == "py" + oldest.replace(".", "")


def test_the_readme_names_the_versions_that_are_installed(config):
    needed = dict(
        re.findall(r"^(keras|tensorflow)>=(.+)$", config["options"]["install_requires"], re.M)
    )
    tensorflow, keras = needed["tensorflow"], needed["keras"]
    assert f"TensorFlow {tensorflow} or newer, and Keras {keras} or newer" in read("README.md")


def test_files_beside_the_modules_are_installed(config):
    patterns = [
        f"{package.replace('.', '/')}/{pattern.strip()}"
        for package, value in config["options.package_data"].items()
        for pattern in value.split("#")[0].replace("\n", ",").split(",")
        if pattern.strip()
    ]
    files = [name for name in tracked_files("tfflow") if not name.endswith(".py")]
    assert not [name for name in files if not any(fnmatch.fnmatch(name, p) for p in patterns)]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_run_what_exists(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"], "without them a workflow may do all"
    targets = re.findall(r"^([\w-]+):", read("Makefile"), re.MULTILINE)
    steps = [step for job in workflow["jobs"].values() for step in job.get("steps", ())]
    for step in steps:
        for target in re.findall(r"\bmake ([\w-]+)", step.get("run", "")):
            assert target in targets
        for script in re.findall(r"(?<![\w/])(?:\.ci|web_demo|train)/\S+", step.get("run", "")):
            assert (ROOT / script).is_file(), script
            assert script.endswith(".py") or os.access(ROOT / script, os.X_OK), script
    used = [item["uses"] for item in (*steps, *workflow["jobs"].values()) if "uses" in item]
    for action in used:
        if action.startswith("./"):
            assert (ROOT / action).is_file()
        else:
            assert re.search(r"@(v\d+|release/v\d+)$", action), f"{action}: pin its major version"


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_forms_of_issues_are_complete(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form["name"] and form["description"]
    asked = [item for item in form["body"] if item["type"] != "markdown"]
    assert len({item["id"] for item in asked}) == len(asked)
    assert all(item["attributes"]["label"] for item in asked)
    assert any(item.get("validations", {}).get("required") for item in asked)


def test_a_release_leads_from_pypi_to_the_repository(checkout):
    tag = f"v{tfflow.__version__}"
    release_of(checkout).main(tag, ADDRESS, checkout / "notes.md")
    readme = (checkout / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)]+)\)", readme)
    assert targets and all(target.startswith(("https://", "#")) for target in targets)
    assert f"]({ADDRESS}/blob/{tag}/docs/training.md)" in readme
    assert f"]({ADDRESS}/raw/{tag}/docs/flow.png)" in readme
    assert f"git clone {ADDRESS}" in readme
    assert "### Added" in (checkout / "notes.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name, pattern, replacement, message",
    [
        ("tfflow/__init__.py", r'(__version__ = )".+"', r'\1"7.0"', "__init__.py says 7.0"),
        ("CITATION.cff", r"(\nversion: ).+", r"\g<1>7.0", "CITATION.cff says 7.0"),
        ("CHANGELOG.md", "2026-12-01", "not released", "says 'not released'"),
        ("CHANGELOG.md", r"## \[.+\] - 2026-12-01", "## Old", "has no section"),
    ],
)
def test_no_release_is_made_of_what_disagrees(checkout, name, pattern, replacement, message):
    change(checkout / name, pattern, replacement)
    before = (checkout / "README.md").read_bytes()
    with pytest.raises(ValueError, match=re.escape(message)):
        release_of(checkout).main(f"v{tfflow.__version__}", ADDRESS, checkout / "notes.md")
    assert (checkout / "README.md").read_bytes() == before
