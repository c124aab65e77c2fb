import dataclasses

import cv2
import numpy as np
import pytest

from tfflow.data.scenes import SceneConfig, make_pool, render, sample_scene
from tfflow.data.scenes.rendering import light_map, tone_curve

# No photometric change at all: a pixel keeps its colour while it moves.
PLAIN = SceneConfig(
    height=128,
    width=192,
    objects=(3, 6),
    motion_scale=0.5,
    brightness=0.0,
    colour=0.0,
    light=0.0,
    drop_shadow=0.0,
    noise=0.0,
    blur=0.0,
    motion_blur=0.0,
    jpeg=0.0,
    textures=6,
    texture_size=256,
    shapes=24,
)


@pytest.fixture(scope="module")
def pool():
    return make_pool(PLAIN, 0, 0)


def targets(flow):
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    return x, flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]


def near_edges(ids, radius):
    kernel = np.ones((2 * radius + 1,) * 2, np.uint8)
    return cv2.dilate(ids, kernel) != cv2.erode(ids, kernel)


@pytest.mark.parametrize("non_rigid", [0.0, 1.0])
def test_second_frame_at_the_flow_is_the_first(pool, non_rigid):
    """Over three frames, so that flows that do not start at time 0 are checked as well."""
    config = dataclasses.replace(PLAIN, non_rigid=non_rigid)
    for index in range(6):
        scene = render(sample_scene(config, 0, index), 3, pool)
        for t in (0, 1):
            x, y = targets(scene.flows[t])
            warped = cv2.remap(scene.images[t + 1], x, y, cv2.INTER_LINEAR)
            difference = np.abs(warped.astype(float) - scene.images[t]).mean(-1)
            still = np.abs(scene.images[t + 1].astype(float) - scene.images[t]).mean()
            inside = ~scene.occlusions[t] & ~near_edges(scene.ids[t], 3)
            # What remains is the second interpolation of fine texture.
            assert difference[inside].mean() < min(3.0, 0.25 * still)
            assert np.percentile(difference[inside], 50) < 1.5


def test_wrong_flow_would_be_noticed(pool):
    scene = render(sample_scene(PLAIN, 0, 1), 2, pool)
    inside = ~scene.occlusions[0] & ~near_edges(scene.ids[0], 3)

    def error(flow):
        warped = cv2.remap(scene.images[1], *targets(flow), cv2.INTER_LINEAR)
        return np.abs(warped.astype(float) - scene.images[0]).mean(-1)[inside].mean()

    right = error(scene.flows[0])
    assert error(scene.flows[0] + np.float32([0.5, 0])) > 1.5 * right
    assert error(scene.flows[0] * np.float32([1, -1])) > 2 * right


def moved(scene, layer, dx, dy):
    """The scene with nothing moving except one layer, by (dx, dy) per frame."""
    pose = scene.pose.copy()
    pose[:, 1:] = 0
    pose[layer, 1, :2] = dx, dy
    return dataclasses.replace(scene, pose=pose, wave_amplitude=np.zeros_like(scene.wave_amplitude))


def test_whole_pixel_translation_is_exact(pool):
    scene = render(moved(sample_scene(PLAIN, 0, 2), 0, 7, -3), 2, pool)
    np.testing.assert_allclose(scene.flows[0], np.broadcast_to([7, -3], (128, 192, 2)), atol=1e-5)
    difference = scene.images[1][:-3, 7:].astype(int) - scene.images[0][3:, :-7]
    assert np.abs(difference).max() <= 1  # rounding
    expected = np.zeros((128, 192), bool)
    expected[:3], expected[:, -7:] = True, True
    np.testing.assert_array_equal(scene.occlusions[0], expected)


def test_occlusion_is_what_an_object_covers(pool):
    scene = sample_scene(dataclasses.replace(PLAIN, objects=(1, 1)), 0, 11)
    pose = scene.pose.copy()
    pose[1, 0, :2] = 90.5, 64.5
    scene = render(moved(dataclasses.replace(scene, pose=pose), 1, 20, 0), 2, pool)
    before, after = scene.ids == 1
    assert before.sum() > 200
    # The background stands still: it vanishes where the object comes to lie, and only there.
    np.testing.assert_array_equal(scene.occlusions[0], after & ~before)
    np.testing.assert_array_equal(after[:, 20:], before[:, :-20])
    np.testing.assert_allclose(scene.flows[0], before[..., None] * [20.0, 0.0], atol=1e-5)


def test_an_object_does_not_hide_itself(pool):
    """Rounded to whole pixels, its edge may come to lie beside it, on the background."""
    scene = sample_scene(dataclasses.replace(PLAIN, objects=(1, 1)), 0, 11)
    pose = scene.pose.copy()
    pose[1, 0, :2] = 90.5, 64.5
    scene = moved(dataclasses.replace(scene, pose=pose), 1, 3.3, 1.7)
    turning = scene.pose.copy()
    turning[1, 1, 2:4] = 0.2, -0.2
    drawn = render(dataclasses.replace(scene, pose=turning), 2, pool)
    assert (drawn.ids[0] == 1).sum() > 200 and not drawn.occlusions[0][drawn.ids[0] == 1].any()


