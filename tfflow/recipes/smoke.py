"""Any recipe cut down to two small steps on generated data: does it run at all?"""

import dataclasses

import numpy as np

from tfflow.data import FlowSample
from tfflow.data.datasets import Mixture

CROP = (64, 64)


class Noise(list):
    """A data set of pairs of evenly moving noise."""

    name = "noise"

    def __getitem__(self, index):
        item = super().__getitem__(index)
        return Noise(item) if isinstance(index, slice) else item

    def __repr__(self):
        return f"<{len(self)} pairs of noise>"


def smoke(recipe, steps=2):
    """The recipe with its own network, loss, optimizer and augmentation, on very little data."""
    samples = Noise(sample(number) for number in range(4))
    several = isinstance(recipe.augmentation, tuple)
    training_set = Mixture([samples] * len(recipe.augmentation)) if several else samples
    return dataclasses.replace(
        recipe.with_steps(steps),
        data=lambda folder: (training_set, samples),
        crop=CROP,
        batch_size=2,
        steps_per_epoch=min(steps, 4),
        validation_pairs=2,
    )


def sample(number):
    rng = np.random.default_rng(number)
    picture = rng.integers(0, 256, (80, 104, 3), np.uint8)
    moved = np.roll(picture, 3, axis=1)
    flow = np.broadcast_to(np.float32([3, 0]), (80, 104, 2))
    return FlowSample(picture, moved, flow, rng.random((80, 104)) < 0.9, f"noise-{number}")
