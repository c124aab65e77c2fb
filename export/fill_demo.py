"""Fills the demos' assets with the files that we ship: never copied by hand.

    python export/fill_demo.py              # writes them
    python export/fill_demo.py --check      # says whether they are up to date

An app gets the .tflite files that definitions.py lists under DEMO, models.json with what it must
know about them, and a golden pair: two images, their true flow and the flow that each file
predicts, for the app's check at start. The web demo's site is made from the same files, by
web_demo/make_site.py. `tfflow export --android-assets` adds a network that is not a preset, and
`tfflow export-detector --android-assets` a detector.
"""

import argparse
import os
import pathlib
import sys

from tfflow.startup import start_backend_quietly

start_backend_quietly()

from definitions import DEMO, DEMO_ASSETS, DEMO_DETECTORS

from tfflow.atomic_file import atomic_file
from tfflow.detection.app_assets import detector_assets
from tfflow.detection.presets import detector_card, detector_files
from tfflow.tflite.app_assets import LIST, GoldenPair, file_assets, list_file
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
        path = folder / name
        path.unlink(missing_ok=True)
        if isinstance(content, pathlib.Path):
            path.symlink_to(os.path.relpath(content, folder))
        else:
            with atomic_file(path) as temporary:
                temporary.write_bytes(content)
        print(path)


def same(path, content):
    if isinstance(content, pathlib.Path):
        return path.is_file() and path.samefile(content)
    return path.is_file() and path.read_bytes() == content


def assets():
    """File name -> content, or the package file that a link of that name points to."""
    golden = GoldenPair()
    files, models = golden.files(), []
    for name, forms in DEMO.items():
        entries = []
        for preset, form in forms:
            path = presets.preset_tflite(preset, form)
            entry, content = file_assets(path, golden)
            entries.append(entry)
            files |= content | {path.name: path}
        models.append({"name": name, "files": entries})
    detectors = []
    for name in DEMO_DETECTORS:
        entry, paths = detector_assets(detector_files(name), detector_card(name)["interval"])
        detectors.append(entry)
        files |= paths
    files[LIST] = list_file({"golden": golden.entry(), "models": models, "detectors": detectors})
    return files


if __name__ == "__main__":
    main()
