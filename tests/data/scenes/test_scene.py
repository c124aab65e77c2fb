import dataclasses
import json

import numpy as np
import pytest

from tfflow.data.scenes import SceneConfig, render, sample_scene
from tfflow.data.scenes.motion import (
    compose,
    deformation,
    deformation_bound,
    invert_affine,
    layer_affines,
    undo_deformation,
)
from tfflow.data.scenes.scene import MAX_STRETCH


def arrays(scene):
    values = {f.name: getattr(scene, f.name) for f in dataclasses.fields(scene)}
    return {k: v for k, v in values.items() if isinstance(v, np.ndarray)}


def test_same_arguments_give_the_same_scene():
    config = SceneConfig()
    first, second = (arrays(sample_scene(config, 3, 7)) for _ in range(2))
    assert len(first) > 15
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


@pytest.mark.parametrize(("seed", "index"), [(3, 8), (4, 7)])
def test_other_seeds_and_indices_give_other_scenes(seed, index):
    config = SceneConfig(objects=(5, 5))
    one, other = sample_scene(config, 3, 7), sample_scene(config, seed, index)
    assert not np.allclose(one.pose, other.pose)
    assert not np.allclose(one.texture_affine, other.texture_affine)


def test_config_survives_json():
    config = SceneConfig(height=64, width=96, objects=(1, 2), noise=1.5)
    assert SceneConfig(**json.loads(json.dumps(config.to_dict()))) == config
    of_numpy = SceneConfig(
        height=np.int64(64), width=np.uint8(96), objects=np.array([1, 2]), noise=np.float32(1.5)
    )
    assert of_numpy == config and json.dumps(of_numpy.to_dict()) == json.dumps(config.to_dict())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"height": 16}, "at least 32x32"),
        ({"width": 40_000}, "at most 32766 px a side, got 384x40000"),
        ({"texture_size": 8}, "texture_size must be a whole number of at least 16; got 8"),
        ({"width": 100.5}, "width must be a whole number"),
        ({"objects": (5, 3)}, "objects must be two numbers"),
        ({"objects": (5, 300)}, "at most 254"),
        ({"blur": 1.5}, "blur must be a probability"),
        ({"noise": -1.0}, "noise must be a number from 0 up"),
        ({"motion_scale": float("nan")}, "motion_scale must be"),
        ({"background_speed": (5.0,)}, "background_speed must be two numbers"),
    ],
)
def test_config_errors(change, message):
    with pytest.raises(ValueError, match=message):
        SceneConfig(**change)


def test_background_stands_where_the_frame_is_at_time_zero():
    scene = sample_scene(SceneConfig(), 0, 1)
    np.testing.assert_allclose(layer_affines(scene, 0)[0], [[1, 0, 0], [0, 1, 0]], atol=1e-12)


def test_attached_objects_move_with_the_camera():
    config = SceneConfig(attached_object=1.0, still_camera=0.0, background_rotation=3.0)
    moved = 0.0
    for index in range(5):
        scene = sample_scene(config, 0, index)
        now, later = layer_affines(scene, 0), layer_affines(scene, 1)
        step = compose(later, invert_affine(now))
        np.testing.assert_allclose(step, np.broadcast_to(step[:1], step.shape), atol=1e-9)
        moved += np.abs(step[0, :, :2] - np.eye(2)).max()
    assert moved > 0.05


def test_trajectories_are_smooth():
    config = SceneConfig(acceleration=0.1)
    for index in range(20):
        scene = sample_scene(config, 0, index)
        positions = np.stack([layer_affines(scene, t)[:, :, 2] for t in range(5)])
        steps = np.linalg.norm(np.diff(positions, axis=0), axis=-1)
        bends = np.linalg.norm(np.diff(positions, 2, axis=0), axis=-1)
        # A step changes by a fraction of itself; turning about the frame's centre adds a little.
        assert (bends < 0.6 * steps.max(0) + 1.0).all()


def test_motion_scale_scales_and_zero_stands_still():
    lengths = []
    for scale in (0.0, 0.25, 1.0):
        scene = sample_scene(SceneConfig(motion_scale=scale, objects=(9, 9)), 1, 2)
        lengths.append(np.abs(layer_affines(scene, 1) - layer_affines(scene, 0))[..., 2].mean())
    assert lengths[0] < 1e-9
    assert 0.15 < lengths[1] / lengths[2] < 0.35


