"""Boxes moved along the flow; a detector on key frames whose boxes are carried."""

import threading

import numpy as np
import pytest

from tfflow.detection import (
    BoxPropagator,
    ByConfidence,
    ByMotion,
    Detections,
    FixedInterval,
    FlowGuidedDetector,
    VideoDetector,
    move_boxes,
)
from tfflow.detection.box_propagation import found_again
from tfflow.models import ConfidentFlow

SIZE = (64, 96)


def flow_of(u, v, size=SIZE):
    return np.broadcast_to(np.float32([u, v]), (*size, 2)).copy()


def test_a_box_moves_as_most_of_what_is_in_it():
    flow = flow_of(3, -2)
    flow[:, 40:] = (-9, 9)  # another thing, over a part of the box
    boxes = np.float32([[20, 20, 44, 40], [60, 10, 80, 30]])
    expected = [[23, 18, 47, 38], [51, 19, 71, 39]]
    np.testing.assert_allclose(move_boxes(boxes, flow), expected, atol=1e-5)


def test_unknown_flow_does_not_move_a_box():
    flow = np.zeros((60, 80, 2), np.float32)
    flow[:, 40:] = (3, -2)
    boxes = np.float32([[45, 10, 75, 50], [5, 10, 35, 50]])
    expected = move_boxes(boxes, flow)
    flow[np.random.default_rng(0).random((60, 80)) < 0.3] = np.nan
    flow[20, 60] = np.inf
    np.testing.assert_array_equal(move_boxes(boxes, flow), expected)
    flow[:, 60:] = np.nan  # a whole side: no growth can be told from it
    np.testing.assert_array_equal(move_boxes(boxes, flow), expected)
    flow[:] = np.nan
    np.testing.assert_array_equal(move_boxes(boxes, flow), boxes)


def test_flow_of_another_grid():
    """A quarter of the frame's height and half of its width: 1 px of the flow is 2 and 4."""
    flow = flow_of(1, 1, (16, 48))
    moved = move_boxes([[10, 10, 30, 30]], flow, SIZE)
    np.testing.assert_allclose(moved, [[12, 14, 32, 34]], atol=1e-5)


def test_a_box_grows_with_what_comes_nearer_alone():
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] + np.float32(0.5)
    zoom = np.stack([0.25 * (x - 48), 0.25 * (y - 32)], axis=-1)
    (box,) = move_boxes([[28, 12, 68, 52]], zoom)
    np.testing.assert_allclose(box, [23, 7, 73, 57], atol=0.3)
    sheared = np.stack([0.25 * (x - 48), 0 * y], axis=-1)
    np.testing.assert_allclose(move_boxes([[28, 12, 68, 52]], sheared), [[28, 12, 68, 52]], atol=1)


def test_boxes_at_the_edge_tiny_and_none():
    assert move_boxes(np.zeros((0, 4)), flow_of(1, 1)).shape == (0, 4)
    boxes = [[95, 63, 96, 64], [0, 0, 96, 64], [5, 5, 5, 5]]
    np.testing.assert_allclose(move_boxes(boxes, flow_of(2, 1)), np.add(boxes, [2, 1, 2, 1]))
    for wrong in ([1, 2, 3, 4], [[1, 2, 3]]):
        with pytest.raises(ValueError, match="boxes \\(N, 4\\) and a flow \\(h, w, 2\\)"):
            move_boxes(wrong, flow_of(0, 0))


class Scene:
    """A detector and a flow that know the truth: a thing that moves by (4, 2) px a frame.

    The frame's first pixel says how late it is.
    """

    def __init__(self):
        self.detected, self.pairs = [], []

    def frame(self, time):
        frame = np.zeros((*SIZE, 3), np.float32)
        frame[...] = time / 100
        return frame

    def time(self, image):
        return round(float(image[0, 0, 0]) * 100)

    def box(self, time):
        return np.float32([10 + 4 * time, 10 + 2 * time, 30 + 4 * time, 30 + 2 * time])

    def __call__(self, frame):
        time = self.time(frame)
        self.detected.append(time)
        return self.box(time)[None], np.array([0.9]), np.array([2])

    def predict_flow(self, image1, image2):
        first, second = self.time(image1), self.time(image2)
        self.pairs.append((first, second))
        return flow_of(4 * (second - first) / 2, 2 * (second - first) / 2, image1.shape[:2])


