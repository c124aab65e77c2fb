"""The commands that the documentation shows: each is one that tfflow takes, and most are run."""

import ast
import functools
import importlib.util
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import types

import keras
import numpy as np
import pytest

import tfflow
from tfflow import cli
from tfflow.data import write_flow, write_image
from tfflow.visualization import write_video

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
PAGES += [ROOT / folder / "README.md" for folder in ("android_demo", "web_demo", "benchmarks")]


def commands(page):
    """The lines of a page's code blocks that begin with tfflow, without comments."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    lines = [line.strip() for line in lines]
    return [line for line in lines if line.startswith("tfflow ")]


COMMANDS = [(page, line) for page in PAGES for line in commands(page)]


def arguments(line):
    """A command's words; a variable of a loop in the shell becomes a name that exists."""
    line = line.split(" || ")[0].replace("$stage", "pre_M6S6")
    return shlex.split(line, comments=True)[1:]


@pytest.mark.parametrize(
    "line", [line for _, line in COMMANDS], ids=[page.name for page, _ in COMMANDS]
)
def test_every_command_is_one_that_tfflow_takes(line):
    parsed = cli._parse(arguments(line))
    if parsed.command == "train" and parsed.recipe and not parsed.imports:
        tfflow.recipes.get(parsed.recipe)
    model = getattr(parsed, "model", None)
    if (
        parsed.command in ("flow", "evaluate", "submit", "export")
        and not pathlib.Path(model).suffix
    ):
        assert model in [*tfflow.models.list(), *tfflow.weights.list_checkpoints()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name + "/" + page.name)
def test_python_takes_what_is_there(page):
    code = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    for node in (node for block in code for node in ast.walk(ast.parse(block))):
        words = ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("tfflow"):
            exec(words, {})
        if isinstance(node, ast.Attribute) and words.startswith("tfflow."):
            functools.reduce(getattr, words.split(".")[1:], tfflow)


# Names after nothing but "import tfflow": what another name brought in is forgotten.
RESOLVE = """
import functools, sys
for name in sys.argv[1:]:
    for module in [module for module in sys.modules if module.partition(".")[0] == "tfflow"]:
        del sys.modules[module]
    import tfflow
    try:
        functools.reduce(getattr, name.split(".")[1:], tfflow)
    except AttributeError:
        print(name)
"""


def test_names_with_dots_are_there_after_import_tfflow():
    pages = [ROOT / "README.md", *ROOT.glob("docs/*.md")]
    text = "\n".join(page.read_text() for page in pages)
    text = re.sub(r"^from tfflow.*", "", text, flags=re.MULTILINE)  # needs no attribute
    names = set(re.findall(r"(?<![\w/.-])tfflow(?:\.[a-zA-Z_]\w*)+", text))
    assert len(names) > 30
    command = [sys.executable, "-c", RESOLVE, *sorted(names)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, ""), result.stdout + result.stderr


