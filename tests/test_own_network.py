"""docs/own_network.md, from its module to the .tflite file, outside of the package."""

import pathlib
import re
import shlex
import sys

import numpy as np
import pytest

import tfflow
from tfflow.cli import main
from tfflow.data import write_image

PAGE = (pathlib.Path(__file__).parents[1] / "docs" / "own_network.md").read_text()


def block(language):
    return re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[1]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    module = block("python").replace(
        "count=500, held_out=20", "count=2, held_out=2, textures=8, shapes=8"
    )
    pathlib.Path("my_network.py").write_text(module.replace("steps=4000", "steps=2"))
    for name in ("a.png", "b.png"):
        write_image(name, np.random.default_rng(0).integers(0, 256, (128, 192, 3), np.uint8))
    yield
    sys.modules.pop("my_network", None)
    tfflow.models.registry._ENTRIES.pop("small", None)
    tfflow.recipes._recipes().pop("small_scenes", None)


def test_every_command_of_the_page(folder, capsys):
    for line in block("bash").splitlines():
        command, *arguments = shlex.split(line, comments=True)
        assert command == "tfflow"
        assert main(arguments) == 0, capsys.readouterr().err
    assert pathlib.Path("small.tflite").is_file()
    loaded = tfflow.load("runs/small_scenes/model.keras")
    assert type(loaded).__name__ == "Small"
