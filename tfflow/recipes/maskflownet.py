"""MaskFlowNet-S, and MaskFlowNet on top of it: Chairs, Things as in mmflow, then fine-tuning.

Fine-tuning uses the schedules, data and loss of the authors' own code (MXNet), which gave their
numbers (mmflow's schedule is almost the same); its augmentation is mmflow's, and KITTI's images
keep their sizes, which the authors changed to 370x1224.
"""

import itertools
from typing import NamedTuple

from tfflow.data.pipeline import augmentation
from tfflow.losses import MaskFlowNetLoss
from tfflow.recipes import published
from tfflow.recipes.published import Schedule, thousands
from tfflow.training.optimizers import AdamL2
from tfflow.training.schedules import steps_table


class Table(NamedTuple):
    """The authors' schedule: rows of (iteration in thousands, the learning rate until then)."""

    rows: tuple

    @property
    def steps(self):
        return 1000 * self.rows[-1][0]

    def optimizer(self, steps):
        """Adam with weight decay for a run of ``steps`` steps."""
        ends, rates = [0, *(end for end, _ in self.rows)], [rate for _, rate in self.rows]
        lengths = [later - end for end, later in itertools.pairwise(ends)]
        lengths = [1000 * length * steps // self.steps for length in lengths]
        return AdamL2(steps_table(rates, lengths), epsilon=1e-8)


SINTEL = Table((
    (100, 5e-5), (150, 2.5e-5), (200, 1.25e-5), (300, 3e-5), (350, 1.5e-5), (400, 0.75e-5),
    (500, 2e-5), (550, 1e-5), (600, 0.5e-5), (700, 1e-5), (750, 0.5e-5), (800, 0.25e-5),
    (850, 5e-6), (875, 2.5e-6), (900, 1.25e-6), (950, 5e-7), (975, 2.5e-7), (1000, 1.25e-7),
))  # fmt: skip
KITTI = Table((
    (50, 3e-5), (70, 1.5e-5), (90, 0.75e-5), (110, 3e-6), (130, 1.5e-6), (150, 0.75e-6),
    (200, 2e-5), (220, 1e-5), (240, 0.5e-5), (260, 2e-6), (280, 1e-6), (300, 0.5e-6),
))  # fmt: skip
# The second stage freezes its first part.
SECOND_STAGE = {"freeze": ("maskflownets",)}


def maskflownets_chairs():
    return published.recipe(
        "maskflownets_chairs",
        "maskflownets",
        Schedule(1e-4, thousands(400, 600, 800, 1000), 1_200_000, l2=0.0),
        data=published.chairs,
        crop=(384, 448),
        expected="EPE 1.54 on Chairs",
        validation_pairs=640,
    )


def maskflownets_things():
    return published.recipe(
        "maskflownets_things",
        "maskflownets",
        # Ten times the learning rate of FlowNet2's schedule of that name, as in mmflow's file.
        Schedule(1e-4, thousands(200, 300, 400, 500), 600_000, l2=0.0),
        data=published.things,
        crop=(384, 768),
        starts_from={"": "maskflownets_chairs"},
        expected="Sintel clean 2.30, final 3.73; KITTI 2012 3.94, KITTI 2015 Fl 29.70 %",
    )


def maskflownet_chairs():
    return published.recipe(
        "maskflownet_chairs",
        "maskflownet",
        Schedule(1e-4, thousands(300, 500, 600, 700), 800_000),
        data=published.chairs,
        crop=(384, 448),
        starts_from={"maskflownets": "maskflownets_things"},
        expected="EPE 1.37 on Chairs",
        validation_pairs=640,
        model_arguments=SECOND_STAGE,
    )


def maskflownet_things():
    return published.recipe(
        "maskflownet_things",
        "maskflownet",
        Schedule(1e-5, thousands(200, 300, 400), 500_000),
        data=published.things,
        crop=(384, 768),
        starts_from={"": "maskflownet_chairs"},
        expected="Sintel clean 2.23, final 3.70; KITTI 2012 3.82, KITTI 2015 Fl 29.26 %",
        model_arguments=SECOND_STAGE,
    )


def maskflownets_sintel():
    expected = "Sintel's validation scenes clean 2.70, final 4.07; KITTI 2015 9.14, Fl 18 %"
    return _sintel("maskflownets", expected)


def maskflownet_sintel():
    expected = "Sintel's validation scenes clean 2.52, final 3.83; KITTI 2015 8.15, Fl 17 %"
    return _sintel("maskflownet", expected, model_arguments=SECOND_STAGE)


def maskflownets_kitti():
    return _kitti("maskflownets", "KITTI 2015 test Fl 6.81 %")


def maskflownet_kitti():
    return _kitti("maskflownet", "KITTI 2015 test Fl 6.11 %", model_arguments=SECOND_STAGE)


def _sintel(model, expected, **settings):
    return _fine_tuned(
        f"{model}_sintel",
        model,
        SINTEL,
        data=published.sintel_kitti_hd1k,
        crop=(320, 768),
        starts_from={"": f"{model}_things"},
        augmentation=(
            augmentation.MIX_SINTEL,
            augmentation.MASKFLOWNET_KITTI,
            augmentation.MASKFLOWNET_KITTI,
        ),
        expected=expected,
        **settings,
    )


def _kitti(model, expected, **settings):
    return _fine_tuned(
        f"{model}_kitti",
        model,
        KITTI,
        data=published.kitti,
        crop=(320, 896),
        starts_from={"": f"{model}_sintel"},
        augmentation=augmentation.MASKFLOWNET_KITTI,
        expected=expected,
        **settings,
    )


def _fine_tuned(name, model, table, **settings):
    """The authors' schedule and robust loss."""
    return published.recipe(
        name,
        model,
        table,
        batch_size=4,
        source="MXNet; augmentation mmflow",
        loss=MaskFlowNetLoss(q=0.4),
        **settings,
    )


RECIPES = {
    recipe.__name__: recipe
    for recipe in (
        maskflownets_chairs,
        maskflownets_things,
        maskflownets_sintel,
        maskflownets_kitti,
        maskflownet_chairs,
        maskflownet_things,
        maskflownet_sintel,
        maskflownet_kitti,
    )
}
