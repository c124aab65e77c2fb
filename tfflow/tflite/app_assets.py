"""The assets of an app: networks, their list, and a pair of images for the phone's self-check.

A folder of assets holds ``models.json``::

    {"golden": {"image1": "golden_image1.png", "image2": …, "truth": "golden_truth.bin",
                "step": 16},
     "models": [{"name": "lightflow", "files": [{"file": "lightflow_int8.tflite", "sha256": …,
                 "quantization": "int8", "golden_flow": "golden_flow_lightflow_int8.bin", …}]}],
     "detectors": […]}

The first network is the app's default. A network may have files of several quantization
modes: on a GPU an app runs the one in float16. For a file exported with streaming, ``streaming``
names what encode gives and match takes; the golden flow is then computed by these two, as in the
apps. Flows have every ``step``-th pixel in both directions, (u, v), little-endian float32.
"""

import hashlib
import io
import json
import pathlib

import numpy as np

from tfflow.atomic_file import atomic_file
from tfflow.data import SceneConfig
from tfflow.data.scenes import render, sample_scene
from tfflow.folder_lock import folder_lock
from tfflow.models.streaming import FlowStream
from tfflow.tflite.interpreter import FlowInterpreter
from tfflow.types import PathLike

# Small motions, 4 px on average: on large ones, where networks guess, rounding on even a good
# accelerator moves the flow by pixels.
GOLDEN_SCENE = SceneConfig(height=384, width=512, textures=24, shapes=48, motion_scale=0.15)
GOLDEN_SEED = 3
GOLDEN_STEP = 16
LIST = "models.json"
# What Android's runtime and LiteRT.js take: they have no int8 inputs.
_FLOATS = "float32"


class GoldenPair:
    """The two images and their true flow, drawn.

    Attributes:
        images: Two uint8 arrays (384, 512, 3).
        truth: float32 (24, 32, 2), at every sixteenth pixel.
    """

    def __init__(self):
        rendered = render(sample_scene(GOLDEN_SCENE, GOLDEN_SEED, 0))
        self.images = rendered.images
        self.truth = _thinned(rendered.flows[0])

    def files(self):
        """File name -> content."""
        files = {"golden_truth.bin": self.truth.astype("<f4").tobytes()}
        for place, image in enumerate(self.images, start=1):
            files[f"golden_image{place}.png"] = _png(image)
        return files

    @staticmethod
    def entry():
        """Its entry in the list."""
        return {
            "image1": "golden_image1.png",
            "image2": "golden_image2.png",
            "truth": "golden_truth.bin",
            "step": GOLDEN_STEP,
        }


def file_assets(path, golden=None):
    """What an app needs for one exported file.

    Args:
        path: A file written by :func:`tfflow.tflite.export` that takes and gives float32.
        golden: A :class:`GoldenPair`, if there is one already.

    Returns:
        (its entry in the list, a dict of file name -> content).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not an exported flow network, or takes integers.
    """
    golden = golden or GoldenPair()
    interpreter = FlowInterpreter(path, threads=1)
    path = interpreter.path
    tensors = (*interpreter.inputs.values(), interpreter.output)
    kinds = {details["dtype"].__name__ for details in tensors}
    if kinds != {_FLOATS}:
        raise ValueError(
            f"{path} takes or gives {', '.join(sorted(kinds - {_FLOATS}))}; the apps need float32 "
            "images and flow. Export it as int8, float16 or float32."
        )
    content = path.read_bytes()
    # A thinned flow is enough to see that a phone computes the same.
    flow = _thinned(app_flow(interpreter, *golden.images))
    name = f"golden_flow_{path.stem}.bin"
    entry = {
        "quantization": "unknown",
        **interpreter.metadata,
        "file": path.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "inputs": "image1, image2: (1, height, width, 3) float32 RGB in [0, 1]",
        "output": "flow: (1, height, width, 2) float32, px from image1 to image2, (u, v)",
        "golden_flow": name,
    }
    if interpreter.gives_confidence:
        entry["output"] += "; confidence: (1, h, w, 1) float32 in [0, 1], of its own size"
    if interpreter.siamese:
        signatures = interpreter.litert.get_signature_list()
        entry["streaming"] = {
            "encode": sorted(signatures["encode"]["outputs"]),
            "match": sorted(signatures["match"]["inputs"]),
        }
    return entry, {path.name: content, name: flow.astype("<f4").tobytes()}


