"""Latency and size of the .tflite forms: python benchmarks/tflite_latency.py"""

import csv
import pathlib
import statistics
import tempfile

from tfflow.startup import start_backend_quietly

start_backend_quietly()

import tfflow
from tfflow import tflite
from tfflow.tflite.benchmarking import conditions, delegation

SIZE = (384, 512)
ROUNDS = 5
RESULT = pathlib.Path(__file__).with_suffix(".csv")


def main():
    where = conditions()
    model = tfflow.load("lightflow")
    with tempfile.TemporaryDirectory() as folder:
        files = {
            form: tflite.export(model, f"{folder}/{form}.tflite", size=SIZE, quantization=form)
            for form in tflite.QUANTIZATIONS
        }
        cases = [(form, threads) for threads in (1, 2) for form in files]
        medians = {case: [] for case in cases}
        for _ in range(ROUNDS):  # in turn, so that a slow minute hits all alike
            for form, threads in cases:
                result = tflite.benchmark(files[form], threads=threads, runs=30)
                medians[form, threads].append(result["median_ms"])
        rows = []
        for form, threads in cases:
            share = delegation(files[form])
            rows.append(
                {
                    "form": form,
                    "threads": threads,
                    "median_ms": round(statistics.median(medians[form, threads]), 2),
                    "best_ms": round(min(medians[form, threads]), 2),
                    "megabytes": round(files[form].stat().st_size / 1e6, 2),
                    "operators": share["operators"],
                    "delegated": share["delegated"],
                    "size": "x".join(map(str, SIZE)),
                    **where,
                }
            )
    with RESULT.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    print(RESULT.read_text())


if __name__ == "__main__":
    main()
