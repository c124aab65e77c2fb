"""Presets: weights that we trained and ship, each a file with its card.

A preset NAME is two files in the folder ``presets``: ``NAME.json``, the card, and
``NAME.weights.npz``, the variables in the model's own order. The card says what the weights are:
network, constructor arguments, data, recipe, results, licence, and the SHA-256 of the weights.
"""

import difflib
import hashlib
import json
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).parent / "presets"


def list_presets(model=None):
    """Names of the presets in the package, all or those of one network."""
    names = sorted(path.stem for path in FOLDER.glob("*.json"))
    return [name for name in names if model is None or preset_card(name)["model"] == model]


def preset_card(name):
    """The card of a preset: a dict with ``model``, ``arguments``, ``sha256``, results, licence.

    Raises:
        ValueError: If there is no such preset; the nearest name is suggested.
    """
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        known = list_presets()
        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"No preset is named {name!r}.{hint} Known: {', '.join(known) or 'none'}.")
    return json.loads(path.read_text(encoding="utf-8"))


def load_preset(model, name):
    """Loads a preset's weights into the model that its card describes.

    Raises:
        ValueError: If the file is not the one of the card, or does not fit the model.
    """
    card = preset_card(name)
    path = FOLDER / f"{name}.weights.npz"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != card["sha256"]:
        raise ValueError(
            f"{path} is damaged: its SHA-256 is {digest}, the card says {card['sha256']}. "
            "Install tfflow again."
        )
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


def save_preset(model, name, card, folder=FOLDER):
    """Writes a model's weights and its card into a folder of presets.

    Kernels are kept as float16, which moves a flow by hundredths of a pixel at most; vectors, with
    batch norm's statistics among them, as float32.

    Args:
        model: The trained model.
        name: Name of the preset.
        card: What there is to say; ``model``, ``arguments`` (the constructor's) and ``licence`` at
            least. The SHA-256 is added.
        folder: Where; the package's own by default.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.weights.npz"
    values = (v.astype(np.float16) if v.ndim > 1 else v for v in model.get_weights())
    np.savez_compressed(path, **{f"{i:03d}": value for i, value in enumerate(values)})
    card = {"name": name, **card, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    (folder / f"{name}.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
