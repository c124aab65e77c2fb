import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tfflow.data import (
    CorruptFileError,
    FlyingChairs,
    SceneCache,
    SceneConfig,
    open_dataset,
    synthesize,
)
from tfflow.data.files.images import write_image
from tfflow.data.scenes import cache as scene_cache_module
from tfflow.data.scenes import layout as scene_layout
from tfflow.data.scenes import render, sample_scene
from tfflow.data.scenes.drawing import draw_part

CONFIG = SceneConfig(
    height=48,
    width=70,  # no multiple of 8: the occlusion's last byte is half used
    objects=(1, 3),
    textures=4,
    texture_size=96,
    shapes=8,
    scenes_per_pool=8,
)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(scene_layout, "SCENES_PER_SHARD", 4)


@pytest.fixture
def in_this_process(monkeypatch):
    """Starting Python takes longer than drawing; two tests go without this."""

    def draw(root, missing, workers):
        for number in missing:
            draw_part(root, number)
            yield number

    monkeypatch.setattr(scene_cache_module, "_draw", draw)


def digests(root):
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {p.relative_to(root): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture
def cache(tmp_path, in_this_process):
    return synthesize(tmp_path / "scenes", 10, CONFIG, seed=5)


def test_reads_what_was_drawn(cache):
    scenes = SceneCache(cache)
    assert len(scenes) == 10 and scenes.size == (48, 70) and scenes.name == "scenes"
    for index in (0, 5, 9):
        expected = render(sample_scene(CONFIG, 5, index))
        sample = scenes[index]
        np.testing.assert_array_equal(sample.image1, expected.images[0])
        np.testing.assert_array_equal(sample.image2, expected.images[1])
        assert sample.flow.dtype == np.float32
        assert np.abs(sample.flow - expected.flows[0]).max() <= 1 / 128
        assert sample.valid.dtype == bool and sample.valid.all()
        assert sample.name == f"scene-{index:06d}"
        np.testing.assert_array_equal(sample.occluded, expected.occlusions[0])
        np.testing.assert_array_equal(scenes.occlusion(index), expected.occlusions[0])


def test_parts_of_a_cache(cache):
    scenes = SceneCache(cache)
    held_out = scenes[-3:]
    assert [sample.name for sample in held_out] == [f"scene-{i:06d}" for i in (7, 8, 9)]
    assert len(scenes[:-3]) == 7 and scenes[2:8][1].name == "scene-000003"
    np.testing.assert_array_equal(held_out[0].occluded, scenes.occlusion(7))
    with pytest.raises(IndexError):
        held_out[3]


def test_samples_are_read_without_pythons_parser(cache, monkeypatch):
    """Several threads read samples, and Python 3.11's parser may fail if another one parses."""
    scenes = SceneCache(cache)
    monkeypatch.delattr(np.lib.format, "read_magic")
    monkeypatch.delattr(np, "load")
    assert scenes[3].flow.shape == (48, 70, 2) and scenes.occlusion(3).shape == (48, 70)


def test_a_file_that_was_cut_off_after_the_cache_was_opened(cache):
    scenes = SceneCache(cache)
    path = cache / "shard-00001" / "flow.npy"
    with path.open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(CorruptFileError, match="flow.npy is cut off"):
        scenes[5]


def test_crops_are_parts_of_the_whole(cache):
    scenes = SceneCache(cache)
    rows, columns = slice(3, 40), slice(10, 50)
    image1, image2, flow = scenes.read(6, rows, columns)
    whole = scenes[6]
    np.testing.assert_array_equal(image1, whole.image1[rows, columns])
    np.testing.assert_array_equal(image2, whole.image2[rows, columns])
    np.testing.assert_array_equal(flow, whole.flow[rows, columns])


def test_same_bytes_after_an_interruption(cache, tmp_path, monkeypatch):
    whole = digests(cache)
    broken = tmp_path / "broken"

    def die(path, array):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(scene_layout.np, "save", die)
        with pytest.raises(KeyboardInterrupt):
            synthesize(broken, 10, CONFIG, seed=5)
    assert (broken / ".shard-00000.partial").is_dir()  # half done, and not taken for whole
    with pytest.raises(FileNotFoundError, match="not finished"):
        SceneCache(broken)
    shutil.copytree(cache / "shard-00001", broken / "shard-00001")
    drawn = []
    synthesize(broken, 10, CONFIG, seed=5, progress=lambda done, total: drawn.append(done))
    assert drawn == [4, 8, 10]  # one shard was there
    assert digests(broken) == whole


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00\x14\x00{'shape': (4, (5, 2)"])
def test_a_damaged_shard_is_drawn_again(cache, content):
    whole = digests(cache)
    (cache / "shard-00001" / "flow.npy").write_bytes(content)
    synthesize(cache, 10, CONFIG, seed=5)
    assert digests(cache) == whole


def test_extending_gives_the_same_as_drawing_at_once(cache, tmp_path):
    small = synthesize(tmp_path / "small", 6, CONFIG, seed=5)
    opened = SceneCache(small)
    before = [sample.image1.copy() for sample in opened]
    synthesize(small, 10, CONFIG, seed=5)
    assert digests(small) == digests(cache)
    for sample, image in zip(opened, before, strict=True):  # what is open stays what it is
        np.testing.assert_array_equal(sample.image1, image)


def test_partial_caches_can_be_read(cache):
    shutil.rmtree(cache / "shard-00002")
    assert len(SceneCache(cache, partial=True)) == 8
    shutil.rmtree(cache / "shard-00000")
    with pytest.raises(FileNotFoundError, match="shard-00000"):
        SceneCache(cache, partial=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"config": SceneConfig(**{**CONFIG.to_dict(), "noise": 1.0})},
            "noise is 5.0 .* 1.0 asked",
        ),
        ({"seed": 6}, "another seed: 5 there, 6 asked for"),
        ({"layout": "chairs"}, "another layout"),
        ({"count": 5}, "holds 10 scenes, more than the 5"),
    ],
)
def test_scenes_are_not_mixed(cache, arguments, message):
    before = digests(cache)
    arguments = {"count": 10, "config": CONFIG, "seed": 5, **arguments}
    with pytest.raises(ValueError, match=message):
        synthesize(cache, **arguments)
    assert digests(cache) == before


