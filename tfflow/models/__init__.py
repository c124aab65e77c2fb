"""Optical-flow networks as Keras models, one file per paper, by name from the registry."""

import importlib
from typing import TYPE_CHECKING

from tfflow.models.registry import create, entry, register
from tfflow.models.registry import list as list

if TYPE_CHECKING:
    from tfflow.models.flow_model import FlowModel as FlowModel
    from tfflow.models.flownet import FlowNet2SD as FlowNet2SD
    from tfflow.models.flownet import FlowNetC as FlowNetC
    from tfflow.models.flownet import FlowNetS as FlowNetS
    from tfflow.models.flownet2 import FlowNet2 as FlowNet2
    from tfflow.models.flownet2 import FlowNet2Stack as FlowNet2Stack
    from tfflow.models.lightflow import LightFlow as LightFlow
    from tfflow.models.liteflownet import LiteFlowNet as LiteFlowNet
    from tfflow.models.liteflownet import LiteFlowNet2 as LiteFlowNet2
    from tfflow.models.maskflownet import MaskFlowNet as MaskFlowNet
    from tfflow.models.maskflownet import MaskFlowNetS as MaskFlowNetS
    from tfflow.models.predicting import BothWays as BothWays
    from tfflow.models.predicting import ConfidentFlow as ConfidentFlow
    from tfflow.models.rillflow import RillFlow as RillFlow
    from tfflow.models.siamese import SiameseFlowModel as SiameseFlowModel
    from tfflow.models.streaming import FlowStream as FlowStream

_LAZY = {
    "BothWays": "tfflow.models.predicting",
    "ConfidentFlow": "tfflow.models.predicting",
    "FlowModel": "tfflow.models.flow_model",
    "FlowNet2": "tfflow.models.flownet2",
    "FlowNet2SD": "tfflow.models.flownet",
    "FlowNet2Stack": "tfflow.models.flownet2",
    "FlowNetC": "tfflow.models.flownet",
    "FlowNetS": "tfflow.models.flownet",
    "FlowStream": "tfflow.models.streaming",
    "LightFlow": "tfflow.models.lightflow",
    "LiteFlowNet": "tfflow.models.liteflownet",
    "LiteFlowNet2": "tfflow.models.liteflownet",
    "MaskFlowNet": "tfflow.models.maskflownet",
    "MaskFlowNetS": "tfflow.models.maskflownet",
    "RillFlow": "tfflow.models.rillflow",
    "SiameseFlowModel": "tfflow.models.siamese",
}

# Not list: "from tfflow.models import *" must leave the builtin alone.
__all__ = ["create", "entry", "register", *_LAZY]


if not TYPE_CHECKING:  # to type checkers, any other name is an error

    def __getattr__(name):
        # Keras is imported with the first class, not with the package.
        if name in _LAZY:
            return getattr(importlib.import_module(_LAZY[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
