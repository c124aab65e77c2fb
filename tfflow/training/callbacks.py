"""Callbacks: a readable log, speed, NaN with its batch, pictures, frozen batch statistics."""

from __future__ import annotations

import json
import math
import pathlib
import re
import time
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from tfflow.atomic_file import atomic_file, check_writable
from tfflow.checks import whole_number
from tfflow.models.prediction import ImagePair
from tfflow.training.checkpoints import CountsSteps, NotFiniteError
from tfflow.types import PathLike
from tfflow.visualization import flow_figure, pyramid_figure

if TYPE_CHECKING:
    from tfflow.data.datasets.base import FlowSample
    from tfflow.training.distribution import InputClock


class FlowPictures(keras.callbacks.Callback):
    """Writes figures of a few pairs to TensorBoard.

    For each pair, ``flow/NAME`` shows frames, flow, truth and error, and ``pyramid/NAME`` the flow
    that every level of the network's pyramid predicts, coarse to fine, beside the truth.

    Args:
        dataset: A sequence of samples.
        folder: Where TensorBoard's events go.
        count: Number of pairs.
        every: Epochs between pictures.
    """

    def __init__(
        self, dataset: Sequence[FlowSample], folder: PathLike, count: int = 4, every: int = 5
    ) -> None:
        super().__init__()
        self.samples = [dataset[i] for i in range(min(count, len(dataset)))]
        self.folder, self.every = pathlib.Path(folder), whole_number("every", every)
        self._writer: Any = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if (epoch + 1) % self.every:
            return
        import tensorflow as tf  # with the extra "tensorboard"

        if self._writer is None:
            self._writer = tf.summary.create_file_writer(str(self.folder))
        with self._writer.as_default(step=epoch + 1):
            for sample in self.samples:
                flow, levels = _predict_pyramid(self.model, sample)
                figure = flow_figure(
                    sample.image1, sample.image2, flow, truth=sample.flow, valid=sample.valid
                )
                pyramid = pyramid_figure(levels, sample.flow, sample.valid)
                tf.summary.image(f"flow/{sample.name}", np.asarray(figure)[None])
                tf.summary.image(f"pyramid/{sample.name}", np.asarray(pyramid)[None])
        self._writer.flush()


class TensorBoardFrom(keras.callbacks.TensorBoard):
    """Keras's TensorBoard, for a run that goes on: its curves over batches go on too.

    Args:
        step: How many batches were trained on before.
        log_dir: Where TensorBoard's events go.
        **settings: The other arguments of ``keras.callbacks.TensorBoard``.
    """

    def __init__(self, step: int, log_dir: PathLike, **settings: Any) -> None:
        super().__init__(log_dir, **settings)
        self.step = step

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        self._global_train_batch = self.step  # Keras counts from 0 in each fit


def _predict_pyramid(model, sample):
    """The flow at the pair's size, and every level's flow, all in pixels."""
    pair = ImagePair(sample.image1, sample.image2, multiple=model.multiple)
    outputs = model.predict_on_batch({"image1": pair.image1, "image2": pair.image2})
    levels = {
        name: np.asarray(value[0], np.float32) * model.flow_div
        for name, value in outputs.items()
        if re.fullmatch(r"flow\d", name)
    }
    return pair.restore(outputs["flow"]), levels


class FreezeStatistics(keras.callbacks.Callback):
    """Sets a model's ``freeze_statistics`` after a number of epochs.

    Batch norm helps a network at the start, when it has to learn to match at all; with batches of 8
    or 16, its statistics then get in the way. In the recipe lightflow_demo, the freeze halves the
    validation EPE within an epoch.

    Args:
        epochs: Epochs with batch statistics.
    """

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.epochs = epochs

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not hasattr(self.model, "freeze_statistics"):
            raise ValueError(
                f"FreezeStatistics is for networks with batch norm, such as LightFlow; "
                f"{self.model.name} has no freeze_statistics. Leave it out."
            )

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch >= self.epochs and not self.model.freeze_statistics:
            self.model.freeze_statistics = True
            self.model.make_train_function(force=True)  # fit has made the one of this epoch


