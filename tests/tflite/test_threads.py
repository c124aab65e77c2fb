"""Objects that hold buffers, called from several threads: the flow of one thread, or an error."""

import concurrent.futures
import pickle
import sys
import threading
import warnings

import numpy as np
import pytest

from tfflow.detection import DetectorInterpreter, VideoDetector
from tfflow.models import FlowStream
from tfflow.tflite import FlowInterpreter, export

THREADS, CALLS = 8, 200
SIZE = (64, 64)


def in_threads(call):
    """``call(number of the thread)`` in all threads at once; the results."""
    start = threading.Barrier(THREADS)

    def together(number):
        start.wait()
        return call(number)

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(together, range(THREADS)))


def test_one_interpreter_in_many_threads(tiny, tmp_path):
    file = FlowInterpreter(
        export(tiny, tmp_path / "x.tflite", size=SIZE, quantization="float32"), threads=1
    )
    pairs = np.random.default_rng(0).integers(0, 256, (THREADS, 2, *SIZE, 3), np.uint8)
    expected = [file.predict_flow(*pair) for pair in pairs]
    assert len({flow.tobytes() for flow in expected}) == THREADS

    def wrong(number):
        flows = (file.predict_flow(*pairs[number]) for _ in range(CALLS))
        return sum(not np.array_equal(flow, expected[number]) for flow in flows)

    assert in_threads(wrong) == [0] * THREADS


def test_a_process_opens_the_file_again(tiny, tmp_path, monkeypatch):
    path = export(tiny, tmp_path / "x.tflite", size=SIZE, quantization="float32")
    monkeypatch.chdir(tmp_path)
    file = FlowInterpreter(path.name, threads=1)
    pickled = pickle.dumps(file)
    monkeypatch.chdir("/")  # a process may run in another folder
    copied = pickle.loads(pickled)
    assert pickle.loads(pickle.dumps(file)).path == path  # opened before this process went there
    assert (copied.path, copied.threads) == (path, 1)
    pair = np.random.default_rng(0).integers(0, 256, (2, *SIZE, 3), np.uint8)
    np.testing.assert_array_equal(copied.predict_flow(*pair), file.predict_flow(*pair))


class Parts:
    """A network of two parts that holds a buffer between them, as an interpreter does."""

    multiple = 1

    def compiled_parts(self, confidence=False):
        return (lambda image: {"image": image}), self._match

    def _match(self, features1, features2):
        return {"flow": (features2["image"] - features1["image"])[..., :2]}

    def working_size(self, image_size, size=None):
        return image_size


def test_a_stream_in_two_threads_at_once_is_refused():
    stream = FlowStream(Parts())
    entered, leave = threading.Event(), threading.Event()
    encode = stream._encode

    def slow(image):
        entered.set()
        leave.wait()
        return encode(image)

    frame = np.zeros((8, 8, 3), np.uint8)
    stream.next(frame)
    stream._encode = slow
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        first = pool.submit(stream.next, frame)
        entered.wait()
        for call in (lambda: stream.next(frame), stream.reset):
            with pytest.raises(RuntimeError, match="Give each thread a FlowStream of its own"):
                call()
        leave.set()
        np.testing.assert_array_equal(first.result(), np.zeros((8, 8, 2)))
    stream._encode = encode
    assert stream.next(frame + 255).min() == 1.0  # one thread after the other may


class Runner:
    """A detector's file in miniature: boxes and flow say which image they are of."""

    def __call__(self, image, key_image, features):
        mark = image[0, 0, 0, 0]
        return {
            "boxes": np.full((1, 1, 4), 10 * mark + [0, 0, 1, 1], np.float32),
            "scores": np.ones((1, 1, 1), np.float32),
            "features": features,
            "flow": np.zeros((1, 2, 2, 2), np.float32),
        }


def test_video_detectors_that_share_files_keep_their_own_boxes():
    files = DetectorInterpreter.__new__(DetectorInterpreter)
    files._runners = {"key": Runner(), "between": Runner()}
    files.paths = dict.fromkeys(files._runners, "NAME.tflite")
    files._nothing = np.zeros((1, 1, 1, 1), np.float32)
    files._last, files._lock = (None, None), threading.Lock()
    first, second = (np.full((1, 4, 4, 3), mark, np.float32) for mark in (1, 2))
    flows = [files.flow(image, image, files._nothing) for image in (first, second)]
    results = [
        files.between(image, image, files._nothing, flow)
        for image, flow in zip((first, second), flows)
    ]
    assert [result["boxes"][0, 0, 0] for result in results] == [10, 20]


def test_a_video_detector_in_two_threads_at_once_is_refused():
    class Engine:
        size, multiple = (8, 8), 1

        def first(self, image):
            with pytest.raises(RuntimeError, match="Give each thread a VideoDetector of its own"):
                in_another_thread(video.reset)
            return Runner()(image, image, np.zeros((1, 1, 1, 1)))

    def in_another_thread(call):
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            return pool.submit(call).result()

    video = VideoDetector(Engine())
    assert len(video.next(np.zeros((8, 8, 3), np.uint8)).boxes) == 1


def test_exports_in_threads_leave_stderr_to_the_process(tiny, tmp_path):
    before, stderr = warnings.filters[:], sys.stderr

    def one(number):
        return export(tiny, tmp_path / f"{number}.tflite", size=SIZE, quantization="dynamic")

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        assert all(path.is_file() for path in pool.map(one, range(6)))
    assert sys.stderr is stderr and warnings.filters == before
