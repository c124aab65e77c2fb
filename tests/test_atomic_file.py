import errno
import os
from pathlib import Path

import pytest

from tfflow.atomic_file import atomic_file, read_json, remove_left_behind, write_json


def test_content_takes_the_name_at_the_end(tmp_path):
    path = tmp_path / "result.txt"
    with atomic_file(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
        assert temporary.parent == tmp_path and temporary.suffix == ".txt"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["result.txt"]


def test_failure_keeps_what_was_there(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["result.txt"]


def test_what_a_killed_process_left_behind_is_removed(tmp_path, monkeypatch):
    for name in (".lock", ".hidden.txt", "step-1.weights.h5"):
        (tmp_path / name).write_text("kept")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: None)  # as if it were killed
        with pytest.raises(RuntimeError), atomic_file(tmp_path / "a.weights.h5") as temporary:
            temporary.write_text("half")
            raise RuntimeError
    assert temporary.exists()
    remove_left_behind(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".hidden.txt", ".lock", "step-1.weights.h5"]
    remove_left_behind(tmp_path / "nowhere")


def test_a_full_disk_is_said_with_the_files_name(tmp_path):
    told = pytest.raises(OSError, match="cannot write .*result.txt: No space left")
    with told, atomic_file(tmp_path / "result.txt"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert os.listdir(tmp_path) == []


def test_what_a_run_is_recorded_by_is_on_the_disk_first(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    write_json(tmp_path / "run.json", {"a": 1})
    assert len(synced) == 1 and read_json(tmp_path / "run.json", "") == {"a": 1}


def test_mode_is_that_of_an_ordinary_file(tmp_path):
    with atomic_file(tmp_path / "a") as temporary:
        temporary.write_text("")
    (tmp_path / "b").write_text("")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_symbolic_link_is_followed(tmp_path):
    (tmp_path / "folder").mkdir()
    target = tmp_path / "folder" / "target.txt"
    target.write_text("old")
    link = tmp_path / "link.txt"
    link.symlink_to(target)
    with atomic_file(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink() and target.read_text() == "new"


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    for path, error, text in (
        (tmp_path / "missing" / "a.flo", FileNotFoundError, "create it first"),
        (tmp_path / "file" / "a.flo", NotADirectoryError, "a file, not a folder"),
        (tmp_path, IsADirectoryError, "give a file name inside it"),
        (Path("/dev/null"), OSError, "special file"),
    ):
        with pytest.raises(error, match=text), atomic_file(path):
            pytest.fail("the block must not run")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="no permission"), atomic_file(tmp_path / "a.flo"):
        pytest.fail("the block must not run")
