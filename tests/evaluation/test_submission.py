"""Submissions, read back: which files, where, and what is in them."""

import re
import types
import zipfile

import numpy as np
import pytest

from tfflow.data import FlowDataset, read_flow
from tfflow.data.datasets import PairFiles
from tfflow.data.files.images import write_image
from tfflow.evaluation import missing_from_submission, write_submission
from tfflow.evaluation.leaderboards import SINTEL_PASSES, SINTEL_SCENES

SINTEL_NAMES = [
    f"{each}/{scene}/frame_{frame:04d}"
    for each in SINTEL_PASSES
    for scene in SINTEL_SCENES
    for frame in range(1, {"ambush_1": 22, "ambush_3": 40}.get(scene, 49) + 1)
]


class Numbered:
    """Predicts a motion to the right by the first image's red, and half of it upwards."""

    def predict_flow(self, image1, image2):
        flow = np.zeros((*image1.shape[:2], 2), np.float32)
        flow[..., 0] = image1[0, 0, 0]
        flow[..., 1] = -flow[..., 0] / 2
        return flow


def dataset_of(folder, names):
    """Pairs of small images, the red of each its number."""
    pairs = []
    for number, name in enumerate(names):
        path = folder / f"{number}.png"
        write_image(path, np.full((4, 6, 3), number % 256, np.uint8))
        pairs.append(PairFiles(name, path, path))
    return FlowDataset("test", pairs)


def tree(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_sintel_is_the_tree_that_the_bundler_reads(tmp_path):
    dataset = dataset_of(tmp_path, SINTEL_NAMES)
    output = tmp_path / "results" / "sintel"
    submission = write_submission(Numbered(), dataset, output, "sintel")
    assert submission.missing == () == missing_from_submission(dataset, "sintel")
    assert submission.pairs == 2 * 552 and f"bundler {output}/clean {output}/final" in (
        submission.next_step
    )
    assert tree(output) == sorted(name.replace("frame_", "frame") + ".flo" for name in SINTEL_NAMES)
    for number, name in enumerate(SINTEL_NAMES):
        flow, valid = read_flow(output / (name.replace("frame_", "frame") + ".flo"))
        assert flow.shape == (4, 6, 2) and valid.all()
        assert (flow == [number % 256, -(number % 256) / 2]).all()
    assert tree(output.parent) == [f"sintel/{path}" for path in tree(output)]  # nothing beside it


@pytest.mark.parametrize(
    ("benchmark", "folder", "pairs"), [("kitti2012", "", 195), ("kitti2015", "flow/", 200)]
)
def test_kitti_is_a_zip_of_its_own_format(benchmark, folder, pairs, tmp_path):
    names = [f"{number:06d}_10" for number in range(pairs)]
    dataset = dataset_of(tmp_path, names)
    output = tmp_path / "kitti.zip"
    submission = write_submission(Numbered(), dataset, output, benchmark)
    assert submission.missing == () and submission.pairs == pairs
    with zipfile.ZipFile(output) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{folder}{name}.png" for name in names]
        archive.extractall(tmp_path / "read")
    for number in (0, 1, 77, pairs - 1):
        flow, valid = read_flow(tmp_path / "read" / f"{folder}{names[number]}.png")
        assert flow.shape == (4, 6, 2) and valid.all()
        assert (flow == [number, -number / 2]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float16])  # the limit is none of float16's
def test_what_kittis_format_can_not_hold_is_set_to_its_limits(tmp_path, dtype):
    class Wild:
        def predict_flow(self, image1, image2):
            return np.full((4, 6, 2), [1e4, -1e4], dtype)

    write_submission(Wild(), dataset_of(tmp_path, ["000000_10"]), tmp_path / "k.zip", "kitti2015")
    zipfile.ZipFile(tmp_path / "k.zip").extractall(tmp_path)
    flow, _ = read_flow(tmp_path / "flow/000000_10.png")
    assert (flow == [511.984375, -512.0]).all()


