"""Where mmflow keeps the weights of MaskFlowNet-S and MaskFlowNet."""

import numpy as np

from tfflow.weights.flownet import assign_convolution, assign_encoder
from tfflow.weights.layouts import kernel, transposed_kernel
from tfflow.weights.state_dict import WeightImport


def assign_mmflow_maskflownet(model, tensors):
    """Assigns mmflow's tensors of a MaskFlowNet; see :func:`tfflow.weights.load_mmflow`."""
    weights = WeightImport(tensors, "mmflow")
    if hasattr(model, "maskflownets"):
        _assign_stage(weights, model.maskflownets, "maskflownetS.")
    _assign_stage(weights, model, "")
    weights.finish()


def _assign_stage(weights, model, prefix):
    # The second stage's encoder takes a mask as the fourth channel, which stays where it is.
    assign_encoder(weights, model.encoder, f"{prefix}encoder.", 1, images=1)
    prefix = f"{prefix}decoder."
    decoder = model.decoder
    for level, matching in decoder.matchings.items():
        name = f"{prefix}corr_block.level{level}.warp"
        weights.assign(matching.deformable.kernel, f"{name}.deconv.weight", kernel)
        weights.assign(matching.deformable.bias, f"{name}.deconv_bias", np.ravel)
        if matching.tradeoff is not None:
            assign_convolution(weights, matching.tradeoff, f"{name}.tradeoff_conv")
    for level, dense in decoder.levels.items():
        name = f"{prefix}decoders.level{level}"
        for i, convolution in enumerate(dense.convolutions):
            assign_convolution(weights, convolution, f"{name}.dense_net.layers.{i}.layers.conv")
        assign_convolution(weights, dense.flow, f"{name}.predict_flow")
        if dense.upsample is not None:
            assign_convolution(weights, dense.upsample, f"{name}.upfeat_layer.0", transposed_kernel)
    for level, predictor in getattr(decoder, "masks", {}).items():
        assign_convolution(weights, predictor, f"{prefix}decoders.level{level}.predict_mask")
    for i, convolution in enumerate(decoder.context.convolutions):
        assign_convolution(weights, convolution, f"{prefix}post_processor.layers.{i}.conv")
    last = len(decoder.context.convolutions)
    assign_convolution(weights, decoder.context.flow, f"{prefix}post_processor.layers.{last}")
