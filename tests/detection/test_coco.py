"""COCO's format: images in the published layout, others' layouts, and with videos."""

import json
import shutil

import numpy as np
import pytest
from coco_tree import write_coco_tree

from tfflow.data import CorruptFileError, write_image
from tfflow.detection import CocoClips, open_coco


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return write_coco_tree(tmp_path_factory.mktemp("coco"), train=4, val=2)


@pytest.fixture
def tree(published, tmp_path):
    """A copy that may be changed."""
    return shutil.copytree(published, tmp_path / "coco")


def content(path):
    return json.loads(path.read_text())


# Images -----------------------------------------------------------------------------------------


def test_the_published_layout(published):
    train, val = open_coco(published)
    assert train.stills and val.stills and (len(train), len(val)) == (4, 2)
    assert train.classes == val.classes == ("person", "car", "toothbrush")  # 1, 3, 90
    assert train.images == published / "train2017"
    assert repr(val).startswith("2 images with 2 boxes of 3 classes (") and "val2017.json" in repr(
        val
    )
    listed = content(train.annotations)
    places = {1: 0, 3: 1, 90: 2}
    for entry, clip in zip(listed["images"], train):
        [frame] = clip
        assert clip.name == entry["file_name"] and frame.image.shape == (96, 128, 3)
        true = [
            each
            for each in listed["annotations"]
            if each["image_id"] == entry["id"] and not each["iscrowd"] and each["area"]
        ]
        lefts = [[x, y, x + width, y + height] for x, y, width, height in (t["bbox"] for t in true)]
        np.testing.assert_array_equal(frame.boxes, np.reshape(lefts, (-1, 4)))
        assert frame.classes.tolist() == [places[each["category_id"]] for each in true]
        assert len(set(frame.tracks.tolist())) == len(true)
    empty, grey, crowded = (train[number][0] for number in range(3))
    assert len(empty.boxes) == 0 and len(grey.boxes) and np.ptp(grey.image, axis=2).max() == 0
    assert len(crowded.boxes) == sum(e["image_id"] == 41 for e in listed["annotations"]) - 2


@pytest.mark.parametrize(
    ("lists", "images"),
    [
        ("annotations/instances_{split}2014.json", "{split}2014"),
        ("annotations/instances_{split}2017.json", "images/{split}2017"),
        ("annotations/instances_{split}.json", "images/{split}"),
        ("annotations/{split}.json", "{split}"),
        ("{split}.json", "images"),
        ("{split}.json", "."),
        ("{valid}/_annotations.coco.json", "{valid}"),  # Roboflow
    ],
)
def test_other_layouts(published, tmp_path, lists, images):
    for split, valid in (("train", "train"), ("val", "valid")):
        path = tmp_path / lists.format(split=split, valid=valid)
        folder = tmp_path / images.format(split=split, valid=valid)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(published / f"{split}2017", folder, dirs_exist_ok=True)
        shutil.copy(published / "annotations" / f"instances_{split}2017.json", path)
    train, val = open_coco(tmp_path)
    assert (len(train), len(val)) == (4, 2)
    assert train[1][0].boxes.shape[1] == val[1][0].boxes.shape[1] == 4


def test_a_folder_that_does_not_fit_is_refused(tree):
    with pytest.raises(FileNotFoundError, match="looked for .*instances_train.*; no folder"):
        open_coco(tree / "none")
    with pytest.raises(FileNotFoundError, match="there is 000000000009.jpg, 000000000025.jpg$"):
        open_coco(tree / "val2017")
    val = tree / "annotations" / "instances_val2017.json"
    shutil.copy(val, val.with_name("instances_val2014.json"))
    with pytest.raises(ValueError, match="instances_val2014.json, instances_val2017.json. Leave"):
        open_coco(tree)
    val.with_name("instances_val2014.json").unlink()
    others = [{"id": 1, "name": "dog"}, *content(val)["categories"][1:]]
    val.write_text(json.dumps({**content(val), "categories": others}))
    with pytest.raises(ValueError, match=r"same categories; different: \['dog', 'person'\]"):
        open_coco(tree)
    (tree / "train2017" / "000000000025.jpg").unlink()
    with pytest.raises(FileNotFoundError, match="1 of the 4 images .* first: 000000000025.jpg"):
        open_coco(tree)


