"""Trains a network by a recipe: every published stage is one command.

    python train/train.py --list
    python train/train.py lightflow_chairs --data-dir /data
    python train/train.py liteflownet_things --data-dir /data --distribute mirrored
    python train/train.py lightflow_synthetic --data-dir scenes --output runs/lightflow

The data sets lie in --data-dir in the folders that they come in (docs/datasets.md). A stage that
begins with another one's result takes it from runs/OTHER/model.keras, or from --init.

Run the same command again and it goes on where it stopped, whatever stopped it. What comes out:
model.keras (the weights after the last step), best.keras (those of the best validation EPE),
log.jsonl (a line an epoch), checkpoints/, with --tensorboard events in tensorboard/.
"""

import argparse
import collections.abc
import contextlib
import dataclasses
import functools
import json
import pathlib
import sys

from tfflow.startup import start_backend_quietly

if __name__ == "__main__":
    # Workers have to find each other before anything runs on a device.
    start_backend_quietly(use_devices=not any("multi-worker" in word for word in sys.argv))

import keras
import recipes
import tensorflow as tf
from smoke import smoke

import tfflow
from tfflow.atomic_file import atomic_file
from tfflow.cli.shared import import_modules, import_option
from tfflow.data import open_dataset, training_pipeline
from tfflow.data.datasets import Mixture
from tfflow.data.pipeline import upcoming
from tfflow.evaluation.callback import EvaluatePairs
from tfflow.metrics import EndPointError
from tfflow.progress import progress_bar
from tfflow.training import distribution
from tfflow.training.callbacks import (
    FlowPictures,
    FreezeStatistics,
    JsonLines,
    Speed,
    StopAtNaN,
    UseAverage,
    read_log,
)
from tfflow.training.checkpoints import (
    Checkpoints,
    Interrupted,
    NotFiniteError,
    SaveCheckpoints,
    stretches,
)

# =============================================================================================
# 1. Arguments
# =============================================================================================

PRECISIONS = {"float32": "float32", "float16": "mixed_float16", "bfloat16": "mixed_bfloat16"}


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", nargs="?", help="name of a recipe; --list shows all")
    parser.add_argument("--list", action="store_true", help="a table of the recipes")
    parser.add_argument("--data-dir", default="scenes", help="where the data lies [%(default)s]")
    parser.add_argument("--output", help="folder of the run [runs/RECIPE]")
    parser.add_argument("--steps", type=int, help="number of steps; the schedule is scaled to it")
    parser.add_argument(
        "--init",
        action="append",
        metavar="[PART=]MODEL",
        help="a .keras file or preset to begin with, of the network or of a part of it; "
        '"none": random weights [what the recipe starts from, in runs/]',
    )
    import_option(parser)
    parser.add_argument("--distribute", choices=distribution.STRATEGIES, default="none")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--accumulate", type=int, default=1, metavar="N", help="batches in N parts")
    parser.add_argument("--ema", type=float, metavar="MOMENTUM", help="average the weights: 0.999")
    parser.add_argument("--seed", type=int, default=0, help="of weights and data [%(default)s]")
    parser.add_argument("--deterministic", action="store_true", help="bit-equal runs, on GPUs too")
    parser.add_argument(
        "--skip-corrupt", action="store_true", help="read all files first; leave out damaged ones"
    )
    parser.add_argument("--also-evaluate", metavar="DATASET", help="e.g. chairs-val:/data/Chairs")
    parser.add_argument("--tensorboard", action="store_true", help="numbers and flow pictures")
    parser.add_argument("--smoke", action="store_true", help="a few small steps on generated data")
    parsed = parser.parse_args(arguments)
    if not parsed.list and parsed.recipe is None:
        parser.error("name a recipe, or --list")
    return parsed


def chosen_recipe(arguments):
    """The recipe as the arguments would have it."""
    recipe = recipes.get(arguments.recipe)
    if arguments.smoke:
        recipe = smoke(recipe, arguments.steps or 2)
    elif arguments.steps:
        recipe = recipe.with_steps(arguments.steps)
    if arguments.accumulate != 1:
        if arguments.distribute != "none":
            raise ValueError(
                "--accumulate goes with one device only, because of Keras: several devices share "
                "a batch anyway. Leave out --accumulate or --distribute."
            )
        recipe = recipe.accumulated(arguments.accumulate)
    # Keras averages after every part of a batch.
    return recipe.averaged(arguments.ema ** (1 / arguments.accumulate)) if arguments.ema else recipe


# =============================================================================================
# 2. Data
# =============================================================================================


