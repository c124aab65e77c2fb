"""Makes a preset from a trained network: weights, .tflite files, and a card with their results.

    python export/make_preset.py lightflow --model runs/lightflow_preset/model.keras
    python export/make_preset.py lightflow --check      # measures the card's numbers again

EPE is measured on 200 scenes that it generates (docs/presets.md), and on real pairs if --chairs or
--middlebury gives their folder. If a file is larger or worse than definitions.py allows, nothing
in the package changes.
"""

import argparse
import math
import pathlib
import shutil
import sys
import tempfile

from tfflow.startup import start_backend_quietly

start_backend_quietly()

from definitions import PRESETS

import tfflow
from tfflow import tflite
from tfflow.checksum import sha256_of
from tfflow.data import open_dataset
from tfflow.evaluation import evaluate
from tfflow.progress import print_table
from tfflow.recipes.scenes import held_out_scenes
from tfflow.tflite.benchmarking import delegation
from tfflow.tflite.calibration import MAX_PAIRS, synthetic_samples
from tfflow.weights import presets

# Largest relative difference from the card's numbers on another machine.
TOLERANCE = 0.005


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("preset", choices=PRESETS)
    parser.add_argument("--model", type=pathlib.Path, help="the trained network, a .keras file")
    parser.add_argument("--check", action="store_true", help="compare with the card, write nothing")
    parser.add_argument("--data-dir", type=pathlib.Path, default=pathlib.Path("scenes"))
    parser.add_argument("--chairs", help="FlyingChairs_release, any number of its pairs")
    parser.add_argument("--middlebury", help="Middlebury's folder, any number of its scenes")
    arguments = parser.parse_args()
    if arguments.check == bool(arguments.model):
        parser.error("give either --model FILE or --check")
    sets = pairs(arguments)
    try:
        check(arguments.preset, sets) if arguments.check else make(arguments, sets)
    except (ValueError, OSError) as error:
        sys.exit(f"make_preset: {error}")


def pairs(arguments):
    """Name -> samples of what EPE is measured on."""
    sets = {"held_out": held_out_scenes(arguments.data_dir)}
    if arguments.chairs:
        sets["flying_chairs"] = open_dataset(f"chairs-all:{arguments.chairs}")
    if arguments.middlebury:
        sets["middlebury"] = open_dataset(f"middlebury:{arguments.middlebury}")
    return sets


def make(arguments, sets):
    """Makes everything in a temporary folder; only what passes its gates enters the package."""
    plan = PRESETS[arguments.preset]
    model = tfflow.models.create(plan.model, **plan.arguments)
    fresh = model.start_from(tfflow.load(arguments.model))
    if fresh:
        raise ValueError(f"{arguments.model} is no {plan.model}: it lacks {', '.join(fresh[:3])}.")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        presets.save_preset(model, arguments.preset, card_of(plan), folder)
        # Export and measure what users load: weights rounded to float16.
        presets.load_preset(model, arguments.preset, folder)
        card = presets.preset_card(arguments.preset, folder)
        card["results"] = {"keras": measure(model, sets)}
        card["tflite"] = {}
        for file in plan.files:
            path = folder / f"{arguments.preset}_{file.name}.tflite"
            tflite.export(
                model,
                path,
                size=file.size,
                quantization=file.form,
                calibration=synthetic_samples(file.size, MAX_PAIRS, seed=0),
                outliers=file.outliers,
                keep_float=file.keep_float or None,
                streaming=file.streaming,
                confidence=file.confidence,
                metadata={"licence": card["licence"], "preset": arguments.preset},
            )
            results = measure(tflite.FlowInterpreter(path), sets)
            gate(path, file, results, measure(model, sets, file.size))
            card["results"][file.name] = results
            card["tflite"][file.name] = {
                "size": list(file.size),
                "bytes": path.stat().st_size,
                "sha256": sha256_of(path),
            }
        presets.write_card(card, folder)
        for path in sorted(folder.iterdir()):
            shutil.copy(path, presets.FOLDER / path.name)
    show(arguments.preset, card["results"])


def card_of(plan):
    names = ("model", "arguments", "description", "data", "pairs_seen", "commands")
    return {**{name: getattr(plan, name) for name in names}, "licence": "Apache-2.0"}


def measure(predictor, sets, size=None):
    """Set -> EPE over all valid pixels, by speed, of zero flow; px."""
    found = {}
    for name, samples in sets.items():
        result = evaluate(predictor, samples, size=size)
        numbers = {"epe": result.epe, "zero_flow": result.zero_flow_epe, **result.by_speed}
        known = {key: round(value, 4) for key, value in numbers.items() if math.isfinite(value)}
        found[name] = {"pairs": result.pairs, **known}
    return found


def gate(path, file, results, keras):
    """Raises ValueError for a file that must not be shipped."""
    failures = []
    megabytes = path.stat().st_size / 1e6
    if megabytes > file.megabytes:
        failures.append(f"it has {megabytes:.2f} MB, allowed are {file.megabytes}")
    for name, numbers in results.items():
        allowed = keras[name]["epe"] + max(file.epe_slack, file.epe_loss * keras[name]["epe"])
        if numbers["epe"] > allowed:
            failures.append(f"EPE on {name} is {numbers['epe']:.3f} px, allowed {allowed:.3f}")
    share = delegation(path)
    left = share["operators"] - share["delegated"]
    if left > file.outside_delegate:
        failures.append(f"XNNPACK leaves {left} of {share['operators']} operators")
    if failures:
        raise ValueError(f"{path.name} is not fit to ship: {'; '.join(failures)}.")


def check(name, sets):
    """Measures the preset in the package and compares with its card."""
    card = presets.preset_card(name)
    predictors = {"keras": tfflow.load(name)}
    predictors |= {
        form: tflite.FlowInterpreter(presets.preset_tflite(name, form)) for form in card["tflite"]
    }
    results = {form: measure(predictor, sets) for form, predictor in predictors.items()}
    show(name, results)
    other = [
        f"{form} on {key}: {numbers['epe']}, the card says {said['epe']}"
        for form, of_sets in results.items()
        for key, numbers in of_sets.items()
        if (said := card["results"][form].get(key))
        and abs(numbers["epe"] - said["epe"]) > TOLERANCE * said["epe"]
    ]
    if other:
        raise ValueError(f"the card of {name} is not true here: {'; '.join(other)}")
    print("The card's numbers, again.")


def show(name, results):
    rows = [
        (form, key, *(f"{numbers.get(column, float('nan')):.2f}" for column in COLUMNS))
        for form, of_sets in results.items()
        for key, numbers in of_sets.items()
    ]
    print_table(f"{name}: EPE in px", ("", "on", *COLUMNS), rows)


COLUMNS = ("epe", "zero_flow", "s0_10", "s10_40", "s40_plus")


if __name__ == "__main__":
    main()