def test_other_versions_are_not_read(cache, monkeypatch):
    monkeypatch.setattr(scene_layout, "VERSION", scene_layout.VERSION + 1)
    with pytest.raises(ValueError, match="draw it anew"):
        SceneCache(cache)
    with pytest.raises(ValueError, match="another version"):
        synthesize(cache, 10, CONFIG, seed=5)


def test_bad_places_and_arguments(tmp_path, cache):
    with pytest.raises(FileNotFoundError, match="holds no synthetic scenes"):
        SceneCache(tmp_path)
    with pytest.raises(FileExistsError, match="not empty"):
        synthesize(tmp_path, 4, CONFIG)
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(NotADirectoryError, match="is a file"):
        synthesize(file, 4, CONFIG)
    with pytest.raises(ValueError, match="count must be"):
        synthesize(tmp_path / "new", 0, CONFIG)
    with pytest.raises(ValueError, match="layout must be"):
        synthesize(tmp_path / "new", 4, CONFIG, layout="kitti")
    assert not (tmp_path / "new").exists()
    (cache / "scenes.json").write_text("{}")
    with pytest.raises(ValueError, match="damaged"):
        SceneCache(cache)


def test_chairs_layout(tmp_path, in_this_process):
    root = synthesize(tmp_path / "chairs", 12, CONFIG, seed=5, layout="chairs")
    train, validation = FlyingChairs(root, "train"), FlyingChairs(root, "val")
    assert len(train) == 11 and len(validation) == 1
    expected = render(sample_scene(CONFIG, 5, 9))
    sample = validation[0]
    np.testing.assert_array_equal(sample.image2, expected.images[1])
    np.testing.assert_array_equal(sample.flow, expected.flows[0])
    assert len(open_dataset(root)) == 12
    with pytest.raises(ValueError, match="FlyingChairs"):
        SceneCache(root)
    # One file lost: its part is drawn again.
    (root / "FlyingChairs_release" / "data" / "00003_flow.flo").unlink()
    synthesize(root, 12, CONFIG, seed=5, layout="chairs")
    np.testing.assert_array_equal(train[2].flow, render(sample_scene(CONFIG, 5, 2)).flows[0])
    # Interrupted between the last pair and the split.
    split = root / "FlyingChairs_release" / "FlyingChairs_train_val.txt"
    whole = split.read_text()
    split.write_text("1\n" * 6)
    synthesize(root, 12, CONFIG, seed=5, layout="chairs")
    assert split.read_text() == whole