class WithAverage(keras.callbacks.CallbackList):
    """Lets other callbacks see the optimizer's moving average of the weights at an epoch's end.

    The optimizer needs ``use_ema=True``. When training ends, Keras leaves the average in the model.

    Args:
        callbacks: Those that evaluate, save and log; called in order.

    Raises:
        ValueError: When training begins, if the optimizer has no average.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        super().__init__(callbacks)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not self._optimizer().use_ema:
            raise ValueError(
                "WithAverage needs an optimizer that averages the weights: give it use_ema=True."
            )
        super().on_train_begin(logs)

    def _optimizer(self):
        optimizer = self.model.optimizer
        return getattr(optimizer, "inner_optimizer", optimizer)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        averages = self._optimizer()._model_variables_moving_average
        own = [keras.ops.convert_to_numpy(v) for v in self.model.trainable_variables]
        self._assign([keras.ops.convert_to_numpy(average) for average in averages])
        try:
            for each in self.callbacks:  # not super's, which gives them a copy of the logs
                each.on_epoch_end(epoch, logs)
        finally:
            self._assign(own)

    def _assign(self, values):
        for variable, value in zip(self.model.trainable_variables, values, strict=True):
            variable.assign(value)


class SaveBest(keras.callbacks.Callback):
    """Saves the model at the end of the best epoch, whole or not at all.

    Args:
        path: The ``.keras`` file.
        monitor: Which of the epoch's logs must be smallest.
        best: The smallest value so far; None: there is none.
    """

    def __init__(self, path: PathLike, monitor: str, best: float | None = None) -> None:
        super().__init__()
        self.path, self.monitor = path, monitor
        self.best = math.inf if best is None else best
        self._seen: set[str] = set()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        check_writable(self.path)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._seen and self.monitor not in self._seen:  # some are not there in each epoch
            warnings.warn(
                f"nothing was saved to {self.path}: no epoch's logs had {self.monitor!r}, but "
                f"{', '.join(sorted(self._seen))}.",
                stacklevel=2,
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._seen |= {*(logs or ())}
        value = (logs or {}).get(self.monitor, math.nan)
        if value < self.best:
            with atomic_file(self.path, durable=True) as temporary:
                self.model.save(temporary)
            self.best = value


class Speed(CountsSteps):
    """Adds a run's progress and speed to each epoch's logs.

    ``step`` (batches trained on so far), ``learning_rate``, ``steps_per_second``, and
    ``input_wait``: the share of the time, 0 to 1, that the devices had to wait for data. Must be
    the first callback: what others do at an epoch's end is not training time.

    Args:
        clock: The ``InputClock`` of :func:`tfflow.training.distribution.prepare`.
        step: How many batches were trained on before.
    """

    def __init__(self, clock: InputClock, step: int = 0) -> None:
        super().__init__(step)
        self.clock = clock

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_epoch_begin(epoch, logs)
        self._start, self._first = time.perf_counter(), self.step
        self.clock.take()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = time.perf_counter() - self._start
        logs["step"] = self.step
        logs["learning_rate"] = float(
            keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        )
        logs["steps_per_second"] = (self.step - self._first) / seconds
        logs["input_wait"] = min(1.0, self.clock.take() / seconds)


class StopAtNaN(CountsSteps):
    """Stops a run whose loss is not finite, and saves the batch that caused it.

    Batches are functions of the step, so the one in question and the one before it (whose gradient
    may be the cause) are made again.

    Args:
        batches_from: ``batches_from(step)``: the training data from that step on.
        path: ``.npz`` to write: the batch's arrays by name (``image1``, ``image2``, ``flow``,
            ``valid``), ``step``, and those of the batch before with ``before_`` in front.
        step: How many batches were trained on before.

    Raises:
        NotFiniteError: When it happens; no more checkpoints are written.
    """

    def __init__(self, batches_from: Callable[[int], Any], path: PathLike, step: int = 0) -> None:
        super().__init__(step)
        self.batches_from, self.path = batches_from, pathlib.Path(path)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        super().on_train_batch_end(batch, logs)
        if math.isfinite(float(logs["loss"])):
            return
        last = self.step - 1
        first = max(0, last - 1)
        arrays: dict[str, Any] = {"step": last}
        for step, data in zip(range(first, last + 1), self.batches_from(first)):
            before = "" if step == last else "before_"
            inputs, truth = data[:2]
            named = {**inputs, **(truth if isinstance(truth, dict) else {"flow": truth})}
            if len(data) > 2:
                named["valid"] = data[2]
            arrays |= {before + name: np.asarray(value) for name, value in named.items()}
        with atomic_file(self.path) as temporary:
            np.savez_compressed(temporary, **arrays)
        raise NotFiniteError(
            f"the loss is {float(logs['loss'])} at step {last}; its batch and the one before "
            f"are in {self.path}. The newest checkpoint is from before. A smaller learning rate, "
            "or float32 instead of float16, are the usual fixes."
        )


class JsonLines(keras.callbacks.Callback):
    """Appends each epoch's logs as one line of JSON: a record that any program can read.

    Values that are not finite are null. Lines of epochs that are trained again are dropped
    when training begins.

    Args:
        path: The file.
        epoch: How many epochs are finished; lines of later ones are dropped.

    Raises:
        ValueError: If there is another file of that name.
    """

    def __init__(self, path: PathLike, epoch: int = 0) -> None:
        super().__init__()
        self.path, self.epoch = pathlib.Path(path), epoch
        if self.path.is_file() and self.path.stat().st_size:
            lines = read_log(self.path)
            if not all(isinstance(line, dict) and "epoch" in line for line in lines) or not lines:
                raise ValueError(
                    f"{self.path} is there and no log of epochs; give another name, as its lines "
                    "would be lost."
                )

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        check_writable(self.path)
        if self.path.is_file():
            kept = [line for line in read_log(self.path) if line["epoch"] <= self.epoch]
            with atomic_file(self.path) as temporary:
                text = "".join(f"{json.dumps(line)}\n" for line in kept)
                temporary.write_text(text, encoding="utf-8")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        numbers = {key: float(value) for key, value in (logs or {}).items()}
        values = {key: v if math.isfinite(v) else None for key, v in numbers.items()}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"epoch": epoch + 1, **values}) + "\n")


def read_log(path: PathLike) -> list[dict[str, Any]]:
    """The lines of a log as dicts; one that was cut off, such as by a full disk, is skipped."""
    lines = []
    for text in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            continue
    return lines
