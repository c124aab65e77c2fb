"""A recipe: everything about one training stage in one frozen object."""

import collections.abc
import dataclasses
from typing import Any, TypeVar

import keras

from tfflow.checks import whole_number
from tfflow.data import training_pipeline
from tfflow.data.datasets.base import named
from tfflow.data.pipeline.augmentation import LIGHT, Augmentation
from tfflow.data.pipeline.batches import WorkerShare, sample_order
from tfflow.evaluation.callback import EvaluatePairs
from tfflow.metrics import EndPointError
from tfflow.models import registry
from tfflow.models.flow_model import FlowModel
from tfflow.recipes.record import described

S = TypeVar("S", bound="Stage")
READ_AGAIN = 16  # batches, to find a damaged file


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stage:
    """What a :class:`tfflow.recipes.Run` needs to know about training any network.

    Attributes:
        name: What the command line calls it.
        source: Where the numbers come from.
        expected: The expected result, in words.
        cost: The cost, in words.
        data: ``data(folder) -> (training set, validation set)``.
        batch_size: Samples per step, over all devices.
        steps: Number of steps.
        optimizer: ``optimizer(steps) -> keras optimizer``, for a run of that many steps,
            with the learning rate schedule inside.
        starts_from: Part of the network -> recipe whose result it starts from; the part ``""`` is
            the whole network. Empty: random weights.
        steps_per_epoch: Steps between checkpoints and validations.

    Raises:
        ValueError: If a number is not a whole one from 1 up.
    """

    name: str
    source: str
    expected: str
    cost: str
    data: collections.abc.Callable
    batch_size: int
    steps: int
    optimizer: collections.abc.Callable
    starts_from: dict = dataclasses.field(default_factory=dict)
    steps_per_epoch: int = 500

    monitor = "val_epe"  # best.keras has the smallest

    def __post_init__(self) -> None:
        for name in ("batch_size", "steps", "steps_per_epoch"):
            whole_number(f"{name} of {self.name}", getattr(self, name))

    def record(self) -> dict[str, Any]:
        """What a run's folder is recorded by: a run with another record is another run."""
        settings = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        for name in ("name", "source", "expected", "cost", "data", "starts_from"):
            del settings[name]
        settings["optimizer"] = self.optimizer(self.steps)
        return {"recipe": self.name, **described(settings)}

    def check(self) -> None:
        """Raises at once what would fail only after the data is read or drawn."""

    def create(self, training_set: Any) -> keras.Model:
        """The network, not yet compiled."""
        raise NotImplementedError

    def compile(self, model: keras.Model) -> None:
        """Compiles it with the stage's optimizer, loss and metrics."""
        raise NotImplementedError

    def batches(
        self, training_set: Any, *, seed: int, start: int, share: WorkerShare | None
    ) -> Any:
        """An endless ``tf.data.Dataset``: one worker's share of the batches from a step on.

        Batch number i is a function of ``seed`` and i, so a run can resume where it stopped.
        """
        raise NotImplementedError

    def read_again(self, training_set: Any, *, seed: int, step: int) -> None:
        """Reads the samples of some steps, so that a damaged file raises an error that names it."""
        raise NotImplementedError

    def validation(self, held_out: Any) -> keras.callbacks.Callback:
        """The callback that adds ``monitor``, the number to be small, to an epoch's logs."""
        raise NotImplementedError

    def part_for_validation(self, held_out: Any) -> Any:
        """The part of the validation set that is evaluated after each epoch."""
        return held_out

    def with_steps(self: S, steps: int) -> S:
        """The same stage over another number of steps, its schedule stretched or shrunk."""
        return dataclasses.replace(
            self, steps=steps, steps_per_epoch=min(self.steps_per_epoch, steps)
        )

    def accumulated(self: S, count: int) -> S:
        """The same training in steps of a ``count``-th of the batch, to save memory.

        The gradients of ``count`` steps make one update.

        Raises:
            ValueError: If the batch can't be divided evenly.
        """
        if count < 1 or self.batch_size % count:
            raise ValueError(
                f"{self.name} has batches of {self.batch_size}, which can't be made of {count} "
                "equal parts; choose a divisor."
            )
        return dataclasses.replace(
            self,
            batch_size=self.batch_size // count,
            steps=self.steps * count,
            steps_per_epoch=self.steps_per_epoch * count,
            # Keras looks the schedule up by steps, not by updates: it is stretched like the run.
            optimizer=lambda steps: _accumulating(self.optimizer(steps), count),
        )

    def averaged(self: S, momentum: float) -> S:
        """The same training with a moving average of the weights, which is the result.

        Args:
            momentum: Of the exponential average, such as 0.999.
        """
        if not 0 < momentum < 1:
            raise ValueError(f"The momentum of the average must be in (0, 1); got {momentum}.")
        return dataclasses.replace(
            self, optimizer=lambda steps: _averaging(self.optimizer(steps), momentum)
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe(Stage):
    """A training stage of a flow network. This package holds a short function for each.

    Attributes:
        model: Registry name of the network.
        model_arguments: Constructor arguments.
        crop: (height, width) of training crops.
        loss: The loss.
        augmentation: One, or for a mixture one for each of its data sets.
        validation_pairs: Number of validation pairs, spread evenly over the set.
        freeze_statistics_after: Epochs after which batch norm's statistics stay as they are (see
            :class:`tfflow.training.callbacks.FreezeStatistics`), or None for never.

    The others are those of :class:`Stage`; ``data`` gives two sequences of samples.
    """

    model: str
    crop: tuple[int, int]
    loss: keras.losses.Loss
    model_arguments: dict = dataclasses.field(default_factory=dict)
    augmentation: Augmentation | tuple[Augmentation, ...] = LIGHT
    validation_pairs: int = 100
    freeze_statistics_after: int | None = None

    def create(self, training_set: Any = None) -> FlowModel:
        return registry.create(self.model, **self.model_arguments)

    def compile(self, model: keras.Model) -> None:
        model.compile(
            optimizer=self.optimizer(self.steps), loss=self.loss, metrics=[EndPointError()]
        )

    def batches(
        self, training_set: Any, *, seed: int, start: int, share: WorkerShare | None
    ) -> Any:
        return training_pipeline(
            training_set,
            self.batch_size,
            crop=self.crop,
            augmentation=self.augmentation,
            seed=seed,
            start=start,
            share=share,
        )

    def read_again(self, training_set: Any, *, seed: int, step: int) -> None:
        from tfflow.data.pipeline.decoding import check_to_train_on

        order = sample_order(training_set, seed=seed, start=step * self.batch_size)
        datasets = getattr(training_set, "datasets", [training_set])
        for part, index in order.take(READ_AGAIN * self.batch_size).as_numpy_iterator():
            sample = datasets[part][int(index)]
            check_to_train_on(sample, datasets[part])
            size = sample.image1.shape[:2]
            if any(side < least for side, least in zip(size, self.crop)):
                raise ValueError(
                    f"{sample.name} of {named(datasets[part])} is {size[0]}x{size[1]} (height x "
                    f"width), smaller than {self.name}'s crops of {self.crop[0]}x{self.crop[1]}. "
                    "Leave it out, or give the recipe a smaller crop."
                )

    def validation(self, held_out: Any) -> keras.callbacks.Callback:
        return EvaluatePairs(held_out, "val")

    def part_for_validation(self, held_out: Any) -> Any:
        if not len(held_out) or self.validation_pairs < 1:
            pairs = "no pair" if self.validation_pairs < 1 else "all pairs"
            raise ValueError(
                f"{self.name} has nothing to be validated on: {pairs} of {named(held_out)}. Is the "
                "data's folder the right one? Hold at least one pair out of the training."
            )
        return evenly(held_out, self.validation_pairs)

    def with_steps(self, steps: int) -> "Recipe":
        recipe = super().with_steps(steps)
        if self.freeze_statistics_after is None:
            return recipe
        # As late in the shorter or longer run.
        epochs = self.freeze_statistics_after * self.steps_per_epoch / self.steps
        epochs = round(epochs * steps / recipe.steps_per_epoch)
        return dataclasses.replace(recipe, freeze_statistics_after=epochs)


def evenly(dataset: Any, count: int) -> Any:
    """At most ``count`` pairs of a data set, spread evenly over it."""
    return dataset[:: max(1, -(-len(dataset) // count))]


def _accumulating(optimizer, count):
    inner = _inner(optimizer)
    momentum = inner.ema_momentum if inner.use_ema else None
    inner.gradient_accumulation_steps = count if count > 1 else None
    return _averaging(optimizer, momentum) if momentum else optimizer


def _averaging(optimizer, momentum):
    # Keras averages in each step, also in those that only add to the gradients.
    inner = _inner(optimizer)
    inner.use_ema, count = True, inner.gradient_accumulation_steps or 1
    inner.ema_momentum = momentum ** (1 / count)
    return optimizer


def _inner(optimizer):
    """The optimizer that has the settings of a new one, changed in place.

    A copy made of its configuration would lack what that has no word for: what is excluded from
    the weight decay, a learning rate that is a function.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if inner.built:
        raise ValueError(
            "A recipe's optimizer must be made anew at each call, as by lambda steps: Adam(1e-4); "
            "got one that has trained already."
        )
    return inner
