"""Imports a checkpoint of any known project and builds the network for it."""

import dataclasses
import pathlib
from collections.abc import Mapping

from tfflow.atomic_file import atomic_file
from tfflow.models import registry
from tfflow.weights.projects import PROJECTS, fitting, naming_what_fits, project_of
from tfflow.weights.state_dict import read_checkpoint


@dataclasses.dataclass(frozen=True)
class Imported:
    """The result of an import.

    Attributes:
        model: The network with the checkpoint's weights.
        project: Where the weights come from, a key of ``PROJECTS``.
        arguments: Constructor arguments with which the network was made.
        taken: A text that says which of the checkpoint's weights were taken.
    """

    model: object
    project: str
    arguments: dict
    taken: str


def import_checkpoint(network, source, *, project=None, averaged=False):
    """Builds a network with the weights of another project's checkpoint.

    Args:
        network: Name of the network in the registry.
        source: A dict, ``.npz``, ``.safetensors`` or ``.pth``; see :func:`read_state_dict`.
        project: A key of :data:`PROJECTS`; None = recognised by the tensors' names.
        averaged: Take the weights that were averaged over training; see :func:`read_state_dict`.

    Returns:
        An :class:`Imported`.

    Raises:
        ValueError: If the project can't be recognised, or the checkpoint is for another network;
            the message names the networks that it fits.
    """
    entry = registry.entry(network)  # a misspelt name is found before a large file is read
    if project is not None and project not in PROJECTS:
        raise ValueError(f"project must be one of {', '.join(PROJECTS)}; got {project!r}.")
    tensors, taken, _ = read_checkpoint(source, averaged)
    project = project or project_of(tensors)
    if project is None:
        raise ValueError(_unknown(tensors, source))
    if not issubclass(entry.model_class(), PROJECTS[project].classes):
        raise ValueError(
            f"This is a checkpoint of {project}, which has no {network}; it has "
            f"{', '.join(PROJECTS[project].networks)}.{fitting(tensors)}"
        )
    arguments = PROJECTS[project].arguments(tensors)
    from tfflow.models import LiteFlowNet2

    if arguments.get("pseudo_level2") and not issubclass(entry.model_class(), LiteFlowNet2):
        raise ValueError(
            f"This is the official LiteFlowNet2 for KITTI: expected liteflownet2; got {network}."
        )
    model = registry.create(network, **arguments)
    with naming_what_fits(tensors):
        PROJECTS[project].assign(model, tensors)
    return Imported(model, project, arguments, taken)


def check_output(path):
    """The path to save a model to, if its name gives the format.

    Raises:
        ValueError: If it ends neither in ``.keras`` nor in ``.weights.h5``.
    """
    path = pathlib.Path(path)
    if path.suffix != ".keras" and not path.name.endswith(".weights.h5"):
        raise ValueError(f"The file must be named *.keras or *.weights.h5; got {path}.")
    return path


def save(model, path):
    """Writes a model as ``.keras`` or its weights as ``.weights.h5``, completely or not at all.

    Raises:
        ValueError: If the name has another ending.
    """
    path = check_output(path)
    with atomic_file(path) as temporary:
        (model.save if path.suffix == ".keras" else model.save_weights)(temporary)


def _unknown(tensors, source):
    first = {name.partition(".")[0] for name in tensors}
    hint = ""
    if len(first) == 1:
        hint = f" All names begin with {first.pop()!r}: is that a wrapper? Then rename them."
    where = "The dict" if isinstance(source, Mapping) else source
    return (
        f"{where} is of no project known here ({', '.join(PROJECTS)}); its first tensors: "
        f"{', '.join(list(tensors)[:3]) or 'none'}.{hint}"
    )
