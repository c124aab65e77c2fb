"""Detection on key frames, and three ways to the frames between: precision and time.

    tfflow train-detector images
    python benchmarks/video_detection.py --data-dir clips

All run as .tflite files on one thread. A key frame every n frames, and in between:

* held: the boxes stay where they are;
* boxes: they are moved along RillFlow's flow at 192x256, looked at every fifth frame
  (``BoxPropagator``); with key frames by RillFlow's confidence too;
* features: those of the key frame are carried along LightFlow's flow at 128x192, and the head runs
  on them (``FlowGuidedDetector``: the detector that comes with tfflow, int8).

On the 60 held-out clips of ``tfflow train-detector``, as a phone in a hand sees them, and on 20 of
things that move fast by themselves. Times are medians of the networks, in turn; with the time that
moving ten boxes takes. Writes the CSV, the tables in docs/video.md and the figures.
"""

import argparse
import dataclasses
import pathlib
import statistics
import sys
import tempfile
import time

from tfflow.startup import start_backend_quietly

start_backend_quietly()

import numpy as np
from pictures import write_curves
from tables import put_table, write_csv

import tfflow
from tfflow.detection import (
    BoxPropagator,
    ByConfidence,
    DetectorInterpreter,
    FixedInterval,
    SyntheticClips,
    VideoDetector,
    average_precision,
    export_image_detector,
    load_detector,
    move_boxes,
    training,
)
from tfflow.detection.evaluation import SPEEDS, motion_speeds
from tfflow.detection.export import MAX_CLIPS
from tfflow.detection.presets import detector_files
from tfflow.markdown import markdown_table
from tfflow.models.prediction import resize
from tfflow.progress import progress_bar
from tfflow.tflite.benchmarking import conditions
from tfflow.weights import preset_tflite

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "export"))

from make_detector import SIZE

