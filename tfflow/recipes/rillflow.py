"""RillFlow's recipes: ours, on synthetic scenes alone."""

import dataclasses

from tfflow.data.datasets import Mixture
from tfflow.data.pipeline import augmentation
from tfflow.losses import MultiLevelEPE
from tfflow.recipes.lightflow import FAST_CAMERA
from tfflow.recipes.recipe import Recipe
from tfflow.recipes.scenes import HELD_OUT, SIZE, drawn_scenes, held_out_scenes
from tfflow.training.optimizers import ConvolutionMuon
from tfflow.training.schedules import warmup_cosine

# The finest output counts most; the coarse ones have to find the large motions.
LEVELS = {
    "level6": 0.1,
    "level5": 0.15,
    "level4": 0.15,
    "level4_M": 0.1,
    "level3": 0.3,
    "level3_M": 0.1,
    "level2": 0.5,
    "level0": 1.0,
}


def rillflow_synthetic():
    """From random weights: small crops, plain EPE, a quarter of the pairs hardly moving."""
    return Recipe(
        name="rillflow_synthetic",
        source="ours",
        cost="32,000 pairs: an hour on 2 busy cores; first 5,000 scenes: 6 minutes, 7 GB of disk",
        expected="EPE 3.4 px on held-out scenes, where zero flow has 11.1",
        model="rillflow",
        data=data,
        crop=(192, 256),
        batch_size=8,
        steps=4_000,
        optimizer=lambda steps: muon(warmup_cosine(2e-3, steps, warmup=0.03)),
        loss=MultiLevelEPE(LEVELS, reduction="mean"),
        augmentation=(augmentation.LIGHT, FAST_CAMERA, augmentation.LIGHT),
        steps_per_epoch=500,
        validation_pairs=50,
    )


def rillflow_preset():
    """The second stage, after rillflow_synthetic: larger crops, more kinds of scenes.

    Sixteen of thirty pairs are from scenes 1.5 times as fast, up to 150 px, nine of them from
    worlds of which most have depth that the camera travels through. In ten, half of these slow,
    some surfaces are told apart by their detail alone. The exponent lets a tenth of a pixel on slow
    pairs count beside the large errors of what can't be matched. Meant for ``--ema 0.998``.
    """
    return dataclasses.replace(
        rillflow_synthetic(),
        name="rillflow_preset",
        cost="52,000 pairs: two hours on 2 cores, after rillflow_synthetic; 17 GB more of scenes",
        expected="EPE 2.8 px on held-out scenes where rillflow_synthetic has 3.4",
        data=data_of_all_kinds,
        crop=(256, 320),
        steps=6_500,
        optimizer=lambda steps: muon(warmup_cosine(1.2e-3, steps, warmup=0.03)),
        loss=MultiLevelEPE(LEVELS, q=0.8, reduction="mean"),
        starts_from={"": "rillflow_synthetic"},
        augmentation=(augmentation.LIGHT, FAST_CAMERA, *7 * (augmentation.LIGHT,)),
    )


def rillflow_wide():
    """The last stage, after rillflow_preset: crops of twice the width, so four of them a step.

    The match over the whole map then has twice as many places to confuse, which is nearer to a
    video's frame. Meant for ``--ema 0.998``; its weights and those it began with, averaged, are
    better than either (docs/rillflow.md).
    """
    return dataclasses.replace(
        rillflow_preset(),
        name="rillflow_wide",
        cost="12,000 pairs: 20 minutes on 2 cores, after rillflow_preset; 5 GB more of scenes",
        expected="a fifth less EPE on scenes of 384x1280, and as much as before on others",
        data=wide_data,
        crop=(256, 640),
        batch_size=4,
        steps=3_000,
        optimizer=lambda steps: muon(warmup_cosine(4e-4, steps, warmup=0.03)),
        starts_from={"": "rillflow_preset"},
        augmentation=augmentation.LIGHT,
    )


def data(folder, count=4_000):
    """(mixture of scenes, the same for a fast camera, and slow ones; held-out scenes)."""
    drawn, held_out = drawn_scenes(count=count, held_out=HELD_OUT, **SIZE)(folder)
    slow, _ = drawn_scenes(count=count // 4, held_out=1, motion_scale=0.15, **SIZE)(folder / "slow")
    return Mixture([drawn, drawn, slow], [2, 1, 1]), held_out


def data_of_all_kinds(folder, count=4_000):
    """Scenes 1.5 times as fast, ones that the camera travels through, fine ones besides."""
    drawn, held_out = drawn_scenes(count=count, held_out=HELD_OUT, **SIZE)(folder)
    new = {"held_out": 1, "scenes_per_pool": 500, **SIZE}
    faster = {"motion_scale": 1.5, **new}
    fine = {**new, "fine_surfaces": 0.6, "scenes_per_pool": 250}
    kinds = {
        "fast": drawn_scenes(count=count, **faster),
        "travel": drawn_scenes(count=count // 2, parallax=0.8, **faster),
        "fine_slow": drawn_scenes(count=3 * count // 8, motion_scale=0.2, **fine),
        "fine": drawn_scenes(count=3 * count // 8, parallax=0.5, **fine),
        "fast_half": drawn_scenes(count=3 * count // 8, parallax=0.5, **faster),
        "fine_fast": drawn_scenes(count=count // 4, fine_surfaces=0.4, **faster),
        "slow_some_fine": drawn_scenes(
            count=count // 4, motion_scale=0.2, fine_surfaces=0.3, **new
        ),
    }
    of_kinds = [of_kind(folder / name)[0] for name, of_kind in kinds.items()]
    return Mixture([drawn, drawn, *of_kinds], [4, 3, 4, 4, 2, 2, 5, 3, 3]), held_out


def wide_data(folder, count=4_000):
    """Wide scenes: fast ones with depth, ordinary ones, slow ones; half of these are fine."""
    new = {"held_out": 1, "scenes_per_pool": 250, **SIZE, "width": 832}
    kinds = {
        "travel": drawn_scenes(count=9 * count // 40, motion_scale=1.5, parallax=0.8, **new),
        "some_depth": drawn_scenes(count=count // 8, parallax=0.3, **new),
        "slow_fine": drawn_scenes(count=count // 10, motion_scale=0.2, fine_surfaces=0.5, **new),
    }
    of_kinds = [of_kind(folder / name)[0] for name, of_kind in kinds.items()]
    return Mixture(of_kinds, [6, 4, 3]), held_out_scenes(folder)


def muon(schedule):
    return ConvolutionMuon(
        schedule, adam_lr_ratio=0.4, weight_decay=1e-3, adam_weight_decay=1e-4, clipnorm=1.0
    )


RECIPES = {
    recipe.__name__: recipe
    for recipe in (
        rillflow_synthetic,
        rillflow_preset,
        rillflow_wide,
    )
}
