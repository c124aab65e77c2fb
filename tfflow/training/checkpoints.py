"""Checkpoints of a run: everything that it needs to go on as if it had never stopped."""

import pathlib
import re
import signal

import keras

from tfflow.atomic_file import atomic_file

_NAME = re.compile(r"step-(\d+)\.weights\.h5")


class Checkpoints:
    """A folder of checkpoints: ``step-00001500.weights.h5``, the newest two.

    Each holds the weights and all of the optimizer's state; its name says how many batches were
    trained on. Data and random changes are functions of that number, and so is the schedule, so
    that there is no other state. A file appears whole or not at all.

    Args:
        folder: Made when the first one is written.
        keep: How many stay.
    """

    def __init__(self, folder, keep=2):
        self.folder, self.keep = pathlib.Path(folder), keep

    def steps(self):
        """The steps that there are checkpoints of, in order."""
        names = (_NAME.fullmatch(path.name) for path in self.folder.glob("step-*"))
        return sorted(int(name[1]) for name in names if name)

    def path(self, step):
        return self.folder / f"step-{step:08d}.weights.h5"

    def save(self, model, step):
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_file(self.path(step)) as temporary:
            model.save_weights(temporary)
        for old in self.steps()[: -self.keep]:
            self.path(old).unlink(missing_ok=True)

    def restore(self, model):
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
            model.load_weights(self.path(steps[-1]))
        except (OSError, KeyError, ValueError) as error:
            raise ValueError(
                f"{self.path(steps[-1])} does not fit this network and optimizer, or is damaged "
                f"({error}). Give another output folder, or delete that file to go on from an "
                "older one."
            ) from error
        return steps[-1]


class SaveCheckpoints(keras.callbacks.Callback):
    """Saves a checkpoint after every epoch, and when the process is asked to end.

    On SIGTERM, which clusters send before they take a machine away, the step in progress is
    finished and saved, and training stops (:attr:`interrupted` is then true).

    Must come before callbacks that change weights at an epoch's end, as ``UseAverage`` does.

    Args:
        checkpoints: The :class:`Checkpoints`.
        step: How many batches were trained on before.
        write: Whether this process writes them; all workers must have the callback, as reading
            variables may need all of them.
        catch_signals: Whether to save on SIGTERM. With several workers no: they would stop at
            different steps.
    """

    def __init__(self, checkpoints, step=0, write=True, catch_signals=True):
        super().__init__()
        self.checkpoints, self.step, self.write = checkpoints, step, write
        self.catch_signals, self.interrupted = catch_signals, False

    def on_train_begin(self, logs=None):
        if self.catch_signals:
            self._before = signal.signal(signal.SIGTERM, self._interrupt)

    def on_train_end(self, logs=None):
        if self.catch_signals:
            signal.signal(signal.SIGTERM, self._before)

    def _interrupt(self, number, frame):
        self.interrupted = True

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        if self.interrupted:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        if self.write:
            self.checkpoints.save(self.model, self.step)
        else:
            for variable in (*self.model.variables, *self.model.optimizer.variables):
                keras.ops.convert_to_numpy(variable)


def stretches(step, steps, steps_per_epoch):
    """How ``fit`` is to be called to go on from a step.

    The rest of an epoch that was broken off, whole epochs, and what is left at the end.

    Yields:
        Tuples (step, first epoch, end epoch, steps per epoch).
    """
    while step < steps:
        epoch, done = divmod(step, steps_per_epoch)
        if done or steps - step < steps_per_epoch:
            count = min(steps_per_epoch - done, steps - step)
            yield step, epoch, epoch + 1, count
            step += count
        else:
            end = steps // steps_per_epoch
            yield step, epoch, end, steps_per_epoch
            step = end * steps_per_epoch
