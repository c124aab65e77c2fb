"""Imports a checkpoint of any known project and builds the network for it."""

import dataclasses
import pathlib
import re
import typing

from tfflow.atomic_file import atomic_file
from tfflow.models import registry
from tfflow.weights.lightflow_pytorch import load_lightflow_pytorch
from tfflow.weights.liteflownet import load_liteflownet_official
from tfflow.weights.mmflow import load_mmflow
from tfflow.weights.state_dict import read_checkpoint


@dataclasses.dataclass(frozen=True)
class Project:
    """How a project's checkpoints are recognised and loaded.

    Attributes:
        sign: Regular expression that matches one of the tensors' names.
        load: ``load(model, tensors)``.
        networks: Classes of :mod:`tfflow.models` for which it has checkpoints.
        arguments: Function from the tensors to the constructor arguments that the network needs.
    """

    sign: str
    load: typing.Callable
    networks: tuple[str, ...]
    arguments: typing.Callable = lambda tensors: {}


def _official_arguments(tensors):
    # Among the official models, only LiteFlowNet2 for KITTI has the light last level.
    light = any(re.match(r"conv5_D2_L2\b", name) for name in tensors)
    return {"implementation": "caffe"} | ({"pseudo_level2": True} if light else {})


PROJECTS = {
    "mmflow": Project(
        r"((mask)?flownet\w+\.)*encoder\.",
        load_mmflow,
        (
            "LiteFlowNet",
            "FlowNetS",
            "FlowNetC",
            "FlowNet2SD",
            "FlowNet2Stack",
            "FlowNet2",
            "MaskFlowNetS",
            "MaskFlowNet",
        ),
    ),
    "liteflownet-official": Project(
        r"conv1_D2_L6\b", load_liteflownet_official, ("LiteFlowNet",), _official_arguments
    ),
    "pytorch-liteflownet": Project(
        r"(net|module)Features\.",
        load_liteflownet_official,
        ("LiteFlowNet",),
        lambda tensors: {"implementation": "sniklaus"},
    ),
    "lightflow-pytorch": Project(
        r"conv\d+[ab]?\.0\.weight", load_lightflow_pytorch, ("LightFlow",)
    ),
}


@dataclasses.dataclass(frozen=True)
class Imported:
    """The result of an import.

    Attributes:
        model: The network with the checkpoint's weights.
        project: Where the weights come from, a key of :data:`PROJECTS`.
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
        ValueError: If the project can't be recognised, or the checkpoint is for another network.
    """
    entry = registry.entry(network)  # a misspelt name is found before a large file is read
    if project is not None and project not in PROJECTS:
        raise ValueError(f"project must be one of {', '.join(PROJECTS)}; got {project!r}.")
    tensors, taken, _ = read_checkpoint(source, averaged)
    project = project or _project_of(tensors, source)
    import tfflow.models as models

    families = [getattr(models, name) for name in PROJECTS[project].networks]
    if not issubclass(entry.model_class(), tuple(families)):
        raise ValueError(
            f"This is a checkpoint of {project}, which has no {network}; it has "
            f"{', '.join(PROJECTS[project].networks)}."
        )
    arguments = PROJECTS[project].arguments(tensors)
    if arguments.get("pseudo_level2") and not issubclass(entry.model_class(), models.LiteFlowNet2):
        raise ValueError(
            f"This is the official LiteFlowNet2 for KITTI: expected liteflownet2; got {network}."
        )
    model = registry.create(network, **arguments)
    PROJECTS[project].load(model, tensors)
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


def _project_of(tensors, source):
    for project, entry in PROJECTS.items():
        if any(re.match(entry.sign, name) for name in tensors):
            return project
    first = {name.partition(".")[0] for name in tensors}
    hint = ""
    if len(first) == 1:
        hint = f" All names begin with {first.pop()!r}: is that a wrapper? Then rename them."
    where = "The dict" if isinstance(source, dict) else source
    raise ValueError(
        f"{where} is of no project known here ({', '.join(PROJECTS)}); its first tensors: "
        f"{', '.join(list(tensors)[:3]) or 'none'}.{hint}"
    )
