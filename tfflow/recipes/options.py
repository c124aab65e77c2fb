"""What a run is asked for besides its recipe."""

import dataclasses
import numbers
import os
from collections.abc import Mapping
from typing import Literal, TypeAlias

from tfflow.checks import whole_number
from tfflow.recipes.recipe import Stage
from tfflow.recipes.smoke import smoke
from tfflow.training import distribution
from tfflow.types import PathLike

Precision: TypeAlias = Literal["float32", "float16", "bfloat16"]
PRECISIONS: dict[Precision, str] = {
    "float32": "float32",
    "float16": "mixed_float16",
    "bfloat16": "mixed_bfloat16",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a run besides its recipe.

    Attributes:
        data_dir: Where the data lies, in the folders that it comes in (docs/datasets.md).
        output: Folder of the run; None = ``runs/RECIPE``.
        steps: Number of steps; the schedule is scaled to it. None = the recipe's.
        init: What the network begins with: a ``.keras`` file or a preset, or a dictionary with one
            for each part; ``{}`` or ``"none"``: random weights. None = what the recipe starts from,
            in ``runs/``.
        distribute: One of ``tfflow.training.distribution.STRATEGIES``.
        precision: ``"float32"``, ``"float16"`` or ``"bfloat16"``, the last two mixed.
        accumulate: Parts that a batch is computed in, to save memory.
        int8: Train with the rounding of an int8 file: :func:`tfflow.tflite.prepare_for_int8`.
        ema: Momentum of a moving average of the weights, which is the result; None = none.
        seed: Of weights and data.
        deterministic: Bit-equal runs on GPUs too.
        skip_corrupt: Read all files first, and leave out damaged ones.
        also_evaluate: A data set as ``KIND:FOLDER`` that is also evaluated after each epoch.
        tensorboard: Write numbers and flow pictures for TensorBoard.
        smoke: A few small steps on generated data, into ``runs/RECIPE_smoke``: does it run at all?
    """

    data_dir: str = "scenes"
    output: str | None = None
    steps: int | None = None
    init: Mapping[str, PathLike] | PathLike | None = None
    distribute: distribution.Strategy = "none"
    precision: Precision = "float32"
    accumulate: int = 1
    int8: bool = False
    ema: float | None = None
    seed: int = 0
    deterministic: bool = False
    skip_corrupt: bool = False
    also_evaluate: str | None = None
    tensorboard: bool = False
    smoke: bool = False

    def __post_init__(self) -> None:
        for name, value in (("steps", self.steps), ("accumulate", self.accumulate)):
            if value is not None:
                whole_number(name, value)
        if not (isinstance(self.seed, numbers.Integral) and 0 <= self.seed < 2**32):
            raise ValueError(f"seed must be a whole number from 0 to 2**32 - 1; got {self.seed!r}.")
        object.__setattr__(self, "seed", int(self.seed))  # run.json takes no NumPy numbers
        if self.ema is not None:
            object.__setattr__(self, "ema", float(self.ema))
        if isinstance(self.init, (str, os.PathLike)):
            whole = {} if self.init == "none" else {"": str(self.init)}
            object.__setattr__(self, "init", whole)
        elif not isinstance(self.init, Mapping | None):
            raise ValueError(
                "init must be a file, a preset's name, or a dictionary of parts; got "
                f"{self.init!r}."
            )
        if self.precision not in PRECISIONS:
            raise ValueError(
                f"precision must be one of {', '.join(PRECISIONS)}; got {self.precision!r}."
            )
        if self.accumulate != 1 and self.distribute != "none":
            raise ValueError(
                "--accumulate goes with one device only, because of Keras: several devices share "
                "a batch anyway. Leave out --accumulate or --distribute."
            )

    def applied_to(self, recipe: Stage) -> Stage:
        """The recipe with these options applied."""
        if self.smoke:
            recipe = smoke(recipe, self.steps or 2)
        elif self.steps:
            recipe = recipe.with_steps(self.steps)
        if self.accumulate != 1:
            recipe = recipe.accumulated(self.accumulate)
        return recipe if self.ema is None else recipe.averaged(self.ema)