def test_a_cache_from_before_there_was_a_setting_goes_on(tmp_path):
    synthesize(tmp_path, 1, CONFIG, 5)
    path = tmp_path / "scenes.json"
    description = json.loads(path.read_text())
    del description["config"]["parallax"]
    path.write_text(json.dumps(description))
    synthesize(tmp_path, 2, CONFIG, 5)
    assert len(SceneCache(tmp_path)) == 2


def test_workers_draw_the_same(cache, tmp_path):
    script = (
        "import sys; from tfflow.data import SceneConfig, synthesize; "
        "from tfflow.data.scenes import layout; "
        f"synthesize(sys.argv[1], 70, SceneConfig(**{CONFIG.to_dict()}), 5, workers=2)"
    )
    # Without `if __name__ == '__main__'`, which users forget.
    result = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "by_two"], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    by_two = SceneCache(tmp_path / "by_two")
    assert len(by_two) == 70
    for index in range(10):
        for one, other in zip(by_two[index], SceneCache(cache)[index]):
            np.testing.assert_array_equal(one, other)


def test_calls_at_the_same_time_wait_for_each_other(tmp_path, cache):
    """As the workers of a multi-worker run make them."""
    begun = threading.Barrier(3)
    counts = [[], [], []]

    def draw(number):
        begun.wait()
        noted = counts[number]
        synthesize(tmp_path / "shared", 10, CONFIG, 5, progress=lambda n, _: noted.append(n))

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(draw, range(3)))
    assert digests(tmp_path / "shared") == digests(cache)
    assert sorted(counts) == [[0, 4, 8, 10], [10], [10]]  # one has drawn


def test_a_finished_folder_may_be_one_to_read_only(cache, monkeypatch):
    def refuse(*_):
        raise PermissionError("read-only")

    monkeypatch.setattr(scene_layout, "write_description", refuse)
    assert synthesize(cache, 10, CONFIG, seed=5) == cache


@pytest.mark.parametrize("name", ["images", "occlusion"])
def test_a_shard_without_one_of_its_files_is_drawn_again(cache, name):
    whole = digests(cache)
    (cache / "shard-00001" / f"{name}.npy").unlink()
    synthesize(cache, 10, CONFIG, seed=5)
    assert digests(cache) == whole


def test_a_failing_worker_is_reported(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "cv2.py").write_text("raise ImportError('broken')")
    with pytest.raises(RuntimeError, match="pip install opencv-python-headless"):
        synthesize(tmp_path / "scenes", 4, CONFIG, workers=1)
    assert not (tmp_path / "scenes" / "shard-00000").exists()


@pytest.mark.parametrize("workers", [0, -1, 2.5])
def test_a_wrong_number_of_workers_is_refused_before_anything_is_made(workers, tmp_path):
    with pytest.raises(ValueError, match="workers must be a whole number"):
        synthesize(tmp_path / "scenes", 4, CONFIG, workers=workers)
    assert not list(tmp_path.iterdir())


