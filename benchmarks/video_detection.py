"""Flow-guided detection against a detector on every frame: precision and time over the interval.

    tfflow train-detector images && tfflow train-detector clips
    python benchmarks/video_detection.py --data-dir clips

All run as .tflite files on one thread, on the 60 held-out clips. Three ways through a video:

* every frame: the detector of the first stage, which has neither flow nor GRU;
* held: the same on key frames only; boxes stay where they are until the next one;
* flow: the detector of the second stage; features are carried along the flow.

Times are medians of the networks alone, in turn; a way's time per frame is the mean over its key
frames and the frames between them. Writes the CSV and the tables in docs/video.md.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile
import time

from tfflow.startup import start_backend_quietly

start_backend_quietly()

import numpy as np
from tables import put_table, write_csv

from tfflow.detection import (
    DetectorInterpreter,
    FixedInterval,
    VideoDetector,
    average_precision,
    export_detector,
    load_detector,
    training,
)
from tfflow.detection.evaluation import SPEEDS, motion_speeds
from tfflow.detection.export import MAX_CLIPS, float_operators
from tfflow.markdown import markdown_table
from tfflow.models.prediction import resize
from tfflow.progress import progress_bar
from tfflow.tflite.benchmarking import conditions
from tfflow.tflite.calibration import ranges_over
from tfflow.tflite.conversion import convert_function
from tfflow.tflite.interpreter import open_interpreter
from tfflow.tflite.quantization import quantize

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "export"))

from make_detector import FLOW_SCALE, SIZE, long_clip

RESULT = pathlib.Path(__file__).with_suffix(".csv")
DOCS = HERE.parent / "docs" / "video.md"
FORMS = ("float32", "int8")
INTERVALS = (1, 2, 5, 10, 20)
SCORE = 0.05
ROUNDS, RUNS = 9, 10


class EveryFrame:
    """The image detector as a file: an engine for VideoDetector, without flow."""

    size, multiple = SIZE, 32

    def __init__(self, path):
        self._runner = open_interpreter(path, 1).get_signature_runner("image")

    def first(self, image):
        return {**self._runner(image=image), "features": 0}

    def key(self, image, key_image, features, flow=None):
        return self.first(image)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", default="runs/detector_images/model.keras")
    parser.add_argument("--clips", default="runs/detector_clips/model.keras")
    parser.add_argument("--data-dir", type=pathlib.Path, default=pathlib.Path("clips"))
    parser.add_argument("--limit", type=int, help="only so many held-out clips")
    arguments = parser.parse_args()
    where = conditions()
    train, held_out = training.synthetic_clips(arguments.data_dir)
    clips = [list(held_out[index]) for index in range(len(held_out))[: arguments.limit]]
    with tempfile.TemporaryDirectory() as folder:
        files = export(arguments, pathlib.Path(folder), train)
        times = measure(files, clips[0])
        rows = [{**row, **where} for row in evaluate(files, times, clips, held_out.classes)]
    write_csv(RESULT, rows)
    write_tables(rows)


def export(arguments, folder, train):
    """Form -> (path of the image detector, path of the key frames' file)."""
    images, guided = (load_detector(path) for path in (arguments.images, arguments.clips))

    def every(inputs):
        features = images.aggregate(images.features(inputs["image"], training=False))
        return dict(zip(("boxes", "scores"), images.boxes_and_scores(images.detect(features))))

    whole = convert_function("image", every, {"image": (1, *SIZE, 3)})
    pictures = [clip[0].image for clip in (train[i] for i in range(MAX_CLIPS))]
    feeds = [{"image": at_size(picture)} for picture in pictures]
    ranges = ranges_over(whole, feeds, 0.0)
    files = {}
    for form in FORMS:
        path = folder / f"images_{form}.tflite"
        quantized = quantize(whole, form, size=SIZE, kept=float_operators, ranges=ranges)
        path.write_bytes(quantized.to_bytes())
        pair = export_detector(
            guided,
            folder / f"video_{form}.tflite",
            size=SIZE,
            flow_scale=FLOW_SCALE,
            quantization=form,
            calibration=[long_clip(train[i]) for i in range(MAX_CLIPS)],
        )
        files[form] = path, pair[0]
        sizes = [each.stat().st_size / 1e6 for each in (path, *pair)]
        print(form, "MB:", " ".join(f"{size:.2f}" for size in sizes), flush=True)
    return files


def at_size(image):
    return resize(image[None] / np.float32(255), SIZE)


def measure(files, clip):
    """(form, part) -> median milliseconds, one thread, all in turn."""
    image, key_image = (at_size(clip[i].image) for i in (5, 0))
    calls = {}
    for form, (images, key) in files.items():
        engine, pair = EveryFrame(images), DetectorInterpreter(key, threads=1)
        known = image, key_image, pair.first(key_image)["features"]
        calls[form, "every"] = lambda engine=engine: engine.first(image)
        calls[form, "key"] = lambda pair=pair, known=known: pair.key(*known)
        calls[form, "between"] = lambda pair=pair, known=known: pair.between(*known)
    times = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            for run in range(RUNS + 2):
                start = time.perf_counter()
                call()
                if run >= 2:
                    times[name].append(1000 * (time.perf_counter() - start))
    medians = {name: statistics.median(values) for name, values in times.items()}
    print({f"{form} {part}": round(ms, 2) for (form, part), ms in medians.items()}, flush=True)
    return medians


def evaluate(files, times, clips, classes):
    """A row for each way, form and interval."""
    truth = [
        [getattr(frame, name) for clip in clips for frame in clip] for name in ("boxes", "classes")
    ]
    speeds = []
    for clip in clips:
        speeds += motion_speeds([f.boxes for f in clip], [f.tracks for f in clip])
    print("objects by speed:", np.bincount(np.concatenate(speeds), minlength=3), flush=True)

    def row(way, form, interval, found, ms):
        precision = average_precision(found, *truth, len(classes))
        result = {"way": way, "form": form, "interval": interval, "ms": round(ms, 3)}
        result["clips"] = len(clips)
        result |= {name: round(getattr(precision, name), 4) for name in ("ap", "ap50", "ap75")}
        for number, name in enumerate(SPEEDS):
            counted = [each == number for each in speeds]
            part = average_precision(found, *truth, len(classes), counted=counted)
            result[f"ap_{name}"] = round(part.ap, 4)
        print(result, flush=True)
        return result

    for form, (images, key) in files.items():
        every = found_in(EveryFrame(images), 1, clips, f"{form}, every frame")
        yield row("every frame", form, 1, [d for clip in every for d in clip], times[form, "every"])
        for interval in INTERVALS[1:]:
            held = [clip[t - t % interval] for clip in every for t in range(len(clip))]
            yield row("held", form, interval, held, times[form, "every"] / interval)
        for interval in INTERVALS:
            pair = DetectorInterpreter(key, threads=1)
            found = found_in(pair, interval, clips, f"{form}, flow, interval {interval}")
            total = times[form, "key"] + (interval - 1) * times[form, "between"]
            yield row("flow", form, interval, [d for c in found for d in c], total / interval)


def found_in(engine, interval, clips, what):
    """A list of detections for each clip."""
    video = VideoDetector(engine, schedule=FixedInterval(interval), score=SCORE)
    found = []
    with progress_bar(what) as progress:
        for number, clip in enumerate(clips):
            video.reset()
            found.append([video.next(frame.image) for frame in clip])
            progress(number + 1, len(clips))
    return found


def write_tables(rows):
    """Puts the numbers into docs/video.md, between the comments there."""
    table = {(row["way"], row["form"], row["interval"]): row for row in rows}

    def cell(way, form, interval, name):
        row = table.get((way, form, interval))
        return "" if row is None else f"{row[name]:.3f}" if name != "ms" else f"{row[name]:.1f}"

    every = table["every frame", "float32", 1]
    heads = ["key frame every", "held boxes", "flow", "of all frames'", "ms"]
    cells = [["(every frame, no flow)", "", f"{every['ap']:.3f}", "100 %", f"{every['ms']:.1f}"]]
    cells[0] += [cell("every frame", "int8", 1, name) for name in ("ap", "ms")]
    for interval in INTERVALS:
        share = table["flow", "float32", interval]["ap"] / every["ap"]
        cells.append([interval, cell("held", "float32", interval, "ap")])
        cells[-1] += [cell("flow", "float32", interval, "ap"), f"{100 * share:.0f} %"]
        cells[-1] += [cell("flow", "float32", interval, "ms")]
        cells[-1] += [cell("flow", "int8", interval, name) for name in ("ap", "ms")]
    lines = [
        f"COCO's AP on {every['clips']} held-out synthetic clips, ms per frame; one thread of "
        f"{every['cpu']}, {every['date'][:10]}.",
        "",
        *markdown_table([*heads, "flow, int8", "ms, int8"], cells),
    ]
    put_table(DOCS, "video_detection", lines)
    cells = []
    for name, way, interval in (
        ("every frame", "every frame", 1),
        ("held, 10", "held", 10),
        ("flow, 10", "flow", 10),
        ("flow, 1", "flow", 1),
    ):
        row = table[way, "float32", interval]
        names = ("ap", "ap50", "ap_slow", "ap_medium", "ap_fast")
        cells.append([name, *(f"{row[each]:.3f}" for each in names)])
    heads = ("float32", "AP", "AP50", "slow", "medium", "fast")
    put_table(DOCS, "video_detection_speeds", markdown_table(heads, cells))


if __name__ == "__main__":
    main()
