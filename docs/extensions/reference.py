"""Writes reference/: a page for each public module, with all that it offers."""

import importlib
import inspect
import itertools
import pathlib

import tfflow

# What belongs to a module's page beyond its own public names: "module" or "module:name".
FURTHER = {
    "data": ("tfflow.data.scenes", "tfflow.data.pipeline.augmentation"),
    "detection": (
        "tfflow.detection.boxes:select",
        "tfflow.detection.evaluation:Precision",
        "tfflow.detection.evaluation:VideoResult",
    ),
    "models": ("tfflow.models.registry:ModelEntry",),
    "ops": (
        "tfflow.native.build:BuildError",
        "tfflow.ops.native:load",
        "tfflow.ops.native:reference_ops",
        "tfflow.ops.shifted_warp:shifted_warp",
        "tfflow.ops.shifted_warp:warp_by_shifts",
    ),
    "recipes": ("tfflow.recipes.run:WorkerLost",),
    "training": (
        "tfflow.training.callbacks",
        "tfflow.training.checkpoints",
        "tfflow.training.distribution",
        "tfflow.training.optimizers",
        "tfflow.training.schedules",
    ),
}


def setup(app):
    app.connect("builder-inited", _write_pages)
    return {"parallel_read_safe": True}


def _write_pages(app):
    folder = pathlib.Path(app.srcdir) / "reference"
    folder.mkdir(exist_ok=True)
    pages = {name: _page(name) for name in tfflow.__all__ if name not in ("load", "cli")}
    pages["index"] = _index(pages)
    for path in folder.glob("*.rst"):
        if path.stem not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        # A page that is as it was is not built again.
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _index(names):
    lines = ["Reference", "=========", "", *_object("tfflow", "load"), ".. toctree::", ""]
    return "\n".join([*lines, *(f"   {name}" for name in names)]) + "\n"


def _page(name):
    path = f"tfflow.{name}"
    lines = _module(path, "=")
    for further in FURTHER.get(name, ()):
        module, _, of_module = further.partition(":")
        lines += _object(module, of_module) if of_module else _module(module, "-", beyond=path)
    return "\n".join(lines)


def _module(path, underline, beyond=None):
    """A module's docstring, and its public names or, where it has no list of them, its members.

    Names that the module ``beyond`` has too are left out.
    """
    module = importlib.import_module(path)
    lines = [path, underline * len(path), "", f".. automodule:: {path}"]
    if not hasattr(module, "__all__"):
        return [*lines, "   :members:", ""]
    # A function called list is not in __all__, so that "import *" leaves the builtin alone.
    names = [*(["list"] if "list" in vars(module) else []), *module.__all__]
    if beyond:
        names = [name for name in names if name not in importlib.import_module(beyond).__all__]
    return [*lines, "", *(line for name in names for line in _object(path, name))]


def _object(module, name):
    thing = getattr(importlib.import_module(module), name)
    if inspect.ismodule(thing):
        return []
    if inspect.isclass(thing):
        members = ", ".join(_with_mixins(thing, module))
        lines = [f".. autoclass:: {module}.{name}", f"   :members: {members}".rstrip()]
        # A named tuple's fields are members with docstrings of no use; "Attributes:" has them.
        fields = ", ".join(getattr(thing, "_fields", ()))
        return [*lines, *([f"   :exclude-members: {fields}"] if fields else []), ""]
    if callable(thing):
        return [f".. autofunction:: {module}.{name}", ""]
    values = thing.items() if isinstance(thing, dict) else ((value, "") for value in thing)
    items = [f"   * ``{key}``{value and f': {value}'}" for key, value in values]
    return [f".. py:data:: {module}.{name}", "", *items, ""]


def _with_mixins(kind, module):
    """A class's members and those of the mixins it is made of; none where it has no mixins.

    Mixins are bases of ours that are no public names, so that they have no page themselves.
    """

    def is_mixin(base):
        public = getattr(importlib.import_module(module), base.__name__, None) is base
        return base.__module__.startswith("tfflow.") and not public

    parts = [kind, *itertools.takewhile(is_mixin, kind.__mro__[1:])]
    names = (name for part in parts for name in vars(part) if not name.startswith("_"))
    return list(dict.fromkeys(names)) if len(parts) > 1 else []
