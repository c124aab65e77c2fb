"""The flow of a video as files, and as one."""

import csv
import os
import subprocess
import sys

import numpy as np
import pytest

from tfflow.data import read_flow
from tfflow.data.files.flow_series import flow_series, picture_series

FLOWS = np.random.default_rng(0).normal(0, 9, (3, 5, 7, 2)).astype(np.float32)
TIMES = [(0.0, 0.04), (0.04, 0.1), (0.1, 0.14)]


@pytest.mark.parametrize("extension", [".flo", ".npy"])
def test_a_folder(extension, tmp_path):
    with flow_series(tmp_path / "a/b", extension) as write:
        for flow, times in zip(FLOWS, TIMES, strict=True):
            write(flow, *times)
    names = [f"00000{i}{extension}" for i in range(3)]
    assert sorted(os.listdir(tmp_path / "a/b")) == [*names, "times.csv"]
    for name, flow in zip(names, FLOWS, strict=True):
        np.testing.assert_array_equal(read_flow(tmp_path / "a/b" / name)[0], flow)
    with open(tmp_path / "a/b/times.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == names
    assert [(float(row["time"]), float(row["next_time"])) for row in rows] == TIMES


def test_an_archive(tmp_path):
    with flow_series(tmp_path / "a.npz") as write:
        for flow, times in zip(FLOWS, TIMES, strict=True):
            write(flow, *times)
            assert not (tmp_path / "a.npz").exists(), "whole or not at all"
    with np.load(tmp_path / "a.npz") as archive:
        assert archive.files == ["000000", "000001", "000002", "times"]
        np.testing.assert_array_equal(archive["times"], TIMES)
        for index, flow in enumerate(FLOWS):
            np.testing.assert_array_equal(archive[f"{index:06}"], flow)


def test_an_archive_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), flow_series(tmp_path / "a.npz") as write:
        write(FLOWS[0], 0, 1)
        raise ZeroDivisionError
    assert not os.listdir(tmp_path)


def test_a_folder_holds_one_video_also_when_it_breaks_off(tmp_path):
    (tmp_path / "mine.png").write_bytes(b"mine")
    with flow_series(tmp_path, ".npy") as write:
        for flow, times in zip(FLOWS, TIMES, strict=True):
            write(flow, *times, np.zeros((5, 7), bool))
    with pytest.raises(ZeroDivisionError), flow_series(tmp_path, ".flo") as write:
        write(FLOWS[2], 5.0, 6.0)
        raise ZeroDivisionError
    assert sorted(os.listdir(tmp_path)) == ["000000.flo", "mine.png", "times.csv"]
    assert (tmp_path / "times.csv").read_text().split()[1:] == ["000000.flo,5.0,6.0"]
    with pytest.raises(ZeroDivisionError), flow_series(tmp_path, ".flo"):
        raise ZeroDivisionError  # before there was anything to replace it with
    assert (tmp_path / "times.csv").read_text().split()[1:] == ["000000.flo,5.0,6.0"]
    # Names that lead elsewhere are left alone.
    (tmp_path / "000000.flo").unlink()
    (tmp_path / "times.csv").write_text("file,time,next_time\nmine.png,0,1\n../x.flo,0,1\n")
    with flow_series(tmp_path, ".flo") as write:
        write(FLOWS[0], 0.0, 1.0)
    assert (tmp_path / "mine.png").read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["times.csv", "000000.png"])
def test_files_of_ones_own_are_not_written_over(name, tmp_path):
    (tmp_path / name).write_text("frame,exposure")
    told = pytest.raises(FileExistsError, match="give another folder")
    with told, picture_series(tmp_path) as write:
        write(np.zeros((5, 7, 3), np.uint8), 0.0, 1.0)
    assert [*tmp_path.iterdir()] == [tmp_path / name]
    assert (tmp_path / name).read_text() == "frame,exposure"


def test_occlusions_of_ones_own_are_neither_written_over_nor_removed(tmp_path):
    mine = tmp_path / "000001_occlusion.png"
    mine.write_bytes(b"mine")
    told = pytest.raises(FileExistsError, match="000001_occlusion.png is there")
    with told, flow_series(tmp_path, ".npy") as write:
        for flow, times in zip(FLOWS, TIMES, strict=True):
            write(flow, *times, np.zeros((5, 7), bool))
    assert mine.read_bytes() == b"mine"
    for _ in range(2):  # without occlusions, and once more
        with flow_series(tmp_path, ".npy") as write:
            for flow, times in zip(FLOWS, TIMES, strict=True):
                write(flow, *times)
        assert mine.read_bytes() == b"mine" and not (tmp_path / "000000_occlusion.png").exists()


def test_an_earlier_video_stays_until_there_is_a_new_flow(tmp_path):
    with flow_series(tmp_path, ".npy") as write:
        for flow, times in zip(FLOWS, TIMES, strict=True):
            write(flow, *times)
    with pytest.raises(ValueError, match="512"), flow_series(tmp_path, ".png") as write:
        write(np.full((5, 7, 2), 700.0, np.float32), 0, 1)
    assert len([*tmp_path.glob("*.npy")]) == 3 and not [*tmp_path.glob("*.png")]


def test_complaints_instead_of_errors(tmp_path):
    complaints = []
    flows = FLOWS.copy()
    flows[0, 2, 3] = 700
    flows[1, 2, 3] = np.nan
    with flow_series(tmp_path, ".png", complaints) as write:
        for flow, times in zip(flows, TIMES, strict=True):
            write(flow, *times)
    assert [text[:18] for text in complaints] == ["the flow at 0.00 s", "the flow at 0.04 s"]
    assert "512 px" in complaints[0] and "finite" in complaints[1]
    assert not read_flow(tmp_path / "000000.png")[1][2, 3]
    times = (tmp_path / "times.csv").read_text().split()[1:]
    assert [row.split(",")[0] for row in times] == ["000000.png", "000002.png"]
    assert sorted(path.stem for path in tmp_path.glob("*.png")) == ["000000", "000002"]


def test_what_a_killed_run_leaves_goes_with_the_next_video(tmp_path):
    killed = (
        "import sys, os, numpy as np\n"
        "from tfflow.data.files.flow_series import flow_series\n"
        "with flow_series(sys.argv[1]) as write:\n"
        "    for time in range(4): write(np.zeros((4, 4, 2), np.float32), time, time + 1)\n"
        "    os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", killed, tmp_path]).returncode == 9
    assert len([*tmp_path.glob("*.flo")]) == 4
    with flow_series(tmp_path) as write:
        write(FLOWS[0], 0, 1)
    assert [path.name for path in tmp_path.glob("*.flo")] == ["000000.flo"]
