"""Data sets in their published layouts, built small under tmp_path."""

import numpy as np
import pytest

from tfflow.data.datasets import (
    DATASETS,
    FlowDataset,
    FlowSample,
    FlyingChairs,
    PairFiles,
    PairFolder,
    open_dataset,
)
from tfflow.data.datasets.layout import subfolders
from tfflow.data.files.errors import CorruptFileError
from tfflow.data.files.flows import write_flow
from tfflow.data.files.images import write_image


def image(value, shape=(6, 8)):
    return np.full((*shape, 3), value, np.uint8)


@pytest.fixture
def chairs(tmp_path):
    """Five pairs in FlyingChairs' layout; image values and flow tell the pair's number."""
    release = tmp_path / "FlyingChairs_release"
    (release / "data").mkdir(parents=True)
    for number in range(1, 6):
        name = f"{number:05d}"
        write_image(release / "data" / f"{name}_img1.ppm", image(number))
        write_image(release / "data" / f"{name}_img2.ppm", image(100 + number))
        write_flow(release / "data" / f"{name}_flow.flo", np.full((6, 8, 2), number))
    (release / "FlyingChairs_train_val.txt").write_text("1\n1\n2\n1\n2\n")
    return release


@pytest.mark.parametrize(
    "split, names",
    [
        ("train", ["00001", "00002", "00004"]),
        ("val", ["00003", "00005"]),
        ("all", ["00001", "00002", "00003", "00004", "00005"]),
    ],
)
def test_chairs_split(chairs, split, names):
    for root in (chairs, chairs.parent, str(chairs)):
        dataset = FlyingChairs(root, split)
        assert len(dataset) == len(names)
        samples = list(dataset)
        assert [sample.name for sample in samples] == names
        for sample in samples:
            assert isinstance(sample, FlowSample)
            number = int(sample.name)
            assert (sample.image1 == number).all() and (sample.image2 == 100 + number).all()
            assert (sample.flow == number).all() and sample.valid.all()
            assert sample.flow.dtype == np.float32 and sample.image1.dtype == np.uint8


def test_indices_and_slices(chairs):
    dataset = FlyingChairs(chairs, "all")
    assert dataset[-1].name == "00005"
    assert [sample.name for sample in dataset[1:3]] == ["00002", "00003"]
    assert dataset[1:3].name == dataset.name == "chairs-all"
    assert repr(dataset[:2]).endswith("chairs-all: 2 pairs>")
    assert repr(dataset) == "<FlyingChairs chairs-all: 5 pairs>"
    with pytest.raises(IndexError):
        dataset[5]


