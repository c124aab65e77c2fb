"""An evaluation as CSV, as JSON, and its worst pairs as pictures."""

import csv
import json
import os

import numpy as np
import pytest

from tfflow.data import FlowSample, read_image
from tfflow.evaluation import evaluate, write_csv, write_json, write_worst_pairs
from tfflow.visualization import flow_figure

SHAPE = (16, 24)


class Still:
    def predict_flow(self, image1, image2):
        return np.zeros((*image1.shape[:2], 2), np.float32)


@pytest.fixture
def dataset():
    """Three pairs of uniform motion 2, 20 and 5 px; the second has its right half occluded."""
    occluded = np.zeros(SHAPE, bool)
    occluded[:, 12:] = True
    samples = []
    for number, (motion, mask) in enumerate(((2.0, None), (20.0, occluded), (5.0, None))):
        flow = np.zeros((*SHAPE, 2), np.float32)
        flow[..., 0] = motion
        image = np.full((*SHAPE, 3), 60 * number, np.uint8)
        samples.append(FlowSample(image, image, flow, None, f"s{number % 2}/{number}", mask))
    return samples


def test_csv_has_a_line_for_each_pair(dataset, tmp_path):
    result = evaluate(Still(), dataset)
    write_csv(tmp_path / "pairs.csv", result)
    with open(tmp_path / "pairs.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["scene"]) for row in rows] == [
        ("s0/0", "s0"),
        ("s1/1", "s1"),
        ("s0/2", "s0"),
    ]
    assert [float(row["epe"]) for row in rows] == [2.0, 20.0, 5.0]
    assert [float(row["fl"]) for row in rows] == [0.0, 100.0, 100.0]
    assert [float(row["above_3_px"]) for row in rows] == [0.0, 100.0, 100.0]
    assert [row["s10_40"] for row in rows] == ["", "20.0", ""]
    assert [row["matched_epe"] for row in rows] == ["", "20.0", ""]
    assert rows[1]["unmatched_pixels"] == str(16 * 12) and rows[1]["pixels"] == str(16 * 24)
    assert all(float(row["milliseconds"]) >= 0 for row in rows)


def test_json_has_all_numbers_and_is_json(dataset, tmp_path):
    result = evaluate(Still(), dataset)
    write_json(tmp_path / "numbers.json", result)

    def no_constant(name):
        raise AssertionError(f"{name} is not JSON")

    values = json.loads((tmp_path / "numbers.json").read_text(), parse_constant=no_constant)
    assert values["epe"] == values["zero_flow_epe"] == 9.0
    assert values["fl"] == pytest.approx(200 / 3)
    assert values["above"]["1_px"] == 100.0 and values["above"]["5_px"] == pytest.approx(100 / 3)
    assert values["by_speed"] == {"s0_10": 3.5, "s10_40": 20.0, "s40_plus": None}
    assert values["scenes"]["s0"]["epe"] == 3.5 and values["scenes"]["s1"]["fl"] == 100.0
    assert values["matched"]["pixels"] == values["unmatched"]["pixels"] == 16 * 12
    assert values["pair_means"]["all"]["epe"] == 9.0
    assert values["pairs"] == 3 and values["pixels"] == 3 * 16 * 24


@pytest.mark.parametrize("write", [write_csv, write_json])
def test_a_table_is_there_whole_or_not_at_all(write, dataset, tmp_path, monkeypatch):
    path = tmp_path / "table"
    path.write_text("before")
    result = evaluate(Still(), dataset)

    def fail(source, target):
        raise OSError("full")

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", fail)
        with pytest.raises(OSError, match="full"):
            write(path, result)
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def test_the_worst_pairs_are_drawn(dataset, tmp_path):
    result = evaluate(Still(), dataset)
    (tmp_path / "worst").mkdir()
    mine, listing = tmp_path / "worst" / "worst_2023_holiday.png", tmp_path / "worst" / "worst.csv"
    mine.touch()
    assert len(write_worst_pairs(result, Still(), dataset, tmp_path / "worst", 3)) == 3
    paths = write_worst_pairs(result, Still(), dataset, tmp_path / "worst", 2)
    assert [path.name for path in paths] == ["worst_1_s1_1.png", "worst_2_s0_2.png"]
    assert sorted((tmp_path / "worst").iterdir()) == sorted([*paths, mine, listing])
    assert listing.read_text().split() == ["file", *(path.name for path in paths)]
    for path, index in zip(paths, (1, 2)):
        pair = dataset[index]
        plain = flow_figure(
            pair.image1, pair.image2, np.zeros((*SHAPE, 2)), truth=pair.flow, title="a title"
        )
        picture = read_image(path)
        assert picture.shape[1] == plain.shape[1]
        # Between the heading and the footer it is that pair's figure.
        rows = slice(40, plain.shape[0] - 160)
        np.testing.assert_array_equal(picture[rows], plain[rows])


def test_names_that_are_no_utf_8(dataset, tmp_path):
    pairs = [dataset[1]._replace(name=os.fsdecode(b"s0/\xff"))]
    result = evaluate(Still(), pairs)
    write_csv(tmp_path / "pairs.csv", result)
    assert b"s0/\xff" in (tmp_path / "pairs.csv").read_bytes()
    for _ in range(2):
        (path,) = write_worst_pairs(result, Still(), pairs, tmp_path / "worst", 1)
        assert os.fsencode(path.name) == b"worst_1_s0_\xff.png" and path.is_file()
