"""Published data sets, each built small in its true layout: pairs, names, masks and complaints."""

import pathlib
import shutil

import numpy as np
import pytest
from published_trees import names, put_flow, put_image, put_mask, roots_of, values

from tfflow.data import (
    HD1K,
    ChairsSDHom,
    Kitti2012,
    Kitti2015,
    Middlebury,
    Sintel,
    open_dataset,
)
from tfflow.data.datasets.sintel import VALIDATION_SCENES


@pytest.fixture
def sintel(tmp_path):
    """Two scenes for training, one of them in the validation split, and one for the test."""
    root = tmp_path / "MPI-Sintel-complete"
    for first, scene in ((10, "alley_1"), (20, "cave_4")):
        for number in (1, 2, 3):
            name = f"{scene}/frame_{number:04d}"
            put_image(root / f"training/clean/{name}.png", first + number)
            put_image(root / f"training/final/{name}.png", 100 + first + number)
            put_mask(root / f"training/invalid/{name}.png", (0, 1))
            if number < 3:
                put_flow(root / f"training/flow/{name}.flo", first + number)
                put_mask(root / f"training/occlusions/{name}.png", (2, 3), (2, 4))
    for number in (1, 2):
        put_image(root / f"test/clean/market_1/frame_{number:04d}.png", number)
    return root


def test_sintel_pairs_and_masks(sintel):
    for root in roots_of(sintel):
        dataset = Sintel(root)
        assert names(dataset) == [
            f"{scene}/frame_{number:04d}" for scene in ("alley_1", "cave_4") for number in (1, 2)
        ]
    assert [values(sample) for sample in dataset] == [
        (11, 12, 11),
        (12, 13, 12),
        (21, 22, 21),
        (22, 23, 22),
    ]
    sample = dataset[0]
    assert np.argwhere(sample.occluded).tolist() == [[2, 3], [2, 4]]
    assert np.argwhere(~sample.valid).tolist() == [[0, 1]]
    assert dataset.name == "sintel-clean"


def test_a_folder_that_may_not_be_read_is_passed_over(sintel, monkeypatch):
    """Such as a disk's lost+found. Path.is_dir raises within one."""
    is_dir = pathlib.Path.is_dir

    def refusing(path):
        if "lost+found" in path.parts[:-1]:
            raise PermissionError(13, "Permission denied", str(path))
        return is_dir(path)

    (sintel.parent / "lost+found").mkdir()
    monkeypatch.setattr(pathlib.Path, "is_dir", refusing)
    assert len(Sintel(sintel.parent)) == len(Sintel(sintel))


def test_sintel_passes_splits_and_scenes(sintel):
    final = Sintel(sintel, "final", "val")
    assert names(final) == ["cave_4/frame_0001", "cave_4/frame_0002"]
    assert values(final[0]) == (121, 122, 21)
    assert {name.split("/")[0] for name in names(Sintel(sintel, split="train"))} == {"alley_1"}
    assert len(VALIDATION_SCENES) == 6
    both = Sintel(sintel, "both", scenes=["cave_4"])
    assert names(both) == [
        f"{name}/cave_4/frame_{number:04d}" for name in ("clean", "final") for number in (1, 2)
    ]
    test = Sintel(sintel, split="test")
    assert names(test) == ["market_1/frame_0001"]
    assert test[0].flow is test[0].valid is test[0].occluded is None
    with pytest.raises(ValueError, match=r"no scene 'cave_3' .* Did you mean 'cave_4'"):
        Sintel(sintel, scenes=["cave_3"])
    with pytest.raises(ValueError, match="expected pass_name 'clean', 'final' or 'both', got 'al"):
        Sintel(sintel, "albedo")


@pytest.mark.parametrize(
    "missing",
    [
        "clean/alley_1/frame_0002.png",
        "clean/alley_1/frame_0003.png",  # the last: nothing but its flow says that it is missing
        "flow/alley_1/frame_0002.flo",
        "occlusions/alley_1/frame_0002.png",
        "invalid/alley_1/frame_0001.png",
    ],
)
def test_sintel_missing_file(sintel, missing):
    (sintel / "training" / missing).unlink()
    with pytest.raises(FileNotFoundError, match=f"needs .*{missing}, which is missing"):
        Sintel(sintel)


def test_sintel_without_the_frames_of_a_scene(sintel):
    shutil.rmtree(sintel / "training/clean/cave_4")
    with pytest.raises(FileNotFoundError, match="expected the folder .*training/clean/cave_4"):
        Sintel(sintel)
    for folder in ("clean/alley_1", "flow/alley_1", "clean/cave_4", "flow/cave_4"):
        shutil.rmtree(sintel / "training" / folder, ignore_errors=True)
        (sintel / "training" / folder).mkdir()
    with pytest.raises(FileNotFoundError, match="expected frame_0001.png ... in the scenes of"):
        Sintel(sintel)


