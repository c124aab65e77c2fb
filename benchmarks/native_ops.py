"""Native correlation and warp beside the reference, XLA and TensorFlow Addons.

    python benchmarks/native_ops.py [--addons-python PATH]

Everything is measured in turn, round by round, so that a slow minute hits all alike; the CSV has
medians, and docs/native.md a table of them. TensorFlow Addons needs an interpreter with
TensorFlow 2.15 of its own:
``pip install tensorflow==2.15.1 tensorflow-addons==0.23.0 "numpy<2"``.
"""

import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from tfflow.startup import start_backend_quietly

start_backend_quietly()

import numpy as np
import tensorflow as tf
from tables import put_table, write_csv

from tfflow import ops
from tfflow.markdown import markdown_table
from tfflow.native import build
from tfflow.ops.native import reference_ops
from tfflow.tflite.benchmarking import conditions

HERE = pathlib.Path(__file__).parent
RESULT = HERE / "native_ops.csv"
TABLE = HERE.parent / "docs" / "native.md"
CALLS = 10  # one after the other, as in addons_ops.py


def correlation_case(height, width, channels, displacement, step):
    return {
        "op": "correlation",
        "shapes": [[1, height, width, channels]] * 2,
        "max_displacement": displacement,
        "displacement_stride": step,
    }


CASES = {
    "correlation 48x64x256, 20 by 2": correlation_case(48, 64, 256, 20, 2),
    "correlation 96x128x64, 3": correlation_case(96, 128, 64, 3, 1),
    "correlation 112x256x32, 4": correlation_case(112, 256, 32, 4, 1),
    "warp 436x1024x32": {"op": "warp", "shapes": [[1, 436, 1024, 32], [1, 436, 1024, 2]]},
}


def work(case):
    """(floating-point operations, bytes) that the forward pass can't do without."""
    batch, height, width, channels = case["shapes"][0]
    if case["op"] == "warp":
        return 7 * batch * height * width * channels, 4 * batch * height * width * (
            2 * channels + 2
        )
    step, reach = case["displacement_stride"], case["max_displacement"]
    offsets = range(-reach, reach + 1, step)
    # Products with what lies outside are zero.
    inside = [sum(max(0, size - abs(d)) for d in offsets) for size in (height, width)]
    outputs = height * width * len(offsets) ** 2
    return 2 * inside[0] * inside[1] * channels, 4 * (2 * height * width * channels + outputs)


