"""Where models, weights and files meet: a name or a path becomes something that predicts."""

import pathlib

from tfflow.models import registry
from tfflow.suggestion import suggestion
from tfflow.weights import presets

ENGINES = ("keras", "tflite")
_ENGINE_OF = {".keras": "keras", ".tflite": "tflite"}


def load(source, engine=None, compile=False):
    """See :func:`tfflow.load`."""
    path = pathlib.Path(source)
    if engine not in (None, *ENGINES):
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}; got {engine!r}.")
    if engine and _ENGINE_OF.get(path.suffix, engine) != engine:
        raise ValueError(
            f"A {path.suffix} file runs on {_ENGINE_OF[path.suffix]}, not on {engine}. "
            "tfflow export makes a .tflite file of a model."
        )
    if compile and path.suffix != ".keras":
        raise ValueError(
            f"compile=True restores the training that a .keras file holds; got {str(source)!r}. "
            "Leave it out, and call model.compile."
        )
    if engine == "tflite" and str(source) in presets.list_presets():
        path = presets.preset_tflite(str(source))
    if path.suffix == ".tflite":
        from tfflow.tflite import FlowInterpreter

        return FlowInterpreter(path)
    if path.suffix == ".keras":
        return _load_keras(path, compile)
    if str(source) in presets.list_presets():
        card = presets.preset_card(str(source))
        return create_from_preset(card["model"], card["name"], {})
    raise ValueError(_unknown(str(source)))


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

    try:
        model = keras.saving.load_model(path, compile=compile)
    except Exception as error:
        raise ValueError(f"{path} can't be loaded as a Keras model: {error}") from error
    if compile and not model.compiled:
        raise ValueError(
            f"{path} holds no training to go on with: the model was saved before compile. Load it "
            "without compile=True, and call model.compile."
        )
    return model


def _unknown(source):
    if source in registry.list():
        return (
            f"{source!r} is a network without weights: there is no preset of that name. Train it, "
            "or import weights (tfflow import-weights), and pass the .keras or .tflite file."
        )
    return (
        f"{source!r} is neither a preset nor a .keras or .tflite file. "
        f"{suggestion(source, presets.list_presets())}"
    )
