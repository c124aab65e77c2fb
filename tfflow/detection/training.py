"""The detector's two training stages, which a :class:`tfflow.recipes.Run` runs like any other.

First images alone, without flow; then clips: key frames, flow, the GRU.
"""

import dataclasses
import itertools

import keras
import tensorflow as tf

from tfflow import loading
from tfflow.data import SceneConfig
from tfflow.detection.clip_datasets import ImageNetVID
from tfflow.detection.clip_files import write_clips
from tfflow.detection.coco import open_coco
from tfflow.detection.detector import FlowGuidedDetector
from tfflow.detection.losses import head_losses
from tfflow.detection.moving_stills import MovingStills
from tfflow.detection.sampling import ClipAugmentation, ClipBatches, check_size
from tfflow.detection.synthetic_clips import SyntheticClips
from tfflow.progress import progress_bar
from tfflow.recipes.recipe import READ_AGAIN, Stage
from tfflow.training.schedules import warmup_cosine

SIZE = (256, 384)
ALPHA = 0.5  # of MobileNet's channels
VALIDATION_BATCHES = 16
PATHS = 20  # clips made of each image that has no video

# As a hand-held phone sees them: the camera moves, most things stand still or move slowly. Motions
# are in px per frame step, times 0.15: 1 px for the background on average, at most 3.
SCENES = SceneConfig(
    height=SIZE[0],
    width=SIZE[1],
    motion_scale=0.15,
    background_speed=(7.0, 20.0),
    fast_background=0.3,
    attached_object=0.4,
    object_speed=(2.0, 10.0),
    fast_object=0.15,
    object_rotation=1.5,
    object_zoom=0.02,
    acceleration=0.02,
    objects=(2, 6),
    object_size=(0.25, 0.9),
    textures=48,
    scenes_per_pool=300,
)
SMALLEST = 150  # pixels of an object that must be seen


@dataclasses.dataclass(frozen=True, kw_only=True)
class DetectorStage(Stage):
    """A training stage of the detector. Its ``data`` gives two sequences of clips.

    Attributes:
        size: (height, width) that images are stretched to.
        alpha: Factor on the backbone's channels.
        keys: Key frames of a sample; 0 = images alone.
        intervals: Distance of key frames, in frames, of the training set and the validation set.
        flow: Preset or ``.keras`` file of the flow network; None = none.
        train_flow: Whether the flow network is trained too.
        weights: Of the backbone: None, a file, or ``"imagenet"``.
    """

    size: tuple[int, int]
    alpha: float
    keys: int
    intervals: tuple[int, int]
    flow: str | None
    train_flow: bool = False
    weights: str | None = None

    monitor = "val_loss"

    def check(self):
        check_size(self.size)
        self._detector(classes=1)

    def create(self, training_set):
        return self._detector(training_set.classes)

    def _detector(self, classes):
        return FlowGuidedDetector(
            classes,
            alpha=self.alpha,
            aggregation=self.keys > 0,
            flow=loading.load(self.flow) if self.flow else None,
            train_flow=self.train_flow,
            weights=self.weights,
        )

    def compile(self, model):
        model.compile(self.optimizer(self.steps), loss=head_losses())

    def batches(self, training_set, *, seed, start, share=None):
        if share is not None and share.workers * share.pieces > 1:
            raise ValueError("A detector is trained on one device; leave out distribute.")
        source = self._training_batches(training_set, seed)
        first = source.batch(start)
        signature = keras.tree.map_structure(
            lambda values: tf.TensorSpec(values.shape, values.dtype), first
        )
        return tf.data.Dataset.from_generator(
            lambda: map(source.batch, itertools.count(start)), output_signature=signature
        ).prefetch(2)

    def read_again(self, training_set, *, seed, step):
        source = self._training_batches(training_set, seed)
        for number in range(step, step + READ_AGAIN):
            source.batch(number)

    def validation(self, held_out):
        held_out = self._clip_batches(held_out, self.intervals[1], batches=VALIDATION_BATCHES)
        return EvaluateBatches(held_out)

    def _training_batches(self, training_set, seed):
        return self._clip_batches(
            training_set,
            self.intervals[0],
            batches=self.steps_per_epoch,
            augmentation=ClipAugmentation(),
            seed=seed,
        )

    def _clip_batches(self, clips, interval, **settings):
        return ClipBatches(
            clips,
            self.size,
            batch_size=self.batch_size,
            keys=self.keys,
            interval=interval,
            **settings,
        )