def test_sintel_incomplete(sintel, tmp_path):
    with pytest.raises(
        FileNotFoundError,
        match=r"no MPI-Sintel at .*alley_1: looked for training/clean, training/flow there and in "
        r"its folders; there is frame_0001.png, frame_0002.png",
    ):
        Sintel(sintel / "training/clean/alley_1")
    with pytest.raises(
        FileNotFoundError, match=r"no complete MPI-Sintel .* test/clean, but no test/final; there"
    ):
        Sintel(tmp_path, "both", split="test")
    sintel.rename(tmp_path / "one")
    for part in ("clean", "flow"):
        (tmp_path / "two" / "training" / part).mkdir(parents=True)
    with pytest.raises(ValueError, match=r"expected one MPI-Sintel .* found .*one and .*two"):
        Sintel(tmp_path)
    with pytest.raises(FileNotFoundError, match="expected the folders of the scenes in .*clean"):
        Sintel(tmp_path / "two")


def test_copies_within_and_hidden_files_are_not_taken(sintel):
    shutil.copytree(sintel, sintel.parent / ".trash")
    shutil.copytree(sintel, sintel / "copy")
    scene = sintel / "training/clean/alley_1"
    (scene.parent / ".cache").mkdir()
    (scene / "._frame_0001.png").write_bytes(b"")  # as macOS leaves them on other disks
    assert len(Sintel(sintel)) == len(Sintel(sintel.parent)) == 4


def kitti(root, images):
    for number in (0, 1):
        for part in ("training", "testing"):
            for frame in (9, 10, 11):  # 9 is of the multi-view extension
                put_image(root / f"{part}/{images}/{number:06d}_{frame:02d}.png", number + frame)
        put_flow(root / f"training/flow_occ/{number:06d}_10.png", number, [(1, 1)])
        put_flow(root / f"training/flow_noc/{number:06d}_10.png", number, [(1, 1), (3, 5)])
    return root


