"""Makes the detector that comes with tfflow: two .tflite files, and a card with their results.

    tfflow train-detector images && tfflow train-detector clips
    python export/make_detector.py --data-dir clips

Ships int8 or else int8 weights only: the first whose precision is within 3 % of float32's.
"""

import argparse
import pathlib
import shutil
import sys
import tempfile

from tfflow.startup import start_backend_quietly

start_backend_quietly()

from tfflow.checksum import sha256_of
from tfflow.detection import (
    DetectorInterpreter,
    FixedInterval,
    VideoDetector,
    evaluate,
    export_detector,
    load_detector,
    training,
)
from tfflow.detection.export import MAX_CLIPS
from tfflow.detection.presets import FOLDER
from tfflow.progress import progress_bar
from tfflow.weights import presets

NAME = "shapes"
# 1.5 times the size of the training frames, for small objects; the flow stays at 128x192.
SIZE, FLOW_SCALE = (384, 576), 1 / 3
INTERVAL = 10
FORMS = ("int8", "weights")  # the first one that is good enough is shipped
LOSS = 0.03  # of float32's precision
DESCRIPTION = (
    "Nine kinds of synthetic shapes in the hues that they were trained in. A demonstration of "
    "detection guided by flow: it knows no real objects."
)


HISTORY = (
    "Stage images: 3,000 steps on clips with faster and smaller things, then 500 on those of "
    "tfflow train-detector. Stage clips: 750 steps, then 500 more."
)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="runs/detector_clips/model.keras")
    parser.add_argument("--data-dir", type=pathlib.Path, default=pathlib.Path("clips"))
    arguments = parser.parse_args()
    try:
        make(load_detector(arguments.model), *training.synthetic_clips(arguments.data_dir))
    except (ValueError, OSError) as error:
        sys.exit(f"make_detector: {error}")


def make(detector, train, held_out):
    calibration = [long_clip(train[index]) for index in range(MAX_CLIPS)]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        results = {}
        for form in ("float32", *FORMS):
            (folder / form).mkdir()
            paths = export_detector(
                detector,
                folder / form / f"{NAME}.tflite",
                classes=held_out.classes,
                size=SIZE,
                flow_scale=FLOW_SCALE,
                quantization=form,
                calibration=calibration,
                metadata={"licence": "Apache-2.0", "preset": NAME},
            )
            results[form] = measure(paths[0], held_out)
            print(form, results[form], flush=True)
            if form in FORMS and results[form]["ap"] >= (1 - LOSS) * results["float32"]["ap"]:
                break
        else:
            raise ValueError(f"All of {', '.join(FORMS)} lost more than {LOSS:.0%} of the AP.")
        card = {
            "name": NAME,
            "description": DESCRIPTION,
            "history": HISTORY,
            "commands": [
                "tfflow train-detector images",
                "tfflow train-detector clips",
                "python export/make_detector.py",
            ],
            "licence": "Apache-2.0",
            "classes": list(held_out.classes),
            "size": list(SIZE),
            "interval": INTERVAL,
            "form": form,
            "results": {"clips": len(held_out), **results},
            "tflite": {part: sha256_of(path) for part, path in zip(("key", "between"), paths)},
        }
        for path in paths:
            shutil.copy(path, FOLDER / path.name)
        presets.write_card(card, FOLDER)


def long_clip(clip):
    """A training clip (every fourth frame of a video) with each frame repeated four times."""
    return [clip[time // 4].image for time in range(4 * len(clip))]


def measure(path, clips):
    video = VideoDetector(
        DetectorInterpreter(path, threads=1), schedule=FixedInterval(INTERVAL), score=0.05
    )
    with progress_bar(path.name) as progress:
        result = evaluate(video, clips, progress=progress)
    speeds = {f"ap_{name}": part.ap for name, part in result.of_speed.items()}
    numbers = {"ap": result.ap, "ap50": result.ap50, "ap75": result.ap75, **speeds}
    return {name: round(value, 4) for name, value in numbers.items()}


if __name__ == "__main__":
    main()
