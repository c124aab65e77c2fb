"""Evaluation while a model trains."""

from collections.abc import Sequence
from typing import Any

import keras

from tfflow.checks import whole_number
from tfflow.data.datasets.base import FlowSample, named
from tfflow.data.files.errors import CorruptFileError
from tfflow.evaluation.evaluate import complaint_about, evaluate, known_pixels


class EvaluatePairs(keras.callbacks.Callback):
    """Evaluates ``predict_flow`` on a small data set every few epochs.

    The EPE joins the epoch's logs as ``name_epe``, so that the progress bar shows it and
    checkpoints can be chosen by it. Files are read once before training begins, so that a damaged
    one is reported then, not hours later.

    Args:
        dataset: A sequence of samples with ground truth.
        name: What to call it in the logs.
        every: Epochs between evaluations.
    """

    def __init__(self, dataset: Sequence[FlowSample], name: str, every: int = 1) -> None:
        super().__init__()
        self.dataset: Any = dataset
        self.name, self.every = name, whole_number("every", every)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.check()

    def check(self) -> None:
        """Reads all files once.

        Raises:
            CorruptFileError: If a pair can't be read.
            ValueError: If a pair has no ground truth, or one of another size.
        """
        # A mixture's data sets may be of any kind.
        for part in getattr(self.dataset, "datasets", [self.dataset]):
            if not len(part):
                raise ValueError(
                    f"{named(part)}, which the training would be evaluated on, is empty."
                )
            samples = _samples_at_hand(part)
            for sample in samples:
                if complaint := complaint_about(sample):
                    raise ValueError(
                        f"{complaint}. The training would be evaluated on it: give a data set with "
                        "a flow for each pair."
                    )
            in_memory = isinstance(part, (list, tuple)) and samples
            if in_memory and not any(known_pixels(sample).any() for sample in samples):
                raise ValueError(
                    f"No pixel of {named(part)}, which the training would be evaluated on, has a "
                    "known flow: valid is 0 everywhere, or the flow is not finite."
                )
        if not hasattr(self.dataset, "readable"):
            return
        _, complaints = self.dataset.readable()
        if complaints:
            raise CorruptFileError(
                f"{len(complaints)} pairs of {self.dataset!r}, which the training would be "
                f"evaluated on, can't be read: {'; '.join(complaints[:3])}. Repair them, or leave "
                "them out: dataset.readable() gives those that can be read (tfflow train: "
                "--skip-corrupt)."
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if (epoch + 1) % self.every == 0 and logs is not None:
            result = evaluate(self.model, self.dataset)
            logs[f"{self.name}_epe"] = result.epe


def _samples_at_hand(dataset):
    """A list, or a data set's lists of files; of what is drawn or read otherwise, the first."""
    if isinstance(dataset, (list, tuple)):
        return dataset
    return getattr(dataset, "pairs", [dataset[0]] if len(dataset) else [])