@pytest.mark.parametrize("flow_every", [1, 2, 3, 4])
def test_a_detector_runs_on_key_frames_and_its_boxes_follow(flow_every):
    scene = Scene()
    video = BoxPropagator(scene, scene, FixedInterval(5), flow_every=flow_every, flow_side=48)
    keys = []
    for time in range(11):
        found = video.next(scene.frame(time))
        keys.append(video.is_key)
        np.testing.assert_allclose(found.boxes, scene.box(time)[None], atol=1e-4)
        assert found.scores.tolist() == [np.float32(0.9)] and found.classes.tolist() == [2]
    assert keys == [time % 5 == 0 for time in range(11)]
    assert scene.detected == [0, 5, 10]
    looked = [t for t in range(11) if t % 5 and (t % 5 - 1) % flow_every == 0]
    assert scene.pairs == [(t - t % 5, t) for t in looked]


def test_what_is_found_again_keeps_a_share_of_its_score():
    boxes = np.float32([[0, 0, 20, 20], [2, 0, 22, 20], [50, 0, 70, 20]])
    earlier = Detections(boxes[:1], np.float32([0.2]), np.array([1]))

    def scores(classes, memory=0.5):
        found = Detections(boxes, np.float32([0.8, 0.7, 0.6]), np.array(classes))
        result = found_again(found, earlier, memory)
        assert (np.diff(result.scores) <= 0).all()
        return {tuple(box): round(float(s), 3) for box, s in zip(result.boxes, result.scores)}

    first, second, third = map(tuple, boxes)
    # The second overlaps it too, but it is taken.
    assert scores([1, 1, 1]) == {first: 0.5, second: 0.7, third: 0.6}
    assert scores([0, 1, 1], 0.25) == {first: 0.8, second: 0.575, third: 0.6}
    assert scores([0, 0, 1]) == scores([1, 1, 1], 0) == {first: 0.8, second: 0.7, third: 0.6}


def test_scores_are_remembered_from_key_frame_to_key_frame():
    scene = Scene()
    certain = iter([0.9, 0.5, 0.5])

    def detect(frame):
        boxes, _, classes = scene(frame)
        return boxes, np.array([next(certain)]), classes

    video = BoxPropagator(detect, scene, FixedInterval(5), flow_side=48, memory=0.5)
    found = [float(video.next(scene.frame(time)).scores[0]) for time in range(11)]
    np.testing.assert_allclose(found, 5 * [0.9] + 5 * [0.7] + [0.6], atol=1e-6)
    for memory in (-0.1, 1.5):
        with pytest.raises(ValueError, match="memory must lie in 0..1"):
            BoxPropagator(detect, scene, memory=memory)


def test_a_box_that_the_edge_cuts_grows_as_its_thing_comes_in():
    class Entering(Scene):
        def box(self, time):
            return np.float32([0, 10 + 2 * time, 20 + 4 * time, 30 + 2 * time])

    scene = Entering()
    video = BoxPropagator(scene, scene, FixedInterval(5), flow_side=48)
    for time in range(5):
        (box,) = video.next(scene.frame(time)).boxes
        np.testing.assert_allclose(box, scene.box(time), atol=1e-4)


def test_boxes_near_the_edge_stay_where_nothing_moves():
    class Still(Scene):
        def box(self, time):
            return np.float32([0.5, 0.25, SIZE[1] - 0.5, SIZE[0] - 0.25])

        def predict_flow(self, image1, image2):
            return np.zeros((*image1.shape[:2], 2), np.float32)

    scene = Still()
    video = BoxPropagator(scene, scene)
    frames = [video.next(scene.frame(0)).boxes[0] for _ in range(3)]
    np.testing.assert_allclose(frames, [scene.box(0)] * 3, atol=1e-4)


