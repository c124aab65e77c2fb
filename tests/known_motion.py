"""Clips whose frames are numbers, and a predictor that knows how the world moves between them."""

import weakref

import numpy as np

from tfflow.tools import camera_flow

SIZE = (48, 64)


def shift(x, y):
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def numbered(count, size=SIZE):
    return [np.full((*size, 3), number, np.uint8) for number in range(count)]


class KnownMotion:
    """Flow by poses: (3, 3) for each frame, from the world to the frame.

    Has no argument ``backward``, as a user's own object.
    """

    def __init__(self, poses):
        self.poses, self.calls = poses, 0

    def predict_flow(self, image1, image2):
        self.calls += 1
        first, second = (self.poses[int(image[0, 0, 0])] for image in (image1, image2))
        return camera_flow(second @ np.linalg.inv(first), *image1.shape[:2])


class Frames:
    """An iterator of frames that knows how many of them, or of their copies, were kept at most."""

    def __init__(self, count, size=SIZE):
        self.count, self.size, self.most_kept, self.alive = count, size, 0, 0

    def __iter__(self):
        for number in range(self.count):
            yield Counted(np.full((*self.size, 3), number, np.uint8), self)
            self.most_kept = max(self.most_kept, self.alive)


class Counted:
    """What becomes an array as often as it is asked; each array counts until it is gone."""

    def __init__(self, values, frames):
        self.values, self.frames = values, frames

    def __array__(self, dtype=None, copy=None):
        array = self.values.copy()
        self.frames.alive += 1
        weakref.finalize(array, self._gone)
        return array

    def _gone(self):
        self.frames.alive -= 1
