"""Optical-flow networks as Keras models, one file per paper, by name from the registry."""

from typing import TYPE_CHECKING

from tfflow.lazy import importer
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
    from tfflow.models.predicting import ConfidentBothWays as ConfidentBothWays
    from tfflow.models.predicting import ConfidentFlow as ConfidentFlow
    from tfflow.models.rillflow import RillFlow as RillFlow
    from tfflow.models.siamese import SiameseFlowModel as SiameseFlowModel
    from tfflow.models.streaming import FlowStream as FlowStream

_LAZY = {
    "BothWays": "predicting",
    "ConfidentBothWays": "predicting",
    "ConfidentFlow": "predicting",
    "FlowModel": "flow_model",
    "FlowNet2": "flownet2",
    "FlowNet2SD": "flownet",
    "FlowNet2Stack": "flownet2",
    "FlowNetC": "flownet",
    "FlowNetS": "flownet",
    "FlowStream": "streaming",
    "LightFlow": "lightflow",
    "LiteFlowNet": "liteflownet",
    "LiteFlowNet2": "liteflownet",
    "MaskFlowNet": "maskflownet",
    "MaskFlowNetS": "maskflownet",
    "RillFlow": "rillflow",
    "SiameseFlowModel": "siamese",
}

# Not list: "from tfflow.models import *" must leave the builtin alone.
__all__ = ["create", "entry", "register", *_LAZY]


if not TYPE_CHECKING:  # to type checkers, any other name is an error
    # Keras is imported with the first class, not with the package.
    __getattr__ = importer(__name__, _LAZY)
