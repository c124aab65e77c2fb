"""Inference and training step of networks at 384x512: python benchmarks/networks.py [NAME …]"""

import pathlib
import re
import statistics
import sys
import time

from tfflow.startup import start_backend_quietly

start_backend_quietly()

import numpy as np
from tables import write_csv

import tfflow
from tfflow.losses import MultiLevelEPE
from tfflow.tflite.benchmarking import conditions

SIZE = (384, 512)
ROUNDS = 7
NAMES = (
    "lightflow",
    "liteflownetx",
    "liteflownet2",
    "liteflownet",
    "flownets",
    "flownetc",
    "maskflownets",
)
RESULT = pathlib.Path(__file__).with_suffix(".csv")


def main(names):
    rng = np.random.default_rng(0)
    images = {f"image{i}": rng.random((1, *SIZE, 3), np.float32) for i in (1, 2)}
    truth = rng.standard_normal((1, *SIZE, 2)).astype(np.float32)
    actions = {}
    for name in names:
        model = tfflow.models.create(name)
        pyramid = [key for key in model(images) if re.fullmatch(r"flow\d", key)]
        levels = [key.replace("flow", "level") for key in pyramid]
        model.compile("adam", loss=MultiLevelEPE(dict.fromkeys(levels, 0.01)))
        actions[name, "inference"] = lambda model=model: model.predict_on_batch(images)
        actions[name, "training step"] = lambda model=model: model.train_on_batch(images, truth)
    seconds = {action: [] for action in actions}
    for _ in range(ROUNDS + 1):  # in turn, so that a slow minute hits all alike; one to warm up
        for action, run in actions.items():
            start = time.perf_counter()
            run()
            seconds[action].append(time.perf_counter() - start)
    where = conditions()
    rows = [
        {
            "network": name,
            "what": what,
            "median_s": round(statistics.median(measured[1:]), 4),
            "best_s": round(min(measured[1:]), 4),
            "pairs": 1,
            "size": "x".join(map(str, SIZE)),
            **where,
        }
        for (name, what), measured in seconds.items()
    ]
    write_csv(RESULT, rows)
    print(RESULT.read_text())


if __name__ == "__main__":
    main(sys.argv[1:] or NAMES)