def test_boxes_are_tight(pool):
    scene = render(sample_scene(PLAIN, 0, 3), 2, pool)
    boxes = scene.boxes(1)
    assert set(boxes) == set(np.unique(scene.ids[1])) - {0} and boxes
    for layer, (x0, y0, x1, y1) in boxes.items():
        rows, columns = np.nonzero(scene.ids[1] == layer)
        assert (x0, y0, x1, y1) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def test_more_frames_begin_like_fewer():
    config = SceneConfig(height=64, width=96, textures=4, texture_size=128, shapes=8)
    scene = sample_scene(config, 2, 5)
    two, four = render(scene), render(scene, 4)
    assert four.images.shape == (4, 64, 96, 3) and four.flows.shape == (3, 64, 96, 2)
    np.testing.assert_array_equal(two.images, four.images[:2])
    np.testing.assert_array_equal(two.flows[0], four.flows[0])
    np.testing.assert_array_equal(two.ids, four.ids[:2])
    one = render(scene, 1)
    assert one.flows.shape == (0, 64, 96, 2) and one.occlusions.shape == (0, 64, 96)


def test_flow_chains_over_frames(pool):
    """Following a background pixel step by step ends where the scene says it is."""
    config = dataclasses.replace(PLAIN, objects=(0, 0), non_rigid=1.0, motion_scale=0.3)
    for index in range(4):
        scene = render(sample_scene(config, 1, index), 3, pool)
        x, y = targets(scene.flows[0])
        second = cv2.remap(scene.flows[1], x, y, cv2.INTER_LINEAR)
        x, y = x + second[..., 0], y + second[..., 1]
        warped = cv2.remap(scene.images[2], x, y, cv2.INTER_LINEAR)
        inside = ~scene.occlusions[0] & (x > 0) & (y > 0) & (x < 191) & (y < 127)
        difference = np.abs(warped.astype(float) - scene.images[0]).mean(-1)[inside]
        assert difference.mean() < 3


def test_photometric_change_leaves_the_flow_alone(pool):
    config = dataclasses.replace(
        PLAIN, brightness=0.3, light=1.0, noise=10.0, blur=1.0, jpeg=1.0, motion_blur=1.0
    )
    scene = sample_scene(config, 0, 4)
    plain = dataclasses.replace(
        scene,
        photometric=np.array([0, 0, 0, 0, 1, 0, 0, 0.0]),
        light=np.zeros(6),
        blur=np.zeros(2),
        jpeg=0,
    )
    changed, plain = render(scene, 2, pool), render(plain, 2, pool)
    np.testing.assert_array_equal(changed.flows, plain.flows)
    np.testing.assert_array_equal(changed.ids, plain.ids)
    assert np.abs(changed.images.astype(float) - plain.images).mean() > 3


def test_exposure_drifts_and_light_moves():
    config = dataclasses.replace(PLAIN, brightness=0.3, colour=0.1, light=1.0, motion_scale=1.0)
    scene = sample_scene(config, 0, 6)
    assert np.abs(tone_curve(scene, 0) - tone_curve(scene, 1)).max() > 1
    x, y = np.arange(192, dtype=np.float32), np.arange(128, dtype=np.float32)[:, None]
    assert np.abs(light_map(scene, 0, x, y) - light_map(scene, 1, x, y)).max() > 1e-3


def test_frames_must_be_positive(pool):
    with pytest.raises(ValueError, match="at least 1"):
        render(sample_scene(PLAIN, 0, 0), 0, pool)


def test_frames_further_apart(pool):
    scene = sample_scene(PLAIN, 0, 3)
    near, far = render(scene, 3, pool), render(scene, 2, pool, step=2)
    np.testing.assert_array_equal(far.images, near.images[::2])
    np.testing.assert_array_equal(far.ids, near.ids[::2])
    # From the first to the third frame is from the first to the second and on from there.
    height, width = far.ids.shape[1:]
    y, x = np.mgrid[:height, :width]
    later = np.rint(np.stack([x, y], -1) + near.flows[0]).astype(int)
    inside = (later >= 0).all(-1) & (later < (width, height)).all(-1) & ~near.occlusions[0]
    here, there = np.nonzero(inside), later[inside][:, ::-1].T
    same = near.ids[0][here] == near.ids[1][tuple(there)]
    on = near.flows[0][here] + near.flows[1][tuple(there)]
    assert same.sum() > 1000
    np.testing.assert_allclose(np.median(np.abs(on - far.flows[0][here])[same]), 0, atol=0.05)
    with pytest.raises(ValueError, match="step must be a whole number of at least 1; got 0.5"):
        render(scene, 2, step=0.5)
