"""Presets in folders, to be passed on: weights, a card, exported files, with their SHA-256.

A folder holds ``preset.json`` (the card), ``model.keras``, ``README.md`` and any ``.tflite`` files.
It may lie on a disk, or on the Hugging Face Hub as ``hf://user/name`` or ``hf://user/name@revision``.
"""

from __future__ import annotations

import json
import pathlib
import shutil
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tfflow.atomic_file import atomic_file, write_json
from tfflow.checksum import sha256_of
from tfflow.types import PathLike

if TYPE_CHECKING:
    from tfflow.models import FlowModel

CARD = "preset.json"
MODEL = "model.keras"
README = "README.md"
HUB = "hf://"


def save_preset_folder(
    model: FlowModel,
    folder: PathLike,
    card: dict[str, Any] | None = None,
    tflite: Sequence[PathLike] = (),
) -> pathlib.Path:
    """Writes a model as a preset that others can load with :func:`tfflow.load`.

    Args:
        model: A :class:`tfflow.models.FlowModel`.
        folder: Where to; it is created. Files of an earlier preset there are replaced.
        card: What others should know, a dict that JSON can hold: ``description``, ``licence``,
            ``trained_on``, ``results``.
        tflite: Paths of exported files that belong to it, copied under their names.

    Returns:
        The folder, as a :class:`pathlib.Path`.

    Raises:
        FileNotFoundError: If one of the exported files does not exist.
        FileExistsError: If the folder is no preset and a file there would be replaced.
        ValueError: If one of them is no ``.tflite`` file, two have one name, or the card has a key
            that is set here.
    """
    folder, files = pathlib.Path(folder), [pathlib.Path(path) for path in tflite]
    names = [path.name for path in files]
    if len({*names}) < len(names):
        raise ValueError(f"Exported files need names of their own; got {', '.join(names)}.")
    for path in files:
        if path.suffix != ".tflite":
            raise ValueError(f"Exported files end in .tflite; got {path}.")
        if not path.is_file():
            raise FileNotFoundError(f"No exported file at {path}.")
    own = {"network": model.name, "class": type(model).__name__}
    own["parameters"] = model.count_params()
    taken = {*own, "sha256"} & set(card or {})
    if taken:
        raise ValueError(f"The card's {', '.join(sorted(taken))} is set here; leave it out.")
    card = {**own, **(card or {})}
    json.dumps(card, allow_nan=False)  # an error now, before anything is written
    folder.mkdir(parents=True, exist_ok=True)
    earlier = _on_card(folder)
    if not (folder / CARD).is_file():
        sources = {path.resolve() for path in files}
        for name in (MODEL, README, *names):
            if (folder / name).exists() and (folder / name).resolve() not in sources:
                raise FileExistsError(
                    f"{folder / name} is there, and no {CARD} of a preset: give another folder."
                )
    with atomic_file(folder / MODEL) as temporary:
        model.save(temporary)
    for path in files:
        if path.resolve() != (folder / path.name).resolve():
            with atomic_file(folder / path.name) as temporary:
                shutil.copyfile(path, temporary)
    card["sha256"] = {name: sha256_of(folder / name) for name in (MODEL, *(p.name for p in files))}
    with atomic_file(folder / README) as temporary:
        temporary.write_text(_readme(card), encoding="utf-8")
    write_json(folder / CARD, card)
    for name in earlier - {*card["sha256"]}:
        (folder / name).unlink(missing_ok=True)
    return folder