def ours(case, backward, way):
    """A function to measure: native, reference, or the reference under XLA."""
    rng = np.random.default_rng(0)
    first, second = (tf.constant(rng.standard_normal(s), "float32") for s in case["shapes"])

    def op(a, b):
        if case["op"] == "warp":
            return ops.warp(a, b, padding="border")
        step = case["displacement_stride"]
        return ops.correlation(
            a, b, case["max_displacement"], displacement_stride=step, normalize=True
        )

    @tf.function(jit_compile=way == "XLA")
    def run(a, b):
        if not backward:
            return op(a, b)
        with tf.GradientTape() as tape:
            tape.watch((a, b))
            output = op(a, b)
        # With the output: what nobody wants is not computed.
        return output, tape.gradient(output, (a, b))

    def measured():
        # Threads awake and features in the caches, as in the midst of a network.
        for _ in range(CALLS // 2):
            run(first, second)
        start = time.perf_counter()
        for _ in range(CALLS):
            run(first, second)
        return (time.perf_counter() - start) / CALLS

    return measured


class Addons:
    """TensorFlow Addons in a process of its own."""

    def __init__(self, interpreter):
        self.process = subprocess.Popen(
            [interpreter, HERE / "addons_ops.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )

    def measure(self, case, backward):
        print(json.dumps({"case": case, "backward": backward}), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit("TensorFlow Addons' process ended; run benchmarks/addons_ops.py alone")
        return float(answer)


def peak():
    """(GFLOP/s, GB/s) of the machine, by loops that do nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder, "peak")
        flags = ["-std=c++17", "-O3", "-march=native", "-pthread"]
        subprocess.run([build.find_compiler(), *flags, HERE / "peak.cc", "-o", program], check=True)
        said = subprocess.run(
            [program, str(os.cpu_count())], capture_output=True, text=True, check=True
        )
    return tuple(map(float, said.stdout.split()))


def measure(actions, rounds):
    """Medians of {key: (way, function)}, in turn; the first round warms up and traces."""
    seconds = {key: [] for key in actions}
    for round_ in range(rounds + 1):
        for key, function in actions.items():
            if key[-1] == "reference" or key[-1] == "XLA":
                with reference_ops():
                    seconds[key].append(function())
            else:
                seconds[key].append(function())
        print(f"round {round_} of {rounds}", file=sys.stderr)
    return {key: (statistics.median(times[1:]), min(times[1:])) for key, times in seconds.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--addons-python", help="an interpreter that has TensorFlow Addons")
    parser.add_argument("--table", action="store_true", help="only the table, from the CSV there")
    parser.add_argument("--rounds", type=int, default=21)
    arguments = parser.parse_args()
    if arguments.table:
        return write_table()
    os.environ["TFFLOW_OPS"] = "native"

    actions = {}
    addons = Addons(arguments.addons_python) if arguments.addons_python else None
    for name, case in CASES.items():
        for backward in (False, True):
            what = "forward + backward" if backward else "forward"
            for way in ("native", "reference", "XLA"):
                actions[name, what, way] = ours(case, backward, way)
            if addons:
                actions[name, what, "Addons"] = lambda case=case, backward=backward: addons.measure(
                    case, backward
                )
    before = peak()
    measured = measure(actions, arguments.rounds)
    gflops, gbytes = map(max, zip(before, peak()))

    where = {**conditions(), "peak_gflop_s": gflops, "peak_gbyte_s": gbytes}
    rows = []
    for (name, what, way), (median, best) in measured.items():
        operations, moved = work(CASES[name])
        times = 3 if what != "forward" else 1
        floor = 1e3 * times * max(operations / gflops / 1e9, moved / gbytes / 1e9)
        rows.append(
            {
                "name": name,
                "what": what,
                "way": way,
                "median_ms": round(1e3 * median, 3),
                "best_ms": round(1e3 * best, 3),
                "times_native": round(median / measured[name, what, "native"][0], 2),
                "floor_ms": round(floor, 3),
                **where,
            }
        )
    write_csv(RESULT, rows)
    write_table()


def write_table():
    """Puts the CSV's medians into docs/native.md, between the two comments there."""
    with RESULT.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    ways = ("native", "reference", "XLA", "Addons")
    heads = ["", "", *ways, "Addons / native", "floor", "of the peak"]
    cells = []
    for key in dict.fromkeys((row["name"], row["what"]) for row in rows):
        found = {row["way"]: row for row in rows if (row["name"], row["what"]) == key}
        times = [f"{float(found[way]['median_ms']):.1f}" if way in found else "" for way in ways]
        native, addons = found["native"], found.get("Addons")
        gain = f"{addons['times_native']}" if addons else ""
        floor = native["floor_ms"]
        share = f"{float(floor) / float(native['median_ms']):.0%}"
        cells.append([*key, *times, gain, floor, share])
    first = rows[0]
    lines = [
        *markdown_table(heads, cells, texts=(0, 1)),
        "",
        f"Milliseconds, medians; {first['cpu']}, {first['cores']} cores, load average "
        f"{first['load_average']}, TensorFlow {first['tensorflow']}, {first['date'][:10]}. "
        f"Measured beside them: {float(first['peak_gflop_s']):.0f} GFLOP/s of float32 "
        f"multiplications with sums and {float(first['peak_gbyte_s']):.0f} GB/s of copied memory.",
    ]
    put_table(TABLE, "table", lines)


if __name__ == "__main__":
    main()