def test_what_is_missing_is_named(tmp_path):
    names = [name for name in SINTEL_NAMES if not name.startswith("final/wall/")]
    names.remove("clean/tiger/frame_0001")
    names.remove("final/cave_3/frame_0002")
    dataset = dataset_of(tmp_path, names)
    assert missing_from_submission(dataset, "sintel") == (
        "clean/tiger: frames 1",
        "final/cave_3: frames 2",
        "final/wall: all frames",
    )
    # A scene whose last frames are missing from both passes has no gap.
    short = [name for name in SINTEL_NAMES if not name.endswith("temple_1/frame_0049")]
    assert missing_from_submission(dataset_of(tmp_path, short), "sintel") == (
        "clean: 1 of 552 pairs, the last ones of some scenes",
        "final: 1 of 552 pairs, the last ones of some scenes",
    )
    kitti = dataset_of(tmp_path, [f"{number:06d}_10" for number in range(199)])
    submission = write_submission(Numbered(), kitti, tmp_path / "k.zip", "kitti2015")
    assert submission.missing == ("flow/000199_10.png",)


def test_pairs_of_something_else_are_refused(tmp_path):
    def refused(dataset, benchmark, message, output="new"):
        with pytest.raises(ValueError, match=re.escape(message)):
            write_submission(Numbered(), dataset, tmp_path / output, benchmark)
        assert not (tmp_path / output).exists()

    clean = dataset_of(tmp_path, ["wall/frame_0001"])
    refused(clean, "sintel", "PASS/SCENE/frame_0001, both passes of the test set")
    refused(dataset_of(tmp_path, ["clean/alley_1/frame_0001"]), "sintel", "another name")
    refused(dataset_of(tmp_path, ["000200_10"]), "kitti2015", "another name", "new.zip")
    refused(dataset_of(tmp_path, ["000195_10"]), "kitti2012", "another name", "new.zip")
    refused(dataset_of(tmp_path, ["000000_10"]), "kitti2012", "is a .zip file")
    refused(dataset_of(tmp_path, ["000000_10"] * 2), "kitti2012", "are both", "new.zip")
    refused(dataset_of(tmp_path, []), "kitti2012", "is empty", "new.zip")
    other = dataset_of(tmp_path, ["000000_10"])
    other.name = "kitti2012-test"  # whose names are those of KITTI 2015, too
    refused(other, "kitti2015", "needs the pairs of its test set; got kitti2012-test", "new.zip")
    refused(clean, "spring", "one of sintel, kitti2012, kitti2015")
    refused([], "sintel", "needs a data set of files")
    training = FlowDataset("t", [PairFiles("000000_10", "a.png", "b.png", "flow.png")])
    refused(training, "kitti2015", "a pair with a true flow", "new.zip")


@pytest.mark.parametrize(
    ("benchmark", "name", "output"),
    [("sintel", "clean/wall/frame_0002", "folder"), ("kitti2012", "000001_10", "k.zip")],
)
def test_it_is_there_whole_or_not_at_all(benchmark, name, output, tmp_path):
    first = name[:-1] + "1" if benchmark == "sintel" else "000000_10"
    images, results = tmp_path / "images", tmp_path / "results"
    images.mkdir()
    results.mkdir()
    dataset = dataset_of(images, [first, name])

    def flows(second):
        given = iter([np.zeros((4, 6, 2), np.float32), second])
        return types.SimpleNamespace(predict_flow=lambda image1, image2: next(given))

    broken = np.zeros((4, 6, 2), np.float32)
    broken[1, 2] = np.nan
    with pytest.raises(ValueError, match=f"{name} is not finite at 1 pixels"):
        write_submission(flows(broken), dataset, results / output, benchmark)
    with pytest.raises(ValueError, match=re.escape("(4, 6, 2); got (6, 4, 2)")):
        write_submission(flows(np.zeros((6, 4, 2))), dataset, results / output, benchmark)
    assert not list(results.iterdir())


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    dataset = dataset_of(tmp_path, SINTEL_NAMES)
    output = tmp_path / "there"
    output.mkdir()
    (output / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="give a new folder"):
        write_submission(Numbered(), dataset, output, "sintel")
    assert tree(output) == ["mine.txt"]


def test_a_link_to_an_empty_folder(tmp_path):
    for name in ("images", "disk"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    dataset = dataset_of(tmp_path / "images", SINTEL_NAMES)
    write_submission(Numbered(), dataset, tmp_path / "link", "sintel")
    assert (tmp_path / "link").is_symlink() and tree(tmp_path / "disk")
