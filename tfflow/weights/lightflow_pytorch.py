"""Where LightFlow-pytorch (McDo) keeps the weights of :class:`tfflow.models.LightFlow`."""

from tfflow.weights.layouts import depthwise_kernel, kernel
from tfflow.weights.state_dict import WeightImport


def assign_lightflow_pytorch(model, tensors):
    """Assigns the tensors; see :func:`tfflow.weights.load_lightflow_pytorch`.

    ``convN`` is a sequence there: 0 depthwise convolution, 1 its batch norm, 3 pointwise
    convolution, 4 its batch norm (2 and 5 are activations, without tensors).
    """
    if not model.predictor_activation:
        raise ValueError(
            "LightFlow-pytorch's predictors have batch norm and an activation; this model's are "
            "linear. Create it with predictor_activation=True."
        )
    weights = WeightImport(tensors, "LightFlow-pytorch")
    for block in (*model.encoder, *model.decoder, *model.predictors):
        weights.assign(block.depthwise.kernel, f"{block.name}.0.weight", depthwise_kernel)
        _assign_batch_norm(weights, block.depthwise_norm, f"{block.name}.1")
        weights.assign(block.pointwise.kernel, f"{block.name}.3.weight", kernel)
        _assign_batch_norm(weights, block.pointwise_norm, f"{block.name}.4")
    weights.finish()


def _assign_batch_norm(weights, norm, prefix):
    weights.assign(norm.gamma, f"{prefix}.weight")
    weights.assign(norm.beta, f"{prefix}.bias")
    weights.assign(norm.moving_mean, f"{prefix}.running_mean")
    weights.assign(norm.moving_variance, f"{prefix}.running_var")
    weights.ignore(f"{prefix}.num_batches_tracked")
