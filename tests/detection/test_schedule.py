"""When a frame is a key frame."""

import numpy as np
import pytest

from tfflow.detection import (
    ByConfidence,
    ByError,
    ByMotion,
    Detections,
    FixedInterval,
    KeyFrameSchedule,
    VideoDetector,
)


def constant(u, v, height=20, width=30):
    return np.full((height, width, 2), (u, v), np.float32)


def test_fixed_interval():
    schedule = FixedInterval(3)
    assert [schedule.is_key(age) for age in (1, 2, 3, 4)] == [False, False, True, True]
    assert FixedInterval(1).is_key(1)


def test_by_motion():
    schedule = ByMotion(px=5.0, longest=8)
    assert not schedule.is_key(1, flow=constant(3, -3.9))
    assert schedule.is_key(1, flow=constant(3, -4.1))
    assert not schedule.is_key(7, flow=constant(0, 0)) and schedule.is_key(8, flow=constant(0, 0))


def test_by_motion_counts_pixels_of_the_frame():
    schedule = ByMotion(px=5.0)
    # Half the width, a third of the height: 2 and 1 px there are 4 and 3 px of the frame.
    assert not schedule.is_key(1, flow=constant(1.9, 1), frame_size=(60, 60))
    assert schedule.is_key(1, flow=constant(2.1, 1), frame_size=(60, 60))


def test_a_percentile_sees_what_is_small_and_fast():
    flow = constant(0, 0)
    flow[:5, :12] = 20.0  # a tenth of the picture
    assert not ByMotion(px=5.0).is_key(1, flow=flow)
    assert ByMotion(px=5.0, percentile=95).is_key(1, flow=flow)


def test_error_of_a_perfect_flow_is_what_left_the_frame():
    world = np.random.default_rng(0).random((40, 60, 3))
    key, image = world[:, :40], world[:, 10:50]  # the camera moves 10 px to the right
    schedule = ByError(share=0.3, step=1)
    assert schedule.error(constant(10, 0, 40, 40), image, key) == 0.25  # 10 of 40 columns
    assert not schedule.is_key(1, flow=constant(10, 0, 40, 40), image=image, key_image=key)
    assert schedule.is_key(1, flow=constant(-10, 0, 40, 40), image=image, key_image=key)
    assert schedule.is_key(30, flow=constant(10, 0, 40, 40), image=image, key_image=key)
    # Half a pixel is interpolated: between two pixels lies their mean.
    ramp = np.tile(np.arange(40.0)[None, :, None] / 40, (40, 1, 3))
    shifted = np.clip(ramp + 0.5 / 40, 0, 1)
    exact = ByError(tolerance=0.001, step=1)
    assert exact.error(constant(0.5, 0, 40, 40), shifted, ramp) == pytest.approx(1 / 40)


def test_error_of_something_new():
    key = np.zeros((40, 40, 3))
    image = key.copy()
    image[:20, :20] = 0.2
    still = constant(0, 0, 40, 40)
    assert ByError().error(still, image, key) == pytest.approx(0.25)
    assert ByError(tolerance=0.3).error(still, image, key) == 0.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FixedInterval(0), "n must be a whole number of at least 1; got 0"),
        (lambda: FixedInterval(2.5), "n must be a whole number"),
        (lambda: ByMotion(-1), "px must be a length"),
        (lambda: ByMotion(percentile=101), "percentile must lie"),
        (lambda: ByMotion(longest=0), "longest must be"),
        (lambda: ByError(2), "share must lie"),
        (lambda: ByMotion().is_key(1), "ByMotion decides by the flow"),
        (lambda: ByError().error(constant(0, 0), np.zeros((4, 4, 3)), None), "key_image"),
        (lambda: ByError().error(constant(0, 0), *np.zeros((2, 4, 4, 3))), "of one size"),
    ],
)
def test_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_own_schedule_must_say_when():
    with pytest.raises(TypeError, match="must define is_key"):
        KeyFrameSchedule().is_key(1)


def test_by_confidence_looks_into_the_boxes():
    confidence = np.full((40, 60), 0.9, np.float32)
    confidence[:, 30:] = 0.4
    boxes, classes = np.float32([[2, 2, 26, 30], [34, 2, 58, 30]]), np.zeros(2, int)

    def is_key(scores, age=1, **options):
        found = Detections(boxes, np.float32(scores), classes)
        return ByConfidence(**options).is_key(age, confidence=confidence, found=found, flow=None)

    assert is_key([0.9, 0.8]) and not is_key([0.9, 0.2])  # the second is not sure enough to matter
    assert is_key([0.9, 0.2], score=0.1) and not is_key([0.9, 0.8], least=0.3)
    assert not is_key([0.0, 0.0]) and is_key([0.0, 0.0], age=20)
    assert not is_key([0.9, 0.2], age=20, longest=21)
    with pytest.raises(ValueError, match="decides by the confidence, which is missing"):
        ByConfidence().is_key(1)
    with pytest.raises(ValueError, match="least must lie in 0..1; got 2"):
        ByConfidence(2)
    with pytest.raises(ValueError, match="ByConfidence is for a BoxPropagator"):
        VideoDetector(object(), schedule=ByConfidence())
