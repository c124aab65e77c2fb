"""Where models, weights and files meet: a name or a path becomes something that predicts."""

import hashlib
import pathlib
import re
import urllib.parse
import zipfile

from tfflow.cache_folder import cache_folder
from tfflow.models import registry
from tfflow.suggestion import suggestion
from tfflow.weights import checkpoints, preset_folder, presets
from tfflow.weights.projects import networks_that_fit
from tfflow.weights.state_dict import SUFFIXES, read_checkpoint

ENGINES = ("keras", "tflite")
WEB = ("https://", "http://")
_ENGINE_OF = {".keras": "keras", ".tflite": "tflite"}


def load(source, engine=None, compile=False):
    """See :func:`tfflow.load`."""
    name, path = str(source), pathlib.Path(source)
    if engine not in (None, *ENGINES):
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}; got {engine!r}.")
    _check_engine(path, engine)
    from_elsewhere = name.startswith((*WEB, preset_folder.HUB))
    if compile and (path.suffix != ".keras" or from_elsewhere):
        raise ValueError(
            f"compile=True restores the training that a .keras file on this machine holds; got "
            f"{name!r}. Leave it out, and call model.compile."
        )
    if name in presets.list_presets():
        if engine == "tflite":
            return _load_file(presets.preset_tflite(name))
        card = presets.preset_card(name)
        return create_from_preset(card["model"], card["name"], {})
    if name in checkpoints.list_checkpoints():
        if engine == "tflite":
            raise ValueError(f"{name} is for Keras; export it, and load the .tflite file.")
        return checkpoints.load_checkpoint(name)
    if name.startswith(WEB):
        path = _downloaded(name)
    elif name.startswith(preset_folder.HUB):
        path = pathlib.Path(preset_folder.folder_from_hub(name))
    if path.is_dir():
        from_elsewhere = True  # presets are made to be passed on
        path = preset_folder.preset_file(path, engine)
    if path.suffix in SUFFIXES:
        raise ValueError(_to_be_imported(path))
    if path.suffix not in _ENGINE_OF:
        raise ValueError(_unknown(name))
    _check_engine(path, engine)  # an address may end in a query
    if from_elsewhere and path.suffix == ".keras":
        preset_folder.check_classes(path)
    return _load_file(path, compile)


save_preset = preset_folder.save_preset_folder


def _check_engine(path, engine):
    if engine and _ENGINE_OF.get(path.suffix, engine) != engine:
        raise ValueError(
            f"A {path.suffix} file runs on {_ENGINE_OF[path.suffix]}, not on {engine}. "
            "tfflow export makes a .tflite file of a model."
        )


def _load_file(path, compile=False):
    if path.suffix == ".keras":
        return _load_keras(path, compile)
    from tfflow.tflite import FlowInterpreter

    return FlowInterpreter(path)


def _downloaded(url):
    """The file of an address, in the cache."""
    from tfflow.download import fetch
    from tfflow.tflite.interpreter import open_interpreter
    from tfflow.tflite.model_file import check_model_file

    def check(file):
        try:
            if file.suffix == ".tflite":
                open_interpreter(check_model_file(file), 1)
            else:
                preset_folder.check_archive(file)
        except ValueError as error:
            raise ValueError(
                f"{url} gave no whole {file.suffix} file, perhaps a page to log in; nothing was "
                f"kept: {error}"
            ) from None

    name = pathlib.PurePosixPath(urllib.parse.urlsplit(url).path).name
    if pathlib.PurePath(name).suffix not in _ENGINE_OF:
        raise ValueError(f"Expected the address of a .keras or .tflite file; got {url}.")
    folder = hashlib.sha256(url.encode()).hexdigest()[:16]
    return fetch(url, cache_folder() / "files" / folder / name, check=check)


def create_from_preset(name, preset, arguments):
    """A network with a preset's weights; the preset brings the constructor arguments it needs.

    Raises:
        ValueError: If the preset is unknown, of another network, or contradicted by ``arguments``.
    """
    card = presets.preset_card(preset)
    if card["model"] != name:
        fitting = ", ".join(presets.list_presets(name)) or "none"
        raise ValueError(
            f"Preset {preset!r} is for {card['model']!r}, not {name!r}; presets of that: {fitting}."
        )
    for key, value in arguments.items():
        if key in card["arguments"] and card["arguments"][key] != value:
            raise ValueError(
                f"Preset {preset!r} has {key}={card['arguments'][key]!r} and can't have {value!r}."
            )
    model = registry.create(name, **{**card["arguments"], **arguments})
    return presets.load_preset(model, preset)


def _load_keras(path, compile):
    if not path.is_file():
        raise FileNotFoundError(f"No model at {path}.")
    import keras

    for name in registry.list():
        registry.entry(name).model_class()  # which registers a user's own class with Keras

    if pathlib.Path(path).suffix == ".keras" and not zipfile.is_zipfile(path):
        raise ValueError(
            f"{path} can't be loaded as a Keras model: it is no zip archive, so it is damaged, or "
            "no .keras file."
        )
    try:
        model = keras.saving.load_model(path, compile=compile)
    except Exception as error:
        unknown = re.search(r"Could not locate class '(\w+)'", str(error))
        if unknown:
            raise ValueError(
                f"{path} is of a class {unknown[1]} that nothing here has imported. Import its "
                "module first; on the command line, --import MODULE."
            ) from error
        raise ValueError(f"{path} can't be loaded as a Keras model: {error}") from error
    if compile and not model.compiled:
        raise ValueError(
            f"{path} holds no training to go on with: the model was saved before compile. Load it "
            "without compile=True, and call model.compile."
        )
    return model


def _to_be_imported(path):
    """What to do with another project's checkpoint: the command, with the network it is for."""
    try:
        fitting = networks_that_fit(read_checkpoint(path).tensors)
    except ImportError:  # PyTorch or safetensors is missing
        fitting = []
    others = f" ({' or '.join(fitting[1:])} fits too)" if fitting[1:] else ""
    return (
        f"{path} is another project's checkpoint. First: tfflow import-weights "
        f"{(fitting or ['NETWORK'])[0]} {path} -o {path.stem}.keras{others}; then take "
        f"{path.stem}.keras."
    )


def _unknown(source):
    if source in registry.list():
        return (
            f"{source!r} is a network without weights: there is no preset of that name. Train it, "
            "or import weights (tfflow import-weights), and pass the .keras or .tflite file."
            + _published(source)
        )
    if source.partition("/")[0] in checkpoints.PROJECT_TERMS:
        checkpoints.checkpoint(source)  # raises, with the nearest name
    return (
        f"{source!r} is neither a preset, a published checkpoint (tfflow models --checkpoints), a "
        "folder or address of a preset, nor a .keras or .tflite file. "
        f"{suggestion(source, presets.list_presets())}"
    )


def _published(network):
    names = checkpoints.list_checkpoints(network)
    return f" Published weights: tfflow.load({names[-1]!r}) and others." if names else ""
