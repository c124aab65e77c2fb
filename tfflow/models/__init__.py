"""Optical-flow networks as Keras models, one file per paper, by name from the registry."""

import importlib

from tfflow.models.registry import create, entry, register
from tfflow.models.registry import list as list

_LAZY = {
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


def __getattr__(name):
    # Keras is imported with the first class, not with the package.
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
