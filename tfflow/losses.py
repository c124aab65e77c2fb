"""Losses of optical-flow networks; see :mod:`tfflow.training.losses`."""

from tfflow.training.losses import (
    LightFlowL1,
    MaskFlowNetLoss,
    MultiLevelCharbonnier,
    MultiLevelEPE,
)

__all__ = ["LightFlowL1", "MaskFlowNetLoss", "MultiLevelCharbonnier", "MultiLevelEPE"]
