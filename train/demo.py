"""Shows the preset, then the whole workflow: train LightFlow, export it to .tflite, run, look.

    make demo                     # or: python train/demo.py --output demo
    make demo PAIRS=my_frames     # the pictures of your own frames too

Takes minutes on two cores and downloads nothing. The network that it trains is narrow, its scenes
small and its training short, so it only knows gentle motion; the preset was trained for hours.
"""

import argparse
import pathlib
import sys
import time

from tfflow.startup import start_backend_quietly

start_backend_quietly()

import numpy as np

import tfflow
from tfflow import recipes, tflite
from tfflow.data import SceneConfig, open_dataset, write_image
from tfflow.data.scenes import render, sample_scene
from tfflow.evaluation import evaluate, predict_pairs
from tfflow.progress import print_table
from tfflow.recipes.lightflow import DEMO_SCENES
from tfflow.tflite.calibration import synthetic_samples
from tfflow.visualization import flow_figure, flow_to_image, write_video

# Scenes for the preset, of a photograph's size.
PRESET_SIZE, PRESET_SCENES = (384, 512), 4
# (height, width) of the exported files and of the training scenes.
SIZE = (192, 256)
# The clip has a photograph's size, and textures and objects that were not trained on.
CLIP_SCENE = {
    **DEMO_SCENES,
    "height": 384,
    "width": 512,
    "textures": 96,
    "texture_size": 768,
    "motion_scale": 0.7,
    "objects": (3, 4),
    "object_size": (0.3, 0.6),
    "object_speed": (12.0, 30.0),
}
CLIP_SEED, CLIP_INDEX = 2, 14


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", default="demo", type=pathlib.Path, help="folder [%(default)s]")
    parser.add_argument("--pairs", help="folder of your own frames or pairs, to be shown as well")
    parser.add_argument("--steps", type=int, help="of training; fewer is quicker and worse")
    arguments = parser.parse_args()
    start = time.monotonic()
    try:
        run(arguments)
    except (ValueError, OSError) as error:
        sys.exit(f"demo: {error}")
    minutes = (time.monotonic() - start) / 60
    print(f"That took {minutes:.1f} minutes. Look at the pictures in {arguments.output}/.")


def run(arguments):
    output = arguments.output
    own_pairs = open_dataset(arguments.pairs) if arguments.pairs else None  # fail early

    heading("1. The preset, as it comes with the package: an int8 .tflite file")
    show_preset(own_pairs, output / "preset")

    heading("2. Train your own: synthetic scenes, model.fit, minutes on a CPU")
    training = recipes.Run(
        "lightflow_demo",
        data_dir=output / "scenes",
        output=output / "run",
        steps=arguments.steps,
    )
    model = training.train()
    model.save(output / "lightflow_demo.keras")
    scenes, held_out = training.recipe.data(output / "scenes")

    heading("3. Export: float32 and int8 .tflite, for phones")
    files = {
        kind: tflite.export(
            model,
            output / f"lightflow_demo_{kind}.tflite",
            size=SIZE,
            quantization=kind,
            calibration=scenes[:50],
        )
        for kind in ("float32", "int8")
    }

    heading("4. Run all three on pairs they have not seen")
    int8 = tflite.FlowInterpreter(files["int8"])
    show_pictures(int8, held_out, own_pairs, output)
    rows = [row("Keras", model, held_out, output / "lightflow_demo.keras", None)]
    for kind, path in files.items():
        latency = tflite.benchmark(path, threads=1, runs=30)["median_ms"]
        rows.append(row(f".tflite {kind}", tflite.FlowInterpreter(path), held_out, path, latency))
    zero = evaluate(model, held_out).zero_flow_epe
    rows.append(("no motion at all (zero flow)", f"{zero:.2f}", "", ""))
    print_table(
        f"{len(held_out)} unseen scenes; latency at {SIZE[0]}x{SIZE[1]}, one thread",
        ("", "EPE px", "MB", "ms"),
        rows,
    )


def show_preset(own_pairs, output):
    """Figures of the preset's flow, and its EPE where the ground truth is known."""
    preset = tfflow.load(engine="tflite")
    unseen = synthetic_samples(PRESET_SIZE, PRESET_SCENES, seed=3)
    results = predict_pairs(preset, unseen, output, model="rillflow, int8")
    if own_pairs is not None:
        results += predict_pairs(preset, own_pairs, output / "pairs", model="rillflow, int8")
    rows = [
        (each["name"], f"{each['motion']:.1f}", "" if each["epe"] is None else f"{each['epe']:.2f}")
        for each in results
    ]
    print_table(f"the preset's pictures are in {output}", ("pair", "motion px", "EPE px"), rows)
    latency = tflite.benchmark(preset.path, threads=1, runs=30)["median_ms"]
    height, width = preset.size
    print(
        f"{preset.path.stat().st_size / 1e6:.2f} MB, {latency:.2f} ms at {height}x{width}, 1 thread"
    )


def row(name, predictor, pairs, path, latency):
    """A line of the table: EPE, size of the file, latency."""
    epe = evaluate(predictor, pairs).epe
    size = path.stat().st_size / 1e6
    return name, f"{epe:.2f}", f"{size:.2f}", "" if latency is None else f"{latency:.2f}"


def show_pictures(predictor, held_out, own_pairs, output):
    """Figures of unseen scenes, a short clip of one, and the user's own pairs."""
    predict_pairs(predictor, held_out[:3], output, model="lightflow_demo")
    if own_pairs is not None:
        own = predict_pairs(predictor, own_pairs, output / "pairs", model="lightflow_demo")
        for result in own:
            print(f"{result['name']}: mean motion {result['motion']:.2f} px")

    clip = render(sample_scene(SceneConfig(**CLIP_SCENE), CLIP_SEED, CLIP_INDEX), frames=8)
    panels, largest = [], 1.0
    for image1, image2, truth in zip(clip.images[:-1], clip.images[1:], clip.flows):
        flow = predictor.predict_flow(image1, image2)
        if not panels:
            named = {"model": "lightflow_demo"}
            figure = flow_figure(image1, image2, flow, truth=truth, metrics=named)
            write_image(output / "clip_figure.png", figure)
            largest = float(np.linalg.norm(truth, axis=-1).max())
        panels.append(np.concatenate([image1, flow_to_image(flow, max_flow=largest)], axis=1))
    write_video(output / "clip.gif", panels, fps=4)


def heading(text):
    print(f"\n{text}\n", flush=True)


if __name__ == "__main__":
    main()