RESULT = pathlib.Path(__file__).with_suffix(".csv")
DOCS = HERE.parent / "docs" / "video.md"
FORMS = ("float32", "int8")
INTERVALS = (2, 5, 10, 20)
FLOW_SIZE = (192, 256)
FLOW_EVERY = 5
CHOSEN = "boxes, by confidence"
LEAST = 0.6  # confidence, chosen on other clips
SCORE = 0.05
ROUNDS, RUNS = 9, 10
LABELS = "frames from one key frame to the next", "AP, %"
BOXES = 10  # that are moved, where the time is measured
FAST = dataclasses.replace(
    training.SCENES, object_speed=(15.0, 45.0), fast_object=0.5, attached_object=0.0
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", default="runs/detector_images/model.keras")
    parser.add_argument("--data-dir", type=pathlib.Path, default=pathlib.Path("clips"))
    parser.add_argument("--limit", type=int, help="only so many clips of each kind")
    arguments = parser.parse_args()
    where = conditions()
    train, held_out = training.synthetic_clips(arguments.data_dir)
    fast = SyntheticClips(FAST, seed=3, count=20, frames=31, hues=True, smallest=training.SMALLEST)
    sets = {"hand-held": held_out, "fast": fast}
    clips = {
        name: [list(clips[index]) for index in range(len(clips))[: arguments.limit]]
        for name, clips in sets.items()
    }
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        files = export(arguments, pathlib.Path(folder), train)
        times = measure(files, clips["hand-held"][0])
        for name, each in clips.items():
            rows += [
                {"clips": name, **row, **where}
                for row in evaluate(files, times, each, held_out.classes)
            ]
    write_csv(RESULT, rows)
    write_tables(rows)
    write_figures(rows)


def export(arguments, folder, train):
    """(form, part) -> path: the detector of images, the flow network; the shipped pair."""
    detector = load_detector(arguments.images)
    pictures = [[train[index][0].image] for index in range(MAX_CLIPS)]
    files = {
        ("int8", "features"): detector_files("shapes"),
        ("int8", "flow"): preset_tflite("rillflow", "small"),
        ("float32", "flow"): tfflow.tflite.export(
            tfflow.load("rillflow"),
            folder / "flow_float32.tflite",
            size=FLOW_SIZE,
            confidence=True,
        ),
    }
    for form in FORMS:
        files[form, "images"] = export_image_detector(
            detector,
            folder / f"images_{form}.tflite",
            size=SIZE,
            quantization=form,
            calibration=pictures,
        )
    for name, path in files.items():
        print(*name, f"{path.stat().st_size / 1e6:.2f} MB", flush=True)
    return files


def at_size(image, size=SIZE):
    return resize(image[None] / np.float32(255), size, antialias=True)


def measure(files, clip):
    """(form, part) -> median milliseconds, one thread, all in turn."""
    frames = [clip[time].image for time in (0, 5)]
    key_image, image = (at_size(frame) for frame in frames)
    pair = [at_size(frame, FLOW_SIZE)[0] for frame in frames]
    boxes = np.tile(np.float32([[100, 100, 160, 180]]), (BOXES, 1))
    calls = {}
    for form in FORMS:
        detector = DetectorInterpreter(files[form, "images"], threads=1)
        flow = tfflow.tflite.FlowInterpreter(files[form, "flow"], threads=1)
        calls[form, "every"] = lambda detector=detector: detector.first(image)
        calls[form, "flow"] = lambda flow=flow: move_boxes(
            boxes, flow.predict_flow(*pair, confidence=True).flow, frames[0].shape[:2]
        )
    guided = DetectorInterpreter(files["int8", "features"], threads=1)
    known = image, key_image, guided.first(key_image)["features"]
    calls["int8", "key"] = lambda: guided.key(*known)
    calls["int8", "between"] = lambda: guided.between(*known)
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
    """A row for each form, way and interval."""
    truth = [
        [getattr(frame, name) for clip in clips for frame in clip] for name in ("boxes", "classes")
    ]
    speeds = []
    for clip in clips:
        speeds += motion_speeds([f.boxes for f in clip], [f.tracks for f in clip])
    print("objects by speed:", np.bincount(np.concatenate(speeds), minlength=3), flush=True)

    def row(form, way, interval, found, ms):
        found = [each for clip in found for each in clip]
        precision = average_precision(found, *truth, len(classes))
        result = {"form": form, "way": way, "interval": interval, "ms": round(ms, 3)}
        result["count"] = len(clips)
        result |= {name: round(getattr(precision, name), 4) for name in ("ap", "ap50", "ap75")}
        for number, name in enumerate(SPEEDS):
            counted = [each == number for each in speeds]
            part = average_precision(found, *truth, len(classes), counted=counted)
            result[f"ap_{name}"] = round(part.ap, 4)
        print(result, flush=True)
        return result

    for form in FORMS:
        ms, flow_ms = times[form, "every"], times[form, "flow"]
        detector = DetectorInterpreter(files[form, "images"], threads=1)
        flow = tfflow.tflite.FlowInterpreter(files[form, "flow"], threads=1)
        every = found_in(
            VideoDetector(detector, schedule=FixedInterval(1), score=SCORE), clips, f"{form}, every"
        )
        yield row(form, "every frame", 1, every, ms)
        for interval in INTERVALS if form == "int8" else (10,):
            held = [[clip[t - t % interval] for t in range(len(clip))] for clip in every]
            yield row(form, "held", interval, held, ms / interval)
            schedules = {"boxes": FixedInterval(interval)}
            if interval == max(INTERVALS):
                schedules[CHOSEN] = ByConfidence(LEAST, interval)
            for way, schedule in schedules.items():
                what = f"{form}, {way}, interval {interval}"
                found, keys, looks = carried(every, flow, schedule, clips, what)
                total, number = keys * ms + looks * flow_ms, round(1 / keys, 1)
                if way == "boxes":  # of a long clip, as for the other ways
                    looks = len(range(1, interval, FLOW_EVERY))
                    total, number = (ms + looks * flow_ms) / interval, interval
                yield row(form, way, number, found, total)
    for interval in INTERVALS:
        guided = DetectorInterpreter(files["int8", "features"], threads=1)
        video = VideoDetector(guided, schedule=FixedInterval(interval), score=SCORE)
        found = found_in(video, clips, f"int8, features, interval {interval}")
        total = times["int8", "key"] + (interval - 1) * times["int8", "between"]
        yield row("int8", "features", interval, found, total / interval)


def found_in(video, clips, what):
    """A list of detections for each clip."""
    found = []
    with progress_bar(what) as progress:
        for number, clip in enumerate(clips):
            video.reset()
            found.append([video.next(frame.image) for frame in clip])
            progress(number + 1, len(clips))
    return found


def carried(every, flow, schedule, clips, what):
    """(list of detections for each clip, share of key frames, share of frames with flow)."""
    found, flow, keys = [], Counted(flow), 0
    with progress_bar(what) as progress:
        for number, (clip, known) in enumerate(zip(clips, every)):
            time = [0]  # that detect looks at
            video = BoxPropagator(
                lambda frame, known=known, time=time: known[time[0]],
                flow,
                schedule,
                flow_every=FLOW_EVERY,
            )
            found.append([])
            for time[0] in range(len(clip)):
                found[-1].append(video.next(clip[time[0]].image))
                keys += video.is_key
            progress(number + 1, len(clips))
    frames = sum(map(len, clips))
    return found, keys / frames, flow.count / frames


class Counted:
    """A flow network that counts how often it is asked."""

    def __init__(self, flow):
        self.flow, self.count = flow, 0
        self.size, self.gives_confidence = flow.size, flow.gives_confidence

    def predict_flow(self, *pair, **options):
        self.count += 1
        return self.flow.predict_flow(*pair, **options)


def write_tables(rows):
    """Puts the numbers into docs/video.md, between the comments there."""
    table = {(r["clips"], r["form"], r["way"], r["interval"]): r for r in rows}

    def line(name, *key):
        row, every = table[key], table[key[0], "int8", "every frame", 1]
        other = key[2] == "features"  # another detector's weights
        share = "" if other else f"{100 * row['ap'] / every['ap']:.0f} %"
        parts = [f"{row[f'ap_{speed}']:.3f}" for speed in ("slow", "medium", "fast")]
        time_share = f"{100 * row['ms'] / every['ms']:.0f} %"
        return [name, f"{row['ap']:.3f}", share, *parts, f"{row['ms']:.1f}", time_share]

    heads = ["int8", "AP", "of every frame's", *SPEEDS, "ms", "of every frame's"]
    first = rows[0]
    for clips in ("hand-held", "fast"):
        every = table[clips, "int8", "every frame", 1]
        cells = [line("every frame", clips, "int8", "every frame", 1)]
        for interval in INTERVALS:
            for way in ("held", "boxes", "features"):
                cells.append(line(f"{way}, {interval}", clips, "int8", way, interval))
        for key in [key for key in table if key[:3] == (clips, "int8", CHOSEN)]:
            cells.append(line(f"{CHOSEN}: {key[3]}", *key))
        lines = [
            f"COCO's AP on {every['count']} synthetic clips, ms a frame; one thread of "
            f"{first['cpu']}, {first['date'][:10]}.",
            "",
            *markdown_table(heads, cells),
        ]
        put_table(DOCS, f"video_detection_{clips}", lines)


def write_figures(rows):
    """AP over the interval, a figure for each kind of clips."""
    for clips in ("hand-held", "fast"):
        curves = {}
        for row in rows:
            if (row["form"], row["clips"]) == ("int8", clips) and row["way"] != CHOSEN:
                curves.setdefault(row["way"], []).append((row["interval"], 100 * row["ap"]))
        curves["every frame"].append((max(INTERVALS), curves["every frame"][0][1]))
        write_curves(DOCS.parent / f"detection_{clips}.svg", curves, *LABELS)


if __name__ == "__main__":
    main()
