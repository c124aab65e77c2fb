"""FlyingThings3D and its subset, built small in their true layouts."""

import shutil

import numpy as np
import pytest
from published_trees import names, put_flow, put_image, put_mask, roots_of, values

from tfflow.data import FlyingThings3D, FlyingThings3DSubset, open_dataset
from tfflow.data.datasets.things import SUBSET_EXCLUDED
from tfflow.data.files.errors import CorruptFileError


@pytest.fixture
def things(tmp_path):
    """Two sequences of three frames; flow and images tell sequence, frame, camera, direction."""
    release = tmp_path / "FlyingThings3D"
    for first, sequence in ((10, "TRAIN/A/0000"), (20, "TRAIN/B/0003"), (30, "TEST/A/0000")):
        for number in (6, 7, 8):
            for add, camera in ((0, "left"), (100, "right")):
                value = first + number + add
                file = f"{sequence}/{camera}/{number:04d}"
                put_image(release / f"frames_cleanpass/{file}.png", value)
                put_image(release / f"frames_cleanpass_webp/{file}.webp", value)
                put_image(release / f"frames_finalpass/{file}.png", value + 50)
                for way, title in (("into_future", "Future"), ("into_past", "Past")):
                    file = f"OpticalFlowInto{title}_{number:04d}_{camera[0].upper()}.pfm"
                    put_flow(
                        release / "optical_flow" / sequence / way / camera / file,
                        value if way == "into_future" else -value,
                    )
    return release


def test_things(things):
    for root in roots_of(things):
        dataset = FlyingThings3D(root)
        assert names(dataset) == [
            f"{place}/left/into_future/{number}"
            for place in ("A/0000", "B/0003")
            for number in ("0006", "0007")
        ]
    assert [values(s) for s in dataset][1:3] == [(17, 18, 17), (26, 27, 26)]
    assert dataset.name == "things" and dataset.pairs[0].image1.suffix == ".png"

    past = FlyingThings3D(things, camera="right", direction="into_past", split="test")
    assert names(past) == [f"A/0000/right/into_past/{n}" for n in ("0007", "0008")]
    assert values(past[0]) == (137, 136, -137)
    assert past.name == "things-right-into_past-test"

    assert values(FlyingThings3D(things, "final")[0]) == (66, 67, 16)

    everything = FlyingThings3D(things, "both", camera="both", direction="both")
    assert len(everything) == len(set(names(everything))) == 2 * 2 * 2 * 2 * 2
    assert names(everything)[0] == "clean/A/0000/left/into_future/0006"


def test_things_as_webp(things):
    (things / "frames_cleanpass").rename(things / "elsewhere")
    dataset = FlyingThings3D(things)
    assert dataset.pairs[0].image2.name == "0007.webp"
    assert values(dataset[0]) == (16, 17, 16)
    (things / "frames_finalpass").rename(things / "elsewhere2")
    with pytest.raises(
        FileNotFoundError, match=r"expected frames_finalpass/TRAIN or frames_finalpass_webp/TRAIN"
    ):
        FlyingThings3D(things, "final")


def test_things_unused_frames(things, tmp_path):
    unused = "TRAIN/A/0000/left/0008.png\nTRAIN/B/0003/right/0006.png\n"
    listed = tmp_path / "list.txt"
    listed.write_text(unused)
    assert names(FlyingThings3D(things, exclude=listed)) == [
        "A/0000/left/into_future/0006",
        "B/0003/left/into_future/0006",
        "B/0003/left/into_future/0007",
    ]
    assert len(FlyingThings3D(things)) == 4
    (things / FlyingThings3D.UNUSED_FILE).write_text(unused)
    assert len(FlyingThings3D(things)) == 3 and len(FlyingThings3D(things, camera="right")) == 3
    assert len(FlyingThings3D(things, direction="into_past")) == 3
    assert len(FlyingThings3D(things, exclude=False)) == 4
    listed.write_text("TRAIN/A/0000/left/0008.png\n0007\n")
    with pytest.raises(CorruptFileError, match=r"list.txt, line 2: expected .* got '0007'"):
        FlyingThings3D(things, exclude=listed)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        FlyingThings3D(things, exclude=tmp_path / "nowhere")


@pytest.mark.parametrize(
    "missing",
    [
        "frames_cleanpass/TRAIN/B/0003/left/0007.png",
        "frames_cleanpass/TRAIN/A/0000/left/0006.png",  # the first
        "frames_cleanpass/TRAIN/A/0000/left/0008.png",  # the last, whose flow is there
        "optical_flow/TRAIN/A/0000/into_future/left/OpticalFlowIntoFuture_0007_L.pfm",
    ],
)
def test_things_missing_file(things, missing):
    (things / missing).unlink()
    with pytest.raises(FileNotFoundError, match=f"{missing}, which is missing"):
        FlyingThings3D(things)


@pytest.mark.parametrize("missing", ["frames_cleanpass/TRAIN/B", "optical_flow/TRAIN/B"])
def test_things_missing_folder(things, missing):
    shutil.rmtree(things / missing)
    with pytest.raises(FileNotFoundError, match=f"expected the folder .*{missing}/0003/"):
        FlyingThings3D(things)


@pytest.fixture
def subset(tmp_path):
    """Frames 117 to 121 of two sequences that end with 118 and 121; pair 119 has NaN."""
    release = tmp_path / "FlyingThings3D_subset"
    for part in ("train", "val"):
        for number in range(117, 122):
            put_image(release / f"{part}/image_clean/left/{number:07d}.png", number)
        for number, other in ((117, 118), (119, 120), (120, 121)):
            flow = release / part / "flow/left"
            put_flow(flow / f"into_future/{number:07d}.flo", number)
            put_flow(flow / f"into_past/{other:07d}.flo", -other)
        put_mask(release / f"{part}/flow_occlusions/left/into_future/0000117.png", (1, 2))
    return release


def test_things_subset(subset):
    for root in roots_of(subset):
        dataset = FlyingThings3DSubset(root)
        assert names(dataset) == ["left/into_future/0000117", "left/into_future/0000120"]
    assert [values(s) for s in dataset] == [(117, 118, 117), (120, 121, 120)]
    assert np.argwhere(dataset[0].occluded).tolist() == [[1, 2]]
    assert dataset[1].occluded is None
    assert len(FlyingThings3DSubset(subset, exclude=False)) == 3
    assert len(FlyingThings3DSubset(subset, split="val")) == 3  # the list is of the training pairs

    past = FlyingThings3DSubset(subset, direction="into_past")  # 121 is in its list
    assert [values(s) for s in past] == [(118, 117, -118), (120, 119, -120)]
    assert len(FlyingThings3DSubset(subset, direction="both")) == 4
    counts = [len(numbers) for numbers in SUBSET_EXCLUDED.values()]
    assert counts == [19, 12, 4, 11]

    with pytest.raises(FileNotFoundError, match=r"no complete .* but no train/image_final"):
        FlyingThings3DSubset(subset, "final")
    (subset / "train/image_clean/left/0000118.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"0000117.flo needs .*left/0000118.png, which"):
        FlyingThings3DSubset(subset)


@pytest.mark.parametrize(
    "kind, count",
    [
        ("things", 4),
        ("things-test", 2),
        ("things-final", 4),
        ("things-final-test", 2),
        ("things-subset", 2),
        ("things-subset-val", 3),
    ],
)
def test_kinds(things, subset, kind, count):
    dataset = open_dataset(f"{kind}:{things.parent}")
    assert (dataset.name, len(dataset)) == (kind, count)
