"""The projects whose checkpoints can be imported, and which networks a checkpoint fits."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import typing

from tfflow.models import registry
from tfflow.weights.lightflow_pytorch import assign_lightflow_pytorch
from tfflow.weights.liteflownet import assign_liteflownet_official
from tfflow.weights.mmflow import assign_mmflow
from tfflow.weights.state_dict import WrongNetwork

# At least this share of a checkpoint's numbers is trained. The rest are fixed upsampling, batch
# norm's statistics, and layers that are there twice.
_TRAINED = 0.95


@dataclasses.dataclass(frozen=True)
class Project:
    """How a project's checkpoints are recognised and loaded.

    Attributes:
        sign: Regular expression that matches one of the tensors' names.
        assign: ``assign(model, tensors)``, which raises :class:`WrongNetwork` if they don't fit.
        networks: Classes of :mod:`tfflow.models` for which it has checkpoints.
        arguments: Function from the tensors to the constructor arguments that the network needs.
    """

    sign: str
    assign: typing.Callable
    networks: tuple[str, ...]
    arguments: typing.Callable = lambda tensors: {}

    @property
    def classes(self) -> tuple[type, ...]:
        """The classes of ``networks``, imported now."""
        import tfflow.models as models

        return tuple(getattr(models, name) for name in self.networks)


def _official_arguments(tensors):
    # Among the official models, only LiteFlowNet2 for KITTI has the light last level.
    light = any(re.match(r"conv5_D2_L2\b", name) for name in tensors)
    return {"implementation": "caffe"} | ({"pseudo_level2": True} if light else {})


PROJECTS = {
    "mmflow": Project(
        r"((mask)?flownet\w+\.)*encoder\.",
        assign_mmflow,
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
        r"conv1_D2_L6\b", assign_liteflownet_official, ("LiteFlowNet",), _official_arguments
    ),
    "pytorch-liteflownet": Project(
        r"(net|module)Features\.",
        assign_liteflownet_official,
        ("LiteFlowNet",),
        lambda tensors: {"implementation": "sniklaus"},
    ),
    "lightflow-pytorch": Project(
        r"conv\d+[ab]?\.0\.weight", assign_lightflow_pytorch, ("LightFlow",)
    ),
}


def project_of(tensors):
    """The name of the project that a checkpoint comes from, by its tensors' names; None if unknown.

    Args:
        tensors: A state dict as :func:`tfflow.weights.read_state_dict` returns it.
    """
    for name, project in PROJECTS.items():
        if any(re.match(project.sign, tensor) for tensor in tensors):
            return name
    return None


def networks_that_fit(tensors):
    """Names of the registered networks that take every tensor of a checkpoint.

    Only networks with about as many parameters as the checkpoint are built to try it.

    Args:
        tensors: A state dict as :func:`tfflow.weights.read_state_dict` returns it.
    """
    project = PROJECTS.get(project_of(tensors))
    if project is None:
        return []
    # The official model keeps its augmentation's mean image, which is as large as the image.
    size = sum(tensor.size for name, tensor in tensors.items() if "_aug" not in name)
    return [
        entry.name
        for entry in map(registry.entry, registry.list())
        if _TRAINED * size <= (entry.parameters or size) <= size
        and issubclass(entry.model_class(), project.classes)
        and _fits(entry, project, tensors)
    ]


def _fits(entry, project, tensors):
    try:
        project.assign(registry.create(entry.name, **project.arguments(tensors)), tensors)
    except ValueError:  # also one of switches: the pseudo level is LiteFlowNet2's alone
        return False
    return True


def fitting(tensors):
    """A sentence for an error, with a space before it: which networks the checkpoint fits."""
    names = networks_that_fit(tensors)
    return f" It fits {' or '.join(names)}." if names else ""


@contextlib.contextmanager
def naming_what_fits(tensors):
    """Within it, an error that a checkpoint doesn't fit says which networks it fits."""
    try:
        yield
    except WrongNetwork as error:
        raise WrongNetwork(error.summary + fitting(tensors), error.problems) from None
