"""Clips with boxes: synthetic ones, ImageNet VID's layout."""

import numpy as np
import pytest

from tfflow.data import CorruptFileError, SceneConfig, write_image
from tfflow.data.scenes import render, sample_scene, shapes
from tfflow.data.scenes.pool import cached_pool
from tfflow.detection import ImageNetVID, SyntheticClips

SMALL = SceneConfig(
    height=64, width=96, objects=(3, 6), textures=4, texture_size=128, shapes=24, shape_size=64
)


# Synthetic --------------------------------------------------------------------------------------


def test_boxes_hold_the_visible_pixels_exactly():
    clips = SyntheticClips(SMALL, count=3, frames=3, smallest=20)
    seen = 0
    for index, clip in enumerate(clips):
        scene = sample_scene(SMALL, 0, index)
        rendered = render(scene, 3)
        assert len(clip) == 3
        for time, frame in enumerate(clip):
            np.testing.assert_array_equal(frame.image, rendered.images[time])
            ids = rendered.ids[time]
            expected = {i for i in np.unique(ids) if i and (ids == i).sum() >= 20}
            assert set(frame.tracks) == expected
            for (x1, y1, x2, y2), kind, track in zip(frame.boxes, frame.classes, frame.tracks):
                y, x = np.nonzero(ids == track)
                assert (x1, y1, x2, y2) == (x.min(), y.min(), x.max() + 1, y.max() + 1)
                assert kind == cached_pool(SMALL, 0, scene.pool).kinds[scene.shape[track]]
                seen += 1
    assert seen > 10


def test_an_outline_is_of_the_class_that_is_said(monkeypatch):
    drawn = []

    def recorder(position):
        def draw(rng, mask):
            drawn.append(position)
            mask[8:16, 8:16] = 255

        return draw

    kinds = {recorder(i): share for i, share in enumerate(shapes.SHAPES.values())}
    monkeypatch.setattr(shapes, "SHAPES", kinds)
    said = [shapes.make_shape(np.random.default_rng(seed), 16)[1] for seed in range(40)]
    assert drawn == said
    assert len(set(drawn)) > 5


def test_a_pool_says_the_kinds_of_its_outlines():
    pool = cached_pool(SMALL, 0, 0)
    for number in (0, 7):
        rng = np.random.default_rng([0, 0, 3, number])
        outline, kind = shapes.make_shape(rng, SMALL.shape_size)
        np.testing.assert_array_equal(pool.shapes[number], outline)
        assert pool.kinds[number] == kind


def test_synthetic_clips_are_a_sequence():
    clips = SyntheticClips(SMALL, count=2, frames=2)
    assert len(clips) == 2 and clips[-1].name == "scene_000001"
    assert clips.classes[:3] == ("blob", "polygon", "ellipse") and len(clips.classes) == 9
    with pytest.raises(IndexError):
        clips[2]
    assert len(clips[0][1:]) == 1
    with pytest.raises(ValueError, match="frames must be a whole number of at least 1; got 0"):
        SyntheticClips(SMALL, frames=0)


def test_a_part_of_a_set_is_a_set():
    clips = SyntheticClips(SMALL, count=6, frames=2, hues=True)
    part = clips[1:6:2]
    assert len(part) == 3 and part.classes == clips.classes
    assert [clip.name for clip in part] == [f"scene_00000{n}" for n in (1, 3, 5)]
    np.testing.assert_array_equal(part[-1][1].image, clips[5][1].image)
    assert part[1:][0].name == "scene_000003" and clips[np.int64(2)].name == "scene_000002"
    assert repr(part).startswith("3 of ")
    descriptions = [clips.describe(), part.describe(), clips[:3].describe(), part[1:].describe()]
    assert all(descriptions.count(one) == 1 for one in descriptions)
    with pytest.raises(IndexError):
        part[3]


# ImageNet VID -----------------------------------------------------------------------------------


