"""Points along the flow."""

import numpy as np
import pytest
from known_motion import SIZE, Frames, KnownMotion, numbered, shift

from tfflow import tools


def turned(angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def test_points_follow_the_motion():
    poses = [shift(32, 24) @ turned(0.05 * t) @ shift(-32 + 0.3 * t, -24) for t in range(8)]
    points = [(20, 10), (40.5, 30.25), (32, 24)]
    tracks = tools.track(KnownMotion(poses), iter(numbered(8)), points)
    world = np.linalg.inv(poses[0]) @ np.vstack([np.transpose(points), np.ones(3)])
    expected = np.stack([(pose @ world)[:2].T for pose in poses])
    assert tracks.points.shape == (8, 3, 2) and tracks.visible.shape == (8, 3)
    np.testing.assert_allclose(tracks.points, expected, atol=0.01)
    assert tracks.visible.all() and (tracks.confidence > 0.95).all()


def test_a_point_that_leaves_is_lost_and_stays_where_it_was():
    poses = [shift(5 * t, 0) for t in range(4)]
    tracks = tools.track(KnownMotion(poses), numbered(4), [(53, 10), (10, 10)])
    assert tracks.visible.tolist() == [[True, True]] * 3 + [[False, True]]
    np.testing.assert_allclose(tracks.points[-1], [(63, 10), (25, 10)], atol=1e-4)
    assert tracks.confidence[-1, 0] == 0


class Hiding:
    """A square of 20x20 that moves over a still background, 6 px to the right a frame."""

    def __init__(self):
        self.at = 4

    def predict_flow(self, image1, image2, *, backward=False):
        forward, back = np.zeros((2, *SIZE, 2), np.float32)
        forward[10:30, self.at : self.at + 20, 0] = 6
        back[10:30, self.at + 6 : self.at + 26, 0] = -6
        self.at += 6
        return forward, back


def test_a_point_is_lost_when_it_is_hidden_and_not_found_again():
    tracks = tools.track(Hiding(), numbered(6), [(32, 20), (60, 40), (8, 20)])
    # The square's right edge is at 24, 30, 36, …
    assert tracks.visible[:, 0].tolist() == [True, True, False, False, False, False]
    assert tracks.visible[:, 1:].all()
    np.testing.assert_allclose(tracks.points[-1], [(32, 20), (60, 40), (38, 20)], atol=1e-4)


def test_confidence_is_that_of_all_steps():
    class Wrong:
        def predict_flow(self, image1, image2, backward):
            flow = np.zeros((*SIZE, 2), np.float32)
            return flow, flow + np.float32((0.3, 0))

    tracks = tools.track(Wrong(), numbered(4), [(20, 20)])
    step = np.exp(-0.09 / (0.01 * 0.09 + 0.5))
    np.testing.assert_allclose(tracks.confidence[:, 0], step ** np.arange(4), rtol=1e-5)
    assert tracks.visible.all()
    assert not tools.track(Wrong(), numbered(2), [(20, 20)], least=0.9).visible[1].any()


def test_flow_that_is_not_finite_loses_points():
    class Broken:
        def predict_flow(self, image1, image2):
            return np.full((*SIZE, 2), np.nan, np.float32)

    tracks = tools.track(Broken(), numbered(2), [(20, 20)])
    assert not tracks.visible[1].any() and np.isfinite(tracks.points).all()


def test_no_frames_are_kept():
    frames = Frames(9)
    tools.track(KnownMotion([np.eye(3)] * 9), frames, [(1, 1)])
    assert frames.most_kept <= 3


def test_a_size_reaches_the_network():
    class Sized(KnownMotion):
        def predict_flow(self, image1, image2, size=None):
            assert size == (64, 64)
            return super().predict_flow(image1, image2)

    tools.track(Sized([np.eye(3)] * 2), numbered(2), [(1, 1)], size=(64, 64))


def test_grid_points():
    points = tools.grid_points(10, 21, 5)
    assert points.tolist() == [[x, y] for y in (2, 7) for x in (0, 5, 10, 15, 20)]
    for step in (0, 11):
        with pytest.raises(ValueError, match="from 1 to 10"):
            tools.grid_points(10, 21, step)


@pytest.mark.parametrize(
    "points, message",
    [
        ([(1, 2, 3)], "must be \\(N, 2\\)"),
        ([(1, 2), (64, 1)], "1 that do not, the first at \\(64, 1\\)"),
        ([(np.nan, 2)], "must lie in the first frame"),
    ],
)
def test_points_that_are_none(points, message):
    with pytest.raises(ValueError, match=message):
        tools.track(KnownMotion([np.eye(3)]), numbered(1), points)


def test_clips_that_are_none():
    predictor = KnownMotion([np.eye(3)] * 2)
    with pytest.raises(ValueError, match="no frames"):
        tools.track(predictor, [], [(1, 1)])
    with pytest.raises(ValueError, match="one size"):
        tools.track(predictor, [np.zeros((8, 9, 3)), np.zeros((9, 9, 3))], [(1, 1)])
    with pytest.raises(ValueError, match="from 0 to 1"):
        tools.PointTracker(predictor, [(1, 1)], least=2)


def test_who_gets_the_points_may_change_them():
    tracker = tools.PointTracker(KnownMotion([shift(2 * t, 0) for t in range(4)]), [(10, 10)])
    seen = []
    for frame in numbered(4):
        tracks = tracker.next(frame)
        seen.append(float(tracks.points[0, 0]))
        tracks.points[:] = 0
        tracks.visible[:] = False
    np.testing.assert_allclose(seen, [10, 12, 14, 16], atol=1e-3)


def test_a_predictor_may_fill_one_array_again():
    class Bound(KnownMotion):
        array = np.zeros((*SIZE, 2), np.float32)

        def predict_flow(self, image1, image2):
            self.array[:] = super().predict_flow(image1, image2)
            return self.array

    tracks = tools.track(Bound([shift(2 * t, 0) for t in range(4)]), numbered(4), [(10, 10)])
    assert tracks.visible.all()