def test_the_pages_have_commands():
    assert len(COMMANDS) > 30


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.fixture
def outside():
    """The extension of the site that fixes links to what lies outside of docs/."""
    path = ROOT / "docs" / "extensions" / "outside.py"
    spec = importlib.util.spec_from_file_location("outside", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("repository", [None, "https://example.org/repository/blob/main"])
def test_links_of_the_site_lead_out_of_docs(outside, repository):
    config = types.SimpleNamespace(repository=repository)
    app = types.SimpleNamespace(srcdir=ROOT / "docs", config=config)
    outside._find_included(app)

    def fixed(page, link):
        content = [f"[text]({link})"]
        if page.is_relative_to(app.srcdir):
            outside._rewrite_page(app, page.relative_to(app.srcdir), content)
        else:
            outside._rewrite_included(app, pathlib.Path("..", page.relative_to(ROOT)), "", content)
        return content[0][len("[text](") : -1]

    export, app_readme = ROOT / "docs" / "export.md", ROOT / "android_demo" / "README.md"
    assert fixed(export, "streaming.md#as-a-file") == "streaming.md#as-a-file"
    assert fixed(export, "../android_demo/README.md#the-app") == "android_demo.md#the-app"
    assert fixed(app_readme, "../web_demo/README.md") == "web_demo.md"
    assert fixed(app_readme, "../docs/in_your_app.md") == "in_your_app.md"
    assert fixed(app_readme, "screens/arrows.png") == "../android_demo/screens/arrows.png"
    assert fixed(export, "https://example.org") == "https://example.org"
    file = fixed(export, "../benchmarks/profiles.csv")
    assert file == f"{repository or '..'}/benchmarks/profiles.csv"


def title_of(page):
    """A page's first heading, also where the page includes another one."""
    text = page.read_text(encoding="utf-8")
    if included := re.match(r"```{include} (\S+)", text):
        return title_of(page.parent / included[1])
    return re.match(r"# (.+)", text)[1]


def test_a_page_has_one_name():
    """Its title: the site's sidebar and the README's list of guides have no others."""
    (*trees,) = re.findall(
        r"```{toctree}\n(.*?)```", (ROOT / "docs/index.md").read_text(), re.DOTALL
    )
    entries = [line for tree in trees for line in tree.splitlines() if line and line[0] != ":"]
    assert all(re.fullmatch(r"[\w/]+", entry) for entry in entries), "without a name of its own"
    titles = [title_of(ROOT / f"docs/{e}.md") for e in entries if e != "reference/index"]
    assert len(titles) == len(set(titles)) > 20
    guides = re.findall(
        r"^\| \[([^]]+)\]\(([^)#]+)\)", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert len(guides) > 10
    assert {page: name for name, page in guides} == {
        page: title_of(ROOT / page) for _, page in guides
    }


@pytest.mark.slow
def test_the_site_is_made_without_a_warning(tmp_path):
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    _, options = re.search(r"\$\(BIN\)/(python -m sphinx)(.*)$", makefile, re.MULTILINE).groups()
    options = options.replace("build/", f"{tmp_path}/").split()
    result = subprocess.run(
        [sys.executable, "-m", "sphinx", *options],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "site" / "from_mmflow.html").is_file()


# What the commands of the README and of docs/evaluation.md find in the folder they are run in.
# Data sets that nobody may hand on, and runs of hours, are left to tests of their own.
ELSEWHERE = ("/data", "tfflow train", "sintel-test", "checkpoint.pth", "--weights")
SMALLER = {"--size": "64x128", "--count": "2", "--threads": "1"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frames = np.random.default_rng(0).integers(0, 256, (3, 128, 192, 3), np.uint8)
    for name, frame in zip(("a.png", "b.png"), frames):
        write_image(name, frame)
    for name in ("pairs", "frames"):
        pathlib.Path(name).mkdir()
    for i, frame in enumerate(frames, start=1):
        write_image(f"frames/{i:04}.png", frame)
    write_image("pairs/1_img1.png", frames[0])
    write_image("pairs/1_img2.png", frames[1])
    write_flow("pairs/1_flow.flo", np.zeros((128, 192, 2), np.float32))
    write_video("clip.mp4", frames, fps=10)
    files = ROOT / "tfflow" / "weights" / "presets"
    for name in ("rillflow", "lightflow"):
        shutil.copy(files / f"{name}_int8.tflite", f"{name}_int8.tflite")
    yield
    keras.backend.clear_session()


def smaller(words):
    """The same command with small sizes and numbers."""
    words = list(words)
    for option, value in SMALLER.items():
        if option in words:
            place = words.index(option) + 1
            end = place
            while end < len(words) and not words[end].startswith("-"):
                end += 1
            words[place:end] = [value]
    return words


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/evaluation.md", "docs/video.md"])
def test_a_page_works_from_top_to_bottom(page, folder, capsys):
    ran = 0
    for line in commands(ROOT / page):
        if any(word in line for word in ELSEWHERE):
            continue
        ran += 1
        assert cli.main(smaller(arguments(line))) in (None, 0), f"{line}: {capsys.readouterr().err}"
    assert ran