def _on_card(folder):
    """The exported files of the preset that a folder holds."""
    try:
        names = json.loads((folder / CARD).read_text(encoding="utf-8"))["sha256"]
        return {n for n in names if n.endswith(".tflite") and pathlib.PurePath(n).name == n}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def preset_file(folder, engine=None):
    """The file of a preset folder that is to be loaded, checked.

    Args:
        folder: The preset.
        engine: ``"keras"``, or ``"tflite"`` for its exported file, the int8 one if there are
            several; None = Keras.

    Raises:
        ValueError: If there is no preset, no such file in it, or one that is not on its card.
    """
    folder = pathlib.Path(folder)
    if not (folder / CARD).is_file():
        raise ValueError(
            f"{folder} is no preset: expected a folder with {CARD} and {MODEL}, as "
            "model.save_preset(folder) writes it."
        )
    try:
        hashes = dict(json.loads((folder / CARD).read_text(encoding="utf-8"))["sha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder / CARD} is no card of a preset: {error!r}.") from None
    name = MODEL
    if engine == "tflite":
        exported = sorted(name for name in hashes if name.endswith(".tflite"))
        if not exported:
            raise ValueError(f"{folder} holds no .tflite file; load it without engine='tflite'.")
        name = next((name for name in exported if "int8" in name), exported[0])
    path = folder / name
    if pathlib.PurePath(name).name != name or not path.is_file():
        raise ValueError(f"{path} is on the preset's card but not in its folder.")
    if sha256_of(path) != hashes.get(name):
        raise ValueError(f"{path} is not the file on its card: its SHA-256 is another.")
    return path


def folder_from_hub(source):
    """Downloads ``hf://user/name`` or ``hf://user/name@revision``; its folder in the Hub's cache.

    Raises:
        ConnectionError: If it can't be had.
        ImportError: If huggingface_hub is missing.
        ValueError: If the name is not of that form.
    """
    name, _, revision = source.removeprefix(HUB).partition("@")
    if len(name.split("/")) != 2 or not all(name.split("/")):
        raise ValueError(f"Expected hf://user/name or hf://user/name@revision; got {source!r}.")
    try:
        import huggingface_hub
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError:
        raise ImportError("Reading hf:// needs: pip install 'tfflow[hub]'") from None
    try:
        return huggingface_hub.snapshot_download(
            name, revision=revision or None, allow_patterns=[CARD, MODEL, "*.tflite"]
        )
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ConnectionError(f"{source} can't be fetched: {reason}") from None


def check_archive(path):
    """Raises ValueError unless a file is a ``.keras`` archive that can be read to its end."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            missing = {"config.json", "model.weights.h5"} - {*archive.namelist()}
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is no .keras file: {error}") from None
    if damaged or missing:
        reason = f"{damaged} is damaged" if damaged else f"{', '.join(sorted(missing))} is missing"
        raise ValueError(f"{path} is no whole .keras file: {reason}.")


def check_classes(path):
    """Checks that a ``.keras`` file from elsewhere names no code but Keras's, ours, and registered.

    Keras's safe mode refuses code in the file. This refuses the import of other modules too.

    Raises:
        ValueError: If it names another class or function; nothing of it has run.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ValueError(f"{path} is no .keras file: {error}") from None
    config.pop("compile_config", None)  # not read: tfflow.load compiles local files only
    import keras

    known = keras.saving.get_custom_objects()
    for name, module, registered in _named(config):
        ours = module.split(".")[0] in ("keras", "tfflow")
        if not ours and registered not in known:
            raise ValueError(
                f"{path} asks for {module}.{name}, which is neither Keras's nor tfflow's. A file "
                "from elsewhere may name only those, and classes that you have registered: if you "
                "trust it, import their module first."
            )


def _named(config):
    """(Name, module, registered name) of each class and function in a configuration."""
    if isinstance(config, dict):
        if "class_name" in config:
            module = config.get("module") or config.get("fn_module") or "nowhere"
            yield str(config["class_name"]), str(module), config.get("registered_name")
        for value in config.values():
            yield from _named(value)
    elif isinstance(config, list):
        for value in config:
            yield from _named(value)


def _readme(card):
    rows = "\n".join(f"* {key}: {value}" for key, value in card.items() if key != "sha256")
    files = "\n".join(f"* `{name}`: SHA-256 `{digest}`" for name, digest in card["sha256"].items())
    return f"""---
library_name: tfflow
tags: [optical-flow, keras, tflite]
---

# {card["network"]}

Optical flow, trained with tfflow. Load it with `tfflow.load`, from this folder or from
`hf://user/name`:

```python
import tfflow

model = tfflow.load("hf://user/name")
flow = model.predict_flow(image1, image2)
```

{rows}

Files:

{files}
"""
