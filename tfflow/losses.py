"""Losses over a pyramid of flows.

Every loss here is called as ``loss(flow, outputs, valid)``: the ground truth (B, H, W, 2) in
pixels, a model's dictionary of outputs, and, if the truth is not known everywhere, its validity
(B, H, W) or (B, H, W, 1) with 1 = known; or a weight for each pair (B,). ``model.fit`` does so when
the data set yields ``({"image1", "image2"}, flow, valid)``. Where the truth is NaN or infinite it
does not count, whatever ``valid`` says.
"""

from tfflow.training.losses import (
    LightFlowL1,
    MaskFlowNetLoss,
    MultiLevelCharbonnier,
    MultiLevelEPE,
)

__all__ = ["LightFlowL1", "MaskFlowNetLoss", "MultiLevelCharbonnier", "MultiLevelEPE"]
