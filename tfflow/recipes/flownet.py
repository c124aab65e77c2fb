"""FlowNet's and FlowNet2's stages.

FlowNetC, trained on FlyingChairs and FlyingThings3D, is the first part of the stacks CS and CSS,
each of which is trained on both again; a fine-tuned CSS and FlowNet2-SD, for small displacements,
are fused into FlowNet2. Only the new part of a stack is trained, as in the paper; mmflow's
checkpoints seem to have been trained with all parts.
"""

from tfflow.data.pipeline import augmentation
from tfflow.losses import MultiLevelEPE
from tfflow.recipes import published
from tfflow.recipes.published import LEVELS, S_FINE, S_LONG


def flownets_chairs():
    return _chairs("flownets", "EPE 2.03 on Chairs; Sintel clean 4.25, final 5.64, KITTI 2012 8.81")


def flownets_things():
    return _things(
        "flownets",
        {"": "flownets_chairs"},
        "no number published by mmflow; paper: EPE 3.79 on Sintel clean",
        source="the paper's S_fine, as mmflow's for FlowNetC",
    )


def flownets_sintel():
    return _sintel("flownets", "Sintel clean 1.93, final 2.12; KITTI 2012 6.83, Chairs 3.06")


def flownetc_chairs():
    return _chairs("flownetc", "EPE 1.78 on Chairs; Sintel clean 3.60, final 4.93, KITTI 2012 7.55")


def flownetc_things():
    return _things(
        "flownetc",
        {"": "flownetc_chairs"},
        "Sintel clean 2.74, final 4.52; KITTI 2012 5.42, Chairs 2.57",
    )


def flownetc_sintel():
    return _sintel("flownetc", "Sintel clean 1.73, final 2.09; KITTI 2012 4.78, Chairs 2.80")


def flownet2sd():
    return published.recipe(
        "flownet2sd",
        "flownet2sd",
        S_LONG,
        data=published.chairs_sdhom,
        crop=(320, 448),
        expected="EPE 0.37 on ChairsSDHom",
    )


def flownet2cs_chairs():
    return _chairs(
        "flownet2cs",
        "EPE 1.59 on Chairs",
        starts_from={"flownetc": "flownetc_things"},
        model_arguments={"freeze": ("flownetc",)},
    )


def flownet2cs_things():
    return _things(
        "flownet2cs",
        {"": "flownet2cs_chairs"},
        "Sintel clean 1.96, final 3.69; KITTI 2012 3.50, KITTI 2015 8.23, Fl 28.28 %",
        model_arguments={"freeze": ("flownetc",)},
    )


def flownet2css_chairs():
    return _chairs(
        "flownet2css",
        "EPE 1.55 on Chairs",
        starts_from={"": "flownet2cs_things"},
        model_arguments={"freeze": ("flownetc", "flownets1")},
    )


def flownet2css_things():
    return _things(
        "flownet2css",
        {"": "flownet2css_chairs"},
        "Sintel clean 1.85, final 3.57; KITTI 2012 3.13, KITTI 2015 7.72, Fl 25.76 %",
        model_arguments={"freeze": ("flownetc", "flownets1")},
    )


def flownet2css_sd():
    """CSS-ft-sd: the whole stack again, three of four pairs with small displacements."""
    return published.recipe(
        "flownet2css_sd",
        "flownet2css_sd",
        S_FINE,
        data=published.things_and_sdhom,
        crop=(384, 448),
        loss=MultiLevelEPE(LEVELS, p=1, q=0.4),
        starts_from={"": "flownet2css_things"},
        augmentation=(augmentation.CHAIRS, augmentation.CHAIRS),
        expected="Sintel clean 1.81, final 3.69; KITTI 2012 2.98, KITTI 2015 7.99, Fl 25.66 %",
    )


FUSION_LOSS = {"loss": MultiLevelEPE({"level1": 0.005}, flow_div=1.0)}


def flownet2_chairs():
    return _chairs(
        "flownet2",
        "EPE 1.15 on Chairs",
        starts_from={"flownet2css": "flownet2css_sd", "flownet2sd": "flownet2sd"},
        model_arguments={"freeze": ("flownet2css", "flownet2sd")},
        **FUSION_LOSS,
    )


def flownet2_things():
    return _things(
        "flownet2",
        {"": "flownet2_chairs"},
        "Sintel clean 1.78, final 3.31; KITTI 2012 3.02, KITTI 2015 8.02, Fl 25.18 %",
        model_arguments={"freeze": ("flownet2css", "flownet2sd")},
        **FUSION_LOSS,
    )


def _chairs(model, expected, **settings):
    return published.recipe(
        f"{model}_chairs",
        model,
        S_LONG,
        data=published.chairs,
        crop=(384, 448),
        expected=expected,
        validation_pairs=640,
        **settings,
    )


def _things(model, starts_from, expected, **settings):
    return published.recipe(
        f"{model}_things",
        model,
        S_FINE,
        data=published.things,
        crop=(384, 768),
        starts_from=starts_from,
        expected=expected,
        **settings,
    )


def _sintel(model, expected):
    return published.recipe(
        f"{model}_sintel",
        model,
        S_FINE,
        data=published.sintel,
        crop=(384, 768),
        starts_from={"": f"{model}_chairs"},
        expected=expected,
    )


RECIPES = {
    recipe.__name__: recipe
    for recipe in (
        flownets_chairs,
        flownets_things,
        flownets_sintel,
        flownetc_chairs,
        flownetc_things,
        flownetc_sintel,
        flownet2cs_chairs,
        flownet2cs_things,
        flownet2css_chairs,
        flownet2css_things,
        flownet2css_sd,
        flownet2sd,
        flownet2_chairs,
        flownet2_things,
    )
}