def write_vid(root, split, clip, objects):
    """A clip of flat frames; objects: one list of (wnid, track, xmin, ymin, xmax, ymax) each."""
    for time, of_frame in enumerate(objects):
        image = root / "Data" / "VID" / split / clip / f"{time:06d}.JPEG"
        image.parent.mkdir(parents=True, exist_ok=True)
        picture = np.full((30, 40, 3), 10 * time, np.uint8)
        write_image(image.with_suffix(".jpg"), picture)
        image.with_suffix(".jpg").rename(image)
        items = "".join(
            f"<object><trackid>{track}</trackid><name>{wnid}</name><bndbox><xmax>{x2}</xmax>"
            f"<xmin>{x1}</xmin><ymax>{y2}</ymax><ymin>{y1}</ymin></bndbox>"
            "<occluded>0</occluded><generated>1</generated></object>"
            for wnid, track, x1, y1, x2, y2 in of_frame
        )
        path = root / "Annotations" / "VID" / split / clip / f"{time:06d}.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"<annotation><folder>{clip}</folder><filename>{time:06d}</filename><size><width>40"
            f"</width><height>30</height></size>{items}</annotation>"
        )


def test_imagenet_vid(tmp_path):
    dog, zebra = ("n02084071", 3, 5, 6, 20, 22), ("n02391049", 0, 1, 2, 44, 29)
    write_vid(tmp_path, "val", "ILSVRC2015_val_00000001", [[dog, zebra], [], [dog]])
    write_vid(tmp_path, "val", "ILSVRC2015_val_00000000", [[zebra]])
    write_vid(tmp_path, "train", "ILSVRC2015_VID_train_0000/ILSVRC2015_train_00000000", [[dog]] * 2)
    clips = ImageNetVID(tmp_path)
    assert [clip.name for clip in clips] == ["ILSVRC2015_val_00000000", "ILSVRC2015_val_00000001"]
    frame, empty, last = clips[1]
    np.testing.assert_array_equal(frame.boxes, [(5, 6, 20, 22), (1, 2, 40, 29)])  # 44 is cut at 40
    assert [clips.classes[i] for i in frame.classes] == ["dog", "zebra"]
    np.testing.assert_array_equal(frame.tracks, [3, 0])
    assert empty.boxes.shape == (0, 4) and empty.classes.shape == empty.tracks.shape == (0,)
    assert abs(int(last.image.mean()) - 20) <= 1 and last.image.shape == (30, 40, 3)
    assert len(clips.classes) == 30

    train = ImageNetVID(tmp_path, "train")
    assert train[0].name == "ILSVRC2015_VID_train_0000/ILSVRC2015_train_00000000"
    np.testing.assert_array_equal(train[0][1].boxes, [(5, 6, 20, 22)])


def test_imagenet_vid_without_boxes_or_frames(tmp_path):
    line, outside = ("n02084071", 0, 5, 5, 5, 9), ("n02084071", 1, 60, 1, 70, 9)
    write_vid(tmp_path, "val", "clip", [[line, ("n02391049", 2, 1, 1, 9, 9), outside]])
    (tmp_path / "Data" / "VID" / "val" / "empty").mkdir()
    (clip,) = ImageNetVID(tmp_path)
    np.testing.assert_array_equal(clip[0].boxes, [(1, 1, 9, 9)])
    assert clip[0].tracks.tolist() == [2]


def test_imagenet_vid_refuses(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected the folder .*Data/VID/val"):
        ImageNetVID(tmp_path)
    with pytest.raises(ValueError, match='"train" or "val", got \'test\''):
        ImageNetVID(tmp_path, "test")
    write_vid(tmp_path, "val", "clip", [[("n00000000", 0, 1, 1, 2, 2)]])
    with pytest.raises(CorruptFileError, match=r"000000.xml is not as .* KeyError\('n00000000'\)"):
        ImageNetVID(tmp_path)[0][0]
    write_vid(tmp_path, "val", "clip", [[("n02084071", 0, 1, 1, "nan", 2)]])
    with pytest.raises(CorruptFileError, match=r"a box of \[1.0, 1.0, nan, 2.0\]"):
        ImageNetVID(tmp_path)[0][0]


def test_imagenet_vid_whose_files_do_not_fit(tmp_path):
    write_vid(tmp_path, "val", "clip", [[("n02084071", 0, 1, 1, 2, 2)]] * 2)
    boxes = tmp_path / "Annotations" / "VID" / "val" / "clip"
    first = boxes / "000000.xml"
    first.write_text(first.read_text().replace("<width>40", "<width>80"))
    (boxes / "000001.xml").unlink()
    clip = ImageNetVID(tmp_path)[0]
    with pytest.raises(CorruptFileError, match="000000.JPEG is 30x40 .*000000.xml says 30x80"):
        clip[0]
    with pytest.raises(FileNotFoundError, match="000001.JPEG has no boxes: expected them in .*xml"):
        clip[1]
