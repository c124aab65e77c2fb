"""Where a .tflite file's time goes, by kind of operator and by layer. python benchmarks/profiles.py

One thread, files without streaming, random weights except for the presets. Given names of networks,
it measures only those and keeps the others' rows.
"""

import csv
import pathlib
import tempfile

from tfflow.startup import start_backend_quietly

start_backend_quietly()

import keras
from tables import options, write_csv

import tfflow
from tfflow import tflite
from tfflow.tflite.calibration import synthetic_samples
from tfflow.weights import preset_tflite

SIZE = (384, 512)
NETWORKS = ("rillflow", "lightflow", "liteflownet2", "liteflownet", "maskflownets", "flownets")
PRESETS = ("rillflow", "lightflow")
RESULT = pathlib.Path(__file__).with_suffix(".csv")


def main(names):
    rows = []
    if names and RESULT.is_file():
        with RESULT.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["network"] not in names]
    with tempfile.TemporaryDirectory() as folder:
        for name in names or NETWORKS:
            rows += measure(name, pathlib.Path(folder))
            write_csv(RESULT, rows)


def measure(name, folder):
    rows = []
    if name in PRESETS:
        files = {form: preset_tflite(name, form) for form in ("float16", "int8")}
    else:
        settings = {"size": SIZE, "calibration": synthetic_samples(SIZE, 2, seed=0)}
        keras.utils.set_random_seed(0)  # not every random network's flow is of a sane length
        model = tfflow.models.create(name)
        files = {form: folder / f"{name}_{form}.tflite" for form in ("float32", "dynamic")}
        for form, path in files.items():
            tflite.export(model, path, quantization=form, **settings)
    for form, path in files.items():
        found = tflite.profile(path, runs=7)
        print(name, form, f"{found['ms']:.1f} ms", found["partitions"], "partitions", flush=True)
        file = {"network": name, "form": form}
        where = {key: found[key] for key in ("operators", "delegated", "partitions")}
        for group in ("kinds", "layers", "outside"):
            for row in found[group]:
                numbers = {"ms": round(row["ms"], 3), "calls": row["calls"]}
                rows.append(
                    {**file, "group": group, "name": row["name"], **numbers, **where}
                    | found["conditions"]
                )
    return rows


if __name__ == "__main__":
    main(options(__doc__, "networks and presets [those of the CSV]"))
