"""What published recipes have in common: their data, schedules, losses and cost.

Sources are named as in the recipes: "mmflow" is OpenMMLab's re-implementation, whose checkpoints
and tables most later work compares with, "MXNet" is the code of MaskFlowNet's authors, "paper" the
paper of the network.
"""

from typing import NamedTuple

from tfflow.data.datasets import (
    HD1K,
    ChairsSDHom,
    FlyingChairs,
    FlyingThings3DSubset,
    Kitti2012,
    Kitti2015,
    Mixture,
    Sintel,
)
from tfflow.data.pipeline import augmentation
from tfflow.losses import MultiLevelEPE
from tfflow.models import registry
from tfflow.recipes.recipe import Recipe
from tfflow.training.optimizers import AdamL2
from tfflow.training.schedules import halved_at

# Weights of the pyramid's levels in all losses of FlowNet's descendants; coarse ones count most.
LEVELS = {"level6": 0.32, "level5": 0.08, "level4": 0.02, "level3": 0.01, "level2": 0.005}


class Schedule(NamedTuple):
    """Adam with a learning rate halved at milestones (iterations) and coupled weight decay."""

    rate: float
    milestones: tuple
    steps: int
    l2: float = 4e-4

    def optimizer(self, steps):
        """PyTorch's Adam for a run of `steps` steps; biases decay too, as in mmflow."""
        milestones = [milestone * steps // self.steps for milestone in self.milestones]
        return AdamL2(halved_at(self.rate, milestones), l2=self.l2, decay_biases=True, epsilon=1e-8)


def thousands(*numbers):
    return tuple(1000 * number for number in numbers)


# FlowNet2's names for its schedules.
S_LONG = Schedule(1e-4, thousands(400, 600, 800, 1000), 1_200_000)
S_FINE = Schedule(1e-5, thousands(200, 300, 400, 500), 600_000)


def recipe(name, model, schedule, *, crop, batch_size=8, **settings):
    """A published stage; what most of them share may be overridden by ``settings``.

    Args:
        name: What the command line calls it.
        model: Registry name of the network.
        schedule: A :class:`Schedule`, or anything with its ``steps`` and ``optimizer``.
        crop: (height, width) of training crops.
        batch_size: Samples per step.
        **settings: Further fields of :class:`Recipe`.
    """
    shared = {
        "source": "mmflow",
        "loss": MultiLevelEPE(LEVELS),
        "augmentation": augmentation.CHAIRS,
        "steps_per_epoch": 2000,
    }
    return Recipe(
        name=name,
        model=model,
        cost=cost(model, crop, batch_size, schedule.steps),
        crop=crop,
        batch_size=batch_size,
        steps=schedule.steps,
        optimizer=schedule.optimizer,
        **{**shared, **settings},
    )


def cost(model, crop, batch_size, steps):
    """Pairs and operations of a run in words; training takes three times a forward pass."""
    pairs = batch_size * steps
    flop = 3e9 * registry.entry(model).gflops * crop[0] * crop[1] / (384 * 512) * pairs
    hours = flop / 1e13 / 3600
    time = f"{hours:.0f} hours" if hours >= 1 else f"{60 * hours:.0f} minutes"
    return f"{pairs / 1e6:.1f} million pairs, {time} at 10 TFLOP/s"


# Data sets, all in one folder: (for training, for validation). -------------------------------


def chairs(folder):
    return FlyingChairs(folder, "train"), FlyingChairs(folder, "val")


def things(folder):
    # Validated on Sintel, as published.
    return FlyingThings3DSubset(folder), Sintel(folder, pass_name="both")


def chairs_sdhom(folder):
    return ChairsSDHom(folder, "train"), ChairsSDHom(folder, "test")


def things_and_sdhom(folder):
    """FlowNet2-CSS-ft-sd's: three of four pairs with small displacements."""
    sdhom = ChairsSDHom(folder, "train")
    return Mixture([FlyingThings3DSubset(folder), sdhom], ratios=(1, 3)), Sintel(
        folder, pass_name="both"
    )


# Fine-tuning is validated on what it is trained on, as in the published numbers: the test sets'
# ground truth is not public.


def sintel(folder):
    both = Sintel(folder, pass_name="both")
    return both, both


def kitti(folder):
    both = Mixture([Kitti2015(folder), Kitti2012(folder)])
    return both, both


def sintel_and_kitti(folder):
    everything = Mixture([Sintel(folder, pass_name="both"), Kitti2015(folder), Kitti2012(folder)])
    return everything, everything


def sintel_kitti_hd1k(folder):
    """MaskFlowNet's: two of four pairs are from Sintel without its validation scenes."""
    training = Sintel(folder, pass_name="both", split="train")
    mixture = Mixture([training, Kitti2015(folder), HD1K(folder)], ratios=(2, 1, 1))
    return mixture, Sintel(folder, pass_name="both", split="val")
