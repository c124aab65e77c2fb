"""A loop over a camera may fill one array again and again."""

import numpy as np
import pytest
from known_motion import KnownMotion, numbered, shift

from tfflow import tools

COUNT = 6
POSES = [shift(1.5 * t + (-1) ** t, t) for t in range(COUNT)]


def reused():
    buffer = np.empty_like(numbered(1)[0])
    for frame in numbered(COUNT):
        buffer[:] = frame
        yield buffer


@pytest.mark.parametrize(
    "use",
    [
        lambda known, frames: tools.track(known, frames, [(20, 20)]).points,
        lambda known, frames: np.stack([*tools.stabilize(known, frames, smoothing=1)]),
        lambda known, frames: np.stack([*tools.motion_masks(known, frames, relative=0)]),
        lambda known, frames: np.stack(
            [image for image, _ in tools.interpolate_clip(known, zip(frames, range(COUNT)))]
        ),
    ],
    ids=["track", "stabilize", "motion_masks", "interpolate_clip"],
)
def test_frames_in_one_array_are_as_good_as_frames_of_their_own(use):
    expected = use(KnownMotion(POSES), numbered(COUNT))
    np.testing.assert_array_equal(use(KnownMotion(POSES), reused()), expected)
