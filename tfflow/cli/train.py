"""tfflow train: a network by a recipe, from nothing to model.keras."""

import dataclasses
import pathlib
import re
import sys

from tfflow.cli import shared
from tfflow.startup import start_backend_quietly

DESCRIPTION = """\
Trains a network by a recipe: every published stage is one command.

    tfflow train --list
    tfflow train lightflow_chairs --data-dir /data
    tfflow train liteflownet_things --data-dir /data --distribute mirrored
    tfflow train lightflow_synthetic --data-dir scenes --output runs/lightflow

The data sets lie in --data-dir in the folders that they come in (docs/datasets.md). A stage that
begins with another one's result takes it from runs/OTHER/model.keras, or from --init. Run the same
command again and it goes on where it stopped, whatever stopped it.

In the run's folder: model.keras (the weights after the last step), best.keras (those of the best
validation EPE), log.jsonl (a line an epoch), checkpoints/, with --tensorboard events in
tensorboard/.
"""


def add(commands):
    parser = shared.command(
        commands, "train", run, "train a network by a recipe of a published stage", DESCRIPTION
    )
    parser.add_argument("recipe", nargs="?", help="name of a recipe; --list shows all")
    parser.add_argument("--list", action="store_true", help="a table of the recipes")
    parser.add_argument("--data-dir", default="scenes", help="where the data lies [%(default)s]")
    parser.add_argument("--output", "-o", help="folder of the run [runs/RECIPE]")
    parser.add_argument(
        "--steps", type=shared.whole_number, help="number of steps; the schedule is scaled to it"
    )
    parser.add_argument(
        "--init",
        action="append",
        metavar="[PART=]MODEL",
        help="a .keras file, preset or published checkpoint to begin with, of the network or of a "
        "part of it; "
        '"none": random weights [what the recipe starts from, in runs/]',
    )
    shared.import_option(parser)
    parser.add_argument(
        "--distribute", choices=("none", "mirrored", "multi-worker", "tpu"), default="none"
    )
    parser.add_argument(
        "--precision", choices=("float32", "float16", "bfloat16"), default="float32"
    )
    parser.add_argument(
        "--accumulate",
        type=shared.whole_number,
        default=1,
        metavar="N",
        help="batches in N parts",
    )
    parser.add_argument(
        "--int8",
        action="store_true",
        help="train with the rounding of an int8 file, from weights that are trained already",
    )
    parser.add_argument("--ema", type=float, metavar="MOMENTUM", help="average the weights: 0.999")
    parser.add_argument("--seed", type=int, default=0, help="of weights and data [%(default)s]")
    parser.add_argument("--deterministic", action="store_true", help="bit-equal runs, on GPUs too")
    parser.add_argument(
        "--skip-corrupt", action="store_true", help="read all files first; leave out damaged ones"
    )
    parser.add_argument("--also-evaluate", metavar="DATASET", help="e.g. chairs-val:/data/Chairs")
    parser.add_argument("--tensorboard", action="store_true", help="numbers and flow pictures")
    parser.add_argument("--smoke", action="store_true", help="a few small steps on generated data")


def run(arguments):
    # Workers have to find each other before anything runs on a device.
    start_backend_quietly(use_devices=arguments.distribute != "multi-worker")
    from tfflow import recipes

    if arguments.list:
        print_recipes()
        return
    if arguments.recipe is None:
        arguments.parser.error("name a recipe, or --list")
    names = [field.name for field in dataclasses.fields(recipes.Options)]
    options = {name: getattr(arguments, name) for name in names}
    finish(recipes.Run(arguments.recipe, **options | {"init": sources(arguments.init)}))


def finish(training, command="train"):
    """Trains; if the run stops and can be resumed, exits with one line."""
    from tfflow.training.checkpoints import TrainingStopped

    try:
        training.train()
    except TrainingStopped as error:
        sys.exit(f"tfflow {command}: {error}")


def sources(texts):
    """--init as a dict, part of the network -> file or preset; None if not given."""
    if texts is None:
        return None
    if texts == ["none"]:
        return {}
    pairs = [_part_and_source(text) for text in texts]
    parts = [part for part, _ in pairs]
    if len(set(parts)) < len(parts) or "none" in texts:
        raise ValueError(
            f"--init is given once for each part of the network, or once as none; got {texts}."
        )
    return dict(pairs)


def _part_and_source(text):
    """("flownet2css", "a.keras") of "flownet2css=a.keras"; ("", text) where no part is named."""
    part, equals, source = text.partition("=")
    # Files and addresses may have "=" in them too.
    names_a_part = re.fullmatch(r"[\w-]+(/[\w-]+)*", part) and not pathlib.Path(text).exists()
    return (part, source) if equals and names_a_part else ("", text)


def print_recipes():
    """Prints every recipe: what it starts from, its length, source, cost and expected EPE."""
    from tfflow import recipes

    print("tfflow train RECIPE --data-dir DATA\n")
    for name in recipes.list():
        recipe = recipes.get(name)
        begins = ", ".join(recipe.starts_from.values()) or "random weights"
        size = f"{recipe.batch_size} x {recipe.crop[0]}x{recipe.crop[1]}"
        print(name)
        print(f"    from {begins}, {recipe.steps:,} steps of {size}; source: {recipe.source}")
        print(f"    cost: {recipe.cost}; EPE in px to expect: {recipe.expected}")
