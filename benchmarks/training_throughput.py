"""Does the data or the network set the pace? python benchmarks/training_throughput.py [RECIPE …]

For each recipe, the pairs per second that its pipeline reads and augments with nothing else
running, and those that its network trains on, each with all cores. The data sets are synthetic
scenes in the published layouts, formats and sizes, in a temporary folder; the system caches the
files in memory.
"""

import itertools
import pathlib
import statistics
import tempfile
import time

from tfflow.startup import start_backend_quietly

start_backend_quietly()
import keras
import numpy as np
from tables import options, write_csv

import tfflow
from tfflow import recipes
from tfflow.data import SceneCache, SceneConfig, synthesize, training_pipeline
from tfflow.data.files.flows import write_flow
from tfflow.data.files.images import write_image
from tfflow.data.pipeline import augmentation as augmentations
from tfflow.data.scenes import render, sample_scene
from tfflow.tflite.benchmarking import conditions

NAMES = (
    "lightflow_synthetic",
    "lightflow_chairs",
    "liteflownet_pre_M6S6",
    "liteflownet_pre_M2S2R2",
    "flownets_chairs",
    "flownetc_chairs",
    "maskflownets_chairs",
    "flownetc_things",
    "liteflownet_things",
    "liteflownet2_things",
    "liteflownet_sintel",
    "liteflownet_kitti",
    "maskflownets_sintel",
)
READ_BATCH, READ_BATCHES = 4, 12
TRAIN_BATCH, TRAIN_STEPS = 2, 3
ROUNDS = 5
RESULT = pathlib.Path(__file__).with_suffix(".csv")


def main(names):
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for row in measure(names, pathlib.Path(folder)):
            rows.append(row)
            print(*list(row.values())[:12], sep=", ", flush=True)
    write_csv(RESULT, rows)


def measure(names, folder):
    """Yields a row of results for each recipe."""
    write_data_sets(folder)
    known = {}
    for name in names:
        recipe = recipes.get(name)
        data = data_of(recipe, folder)
        pipeline = training_pipeline(
            data, READ_BATCH, crop=recipe.crop, augmentation=recipe.augmentation
        )
        same = repr(data), recipe.crop, recipe.augmentation
        if same not in known:
            known[same] = reading(pipeline)
        pairs, cpu = known[same]
        steps, step_cpu = training(recipe, pipeline)
        yield {
            "recipe": name,
            "data": "+".join(part.name for part in parts(data)),
            "megabytes_per_pair": round(megabytes(data), 2),
            "crop": "x".join(map(str, recipe.crop)),
            "augmentation": augmentation_name(recipe.augmentation),
            "data_pairs_per_s": round(pairs, 2),
            "data_cpu_ms_per_pair": round(cpu, 1),
            "network": recipe.model,
            "network_batch": TRAIN_BATCH,
            "network_pairs_per_s": round(steps, 3),
            "network_cpu_ms_per_pair": round(step_cpu),
            # By CPU time, which other processes change less than wall-clock time.
            "network_over_data": round(step_cpu / cpu, 1),
            **conditions(),
        }


def reading(pipeline):
    """The pipeline alone: medians of pairs per second, and of CPU milliseconds per pair."""
    batches, pairs = iter(pipeline), READ_BATCH * READ_BATCHES
    rates, cpu = [], []
    for _ in range(ROUNDS + 1):  # one to warm up
        start = time.perf_counter(), time.process_time()
        for _ in itertools.islice(batches, READ_BATCHES):
            pass
        rates.append(pairs / (time.perf_counter() - start[0]))
        cpu.append(1000 * (time.process_time() - start[1]) / pairs)
    return statistics.median(rates[1:]), statistics.median(cpu[1:])


def training(recipe, pipeline):
    """The recipe's training step alone: as for :func:`reading`."""
    model = tfflow.models.create(recipe.model, **recipe.model_arguments)
    model.compile(recipe.optimizer(recipe.steps), loss=recipe.loss)
    batch = next(iter(pipeline.unbatch().batch(TRAIN_BATCH)))
    images, flow, valid = keras.tree.map_structure(np.asarray, batch)
    rates, cpu = [], []
    for _ in range(TRAIN_STEPS + 1):  # one to trace
        start = time.perf_counter(), time.process_time()
        model.train_on_batch(images, flow, sample_weight=valid)
        rates.append(TRAIN_BATCH / (time.perf_counter() - start[0]))
        cpu.append(1000 * (time.process_time() - start[1]) / TRAIN_BATCH)
    keras.backend.clear_session()
    return statistics.median(rates[1:]), statistics.median(cpu[1:])


