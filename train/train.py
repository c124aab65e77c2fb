"""Trains a network by a recipe: every published stage is one command.

    python train/train.py --list
    python train/train.py lightflow_chairs --data-dir /data/FlyingChairs_release
    python train/train.py lightflow_synthetic --data-dir scenes --output runs/lightflow

Run it again with the same --output and it goes on where it stopped. What comes out: model.keras
(the weights after the last step), best.keras (those of the best validation EPE), log.jsonl (a line
an epoch), with --pictures TensorBoard's events in tensorboard/.
"""

import argparse
import json
import pathlib
import sys

from tfflow.startup import start_backend_quietly

if __name__ == "__main__":
    start_backend_quietly()

import keras
import recipes

import tfflow
from tfflow.atomic_file import atomic_file
from tfflow.data import open_dataset, training_pipeline
from tfflow.evaluation.callback import EvaluatePairs
from tfflow.metrics import EndPointError
from tfflow.training.callbacks import (
    FlowPictures,
    FreezeStatistics,
    JsonLines,
)

# =============================================================================================
# Arguments
# =============================================================================================


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", nargs="?", help="name of a recipe; --list shows all")
    parser.add_argument("--list", action="store_true", help="list the recipes")
    parser.add_argument("--data-dir", default="scenes", help="root of the data set [%(default)s]")
    parser.add_argument("--output", help="folder of the run [runs/RECIPE]")
    parser.add_argument("--steps", type=int, help="number of steps; the schedule is scaled to it")
    parser.add_argument("--init", help="start from the weights of this .keras file or preset")
    parser.add_argument("--also-evaluate", metavar="DATASET", help="e.g. chairs-val:/data/Chairs")
    parser.add_argument("--seed", type=int, default=0, help="of weights and data [%(default)s]")
    parser.add_argument("--pictures", action="store_true", help="flow pictures in TensorBoard")
    parsed = parser.parse_args(arguments)
    if not parsed.list and parsed.recipe is None:
        parser.error("name a recipe, or --list")
    return parsed


def list_recipes():
    for name in recipes.RECIPES:
        recipe = recipes.get(name)
        print(f"{name}\n  {recipe.model}, {recipe.steps:,} steps of {recipe.batch_size} pairs")
        print(f"  source: {recipe.source}\n  cost: {recipe.cost}\n  expected: {recipe.expected}")


# =============================================================================================
# Data
# =============================================================================================


def make_data(recipe, arguments, output):
    """(batches for training, held-out samples)."""
    training_set, held_out = recipe.data(pathlib.Path(arguments.data_dir))
    print(f"training on {training_set!r}, validating on {held_out!r}")
    log = output / "log.jsonl"
    finished = len(log.read_text().splitlines()) if log.is_file() else 0
    batches = training_pipeline(
        training_set,
        recipe.batch_size,
        crop=recipe.crop,
        seed=arguments.seed,
        start=finished * recipe.steps_per_epoch,
        **recipe.augmentation,
    )
    return batches, held_out


# =============================================================================================
# Model and optimizer
# =============================================================================================


def make_model(recipe, arguments):
    keras.utils.set_random_seed(arguments.seed)
    model = tfflow.models.create(recipe.model, **recipe.model_arguments)
    if arguments.init:
        fresh = model.start_from(tfflow.load(arguments.init))
        print(f"starting from {arguments.init}; {len(fresh)} weights are new")
    model.compile(
        optimizer=recipe.optimizer(recipe.steps), loss=recipe.loss, metrics=[EndPointError()]
    )
    return model


# =============================================================================================
# Callbacks: checkpoints, validation, records
# =============================================================================================


def make_callbacks(recipe, arguments, held_out, output):
    callbacks = []
    if arguments.pictures:
        callbacks.append(FlowPictures(held_out, output / "tensorboard"))
    callbacks.append(EvaluatePairs(held_out, "val", limit=recipe.validation_pairs))
    if arguments.also_evaluate:
        callbacks.append(EvaluatePairs(open_dataset(arguments.also_evaluate), "also", limit=50))
    if recipe.freeze_statistics_after is not None:
        callbacks.append(FreezeStatistics(recipe.freeze_statistics_after))
    return [
        *callbacks,
        JsonLines(output / "log.jsonl"),
        keras.callbacks.ModelCheckpoint(
            output / "best.keras", monitor="val_epe", mode="min", save_best_only=True
        ),
        # Weights, optimizer and epoch, so that the same command goes on after an interruption.
        keras.callbacks.BackupAndRestore(output / "backup", delete_checkpoint=False),
        keras.callbacks.TerminateOnNaN(),
    ]


# =============================================================================================
# Training
# =============================================================================================


def claim_folder(output, recipe, arguments):
    """Notes in run.json what this run is; a folder that holds another run is left alone."""
    record = {"recipe": recipe.name, "steps": recipe.steps, "batch_size": recipe.batch_size}
    record |= {"seed": arguments.seed, "init": arguments.init}
    path = output / "run.json"
    if path.is_file():
        there = json.loads(path.read_text(encoding="utf-8"))
        other = [f"{k} {there.get(k)}, not {v}" for k, v in record.items() if there.get(k) != v]
        if other:
            raise ValueError(
                f"{output} holds another run ({'; '.join(other)}). Give another --output, or "
                "delete that folder."
            )
    output.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def train(recipe, arguments):
    output = pathlib.Path(arguments.output or f"runs/{recipe.name}")
    claim_folder(output, recipe, arguments)
    batches, held_out = make_data(recipe, arguments, output)
    model = make_model(recipe, arguments)
    model.fit(
        batches,
        epochs=-(-recipe.steps // recipe.steps_per_epoch),
        steps_per_epoch=recipe.steps_per_epoch,
        callbacks=make_callbacks(recipe, arguments, held_out, output),
        shuffle=False,  # the pipeline does that
        # A bar for people, a line an epoch for log files.
        verbose=1 if sys.stdout.isatty() else 2,
    )
    model.save(output / "model.keras")
    print(f"saved {output / 'model.keras'}")
    return model


def main():
    arguments = parse_arguments()
    if arguments.list:
        list_recipes()
        return
    try:
        recipe = recipes.get(arguments.recipe)
        if arguments.steps:
            recipe = recipe.with_steps(arguments.steps)
        train(recipe, arguments)
    except (ValueError, OSError) as error:
        sys.exit(f"train.py: {error}")


if __name__ == "__main__":
    main()
