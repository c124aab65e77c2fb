"""A checkpoint of any project that the library knows, and the network for it."""

import dataclasses
import pathlib
import re
import typing

from tfflow.atomic_file import atomic_file
from tfflow.models import registry
from tfflow.weights.lightflow_pytorch import load_lightflow_pytorch
from tfflow.weights.liteflownet import load_liteflownet_official
from tfflow.weights.mmflow import load_mmflow
from tfflow.weights.state_dict import read_state_dict


@dataclasses.dataclass(frozen=True)
class Project:
    """How a project's checkpoints are told, and loaded.

    Attributes:
        sign: Regular expression that one of the tensors' names matches.
        load: ``load(model, tensors)``.
        arguments: Tensors to the constructor arguments that the network needs for them.
    """

    sign: str
    load: typing.Callable
    arguments: typing.Callable = lambda tensors: {}


def _official_arguments(tensors):
    # Of the official models, LiteFlowNet2 for KITTI alone has the light last level.
    light = any(re.match(r"conv5_D2_L2\b", name) for name in tensors)
    return {"implementation": "caffe"} | ({"pseudo_level2": True} if light else {})


PROJECTS = {
    "mmflow": Project(r"encoder\.", load_mmflow),
    "liteflownet-official": Project(
        r"conv1_D2_L6\b", load_liteflownet_official, _official_arguments
    ),
    "pytorch-liteflownet": Project(
        r"(net|module)Features\.",
        load_liteflownet_official,
        lambda tensors: {"implementation": "sniklaus"},
    ),
    "lightflow-pytorch": Project(r"conv\d+[ab]?\.0\.weight", load_lightflow_pytorch),
}


def import_checkpoint(network, source, *, project=None):
    """Builds a network with the weights of another project's checkpoint.

    Args:
        network: Name of the network in the registry.
        source: A dict, ``.npz``, ``.safetensors`` or ``.pth``; see :func:`read_state_dict`.
        project: A key of :data:`PROJECTS`; None = told by the tensors' names.

    Returns:
        (model, project).

    Raises:
        ValueError: If the project can't be told, or the checkpoint is not of this network.
    """
    entry = registry.entry(network)  # a misspelt name is found before a large file is read
    tensors = read_state_dict(source)
    if project is None:
        project = _project_of(tensors, source)
    arguments = PROJECTS[project].arguments(tensors)
    try:
        model = registry.create(network, **arguments)
    except TypeError as error:
        raise ValueError(
            f"A checkpoint of {project} is none for {network} ({entry.description})."
        ) from error
    try:
        PROJECTS[project].load(model, tensors)
    except (TypeError, AttributeError) as error:  # a network that the project does not have
        raise ValueError(f"A checkpoint of {project} is none for {network}: {error}") from error
    return model, project


def save(model, path):
    """Writes a model as ``.keras`` or its weights as ``.weights.h5``, completely or not at all.

    Raises:
        ValueError: If the name ends otherwise.
    """
    path = pathlib.Path(path)
    if path.name.endswith(".weights.h5"):
        write = model.save_weights
    elif path.suffix == ".keras":
        write = model.save
    else:
        raise ValueError(f"The file must be named *.keras or *.weights.h5; got {path}.")
    with atomic_file(path) as temporary:
        write(temporary)


def _project_of(tensors, source):
    for project, entry in PROJECTS.items():
        if any(re.match(entry.sign, name) for name in tensors):
            return project
    where = "The dict" if isinstance(source, dict) else source
    raise ValueError(
        f"{where} is of no project known here ({', '.join(PROJECTS)}); its first tensors: "
        f"{', '.join(list(tensors)[:3]) or 'none'}."
    )
