"""What training needs besides Keras: losses, metrics, schedules, callbacks, recipes."""

from typing import TYPE_CHECKING

from tfflow.lazy import importer

if TYPE_CHECKING:
    from tfflow.training import callbacks as callbacks
    from tfflow.training import checkpoints as checkpoints
    from tfflow.training import distribution as distribution
    from tfflow.training import optimizers as optimizers
    from tfflow.training import schedules as schedules

# Losses and metrics are tfflow.losses and tfflow.metrics.
_SUBMODULES = ("callbacks", "checkpoints", "distribution", "optimizers", "schedules")

__all__ = list(_SUBMODULES)


if not TYPE_CHECKING:  # to type checkers, any other name is an error
    __getattr__ = importer(__name__, {}, _SUBMODULES)