def test_an_image_of_another_size_is_refused(tree):
    write_image(tree / "train2017" / "000000000025.jpg", np.zeros((128, 96, 3), np.uint8))
    train, _ = open_coco(tree)
    with pytest.raises(CorruptFileError, match="is 128x96 .* says 96x128: its boxes would"):
        train[1][0]


def test_an_empty_list_of_videos_and_annotations_without_a_box(tmp_path):
    content = {
        "categories": [{"id": 1, "name": "cat"}],
        "images": [{"id": 7, "file_name": "a.png"}],
        "videos": [],
        "annotations": [
            {"image_id": 7, "category_id": 1, "bbox": []},
            {"image_id": 7, "category_id": 1, "bbox": [1, 2, 3, 4]},
        ],
    }
    (tmp_path / "a.json").write_text(json.dumps(content))
    write_image(tmp_path / "a.png", np.zeros((16, 16, 3), np.uint8))
    clips = CocoClips(tmp_path / "a.json", tmp_path)
    assert clips.stills and clips[0][0].boxes.tolist() == [[1, 2, 4, 6]]


# With videos ------------------------------------------------------------------------------------


def write_videos(folder, **changes):
    for number in range(3):
        write_image(folder / f"{number}.png", np.full((30, 40, 3), number, np.uint8))
    content = {
        "categories": [{"id": 7, "name": "car"}, {"id": 2, "name": "person"}],
        "videos": [{"id": 1, "name": "street"}, {"id": 4, "name": "empty street"}],
        "images": [
            {"id": 12, "video_id": 1, "frame_id": 1, "file_name": "1.png"},
            {"id": 11, "video_id": 1, "frame_id": 0, "file_name": "0.png"},
            {"id": 13, "video_id": 4, "frame_index": 0, "file_name": "2.png"},
        ],
        "annotations": [
            {"image_id": 12, "category_id": 7, "instance_id": 5, "bbox": [2, 3, 10, 20]},
            {"image_id": 12, "category_id": 2, "track_id": 6, "bbox": [35, 0, 9, 9.5]},
            {"image_id": 12, "category_id": 2, "bbox": [0, 0, 9, 9], "iscrowd": 1},
        ],
        **changes,
    }
    path = folder / "boxes.json"
    path.write_text(json.dumps(content))
    return path


def test_videos(tmp_path):
    clips = CocoClips(write_videos(tmp_path), tmp_path)
    assert clips.classes == ("person", "car")
    assert [(clip.name, len(clip)) for clip in clips] == [("street", 2), ("empty street", 1)]
    first, second = clips[0]
    assert first.image.max() == 0 and len(first.boxes) == 0  # in the order of time
    assert second.image.min() == 1
    np.testing.assert_array_equal(second.boxes, [(2, 3, 12, 23), (35, 0, 40, 9.5)])
    np.testing.assert_array_equal(second.classes, [1, 0])
    np.testing.assert_array_equal(second.tracks, [0, 1])


def test_videos_without_images_and_ids_of_each_category(tmp_path):
    videos = [{"id": 1, "name": "street"}, {"id": 2, "name": "cut away"}]
    images = [{"id": 9, "video_id": 1, "frame_id": 0, "file_name": "0.png"}]
    boxes = [
        {"image_id": 9, "category_id": kind, "bbox": [1, 2, 3, 4], "track_id": 0} for kind in (7, 2)
    ]
    path = write_videos(tmp_path, videos=videos, images=images, annotations=boxes)
    (clip,) = CocoClips(path, tmp_path)
    assert clip.name == "street"
    assert clip[0].tracks.tolist() == [0, 1]


def test_numbers_as_text_and_ids_of_any_kind(tmp_path):
    ids = ["a7f", 2**70, 1.5, "a7f"]
    boxes = [{"image_id": 9, "category_id": 7, "bbox": [1, 2, 3, 4], "track_id": id} for id in ids]
    size = {"video_id": 1, "height": "30", "width": 40.0}
    images = [
        {"id": 10, "frame_id": "10", "file_name": "1.png", **size},
        {"id": 9, "frame_id": "9", "file_name": "0.png", **size},
    ]
    clips = CocoClips(write_videos(tmp_path, images=images, annotations=boxes), tmp_path)
    first, second = clips[0]
    assert first.image.max() == 0 and second.image.min() == 1
    assert first.tracks.tolist() == [0, 1, 2, 0]


