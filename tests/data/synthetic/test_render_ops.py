"""The keras.ops renderer against the OpenCV one, on the backend of the session and on JAX."""

import dataclasses
import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

from tfflow.data.synthetic import SceneConfig, make_pool, render, sample_scene, scene_batches
from tfflow.data.synthetic.render_ops import draw, pack_scenes

CONFIG = SceneConfig(
    height=64,
    width=96,
    objects=(2, 5),
    non_rigid=0.5,
    drop_shadow=0.5,
    light=0.5,
    blur=0.5,
    motion_blur=0.0,
    jpeg=0.0,
    textures=6,
    texture_size=128,
    shapes=24,
    scenes_per_pool=4,
)


def compare(config, frames, indices):
    pool = make_pool(config, 0, 0)
    scenes = [sample_scene(config, 0, index) for index in indices]
    drawn = draw(pack_scenes(scenes, frames), *pool, config=config, frames=frames)
    drawn = {name: np.array(value) for name, value in drawn.items()}
    for i, scene in enumerate(scenes):
        expected = render(scene, frames, pool)
        same = drawn["ids"][i] == expected.ids
        assert same.mean() > 0.9999  # alpha = 0.5 up to rounding
        # From time 0 both are exact; later, OpenCV's renderer interpolates deformations.
        error = np.abs(drawn["flows"][i] - expected.flows).max(-1)
        assert error[0][same[0]].max() < 2e-5
        assert error[same[:-1]].max() < 0.01
        assert (drawn["occlusions"][i] != expected.occlusions).mean() < 0.001
        difference = np.abs(255 * drawn["images"][i] - expected.images)
        assert difference.mean() < 0.7 and np.percentile(difference, 99.9) <= 4
    return drawn


def test_agrees_with_opencv():
    drawn = compare(CONFIG, 3, (0, 1, 2, 3))
    assert np.abs(drawn["flows"]).max() > 3
    assert 0 < drawn["occlusions"].mean() < 0.6


def test_agrees_with_opencv_on_motion_blur():
    compare(dataclasses.replace(CONFIG, motion_blur=0.5), 2, (1, 2))


def test_scenes_must_belong_together():
    one = sample_scene(CONFIG, 0, 0)
    for other in (sample_scene(CONFIG, 1, 0), sample_scene(CONFIG, 0, 4)):
        with pytest.raises(ValueError, match="must share"):
            pack_scenes([one, other])


TINY = dataclasses.replace(CONFIG, height=32, width=32, objects=(1, 2), blur=0.0, blur_sigma=0.0)


def test_scene_batches_are_the_scenes_in_order():
    batches = scene_batches(TINY, 2, seed=3)
    taken = [next(batches) for _ in range(3)]  # the third comes from the second pool
    batches.close()
    for number, (images, flow, valid) in enumerate(taken):
        scene = sample_scene(TINY, 3, 2 * number)
        expected = render(scene, 2, make_pool(TINY, 3, scene.pool))
        np.testing.assert_allclose(np.array(flow[0]), expected.flows[0], atol=2e-5)
        for name, image in zip(("image1", "image2"), expected.images):
            assert np.abs(255 * np.array(images[name][0]) - image).mean() < 1
        assert np.array(valid).shape == (2, 32, 32) and (np.array(valid) == 1).all()


def test_scene_batches_want_whole_pools():
    with pytest.raises(ValueError, match="multiple of batch_size"):
        next(scene_batches(TINY, 3))


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_on_jax():
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    code = (
        "import test_render_ops as t, keras; assert keras.backend.backend() == 'jax';"
        "t.test_scene_batches_are_the_scenes_in_order()"
    )
    folder = os.path.dirname(__file__)
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "PYTHONPATH": os.pathsep.join([folder, *filter(None, sys.path)])},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
