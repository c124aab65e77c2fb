"""Clips made of single images: exact boxes, a window that stays inside."""

import numpy as np
import pytest

from tfflow.detection import MovingStills
from tfflow.detection.clips import Clip, make_frame

BOX = (60, 50, 110, 85)


class Stills:
    """Images with one white thing on black."""

    classes = ("thing",)

    def __init__(self):
        self.reads = 0

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return Clip(f"{index}.jpg", [index], self.read)

    def read(self, _):
        self.reads += 1
        image = np.zeros((120, 160, 3), np.uint8)
        image[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 255
        return make_frame(image, [BOX], [0], [7])


def test_boxes_hold_what_is_seen():
    clips = MovingStills(Stills(), frames=9, paths=3, speed=0.02, zoom=0.02)
    assert len(clips) == 6 and clips.classes == ("thing",)
    for clip in clips:
        assert len(clip) == 9
        for frame in clip:
            assert frame.image.shape == (108, 144, 3) and frame.tracks.tolist() == [7]
            y, x = np.nonzero(frame.image[..., 0] > 127)
            around = x.min(), y.min(), x.max() + 1, y.max() + 1
            np.testing.assert_allclose(frame.boxes[0], around, atol=0.75)


def test_the_window_moves_no_faster_than_said_and_stays_inside():
    clips = MovingStills(Stills(), frames=41, paths=100, speed=0.01, zoom=0.004)
    steps = []
    for index in range(len(clips)):
        windows = clips._windows(index)
        assert windows.min() > -1e-9 and windows.max() < 1 + 1e-9
        sizes = windows[:, 2:] - windows[:, :2]
        np.testing.assert_allclose(sizes[:, 0], sizes[:, 1])  # nothing is stretched
        assert np.abs(np.diff(np.log(sizes[:, 0]))).max() < 0.0041
        centres = (windows[:, :2] + windows[:, 2:]) / 2
        steps.append(np.linalg.norm(np.diff(centres, axis=0) / sizes[1:], axis=1).max())
    assert 0.007 < np.max(steps) < 0.0125 and np.std(steps) > 0.001


def test_what_is_hardly_seen_is_left_out():
    all_boxes, fewer = (
        [
            len(frame.boxes)
            for clip in MovingStills(Outside(), frames=5, paths=8, least=least)
            for frame in clip
        ]
        for least in (0.0, 0.9)
    )
    assert sum(fewer) < sum(all_boxes)


class Outside(Stills):
    def read(self, _):
        return make_frame(np.zeros((120, 160, 3), np.uint8), [(0, 0, 40, 40)], [0], [1])


def test_paths():
    stills = Stills()
    clips = MovingStills(stills, paths=2)
    images = {name: clips[name][20].image for name in range(4)}
    assert stills.reads == 4  # once a clip, however many frames
    assert not np.array_equal(images[0], images[2])  # another path over the same image
    np.testing.assert_array_equal(images[3], MovingStills(Stills(), paths=2)[-1][20].image)
    assert [clips[number].name for number in (0, 1, 2)] == [
        "image0_path0",
        "image1_path0",
        "image0_path1",
    ]
    with pytest.raises(IndexError):
        clips[4]
    with pytest.raises(ValueError, match="paths must be a whole number of at least 1; got 0"):
        MovingStills(Stills(), paths=0)
    with pytest.raises(ValueError, match="frames must be a whole number of at least 1; got 2.5"):
        MovingStills(Stills(), frames=2.5)
    with pytest.raises(ValueError, match="speed must lie in 0..1, below 1, got -1"):
        MovingStills(Stills(), speed=-1)
