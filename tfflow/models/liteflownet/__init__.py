"""LiteFlowNet and LiteFlowNet2: one network with options, and the papers' choices of them."""

from tfflow.models.liteflownet.liteflownet2 import LiteFlowNet2
from tfflow.models.liteflownet.network import LiteFlowNet

__all__ = ["LiteFlowNet", "LiteFlowNet2"]
