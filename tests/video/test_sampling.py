"""Training clips: which frames, in which order, with which flow and boxes."""

import keras
import numpy as np
import pytest

from tfflow.data.clips import Clip, VideoFrame
from tfflow.video import FlowGuidedDetector, encode, head_losses, training_batches


class Clips(list):
    classes = ("cat", "dog", "cow")


def clips_of(frames):
    """One clip; frame t has the grey level t and a box that begins at x = t."""

    def read(time):
        image = np.full((50, 80, 3), time, np.uint8)
        box = np.float32([(time, 10, time + 20, 40)])
        return VideoFrame(image, box, np.array([2]), np.array([0]))

    return Clips([Clip("one", range(frames), read)])


class Difference:
    """Says in u how much later its first image is than its second."""

    def predict_flow(self, image1, image2):
        difference = np.rint(255 * (image1 - image2)[..., 0])
        return np.stack([difference, 0 * difference], axis=-1)


def batch(frames=60, **kwargs):
    settings = {"size": (64, 96), "batch_size": 16, "keys": 3, "interval": 5, **kwargs}
    return next(training_batches(clips_of(frames), Difference(), **settings))


def test_frames_are_in_order_and_the_flow_goes_back():
    inputs, targets = batch()
    assert inputs["keys"].shape == (16, 3, 64, 96, 3) and inputs["flow"].shape == (16, 32, 48, 2)
    assert inputs["key_flows"].shape == (16, 2, 32, 48, 2)
    times = np.rint(255 * inputs["keys"][:, :, 0, 0, 0]).astype(int)
    later = inputs["flow"][:, 0, 0, 0].astype(int)
    assert set(later) <= set(range(5)) and len(set(later)) > 2
    np.testing.assert_array_equal(np.diff(times), inputs["key_flows"][..., 0, 0, 0])
    steps = np.diff(times)
    assert (steps[times[:, :-1] > 0] == 5).all() and (steps <= 5).all() and (steps >= 0).all()
    # The boxes are the current frame's, stretched.
    for index in range(16):
        time = times[index, -1] + later[index]
        box = np.float32([(time, 10, time + 20, 40)]) * [1.2, 1.28, 1.2, 1.28]
        expected = encode(box, [2], (4, 6), stride=16, count=3)
        for name, target in expected.items():
            np.testing.assert_allclose(targets[name][index], target, rtol=1e-5)


def test_short_clips_repeat_their_first_frame():
    inputs, _ = batch(frames=1, keys=2)
    assert not inputs["keys"].any() and not inputs["flow"].any() and not inputs["key_flows"].any()


def test_equal_seeds_give_equal_batches():
    for one, other in zip(batch(seed=3)[0].values(), batch(seed=3)[0].values()):
        np.testing.assert_array_equal(one, other)
    assert np.any(batch(seed=3)[0]["keys"] != batch(seed=4)[0]["keys"])


def test_the_detector_takes_them_with_a_single_key_frame_too():
    detector = FlowGuidedDetector(3, alpha=0.25, channels=8, depth=0)
    detector.compile(keras.optimizers.SGD(0.01), loss=head_losses())
    inputs, targets = batch(batch_size=2, keys=1)
    assert np.isfinite(detector.test_on_batch(inputs, targets)).all()


def test_refused():
    with pytest.raises(ValueError, match="keys must be at least 1; got 0"):
        batch(keys=0)
    with pytest.raises(ValueError, match="there are none"):
        training_batches(Clips(), Difference(), size=(64, 64))
