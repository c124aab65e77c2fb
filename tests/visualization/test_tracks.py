"""Tracked points in pictures."""

import numpy as np

from tfflow.visualization import TrackDrawing


def test_points_are_drawn_with_their_tails_while_they_are_seen():
    drawing, black = TrackDrawing(tail=2), np.zeros((40, 60, 3), np.uint8)
    points = np.float32([[10, 10], [40, 30]])
    for t in range(5):
        picture = drawing.next(black, points + (4 * t, 0), np.array([True, t < 4]))
    drawn = picture.any(axis=-1)
    assert drawn[10, 18:27].all()  # from two frames before to now
    assert not drawn[10, :16].any() and not drawn[25:].any()
    assert not black.any()
