"""Average precision, by hand."""

import numpy as np
import pytest

from tfflow.data.clips import Clip, VideoFrame
from tfflow.video import Detections, average_precision, evaluate

A, B, FAR = (0, 0, 10, 10), (20, 0, 30, 10), (60, 60, 70, 70)


def detections(*found):
    boxes, scores, classes = zip(*found) if found else ((), (), ())
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4), np.array(scores), np.array(classes, int)
    )


def test_all_right_is_one():
    found = [detections((A, 0.9, 0), (B, 0.8, 1)), detections((A, 0.1, 0))]
    result = average_precision(found, [[A, B], [A]], [[0, 1], [0]], 3)
    np.testing.assert_array_equal(result, [1, 1, np.nan])


def test_by_hand():
    # Right, wrong, right, and one of three is never found: (1 + 2/3) / 3.
    found = [detections((A, 0.9, 0), (FAR, 0.7, 0)), detections((B, 0.5, 0))]
    result = average_precision(found, [[A, B], [B]], [[0, 0], [0]], 1)
    np.testing.assert_allclose(result, [(1 + 2 / 3) / 3])


def test_precision_is_the_best_at_a_higher_recall():
    # Wrong, right, right: 1/2 and 2/3, of which 2/3 counts twice.
    found = [detections((FAR, 0.9, 0), (A, 0.8, 0), (B, 0.7, 0))]
    np.testing.assert_allclose(average_precision(found, [[A, B]], [[0, 0]], 1), [2 / 3])


def test_an_object_is_found_once_and_by_the_best():
    shifted = (0, 2, 10, 12)  # overlaps by 2/3
    found = [detections((shifted, 0.5, 0), (A, 0.9, 0))]
    np.testing.assert_allclose(average_precision(found, [[A]], [[0]], 1), [1.0])
    found = [detections((shifted, 0.9, 0), (A, 0.5, 0))]
    np.testing.assert_allclose(average_precision(found, [[A]], [[0]], 1, overlap=0.7), [0.5])


def test_another_class_another_image_or_nothing_is_wrong():
    wrong = [detections((A, 0.9, 1)), detections((B, 0.9, 0))]
    np.testing.assert_array_equal(average_precision(wrong, [[A], [A]], [[0], [0]], 2), [0, np.nan])
    nothing = [detections(), detections()]
    np.testing.assert_array_equal(average_precision(nothing, [[A], []], [[0], []], 1), [0])
    with pytest.raises(ValueError, match="got 1, 2 and 2"):
        average_precision(wrong[:1], [[A], [A]], [[0], [0]], 2)


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
    assert result.of_class == {"cat": 0.0, "dog": 1.0} and result.mean == 0.5
