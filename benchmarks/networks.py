"""Inference and training step of networks at 384x512: python benchmarks/networks.py [NAME …]

Each with the native correlation and warp and with the reference's, all in turn. Processor time is
that of all threads: on a machine that others use too it is the steadier number. Networks that are
not named keep the rows that they have.
"""

import contextlib
import csv
import pathlib
import re
import statistics
import time

from tfflow.startup import start_backend_quietly

start_backend_quietly()

import numpy as np
from tables import options, put_table, write_csv

import tfflow
from tfflow.losses import MultiLevelEPE
from tfflow.markdown import markdown_table
from tfflow.ops.native import reference_ops
from tfflow.tflite.benchmarking import conditions

SIZE = (384, 512)
ROUNDS = 7
NAMES = (
    *("lightflow", "rillflow", "liteflownetx", "liteflownet2", "liteflownet"),
    *("flownets", "flownetc", "maskflownets"),
)
WAYS = {"native": contextlib.nullcontext, "reference": reference_ops}
RESULT = pathlib.Path(__file__).with_suffix(".csv")
DOCS = RESULT.parents[1] / "docs" / "native.md"


def main(names):
    rng = np.random.default_rng(0)
    images = {f"image{i}": rng.random((1, *SIZE, 3), np.float32) for i in (1, 2)}
    truth = rng.standard_normal((1, *SIZE, 2)).astype(np.float32)
    rows = []
    if set(names) != set(NAMES) and RESULT.is_file():
        with RESULT.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["network"] not in names]
    for name in names:
        rows += measure(name, images, truth)
        write_csv(RESULT, rows)
    write_table(rows)


def measure(name, images, truth):
    actions = {}
    for way in WAYS:
        model = tfflow.models.create(name)
        pyramid = [key for key in model(images) if re.fullmatch(r"flow\d", key)]
        levels = [key.replace("flow", "level") for key in pyramid]
        model.compile("adam", loss=MultiLevelEPE(dict.fromkeys(levels, 0.01)))
        actions["inference", way] = lambda model=model: model.predict_on_batch(images)
        actions["training step", way] = lambda model=model: model.train_on_batch(images, truth)
    measured = {action: [] for action in actions}
    for _ in range(ROUNDS + 1):  # in turn, so that a slow minute hits all alike; one to warm up
        for action, run in actions.items():
            with WAYS[action[1]]():  # the first one is traced
                start, processor = time.perf_counter(), time.process_time()
                run()
                times = time.perf_counter() - start, time.process_time() - processor
            measured[action].append(times)
    where = conditions()
    for (what, way), times in measured.items():
        seconds, processor = zip(*times[1:])
        yield {
            "network": name,
            "what": what,
            "ops": way,
            "median_s": round(statistics.median(seconds), 4),
            "best_s": round(min(seconds), 4),
            "processor_s": round(statistics.median(processor), 4),
            "pairs": 1,
            "size": "x".join(map(str, SIZE)),
            **where,
        }
        print(
            name, what, way, *(f"{statistics.median(each):.3f} s" for each in (seconds, processor))
        )


def write_table(rows):
    """Puts the medians into docs/native.md, between the two comments there."""
    found = {(row["network"], row["what"], row["ops"]): row for row in rows}
    cells = []
    for name, what, ops in found:
        if ops == "native":
            both = [found[name, what, way] for way in WAYS]
            numbers = [[float(row[key]) for row in both] for key in ("median_s", "processor_s")]
            cells.append([f"`{name}`", what])
            for native, reference in numbers:
                cells[-1] += [f"{native:.3f}", f"{reference:.3f}", f"{reference / native:.2f}"]
    heads = ["", "", "native, s", "reference, s", "gain"]
    heads += ["processor, native, s", "reference, s", "gain"]
    where = rows[-1]
    note = (
        f"Medians of one pair of 384x512; {where['cpu']}, {where['cores']} shared cores, load "
        f"average {where['load_average']}, {where['date'][:10]}. Processor time is that of all "
        "threads."
    )
    put_table(DOCS, "networks", [*markdown_table(heads, cells, texts=(0, 1)), "", note])


if __name__ == "__main__":
    main(options(__doc__, "networks [those of the CSV]") or NAMES)
