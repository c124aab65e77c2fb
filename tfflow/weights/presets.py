"""Presets: weights that we trained and ship, each a file with its card.

A preset NAME is a set of files in the folder ``presets``: ``NAME.json``, the card;
``NAME.weights.npz``, the variables in the model's own order; and exported files,
``NAME_FORM.tflite``. The card says what the weights are: network, constructor arguments, data,
recipe, results, licence, and the SHA-256 of each file.
"""

from __future__ import annotations

import json
import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np

from tfflow.atomic_file import write_json
from tfflow.checksum import sha256_of
from tfflow.suggestion import suggestion
from tfflow.types import PathLike

if TYPE_CHECKING:
    from tfflow.models import FlowModel

FOLDER = pathlib.Path(__file__).parent / "presets"
# Which of a preset's .tflite files is taken where none is named.
TFLITE_FORM = "int8"


def list_presets(model: str | None = None) -> list[str]:
    """Names of the presets in the package, all or those of one network."""
    names = sorted(path.stem for path in FOLDER.glob("*.json"))
    return [name for name in names if model is None or preset_card(name)["model"] == model]


def preset_card(name: str, folder: PathLike | None = None) -> dict[str, Any]:
    """The card of a preset: a dict with ``model``, ``arguments``, ``sha256``, results, licence.

    Args:
        name: Name of the preset.
        folder: Where presets lie; None: in the package.

    Raises:
        ValueError: If there is no such preset; the nearest name is suggested.
    """
    path = pathlib.Path(folder or FOLDER, f"{name}.json")
    if not path.is_file():
        raise ValueError(f"No preset is named {name!r}. {suggestion(name, list_presets())}")
    return json.loads(path.read_text(encoding="utf-8"))


def load_preset(model: FlowModel, name: str, folder: PathLike | None = None) -> FlowModel:
    """Loads a preset's weights into the model that its card describes.

    Args:
        model: The model.
        name: Name of the preset.
        folder: Where presets lie; None: in the package.

    Raises:
        ValueError: If the file is not the one on the card, or does not fit the model.
    """
    card = preset_card(name, folder)
    path = checked_file(pathlib.Path(folder or FOLDER, f"{name}.weights.npz"), card["sha256"])
    with np.load(path, allow_pickle=False) as archive:
        values = [archive[key].astype(np.float32) for key in archive.files]
    expected = [tuple(variable.shape) for variable in model.weights]
    if [value.shape for value in values] != expected:
        raise ValueError(
            f"Preset {name!r} is for {card['model']} {card['arguments']}, not {model.name}."
        )
    for variable, value in zip(model.weights, values):
        variable.assign(value)
    return model


def preset_tflite(name: str, form: str = TFLITE_FORM) -> pathlib.Path:
    """The path of a preset's exported file, which comes with the package.

    Args:
        name: Name of the preset.
        form: A key of the card's ``tflite``: ``"int8"``, ``"float16"``, or, for some presets,
            ``"small"``: for real time, on a quarter of the pixels.

    Raises:
        ValueError: If there is no such preset, it has no such file, or the file is damaged.
    """
    files = preset_card(name).get("tflite", {})
    if form not in files:
        known = ", ".join(files) or "none"
        raise ValueError(f"Preset {name!r} has no .tflite file in {form!r}; there is: {known}.")
    return checked_file(FOLDER / f"{name}_{form}.tflite", files[form]["sha256"])


def checked_file(path: pathlib.Path, sha256: str) -> pathlib.Path:
    """The path, if the file there has this hash.

    Raises:
        ValueError: If it is missing or has another hash.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing. Install tfflow again.")
    digest = sha256_of(path)
    if digest != sha256:
        raise ValueError(
            f"{path} is damaged: its SHA-256 is {digest}, the card says {sha256}. "
            "Install tfflow again."
        )
    return path


def save_preset(
    model: FlowModel, name: str, card: dict[str, Any], folder: PathLike | None = None
) -> None:
    """Writes a model's weights and its card into a folder of presets.

    Kernels are kept as float16, which moves a flow by hundredths of a pixel at most; vectors,
    including batch norm's statistics, as float32.

    Args:
        model: The trained model.
        name: Name of the preset.
        card: The card's content, at least ``model``, ``arguments`` (the constructor's) and
            ``licence``. The SHA-256 is added.
        folder: Where presets lie; None: in the package.
    """
    folder = pathlib.Path(folder or FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.weights.npz"
    values = (v.astype(np.float16) if v.ndim > 1 else v for v in model.get_weights())
    np.savez_compressed(path, **{f"{i:03d}": value for i, value in enumerate(values)})
    write_card({"name": name, **card, "sha256": sha256_of(path)}, folder)


def write_card(card: dict[str, Any], folder: PathLike | None = None) -> None:
    """Writes a preset's card to the file that its ``name`` gives."""
    write_json(pathlib.Path(folder or FOLDER, f"{card['name']}.json"), card)
