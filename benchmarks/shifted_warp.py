"""LiteFlowNet2's file with the exact warp, a gather, and with warps by shifted copies.

    python benchmarks/shifted_warp.py [FOLDER]

One CPU thread (XNNPACK), the files in turn, and what the delegate takes. Milliseconds are CPU time,
which other programs disturb less than wall-clock time. Files already in FOLDER are not exported
again: that takes minutes.
"""

import pathlib
import statistics
import tempfile
import time

from tfflow.startup import start_backend_quietly

start_backend_quietly()

import numpy as np
from tables import options, write_csv

import tfflow
from tfflow import tflite
from tfflow.tflite.benchmarking import conditions, delegation
from tfflow.tflite.interpreter import open_interpreter

NETWORK = "liteflownet2"
SIZE = (384, 512)
RADII = (None, 1, 2, 4)
ROUNDS, RUNS = 3, 5
RESULT = pathlib.Path(__file__).with_suffix(".csv")


def main(folder):
    model = tfflow.models.create(NETWORK)  # time does not depend on the weights
    files = {}
    for radius in RADII:
        files[radius] = pathlib.Path(folder, f"{radius}.tflite")
        if not files[radius].exists():
            settings = {"size": SIZE, "quantization": "float32", "warp_radius": radius}
            tflite.export(model, files[radius], **settings)
    where = conditions()
    times = {radius: [] for radius in RADII}
    for _ in range(ROUNDS):  # in turn, so that a slow minute hits all alike
        for radius in RADII:
            times[radius] += cpu_times(files[radius])
    rows = [row(radius, times[radius], files[radius], where) for radius in RADII]
    write_csv(RESULT, rows)
    print(RESULT.read_text())


def cpu_times(path):
    interpreter = open_interpreter(path, 1)
    generator = np.random.default_rng(0)
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], generator.random(detail["shape"], np.float32))
    times = []
    for _ in range(RUNS + 1):
        start = time.process_time()
        interpreter.invoke()
        times.append(1000.0 * (time.process_time() - start))
    return times[1:]


def row(radius, times, path, where):
    share = delegation(path)
    return {
        "network": NETWORK,
        "form": "float32",
        "warp": "gather" if radius is None else f"shifts, radius {radius}",
        "threads": 1,
        "median_cpu_ms": round(statistics.median(times), 1),
        "min_cpu_ms": round(min(times), 1),
        "operators": share["operators"],
        "delegated": share["delegated"],
        "delegated_share": round(share["delegated"] / share["operators"], 3),
        "partitions": share["partitions"],
        "gathers": tflite.operators(path).get("GATHER", 0),
        "megabytes": round(path.stat().st_size / 1e6, 2),
        "size": "x".join(map(str, SIZE)),
        **where,
    }


if __name__ == "__main__":
    folders = options(__doc__, "a folder that keeps the exported files [a temporary one]")
    if folders:
        main(folders[0])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(temporary)
