"""Training recipes by name, a short function for each stage, published or ours; and runs.

>>> tfflow.recipes.list()
>>> tfflow.recipes.Run("lightflow_chairs", data_dir="/data").train()
"""

from __future__ import annotations

import builtins
import functools
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from tfflow.lazy import importer
from tfflow.suggestion import suggestion

if TYPE_CHECKING:
    from tfflow.recipes.options import Options as Options
    from tfflow.recipes.recipe import Recipe as Recipe
    from tfflow.recipes.recipe import Stage as Stage
    from tfflow.recipes.run import Run as Run
    from tfflow.recipes.scenes import drawn_scenes as drawn_scenes

MakeStage = TypeVar("MakeStage", bound="Callable[[], Stage]")

_FAMILIES = ("rillflow", "lightflow", "liteflownet", "flownet", "maskflownet")

_LAZY = {
    "Run": "run",
    "Options": "options",
    "Recipe": "recipe",
    "Stage": "recipe",
    "drawn_scenes": "scenes",
}

# Not list: "from tfflow.recipes import *" must leave the builtin alone.
__all__ = ["get", "register", *_LAZY]


@functools.cache
def _recipes():
    """Name -> function that makes the recipe; :func:`register` adds to them."""
    modules = (importlib.import_module(f"tfflow.recipes.{family}") for family in _FAMILIES)
    return {name: recipe for module in modules for name, recipe in module.RECIPES.items()}


def list() -> builtins.list[str]:
    """The names of all recipes."""
    return builtins.list(_recipes())


def get(name: str) -> Stage:
    """The recipe of a name.

    Raises:
        ValueError: If there is none; the nearest name is suggested.
    """
    if name not in _recipes():
        raise ValueError(
            f"No recipe is named {name!r}. {suggestion(name, _recipes())} One of your own is there "
            "once its module is imported: --import MODULE, on the command line."
        )
    return _recipes()[name]()


def register(make: MakeStage) -> MakeStage:
    """Decorator: adds a recipe of your own under the name of its function.

    Args:
        make: A function without arguments that makes a :class:`Recipe` of that name.

    Raises:
        ValueError: If the name is taken.
    """
    name = make.__name__
    if name in _recipes():
        raise ValueError(f"A recipe named {name!r} is registered already; choose another name.")
    _recipes()[name] = make
    return make


if not TYPE_CHECKING:  # to type checkers, any other name is an error
    # TensorFlow is imported with the first thing that needs it, not with the package.
    __getattr__ = importer(__name__, _LAZY)
