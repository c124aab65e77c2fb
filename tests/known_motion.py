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
    """An iterator of frames that knows how many of them were kept at most."""

    def __init__(self, count, size=SIZE):
        self.count, self.size, self.most_kept = count, size, 0

    def __iter__(self):
        made = []
        for number in range(self.count):
            frame = np.full((*self.size, 3), number, np.uint8)
            made.append(weakref.ref(frame))
            self.most_kept = max(self.most_kept, sum(each() is not None for each in made))
            yield frame
