"""The layout of synthetic scenes on disk, and which of them exist already.

Layout "shards", read by `tfflow.data.SceneCache`:

    scenes.json            version, configuration, seed, count, scenes per shard
    shard-00000/           images.npy     (n, 2, H, W, 3) uint8, RGB
                           flow.npy       (n, H, W, 2) int16, in 1/64 px (rounded: within 1/128 px)
                           occlusion.npy  (n, H, ceil(W / 8)) uint8, one bit per pixel

Nothing is compressed, so a crop is read through a memory map without touching the rest. A scene of
320x448 pixels takes 1.45 MB. A component of the flow that is 512 px or more is not known.

Layout "chairs" is FlyingChairs' own: `FlyingChairs_release/data/00001_img1.ppm`, `_img2.ppm`,
`_flow.flo` and the split file, in which every tenth pair is for validation.
"""

import dataclasses
import functools
import json
import math
import os
import shutil
from pathlib import Path

import numpy as np

from tfflow.atomic_file import atomic_file
from tfflow.data.datasets.chairs import FlyingChairs
from tfflow.data.files.errors import CorruptFileError
from tfflow.data.files.flows import write_flow
from tfflow.data.files.images import write_image
from tfflow.data.scenes.config import DESCRIPTIONS, SceneConfig
from tfflow.data.scenes.textures import Photographs

# Changes whenever the same configuration and seed no longer give the same scenes.
VERSION = 1
FLOW_UNIT = 64
LARGEST_FLOW = np.iinfo(np.int16).max / FLOW_UNIT
SCENES_PER_SHARD = 64
LAYOUTS = tuple(DESCRIPTIONS)
_VALIDATION_STEP = 10
_ARRAYS = ("images", "flow", "occlusion")


def describe(config, seed, count, layout):
    """What a folder's description file says; without the digest of photographs that are gone.

    Raises:
        FileNotFoundError, ValueError: the folder of photographs holds none, see `Photographs`.
    """
    photographs = None
    if config.photographs and os.path.exists(config.photographs):
        photographs = Photographs(config.photographs, config.texture_size).digest
    return {
        "version": VERSION,
        "layout": layout,
        "config": config.to_dict(),
        "seed": int(seed),
        "count": int(count),
        "scenes_per_shard": SCENES_PER_SHARD,
        "photographs": photographs,
    }


