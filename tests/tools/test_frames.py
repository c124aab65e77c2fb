"""The frames that users give: one array filled again and again, with times or without."""

import numpy as np
import pytest
from known_motion import KnownMotion, numbered, shift

from tfflow import tools
from tfflow.data import TimedFrame
from tfflow.evaluation import predict_video

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


@pytest.mark.parametrize(
    "use",
    [
        lambda frames: list(tools.motion_masks(KnownMotion(POSES), frames)),
        lambda frames: list(tools.stabilize(KnownMotion(POSES), frames)),
        lambda frames: tools.track(KnownMotion(POSES), frames, [(5, 5)]),
    ],
)
def test_frames_with_times_where_pictures_are_wanted(use):
    with pytest.raises(ValueError, match=r"must be pictures .* give \(frame.image for frame in"):
        use([TimedFrame(np.zeros((32, 48, 3), np.uint8), time) for time in range(3)])


def test_a_files_name_where_frames_are_wanted():
    known = KnownMotion(POSES)
    for use in (tools.motion_masks, tools.stabilize, tools.interpolate_clip):
        with pytest.raises(ValueError, match=r"not its name: .*read_video\('clip.mp4'\)"):
            list(use(known, "clip.mp4"))
    with pytest.raises(ValueError, match=r"not its name: \(frame.image for frame in"):
        tools.track(known, "clip.mp4", [(5, 5)])
    tracker = tools.PointTracker(known, [(5, 5)])
    with pytest.raises(ValueError, match=r"not the name of a file: .*read_image\('a.png'\)"):
        tracker.next("a.png")
    with pytest.raises(ValueError, match=r"must be pictures .* give \(frame.image for frame in"):
        tracker.next(TimedFrame(np.zeros((32, 48, 3), np.uint8), 0.0))
    with pytest.raises(ValueError, match=r"a picture \(H, W, 3\); got shape \(5,\)"):
        tracker.next(np.zeros(5))


def test_pictures_where_times_are_wanted(tmp_path):
    pictures = [np.zeros((32, 48, 3), np.uint8)] * 3
    for use in (
        lambda: list(tools.interpolate_clip(KnownMotion(POSES), pictures)),
        lambda: predict_video(KnownMotion(POSES), pictures, tmp_path / "a.npz"),
    ):
        with pytest.raises(ValueError, match=r"pairs \(picture, time .* got \(32, 48, 3\)"):
            use()
    assert not list(tmp_path.iterdir())
