"""Clips on disk: written once, the same clips when read, whole or not at all."""

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tfflow.data import SceneConfig
from tfflow.detection import CocoClips, MovingStills, SyntheticClips, clip_files, write_clips

SMALL = SceneConfig(
    height=64, width=96, objects=(2, 4), textures=4, texture_size=128, shapes=24, shape_size=64
)


def clips(count=3, **kwargs):
    return SyntheticClips(SMALL, count=count, frames=2, smallest=20, **kwargs)


class Listed(list):
    """Clips of one's own."""

    classes = clips().classes


def test_what_is_written_is_what_is_read(tmp_path):
    progress = []
    written = write_clips(
        clips(), tmp_path / "clips", workers=2, progress=lambda *a: progress.append(a)
    )
    read = CocoClips(tmp_path / "clips" / "annotations.json", tmp_path / "clips")
    assert progress == [(1, 3), (2, 3), (3, 3)] and len(written) == len(read) == 3
    assert read.classes == clips().classes
    seen = 0
    for of_disk, drawn in zip(read, clips()):
        assert of_disk.name == drawn.name and len(of_disk) == len(drawn) == 2
        same = set()
        for one, other in zip(of_disk, drawn):
            np.testing.assert_allclose(one.boxes, other.boxes)
            np.testing.assert_array_equal(one.classes, other.classes)
            same |= {*zip(one.tracks.tolist(), other.tracks.tolist(), strict=True)}
            assert np.abs(one.image.astype(int) - other.image).mean() < 8  # JPEG
            seen += len(one.boxes)
        assert len(dict(same)) == len({drawn for _, drawn in same}) == len(same)
    assert seen > 3


def test_an_interrupted_call_goes_on(tmp_path):
    whole = write_clips(clips(), tmp_path / "whole")

    class Failing(SyntheticClips):
        def __getitem__(self, index):
            if index == 2:
                raise KeyboardInterrupt
            return super().__getitem__(index)

    with pytest.raises(KeyboardInterrupt):
        write_clips(Failing(SMALL, count=3, frames=2, smallest=20), tmp_path / "half")
    assert not (tmp_path / "half" / "annotations.json").exists()
    record = tmp_path / "half" / "done.jsonl"
    lines = record.read_text().splitlines(keepends=True)
    assert len(lines) == 3
    record.write_text(lines[0] + lines[1] + lines[2][:-20])  # cut within a line
    with pytest.raises(ValueError, match="holds other clips: their seed differ"):
        write_clips(clips(seed=1), tmp_path / "half")

    drawn = []

    class Counting(SyntheticClips):
        def __getitem__(self, index):
            drawn.append(index)
            return super().__getitem__(index)

    write_clips(Counting(SMALL, count=3, frames=2, smallest=20), tmp_path / "half")
    assert drawn == [1, 2]
    texts = [(tmp_path / name / "annotations.json").read_text() for name in ("whole", "half")]
    assert json.loads(texts[0]) == json.loads(texts[1]) and len(whole) == 3
    assert not record.exists()


def test_a_finished_folder_is_read(tmp_path):
    write_clips(clips(), tmp_path)

    class NotDrawn(SyntheticClips):
        def __getitem__(self, index):
            raise AssertionError("drawn again")

    assert len(write_clips(NotDrawn(SMALL, count=3, frames=2, smallest=20), tmp_path)) == 3
    with pytest.raises(ValueError, match="holds other clips: their clips, count differ"):
        write_clips(clips(4), tmp_path)


def test_an_interruption_before_the_first_clip(tmp_path):
    (tmp_path / "done.jsonl").touch()
    assert len(write_clips(clips(1), tmp_path)) == 1


def test_calls_at_the_same_time_wait_for_each_other(tmp_path):
    drawn = []

    class Counting(SyntheticClips):
        def __getitem__(self, index):
            drawn.append(index)
            return super().__getitem__(index)

    def write(_):
        return write_clips(Counting(SMALL, count=3, frames=2, smallest=20), tmp_path / "shared")

    with ThreadPoolExecutor(3) as threads:
        assert [len(clips) for clips in threads.map(write, range(3))] == [3, 3, 3]
    assert drawn == [0, 1, 2]


def test_a_folder_of_other_clips_is_refused(tmp_path):
    drawn = clips(4)
    coco = write_clips(drawn[:2], tmp_path / "coco")
    other = write_clips(drawn[2:], tmp_path / "other")
    assert [clip.name for clip in other] == ["scene_000002", "scene_000003"]
    cases = (
        (drawn[:2], drawn[2:], "part"),
        (coco, other, "list"),
        (coco[:1], coco[1:], "part"),
        (MovingStills(coco, frames=2), MovingStills(coco, frames=3), "frames"),
        (MovingStills(coco, frames=2), MovingStills(other, frames=2), "images"),
        (Listed(drawn[:2]), Listed(drawn[2:]), "first"),
    )
    for number, (one, another, what) in enumerate(cases):
        folder = tmp_path / str(number)
        write_clips(one, folder)
        assert len(write_clips(one, folder)) == len(one)
        with pytest.raises(ValueError, match=f"holds other clips: their {what} differ"):
            write_clips(another, folder)


def test_clips_without_names_are_numbered(tmp_path):
    written = write_clips(Listed(list(clip) for clip in clips(2)), tmp_path)
    assert [clip.name for clip in written] == ["clip_000000", "clip_000001"]


def test_two_clips_of_one_name_are_refused(tmp_path):
    class Alike(list):
        classes = ("dog",)

    drawn = clips(1)[0]
    with pytest.raises(ValueError, match="two clips are named 'scene_000000'; give each"):
        write_clips(Alike([drawn, drawn]), tmp_path)
    assert not (tmp_path / "annotations.json").exists()


@pytest.mark.parametrize("name", ["/elsewhere/clip", "../clip", "a/../../clip", ""])
def test_a_name_that_leads_out_of_the_folder_is_refused(name, tmp_path):
    class Named(list):
        classes, name = ("dog",), None

    clip = Named(clips(1)[0])
    clip.name = name
    drawn = Named([clip])
    with pytest.raises(ValueError, match="a clip's name is that of its folder"):
        write_clips(drawn, tmp_path / "out")
    assert not list(tmp_path.rglob("*.jpg"))


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(FileExistsError, match="holds other files"):
        write_clips(clips(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_frames_further_apart(tmp_path):
    near = SyntheticClips(SMALL, count=1, frames=5, smallest=20)[0]
    far = SyntheticClips(SMALL, count=1, frames=3, step=2, smallest=20)[0]
    for index in range(3):
        np.testing.assert_array_equal(far[index].image, near[2 * index].image)
        np.testing.assert_array_equal(far[index].boxes, near[2 * index].boxes)
    with pytest.raises(ValueError, match="step must be a whole number of at least 1; got 0"):
        SyntheticClips(SMALL, step=0)


@pytest.mark.parametrize("killed", [False, True])
def test_another_process_may_begin_or_finish_in_between(killed, tmp_path, monkeypatch):
    look = clip_files._holds_files

    def stop(*_):
        if killed:
            raise KeyboardInterrupt

    def late(folder):
        monkeypatch.setattr(clip_files, "_holds_files", look)
        with contextlib.suppress(KeyboardInterrupt):
            write_clips(clips(), folder, progress=stop)
        return look(folder)

    monkeypatch.setattr(clip_files, "_holds_files", late)
    assert len(write_clips(clips(), tmp_path / "clips")) == len(clips())
