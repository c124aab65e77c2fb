"""Loads checkpoints of other projects into networks that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfflow.weights.projects import PROJECTS, fitting, naming_what_fits
from tfflow.weights.state_dict import StateDict, read_state_dict

if TYPE_CHECKING:
    from tfflow.models import FlowModel


def load_mmflow(model: FlowModel, source: StateDict) -> FlowModel:
    """Loads a checkpoint of OpenMMLab's mmflow: the same flow as there, to float32's rounding.

    mmflow reads images as BGR; the first convolutions are reordered so that images stay RGB here.
    Fixed upsampling taps are taken from the checkpoint too.

    Args:
        model: A network of the same architecture: ``tfflow.models.create("liteflownet2")`` for any
            ``liteflownet2_…`` checkpoint but the ``pre_M…`` stages, which have their own names. Or
            a part of a stack, such as ``model.flownetc``, for a checkpoint of that network.
        source: A dict of name -> array, or a path to ``.npz``, ``.safetensors`` or ``.pth``
            (PyTorch is needed for the last only); see :func:`read_state_dict`.

    Returns:
        The model.

    Raises:
        TypeError: If mmflow has no such network.
        ValueError: If a tensor is missing, of another shape, or left over; all are listed, the
            registered networks that the checkpoint fits are named, and the model is unchanged.

    Example:
        >>> model = tfflow.models.create("liteflownet2")
        >>> tfflow.weights.load_mmflow(model, "liteflownet2_ft_4x1_600k_sintel_kitti_320x768.pth")
    """
    return _load("mmflow", model, source)


def load_liteflownet_official(model: FlowModel, source: StateDict) -> FlowModel:
    """Loads the official LiteFlowNet or LiteFlowNet2 weights, or those of sniklaus's PyTorch port.

    The tensors of the official model are named after its layers, ``conv1_D1_L6.weight`` and
    ``.bias``, or ``.0`` and ``.1`` for the layer's blobs; the port's (``netMatching.0.netMain.0``,
    or ``moduleMatching…``) are recognised. Layers whose weights are one by construction are checked
    and dropped. Note the weights' licence: research only.

    Args:
        model: A :class:`tfflow.models.LiteFlowNet` or ``LiteFlowNet2`` with
            ``implementation="caffe"`` or ``"sniklaus"`` (the weights fit either image pyramid); for
            the official LiteFlowNet2 for KITTI with ``pseudo_level2=True``.
        source: A dict, ``.npz``, ``.safetensors`` or ``.pth``; see :func:`read_state_dict`.

    Returns:
        The model.

    Raises:
        TypeError: If the model is not a LiteFlowNet.
        ValueError: If a tensor is missing, of another shape, or left over, or if the model's
            switches are not those that the weights were trained with. The registered networks that
            the checkpoint fits are named, and the model is unchanged.
    """
    return _load("liteflownet-official", model, source)


def load_lightflow_pytorch(model: FlowModel, source: StateDict) -> FlowModel:
    """Loads a checkpoint of LightFlow-pytorch into a ``LightFlow`` of the same width.

    Its images are RGB like ours, so only the axes are reordered.

    Args:
        model: A :class:`tfflow.models.LightFlow` with ``predictor_activation=True``.
        source: A dict, ``.npz``, ``.safetensors`` or ``.pth``; see :func:`read_state_dict`.

    Returns:
        The model.

    Raises:
        TypeError: If the model is not a LightFlow.
        ValueError: If a tensor is missing, of another shape, or left over. The registered networks
            that the checkpoint fits are named, and the model is unchanged.
    """
    return _load("lightflow-pytorch", model, source)


def _load(name, model, source):
    project = PROJECTS[name]
    tensors = read_state_dict(source)
    if not isinstance(model, project.classes):
        raise TypeError(
            f"{name} has no {type(model).__name__}; it has {', '.join(project.networks)}. "
            f"The checkpoint was not loaded.{fitting(tensors)}"
        )
    with naming_what_fits(tensors):
        project.assign(model, tensors)
    return model