def test_what_leaves_the_frame_is_left_out():
    scene = Scene()
    video = BoxPropagator(scene, scene, FixedInterval(50), flow_every=1, flow_side=48)
    counts = [len(video.next(scene.frame(time)).boxes) for time in range(26)]
    assert counts == [1 if 10 + 4 * t <= 95 else 0 for t in range(26)]


def test_a_schedule_that_goes_by_the_flow():
    scene = Scene()
    video = BoxPropagator(scene, scene, ByMotion(px=20), flow_every=2, flow_side=48)
    keys = []
    for time in range(13):
        video.next(scene.frame(time))
        keys.append(video.is_key)
    # 4.5 px a frame: above 20 from five frames on.
    assert np.flatnonzero(keys).tolist() == [0, 5, 10]


def test_a_schedule_that_goes_by_the_confidence():
    class Sure(Scene):
        gives_confidence = True

        def predict_flow(self, image1, image2, confidence=False):
            flow = super().predict_flow(image1, image2)
            trust = np.ones(flow.shape[:2], np.float32)
            # Lost where the key frame's thing is, from the fifth frame on: (10..30)/2 px there.
            late = self.time(image2) - self.time(image1) >= 5
            trust[5:15, 5:15] = 0.2 if late and self.time(image1) == 0 else 1
            return ConfidentFlow(flow, trust)

    scene = Sure()
    video = BoxPropagator(scene, scene, ByConfidence(0.6, longest=9), flow_every=2, flow_side=48)
    keys = []
    for time in range(15):
        video.next(scene.frame(time))
        keys.append(video.is_key)
    assert np.flatnonzero(keys).tolist() == [0, 5, 14]
    with pytest.raises(ValueError, match="needs a flow network that gives its confidence"):
        BoxPropagator(scene, Scene(), ByConfidence())


@pytest.mark.parametrize("longest", [2, 3, 5, 6])
def test_the_longest_interval_is_kept_where_the_flow_is_not_looked_at_too(longest):
    scene = Scene()
    video = BoxPropagator(scene, scene, ByMotion(px=1000, longest=longest), flow_side=48)
    keys = []
    for time in range(13):
        video.next(scene.frame(time))
        keys.append(video.is_key)
    assert np.flatnonzero(keys).tolist() == list(range(0, 13, longest))


def test_arrays_that_others_change_afterwards():
    scene, buffer = Scene(), np.zeros((1, 4), np.float32)

    def detect(frame):
        buffer[:] = scene.box(scene.time(frame))
        return buffer, np.array([0.9]), np.array([2])

    video = BoxPropagator(detect, scene, FixedInterval(5), flow_side=48)
    for time in range(5):
        found = video.next(scene.frame(time))
        np.testing.assert_allclose(found.boxes, scene.box(time)[None], atol=1e-4)
        for each in (found.boxes, found.scores, buffer):
            each[:] = 0


def test_another_video_and_a_failed_frame():
    scene = Scene()
    video = BoxPropagator(scene, scene, FixedInterval(3))
    video.next(scene.frame(0))
    with pytest.raises(ValueError, match="frames are 64x96 .* got 32x96"):
        video.next(np.zeros((32, 96, 3), np.float32))
    with pytest.raises(ValueError, match="takes one frame"):
        video.next(np.zeros((2, *SIZE, 3), np.float32))
    video.next(scene.frame(1))
    assert video.is_key is False
    video.reset()
    assert video.is_key is None
    video.next(np.zeros((32, 96, 3), np.float32))
    assert video.is_key


def test_a_tflite_flow_network_gets_frames_of_its_size():
    class Fixed(Scene):
        size = (32, 32)

        def predict_flow(self, image1, image2):
            assert image1.shape == image2.shape == (32, 32, 3)
            return np.zeros((32, 32, 2), np.float32)

    scene = Fixed()
    video = BoxPropagator(scene, scene, flow_every=1)
    for time in range(2):
        video.next(scene.frame(time))


