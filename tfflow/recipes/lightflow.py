"""LightFlow's recipes.

The published one (LightFlow-pytorch's 403-epoch table, which reached EPE 3.45 on FlyingChairs), the
paper's 70,000 iterations, and ours on synthetic scenes alone.
"""

import dataclasses

import keras

from tfflow.data.datasets import Mixture
from tfflow.data.pipeline import augmentation
from tfflow.losses import LightFlowL1, MultiLevelEPE
from tfflow.recipes import published
from tfflow.recipes.recipe import Recipe
from tfflow.recipes.scenes import HELD_OUT, SIZE, drawn_scenes
from tfflow.training.optimizers import AdamL2
from tfflow.training.schedules import steps_table, warmup_cosine

# Pairs of FlyingChairs' official training split; the published tables count epochs of them.
CHAIRS_PAIRS = 22_232


def lightflow_chairs():
    """The table that reached 3.45: 403 epochs of FlyingChairs, Adam, L1 on the averaged flow."""
    epoch = CHAIRS_PAIRS // 128
    lengths = [epochs * epoch for epochs in (58, 116, 58, 57, 58, 56)]
    rates = [1e-3, 5e-4, 2.5e-4, 1.25e-4, 6.25e-5, 3.125e-5]
    return Recipe(
        name="lightflow_chairs",
        source="LightFlow-pytorch, 403 epochs",
        cost=published.cost("lightflow", (320, 448), 128, sum(lengths)),
        expected="EPE 3.45 on FlyingChairs' validation split (paper: 3.14)",
        model="lightflow",
        data=published.chairs,
        crop=(320, 448),
        batch_size=128,
        steps=sum(lengths),
        optimizer=lambda steps: _adam_l2(_stretched(rates, lengths, steps)),
        loss=LightFlowL1(),
        augmentation=augmentation.LIGHTFLOW,
        steps_per_epoch=epoch,
        validation_pairs=640,
    )


def lightflow_chairs_70k():
    """The paper's schedule: 70,000 iterations of batch 128, up to 1e-2 and halved every 10,000."""
    lengths = [10_000, 20_000, 10_000, 10_000, 10_000, 10_000]
    rates = [1e-3, 1e-2, 5e-3, 2.5e-3, 1.25e-3, 6.25e-4]
    return Recipe(
        name="lightflow_chairs_70k",
        source="Zhu et al. 2018, section 5 (schedule)",
        cost=published.cost("lightflow", (320, 448), 128, sum(lengths)),
        expected="EPE 3.14 in the paper; a re-run of others rose to 8.5 at a learning rate of 1e-2",
        model="lightflow",
        data=published.chairs,
        crop=(320, 448),
        batch_size=128,
        steps=sum(lengths),
        optimizer=lambda steps: _adam_l2(_stretched(rates, lengths, steps)),
        loss=LightFlowL1(),
        augmentation=augmentation.LIGHTFLOW,
        steps_per_epoch=1000,
        validation_pairs=640,
    )


def lightflow_synthetic():
    """Ours: synthetic scenes alone, linear predictors, EPE on the averaged flow, one cosine."""
    return Recipe(
        name="lightflow_synthetic",
        source="ours",
        cost="200,000 pairs: 90 minutes on 2 cores; first 12,000 scenes: 5 minutes, 17 GB of disk",
        expected="EPE 4.4 px on held-out scenes after 160,000 pairs, where zero flow has 11.1",
        model="lightflow",
        model_arguments={"predictor_activation": False, "batch_norm_momentum": 0.99},
        data=drawn_scenes(count=12_000, held_out=HELD_OUT, **SIZE),
        crop=(256, 320),
        batch_size=8,
        steps=25_000,
        optimizer=lambda steps: adamw(warmup_cosine(2e-3, steps)),
        loss=MultiLevelEPE({"level2": 1.0}, reduction="mean"),
        steps_per_epoch=500,
        validation_pairs=100,
        freeze_statistics_after=12,
    )


def lightflow_preset():
    """The second stage of the shipped preset, after lightflow_synthetic: more and faster motion.

    A third of the pairs are magnified and moved as by a fast camera, which is more common in real
    pairs of FlyingChairs than in the scenes. Batch norm stays as the first stage left it. The
    robust exponent keeps what can't be matched from dominating. Meant for ``--ema 0.999``.
    """
    first = lightflow_synthetic()
    return Recipe(
        name="lightflow_preset",
        source="ours",
        cost="144,000 pairs: an hour on 2 cores, after lightflow_synthetic",
        expected="EPE 4.0 px on held-out scenes where lightflow_synthetic has 4.8",
        model="lightflow",
        model_arguments=first.model_arguments,
        data=lambda folder: _twice(*first.data(folder)),
        crop=(256, 320),
        batch_size=8,
        steps=18_000,
        optimizer=lambda steps: adamw(warmup_cosine(1.2e-3, steps)),
        loss=MultiLevelEPE({"level2": 1.0}, q=0.8, reduction="mean"),
        starts_from={"": "lightflow_synthetic"},
        augmentation=(augmentation.LIGHT, FAST_CAMERA),
        steps_per_epoch=1000,
        validation_pairs=100,
        freeze_statistics_after=0,
    )


