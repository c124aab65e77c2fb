"""Where mmflow keeps the weights of FlowNetS, FlowNetC and the networks of FlowNet 2.0."""

import functools

from tfflow.weights.layouts import bgr_kernel, kernel, transposed_kernel
from tfflow.weights.state_dict import WeightImport


def assign_mmflow_flownet(model, tensors):
    """Assigns mmflow's tensors of a FlowNet; see :func:`tfflow.weights.load_mmflow`."""
    weights = WeightImport(tensors, "mmflow")
    _assign_network(weights, model, "")
    weights.finish()


def _assign_network(weights, model, prefix):
    from tfflow.models.flownet import FlowNetC
    from tfflow.models.flownet2 import FlowNet2, FlowNet2Stack

    if isinstance(model, FlowNet2):
        _assign_network(weights, model.flownet2css, f"{prefix}flownetCSS.")
        _assign_network(weights, model.flownet2sd, f"{prefix}flownetSD.")
        fusion = f"{prefix}flownet_fusion."
        assign_encoder(weights, model.fusion.encoder, f"{fusion}encoder.", 1, images=1)
        _assign_decoder(weights, model.fusion.decoder, fusion)
    elif isinstance(model, FlowNet2Stack):
        _assign_network(weights, model.flownetc, f"{prefix}flownetC.")
        for number, network in enumerate(model.corrections, start=1):
            _assign_network(weights, network, f"{prefix}flownetS{number}.")
    elif isinstance(model, FlowNetC):
        assign_encoder(weights, model.encoder, f"{prefix}encoder.", 1, images=1)
        matched = f"{prefix}corr_encoder."
        assign_convolution(weights, model.redirection, f"{matched}conv_redir.conv")
        assign_encoder(weights, model.matched_encoder, matched, 3)
        _assign_decoder(weights, model.decoder, prefix)
    else:
        # Both images, and in a stack the warped one too.
        images = 3 if model.link_channels else 2
        assign_encoder(weights, model.encoder, f"{prefix}encoder.", 1, images=images)
        _assign_decoder(weights, model.decoder, prefix)


def assign_encoder(weights, encoder, prefix, first_level, images=0):
    """Assigns an encoder's convolutions by level and number; mmflow has level 0 as a plugin.

    Args:
        first_level: The level of ``layers.0``.
        images: Number of images, in OpenCV's order, that the first convolution takes.
    """
    level, number = encoder.level, 0
    for i, convolution in enumerate(encoder.convolutions):
        if convolution.strides[0] == 2:
            level, number = level + 1, 0
        name = f"{prefix}layers.{level - first_level}.layers.{number}.conv"
        if level == 0:
            name = f"{prefix}plugin_layer.conv"
        convert = functools.partial(bgr_kernel, images=images) if images and i == 0 else kernel
        assign_convolution(weights, convolution, name, convert)
        number += 1


def _assign_decoder(weights, decoder, prefix):
    for level, predictor in decoder.predictors.items():
        name = f"{prefix}decoder.decoders.level{level}"
        if level in decoder.smoothings:
            assign_convolution(weights, decoder.smoothings[level], f"{name}.pred_out.0")
            assign_convolution(weights, predictor, f"{name}.pred_out.1")
        else:
            assign_convolution(weights, predictor, f"{name}.pred_out")
        if level in decoder.deconvolutions:
            for layer, part in (
                (decoder.deconvolutions[level], "deconv_out"),
                (decoder.upsamplings[level], "upsample_pred"),
            ):
                assign_convolution(weights, layer, f"{name}.{part}.deconvs.0", transposed_kernel)


def assign_convolution(weights, layer, name, convert=kernel):
    weights.assign(layer.kernel, f"{name}.weight", convert)
    if layer.use_bias:
        weights.assign(layer.bias, f"{name}.bias")