# Data --------------------------------------------------------------------------------------------


def data_of(recipe, folder):
    """The recipe's training set; for synthetic scenes, only a few."""
    if recipe.name == "lightflow_synthetic":
        return SceneCache(folder / "scenes")
    return recipe.data(folder)[0]


def write_data_sets(folder):
    synthesize(folder / "scenes", 128, SceneConfig(height=320, width=448))
    chairs = synthesize(folder / "drawn", 60, SceneConfig(height=384, width=512), layout="chairs")
    (chairs / "FlyingChairs_release").rename(folder / "FlyingChairs_release")

    things = folder / "FlyingThings3D_subset" / "train"
    images, flows = sequence(540, 960, 9)
    write_images(things / "image_clean" / "left", "{:07d}.png", images)
    write_flows(things / "flow" / "left" / "into_future", "{:07d}.flo", flows)

    sintel = folder / "MPI-Sintel-complete" / "training"
    for scene in ("alley_1", "ambush_2"):  # one for training, one for validation
        images, flows = sequence(436, 1024, 6)
        for pass_name in ("clean", "final"):
            write_images(sintel / pass_name / scene, "frame_{:04d}.png", images)
        write_flows(sintel / "flow" / scene, "frame_{:04d}.flo", flows)
        masks = [np.zeros((436, 1024), np.uint8)] * len(flows)
        for kind in ("occlusions", "invalid"):
            write_images(sintel / kind / scene, "frame_{:04d}.png", masks)

    for year, images_folder, height, width in (
        ("data_scene_flow", "image_2", 375, 1242),
        ("data_stereo_flow", "colored_0", 370, 1226),
    ):
        training = folder / year / "training"
        images, flows = sequence(height, width, 9)
        write_images(training / images_folder, "{:06d}_10.png", images[:-1])
        write_images(training / images_folder, "{:06d}_11.png", images[1:])
        write_flows(training / "flow_occ", "{:06d}_10.png", flows, share_known=0.4)

    hd1k = folder / "hd1k_full_package"
    images, flows = sequence(1080, 2560, 5)
    write_images(hd1k / "hd1k_input" / "image_2", "000000_{:04d}.png", images)
    write_flows(
        hd1k / "hd1k_flow_gt" / "flow_occ",
        "000000_{:04d}.png",
        [*flows, flows[-1]],
        share_known=0.6,
    )


def sequence(height, width, frames):
    """Images (height, width, 3) and the flows from each to the next."""
    drawn = render(sample_scene(SceneConfig(height=height, width=width), 0, 0), frames=frames)
    return list(drawn.images), list(drawn.flows)


def write_images(folder, name, images):
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        write_image(folder / name.format(number), image)


def write_flows(folder, name, flows, share_known=1.0):
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for number, flow in enumerate(flows):
        known = rng.random(flow.shape[:2]) < share_known
        write_flow(folder / name.format(number), np.clip(flow, -500, 500), known)


def parts(data):
    return getattr(data, "datasets", [data])


def megabytes(data):
    """Megabytes of files read per pair, averaged over the data sets' pairs."""
    sizes = []
    for part in parts(data):
        if isinstance(part, SceneCache):
            files = (path for path in part.root.rglob("*") if path.is_file())
            sizes.append(sum(path.stat().st_size for path in files) / len(part))
            continue
        for pair in part.pairs:
            files = (pair.image1, pair.image2, pair.flow, pair.invalid)
            sizes.append(sum(path.stat().st_size for path in files if path is not None))
    return statistics.mean(sizes) / 1e6


def augmentation_name(augmentation):
    """The settings' name in the pipeline's `augmentation`, or "the recipe's own"."""
    if isinstance(augmentation, tuple):
        return "+".join(dict.fromkeys(map(augmentation_name, augmentation)))
    names = (name for name, value in vars(augmentations).items() if value == augmentation)
    return next(names, "the recipe's own")


if __name__ == "__main__":
    main(options(__doc__, "recipes [those of the CSV]") or NAMES)