def test_a_video_detector_finds_the_boxes_of_key_frames():
    detector = FlowGuidedDetector(2, alpha=0.25, channels=8, depth=1, aggregation=False)
    every = VideoDetector(detector, schedule=FixedInterval(1), score=0.0)
    frames = np.random.default_rng(0).random((3, 64, 96, 3), np.float32)
    expected = every.next(frames[0])
    every.reset()
    video = BoxPropagator(every, Scene(), FixedInterval(2))
    np.testing.assert_array_equal(video.next(frames[0]).boxes, expected.boxes)
    video.reset()  # the detector's too: frames of another size
    assert len(video.next(frames[0][:32]).boxes)
    with pytest.raises(ValueError, match="looks at single frames: .*FixedInterval\\(1\\)"):
        BoxPropagator(VideoDetector(detector, Scene(), FixedInterval(2)), Scene())


def test_wrong_use():
    scene = Scene()
    with pytest.raises(TypeError, match="detect must be a function .* got int"):
        BoxPropagator(3, scene)
    with pytest.raises(TypeError, match="flow must have predict_flow"):
        BoxPropagator(scene, "rillflow")
    with pytest.raises(TypeError, match="KeyFrameSchedule"):
        BoxPropagator(scene, scene, 10)
    for options in ({"flow_every": 0}, {"flow_side": 1.5}):
        with pytest.raises(ValueError, match="a whole number of at least 1"):
            BoxPropagator(scene, scene, **options)
    turned = np.zeros((4, 2)), np.zeros(2), np.zeros(2)
    for wrong in (None, (np.zeros((2, 4)), np.zeros(1), np.zeros(2)), [1, 2], turned):
        with pytest.raises(ValueError, match="detect must give boxes"):
            BoxPropagator(lambda frame, wrong=wrong: wrong, scene).next(scene.frame(0))
    for wrong in ([[np.nan, 0, 1, 1]], [0.5], [0]), ([[0, 0, 1, 1]], [np.inf], [0]):
        with pytest.raises(ValueError, match="finite boxes and scores"):
            BoxPropagator(lambda frame, wrong=wrong: wrong, scene).next(scene.frame(0))
    for wrong in ("cat", 1.5, np.nan):
        with pytest.raises(ValueError, match="classes as whole numbers, places in a list of names"):
            BoxPropagator(lambda frame, wrong=wrong: ([[0, 0, 1, 1]], [1], [wrong]), scene).next(
                scene.frame(0)
            )
    with pytest.raises(ValueError, match=r"x1 <= x2 and y1 <= y2; got \[30.0, 20.0, 10.0, 40.0\]"):
        BoxPropagator(lambda frame: ([[30, 20, 10, 40]], [1], [0]), scene).next(scene.frame(0))
    nothing = np.zeros((0, 4)), [], []
    found = BoxPropagator(lambda frame: nothing, scene).next(scene.frame(0))
    assert isinstance(found, Detections) and found.boxes.shape == (0, 4)


def test_boxes_are_cut_at_the_frame_on_key_frames_too():
    scene = Scene()
    frame = scene.frame(0)
    height, width = frame.shape[:2]
    boxes = [[-5, -6, 20, height + 9], [width + 1, 0, width + 9, 9], [3, 4, 30, 40]]
    found = BoxPropagator(lambda frame: (boxes, [0.9, 0.8, 0.7], [0, 1, 2]), scene).next(frame)
    np.testing.assert_array_equal(found.boxes, [[0, 0, 20, height], [3, 4, 30, 40]])
    assert found.classes.tolist() == [0, 2]


def test_two_threads_at_once_are_refused():
    scene, entered, leave = Scene(), threading.Event(), threading.Event()

    def slow(frame):
        entered.set()
        leave.wait(10)
        return scene(frame)

    video = BoxPropagator(slow, scene)
    thread = threading.Thread(target=video.next, args=(scene.frame(0),))
    thread.start()
    entered.wait(10)
    with pytest.raises(RuntimeError, match="BoxPropagator is one video"):
        video.next(scene.frame(1))
    leave.set()
    thread.join()
