"""What quantisation costs LiteFlowNet2: size, EPE, latency of each quantization mode.

    tfflow train liteflownet2_demo --data-dir scenes
    python benchmarks/quantized_liteflownet2.py runs/liteflownet2_demo/model.keras --data-dir scenes

Random weights would prove nothing, so the network is first trained for some minutes on the
demo's scenes; EPE is on unseen ones of that kind. Writes the CSV and the table in docs/export.md.
"""

import argparse
import pathlib
import statistics
import tempfile

from tfflow.startup import start_backend_quietly

start_backend_quietly()

from tables import put_table, write_csv

import tfflow
from tfflow import recipes, tflite
from tfflow.evaluation import evaluate
from tfflow.markdown import markdown_table
from tfflow.tflite.benchmarking import conditions

HERE = pathlib.Path(__file__).parent

RESULT = pathlib.Path(__file__).with_suffix(".csv")
DOCS = HERE.parent / "docs" / "export.md"
FORMS = ("float32", "float16", "weights", "dynamic", "int8")
SIZE = (192, 256)
ROUNDS = 5


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="the trained network, a .keras file")
    parser.add_argument("--data-dir", type=pathlib.Path, default=pathlib.Path("scenes"))
    arguments = parser.parse_args()
    where = conditions()
    model = tfflow.load(arguments.model)
    scenes, held_out = recipes.get("liteflownet2_demo").data(arguments.data_dir)
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for form in FORMS:
            path = pathlib.Path(folder, f"{form}.tflite")
            files[form] = tflite.export(
                model, path, size=SIZE, quantization=form, calibration=scenes[:50]
            )
        times = {form: [] for form in FORMS}
        for _ in range(ROUNDS):  # in turn, so that a slow minute hits all alike
            for form, path in files.items():
                times[form].append(tflite.benchmark(path, 1, runs=10, warmup=2)["median_ms"])
        rows = []
        for form, path in files.items():
            result = evaluate(tflite.FlowInterpreter(path), held_out)
            rows.append(
                {
                    "form": form,
                    "megabytes": round(path.stat().st_size / 1e6, 2),
                    "epe": round(result.epe, 4),
                    "zero_flow": round(result.zero_flow_epe, 4),
                    "median_ms": round(statistics.median(times[form]), 2),
                    "size": "x".join(map(str, SIZE)),
                    **where,
                }
            )
            print(rows[-1], flush=True)
    write_csv(RESULT, rows)
    write_table(rows)


def write_table(rows):
    """Puts the numbers into docs/export.md, between the two comments there."""
    first = rows[0]
    heads = ("", "MB", "of float32", "EPE, px", "change", "ms, 1 thread")
    cells = []
    for row in rows:
        share, change = row["megabytes"] / first["megabytes"], row["epe"] / first["epe"] - 1
        cells.append([row["form"], row["megabytes"], f"{share:.0%}", f"{row['epe']:.3f}"])
        cells[-1] += [f"{change:+.1%}", row["median_ms"]]
    lines = [
        *markdown_table(heads, cells),
        "",
        f"At {first['size']}, on unseen scenes; no motion at all gives {first['zero_flow']:.2f} "
        f"px. {first['cpu']}, load average {first['load_average']}, {first['date'][:10]}.",
    ]
    put_table(DOCS, "liteflownet2", lines)


if __name__ == "__main__":
    main()