def test_ids_that_fit_nothing_or_stand_twice(tree):
    path = tree / "annotations/instances_train2017.json"
    listed = content(path)

    def refused(message, **changes):
        path.write_text(json.dumps(listed | changes))
        with pytest.raises(CorruptFileError, match=message):
            open_coco(tree)

    as_text = [each | {"image_id": str(each["image_id"])} for each in listed["annotations"]]
    refused(
        f"all {len(as_text)} annotations are of images that are not listed", annotations=as_text
    )
    again = {"id": 3, "name": "again"}
    refused("stand twice in categories, the first: 3", categories=[*listed["categories"], again])
    refused("stand twice in images, the first: 9", images=[*listed["images"], listed["images"][0]])
    # Some images may be taken out of the list.
    path.write_text(json.dumps(listed | {"images": listed["images"][:2]}))
    train, _ = open_coco(tree)
    assert len(train) == 2


def test_videos_that_are_mixed_up_are_refused(tmp_path):
    listed = json.loads(write_videos(tmp_path).read_text())
    first, *others = listed["images"]

    def refused(message, **changes):
        with pytest.raises(CorruptFileError, match=message):
            CocoClips(write_videos(tmp_path, **changes), tmp_path)

    refused("stand twice in videos, the first: 1", videos=[{"id": 1, "name": "a"}] * 2)
    refused("two images of video 1 are its frame 0", images=[first | {"frame_id": 0}, *others])
    of_text = [each | {"video_id": str(each["video_id"])} for each in listed["images"]]
    refused("all 3 images are of videos that are not listed, the first: '1'", images=of_text)


def test_crowds_as_text_and_boxes_that_are_not_seen(tmp_path):
    def box(*sides, **more):
        return {"image_id": 12, "category_id": 7, "instance_id": 1, "bbox": sides, **more}

    size = {"video_id": 1, "height": 30, "width": 40}
    images = [{"id": 12, "frame_id": 0, "file_name": "0.png", **size}]
    boxes = [
        box(1, 2, 3, 4, iscrowd="0"),
        box(1, 2, 3, 4, iscrowd="1"),
        box(1, 2, 0, 4),
        box(50, 2, 3, 4),
    ]
    clips = CocoClips(write_videos(tmp_path, images=images, annotations=boxes), tmp_path)
    assert clips[0][0].boxes.tolist() == [[1, 2, 4, 6]]
    assert repr(clips).startswith("1 clips with 1 boxes of 2 classes")


def test_categories_of_one_name_are_told_apart(tmp_path):
    categories = [{"id": kind, "name": "dog"} for kind in (7, 2)]
    clips = CocoClips(write_videos(tmp_path, categories=categories), tmp_path)
    assert clips.classes == ("dog", "dog (7)")


@pytest.mark.parametrize(
    ("where", "change", "message"),
    [
        ("annotations", {"bbox": [1, 2, float("nan"), 4]}, "bbox of .1, 2, nan, 4."),
        ("annotations", {"bbox": [1, 2, float("inf"), 4]}, "bbox of .1, 2, inf, 4."),
        ("annotations", {"instance_id": None}, "instance_id or track_id"),
        ("annotations", {"instance_id": [1]}, "unhashable"),
        ("images", {"frame_id": "first"}, "first"),
        ("images", {"height": "tall"}, "tall"),
        ("images", {"width": float("inf")}, "infinity"),
    ],
)
def test_values_that_are_none_are_refused(tmp_path, where, change, message):
    entries = json.loads(write_videos(tmp_path).read_text())[where]
    path = write_videos(tmp_path, **{where: [{**entries[0], **change}]})
    with pytest.raises(CorruptFileError, match=f"{message}.*expected"):
        CocoClips(path, tmp_path)


def test_videos_refuse(tmp_path):
    images = [{"id": 12, "video_id": 1, "file_name": "0.png"}]
    with pytest.raises(CorruptFileError, match="frame_id or frame_index.*expected"):
        CocoClips(write_videos(tmp_path, images=images), tmp_path)
    (tmp_path / "boxes.json").write_text("{")
    with pytest.raises(CorruptFileError, match="is not COCO"):
        CocoClips(tmp_path / "boxes.json", tmp_path)