class EvaluateBatches(keras.callbacks.Callback):
    """Adds the losses on the same held-out batches to each epoch's logs, as ``val_…``."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_epoch_end(self, epoch, logs=None):
        self.model.reset_metrics()
        for number in range(len(self.batches)):
            # The means over all batches so far.
            means = self.model.test_on_batch(*self.batches.batch(number), return_dict=True)
        logs.update({f"val_{name}": float(value) for name, value in means.items()})


# Clips: (for training, for validation) --------------------------------------------------------


def synthetic_clips(folder):
    """Synthetic clips, drawn into the folder if missing.

    Only every fourth frame of the training clips is drawn: three steps span twelve video frames.
    """
    sets = {
        "train": SyntheticClips(
            SCENES, seed=1, count=2000, frames=8, step=4, hues=True, smallest=SMALLEST
        ),
        "held_out": SyntheticClips(
            SCENES, seed=2, count=60, frames=41, hues=True, smallest=SMALLEST
        ),
    }
    written = []
    for name, clips in sets.items():
        with progress_bar(f"drawing clips ({name})") as progress:
            written.append(write_clips(clips, folder / name, workers=2, progress=progress))
    return tuple(written)


def vid_clips(folder):
    """ImageNet VID's clips."""
    return ImageNetVID(folder, "train"), ImageNetVID(folder, "val")


# Kind of data -> (function of the folder, distance of key frames in both sets)
DATASETS = {
    "synthetic": (synthetic_clips, (3, 12)),
    "vid": (vid_clips, (10, 10)),
    "coco": (open_coco, (10, 10)),
}


def in_motion(clips, paths=1):
    """The clips; where they are images alone, clips made of each by a moving window."""
    return MovingStills(clips, paths=paths) if getattr(clips, "stills", False) else clips


# The stages -----------------------------------------------------------------------------------


def images(dataset="synthetic", *, batch_size=16, **settings):
    """One image at a time, no flow. Settings: ``size``, ``alpha``, ``weights``."""
    return _stage(
        "images",
        dataset,
        keys=0,
        batch_size=batch_size,
        steps=3000,
        rate=2e-3,
        cost="48,000 images",
        expected="AP 0.52 on the held-out synthetic clips",
        **settings,
    )


def clips(dataset="synthetic", *, batch_size=8, flow="lightflow", **settings):
    """Key frames, flow and GRU, starting from the weights of the images stage.

    Settings: as for images, and ``train_flow``.
    """
    return _stage(
        "clips",
        dataset,
        keys=2,
        batch_size=batch_size,
        steps=1000,
        rate=3e-4,
        flow=flow,
        starts_from={"": "detector_images"},
        cost="8,000 samples of two key frames and a frame after them",
        expected="AP 0.48 on the held-out synthetic clips, a key frame every ten",
        **settings,
    )


STAGES = {"images": images, "clips": clips}


def _stage(name, dataset, *, rate, keys, size=SIZE, alpha=ALPHA, flow=None, **settings):
    read, intervals = DATASETS[dataset]

    def data(folder):
        train, held_out = read(folder)
        return (in_motion(train, PATHS), in_motion(held_out)) if keys else (train, held_out)

    def optimizer(steps):
        schedule = warmup_cosine(rate, steps, warmup=0.05)
        return keras.optimizers.AdamW(schedule, weight_decay=1e-3, global_clipnorm=10.0)

    return DetectorStage(
        name=f"detector_{name}",
        source="ours",
        data=data,
        optimizer=optimizer,
        keys=keys,
        size=size,
        alpha=alpha,
        intervals=intervals,
        flow=flow,
        steps_per_epoch=250,
        **settings,
    )
