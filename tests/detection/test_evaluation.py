"""Average precision, by hand; speeds of motion."""

import numpy as np
import pytest

from tfflow.detection import Detections, average_precision, evaluate, motion_speeds
from tfflow.detection.clips import Clip, VideoFrame

A, B, FAR = (0, 0, 10, 10), (20, 0, 30, 10), (60, 60, 70, 70)


def detections(*found):
    boxes, scores, classes = zip(*found) if found else ((), (), ())
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4), np.array(scores), np.array(classes, int)
    )


def test_all_right_is_one():
    found = [detections((A, 0.9, 0), (B, 0.8, 1)), detections((A, 0.1, 0))]
    result = average_precision(found, [[A, B], [A]], [[0, 1], [0]], 3)
    np.testing.assert_allclose(result.of_class, [1, 1, np.nan])
    np.testing.assert_allclose(result[:3], 1.0)


def test_by_hand():
    # Right, wrong, right, and one of three is never found. Of COCO's 101 recalls, 34 lie at or
    # under a third, where precision is 1, and 33 more at or under two thirds, where it is 2/3.
    found = [detections((A, 0.9, 0), (FAR, 0.7, 0)), detections((B, 0.5, 0))]
    result = average_precision(found, [[A, B], [B]], [[0, 0], [0]], 1)
    np.testing.assert_allclose(result.ap50, (34 + 33 * 2 / 3) / 101, rtol=1e-6)
    np.testing.assert_allclose(result.ap, result.ap50)


def test_overlaps_are_averaged():
    shifted = (0, 2, 10, 12)  # overlaps by 2/3: right at 0.50, 0.55, 0.60 and 0.65
    result = average_precision([detections((shifted, 0.9, 0))], [[A]], [[0]], 1)
    np.testing.assert_allclose(result[:3], (0.4, 1.0, 0.0))


def test_an_object_is_found_once_and_by_the_best():
    shifted = (0, 2, 10, 12)
    found = [detections((shifted, 0.9, 0), (A, 0.5, 0))]
    result = average_precision(found, [[A]], [[0]], 1)
    # Wrong, then right.
    np.testing.assert_allclose((result.ap50, result.ap75), (1.0, 0.5))


def test_another_class_another_image_or_nothing_is_wrong():
    wrong = [detections((A, 0.9, 1)), detections((B, 0.9, 0))]
    result = average_precision(wrong, [[A], [A]], [[0], [0]], 2)
    np.testing.assert_array_equal(result.of_class, [0, np.nan])
    nothing = [detections(), detections()]
    assert average_precision(nothing, [[A], []], [[0], []], 1).ap == 0.0
    assert np.isnan(average_precision(nothing, [[], []], [[], []], 1).ap)
    with pytest.raises(ValueError, match="got 1, 2 and 2"):
        average_precision(wrong[:1], [[A], [A]], [[0], [0]], 2)
    with pytest.raises(ValueError, match="image 1 have boxes or scores not finite"):
        average_precision([wrong[0], detections((A, np.nan, 0))], [[A], [A]], [[0], [0]], 2)
    unequal = Detections(np.float32([A, B]), np.float32([0.9]), np.array([0]))
    with pytest.raises(ValueError, match="got 2, 1 and 1 for image 0"):
        average_precision([unequal], [[A]], [[0]], 1)
    backwards = (A[2], A[1], A[0], A[3])
    with pytest.raises(ValueError, match="x1 <= x2 .*; among the detections of image 1 is"):
        average_precision([wrong[0], detections((backwards, 0.5, 0))], [[A], [A]], [[0], [0]], 2)
    with pytest.raises(ValueError, match="among the true boxes of image 0 is"):
        average_precision(wrong, [[backwards], [A]], [[0], [0]], 2)
    for beyond in (2, -1):
        with pytest.raises(ValueError, match=f"among 2 classes, 0 to 1; got .*{beyond}.* image 1"):
            average_precision(wrong, [[A], [A]], [[0], [beyond]], 2)


def test_objects_that_do_not_count_are_neither_missed_nor_wrongly_found():
    found = [detections((A, 0.9, 0), (B, 0.8, 0))]
    boxes, classes = [[A, B, FAR]], [[0, 0, 0]]
    only_b = average_precision(found, boxes, classes, 1, counted=[[False, True, False]])
    np.testing.assert_allclose(only_b.ap, 1.0)
    with_far = average_precision(found, boxes, classes, 1, counted=[[False, True, True]])
    np.testing.assert_allclose(with_far.ap, 51 / 101)
    # What matches nothing is wrong for every kind of object.
    found = [detections(((40, 40, 50, 50), 0.9, 0), (B, 0.8, 0))]
    result = average_precision(found, boxes, classes, 1, counted=[[False, True, False]])
    np.testing.assert_allclose(result.ap, 0.5)


def test_speeds_of_motion():
    def boxes(step):
        return [np.float32([(t * step, 0, t * step + 100, 100)]) for t in range(21)]

    tracks = [np.array([7])] * 21

    def of(step):
        return [int(speed) for (speed,) in motion_speeds(boxes(step), tracks)]

    assert of(0) == [0] * 21
    # In the middle ten frames lie on both sides, 1 to 10 steps away: at 3 px a frame the overlaps
    # are 97/103 … 70/130, 0.72 in the mean; at the ends the same.
    assert of(3) == [1] * 21 and of(5) == [2] * 21
    assert [list(each) for each in motion_speeds([boxes(0)[0], np.zeros((0, 4))], [[3], []])] == [
        [0],
        [],
    ]


def test_each_box_has_a_speed_where_tracks_are_alike():
    boxes = [[(0, 0, 10, 10), (50, 0, 60, 10)], [(0, 0, 10, 10)]]
    assert [len(each) for each in motion_speeds(boxes, [[7, 7], [7]])] == [2, 1]


def test_evaluate_walks_through_the_clips():
    class Video:
        """Finds A in every frame; every other frame is a key frame."""

        def __init__(self):
            self.calls = []

        def reset(self):
            self.calls.append("reset")

        def next(self, image):
            self.is_key = self.calls[-1] == "reset"
            self.calls.append(int(image[0, 0, 0]))
            return detections((A, 0.5, 1))

    class Clips(list):
        classes = ("cat", "dog")

    def frame(number, kind):
        return VideoFrame(
            np.full((8, 8, 3), number, np.uint8), np.float32([A]), np.array([kind]), np.zeros(1)
        )

    clips = Clips([Clip("one", [(1, 1), (2, 1)], lambda key: frame(*key))])
    clips.append(Clip("two", [(3, 1), (4, 0)], lambda key: frame(*key)))
    video = Video()
    result = evaluate(video, clips)
    assert video.calls == ["reset", 1, 2, "reset", 3, 4, "reset"]
    assert (result.frames, result.key_frames) == (4, 2)
    np.testing.assert_allclose((result.of_class["cat"], result.of_class["dog"]), (0.0, 1.0))
    np.testing.assert_allclose((result.ap, result.ap50), (0.5, 0.5))
    assert result.of_speed["slow"].ap == result.ap and np.isnan(result.of_speed["fast"].ap)
    assert result.ms > 0
    clips.classes = ("cat", "cat")
    with pytest.raises(ValueError, match="a name of its own; got .*'cat', 'cat'"):
        evaluate(video, clips)
