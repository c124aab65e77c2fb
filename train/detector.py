"""Trains the flow-guided detector of tfflow.video, in two stages.

    python train/detector.py images --data-dir clips        # one image at a time, no flow
    python train/detector.py clips --data-dir clips         # key frames, flow and GRU

Without --dataset, synthetic clips are drawn into the folder first. Real ones:

    python train/detector.py images --dataset vid --data-dir ILSVRC2015
    python train/detector.py images --dataset coco --data-dir folder

A folder for coco holds train.json, val.json and images/. The second stage begins with the first
one's result, runs/detector_images/model.keras, and with the preset lightflow, which stays as it is
unless --train-flow. Run the same command again and it goes on after the last whole epoch. What
comes out: model.keras, log.csv (a line an epoch).
"""

import argparse
import dataclasses
import pathlib
import sys

from tfflow.startup import start_backend_quietly

if __name__ == "__main__":
    start_backend_quietly()

import keras

import tfflow
from tfflow.data import CocoVideo, ImageNetVID, SceneConfig, SyntheticClips, write_clips
from tfflow.progress import progress_bar
from tfflow.video import ClipAugmentation, ClipBatches, FlowGuidedDetector, head_losses


@dataclasses.dataclass(frozen=True)
class Stage:
    """One training stage.

    Attributes:
        keys: Key frames of a sample; 0 = images alone.
        batch_size: Samples a step.
        steps: Number of steps.
        rate: The highest learning rate; it rises in the first twentieth and falls as a cosine.
        decay: AdamW's decay of weights.
    """

    keys: int
    batch_size: int
    steps: int
    rate: float
    decay: float = 1e-3


STAGES = {
    "images": Stage(keys=0, batch_size=16, steps=3000, rate=2e-3),
    "clips": Stage(keys=2, batch_size=8, steps=1000, rate=3e-4),
}
STEPS_PER_EPOCH = 250
SIZE = (256, 384)
ALPHA = 0.5  # of MobileNet's channels

# As a phone in a hand sees them: the camera moves, most things stand or move slowly. Motions are
# px a frame step, times 0.15: 1 px of the background on average, at most 3.
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


def synthetic_clips(folder):
    """(training clips, held-out clips, distance of key frames in both), drawn if need be.

    Of the training clips every fourth frame is drawn: three steps are twelve frames of a video.
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
    return *written, (3, 12)


def vid_clips(folder):
    return ImageNetVID(folder, "train"), ImageNetVID(folder, "val"), (10, 10)


def coco_clips(folder):
    train, val = (CocoVideo(folder / f"{n}.json", folder / "images") for n in ("train", "val"))
    return train, val, (10, 10)


DATASETS = {"synthetic": synthetic_clips, "vid": vid_clips, "coco": coco_clips}


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--dataset", choices=DATASETS, default="synthetic")
    parser.add_argument("--data-dir", type=pathlib.Path, default="clips", help="[%(default)s]")
    parser.add_argument(
        "--output", type=pathlib.Path, help="folder of the run [runs/detector_STAGE]"
    )
    parser.add_argument("--steps", type=int, help="number of steps; the schedule is scaled to it")
    parser.add_argument("--init", help='detector to begin with; "none" [clips: what images gave]')
    parser.add_argument("--flow", default="lightflow", help="preset or .keras file [%(default)s]")
    parser.add_argument("--train-flow", action="store_true", help="train the flow network along")
    parser.add_argument("--weights", help='of the backbone: a file, or "imagenet" (downloaded)')
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


def make_detector(arguments, stage, classes):
    if arguments.stage == "images":
        if arguments.train_flow:
            raise ValueError("The stage images has no flow network; leave out --train-flow.")
        detector = FlowGuidedDetector(
            classes, alpha=ALPHA, aggregation=False, weights=arguments.weights
        )
        source = arguments.init or "none"
    else:
        flow = tfflow.load(arguments.flow)
        detector = FlowGuidedDetector(
            classes,
            alpha=ALPHA,
            flow=flow,
            train_flow=arguments.train_flow,
            weights=arguments.weights,
        )
        source = arguments.init or "runs/detector_images/model.keras"
    if source != "none":
        if not pathlib.Path(source).is_file():
            raise FileNotFoundError(
                f"The stage {arguments.stage} begins with {source}, which is not there. Train the "
                "stage images first, give --init FILE, or --init none for random weights."
            )
        fresh = detector.start_from(keras.saving.load_model(source, compile=False))
        print(f"starting from {source}; new: {', '.join(fresh) or 'nothing'}")
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        decay_steps=stage.steps - stage.steps // 20,
        warmup_target=stage.rate,
        warmup_steps=stage.steps // 20,
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=stage.decay, global_clipnorm=10.0)
    detector.compile(optimizer, loss=head_losses())
    return detector


def train(arguments):
    stage = STAGES[arguments.stage]
    if arguments.steps:
        stage = dataclasses.replace(stage, steps=arguments.steps)
    output = arguments.output or pathlib.Path("runs") / f"detector_{arguments.stage}"
    output.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(arguments.seed)

    training, held_out, intervals = DATASETS[arguments.dataset](arguments.data_dir)
    print(f"{len(training)} clips to train on, {len(held_out)} held out")
    settings = {"batch_size": stage.batch_size, "keys": stage.keys}
    epoch = min(STEPS_PER_EPOCH, stage.steps)
    batches = ClipBatches(
        training,
        SIZE,
        batches=epoch,
        interval=intervals[0],
        augmentation=ClipAugmentation(),
        seed=arguments.seed,
        workers=1,
        **settings,
    )
    validation = ClipBatches(held_out, SIZE, batches=16, interval=intervals[1], **settings)
    validation.on_epoch_end = lambda: None  # the same ones each time

    detector = make_detector(arguments, stage, len(training.classes))
    backup = keras.callbacks.BackupAndRestore(output / "backup", delete_checkpoint=False)
    log = keras.callbacks.CSVLogger(output / "log.csv", append=True)
    # After an interruption, too, each epoch has its own batches.
    place = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: setattr(batches, "epoch", epoch)
    )
    detector.fit(
        batches,
        epochs=-(-stage.steps // epoch),
        validation_data=validation,
        callbacks=[backup, place, log, keras.callbacks.TerminateOnNaN()],
        verbose="auto" if sys.stdout.isatty() else 2,
    )
    detector.save(output / "model.keras")
    print(f"saved {output / 'model.keras'}")
    return detector


if __name__ == "__main__":
    try:
        train(parse_arguments())
    except (ValueError, OSError) as error:
        sys.exit(f"detector.py: {error}")
