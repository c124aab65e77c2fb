"""Training recipes by name: one short function for each published stage."""

import difflib
import functools

from recipes import flownet, lightflow, liteflownet, maskflownet, rillflow

RECIPES = {
    "rillflow_synthetic": rillflow.synthetic,
    "rillflow_preset": rillflow.preset,
    "lightflow_demo": lightflow.demo,
    "lightflow_synthetic": lightflow.synthetic,
    "lightflow_preset": lightflow.preset,
    "lightflow_fine": lightflow.fine,
    "lightflow_chairs": lightflow.chairs,
    "lightflow_chairs_70k": lightflow.chairs_70k,
    **{
        f"{network}_pre_{name}": functools.partial(liteflownet.stage, network, stages, name)
        for network, stages in (
            ("liteflownet", liteflownet.LITEFLOWNET),
            ("liteflownet2", liteflownet.LITEFLOWNET2),
        )
        for name in stages
    },
    "liteflownet_things": liteflownet.liteflownet_things,
    "liteflownet_sintel": liteflownet.liteflownet_sintel,
    "liteflownet_kitti": liteflownet.liteflownet_kitti,
    "liteflownet2_things": liteflownet.liteflownet2_things,
    "liteflownet2_sintel_kitti": liteflownet.liteflownet2_sintel_kitti,
    "liteflownet2_kitti": liteflownet.liteflownet2_kitti,
    "liteflownet2_demo": liteflownet.liteflownet2_demo,
    "flownets_chairs": flownet.flownets_chairs,
    "flownets_things": flownet.flownets_things,
    "flownets_sintel": flownet.flownets_sintel,
    "flownetc_chairs": flownet.flownetc_chairs,
    "flownetc_things": flownet.flownetc_things,
    "flownetc_sintel": flownet.flownetc_sintel,
    "flownet2cs_chairs": flownet.flownet2cs_chairs,
    "flownet2cs_things": flownet.flownet2cs_things,
    "flownet2css_chairs": flownet.flownet2css_chairs,
    "flownet2css_things": flownet.flownet2css_things,
    "flownet2css_sd": flownet.flownet2css_sd,
    "flownet2sd": flownet.flownet2sd,
    "flownet2_chairs": flownet.flownet2_chairs,
    "flownet2_things": flownet.flownet2_things,
    "maskflownets_chairs": maskflownet.maskflownets_chairs,
    "maskflownets_things": maskflownet.maskflownets_things,
    "maskflownets_sintel": maskflownet.maskflownets_sintel,
    "maskflownets_kitti": maskflownet.maskflownets_kitti,
    "maskflownet_chairs": maskflownet.maskflownet_chairs,
    "maskflownet_things": maskflownet.maskflownet_things,
    "maskflownet_sintel": maskflownet.maskflownet_sintel,
    "maskflownet_kitti": maskflownet.maskflownet_kitti,
}


def get(name):
    """The recipe of a name.

    Raises:
        ValueError: If there is none; the nearest name is suggested.
    """
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, n=1, cutoff=0.4)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(RECIPES)}."
        raise ValueError(f"No recipe is named {name!r}. {hint}")
    return RECIPES[name]()


def print_recipes():
    """Every recipe: what it trains, from what, on how much, and what is to be expected."""
    print("python train/train.py RECIPE --data-dir DATA\n")
    for name in RECIPES:
        recipe = get(name)
        begins = ", ".join(recipe.starts_from.values()) or "random weights"
        size = f"{recipe.batch_size} x {recipe.crop[0]}x{recipe.crop[1]}"
        print(name)
        print(f"    from {begins}, {recipe.steps:,} steps of {size}; source: {recipe.source}")
        print(f"    cost: {recipe.cost}; EPE in px to expect: {recipe.expected}")