def lightflow_fine():
    """The third stage of the shipped preset, after lightflow_preset: small motions as well.

    A quarter of the pairs are scenes that hardly move, and the robust exponent is lower: an error
    of a tenth of a pixel on them counts beside the large errors of the others. Meant for
    ``--ema 0.999``.
    """
    before = lightflow_preset()
    return dataclasses.replace(
        before,
        name="lightflow_fine",
        cost="80,000 pairs: half an hour on 2 cores, after lightflow_preset; 6 GB more of scenes",
        expected="EPE 4.0 px on held-out scenes; RubberWhale 0.56 at its size, 0.38 at twice that",
        data=_fast_and_slow,
        steps=10_000,
        optimizer=lambda steps: adamw(warmup_cosine(8e-4, steps)),
        loss=MultiLevelEPE({"level2": 1.0}, q=0.6, reduction="mean"),
        starts_from={"": "lightflow_preset"},
        augmentation=(augmentation.LIGHT, FAST_CAMERA, augmentation.LIGHT),
    )


def _fast_and_slow(folder):
    scenes, held_out = lightflow_synthetic().data(folder)
    slow, _ = drawn_scenes(count=4_000, held_out=1, motion_scale=0.15, **SIZE)(folder / "slow")
    return Mixture([scenes, scenes, slow], [2, 1, 1]), held_out


FAST_CAMERA = dataclasses.replace(
    augmentation.LIGHT,
    affine=augmentation.Affine(zoom=(1.0, 1.4), rotation=5.0),
    relative=augmentation.Affine(translation=(0.05, 0.05), zoom=(0.96, 1.04), rotation=2.0),
    keep_inside=False,
    square=True,
)


def _twice(scenes, held_out):
    return Mixture([scenes, scenes], [2, 1]), held_out


def lightflow_demo():
    """Minutes on 2 cores: a narrow network on small, clean scenes whose camera always moves.

    A network with random weights first has to learn that it should match; clear textures and a
    background that moves as a whole teach it that in a thousand steps.
    """
    return Recipe(
        name="lightflow_demo",
        source="ours",
        cost="64,000 pairs: 5 minutes on 2 cores, scenes included",
        expected="EPE less than half of zero flow's on unseen scenes of its kind",
        model="lightflow_0.5",
        model_arguments={"predictor_activation": False, "batch_norm_momentum": 0.99},
        data=drawn_scenes(count=2_000, held_out=64, **DEMO_SCENES),
        crop=(128, 192),
        batch_size=16,
        steps=4000,
        optimizer=lambda steps: adamw(warmup_cosine(2e-3, steps)),
        loss=MultiLevelEPE({"level2": 1.0}, reduction="mean"),
        # Gentle, as the scenes are.
        augmentation=augmentation.Augmentation(
            colour=augmentation.Colour(brightness=0.1, contrast=0.1, noise=0.01),
            horizontal_flip=0.5,
            vertical_flip=0.5,
        ),
        steps_per_epoch=400,
        validation_pairs=32,
        freeze_statistics_after=4,
    )


DEMO_SCENES = {
    "height": 192,
    "width": 256,
    "textures": 48,
    "texture_size": 384,
    # Motion in pixels of 512x384, so half of it here.
    "motion_scale": 0.5,
    "still_camera": 0.0,
    "fast_background": 1.0,
    "background_speed": (4.0, 24.0),
    "objects": (2, 5),
    "object_size": (0.2, 0.6),
    "object_speed": (7.0, 30.0),
    # Everything that makes matching harder is left out.
    "non_rigid": 0.0,
    "blur": 0.0,
    "motion_blur": 0.0,
    "noise": 2.0,
    "jpeg": 0.0,
    "light": 0.0,
    "drop_shadow": 0.0,
    "brightness": 0.02,
}


def adamw(schedule):
    return keras.optimizers.AdamW(schedule, weight_decay=1e-4, clipnorm=1.0, epsilon=1e-7)


def _adam_l2(schedule):
    # PyTorch's Adam; biases and batch norm's shifts don't decay.
    return AdamL2(schedule, l2=4e-5, epsilon=1e-8)


def _stretched(rates, lengths, steps):
    """The table of learning rates, scaled to another number of steps."""
    total = sum(lengths)
    return steps_table(rates, [max(1, length * steps // total) for length in lengths])


RECIPES = {
    recipe.__name__: recipe
    for recipe in (
        lightflow_demo,
        lightflow_synthetic,
        lightflow_preset,
        lightflow_fine,
        lightflow_chairs,
        lightflow_chairs_70k,
    )
}