def test_chairs_wrong_root_says_what_is_there(tmp_path):
    (tmp_path / "Sintel").mkdir()
    with pytest.raises(FileNotFoundError, match=r"looked for data/\*_img1.ppm .* there is Sintel"):
        FlyingChairs(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        FlyingChairs(tmp_path / "missing")
    with pytest.raises(FileNotFoundError, match="the folder is empty"):
        FlyingChairs(tmp_path / "Sintel")


def test_chairs_split_file(chairs):
    split = chairs / "FlyingChairs_train_val.txt"
    split.write_text("1\n2\n1\n")
    with pytest.raises(CorruptFileError, match=r"expected 5 lines, .* found 3"):
        FlyingChairs(chairs)
    split.write_text("1\n2\n1\n3\n1\n")
    with pytest.raises(CorruptFileError, match=r"line 4: expected 1 .* or 2 .* got '3'"):
        FlyingChairs(chairs)
    split.write_text("1\n1\n2\n1\n2\n")
    for path in (chairs / "data").glob("00003_*"):
        path.rename(path.with_name(path.name.replace("3", "6", 1)))
    with pytest.raises(CorruptFileError, match="line 3 is of the pair 00003, but .* has 00004"):
        FlyingChairs(chairs)
    split.unlink()
    with pytest.raises(FileNotFoundError, match=r"expected the split file .*chairs-all"):
        FlyingChairs(chairs)
    assert len(FlyingChairs(chairs, "all")) == 5
    with pytest.raises(ValueError, match="'train', 'val' or 'all', got 'test'"):
        FlyingChairs(chairs, "test")


@pytest.mark.parametrize("missing", ["00002_img2.ppm", "00002_img1.ppm", "00002_flow.flo"])
def test_chairs_missing_file(chairs, missing):
    (chairs / "data" / missing).unlink()
    with pytest.raises(FileNotFoundError, match=missing.removesuffix(".ppm")):
        FlyingChairs(chairs, "all")


def test_chairs_without_images_or_pairs_of_a_split(chairs):
    (chairs / "FlyingChairs_train_val.txt").write_text("1\n" * 5)
    with pytest.raises(CorruptFileError, match="train_val.txt has no line 2, of chairs-val"):
        FlyingChairs(chairs, "val")
    for path in (chairs / "data").glob("00003_img*"):
        path.unlink()
    with pytest.raises(FileNotFoundError, match="the pair 00003 in .* has no 00003_img1"):
        FlyingChairs(chairs, "all")


def test_chairs_beyond_five_digits(tmp_path):
    (tmp_path / "data").mkdir()
    for name in ("99999", "100000", "10001"):
        for end, array in (("_img1.ppm", image(0)), ("_img2.ppm", image(0))):
            write_image(tmp_path / "data" / f"{name}{end}", array)
        write_flow(tmp_path / "data" / f"{name}_flow.flo", np.zeros((*image(0).shape[:2], 2)))
    names = [pair.name for pair in FlyingChairs(tmp_path, "all").pairs]
    assert names == ["10001", "99999", "100000"]


def test_sizes_that_differ(chairs):
    dataset = FlyingChairs(chairs, "all")
    write_image(chairs / "data" / "00001_img2.ppm", image(0, (6, 9)))
    with pytest.raises(
        CorruptFileError, match=r"one size, got 8x6 in .*00001_img1.ppm and 9x6 in .*00001_img2.ppm"
    ):
        dataset[0]
    write_flow(chairs / "data" / "00002_flow.flo", np.zeros((5, 8, 2)))
    with pytest.raises(CorruptFileError, match=r"got 8x5 in .*00002_flow.flo and 8x6 in .*img1"):
        dataset[1]


def test_frames_of_a_video_in_the_order_of_their_numbers(tmp_path):
    for number in (10, 9, 1, 100):
        write_image(tmp_path / f"frame{number}.png", image(number))
    write_image(tmp_path / "frame1_flow.png", image(7))  # a picture of an earlier result
    (tmp_path / ".hidden.png").write_text("")
    (tmp_path / "notes.txt").write_text("")
    with pytest.warns(UserWarning, match="between frame10.png and frame100.png"):
        dataset = PairFolder(tmp_path)
    assert [(s.image1[0, 0, 0], s.image2[0, 0, 0]) for s in dataset] == [(1, 9), (9, 10), (10, 100)]
    assert [s.name for s in dataset] == ["frame1", "frame9", "frame10"]
    assert all(s.flow is None and s.valid is None for s in dataset)
    assert dataset.name == tmp_path.name


@pytest.mark.parametrize(
    ("numbers", "gaps"),
    [
        ((1, 2, 5), "between f2.png and f5.png. They"),
        ((10, 20, 30, 60, 70, 90), "between f30.png and f60.png (and in other places, 2 in all)."),
        ((10, 20, 30), None),
        ((5, 9), None),
        ((1033, 1066, 1100, 1133, 1150), None),  # milliseconds
    ],
)
def test_frames_that_are_missing_by_their_numbers(numbers, gaps, tmp_path, recwarn):
    for number in numbers:
        write_image(tmp_path / f"f{number}.png", image(7))
    assert len(PairFolder(tmp_path)) == len(numbers) - 1
    assert len(recwarn) == (gaps is not None)
    assert gaps is None or gaps in str(recwarn[0].message)


def test_frames_of_several_videos_in_one_folder(tmp_path):
    """As in KITTI's image_2: the last frame of a scene is no pair with the first of the next."""
    for scene in ("000000", "000001"):
        for number in (9, 10, 11):
            write_image(tmp_path / f"{scene}_{number}.png", image(number))
    names = [(pair.image1.stem, pair.image2.stem) for pair in PairFolder(tmp_path).pairs]
    assert names == [
        (f"{scene}_{number}", f"{scene}_{number + 1}")
        for scene in ("000000", "000001")
        for number in (9, 10)
    ]
    write_image(tmp_path / "000002_10.png", image(1))  # no video by itself
    assert len(PairFolder(tmp_path)) == 6


def test_a_clock_in_names_is_no_other_video(tmp_path):
    for second in ("12.00.58", "12.00.59", "12.01.00", "12.01.01"):
        write_image(tmp_path / f"{second}.png", image(7))
    assert len(PairFolder(tmp_path)) == 3


@pytest.mark.parametrize("extension", [".flo", ".pfm", ".png"])
def test_named_pairs(tmp_path, extension):
    for name in ("b", "a_b"):
        write_image(tmp_path / f"{name}_img1.png", image(1))
        write_image(tmp_path / f"{name}_img2.jpg", image(2))
    valid = np.ones((6, 8), bool)
    valid[2, 3] = False
    write_flow(tmp_path / f"b_flow{extension}", np.full((6, 8, 2), 3), valid)
    write_image(tmp_path / "preview.png", image(9))
    first, second = PairFolder(tmp_path)
    assert (first.name, second.name) == ("a_b", "b")
    assert first.flow is None
    assert second.flow[0, 0].tolist() == [3, 3]
    np.testing.assert_array_equal(second.valid, valid)


def test_named_pairs_that_are_not_clear(tmp_path):
    write_image(tmp_path / "a_img1.png", image(1))
    with pytest.raises(FileNotFoundError, match=r"the pair a in .* has no a_img2\.\*"):
        PairFolder(tmp_path)
    write_image(tmp_path / "a_img2.png", image(1))
    write_image(tmp_path / "a_img2.ppm", image(1))
    with pytest.raises(ValueError, match=r"both a_img2\.p.. and a_img2\.p.."):
        PairFolder(tmp_path)


def test_folders_without_a_pair(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no images in .*the folder is empty"):
        PairFolder(tmp_path)
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(FileNotFoundError, match=r"expected \.png, .* there is notes\.txt"):
        PairFolder(tmp_path)
    write_image(tmp_path / "one.png", image(1))
    with pytest.raises(ValueError, match=r"two images or more in .* only one\.png"):
        PairFolder(tmp_path)
    with pytest.raises(FileNotFoundError, match="a file, not a folder"):
        PairFolder(tmp_path / "one.png")


def test_open_dataset_by_kind(chairs):
    assert len(open_dataset(f"chairs:{chairs}")) == 3
    assert len(open_dataset(f"chairs-val:{chairs.parent}")) == 2
    assert len(open_dataset(f"chairs-all:{chairs}")) == 5
    assert open_dataset(f"chairs-val:{chairs}").name == "chairs-val"
    assert isinstance(open_dataset(f"folder:{chairs / 'data'}"), PairFolder)


def test_open_dataset_guesses(chairs, tmp_path):
    for path in (chairs, chairs.parent):
        dataset = open_dataset(path)
        assert isinstance(dataset, FlyingChairs) and len(dataset) == 5
    assert isinstance(open_dataset(str(chairs / "data")), PairFolder)
    folder = tmp_path / "with:colon"
    folder.mkdir()
    for number in range(3):
        write_image(folder / f"{number}.png", image(number))
    assert len(open_dataset(str(folder))) == 2


def test_open_dataset_guesses_a_scene_cache(tmp_path, monkeypatch):
    monkeypatch.setitem(DATASETS, "scenes", lambda root: ("opened", root))
    (tmp_path / "scenes.json").write_text("{}")
    assert open_dataset(tmp_path) == ("opened", tmp_path)


def test_open_dataset_errors(tmp_path):
    with pytest.raises(ValueError, match=r"'chiars' .* Did you mean 'chairs'"):
        open_dataset("chiars:/data")
    with pytest.raises(ValueError, match="Known: chairs, chairs-val"):
        open_dataset("xyz:/data")
    with pytest.raises(ValueError, match="expected folder:path"):
        open_dataset("folder:")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        open_dataset(str(tmp_path / "missing"))
    with pytest.raises(FileNotFoundError, match="no such folder"):
        open_dataset(f"folder:{tmp_path / 'missing'}")
    for drive in (r"C:\data\pairs", "d:/pairs"):
        with pytest.raises(FileNotFoundError, match="no data set at .*: no such folder"):
            open_dataset(drive)


def test_home_folder(chairs, monkeypatch):
    monkeypatch.setenv("HOME", str(chairs.parent))
    assert len(open_dataset("chairs:~/FlyingChairs_release")) == 3
    assert len(open_dataset("~/FlyingChairs_release")) == 5


def test_real_pairs(shared_dir):
    root = shared_dir / "data"
    train, val = open_dataset(f"chairs:{root}"), open_dataset(f"chairs-val:{root}")
    assert [sample.name for sample in train] == ["00001"]
    assert [sample.name for sample in val] == ["00002"]
    assert train[0].image1.shape == (384, 512, 3)


def mask(*pixels):
    grey = np.zeros((6, 8), np.uint8)
    for pixel in pixels:
        grey[pixel] = 255
    return grey


def test_masks_of_a_pair(chairs, tmp_path):
    (pair,) = FlyingChairs(chairs, "all")[:1].pairs
    plain = FlowDataset("masks", [pair])[0]
    assert plain.occluded is None and plain.valid.all()

    write_image(tmp_path / "occlusion.png", mask((1, 2)))
    write_image(tmp_path / "invalid.png", mask((3, 4)))
    files = pair._replace(occlusion=tmp_path / "occlusion.png", invalid=tmp_path / "invalid.png")
    sample = FlowDataset("masks", [files])[0]
    assert np.argwhere(sample.occluded).tolist() == [[1, 2]]
    assert np.argwhere(~sample.valid).tolist() == [[3, 4]]

    without_flow = FlowDataset("masks", [files._replace(flow=None)])[0]
    assert without_flow.valid is None and without_flow.occluded.sum() == 1


def test_occluded_is_what_the_flow_without_occluded_pixels_lacks(chairs, tmp_path):
    (pair,) = FlyingChairs(chairs, "all")[:1].pairs
    valid = mask((0, 0)) == 0
    write_flow(pair.flow, np.zeros((6, 8, 2)), valid)
    write_flow(tmp_path / "noc.flo", np.zeros((6, 8, 2)), valid & (mask((2, 5)) == 0))
    sample = FlowDataset("kitti", [pair._replace(flow_noc=tmp_path / "noc.flo")])[0]
    assert np.argwhere(sample.occluded).tolist() == [[2, 5]]
    assert np.argwhere(~sample.valid).tolist() == [[0, 0]]


@pytest.mark.parametrize("kind", ["occlusion", "invalid", "flow_noc"])
def test_masks_of_another_size(chairs, tmp_path, kind):
    (pair,) = FlyingChairs(chairs, "all")[:1].pairs
    path = tmp_path / ("other.flo" if kind == "flow_noc" else "other.png")
    if kind == "flow_noc":
        write_flow(path, np.zeros((5, 8, 2)))
    else:
        write_image(path, mask()[:5])
    with pytest.raises(CorruptFileError, match=r"image's size, got 8x5 in .*other.* and 8x6 in"):
        FlowDataset("masks", [pair._replace(**{kind: path})])[0]


def test_readable_leaves_out_and_names_what_is_not(chairs):
    dataset = FlyingChairs(chairs, "all")
    (chairs / "data/00002_flow.flo").write_bytes(b"PIEH")
    (chairs / "data/00003_img2.ppm").unlink()
    write_image(chairs / "data" / "00005_img1.ppm", image(0, (6, 9)))
    steps = []
    readable, complaints = dataset.readable(lambda done, total: steps.append((done, total)))
    assert [sample.name for sample in readable] == ["00001", "00004"]
    assert readable.name == "chairs-all"
    assert len(complaints) == 3
    for text, file in zip(complaints, ("00002_flow.flo", "00003_img2", "00005_img1"), strict=True):
        assert text.startswith(f"{file[:5]}: ") and file in text and "Errno" not in text
    assert steps == [(done, 5) for done in range(1, 6)]
    assert dataset[3:4].readable()[1] == []


def test_readable_stops_when_progress_does(chairs):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FlyingChairs(chairs, "all").readable(interrupt)


def test_pairs_are_left_out_by_name_or_place():
    pairs = [PairFiles(name, "a.png", "b.png") for name in ("f1", "f2", "f1", "f3")]
    dataset = FlowDataset("some", pairs)
    assert [pair.name for pair in dataset.without(["f1", 3]).pairs] == ["f2"]
    assert len(dataset.without([])) == 4
    with pytest.raises(ValueError, match=r"expected several names, got 'f1'; write \['f1'\]"):
        dataset.without("f1")
    with pytest.raises(ValueError, match="has no pair '4', -1, 9"):
        dataset.without(["f1", 9, -1, "4"])


def test_folders_that_archives_leave_are_none(tmp_path):
    for name in ("b", "a", ".hidden", "__MACOSX", "@eaDir"):
        (tmp_path / name).mkdir()
    assert [path.name for path in subfolders(tmp_path)] == ["a", "b"]


def test_a_pair_with_its_flow_in_numpys_format_and_names_in_capitals(tmp_path):
    image, flow = np.zeros((4, 6, 3), np.uint8), np.ones((4, 6, 2), np.float32)
    write_image(tmp_path / "a_IMG1.png", image)
    write_image(tmp_path / "a_IMG2.png", image)
    write_flow(tmp_path / "a_Flow.npy", flow)
    (sample,) = open_dataset(f"folder:{tmp_path}")
    assert sample.name == "a"
    np.testing.assert_array_equal(sample.flow, flow)


@pytest.mark.parametrize("spec", ["~nobody-here/x", "chairs:~nobody-here", "x" * 300])
def test_paths_that_cannot_be(spec):
    with pytest.raises(FileNotFoundError, match="nobody-here|xxx"):
        open_dataset(spec)
