"""LiteFlowNet's and LiteFlowNet2's stages, as mmflow has them.

Training begins with the coarsest level alone; every stage adds a unit or a level to the one before
and keeps training all of it. FlyingThings3D follows FlyingChairs, then Sintel or KITTI.
"""

import functools

from tfflow.data.pipeline import augmentation
from tfflow.losses import MultiLevelCharbonnier, MultiLevelEPE
from tfflow.recipes import lightflow, published
from tfflow.recipes.published import LEVELS, Schedule, thousands
from tfflow.recipes.recipe import Recipe
from tfflow.training.schedules import warmup_cosine

# LiteFlowNet2 also has a loss at full size, from its stage M3S3R3 on.
LEVEL0 = {"level0": 6.25e-4}

# Stage: (learning rate, milestones and length in thousands), with EPE on FlyingChairs' validation
# split.
LITEFLOWNET = {
    "M6S6": (1e-4, (120, 160, 200, 240), 300, 4.43),
    "M6S6R6": (1e-4, (120, 160, 200, 240), 300, 4.07),
    "M5S5R5": (1e-4, (120, 160, 200), 240, 2.98),
    "M4S4R4": (1e-4, (120, 160, 200), 240, 2.20),
    "M3S3R3": (5e-5, (120, 160, 200), 240, 1.71),
    "M2S2R2": (4e-5, (120, 160, 200, 240), 300, 1.38),
}
LITEFLOWNET2 = {
    "M6S6": (1e-4, (120, 160, 200, 240), 300, 4.20),
    "M6S6R6": (1e-4, (120, 160, 200, 240), 300, 3.94),
    "M5S5R5": (1e-4, (120, 160, 200), 240, 2.85),
    "M4S4R4": (1e-4, (120, 160, 200), 240, 2.07),
    "M3S3R3": (6e-5, (120, 160, 200), 240, 1.57),
}
THINGS = Schedule(3e-6, thousands(200, 300, 400), 500_000)
FINE = Schedule(5e-5, thousands(200, 300, 400), 500_000)


def _stage(network, stages, name):
    """A stage on FlyingChairs: the levels down to the one that its name begins with."""
    rate, milestones, length, epe = stages[name]
    earlier = [*stages][: [*stages].index(name)]
    model = f"{network}_pre_{name}"
    weights = levels(int(name[1]))
    if network == "liteflownet2" and name == "M3S3R3":
        weights |= LEVEL0
    return published.recipe(
        model,
        model,
        Schedule(rate, thousands(*milestones), 1000 * length),
        data=published.chairs,
        crop=(320, 448),
        loss=MultiLevelEPE(weights),
        starts_from={"": f"{network}_pre_{earlier[-1]}"} if earlier else {},
        expected=f"EPE {epe:.2f} on Chairs",
        validation_pairs=640,
    )


def levels(finest):
    return {level: weight for level, weight in LEVELS.items() if int(level[-1]) >= finest}


def liteflownet_things():
    return published.recipe(
        "liteflownet_things",
        "liteflownet",
        THINGS,
        data=published.things,
        crop=(384, 768),
        starts_from={"": "liteflownet_pre_M2S2R2"},
        expected="Sintel clean 2.47, final 4.30; KITTI 2012 5.42, KITTI 2015 13.50, Fl 32.86 %",
    )


def liteflownet_sintel():
    return published.recipe(
        "liteflownet_sintel",
        "liteflownet",
        FINE,
        data=published.sintel,
        crop=(384, 768),
        batch_size=4,
        loss=MultiLevelCharbonnier(LEVELS),
        starts_from={"": "liteflownet_things"},
        augmentation=augmentation.SINTEL,
        expected="Sintel clean 1.47, final 2.06, on what it was trained on",
    )


def liteflownet_kitti():
    return published.recipe(
        "liteflownet_kitti",
        "liteflownet",
        FINE,
        data=published.kitti,
        crop=(320, 896),
        batch_size=4,
        loss=MultiLevelCharbonnier(LEVELS, resize_flow="upsample"),
        starts_from={"": "liteflownet_things"},
        augmentation=augmentation.KITTI,
        expected="KITTI 2012 1.07, KITTI 2015 1.45, Fl 5.45 %, on what it was trained on",
    )


def liteflownet2_things():
    return published.recipe(
        "liteflownet2_things",
        "liteflownet2",
        THINGS,
        data=published.things,
        crop=(384, 768),
        loss=MultiLevelEPE(levels(3) | LEVEL0),
        starts_from={"": "liteflownet2_pre_M3S3R3"},
        expected="Sintel clean 2.35, final 3.86; KITTI 2012 4.84, KITTI 2015 12.07, Fl 32.87 %",
    )


def liteflownet2_sintel_kitti():
    return published.recipe(
        "liteflownet2_sintel_kitti",
        "liteflownet2",
        Schedule(5e-5, thousands(200, 300, 400, 500), 600_000),
        data=published.sintel_and_kitti,
        crop=(320, 768),
        batch_size=4,
        loss=MultiLevelCharbonnier(levels(3) | LEVEL0, resize_flow="upsample"),
        starts_from={"": "liteflownet2_things"},
        augmentation=(augmentation.MIX_SINTEL, augmentation.MIX_KITTI, augmentation.MIX_KITTI),
        expected="Sintel clean 1.32, final 1.65, on what it was trained on",
    )


def liteflownet2_kitti():
    return published.recipe(
        "liteflownet2_kitti",
        "liteflownet2",
        FINE,
        data=published.kitti,
        crop=(320, 896),
        batch_size=4,
        loss=MultiLevelCharbonnier(levels(3) | LEVEL0, resize_flow="upsample"),
        starts_from={"": "liteflownet2_sintel_kitti"},
        augmentation=augmentation.KITTI,
        expected="KITTI 2012 0.89, KITTI 2015 1.24, Fl 4.31 %, on what it was trained on",
    )


def liteflownet2_demo():
    """Minutes on 2 cores, on the demo's scenes: a network good enough to measure on."""
    return Recipe(
        name="liteflownet2_demo",
        source="ours",
        cost="4,000 pairs: a quarter of an hour on 2 cores, scenes included",
        expected="EPE 1.2 px on unseen scenes of its kind, where zero flow has 6.9",
        model="liteflownet2",
        data=lightflow.lightflow_demo().data,
        crop=(128, 192),
        batch_size=4,
        steps=1000,
        optimizer=lambda steps: lightflow.adamw(warmup_cosine(4e-4, steps)),
        loss=MultiLevelEPE(
            {"level3": 1.0, "level4": 0.5, "level5": 0.25, "level6": 0.25}, reduction="mean"
        ),
        augmentation=lightflow.lightflow_demo().augmentation,
        steps_per_epoch=200,
        validation_pairs=32,
    )


RECIPES = {
    **{
        f"{network}_pre_{name}": functools.partial(_stage, network, stages, name)
        for network, stages in (("liteflownet", LITEFLOWNET), ("liteflownet2", LITEFLOWNET2))
        for name in stages
    },
    **{
        recipe.__name__: recipe
        for recipe in (
            liteflownet_things,
            liteflownet_sintel,
            liteflownet_kitti,
            liteflownet2_things,
            liteflownet2_sintel_kitti,
            liteflownet2_kitti,
            liteflownet2_demo,
        )
    },
}
