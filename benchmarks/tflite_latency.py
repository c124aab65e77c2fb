"""Latency, size and accuracy of LightFlow's quantization modes, beside OpenCV's DIS.

    python benchmarks/tflite_latency.py

All in turn, round by round, at 384x512; EPE on synthetic scenes not used for training or
calibration. The CSV has the numbers with their conditions, docs/export.md a table.
"""

import pathlib
import statistics
import tempfile
import time

from tfflow.startup import start_backend_quietly

start_backend_quietly()

import cv2
from tables import options, put_table, write_csv

import tfflow
from tfflow import tflite
from tfflow.evaluation import evaluate
from tfflow.markdown import markdown_table
from tfflow.tflite.benchmarking import conditions, delegation
from tfflow.tflite.calibration import synthetic_samples
from tfflow.tflite.memory import peak_memory

HERE = pathlib.Path(__file__).parent
RESULT = HERE / "tflite_latency.csv"
DOCS = HERE.parent / "docs" / "export.md"
SIZE = (384, 512)
ROUNDS, RUNS = 9, 15
PAIRS = 24
THREADS = (1, 2)
DIS = "OpenCV's DIS, medium"


def main():
    where = conditions()
    model = tfflow.load("lightflow")
    pairs = synthetic_samples(SIZE, PAIRS, seed=1)
    with tempfile.TemporaryDirectory() as folder:
        files = {
            form: tflite.export(model, f"{folder}/{form}.tflite", size=SIZE, quantization=form)
            for form in tflite.QUANTIZATIONS
        }
        seconds = measure(files, pairs[0])
        rows = []
        for name in (*files, DIS):
            times = {
                f"{what}_ms_{threads}": round(of(seconds[name, threads]), 2)
                for threads in THREADS
                for what, of in (("median", statistics.median), ("best", min))
            }
            rows.append({"form": name, **times, **costs(files.get(name), pairs)})
            rows[-1] |= {"size": "x".join(map(str, SIZE)), **where}
            print({key: rows[-1][key] for key in list(rows[-1])[:10]}, flush=True)
    write_csv(RESULT, rows)
    write_table(rows)


def measure(files, pair):
    """(name, threads) -> medians of each round, in milliseconds."""
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (pair.image1, pair.image2)]
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    found = {}
    for round_ in range(ROUNDS):
        for threads in THREADS:
            for name, path in files.items():
                runs = 2 if name == "int16x8" else RUNS
                median = tflite.benchmark(path, threads, runs=runs, warmup=2)["median_ms"]
                found.setdefault((name, threads), []).append(median)
            cv2.setNumThreads(threads)
            times = []
            for _ in range(RUNS):
                start = time.perf_counter()
                dis.calc(*grey, None)
                times.append(1e3 * (time.perf_counter() - start))
            found.setdefault((DIS, threads), []).append(statistics.median(times))
        print(f"round {round_ + 1} of {ROUNDS}", flush=True)
    return found


def costs(path, pairs):
    if path is None:
        return dict.fromkeys(("megabytes", "memory_mb", "operators", "delegated", "epe"), "")
    share = delegation(path)
    return {
        "megabytes": round(path.stat().st_size / 1e6, 2),
        "memory_mb": round((peak_memory(path) or 0) / 1e6),
        "operators": share["operators"],
        "delegated": share["delegated"],
        "epe": round(evaluate(tflite.FlowInterpreter(path), pairs).epe, 3),
    }


def write_table(rows):
    """Puts the numbers into docs/export.md, between the two comments there."""
    heads = ["", "ms, 1 thread", "ms, 2 threads", "MB", "memory, MB", "in XNNPACK", "EPE, px"]
    cells = []
    for row in rows:
        share = f"{row['delegated']} of {row['operators']}" if row["operators"] else ""
        cells.append([row["form"], row["median_ms_1"], row["median_ms_2"], row["megabytes"]])
        cells[-1] += [row["memory_mb"], share, row["epe"]]
    first = rows[0]
    lines = [
        *markdown_table(heads, cells),
        "",
        f"Medians of {ROUNDS} rounds, all in turn; EPE on {PAIRS} synthetic scenes of that size. "
        f"{first['cpu']}, {first['cores']} shared cores, load average {first['load_average']}, "
        f"{first['date'][:10]}; no phone was measured.",
    ]
    put_table(DOCS, "forms", lines)


if __name__ == "__main__":
    options(__doc__)
    main()
