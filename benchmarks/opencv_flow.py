"""The preset lightflow beside OpenCV's optical flow: accuracy, time, size.

    python benchmarks/opencv_flow.py [--chairs FOLDER] [--middlebury FOLDER]

EPE on 200 scenes that nothing was trained on, and on real pairs where they are at hand;
milliseconds for a pair of 384x512 on one and two threads, all methods in turn. Writes
opencv_flow.csv and the table in docs/presets.md.
"""

import argparse
import pathlib
import statistics
import tempfile
import time

from tfflow.startup import start_backend_quietly

start_backend_quietly()

import cv2
import numpy as np
from tables import put_table, write_csv

import tfflow
from tfflow import tflite
from tfflow.data import SceneCache, SceneConfig, open_dataset, synthesize
from tfflow.data.synthetic import render, sample_scene
from tfflow.evaluation import evaluate
from tfflow.tflite.benchmarking import conditions
from tfflow.weights import preset_tflite

HERE = pathlib.Path(__file__).parent
RESULT = HERE / "opencv_flow.csv"
DOCS = HERE.parent / "docs" / "presets.md"
SIZE = (384, 512)
THREADS = (1, 2)
ROUNDS = 15
KERAS = "lightflow, Keras"  # on TensorFlow's own threads
CALLS = 5
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


def predictors(threads):
    """Name -> (predictor, bytes)."""
    forms = ("int8", "float16")
    files = {f"lightflow, .tflite {form}": preset_tflite("lightflow", form) for form in forms}
    return {
        **{
            name: (tflite.FlowInterpreter(path, threads), path.stat().st_size)
            for name, path in files.items()
        },
        **{f"DIS {name}": (dis(preset), None) for name, preset in DIS.items()},
        "Farneback": (OpenCV(farneback), None),
    }


def data(arguments, folder):
    synthesize(folder, 200, SceneConfig(height=320, width=448), seed=1)
    sets = {"held-out scenes": SceneCache(folder)}
    if arguments.chairs:
        sets["FlyingChairs"] = open_dataset(f"chairs-all:{arguments.chairs}")
    if arguments.middlebury:
        sets["Middlebury"] = open_dataset(f"middlebury:{arguments.middlebury}")
    return sets


def latencies():
    """(name, threads) -> median ms of a call, images in and flow out."""
    scene = render(sample_scene(SceneConfig(height=SIZE[0], width=SIZE[1]), 3, 0))
    images = [np.ascontiguousarray(image) for image in scene.images[:2]]
    times = {}
    for threads in THREADS:
        cv2.setNumThreads(threads)
        methods = predictors(threads)
        if threads == max(THREADS):
            methods[KERAS] = (tfflow.load("lightflow"), None)
        for _ in range(ROUNDS):
            for name, (predictor, _) in methods.items():
                predictor.predict_flow(*images)
                start = time.perf_counter()
                for _ in range(CALLS):
                    predictor.predict_flow(*images)
                spent = (time.perf_counter() - start) / CALLS
                times.setdefault((name, threads), []).append(1e3 * spent)
    return {key: statistics.median(values) for key, values in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chairs", help="FlyingChairs_release")
    parser.add_argument("--middlebury", help="Middlebury's folder")
    arguments = parser.parse_args()
    where = conditions()
    times = latencies()
    with tempfile.TemporaryDirectory() as folder:
        sets = data(arguments, folder)
        methods = {KERAS: (tfflow.load("lightflow"), None), **predictors(max(THREADS))}
        rows = []
        for name, (predictor, size) in methods.items():
            errors = {f"EPE {key}": evaluate(predictor, pairs).epe for key, pairs in sets.items()}
            row = {"method": name, **{key: round(epe, 3) for key, epe in errors.items()}}
            for threads in THREADS:
                ms = times.get((name, threads))
                row[f"ms_{threads}_threads"] = "" if ms is None else round(ms, 2)
            row["megabytes"] = "" if size is None else round(size / 1e6, 2)
            rows.append({**row, "size": "x".join(map(str, SIZE)), **where})
            print(row, flush=True)
        zero = {f"EPE {key}": evaluate(Zero(), pairs).epe for key, pairs in sets.items()}
        still = {"method": "no motion at all", **{key: round(epe, 3) for key, epe in zero.items()}}
        rows.append(dict.fromkeys(rows[0], "") | still)
    write_csv(RESULT, rows)
    write_table(rows, list(sets))


class Zero:
    """Predicts no motion."""

    def predict_flow(self, image1, image2):
        return np.zeros((*image1.shape[:2], 2), np.float32)


def write_table(rows, sets):
    heads = [*(f"EPE, {name}" for name in sets), "ms, 1 thread", "ms, 2 threads", "MB"]
    columns = [*(f"EPE {name}" for name in sets), "ms_1_threads", "ms_2_threads", "megabytes"]
    lines = ["| | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
    lines += [
        "| " + " | ".join([row["method"], *(str(row[column]) for column in columns)]) + " |"
        for row in rows
    ]
    lines += [
        "",
        f"{rows[0]['cpu']}, {rows[0]['cores']} shared cores, load average "
        f"{rows[0]['load_average']}, {rows[0]['date'][:10]}.",
    ]
    put_table(DOCS, "comparison", lines)


if __name__ == "__main__":
    main()