@pytest.mark.parametrize(
    "dataset, kind, folder, images",
    [
        (Kitti2012, "kitti2012", "data_stereo_flow", "colored_0"),
        (Kitti2015, "kitti2015", "data_scene_flow", "image_2"),
    ],
)
def test_kitti(tmp_path, dataset, kind, folder, images):
    release = kitti(tmp_path / folder, images)
    for root in roots_of(release):
        pairs = dataset(root)
        assert names(pairs) == ["000000_10", "000001_10"]
    assert [values(sample) for sample in pairs] == [(10, 11, 0), (11, 12, 1)]
    assert np.argwhere(pairs[0].occluded).tolist() == [[3, 5]]
    assert np.argwhere(~pairs[0].valid).tolist() == [[1, 1]]
    test = dataset(release, "test")
    assert names(test) == names(pairs) and test[0].flow is None and test[0].occluded is None
    assert (pairs.name, test.name) == (kind, f"{kind}-test")

    (release / "training/flow_noc/000001_10.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"flow_noc/000001_10.png, which is missing"):
        dataset(release)
    (release / f"training/{images}/000000_11.png").unlink()
    with pytest.raises(FileNotFoundError, match=f"{images}/000000_11.png, which is missing"):
        dataset(release)
    with pytest.raises(ValueError, match="expected split 'training' or 'test', got 'val'"):
        dataset(release, "val")


def test_kitti_2012_and_2015_side_by_side(tmp_path):
    kitti(tmp_path / "data_stereo_flow", "colored_0")
    put_image(tmp_path / "data_stereo_flow/training/image_0/000000_10.png", 50)
    with pytest.raises(
        FileNotFoundError, match="no complete KITTI 2015 .* but no training/image_2"
    ):
        Kitti2015(tmp_path)
    kitti(tmp_path / "data_scene_flow", "image_2")
    assert Kitti2012(tmp_path).pairs[0].image1.parts[-3:-1] == ("training", "colored_0")
    assert Kitti2015(tmp_path).pairs[0].image1.parts[-3:-1] == ("training", "image_2")
    with pytest.raises(FileNotFoundError, match=r"image_0/000000_11.png, which is missing"):
        Kitti2012(tmp_path, images="image_0")


def test_hd1k(tmp_path):
    release = tmp_path / "hd1k_full_package"
    for sequence in (0, 1):
        for frame in (9, 10, 11):
            name = f"{sequence:06d}_{frame:04d}.png"
            put_image(release / "hd1k_input/image_2" / name, 100 * sequence + frame)
            put_flow(release / "hd1k_flow_gt/flow_occ" / name, 100 * sequence + frame, [(1, 1)])
    for frame in (10, 11):
        put_image(release / f"hd1k_challenge/image_2/000007_{frame}.png", frame)
    for root in roots_of(release):
        pairs = HD1K(root)
        assert names(pairs) == ["000000_0009", "000000_0010", "000001_0009", "000001_0010"]
    assert [values(s) for s in pairs][1:3] == [(10, 11, 10), (109, 110, 109)]
    assert np.argwhere(~pairs[0].valid).tolist() == [[1, 1]] and pairs[0].occluded is None
    assert names(HD1K(release, "test")) == ["000007_10"]

    for missing in ("hd1k_flow_gt/flow_occ/000001_0009.png", "hd1k_input/image_2/000000_0010.png"):
        (release / missing).unlink()
        with pytest.raises(FileNotFoundError, match=f"{missing}, which is missing"):
            HD1K(release)


def test_hd1k_with_a_frame_and_its_flow_lost(tmp_path):
    for frame in (10, 11, 13, 14):
        name = f"000000_{frame:04d}.png"
        put_image(tmp_path / "hd1k_input/image_2" / name, frame)
        put_flow(tmp_path / "hd1k_flow_gt/flow_occ" / name, frame)
    with pytest.raises(FileNotFoundError, match="000000_0011.png needs .*0012.png, which is miss"):
        HD1K(tmp_path)


def test_middlebury(tmp_path):
    release = tmp_path / "middlebury"
    for scene in ("RubberWhale", "Venus", "Walking"):
        for frame in (10, 11):
            put_image(release / f"other-data/{scene}/frame{frame}.png", frame)
            put_image(release / f"eval-data/Army/frame{frame}.png", frame)
    for scene in ("RubberWhale", "Venus"):  # Walking has no public flow
        put_flow(release / f"other-gt-flow/{scene}/flow10.flo", 3)
    for root in roots_of(release):
        assert names(Middlebury(root)) == ["RubberWhale/frame10", "Venus/frame10"]
    assert values(Middlebury(release)[1]) == (10, 11, 3)
    test = Middlebury(release, "test")
    assert names(test) == ["Army/frame10"] and test[0].flow is None
    (release / "other-data/Venus/frame11.png").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"the scene Venus needs .*Venus/frame11.png, which"
    ):
        Middlebury(release)


def test_real_middlebury(shared_dir):
    (sample,) = open_dataset(f"middlebury:{shared_dir / 'data'}")
    assert sample.name == "RubberWhale/frame10" and sample.image1.shape == (388, 584, 3)
    assert 0.98 < sample.valid.mean() < 0.99  # marked in the file with values over 1e9
    assert np.abs(sample.flow).max() < 10


def test_chairs_sdhom(tmp_path):
    release = tmp_path / "ChairsSDHom"
    for part, numbers in (("train", (1, 2, 8755)), ("test", (1, 8755))):
        for number in numbers:
            put_image(release / f"data/{part}/t0/{number:05d}.png", number % 100)
            put_image(release / f"data/{part}/t1/{number:05d}.png", number % 100 + 100)
            put_flow(release / f"data/{part}/flow/{number:05d}.pfm", number / 100)
    for root in roots_of(release):
        train = ChairsSDHom(root)
        assert names(train) == ["00001", "00002"]
    assert values(train[1]) == (2, 102, np.float32(0.02))
    assert names(ChairsSDHom(release, exclude=False)) == ["00001", "00002", "08755"]
    assert names(ChairsSDHom(release, "test")) == ["00001", "08755"]
    for missing in ("t1/00002.png", "flow/00001.pfm"):
        (release / "data/train" / missing).unlink()
        with pytest.raises(FileNotFoundError, match=f"train/{missing}, which is missing"):
            ChairsSDHom(release)


@pytest.mark.parametrize(
    "kind, count",
    [
        ("sintel", 8),
        ("sintel-clean", 4),
        ("sintel-train", 4),
        ("sintel-final-val", 2),
        ("sintel-clean-test", 1),
        ("kitti2015", 2),
        ("kitti2015-test", 2),
    ],
)
def test_kinds(sintel, kind, count):
    kitti(sintel.parent / "data_scene_flow", "image_2")
    dataset = open_dataset(f"{kind}:{sintel.parent}")
    assert (dataset.name, len(dataset)) == (kind, count)
