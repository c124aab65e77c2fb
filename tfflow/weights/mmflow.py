"""Loads checkpoints of mmflow into this library's networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfflow.weights.state_dict import StateDict

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
        ValueError: If a tensor is missing, of another shape, or left over; all are listed, and the
            model is unchanged.

    Example:
        >>> model = tfflow.models.create("liteflownet2")
        >>> tfflow.weights.load_mmflow(model, "liteflownet2_ft_4x1_600k_sintel_kitti_320x768.pth")
    """
    from tfflow import models
    from tfflow.weights.flownet import load_mmflow_flownet
    from tfflow.weights.liteflownet import load_mmflow_liteflownet
    from tfflow.weights.maskflownet import load_mmflow_maskflownet

    importers = {
        models.LiteFlowNet: load_mmflow_liteflownet,
        models.FlowNetS: load_mmflow_flownet,
        models.FlowNetC: load_mmflow_flownet,
        models.FlowNet2SD: load_mmflow_flownet,
        models.FlowNet2Stack: load_mmflow_flownet,
        models.FlowNet2: load_mmflow_flownet,
        models.MaskFlowNetS: load_mmflow_maskflownet,
        models.MaskFlowNet: load_mmflow_maskflownet,
    }
    for network, load in importers.items():
        if isinstance(model, network):
            return load(model, source)
    raise TypeError(
        f"mmflow has no {type(model).__name__}. For LightFlow, see "
        "tfflow.weights.load_lightflow_pytorch."
    )