def add_to_assets(path: PathLike, folder: PathLike, name: str | None = None) -> str:
    """Puts an exported file into an app's assets, and into the list there.

    The golden pair is written too. A file of the same network and quantization mode is replaced;
    other networks, and detectors, stay as they are.

    Args:
        path: A ``.tflite`` file of :func:`tfflow.tflite.export`.
        folder: The assets, such as ``app/src/main/assets``; created if missing.
        name: The network's name in the app; by default the file's name without its quantization
            mode.

    Returns:
        The network's name.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not an exported flow network, takes integers, the list is damaged, or
            another network there has a file of this name.
    """
    folder, golden = pathlib.Path(folder), GoldenPair()
    entry, files = file_assets(path, golden)
    form = entry["quantization"]
    name = name or pathlib.Path(path).stem.removesuffix(f"_{form}")
    open_list(folder)  # what is wrong with it is said before anything is made
    folder.mkdir(parents=True, exist_ok=True)
    with folder_lock(folder):
        _add(folder, name, form, entry, {**golden.files(), **files})
    return name


def _add(folder, name, form, entry, files):
    models = open_list(folder)
    check_names(folder, files, [(f["key"], f["between"]) for f in models.get("detectors", [])])
    for model in models["models"]:
        for other in model["files"]:
            replaced = (model["name"], other["quantization"]) == (name, form)
            another = other["file"] == entry["file"] and other["sha256"] != entry["sha256"]
            if another and not replaced:
                raise ValueError(
                    f"{entry['file']} is already in {folder / LIST}, as {model['name']} in "
                    f"{other['quantization']}. Give the file another name."
                )
    if name not in [model["name"] for model in models["models"]]:
        models["models"].append({"name": name, "files": []})
    of_it = next(model for model in models["models"] if model["name"] == name)
    others = [file for file in of_it["files"] if file["quantization"] != form]
    replaced = [file for file in of_it["files"] if file not in others]
    of_it["files"] = [*others, entry]
    write_assets(folder, {**files, LIST: list_file(models)})
    listed = files_of(models)
    for file in replaced:
        for left in {file["file"], file["golden_flow"]} - listed:
            (folder / left).unlink(missing_ok=True)


def files_of(models):
    """The names of all files of a list's networks."""
    of_networks = (file for model in models["models"] for file in model["files"])
    return {file[kind] for file in of_networks for kind in ("file", "golden_flow")}


def check_names(folder, files, taken):
    """Raises ValueError if a file would be written over one of another kind of network."""
    if both := sorted({*files} & {name for names in taken for name in names}):
        raise ValueError(
            f"{both[0]} is already in {folder / LIST}, as a network of another kind. Give the file "
            "another name."
        )


def write_assets(folder, files):
    """Writes files, name -> content, into an app's assets. What a link leads to stays as it is."""
    for name, content in files.items():
        path = folder / name
        if path.is_symlink():  # as the demo's presets are: theirs is the package's own file
            path.unlink()
        with atomic_file(path) as temporary:
            temporary.write_bytes(content)


def open_list(folder):
    """The content of models.json, to which a file with this version's golden pair can be added.

    Raises:
        ValueError: If it is damaged, or has another pair.
    """
    models = read_list(folder)
    # An app's other networks were checked with its own pair: a list that has a pair keeps it.
    if models.setdefault("golden", GoldenPair.entry()) != GoldenPair.entry():
        raise ValueError(
            f"{pathlib.Path(folder, LIST)} has another golden pair than this version of tfflow. "
            "Remove it, and add each file again."
        )
    return models


def read_list(folder):
    """The content of models.json, without networks if there is no such file.

    Raises:
        ValueError: If it is damaged, or the folder is a file.
    """
    path = pathlib.Path(folder) / LIST
    if path.parent.is_file():
        raise ValueError(f"{folder} is a file; expected a folder of an app's assets.")
    if not path.is_file():
        return {"models": []}
    try:
        listing = json.loads(path.read_text())
        for model in listing["models"]:
            model["name"], model["files"]
        for detector in listing.get("detectors", []):
            detector["key"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is no list of networks ({error}). Remove it, and add each file again."
        ) from error
    return listing


def list_file(models):
    """The content of models.json."""
    return (json.dumps(models, indent=2) + "\n").encode()


def app_flow(interpreter, image1, image2):
    """The flow (H, W, 2) as the apps compute it: by encode and match, if the file has them.

    The signature "flow" of an int8 file rounds differently.
    """
    if not interpreter.siamese:
        return interpreter.predict_flow(image1, image2)
    stream = FlowStream(interpreter)
    stream.next(image1)
    return stream.next(image2)


def _thinned(flow):
    return np.ascontiguousarray(flow[::GOLDEN_STEP, ::GOLDEN_STEP])


def _png(image):
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="png", optimize=True)
    return stream.getvalue()
