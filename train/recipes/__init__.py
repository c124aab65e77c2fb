"""Training recipes by name: one short function for each published stage."""

import difflib

from recipes import lightflow

RECIPES = {
    "lightflow_demo": lightflow.demo,
    "lightflow_synthetic": lightflow.synthetic,
    "lightflow_chairs": lightflow.chairs,
    "lightflow_chairs_70k": lightflow.chairs_70k,
}


def get(name):
    """The recipe of a name.

    Raises:
        ValueError: If there is none; the nearest name is suggested.
    """
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"No recipe is named {name!r}.{hint} Known: {', '.join(RECIPES)}.")
    return RECIPES[name]()