def test_workers_may_say_much(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONVERBOSE", "2")  # more than a pipe holds
    assert len(SceneCache(synthesize(tmp_path / "scenes", 4, CONFIG, workers=1))) == 4


def test_a_folder_that_was_drawn_anew_is_read_anew(tmp_path):
    for seed in (1, 2):
        shutil.rmtree(tmp_path / "scenes", ignore_errors=True)
        cache = SceneCache(synthesize(tmp_path / "scenes", 1, CONFIG, seed))
        expected = render(sample_scene(CONFIG, seed, 0)).images[0]
        np.testing.assert_array_equal(cache[0].image1, expected)


def photographs(folder, side=48):
    folder.mkdir()
    grey = np.random.default_rng(0).integers(0, 256, (side, side + 9, 3), np.uint8)
    write_image(folder / "a.png", grey)
    return dataclasses.replace(CONFIG, photographs=folder)


def test_photographs_are_looked_at_before_anything_is_made(tmp_path):
    config = dataclasses.replace(CONFIG, photographs=tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="no images in .*nowhere"):
        synthesize(tmp_path / "scenes", 4, config)
    small = photographs(tmp_path / "small", side=47)
    with pytest.raises(ValueError, match="none of the 1 images .* at least 48 pixels"):
        synthesize(tmp_path / "scenes", 4, small)
    assert not (tmp_path / "scenes").exists()


def test_finished_scenes_do_without_their_photographs_and_drawing_without_broken_links(tmp_path):
    config = photographs(tmp_path / "photographs")
    (tmp_path / "photographs" / "link.png").symlink_to(tmp_path / "nowhere.png")
    synthesize(tmp_path / "scenes", 4, config, workers=1)
    shutil.rmtree(tmp_path / "photographs")
    assert len(SceneCache(synthesize(tmp_path / "scenes", 4, config, workers=1))) == 4
    with pytest.raises(FileNotFoundError, match="no images in .*photographs"):
        synthesize(tmp_path / "scenes", 5, config, workers=1)


def test_scenes_of_a_newer_version_are_not_called_damaged(tmp_path):
    synthesize(tmp_path, 2, CONFIG, workers=1)
    description = json.loads((tmp_path / "scenes.json").read_text())
    description["config"]["fog"] = 0.5
    (tmp_path / "scenes.json").write_text(json.dumps(description))
    with pytest.raises(ValueError, match="of a newer tfflow, with the options fog: update tfflow"):
        SceneCache(tmp_path)


@pytest.mark.parametrize("layout", scene_layout.LAYOUTS)
def test_photographs_may_move_but_not_change(layout, tmp_path):
    """And scenes drawn below them are not photographs."""
    config = photographs(tmp_path / "photographs")
    folder = tmp_path / "photographs" / "scenes"

    def draw(count, config):
        synthesize(folder, count, config, workers=1, layout=layout)
        scenes = open_dataset(str(folder) if layout == "shards" else f"chairs-all:{folder}")
        return [scene.image1 for scene in scenes]

    before = draw(6, config)
    moved = (tmp_path / "photographs").rename(tmp_path / "moved")
    folder = moved / "scenes"
    config = dataclasses.replace(CONFIG, photographs=moved)
    np.testing.assert_array_equal(draw(7, config)[:6], before)
    write_image(moved / "b.png", np.zeros((50, 50, 3), np.uint8))
    with pytest.raises(ValueError, match="another photographs: their names or sizes differ"):
        draw(8, config)
    with pytest.raises(ValueError, match="another photographs"):
        draw(8, CONFIG)


def test_flow_that_a_file_cannot_hold_is_not_known(tmp_path):
    config = dataclasses.replace(CONFIG, motion_scale=60.0, still_camera=0.0)
    scenes = SceneCache(synthesize(tmp_path / "fast", 6, config, workers=1))
    unknown = 0
    for index, scene in enumerate(scenes):
        flow = render(sample_scene(config, 0, index)).flows[0]
        np.testing.assert_array_equal(scene.valid, (np.abs(flow) < 511.98).all(-1))
        np.testing.assert_allclose(scene.flow[scene.valid], flow[scene.valid], atol=1 / 128)
        unknown += (~scene.valid).sum()
    assert unknown > 1000
