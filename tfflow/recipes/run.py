"""A run of a recipe, from the start or from where it was interrupted.

    tfflow.recipes.Run("lightflow_chairs", data_dir="/data").train()

The same call resumes where the last one stopped, whatever stopped it. In the run's folder:
``model.keras`` (the weights after the last step), ``best.keras`` (those of the best validation),
``log.jsonl`` (a line per epoch), ``checkpoints/``, with ``tensorboard`` events in ``tensorboard/``.
"""

import functools
import json
import pathlib
import shutil
import sys
from typing import Any

import keras
import tensorflow as tf

from tfflow import loading, recipes, tflite
from tfflow.atomic_file import atomic_file, read_json, remove_left_behind, write_json
from tfflow.data import open_dataset
from tfflow.data.datasets.base import named
from tfflow.data.files.errors import CorruptFileError
from tfflow.data.pipeline.batches import WorkerShare
from tfflow.evaluation.callback import EvaluatePairs
from tfflow.folder_lock import folder_lock
from tfflow.models.parts import dtype_policy
from tfflow.progress import is_terminal
from tfflow.recipes.corrupt import without_corrupt
from tfflow.recipes.options import PRECISIONS, Options
from tfflow.recipes.recipe import Recipe, Stage, evenly
from tfflow.recipes.record import differences
from tfflow.startup import without_remapper
from tfflow.training import distribution
from tfflow.training.callbacks import (
    FlowPictures,
    FreezeStatistics,
    JsonLines,
    SaveBest,
    Speed,
    StopAtNaN,
    TensorBoardFrom,
    WithAverage,
    read_log,
)
from tfflow.training.checkpoints import (
    Checkpoints,
    FitCall,
    SaveCheckpoints,
    TrainingStopped,
    fit_calls,
)
from tfflow.types import PathLike


class WorkerLost(TrainingStopped):
    """Another worker of a run on several machines is gone."""


# --also-evaluate takes so many pairs, spread evenly.
ALSO_PAIRS = 50


