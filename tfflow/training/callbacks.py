"""Callbacks: pictures of flow in TensorBoard, a readable log, frozen batch statistics."""

import json
import pathlib

import keras
import numpy as np

from tfflow.visualization import flow_figure


class FlowPictures(keras.callbacks.Callback):
    """Writes figures of a few pairs (frames, flow, truth, error) to TensorBoard and as PNG.

    Args:
        dataset: A sequence of samples.
        folder: Where TensorBoard's events go.
        count: Number of pairs.
        every: Epochs between pictures.
    """

    def __init__(self, dataset, folder, count=4, every=5):
        super().__init__()
        self.samples = [dataset[i] for i in range(min(count, len(dataset)))]
        self.folder, self.every = pathlib.Path(folder), every
        self._writer = None

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every:
            return
        import tensorflow as tf  # with the extra "tensorboard"

        if self._writer is None:
            self._writer = tf.summary.create_file_writer(str(self.folder))
        with self._writer.as_default(step=epoch + 1):
            for sample in self.samples:
                flow = self.model.predict_flow(sample.image1, sample.image2)
                picture = flow_figure(
                    sample.image1, sample.image2, flow, truth=sample.flow, valid=sample.valid
                )
                tf.summary.image(f"flow/{sample.name}", np.asarray(picture)[None])
        self._writer.flush()


class FreezeStatistics(keras.callbacks.Callback):
    """Sets a model's ``freeze_statistics`` after so many epochs.

    Batch norm gets a network over the start, where it has to find out that it should match at all;
    with batches of 8 or 16, its statistics then stand in the way. In the recipe lightflow_demo, an
    epoch after the freeze the validation EPE is half of what it was before.

    Args:
        epochs: Epochs with batch statistics.
    """

    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        if epoch >= self.epochs and not self.model.freeze_statistics:
            self.model.freeze_statistics = True
            self.model.make_train_function(force=True)  # the old trace has the old statistics


class JsonLines(keras.callbacks.Callback):
    """Appends each epoch's logs as one line of JSON: a record that any program can read."""

    def __init__(self, path):
        super().__init__()
        self.path = pathlib.Path(path)

    def on_epoch_end(self, epoch, logs=None):
        values = {key: float(value) for key, value in (logs or {}).items()}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"epoch": epoch + 1, **values}) + "\n")
