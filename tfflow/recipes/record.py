"""What a run's folder is recorded by, as JSON, and how two records differ."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

# Keras numbers objects of one class within a process, and classes may move between modules.
_NOT_COMPARED = ("name", "module", "registered_name")


def described(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings by name, as JSON: see :func:`_described` for their values."""
    return {
        name: _described(value) for name, value in settings.items() if name not in _NOT_COMPARED
    }


def _described(value):
    """Objects as their class's name with their settings, functions by name, dicts as pairs.

    What has no settings to be read is its class's name alone, so that the same object is described
    alike in every process.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [_described(each) for each in value]
    if isinstance(value, dict):
        if "class_name" in value:  # an object within Keras's configuration of another one
            config = value.get("config")
            config = described(config) if isinstance(config, dict) else config
            return {value["class_name"]: config}
        return sorted([str(key), _described(each)] for key, each in value.items())
    kind = getattr(value, "__qualname__", type(value).__qualname__)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = (field.name for field in dataclasses.fields(value))
        return {kind: described({name: getattr(value, name) for name in fields})}
    try:
        settings = described(value.get_config())
        if hasattr(value, "exclude_from_weight_decay"):  # no part of the configuration
            excluded = getattr(value, "_exclude_from_weight_decay_pattern", None)
            settings["exclude_from_weight_decay"] = excluded and excluded.pattern
        return {kind: settings}
    except (AttributeError, NotImplementedError):
        return kind


def differences(there: Any, here: Any, name: str = "") -> Iterator[str]:
    """What differs between two records, in words: ``seed 0, not 1``.

    A setting of an object that only one of them has is of another version of the library or of
    Keras, and says nothing.
    """
    if isinstance(there, dict) and isinstance(here, dict) and there.keys() & here.keys():
        for key in there:
            if key in here:
                yield from differences(there[key], here[key], f"{name}.{key}" if name else key)
    elif there != here:
        there, here = ("/".join(v) if isinstance(v, dict) else v for v in (there, here))
        yield f"{name} {there}, not {here}"