class Run:
    """A training of one stage, however often it is interrupted.

    Args:
        recipe: Name of a recipe (:func:`tfflow.recipes.list`), or a
            :class:`tfflow.recipes.Recipe`.
        **options: All other settings; see :class:`Options`.

    Raises:
        ValueError: If the recipe is unknown or an option is out of its range.
    """

    def __init__(self, recipe: str | Stage, **options: Any) -> None:
        self.options = Options(**options)
        self.recipe = self.options.applied_to(
            recipes.get(recipe) if isinstance(recipe, str) else recipe
        )
        # A smoke run's weights are nothing to start from.
        name = f"{self.recipe.name}_smoke" if self.options.smoke else self.recipe.name
        self.folder = pathlib.Path(self.options.output or f"runs/{name}").expanduser()
        self.checkpoints = Checkpoints(self.folder / "checkpoints")

    def train(self) -> keras.Model:
        """Trains until the last step.

        Returns:
            The network, with the averaged weights where ``ema`` is given.

        Raises:
            FileNotFoundError: If data, or the result that the stage starts from, is missing.
            ValueError: If the folder holds another run, or data can't be used.
            NotFiniteError: If the loss or a weight is no longer finite.
            Interrupted: After SIGTERM, with the state saved.
            WorkerLost: If another worker is gone.
        """
        if self.options.deterministic:
            tf.config.experimental.enable_op_determinism()
        self.strategy = distribution.make_strategy(self.options.distribute)
        self.chief = distribution.is_chief(self.strategy)
        self.check()
        alone = self.options.distribute != "multi-worker"
        self.output.mkdir(parents=True, exist_ok=True)
        with folder_lock(self.output, waiting=self.refuse_second):
            if self.options.smoke and not self.options.output and alone:
                self.clear_smoke_run()
            # This worker's own: the others may be writing to theirs.
            for folder in (self.output, self.output / "checkpoints"):
                remove_left_behind(folder)
            try:
                with without_remapper():
                    return self.train_alone()
            except CorruptFileError as error:
                if not self.options.skip_corrupt:
                    raise
                for folder in (self.folder, *self.folder.glob("worker-*")):
                    for left in folder.glob("skipped*.json"):
                        left.unlink()
                raise CorruptFileError(
                    f"{str(error).rstrip('.')}. It was whole when this run read all files; the "
                    "same command reads them again, leaves it out, and goes on."
                ) from error

    def train_alone(self) -> keras.Model:
        """Trains while no other process does so in this folder."""
        self.claim_folder()
        self.open_data()
        with dtype_policy(PRECISIONS[self.options.precision]), self.strategy.scope():
            model = self.make_model()
        self.clock = distribution.prepare(model)

        step = self.restore(model)
        if step:
            print(f"going on from step {step}")
        for call in fit_calls(step, self.recipe.steps, self.recipe.steps_per_epoch):
            if call.step != step:
                # fit leaves averaged weights in the model; training continues from its own.
                self.restore(model)
            self.fit(model, call)
        model.optimizer.finalize_variable_values(model.trainable_variables)  # the average, if any
        path = self.output / "model.keras"
        with atomic_file(path, durable=True) as temporary:
            model.save(temporary)
        print(f"saved {path}")
        return model

    def refuse_second(self) -> None:
        raise ValueError(
            f"Another process is training in {self.output}. Wait for it, stop it, or give another "
            "--output."
        )

    def check(self) -> None:
        """Raises at once what would fail only after the data is read or drawn, maybe for hours."""
        self.recipe.check()
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                f"Runs need Keras on TensorFlow; it runs on {keras.backend.backend()}. Set "
                "KERAS_BACKEND=tensorflow, or train by fit."
            )
        if self.options.int8:
            if not isinstance(self.recipe, Recipe):
                raise ValueError(f"int8 is for flow networks; {self.recipe.name} trains none.")
            tflite.prepare_for_int8(self.recipe.create())
        for also in self.also_evaluated():
            also.check()
        if self.begins():
            if isinstance(self.recipe, Recipe):
                self.initialize(self.recipe.create())
            else:  # its network depends on the data
                for source in self.initial_weights().values():
                    loading.load(source)

    # 2. The folder ----------------------------------------------------------------------------

    @property
    def output(self) -> pathlib.Path:
        """Where this worker writes. All workers write, as saving needs all of them."""
        if self.chief:
            return self.folder
        return self.folder / f"worker-{self.strategy.cluster_resolver.task_id}"

    def clear_smoke_run(self) -> None:
        """Deletes what an earlier smoke run wrote: that it ran before is no answer."""
        record = self.output / "run.json"
        if record.is_file() and read_json(record, "Delete it.").get("smoke"):
            shutil.rmtree(self.output / "checkpoints", ignore_errors=True)
            for name in ("run.json", "log.jsonl", "model.keras", "best.keras", "nan_batch.npz"):
                (self.output / name).unlink(missing_ok=True)

    def claim_folder(self) -> None:
        """Records this run in run.json; refuses a folder that holds another run."""
        record = self.recipe.record()
        named_options = ("seed", "ema", "precision", "int8", "smoke")
        record |= {name: getattr(self.options, name) for name in named_options}
        init: Any = self.options.init
        if init is not None:
            init = [f"{part}={file}" if part else str(file) for part, file in init.items()]
        record["init"] = ["none"] if init == [] else init
        path = self.output / "run.json"
        started = Checkpoints(self.output / "checkpoints").steps()
        finished = (self.output / "model.keras").is_file()
        if path.is_file() and (started or finished):
            # Of an earlier version, without these.
            there = {"int8": False, "smoke": self.options.smoke}
            there |= read_json(path, "Delete it to go on without its check.")
            if other := list(differences(there, record)):
                raise ValueError(
                    f"{self.output} holds another run ({'; '.join(other)}). Give another --output, "
                    "or delete that folder."
                )
            if not started and self.chief:  # only the chief keeps checkpoints
                raise ValueError(
                    f"{self.output} has this run's result, model.keras, but no checkpoints: it "
                    "would begin anew. Give another --output, or delete that folder."
                )
            record = there | record
        else:
            # An attempt that never began may have read other files, or the same before a repair.
            for left in self.output.glob("skipped*.json"):
                left.unlink()
        write_json(path, record)

    # 3. Data ----------------------------------------------------------------------------------

    def open_data(self) -> None:
        folder = pathlib.Path(self.options.data_dir).expanduser()
        try:
            training_set, held_out = self.recipe.data(folder)
        except FileNotFoundError as error:
            if folder.exists():
                raise
            raise FileNotFoundError(
                f"{error}. The folder of {self.recipe.name}'s data is data_dir (--data-dir)."
            ) from error
        if self.options.skip_corrupt:
            training_set = without_corrupt(training_set, self.output / "skipped.json")
        held_out = self.recipe.part_for_validation(held_out)
        if self.options.skip_corrupt:
            held_out = without_corrupt(held_out, self.output / "skipped_validation.json")
        print(f"training on {named(training_set)}, validating on {named(held_out)}")
        self.training_set, self.held_out = training_set, held_out
        self.record_data(
            data_dir=str(folder.resolve()),
            samples=[len(part) for part in getattr(training_set, "datasets", [training_set])],
        )

    def record_data(self, **data: Any) -> None:
        """Records where the data is and how much of it there is; says what was other before."""
        path = self.output / "run.json"
        record = json.loads(path.read_text(encoding="utf-8"))
        if "samples" in record and (other := list(differences(record, data))):
            print(
                f"this run was last started on other data ({'; '.join(other)}): it goes on, but "
                "maybe not to the weights that it would have had"
            )
        write_json(path, record | data)

    def batches(self, start: int, share: WorkerShare) -> Any:
        """The training batches from a step on, or one worker's share of them."""
        return self.recipe.batches(
            self.training_set, seed=self.options.seed, start=start, share=share
        )

    def own_batches(self, start: int) -> Any:
        """This worker's part of each batch, in one piece."""
        share = distribution.share(self.strategy)._replace(pieces=1)
        return self.batches(start, share)

    # 4. The model -----------------------------------------------------------------------------

    def make_model(self) -> keras.Model:
        """The compiled network, with the weights that its stage starts from."""
        keras.utils.set_random_seed(self.options.seed)
        model = self.recipe.create(self.training_set)
        if self.begins():
            for text in self.initialize(model):
                print(text)
        if self.options.int8:
            tflite.prepare_for_int8(model)
        self.recipe.compile(model)
        return model

    def begins(self) -> bool:
        """Whether this process loads the weights that the stage starts from."""
        # All workers get the chief's weights, and a checkpoint has them already.
        # A smoke run has no earlier stage's result to start from, but does try what it is given.
        wanted = self.options.init or not self.options.smoke
        return self.chief and not self.checkpoints.steps() and bool(wanted)

    def initialize(self, model: keras.Model) -> list[str]:
        """Loads the weights that the stage starts from; returns a line about each source."""
        lines = []
        for part, source in self.initial_weights().items():
            target = model
            for name in filter(None, part.split("/")):
                names = [each.name for each in target.layers if hasattr(each, "start_from")]
                if name not in names:
                    raise ValueError(
                        f"{source} is for the part {part!r}, which is no network within "
                        f"{model.name}. Those within {target.name}: {', '.join(names) or 'none'}. "
                        f"A file with '=' in its name is written ./{part}={source}."
                    )
                target = target.get_layer(name)
            fresh = target.start_from(loading.load(source))
            lines.append(f"{target.name} starts from {source}; {len(fresh)} weights are new")
        return lines

    def initial_weights(self) -> dict[str, PathLike]:
        """Part of the network ("" for all of it) -> .keras file or preset."""
        init: Any = self.options.init  # a dictionary, if anything
        if init is not None:
            return dict(init)
        sources: dict[str, PathLike] = {}
        for part, other in self.recipe.starts_from.items():
            sources[part] = file = pathlib.Path("runs") / other / "model.keras"
            if not file.is_file():
                raise FileNotFoundError(
                    f"{self.recipe.name} starts from the result of {other}, and there is no "
                    f"{file}. Train that first, give --init "
                    f"{part}{'=' if part else ''}FILE (or a published checkpoint's name: tfflow "
                    "models --checkpoints), or --init none for random weights."
                )
        return sources

    def restore(self, model: keras.Model) -> int:
        """Loads the newest checkpoint, if there is one, on all workers; returns its step."""
        step = self.checkpoints.restore(model) if self.chief else 0
        return distribution.broadcast(model, step)

    # 5. Callbacks -----------------------------------------------------------------------------

    def callbacks(self, step: int) -> list[keras.callbacks.Callback]:
        """The callbacks in order: they measure, evaluate, write down."""
        epoch = step // self.recipe.steps_per_epoch
        log = self.output / "log.jsonl"
        before = [
            Speed(self.clock, step),
            StopAtNaN(self.own_batches, self.output / "nan_batch.npz", step),
        ]
        freeze_after = getattr(self.recipe, "freeze_statistics_after", None)
        if freeze_after is not None:
            before.append(FreezeStatistics(freeze_after))
        judging = [self.recipe.validation(self.held_out)]
        judging += [
            *self.also_evaluated(),
            SaveBest(
                self.output / "best.keras",
                monitor=self.recipe.monitor,
                best=best_so_far(log, epoch, self.recipe.monitor),
            ),
            JsonLines(log, epoch),
        ]
        if self.options.tensorboard and self.chief:
            folder = self.output / "tensorboard"
            judging.append(TensorBoardFrom(step, folder, update_freq=100))
            judging.append(FlowPictures(self.held_out, folder))
        return [*before, WithAverage(judging)] if self.options.ema else [*before, *judging]

    def also_evaluated(self) -> list[EvaluatePairs]:
        name = self.options.also_evaluate
        return [EvaluatePairs(evenly(open_dataset(name), ALSO_PAIRS), "also")] if name else []

    # 6. Training ------------------------------------------------------------------------------

    def fit(self, model: keras.Model, call: FitCall) -> None:
        """One call of Keras's ``fit``."""
        cluster = self.options.distribute == "multi-worker"
        # Comes last: the others write an epoch's results before it counts as done.
        saving = SaveCheckpoints(
            self.checkpoints, call.step, write=self.chief, catch_signals=not cluster
        )
        shown = 1 if is_terminal(sys.stdout) else 2  # a bar for people, a line per epoch for logs
        batches = functools.partial(self.batches, call.step)
        try:
            model.fit(
                distribution.distribute(self.strategy, batches),
                initial_epoch=call.first_epoch,
                epochs=call.end_epoch,
                steps_per_epoch=call.steps_per_epoch,
                callbacks=[*self.callbacks(call.step), saving],
                shuffle=False,  # the pipeline does that
                verbose=shown if self.chief else 0,
            )
        except tf.errors.OpError as error:
            self.explain(error, saving.step)
            raise
        finally:
            saving.release()

    def explain(self, error: Exception, step: int) -> None:
        """Raises a clearer error than TensorFlow's, if there is one."""
        lost = isinstance(error, (tf.errors.UnavailableError, tf.errors.AbortedError))
        if lost and self.options.distribute == "multi-worker":
            saved = self.checkpoints.steps()
            raise WorkerLost(
                "another worker was lost. Start all of them again with the same command; they go "
                f"on from step {saved[-1] if saved else 0}."
            ) from error
        if isinstance(error, (tf.errors.ResourceExhaustedError, tf.errors.InternalError)):
            return
        # TensorFlow names no sample; reading those around that step again does.
        print(f"looking for a damaged sample around step {step}", file=sys.stderr)
        self.recipe.read_again(self.training_set, seed=self.options.seed, step=step)


def best_so_far(log, epoch, name):
    """The best validation of an earlier part of the run, so that best.keras stays the best."""
    if not log.is_file():
        return None
    results = (line[name] for line in read_log(log) if line["epoch"] <= epoch)
    return min((value for value in results if value is not None), default=None)
