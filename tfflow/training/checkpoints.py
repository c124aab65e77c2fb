"""Checkpoints of a run: everything that it needs to go on as if it had never stopped."""

import pathlib
import re
import signal
import threading
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import h5py
import keras
import numpy as np

from tfflow.atomic_file import atomic_file
from tfflow.checks import whole_number
from tfflow.types import PathLike

_NAME = re.compile(r"step-(\d+)\.weights\.h5")
_RANDOM_STATES = "random_states"


class Checkpoints:
    """A folder of checkpoints: ``step-00001500.weights.h5``, the newest two.

    Each holds the weights, all of the optimizer's state, and the states of the network's random
    numbers, such as a Dropout's; its name says how many batches were trained on. Data, its random
    changes and the schedule are functions of that number, so there is no other state. A file is
    written whole or not at all.

    Args:
        folder: Made when the first one is written.
        keep: How many to keep.
    """

    def __init__(self, folder: PathLike, keep: int = 2) -> None:
        self.folder, self.keep = pathlib.Path(folder), whole_number("keep", keep)

    def steps(self) -> list[int]:
        """The steps that have checkpoints, in order."""
        names = (_NAME.fullmatch(path.name) for path in self.folder.glob("step-*"))
        return sorted(int(name[1]) for name in names if name)

    def path(self, step: int) -> pathlib.Path:
        return self.folder / f"step-{step:08d}.weights.h5"

    def save(self, model: keras.Model, step: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_file(self.path(step), durable=True) as temporary:
            model.save_weights(temporary)
            _add_random_states(temporary, model)
        for old in self.steps()[: -self.keep]:
            if old != step:  # later ones, of another run, are the reader's to judge
                self.path(old).unlink(missing_ok=True)

    def restore(self, model: keras.Model) -> int:
        """Loads the newest one into a compiled model.

        Returns:
            Its step; 0 if there is none.

        Raises:
            ValueError: If it is of another network or optimizer.
        """
        steps = self.steps()
        if not steps:
            return 0
        try:
            with warnings.catch_warnings():
                # Of an optimizer with other variables Keras only warns, and begins it anew.
                warnings.filterwarnings("error", "Skipping variable loading")
                model.load_weights(self.path(steps[-1]))
            _restore_random_states(self.path(steps[-1]), model)
        except (OSError, KeyError, ValueError, UserWarning) as error:
            raise ValueError(
                f"{self.path(steps[-1])} does not fit this network and optimizer, or is damaged "
                f"({error}). Give another output folder, or delete that file to go on from an "
                "older one."
            ) from error
        return steps[-1]


def _random_states(model):
    """The variables of the network's random numbers, which Keras does not save with the weights."""
    others = {id(variable) for variable in (*model.weights, *model.metrics_variables)}
    return [variable for variable in model.variables if id(variable) not in others]


def _add_random_states(path, model):
    with h5py.File(path, "r+") as file:
        for number, variable in enumerate(_random_states(model)):
            file[f"{_RANDOM_STATES}/{number}"] = keras.ops.convert_to_numpy(variable)


def _restore_random_states(path, model):
    with h5py.File(path) as file:
        # Checkpoints of earlier versions have none.
        if (saved := file.get(_RANDOM_STATES)) is not None:
            for number, variable in enumerate(_random_states(model)):
                variable.assign(saved[str(number)][...])


class TrainingStopped(RuntimeError):
    """A run that can be resumed ended before its last step."""


class NotFiniteError(TrainingStopped):
    """The loss or the weights became NaN or infinite."""


class Interrupted(TrainingStopped):
    """The process was asked to end, and its state is saved."""


class CountsSteps(keras.callbacks.Callback):
    """A callback that knows how many batches were trained on.

    Keras calls once for ``steps_per_execution`` batches, and numbers them from 0 in each epoch.

    Args:
        step: How many batches were trained on before.
    """

    def __init__(self, step: int = 0) -> None:
        super().__init__()
        self.step = self._before_epoch = step

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._before_epoch = self.step

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        # After an epoch's last, smaller execution, Keras gives a number beyond the end.
        steps = (self.params or {}).get("steps") or batch + 1
        self.step = self._before_epoch + min(batch + 1, steps)


class SaveCheckpoints(CountsSteps):
    """Saves a checkpoint after every epoch, and when the process is asked to end.

    Must be the last callback: what the others write about an epoch is then there before the epoch
    counts as done. Weights that are not finite are never saved.

    On SIGTERM, which clusters send before they take a machine away, the step in progress, or the
    validation, is finished and the state saved; then fit ends with :class:`Interrupted`.

    Args:
        checkpoints: The :class:`Checkpoints`.
        step: How many batches were trained on before.
        write: Whether this process writes them; all workers must have the callback, as reading
            variables may need all of them.
        catch_signals: Whether to save on SIGTERM. Not with several workers: they would stop at
            different steps.

    Raises:
        NotFiniteError: When a weight is NaN or infinite at an epoch's end.
        Interrupted: After SIGTERM.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        step: int = 0,
        write: bool = True,
        catch_signals: bool = True,
    ) -> None:
        super().__init__(step)
        self.checkpoints, self.write = checkpoints, write
        # Python takes signals in its main thread only.
        in_main = threading.current_thread() is threading.main_thread()
        self.catch_signals, self._asked_to_end = catch_signals and in_main, False
        self._before: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if self.catch_signals:
            self._before = signal.signal(signal.SIGTERM, self._ask_to_end)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.release()

    def release(self) -> None:
        """Restores the previous handler of SIGTERM."""
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)
            self._before = None

    def _ask_to_end(self, number, frame):
        self._asked_to_end = True

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_train_batch_end(batch, logs)
        # After an epoch's last batch, the others have its results to write yet.
        if self._asked_to_end and self.step - self._before_epoch != self.params.get("steps"):
            self._end()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._asked_to_end:
            self._end()
        self._save()

    def _end(self):
        self._save()
        self.release()
        raise Interrupted(f"stopped after step {self.step}; the same command goes on there")

    def _save(self):
        for variable in self.model.variables:
            value = keras.ops.convert_to_numpy(variable)
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                raise NotFiniteError(
                    f"{variable.path} is not finite after step {self.step}, though the loss was; "
                    "the newest checkpoint is from before. A smaller learning rate, or float32 "
                    "instead of float16, are the usual fixes."
                )
        if self.write:
            self.checkpoints.save(self.model, self.step)
        else:
            for variable in self.model.optimizer.variables:
                keras.ops.convert_to_numpy(variable)


class FitCall(NamedTuple):
    """One call of ``fit``: epochs from ``first_epoch`` up to, not including, ``end_epoch``."""

    step: int
    first_epoch: int
    end_epoch: int
    steps_per_epoch: int


def fit_calls(step: int, steps: int, steps_per_epoch: int) -> Iterator[FitCall]:
    """The calls of ``fit`` that continue from a step, as :class:`FitCall`.

    The rest of an interrupted epoch, whole epochs, and the remainder at the end.
    """
    while step < steps:
        epoch, done = divmod(step, steps_per_epoch)
        if done or steps - step < steps_per_epoch:
            count = min(steps_per_epoch - done, steps - step)
            yield FitCall(step, epoch, epoch + 1, count)
            step += count
        else:
            end = steps // steps_per_epoch
            yield FitCall(step, epoch, end, steps_per_epoch)
            step = end * steps_per_epoch
