"""Assigns mmflow's checkpoints to this library's networks."""

from tfflow.weights.flownet import assign_mmflow_flownet
from tfflow.weights.liteflownet import assign_mmflow_liteflownet
from tfflow.weights.maskflownet import assign_mmflow_maskflownet


def assign_mmflow(model, tensors):
    """Assigns the tensors; see :func:`tfflow.weights.load_mmflow`."""
    from tfflow import models

    if isinstance(model, models.LiteFlowNet):
        assign_mmflow_liteflownet(model, tensors)
    elif isinstance(model, (models.MaskFlowNetS, models.MaskFlowNet)):
        assign_mmflow_maskflownet(model, tensors)
    else:
        assign_mmflow_flownet(model, tensors)
