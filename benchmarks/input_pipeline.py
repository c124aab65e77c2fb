"""CPU time of a training pair, beside the step: python benchmarks/input_pipeline.py"""

import csv
import itertools
import pathlib
import statistics
import tempfile
import time

from tfflow.startup import start_backend_quietly

start_backend_quietly()

import keras

import tfflow
from tfflow.data import SceneCache, SceneConfig, synthesize, training_pipeline
from tfflow.data.synthetic import render, sample_scene
from tfflow.losses import MultiLevelEPE
from tfflow.tflite.benchmarking import conditions

CROP, BATCH = (256, 320), 8
RESULT = pathlib.Path(__file__).with_suffix(".csv")


def main():
    config = SceneConfig(height=320, width=448)
    with tempfile.TemporaryDirectory() as folder:
        synthesize(folder, 128, config)
        cache = SceneCache(folder)
        rows = [
            ("draw a scene of 320x448 (texture pool not counted)", *drawing(config)),
            ("read and augment, crop 256x320", *reading(cache, {})),
            ("read and augment with magnification", *reading(cache, {"scale": (0.9, 1.3)})),
            ("training step of lightflow, batch 8", *training(cache)),
        ]
    where = conditions()
    with RESULT.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["what", "cpu_ms_per_pair", "wall_ms_per_pair", *where])
        for what, cpu, wall in rows:
            writer.writerow([what, round(cpu, 2), round(wall, 2), *where.values()])
    print(RESULT.read_text())


def drawing(config):
    """(CPU, wall) milliseconds a scene, in this process alone."""
    render(sample_scene(config, 0, 0))
    return timed(lambda: [render(sample_scene(config, 0, i)) for i in range(20)], 20)


def reading(cache, options):
    """The pipeline on one worker, nothing else running."""
    batches = iter(training_pipeline(cache, BATCH, crop=CROP, **options))
    next(batches)
    return timed(lambda: list(itertools.islice(batches, 20)), 20 * BATCH)


def training(cache):
    model = tfflow.models.create("lightflow", predictor_activation=False)
    loss = MultiLevelEPE({"level2": 1.0}, reduction="mean")
    model.compile(keras.optimizers.AdamW(1e-3), loss=loss)
    images, flow, valid = next(iter(training_pipeline(cache, BATCH, crop=CROP)))
    for _ in range(3):
        model.train_on_batch(images, flow, sample_weight=valid)
    return timed(lambda: model.train_on_batch(images, flow, sample_weight=valid), BATCH)


def timed(function, pairs, rounds=5):
    """Medians over the rounds: (CPU, wall) milliseconds a pair, all threads counted."""
    cpu, wall = [], []
    for _ in range(rounds):
        start = time.process_time(), time.perf_counter()
        function()
        cpu.append(1000 * (time.process_time() - start[0]) / pairs)
        wall.append(1000 * (time.perf_counter() - start[1]) / pairs)
    return statistics.median(cpu), statistics.median(wall)


if __name__ == "__main__":
    main()
