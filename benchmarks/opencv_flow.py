"""The presets beside OpenCV's optical flow: accuracy, time, size.

    python benchmarks/opencv_flow.py [--chairs FOLDER] [--middlebury FOLDER]

EPE on 200 held-out scenes, overall and by speed of motion, and on real pairs if their folder is
given; milliseconds for a pair of 384x512 on one and two threads, all methods in turn; and for a
video frame, if the network encodes each frame once. Writes opencv_flow.csv, the table in
docs/presets.md and the picture docs/error_over_time.svg. --raft PYTHON, an interpreter that has
torchvision, adds the time of its RAFT small.
"""

import argparse
import pathlib
import statistics
import subprocess
import tempfile
import time

from tfflow.startup import start_backend_quietly

start_backend_quietly()

import cv2
import numpy as np
from pictures import write_scatter
from tables import put_table, write_csv

import tfflow
from tfflow import tflite
from tfflow.data import SceneConfig, open_dataset
from tfflow.data.scenes import render, sample_scene
from tfflow.evaluation import evaluate
from tfflow.markdown import markdown_table
from tfflow.models import FlowStream
from tfflow.recipes.scenes import held_out_scenes
from tfflow.tflite.benchmarking import conditions
from tfflow.weights import preset_tflite

HERE = pathlib.Path(__file__).parent
RESULT = HERE / "opencv_flow.csv"
DOCS = HERE.parent / "docs" / "presets.md"
PICTURE = HERE.parent / "docs" / "error_over_time.svg"
SIZE = (384, 512)
FULL_HD = (1080, 1920)  # on one thread
THREADS = (1, 2)
ROUNDS = 15
FILES = {
    "rillflow, int8": ("rillflow", "int8"),
    "rillflow, float16": ("rillflow", "float16"),
    "rillflow, small (192x256)": ("rillflow", "small"),
    "lightflow, int8": ("lightflow", "int8"),
}
KERAS = {"rillflow, Keras": "rillflow", "lightflow, Keras": "lightflow"}  # TensorFlow's threads
SPEEDS = {"s0_10": "0 to 10 px", "s10_40": "10 to 40 px", "s40_plus": "over 40 px"}
CALLS = 5
RAFT = "RAFT small (torchvision), time alone"
DIS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}


class OpenCV:
    """One of OpenCV's methods as a predictor."""

    def __init__(self, function):
        self.function = function

    def predict_flow(self, image1, image2):
        return self.function(
            *(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (image1, image2))
        )


def dis(preset):
    method = cv2.DISOpticalFlow_create(preset)
    return OpenCV(lambda first, second: method.calc(first, second, None))


def farneback(first, second):
    return cv2.calcOpticalFlowFarneback(first, second, None, 0.5, 3, 15, 3, 5, 1.2, 0)


def raft(python, threads):
    """ms that torchvision's RAFT small takes in the interpreter `python`; {} if that is None."""
    if python is None:
        return {}
    command = [python, str(HERE / "raft_time.py"), *map(str, (*SIZE, threads, ROUNDS))]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {(RAFT, threads, "pair"): [float(printed)]}


def predictors(threads):
    """Name -> (predictor, bytes)."""
    files = {name: preset_tflite(*file) for name, file in FILES.items()}
    return {
        **{
            name: (tflite.FlowInterpreter(path, threads), path.stat().st_size)
            for name, path in files.items()
        },
        **{f"DIS {name}": (dis(preset), None) for name, preset in DIS.items()},
        "Farneback": (OpenCV(farneback), None),
    }


def keras_models():
    return {name: (tfflow.load(preset), None) for name, preset in KERAS.items()}


def data(arguments, folder):
    sets = {"held-out scenes": held_out_scenes(pathlib.Path(folder))}
    if arguments.chairs:
        sets["FlyingChairs"] = open_dataset(f"chairs-all:{arguments.chairs}")
    if arguments.middlebury:
        sets["Middlebury"] = open_dataset(f"middlebury:{arguments.middlebury}")
    return sets


