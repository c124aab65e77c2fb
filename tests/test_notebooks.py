"""The notebooks run from top to bottom, and are stored as they ran: with their pictures."""

import pathlib
import re

import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

nbformat = pytest.importorskip("nbformat")


def test_there_are_notebooks():
    assert len(NOTEBOOKS) == 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_stored(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not [output for output in outputs if output.output_type == "error"]
    assert not re.search("/(home|root|Users|work)/", path.read_text(encoding="utf-8"))
    for cell in notebook.cells:
        for target in re.findall(r"\]\((\.\./[^)#]+)", cell.source):
            assert (FOLDER / target).exists(), target


def named(path):
    """A notebook as a parameter; all but one take long."""
    marks = () if path.stem == "flow_of_your_pictures" else pytest.mark.slow
    return pytest.param(path, id=path.stem, marks=marks)


@pytest.mark.parametrize("path", [named(path) for path in NOTEBOOKS])
def test_a_notebook_runs(path, tmp_path):
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=600, resources=resources).execute()
    text = "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])
    )
    if path.stem == "train_on_your_own_data":
        before, after = map(float, re.search(r"see: ([\d.]+) px .*?([\d.]+) px", text).groups())
        assert after < before
