"""The flow of a video as files, and as one."""

import csv
import os

import numpy as np
import pytest

from tfflow.data import read_flow
from tfflow.data.files.flow_series import flow_series

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
    # Lists that are none of ours, and names that lead elsewhere, are left alone.
    (tmp_path / "times.csv").write_text("file,time,next_time\nmine.png,0,1\n../x.flo,0,1\n")
    with flow_series(tmp_path, ".flo") as write:
        write(FLOWS[0], 0.0, 1.0)
    assert (tmp_path / "mine.png").read_bytes() == b"mine"
