"""A recipe: everything about one training stage in one frozen object."""

import collections.abc
import dataclasses

import keras

from tfflow.data.augmentation import LIGHT, Augmentation


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """One training stage. ``train/recipes/`` holds a short function for each published one.

    Attributes:
        name: What ``train/train.py`` calls it.
        source: Where the numbers come from.
        expected: What comes out, in words.
        cost: What it takes, in words.
        model: Registry name of the network.
        model_arguments: Constructor arguments.
        data: ``data(folder) -> (training set, validation set)``, sequences of samples.
        crop: (height, width) of training crops.
        batch_size: Pairs a step, over all devices.
        steps: Number of steps.
        optimizer: ``optimizer(steps) -> keras optimizer``, for a run of so many steps; the
            schedule is inside.
        loss: The loss.
        starts_from: Recipes whose results the network begins with: of the part of it that is
            named, or of the whole network for the name ``""``. Empty: random weights.
        augmentation: One, or for a mixture one for each of its data sets.
        steps_per_epoch: Steps between checkpoints and validations.
        validation_pairs: Number of pairs of a validation, spread evenly over the set.
        freeze_statistics_after: Epochs after which batch norm's statistics stay as they are (see
            :class:`tfflow.training.callbacks.FreezeStatistics`), or None for never.
    """

    name: str
    source: str
    expected: str
    cost: str
    model: str
    data: collections.abc.Callable
    crop: tuple[int, int]
    batch_size: int
    steps: int
    optimizer: collections.abc.Callable
    loss: keras.losses.Loss
    model_arguments: dict = dataclasses.field(default_factory=dict)
    starts_from: dict = dataclasses.field(default_factory=dict)
    augmentation: Augmentation | tuple[Augmentation, ...] = LIGHT
    steps_per_epoch: int = 500
    validation_pairs: int = 100
    freeze_statistics_after: int | None = None

    def with_steps(self, steps):
        """The same recipe over another number of steps, its schedule stretched or shrunk."""
        return dataclasses.replace(
            self, steps=steps, steps_per_epoch=min(self.steps_per_epoch, steps)
        )

    def accumulated(self, count):
        """The same training in steps of a ``count``-th of the batch, for a smaller memory.

        The gradients of ``count`` steps make one update.

        Raises:
            ValueError: If the batch can't be divided so.
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

    def averaged(self, momentum):
        """The same training with a moving average of the weights, which is what comes out.

        Args:
            momentum: Of the exponential average, such as 0.999.
        """
        if not 0 < momentum < 1:
            raise ValueError(f"The momentum of the average must be in (0, 1); got {momentum}.")
        return dataclasses.replace(
            self, optimizer=lambda steps: _averaging(self.optimizer(steps), momentum)
        )


def _accumulating(optimizer, count):
    return _with(optimizer, gradient_accumulation_steps=count if count > 1 else None)


def _averaging(optimizer, momentum):
    return _with(optimizer, use_ema=True, ema_momentum=momentum)


def _with(optimizer, **settings):
    """The same optimizer with other settings, which Keras takes only when it is made."""
    config = optimizer.get_config() | settings
    return type(optimizer).from_config(config)
