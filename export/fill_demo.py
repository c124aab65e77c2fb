"""Fills the demos' assets with the files that we ship: never copied by hand.

    python export/fill_demo.py              # writes them
    python export/fill_demo.py --check      # says whether they are what this would write

An app gets the .tflite files of plans.DEMO and plans.DEMO_DETECTORS, models.json with what it must
know of them, and a golden pair: two images and the flow that the file predicts for them, for the
check that the app makes when it starts. The web demo's site is made of the same files, by
web_demo/make_site.py.
"""

import argparse
import hashlib
import io
import json
import pathlib
import sys

from tfflow.startup import start_backend_quietly

start_backend_quietly()

import numpy as np
from PIL import Image
from plans import (
    DEMO,
    DEMO_ASSETS,
    DEMO_DETECTORS,
    DEMO_OVERLAP,
    DEMO_SCORE,
    GOLDEN_SCENE,
    GOLDEN_STEP,
)

from tfflow.atomic_file import atomic_file
from tfflow.data.synthetic import render, sample_scene
from tfflow.tflite import DetectorInterpreter, FlowInterpreter
from tfflow.weights import presets

ROOT = pathlib.Path(__file__).parent.parent


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    arguments = parser.parse_args()
    folder = ROOT / DEMO_ASSETS
    wanted = assets()
    if arguments.check:
        other = [name for name, content in wanted.items() if not same(folder / name, content)]
        if other:
            sys.exit(
                f"fill_demo: {', '.join(other)} in {DEMO_ASSETS} are not what the package's "
                "presets give. Run: python export/fill_demo.py"
            )
        return print(f"{DEMO_ASSETS} is what the presets give: {', '.join(wanted)}")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in wanted.items():
        with atomic_file(folder / name) as temporary:
            temporary.write_bytes(content)
        print(f"{folder / name}  {len(content) / 1e6:.2f} MB")


def same(path, content):
    return path.is_file() and path.read_bytes() == content


def assets():
    """File name -> content."""
    files, models = {}, []
    images = render(sample_scene(GOLDEN_SCENE, 3, 0)).images
    for place, image in enumerate(images, start=1):
        files[f"golden_image{place}.png"] = png(image)
    for preset, form in DEMO:
        path = presets.preset_tflite(preset, form)
        content = path.read_bytes()
        interpreter = FlowInterpreter(path, threads=1)
        # Every so many pixels are enough to see that a phone computes the same.
        flow = interpreter.predict_flow(*images)[::GOLDEN_STEP, ::GOLDEN_STEP]
        golden = f"golden_flow_{preset}_{form}.bin"
        files[path.name] = content
        files[golden] = flow.astype("<f4").tobytes()
        models.append(
            {
                "file": path.name,
                "sha256": hashlib.sha256(content).hexdigest(),
                **interpreter.metadata,
                "inputs": "image1, image2: (1, height, width, 3) float32 RGB in [0, 1]",
                "output": "flow: (1, height, width, 2) float32, px from image1 to image2, (u, v)",
                "golden_flow": golden,
                "golden_step": GOLDEN_STEP,
                "golden_shape": list(np.shape(flow)),
            }
        )
    detectors = [detector(name, files) for name in DEMO_DETECTORS]
    lists = {"models": models, "detectors": detectors}
    files["models.json"] = (json.dumps(lists, indent=2) + "\n").encode()
    return files


def detector(name, files):
    """What models.json says of a detector; its two files are added to ``files``."""
    interpreter = DetectorInterpreter(presets.detector_files(name), threads=1)
    entry = {}
    for part, path in interpreter.paths.items():
        files[path.name] = path.read_bytes()
        entry[part] = path.name
        entry[f"{part}_sha256"] = hashlib.sha256(files[path.name]).hexdigest()
    return {
        **entry,
        **interpreter.metadata,
        "interval": presets.preset_card(name, presets.DETECTORS)["interval"],
        "score": DEMO_SCORE,
        "overlap": DEMO_OVERLAP,
        "inputs": "image, key_image: (1, height, width, 3) float32 RGB in [0, 1]; features of the "
        "last key frame, zeros at first",
        "output": "boxes: (1, places, 4) x1, y1, x2, y2 in px; scores: (1, places, classes) in "
        "[0, 1]; features or flow",
    }


def png(image):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="png", optimize=True)
    return stream.getvalue()


if __name__ == "__main__":
    main()
