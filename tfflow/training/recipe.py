"""A recipe: everything about one training stage in one frozen object."""

import collections.abc
import dataclasses

import keras


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """One training stage. ``train/recipes/`` holds a short function for each published one.

    Attributes:
        name: What ``train/train.py`` calls it.
        source: Where the numbers come from.
        cost: What it takes, in words.
        expected: What comes out, in words.
        model: Registry name of the network.
        model_arguments: Constructor arguments.
        data: ``data(folder) -> (training set, validation set)``, sequences of samples.
        crop: (height, width) of training crops.
        batch_size: Pairs a step, over all devices.
        steps: Number of steps.
        optimizer: ``optimizer(steps) -> keras optimizer``, for a run of so many steps; the
            schedule is inside.
        loss: The loss.
        augmentation: Keyword arguments of :func:`tfflow.data.training_pipeline`.
        steps_per_epoch: Steps between checkpoints and validations.
        validation_pairs: Number of pairs of a validation.
        freeze_statistics_after: Epochs after which batch norm's statistics stay as they are (see
            :class:`tfflow.training.callbacks.FreezeStatistics`), or None for never.
    """

    name: str
    source: str
    cost: str
    expected: str
    model: str
    data: collections.abc.Callable
    crop: tuple[int, int]
    batch_size: int
    steps: int
    optimizer: collections.abc.Callable
    loss: keras.losses.Loss
    model_arguments: dict = dataclasses.field(default_factory=dict)
    augmentation: dict = dataclasses.field(default_factory=dict)
    steps_per_epoch: int = 500
    validation_pairs: int = 100
    freeze_statistics_after: int | None = None

    def with_steps(self, steps):
        """The same recipe over another number of steps, its schedule stretched or shrunk."""
        return dataclasses.replace(
            self, steps=steps, steps_per_epoch=min(self.steps_per_epoch, steps)
        )