def make_data(recipe, arguments, output):
    """(training set, held-out samples)."""
    training_set, held_out = recipe.data(pathlib.Path(arguments.data_dir))
    if arguments.skip_corrupt:
        training_set = without_corrupt(training_set, output / "skipped.json")
    held_out = held_out[:: -(-len(held_out) // recipe.validation_pairs)]
    if arguments.skip_corrupt:
        held_out = without_corrupt(held_out, output / "skipped_validation.json")
    print(f"training on {training_set!r}, validating on {held_out!r}")
    return training_set, held_out


def without_corrupt(dataset, record):
    """The data set without what can't be read: counted, noted down, and the same ever after."""
    if isinstance(dataset, Mixture):
        rest = [
            without_corrupt(part, record.with_stem(f"{record.stem}_{number}"))
            for number, part in enumerate(dataset.datasets)
        ]
        return Mixture(rest, dataset.ratios)
    if not hasattr(dataset, "readable"):
        print(f"{dataset!r} has no files of its own to check")
        return dataset
    if record.is_file():
        skipped = json.loads(record.read_text(encoding="utf-8"))
    else:
        with progress_bar(f"reading all of {dataset.name}") as progress:
            readable, complaints = dataset.readable(progress)
        kept = {files.name for files in readable.pairs}
        names = [files.name for files in dataset.pairs if files.name not in kept]
        skipped = {"names": names, "why": complaints}
        with atomic_file(record) as temporary:
            temporary.write_text(json.dumps(skipped, indent=2) + "\n", encoding="utf-8")
    print(f"skipping {len(skipped['names'])} pairs that can't be read; {record} says why")
    return dataset.without(skipped["names"])


def parts(dataset):
    return getattr(dataset, "datasets", [dataset])


# =============================================================================================
# 3. Model and optimizer
# =============================================================================================


def make_model(recipe, arguments, begins=True):
    """The compiled network; one that ``begins`` takes over what its stage starts from."""
    keras.utils.set_random_seed(arguments.seed)
    model = tfflow.models.create(recipe.model, **recipe.model_arguments)
    if begins and not arguments.smoke:
        initialize(model, recipe, arguments)
    model.compile(
        optimizer=recipe.optimizer(recipe.steps), loss=recipe.loss, metrics=[EndPointError()]
    )
    return model


def initialize(model, recipe, arguments):
    """Takes over the weights that the stage begins with."""
    for part, source in initial_weights(recipe, arguments).items():
        target = model
        for name in filter(None, part.split("/")):
            target = target.get_layer(name)
        fresh = target.start_from(tfflow.load(source))
        print(f"{target.name} starts from {source}; {len(fresh)} weights are new")


def initial_weights(recipe, arguments):
    """Part of the network ("" for all of it) -> .keras file or preset."""
    if arguments.init == ["none"]:
        return {}
    if arguments.init:
        return {part: name for part, _, name in (text.rpartition("=") for text in arguments.init)}
    sources = {}
    for part, other in recipe.starts_from.items():
        sources[part] = pathlib.Path("runs") / other / "model.keras"
        if not sources[part].is_file():
            raise FileNotFoundError(
                f"{recipe.name} starts from the result of {other}, and there is no "
                f"{sources[part]}. Train that first, give --init {part}{'=' if part else ''}FILE, "
                "or --init none for random weights."
            )
    return sources


# =============================================================================================
# 4. Callbacks: checkpoints, validation, records
# =============================================================================================


def make_callbacks(recipe, arguments, held_out, output, run, step):
    """In their order: what measures, what evaluates, what writes it down, what saves the state."""
    epoch = step // recipe.steps_per_epoch
    callbacks = [
        Speed(run.clock, step),
        StopAtNaN(run.batches_from, output / "nan_batch.npz", step),
    ]
    average = UseAverage()
    if arguments.ema:
        callbacks.append(average)
    if recipe.freeze_statistics_after is not None:
        callbacks.append(FreezeStatistics(recipe.freeze_statistics_after))
    callbacks.append(EvaluatePairs(held_out, "val"))
    if arguments.also_evaluate:
        callbacks.append(EvaluatePairs(open_dataset(arguments.also_evaluate), "also", limit=50))
    best = keras.callbacks.ModelCheckpoint(
        output / "best.keras",
        monitor="val_epe",
        mode="min",
        save_best_only=True,
        initial_value_threshold=best_so_far(output / "log.jsonl", epoch),
    )
    callbacks += [best, JsonLines(output / "log.jsonl", epoch)]
    if arguments.tensorboard and run.chief:
        folder = output / "tensorboard"
        callbacks.append(keras.callbacks.TensorBoard(folder, update_freq=100))
        callbacks.append(FlowPictures(held_out, folder))
    if arguments.ema:
        callbacks.append(average.taken_back)
    saving = SaveCheckpoints(run.checkpoints, step, write=run.chief, catch_signals=not run.cluster)
    return [*callbacks, saving]


def best_so_far(log, epoch):
    """The best validation EPE of an earlier part of the run, so that best.keras stays the best."""
    if not log.is_file():
        return None
    results = (line["val_epe"] for line in read_log(log) if line["epoch"] <= epoch)
    return min((epe for epe in results if epe is not None), default=None)


# =============================================================================================
# 5. A run, however often it is interrupted
# =============================================================================================


@dataclasses.dataclass(frozen=True)
class Run:
    """What goes on through all interruptions.

    Attributes:
        chief: Whether this process writes what all workers share.
        cluster: Whether there are several processes.
        clock: How long the devices waited for data.
        checkpoints: The saved states.
        batches_from: ``batches_from(step)``: this worker's batches from that step on.
    """

    chief: bool
    cluster: bool
    clock: distribution.InputClock
    checkpoints: Checkpoints
    batches_from: collections.abc.Callable


def claim_folder(output, recipe, arguments):
    """Notes in run.json what this run is; a folder that holds another run is left alone."""
    record = {"recipe": recipe.name, "steps": recipe.steps, "batch_size": recipe.batch_size}
    record |= {name: getattr(arguments, name) for name in ("seed", "init", "ema", "precision")}
    path = output / "run.json"
    started = Checkpoints(output / "checkpoints").steps() or (output / "model.keras").is_file()
    if path.is_file() and started:
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


def restored(model, run):
    """Loads the newest checkpoint, if there is one, on all workers; how many steps it knows."""
    step = run.checkpoints.restore(model) if run.chief else 0
    return distribution.broadcast(model, step)


# =============================================================================================
# 6. Training
# =============================================================================================


def train(recipe, arguments):
    if arguments.deterministic:
        tf.config.experimental.enable_op_determinism()
    strategy = distribution.make_strategy(arguments.distribute)
    chief = distribution.is_chief(strategy)
    folder = pathlib.Path(arguments.output or f"runs/{recipe.name}")
    # All workers do what the chief does, as saving takes all of them, and keep it to themselves.
    output = folder if chief else folder / f"worker-{strategy.cluster_resolver.task_id}"
    claim_folder(output, recipe, arguments)

    training_set, held_out = make_data(recipe, arguments, output)
    pipeline = functools.partial(
        training_pipeline,
        training_set,
        recipe.batch_size,
        crop=recipe.crop,
        augmentation=recipe.augmentation,
        seed=arguments.seed,
    )
    checkpoints = Checkpoints(folder / "checkpoints")
    with precision(arguments.precision), strategy.scope():
        # All weights are the chief's in the end, and a checkpoint has them already.
        model = make_model(recipe, arguments, begins=chief and not checkpoints.steps())
    # This worker's part of a batch, whole.
    share = distribution.share(strategy)._replace(pieces=1)
    run = Run(
        chief=chief,
        cluster=arguments.distribute == "multi-worker",
        clock=distribution.prepare(model),
        checkpoints=checkpoints,
        batches_from=lambda step: pipeline(start=step, share=share),
    )

    step = restored(model, run)
    if step:
        print(f"going on from step {step}")
    for stretch in stretches(step, recipe.steps, recipe.steps_per_epoch):
        if stretch[0] != step:
            # What comes out of a stretch may be averaged weights; training goes on from its own.
            restored(model, run)
        fit(model, recipe, arguments, held_out, output, pipeline, run, *stretch)
    model.optimizer.finalize_variable_values(model.trainable_variables)  # the average, if any
    with atomic_file(output / "model.keras") as temporary:
        model.save(temporary)
    print(f"saved {output / 'model.keras'}")
    return model


def fit(model, recipe, arguments, held_out, output, pipeline, run, step, epoch, end, count):
    """Trains from a step through some epochs of ``count`` steps."""
    callbacks = make_callbacks(recipe, arguments, held_out, output, run, step)
    saving = callbacks[-1]
    shown = 1 if sys.stdout.isatty() else 2  # a bar for people, a line an epoch for log files
    try:
        model.fit(
            distribution.distribute(
                model.distribute_strategy, functools.partial(pipeline, start=step)
            ),
            initial_epoch=epoch,
            epochs=end,
            steps_per_epoch=count,
            callbacks=callbacks,
            shuffle=False,  # the pipeline does that
            verbose=shown if run.chief else 0,
        )
    except tf.errors.OpError as error:
        explain(error, pipeline.args[0], recipe, arguments, run, saving.step)
        raise
    finally:
        saving.release()


@contextlib.contextmanager
def precision(name):
    """What networks made within compute in."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(PRECISIONS[name])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def explain(error, training_set, recipe, arguments, run, step):
    """Raises what says more than TensorFlow's error, if that is known."""
    if run.cluster and isinstance(error, (tf.errors.UnavailableError, tf.errors.AbortedError)):
        saved = run.checkpoints.steps()
        raise SystemExit(
            "train.py: another worker was lost. Start all of them again with the same command; "
            f"they go on from step {saved[-1] if saved else 0}."
        ) from error
    if isinstance(error, (tf.errors.ResourceExhaustedError, tf.errors.InternalError)):
        return
    # Decoders don't name their files, but reading the samples around once more does.
    print(f"looking for a damaged file around step {step}", file=sys.stderr)
    places = upcoming(training_set, seed=arguments.seed, start=step * recipe.batch_size)
    for part, index in places.take(16 * recipe.batch_size).as_numpy_iterator():
        parts(training_set)[part][int(index)]


def main():
    arguments = parse_arguments()
    if arguments.list:
        recipes.print_recipes()
        return
    try:
        import_modules(arguments.imports)
        train(chosen_recipe(arguments), arguments)
    except (ValueError, OSError, NotFiniteError, Interrupted) as error:
        sys.exit(f"train.py: {error}")


if __name__ == "__main__":
    main()