def test_a_travelling_camera_moves_near_things_more_and_all_away_from_one_point():
    still = {
        "background_speed": (0.0, 0.0),
        "background_rotation": 0.0,
        "background_zoom": 0.0,
        "object_speed": (0.0, 0.0),
        "shear": 0.0,
    }
    scene = sample_scene(SceneConfig(parallax=1.0, objects=(12, 12), **still), 3, 0)
    middle = np.array([scene.config.width, scene.config.height]) / 2
    places, zoom = scene.pose[1:, 0, :2], scene.pose[0, 1, 3]
    background = scene.pose[0, 1, :2] + zoom * (places - middle)
    moved = scene.pose[1:, 1, :2] + background
    across = np.stack([-moved[:, 1], moved[:, 0]], axis=1)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    goal, *_ = np.linalg.lstsq(across, np.sum(across * places, axis=1), rcond=None)
    np.testing.assert_allclose(np.sum(across * (places - goal), axis=1), 0, atol=1e-6)
    growth = np.sum(moved * (places - goal), axis=1) / np.sum((places - goal) ** 2, axis=1)
    assert zoom > 0
    assert np.all(np.diff([zoom, *growth]) > 0)


def test_scenes_without_parallax_are_as_they_were():
    """Numbers of the version before there was parallax: caches on disk stay what they say."""
    before = SceneConfig().to_dict()
    del before["parallax"], before["travel"]
    scene = sample_scene(SceneConfig(**before), 0, 5)
    assert len(scene.texture) == 12 and scene.noise_offset.tolist() == [41, 39556]
    np.testing.assert_allclose(scene.pose[:, 1, :2].sum(0), [54.27801965, -22.31641073])


def test_deformations_can_be_undone():
    config = SceneConfig(non_rigid=1.0, deformation=30.0, objects=(2, 4))
    rng = np.random.default_rng(0)
    deformed = 0
    for index in range(10):
        scene = sample_scene(config, 0, index)
        for layer in range(len(scene.texture)):
            stretch = np.linalg.norm(scene.wave_amplitude[layer], axis=1)
            stretch = (stretch * np.linalg.norm(scene.wave_vector[layer], axis=1)).sum()
            assert stretch <= MAX_STRETCH + 1e-9
            y = rng.uniform(-200, 600, (2, 500)).astype(np.float32)
            qx, qy = undo_deformation(scene, layer, 1.0, *y)
            dx, dy = deformation(scene, layer, 1.0, qx, qy)
            assert max(np.abs(qx + dx - y[0]).max(), np.abs(qy + dy - y[1]).max()) < 0.001
            assert np.hypot(dx, dy).max() <= deformation_bound(scene, layer) + 1e-4
            deformed += np.hypot(dx, dy).max() > 1
    assert deformed > 10


def lengths_of_motion(count, **config):
    """(scenes, H / 2, W / 2): the flow's length in pixels."""
    # Surfaces move nothing; small ones are quickly made.
    plain = {"textures": 2, "texture_size": 64, "motion_blur": 0.0, "jpeg": 0.0}
    config = SceneConfig(**plain, **config)
    flows = (render(sample_scene(config, 0, index)).flows[0, ::2, ::2] for index in range(count))
    return np.stack([np.linalg.norm(flow, axis=-1) for flow in flows])


def test_motion_is_like_flying_chairs():
    lengths = lengths_of_motion(120, height=192, width=256)
    pixels = np.percentile(lengths, [25, 50, 75, 90, 99])
    assert 8 < lengths.mean() < 15
    assert (np.array([1, 3, 10, 22, 50]) < pixels).all()
    assert (pixels < np.array([3.5, 8, 25, 40, 100])).all()
    pairs = lengths.mean((1, 2))
    assert pairs.min() < 2.5 and pairs.max() > 30
    # One in six moves by 20 px or more as a whole: a first attempt had too few of them.
    assert np.percentile(pairs, 90) > 20


def test_motion_follows_motion_scale():
    small = lengths_of_motion(30, height=96, width=128, motion_scale=0.25)
    large = lengths_of_motion(30, height=96, width=128)
    assert 0.18 < small.mean() / large.mean() < 0.32
