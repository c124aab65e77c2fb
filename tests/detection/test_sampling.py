"""Training batches: which frames, in which order, changed how, and what shall be found."""

import numpy as np
import pytest

from tfflow.detection import ClipAugmentation, ClipBatches, encode
from tfflow.detection.clips import Clip, VideoFrame
from tfflow.detection.sampling import NONE, augment

SIZE = (64, 96)


class Clips(list):
    classes = ("cat", "dog", "cow")


def clips_of(frames):
    """One clip; frame t has the grey level t and a box that begins at x = t."""

    def read(time):
        image = np.full((50, 80, 3), time, np.uint8)
        box = np.float32([(time, 10, time + 20, 40)])
        return VideoFrame(image, box, np.array([2]), np.array([0]))

    return Clips([Clip("one", range(frames), read)])


def batches(frames=60, **kwargs):
    settings = {"batch_size": 16, "keys": 3, "interval": 5, "batches": 4, **kwargs}
    return ClipBatches(clips_of(frames), SIZE, **settings)


def times(images):
    return np.rint(255 * images[..., 0, 0, 0]).astype(int)


def test_frames_are_in_order_of_time():
    inputs, targets = batches()[0]
    assert inputs["keys"].shape == (16, 3, *SIZE, 3) and inputs["image"].shape == (16, *SIZE, 3)
    keys, now = times(inputs["keys"]), times(inputs["image"])
    later = now - keys[:, -1]
    assert set(later) <= set(range(5)) and len(set(later)) > 2
    steps = np.diff(keys)
    assert (steps[keys[:, :-1] > 0] == 5).all() and (steps <= 5).all() and (steps >= 0).all()
    # The boxes are the last frame's, stretched.
    for index, time in enumerate(now):
        box = np.float32([(time, 10, time + 20, 40)]) * [1.2, 1.28, 1.2, 1.28]
        expected = encode(box, [2], (4, 6), stride=16, count=3)
        for name, target in expected.items():
            np.testing.assert_allclose(targets[name][index], target, rtol=1e-5)


def test_frames_of_two_sizes_are_told_with_the_clips_name():
    def read(time):
        frame = clips_of(2)[0][0]
        return frame if time < 5 else frame._replace(image=frame.image[::2, ::2])

    mixed = Clips([Clip("mixed", range(10), read)])
    with pytest.raises(
        ValueError, match="mixed: the frames of a clip must be of one size; got 25x4"
    ):
        ClipBatches(mixed, SIZE, batch_size=16, keys=3, interval=5, batches=4)[0]


def test_images_alone():
    inputs, targets = batches(keys=0)[0]
    assert set(inputs) == {"image"} and set(targets) == {"classes", "sides", "centreness"}


def test_short_clips_repeat_their_first_frame():
    inputs, _ = batches(frames=1, keys=2)[0]
    assert not inputs["keys"].any() and not inputs["image"].any()


def test_backwards_in_time():
    inputs, _ = batches(augmentation=ClipAugmentation(0, 1, 1, 0, 0, 0, 0))[0]
    keys, now = times(inputs["keys"]), times(inputs["image"])
    assert (np.diff(keys) <= 0).all() and (now <= keys[:, -1]).all() and (now < keys[:, 0]).any()


def test_the_same_seed_gives_the_same_batches_and_each_epoch_has_its_own():
    first, again, other = batches(seed=3), batches(seed=3), batches(seed=4)
    assert len(first) == 4
    epoch0 = first[1][0]["image"]
    np.testing.assert_array_equal(epoch0, again[1][0]["image"])
    assert np.any(epoch0 != other[1][0]["image"]) and np.any(epoch0 != first[2][0]["image"])
    first.on_epoch_end()
    assert np.any(epoch0 != first[1][0]["image"])
    again.epoch = 1
    np.testing.assert_array_equal(first[1][0]["image"], again[1][0]["image"])


# Augmentation -----------------------------------------------------------------------------------


def frame_with(box, height=60, width=90):
    """White where the box is, black elsewhere."""
    x1, y1, x2, y2 = box
    image = np.zeros((height, width, 3), np.uint8)
    image[y1:y2, x1:x2] = 255
    return VideoFrame(image, np.float32([box]), np.array([1]), np.array([0]))


@pytest.mark.parametrize("seed", range(20))
def test_boxes_go_with_their_objects(seed):
    augmentation = ClipAugmentation(contrast=0, brightness=0, color=0, least=0.01)
    frames = [frame_with((10, 10, 40, 30)), frame_with((40, 20, 80, 50))]
    images, boxes, classes = augment(frames, SIZE, augmentation, np.random.default_rng(seed))
    assert images.shape == (2, *SIZE, 3) and images.dtype == np.float32 and classes.tolist() == [1]
    y, x = np.nonzero(images[1, ..., 0] > 0.5)
    edges = x.min(), y.min(), x.max() + 1, y.max() + 1
    np.testing.assert_allclose(boxes, [edges], atol=1.0)


def test_all_frames_are_changed_alike():
    frame = frame_with((10, 10, 40, 30))
    images, _, _ = augment([frame] * 3, SIZE, ClipAugmentation(), np.random.default_rng(1))
    np.testing.assert_array_equal(images[0], images[1])
    np.testing.assert_array_equal(images[0], images[2])
    plain = augment([frame], SIZE, NONE, np.random.default_rng(1))[0]
    assert np.abs(images[0] - plain[0]).max() > 0.05


def test_what_is_hardly_seen_is_left_out():
    augmentation = ClipAugmentation(0, 0, 4.0, 0, 0, 0, least=0.9)
    frames = [frame_with((30, 20, 60, 40))]
    kept = [
        len(augment(frames, SIZE, augmentation, np.random.default_rng(seed))[1])
        for seed in range(30)
    ]
    assert 0 < sum(kept) < 30


def test_frames_without_objects():
    frame = frame_with((1, 1, 2, 2))
    empty = frame._replace(boxes=np.zeros((0, 4), np.float32), classes=np.zeros(0, np.int64))
    _, boxes, classes = augment([empty], SIZE, ClipAugmentation(), np.random.default_rng(0))
    assert boxes.shape == (0, 4) and classes.shape == (0,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: batches(interval=0), "interval must be a whole number of at least 1; got 0"),
        (lambda: batches(keys=-1), "keys must be at least 0; got -1"),
        (lambda: ClipBatches(Clips(), SIZE), "expects clips; there are none"),
        (lambda: ClipAugmentation(flip=2), "flip must lie in 0..1; got 2"),
        (lambda: ClipAugmentation(zoom=0.5), "zoom must be at least 1; got 0.5"),
        (lambda: ClipAugmentation(contrast=1), "contrast must lie in 0..1, below 1; got 1"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()
