"""Images of 2K, 4K and 8K: flow as it is predicted by default, and by tiles.

    python benchmarks/large_images.py

Errors on synthetic scenes with textures as fine as their pixels, seconds, and peak memory; each
row in a process of its own. Writes large_images.csv, the table in docs/large_images.md and the
picture docs/large_images.jpg.
"""

import concurrent.futures
import itertools
import multiprocessing
import pathlib
import resource
import statistics
import sys
import tempfile
import time

import cv2
import numpy as np
from tables import options, put_table, write_csv

import tfflow
from tfflow.data import SceneConfig, write_image
from tfflow.data.scenes import render, sample_scene
from tfflow.evaluation import TiledPredictor
from tfflow.markdown import markdown_table
from tfflow.startup import start_backend_quietly
from tfflow.tflite.benchmarking import conditions
from tfflow.visualization import compose, flow_to_image

HERE = pathlib.Path(__file__).parent
RESULT = HERE / "large_images.csv"
DOCS = HERE.parent / "docs" / "large_images.md"
PICTURE = HERE.parent / "docs" / "large_images.jpg"
# Name -> (height, width), factor on the motion, number of scenes.
SIZES = {
    "2K": ((1080, 1920), 1.5, 4),
    "4K": ((2160, 3840), 3.0, 4),
    "8K": ((4320, 7680), 6.0, 1),
}
METHODS = ("rillflow, Keras", "rillflow, int8 384x512", "DIS medium")
WAYS = ("plain", "tiled")
SEED = 11
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes


class Dis:
    """OpenCV's DIS, which goes from coarse to fine by itself."""

    def __init__(self):
        self.method = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def predict_flow(self, image1, image2):
        grey = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (image1, image2))
        return self.method.calc(*grey, None)


def predictor(method, way):
    if method.startswith("DIS"):
        made = Dis()
    else:
        start_backend_quietly()
        made = tfflow.load("rillflow", engine="keras" if "Keras" in method else "tflite")
    return TiledPredictor(made) if way == "tiled" else made


def draw(folder):
    """Files of scenes, by the name of their size; textures have the resolution of the images."""
    files = {}
    for name, ((height, width), motion, count) in SIZES.items():
        config = SceneConfig(
            height=height,
            width=width,
            motion_scale=motion,
            parallax=0.3,
            noise=2.0,
            textures=48,
            texture_size=2048,
            shapes=64,
            shape_size=768,
        )
        files[name] = [pathlib.Path(folder, f"{name}_{index}.npz") for index in range(count)]
        for index, path in enumerate(files[name]):
            scene = render(sample_scene(config, SEED, index))
            np.savez(path, image1=scene.images[0], image2=scene.images[1], flow=scene.flows[0])
    return files


def measure(method, way, paths):
    """The errors of pairs, the seconds of each, and the peak memory so far."""
    predict, found = predictor(method, way).predict_flow, []
    for path in paths:
        with np.load(path) as file:
            image1, image2 = file["image1"], file["image2"]
            start = time.perf_counter()
            flow = predict(image1, image2)
            seconds = time.perf_counter() - start
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT
            truth = file["flow"]
        error = np.concatenate([np.linalg.norm(f - t, axis=-1) for f, t in zip(flow, truth)])
        found.append(
            {
                "epe": float(error.mean()),
                "median": float(np.median(error)),
                "below_1px": float((error < 1).mean()),
                "seconds": seconds,
                "gigabytes": peak / 1e9,
            }
        )
    return found


def in_its_own_process(function, *arguments):
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(function, *arguments).result()


def picture(path):
    """A cut of a scene: its frame, the truth, and what both ways find."""
    with np.load(path) as file:
        image1, image2, truth = (file[name] for name in ("image1", "image2", "flow"))
    cut = slice(600, 1500), slice(1300, 2900)
    largest = float(np.percentile(np.linalg.norm(truth[cut], axis=-1), 95))
    panels = {"a cut of 900x1600 from 4K": image1, "truth": truth}
    for way in WAYS:
        panels[way] = predictor(METHODS[1], way).predict_flow(image1, image2)
    drawn = [
        panel[cut] if panel.shape[-1] == 3 else flow_to_image(panel[cut], largest)
        for panel in panels.values()
    ]
    drawn = [cv2.resize(panel, (800, 450), interpolation=cv2.INTER_AREA) for panel in drawn]
    write_image(PICTURE, compose(drawn, list(panels), columns=2))


def main():
    where = conditions()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        files = in_its_own_process(draw, folder)
        in_its_own_process(picture, files["4K"][-1])
        for name, ((height, width), _, count) in SIZES.items():
            for method, way in itertools.product(METHODS, WAYS):
                found = in_its_own_process(measure, method, way, files[name])
                size = f"{height}x{width}"
                row = {"size": size, "scenes": count, "method": method, "way": way}
                rows.append({**row, **summary(found), **where})
                print(rows[-1], flush=True)
    write_csv(RESULT, rows)
    write_table(rows)


def summary(found):
    """Means of the errors, the shortest time (the first has the tracing), the largest memory."""
    mean = {key: statistics.mean(each[key] for each in found) for key in found[0]}
    return {
        "epe": round(mean["epe"], 3),
        "median": round(mean["median"], 3),
        "below_1px": round(mean["below_1px"], 4),
        "seconds": round(min(each["seconds"] for each in found), 1),
        "gigabytes": round(max(each["gigabytes"] for each in found), 2),
    }


def write_table(rows):
    header = ["", "", "EPE, px", "median", "below 1 px", "s", "GB"]
    cells = [
        [
            row["size"] if (row["method"], row["way"]) == (METHODS[0], WAYS[0]) else "",
            f"{row['method']}, {row['way']}",
            f"{row['epe']:.2f}",
            f"{row['median']:.2f}",
            f"{100 * row['below_1px']:.0f} %",
            row["seconds"],
            row["gigabytes"],
        ]
        for row in rows
    ]
    lines = [
        *markdown_table(header, cells),
        "",
        f"{rows[0]['cpu']}, {rows[0]['cores']} shared cores, load average "
        f"{rows[0]['load_average']}, {rows[0]['date'][:10]}.",
    ]
    put_table(DOCS, "large_images", lines)


if __name__ == "__main__":
    options(__doc__)
    main()
