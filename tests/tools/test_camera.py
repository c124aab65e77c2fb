"""The camera's motion, and what moves by itself."""

import numpy as np
import pytest
from known_motion import KnownMotion, numbered, shift

from tfflow import tools

HOMOGRAPHY = np.array([[1.02, -0.03, 4], [0.02, 0.99, -3], [2e-4, -1e-4, 1]])
SIMILARITY = np.array([[1.01, -0.03, 4], [0.03, 1.01, -3], [0, 0, 1]])


def scene(matrix):
    """A moving camera's flow with a thing of its own, and where that is."""
    flow = tools.camera_flow(matrix, 96, 128)
    moves = np.zeros((96, 128), bool)
    moves[30:60, 50:90] = True
    flow[moves] += (5, 4)
    return flow, moves


def test_camera_flow_is_where_the_matrix_leads():
    flow = tools.camera_flow(HOMOGRAPHY, 96, 128)
    x, y, scale = HOMOGRAPHY @ (100, 40, 1)
    np.testing.assert_allclose(flow[40, 100], (x / scale - 100, y / scale - 40), rtol=1e-5)


@pytest.mark.parametrize(
    "model, matrix",
    [("similarity", SIMILARITY), ("affine", SIMILARITY), ("homography", HOMOGRAPHY)],
)
def test_the_cameras_motion_is_found_beside_what_moves(model, matrix):
    flow, _ = scene(matrix)
    found = tools.camera_motion(flow, model=model)
    assert found.shape == (3, 3) and found.dtype == np.float64
    still = tools.camera_flow(matrix, 96, 128)
    np.testing.assert_allclose(tools.camera_flow(found, 96, 128), still, atol=0.02)


def test_vectors_that_nobody_trusts_are_left_out():
    flow = tools.camera_flow(SIMILARITY, 96, 128)
    flow[:, :90] = 7
    confidence = np.zeros((96, 128), np.float32)
    confidence[:, 90:] = 1
    found = tools.camera_motion(flow, confidence=confidence)
    np.testing.assert_allclose(found, SIMILARITY, atol=1e-3)
    assert abs(tools.camera_motion(flow) - SIMILARITY).max() > 1
    flow[::3] = np.nan
    np.testing.assert_allclose(
        tools.camera_motion(flow, confidence=confidence), SIMILARITY, atol=1e-3
    )


def test_what_follows_no_motion():
    flow = np.random.default_rng(0).normal(0, 30, (96, 128, 2))
    for nothing in (flow, np.full((96, 128, 2), np.nan)):
        with pytest.raises(ValueError, match="no motion of the camera"):
            tools.camera_motion(nothing)
    with pytest.raises(ValueError, match="similarity, affine, homography; got 'rigid'"):
        tools.camera_motion(flow, model="rigid")
    with pytest.raises(ValueError, match="flow's size"):
        tools.camera_motion(flow, confidence=np.ones((96, 127)))
    with pytest.raises(ValueError, match=r"\(H, W, 2\)"):
        tools.camera_motion(flow[..., 0])


def test_the_mask_has_what_moves_by_itself():
    flow, moves = scene(HOMOGRAPHY)
    mask = tools.motion_mask(flow)
    assert mask.dtype == bool
    assert (mask & moves).sum() / (mask | moves).sum() > 0.97  # an opening rounds the corners
    np.testing.assert_array_equal(tools.motion_mask(flow, clean=0), moves)
    assert not tools.motion_mask(flow, threshold=7, clean=0).any()
    assert tools.motion_mask(flow, camera=np.eye(3)).mean() > 0.9


def test_specks_and_holes_are_cleaned():
    flow = np.zeros((96, 128, 2), np.float32)
    flow[30:60, 50:90] = (5, 0)
    clean = tools.motion_mask(flow)
    flow[10:12, 10:12] = (5, 0)
    flow[40:42, 60:62] = 0
    flow[5, 5] = np.nan
    np.testing.assert_array_equal(tools.motion_mask(flow), clean)
    assert (tools.motion_mask(flow, clean=0) != clean).any()


def test_unknown_pixels_are_not_in_the_mask_and_take_nothing_from_it():
    flow = np.zeros((96, 128, 2), np.float32)
    flow[30:60, 50:90] = (5, 0)
    clean = tools.motion_mask(flow, camera=np.eye(3))
    unknown = np.random.default_rng(0).random(flow.shape[:2]) < 0.1
    unknown[70:80, 10:30] = True
    flow[unknown] = np.nan
    found = tools.motion_mask(flow, camera=np.eye(3))
    assert not found[unknown].any()
    assert (found != clean)[~unknown].sum() <= 1  # at a corner


@pytest.mark.parametrize("clean", [2, 4, 8])
def test_cleaning_moves_nothing(clean):
    flow = np.zeros((96, 128, 2), np.float32)
    flow[30:60, 50:90] = (5, 0)
    mask = tools.motion_mask(flow, clean=clean)
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (30, 59, 50, 89)


@pytest.mark.parametrize("clean", [-1, 2.5])
def test_a_diameter_that_is_none(clean):
    with pytest.raises(ValueError, match="clean must be a whole number"):
        tools.motion_mask(np.zeros((96, 128, 2), np.float32), clean=clean)


def test_the_tolerance_grows_with_the_cameras_motion():
    flow = np.full((96, 128, 2), (100, 0), np.float32)
    flow[30:60, 50:90, 0] += 4
    assert not tools.motion_mask(flow).any()
    assert tools.motion_mask(flow, relative=0.01).any()


def test_masks_of_a_clip():
    class Clip(KnownMotion):
        def predict_flow(self, image1, image2):
            flow = super().predict_flow(image1, image2)
            if image1[0, 0, 0] == 1:
                flow[10:30, 10:30] += 6
            elif image1[0, 0, 0] == 2:  # a cut
                flow = np.random.default_rng(0).normal(0, 30, flow.shape).astype(np.float32)
            return flow

    poses = [shift(3 * t, t) for t in range(4)]
    masks = list(tools.motion_masks(Clip(poses), iter(numbered(4)), clean=0))
    assert [mask.sum() for mask in masks] == [0, 400, 0]


@pytest.mark.parametrize("side", [5, 16, 28])
def test_small_pictures(side):
    flow = np.full((side, side, 2), 2.0, np.float32)
    expected = [[1, 0, 2], [0, 1, 2], [0, 0, 1]]
    np.testing.assert_allclose(tools.camera_motion(flow), expected, atol=1e-3)


def test_numbers_out_of_their_range():
    flow = np.full((48, 64, 2), 2.0, np.float32)
    for tolerance in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match="tolerance must be above 0 px"):
            tools.camera_motion(flow, tolerance=tolerance)
    for name in ("threshold", "relative"):
        with pytest.raises(ValueError, match=f"{name} must be at least 0 and finite; got nan"):
            tools.motion_mask(flow, **{name: np.nan})
    for camera in (np.full((3, 3), np.nan), np.eye(2)):
        with pytest.raises(ValueError, match=r"camera must be a matrix \(3, 3\) of finite"):
            tools.motion_mask(flow, camera=camera)