def latencies(raft_python):
    """(name, threads, "pair", "frame" or "full HD") -> median ms of a call, images in, flow out."""
    scene = render(sample_scene(SceneConfig(height=SIZE[0], width=SIZE[1]), 3, 0))
    images = [np.ascontiguousarray(image) for image in scene.images[:2]]
    large = [cv2.resize(image, FULL_HD[::-1], interpolation=cv2.INTER_CUBIC) for image in images]
    times = {}
    for threads in THREADS:
        cv2.setNumThreads(threads)
        methods = predictors(threads)
        if threads == max(THREADS):
            methods |= keras_models()
        calls = {(name, "pair"): each.predict_flow for name, (each, _) in methods.items()}
        for name, (each, _) in methods.items():
            if name in FILES and each.siamese:
                calls[name, "frame"] = frame_by_frame(FlowStream(each))
        if threads == 1:
            calls |= {(name, "full HD"): each.predict_flow for name, (each, _) in methods.items()}
        for _ in range(ROUNDS):
            for (name, what), call in calls.items():
                pair, count = (large, 1) if what == "full HD" else (images, CALLS)
                call(*pair)
                start = time.perf_counter()
                for _ in range(count):
                    call(*pair)
                spent = (time.perf_counter() - start) / count
                times.setdefault((name, threads, what), []).append(1e3 * spent)
        times |= raft(raft_python, threads)
    return {key: statistics.median(values) for key, values in times.items()}


def frame_by_frame(stream):
    return lambda _, frame: stream.next(frame)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chairs", help="FlyingChairs_release")
    parser.add_argument("--middlebury", help="Middlebury's folder")
    parser.add_argument("--raft", metavar="PYTHON", help="a Python that has torchvision")
    arguments = parser.parse_args()
    where = conditions()
    times = latencies(arguments.raft)
    with tempfile.TemporaryDirectory() as folder:
        sets = data(arguments, folder)
        methods = {**keras_models(), **predictors(max(THREADS)), "no motion at all": (Zero(), None)}
        methods |= {name: (None, None) for name, *_ in times if name not in methods}
        rows = []
        for name, (predictor, size) in methods.items():
            rows.append({"method": name, **(accuracy(predictor, sets) if predictor else {})})
            kinds = [(what, threads) for threads in THREADS for what in ("pair", "frame")]
            for what, threads in [*kinds, ("full HD", 1)]:
                ms = times.get((name, threads, what))
                rows[-1][f"{what}_ms_{threads}_threads"] = "" if ms is None else round(ms, 2)
            rows[-1]["megabytes"] = "" if size is None else round(size / 1e6, 2)
            rows[-1] |= {"size": "x".join(map(str, SIZE)), **where}
            print(rows[-1], flush=True)
    write_csv(RESULT, rows)
    write_table(rows, list(sets))
    points = {
        row["method"]: (row["pair_ms_1_threads"], row["EPE held-out scenes"])
        for row in rows
        if row["pair_ms_1_threads"] and "EPE held-out scenes" in row
    }
    write_scatter(PICTURE, points, "ms for a pair of 384x512, one thread", "EPE, px, unseen scenes")


def accuracy(predictor, sets):
    """EPE on each set, and by speed on the first."""
    found = {}
    for key, pairs in sets.items():
        result = evaluate(predictor, pairs)
        found[f"EPE {key}"] = round(result.epe, 3)
        if key == "held-out scenes":
            found |= {speed: round(result.by_speed[speed], 3) for speed in SPEEDS}
    return found


class Zero:
    """Predicts no motion."""

    def predict_flow(self, image1, image2):
        return np.zeros((*image1.shape[:2], 2), np.float32)


def write_table(rows, sets):
    columns = {
        "EPE held-out scenes": "EPE, scenes",
        **SPEEDS,
        **{f"EPE {name}": f"EPE, {name}" for name in sets[1:]},
        "pair_ms_1_threads": "ms, 1 thread",
        "frame_ms_1_threads": "a frame",
        "full HD_ms_1_threads": "1080x1920",
        "pair_ms_2_threads": "2 threads",
        "megabytes": "MB",
    }
    cells = [[row["method"], *(row.get(key, "") for key in columns)] for row in rows]
    lines = [
        *markdown_table(["", *columns.values()], cells),
        "",
        f"{rows[0]['cpu']}, {rows[0]['cores']} shared cores, load average "
        f"{rows[0]['load_average']}, {rows[0]['date'][:10]}.",
    ]
    put_table(DOCS, "comparison", lines)


if __name__ == "__main__":
    main()
