"""Video frames through LiteFlowNet2, pair by pair and each encoded once.

    python benchmarks/streaming.py

Milliseconds on one thread, the signatures in turn, and the file's size with and without the parts.
"""

import pathlib
import statistics
import tempfile

from tfflow.startup import start_backend_quietly

start_backend_quietly()

from tables import options, write_csv

import tfflow
from tfflow import tflite
from tfflow.tflite.benchmarking import conditions
from tfflow.tflite.calibration import synthetic_samples

NETWORK = "liteflownet2"
FORMS = ("float32", "float16", "dynamic", "int8")
SIZE = (384, 512)
ROUNDS = 3
RESULT = pathlib.Path(__file__).with_suffix(".csv")


def main():
    where = conditions()
    model = tfflow.models.create(NETWORK)
    # Time does not depend on the values: random weights and few pairs will do.
    settings = {"size": SIZE, "calibration": synthetic_samples(SIZE, 2, seed=0)}
    with tempfile.TemporaryDirectory() as folder:
        files, plain = {}, {}
        for form in FORMS:
            path = pathlib.Path(folder, f"{form}.tflite")
            tflite.export(model, path, quantization=form, streaming=True, **settings)
            files[form], plain[form] = path, pathlib.Path(folder, f"{form}_plain.tflite")
            tflite.export(model, plain[form], quantization=form, **settings)
        results = {form: [] for form in FORMS}
        for _ in range(ROUNDS):  # in turn, so that a slow minute hits all alike
            for form in FORMS:
                results[form].append(tflite.benchmark_streaming(files[form], runs=15, warmup=2))
        rows = [row(form, results[form], files[form], plain[form], where) for form in FORMS]
    write_csv(RESULT, rows)
    print(RESULT.read_text())


def row(form, results, path, plain, where):
    medians = {
        name: statistics.median(result[name] for result in results)
        for name in ("pair_ms", "frame_ms", "encode_ms", "match_ms")
    }
    return {
        "network": NETWORK,
        "form": form,
        "threads": 1,
        **{name: round(value, 2) for name, value in medians.items()},
        "saved": round(1 - medians["frame_ms"] / medians["pair_ms"], 3),
        "megabytes": round(path.stat().st_size / 1e6, 2),
        "megabytes_without": round(plain.stat().st_size / 1e6, 2),
        "size": "x".join(map(str, SIZE)),
        **where,
    }


if __name__ == "__main__":
    options(__doc__)
    main()
