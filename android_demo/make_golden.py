"""Writes the golden files of flowcore's tests: what tfflow itself computes.

    python android_demo/make_golden.py              # writes them
    python android_demo/make_golden.py --check      # says whether they are what this would write

Plain numbers, little-endian, rows from the top; index.properties has each file's type and shape, so
that Java reads them without a library.
"""

import argparse
import pathlib
import sys

import numpy as np
from PIL import Image

from tfflow.detection.boxes import decode, places
from tfflow.models.prediction import rescale, resize
from tfflow.tflite.interpreter import _quantized
from tfflow.visualization import flow_to_image

FOLDER = pathlib.Path(__file__).parent / "flowcore" / "src" / "test" / "resources" / "golden"
MAX_FLOW = 8.0  # px
# Type, scale and zero point of the quantised inputs: exact levels, the same as int8, an odd one.
QUANTIZATIONS = {
    "uint8": (np.uint8, 1 / 255, 0),
    "int8": (np.int8, 1 / 255, -128),
    "int8_odd": (np.int8, 0.0117, -3),
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    files = contents()
    if parser.parse_args().check:
        other = stale(files)
        if other:
            sys.exit(f"{', '.join(other)}: not what tfflow gives. Run: python {sys.argv[0]}")
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (FOLDER / name).write_bytes(content)
    print(f"{FOLDER}: {len(files)} files, {sum(map(len, files.values())) / 1e3:.0f} kB")


def stale(files):
    """The names of those that are missing or other than ``files``."""
    return [
        name
        for name, content in files.items()
        if not (FOLDER / name).is_file() or (FOLDER / name).read_bytes() != content
    ]


def contents():
    """File name -> content."""
    arrays = golden_arrays()
    files = {f"{name}.bin": array.tobytes() for name, array in arrays.items()}
    lines = [
        f"{name}={array.dtype} {' '.join(map(str, array.shape))}\n"
        for name, array in sorted(arrays.items())
    ]
    files["index.properties"] = "".join(lines).encode()
    return files


def golden_arrays():
    random = np.random.default_rng(20)
    arrays = {}

    flow = wheel_flow(random)
    arrays["wheel_flow"] = flow
    arrays["wheel_fixed"] = flow_to_image(flow, max_flow=MAX_FLOW)
    arrays["wheel_own"] = flow_to_image(flow)

    image = random.integers(0, 256, (19, 23, 3), dtype=np.uint8)
    arrays["image"] = image
    values = image[None].astype(np.float32) / 255.0
    for name, size in (("up", (32, 40)), ("down", (8, 12)), ("wide", (19, 40))):
        arrays[f"image_{name}"] = resize(values, size, antialias=True)[0]
    for name, (dtype, scale, zero_point) in QUANTIZATIONS.items():
        details = {"dtype": dtype, "quantization": (scale, zero_point)}
        arrays[f"image_{name}"] = _quantized(arrays["image_up"], details)

    motion = random.normal(0, 5, (6, 8, 2)).astype(np.float32)
    arrays["motion"] = motion
    arrays["motion_up"] = rescale(motion[None], (15, 19))[0]

    # A camera's planes, by Pillow's conversion (BT.601, full range), each colour used four times.
    height, width = 9, 13
    half = ((height + 1) // 2, (width + 1) // 2)
    sizes = ((height, width), half, half)
    planes = [random.integers(0, 256, size, dtype=np.uint8) for size in sizes]
    full = [planes[0]] + [
        plane.repeat(2, axis=0).repeat(2, axis=1)[:height, :width] for plane in planes[1:]
    ]
    picture = Image.merge("YCbCr", [Image.fromarray(plane) for plane in full]).convert("RGB")
    arrays["yuv_y"], arrays["yuv_u"], arrays["yuv_v"] = planes
    arrays["yuv_rgb"] = np.asarray(picture)
    arrays |= suppressed(random)

    confidence = random.uniform(size=(6, 8, 1)).astype(np.float32)
    arrays["confidence"] = confidence
    arrays["confidence_up"] = resize(confidence[None], (15, 19))[0]
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def suppressed(random):
    """What a detector's head answers, as boxes and scores, and the objects that it stands for."""
    stride, shape, classes = 16, (6, 8), 3
    outputs = {
        # Whole numbers and halves: some scores are equal, and the order of these counts too.
        "classes": np.round(2 * random.normal(0, 1, (1, *shape, classes))) / 2,
        "sides": random.uniform(4, 60, (1, *shape, 4)),
        "centreness": np.full((1, *shape, 1), 50.0),  # of which the sigmoid is 1
    }
    outputs = {name: array.astype(np.float32) for name, array in outputs.items()}
    found = decode(outputs, stride, score=0.3, overlap=0.5, most=30)[0]
    everything = decode(outputs, stride, score=0, overlap=1, most=shape[0] * shape[1] * classes)[0]
    # Back in the order of the places, which decode has sorted by score.
    x, y = places(shape, stride)
    boxes = np.stack([x, y, x, y], -1) + outputs["sides"][0] * np.float32([-1, -1, 1, 1])
    boxes = boxes.reshape(-1, 4)
    scores = np.zeros((len(boxes), classes), np.float32)
    for box, score, kind in zip(everything.boxes, everything.scores, everything.classes):
        scores[np.flatnonzero((boxes == box).all(1)), kind] = score
    kept = np.concatenate([found.boxes, found.scores[:, None], found.classes[:, None]], axis=1)
    return {"nms_boxes": boxes, "nms_scores": scores, "nms_kept": kept.astype(np.float32)}


def wheel_flow(random):
    """Flow with every direction, with the axes, both zeros, and what is not known."""
    flow = random.normal(0, 5, (31, 41, 2))
    angle = np.arange(41) * (2 * np.pi / 41)
    flow[0] = 6 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    flow[1, :9] = [
        (0, 0), (-0.0, -0.0), (3, 0), (3, -0.0), (-3, 0), (-3, -0.0), (0, 3), (0, -3), (8, 0),
    ]  # fmt: skip
    flow[2, :4] = [(np.nan, 0), (0, np.inf), (2e9, 1), (1, -2e9)]
    return flow.astype("<f4")


if __name__ == "__main__":
    main()