def read_description(root):
    """The description of a folder of scenes.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is not what `synthesize` writes.
    """
    paths = [Path(root) / name for name in DESCRIPTIONS.values()]
    found = [path for path in paths if path.is_file()]
    if not found:
        raise FileNotFoundError(
            f"{root} holds no synthetic scenes (no {paths[0].name}); tfflow synthesize draws some"
        )
    try:
        description = json.loads(found[0].read_text())
        known = {field.name for field in dataclasses.fields(SceneConfig)}
        if newer := sorted(set(description["config"]) - known):
            description["config"] = {}
        # With the defaults of options that are newer than the scenes.
        description["config"] = SceneConfig(**description["config"]).to_dict()
        description.setdefault("photographs", None)
        for key in ("version", "seed", "count", "scenes_per_shard"):
            int(description[key])
        LAYOUTS.index(description["layout"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{found[0]} is damaged ({error!r}): draw the scenes anew") from error
    if newer:
        raise ValueError(
            f"{found[0]} is of a newer tfflow, with the options {', '.join(newer)}: update tfflow"
        )
    return description


def check_description(root, description):
    """Checks that a folder is new or empty, or holds the same scenes.

    Returns:
        The description of what it is to hold; an existing folder keeps its number of scenes per
        shard.

    Raises:
        ValueError: the folder holds scenes of another version, layout, seed or configuration, or
            more of them.
        NotADirectoryError: it is a file.
        FileExistsError: it holds something else.
    """
    root = Path(root)
    if root.exists() and not root.is_dir():
        raise NotADirectoryError(f"{root} is a file; give a folder to put the scenes into")
    # Looked at once: another process may be beginning here.
    names = {path.name for path in root.iterdir()} if root.is_dir() else set()
    if not names.isdisjoint(DESCRIPTIONS.values()):
        old = read_description(root)
        # The photographs may have moved.
        moved = {**old["config"], "photographs": description["config"]["photographs"]}
        old = {**old, "config": moved}
        for key in ("version", "layout", "seed", "photographs", "config"):
            gone = key == "photographs" and moved["photographs"] and description[key] is None
            if old[key] != description[key] and not gone:
                raise ValueError(
                    f"{root} holds scenes of another {key}: {_difference(old, description, key)}. "
                    "Scenes are not mixed: take another folder, or delete this one"
                )
        if old["count"] > description["count"]:
            raise ValueError(
                f"{root} holds {old['count']} scenes, more than the {description['count']} asked "
                "for; take the first of them with SceneCache(root)[:count]"
            )
        description = {**description, "scenes_per_shard": old["scenes_per_shard"]}
    # Hidden files may be another process's lock, and what it is about to write.
    elif any(not name.startswith(".") for name in names):
        raise FileExistsError(f"{root} is not empty and holds no scenes; take a new folder")
    return description


def write_description(root, description):
    """Writes the description of what a folder is to hold."""
    with atomic_file(Path(root) / DESCRIPTIONS[description["layout"]]) as temporary:
        temporary.write_text(json.dumps(description, indent=1) + "\n")


def _difference(old, new, key):
    if key == "photographs":
        return "their names or sizes differ"
    if key != "config":
        return f"{old[key]} there, {new[key]} asked for"
    names = sorted(old[key].keys() | new[key].keys())
    pairs = [(name, old[key].get(name), new[key].get(name)) for name in names]
    return ", ".join(f"{n} is {a} there, {b} asked for" for n, a, b in pairs if a != b)


def shards(description):
    """Ranges of scene numbers, one per shard; units of work in both layouts."""
    count, step = description["count"], description["scenes_per_shard"]
    return [range(i, min(i + step, count)) for i in range(0, count, step)]


def shard_folder(root, number):
    """The folder of one shard."""
    return Path(root) / f"shard-{number:05d}"


def missing_parts(root, description):
    """The numbers of the parts that are not there, or not whole."""
    return [n for n in range(len(shards(description))) if not _is_done(root, description, n)]


def is_finished(root, description):
    """Whether a folder holds all that its description says."""
    path = Path(root) / DESCRIPTIONS[description["layout"]]
    split = _chairs_split(root)
    return (
        path.is_file()
        and read_description(root)["count"] == description["count"]
        and (description["layout"] != "chairs" or _length(split) == description["count"])
        and not missing_parts(root, description)
    )


def _length(split):
    return len(split.read_text(encoding="utf-8").split()) if split.is_file() else 0


def _is_done(root, description, number):
    part = shards(description)[number]
    if description["layout"] == "chairs":
        files = (path for index in part for path in _chairs_files(root, index))
        return all(path.is_file() and path.stat().st_size for path in files)
    folder = shard_folder(root, number)
    try:
        found = [len(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in _ARRAYS]
    except Exception:  # NumPy reads the header with Python's parser
        return False
    return found == [len(part)] * len(found)


def open_array(root, number, name, shape):
    """One of a shard's files, mapped into memory; ``shape`` is (scenes, height, width)."""
    path = shard_folder(root, number) / f"{name}.npy"
    file = path.stat()
    # A folder may be drawn anew, and a relative name means another one elsewhere.
    return _mapped(path, name, shape, (file.st_dev, file.st_ino, file.st_mtime_ns, file.st_size))


# Each open map holds one of 1024 file descriptors.
@functools.lru_cache(maxsize=300)
def _mapped(path, name, shape, identity):
    """A file, mapped into memory, as long as it is the same.

    np.load reads a file's header with Python's parser. In Python 3.11 that fails at random if
    another thread parses too, TensorFlow's AutoGraph for one: "AST constructor recursion depth
    mismatch". The shapes are known. The file may hold more scenes, since a cache can be extended.
    """
    count, height, width = shape
    shape, dtype = {
        "images": ((count, 2, height, width, 3), np.uint8),
        "flow": ((count, height, width, 2), np.int16),
        "occlusion": ((count, height, -(-width // 8)), np.uint8),
    }[name]
    with path.open("rb") as file:  # NumPy's format, version 1: the header's length at byte 8
        header = 10 + int.from_bytes(file.read(10)[8:], "little")
    if header + math.prod(shape) * np.dtype(dtype).itemsize > identity[-1]:
        raise CorruptFileError(
            f"{path} is cut off; call synthesize() with the same arguments again"
        )
    return np.memmap(path, dtype, "r", header, shape)


def write_shard(root, number, scenes):
    """Writes the rendered scenes of one shard; its name appears when it is complete."""
    limit = LARGEST_FLOW
    arrays = {
        "images": np.stack([scene.images for scene in scenes]),
        "flow": np.stack(
            [
                np.rint(np.clip(scene.flows[0], -limit, limit) * FLOW_UNIT).astype(np.int16)
                for scene in scenes
            ]
        ),
        "occlusion": np.stack([np.packbits(scene.occlusions[0], axis=-1) for scene in scenes]),
    }
    folder = shard_folder(root, number)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name, array in arrays.items():
        np.save(partial / f"{name}.npy", array)
    shutil.rmtree(folder, ignore_errors=True)  # a shorter one, when a cache is extended
    os.replace(partial, folder)


def _chairs_files(root, index):
    data = Path(root) / "FlyingChairs_release" / "data"
    return [data / f"{index + 1:05d}_{part}" for part in ("img1.ppm", "img2.ppm", "flow.flo")]


def write_chairs_pair(root, index, scene):
    """Writes one rendered scene in FlyingChairs' layout."""
    image1, image2, flow = _chairs_files(root, index)
    image1.parent.mkdir(parents=True, exist_ok=True)
    write_image(image1, scene.images[0])
    write_image(image2, scene.images[1])
    write_flow(flow, scene.flows[0])


def _chairs_split(root):
    return Path(root) / "FlyingChairs_release" / FlyingChairs.SPLIT_FILE


def write_chairs_split(root, count):
    """Writes the split file, whose first line belongs to pair 00001: 1 training, 2 validation."""
    lines = ["2" if (i + 1) % _VALIDATION_STEP == 0 else "1" for i in range(count)]
    with atomic_file(_chairs_split(root)) as temporary:
        temporary.write_text("\n".join(lines) + "\n")
