"""How well a flow's confidence tells right from wrong, and what is hidden from what is not.

    python benchmarks/trust.py [--scenes N] [--data-dir FOLDER]

On held-out synthetic scenes, whose truth and occlusions are known at each pixel: the EPE of the
most trusted pixels of each scene (sparsification, and its area above the oracle's, AUSE), and
precision and recall of occlusion. Writes trust.csv, the table in docs/trust.md and the picture
docs/sparsification.svg.
"""

import argparse
import pathlib
import tempfile

from tfflow.startup import start_backend_quietly

start_backend_quietly()

import numpy as np
from opencv_flow import DIS, dis
from pictures import write_curves
from tables import put_table, write_csv

import tfflow
from tfflow.evaluation import sparsification
from tfflow.evaluation.sparsification import SHARES
from tfflow.markdown import markdown_table
from tfflow.models import BothWays
from tfflow.recipes.scenes import HELD_OUT, held_out_scenes
from tfflow.tflite.benchmarking import conditions
from tfflow.tools.consistency import look_up

RESULT = pathlib.Path(__file__).with_suffix(".csv")
DOCS = pathlib.Path(__file__).parent.parent / "docs"
# Below this, rillflow's own confidence is taken for occlusion: the best F1 on other scenes.
SURE = 0.35
DRAWN = ("its own", "both directions", "both together", "oracle")  # rillflow's


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=HELD_OUT)
    parser.add_argument("--data-dir", type=pathlib.Path, help="keeps the scenes [a temporary one]")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scenes = held_out_scenes(arguments.data_dir or pathlib.Path(folder))[: arguments.scenes]
        rows, curves = [], {}
        for flow_of, predictor in predictors().items():
            for row, curve in measure(flow_of, predictor, scenes):
                rows.append({**row, "scenes": len(scenes), **conditions()})
                curves[row["method"]] = curve
                print({key: row[key] for key in list(row)[:8]}, flush=True)
    write_csv(RESULT, rows)
    shown = {kind: curves[f"rillflow, {kind}"] for kind in DRAWN}
    write_curves(
        DOCS / "sparsification.svg",
        {name: list(zip(np.multiply(100, SHARES), curve)) for name, curve in shown.items()},
        "% of the pixels that are kept, the most trusted ones",
        "their EPE, px (down is better)",
    )
    write_table(rows)


def predictors():
    """Name -> predictor."""
    return {
        "rillflow": tfflow.load("rillflow"),
        "rillflow int8": tfflow.load("rillflow", engine="tflite"),
        "lightflow": tfflow.load("lightflow"),
        "DIS medium": dis(DIS["medium"]),
    }


def measure(name, predictor, scenes):
    """Yields (row, curve) for each way to trust a predictor's flow."""
    curves, found = {}, {}
    for index in range(len(scenes)):
        sample, hidden = scenes[index], scenes.occlusion(index)
        both = in_both_directions(predictor, sample)
        errors = np.linalg.norm(both.forward - sample.flow, axis=-1)
        trusts = {"both directions": both.confidence()}
        masks = {"both directions": both.occlusion()}
        if getattr(predictor, "gives_confidence", False):
            own = predictor.predict_flow(sample.image1, sample.image2, confidence=True).confidence
            _, stays = look_up(both.backward, both.forward)
            trusts |= {"its own": own, "both together": own * (1 + both.confidence()) / 2}
            masks["its own"] = (own < SURE) | ~stays
        for kind, trust in {**trusts, "oracle": -errors}.items():
            curves.setdefault(kind, []).append(sparsification(errors, trust))
        for kind, mask in masks.items():
            counts = [(mask & hidden).sum(), mask.sum(), hidden.sum()]
            found[kind] = found.get(kind, 0) + np.array(counts, float)
    curves = {kind: np.mean(each, axis=0) for kind, each in curves.items()}
    for kind, curve in curves.items():
        yield row_of(f"{name}, {kind}", curve, curves["oracle"], found.get(kind)), curve


def in_both_directions(predictor, sample):
    pair = sample.image1, sample.image2
    if hasattr(predictor, "gives_confidence"):
        return predictor.predict_flow(*pair, backward=True)
    return BothWays(predictor.predict_flow(*pair), predictor.predict_flow(*pair[::-1]))


def row_of(method, curve, oracle, found):
    row = {"method": method}
    row |= {f"epe_{round(100 * share)}": round(float(epe), 3) for share, epe in zip(SHARES, curve)}
    # SHARES fall, so the area's sign is turned.
    row["ause"] = round(float(np.trapezoid(oracle - curve, SHARES)), 3)
    right, said, true = (None, None, None) if found is None else found
    row["precision"] = "" if found is None else round(float(right / said), 3)
    row["recall"] = "" if found is None else round(float(right / true), 3)
    return row


def write_table(rows):
    columns = {
        "epe_100": "all",
        "epe_90": "best 90 %",
        "epe_80": "80 %",
        "epe_50": "50 %",
        "ause": "AUSE",
        "precision": "precision",
        "recall": "recall",
    }
    cells = [[row["method"], *(row[key] for key in columns)] for row in rows]
    put_table(DOCS / "trust.md", "trust", markdown_table(["", *columns.values()], cells))


if __name__ == "__main__":
    main()
