"""Loads checkpoints of the PyTorch project LightFlow-pytorch (McDo) into :class:`LightFlow`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfflow.weights.layouts import depthwise_kernel, kernel
from tfflow.weights.state_dict import StateDict, WeightImport, read_state_dict

if TYPE_CHECKING:
    from tfflow.models import FlowModel


def load_lightflow_pytorch(model: FlowModel, source: StateDict) -> FlowModel:
    """Loads a checkpoint of LightFlow-pytorch into a ``LightFlow`` of the same width.

    There, ``convN`` is a sequence: 0 depthwise convolution, 1 its batch norm, 3 pointwise
    convolution, 4 its batch norm (2 and 5 are activations, without tensors). Its images are RGB
    like ours, so only the axes are reordered.

    Args:
        model: A :class:`tfflow.models.LightFlow` with ``predictor_activation=True``.
        source: A dict, ``.npz``, ``.safetensors`` or ``.pth``; see :func:`read_state_dict`.

    Returns:
        The model.

    Raises:
        TypeError: If the model is not a LightFlow.
        ValueError: If a tensor is missing, of another shape, or left over. The model is unchanged.
    """
    from tfflow.models import LightFlow

    if not isinstance(model, LightFlow):
        raise TypeError(f"LightFlow-pytorch has LightFlow alone; got a {type(model).__name__}.")
    if not model.predictor_activation:
        raise ValueError(
            "LightFlow-pytorch's predictors have batch norm and an activation; this model's are "
            "linear. Create it with predictor_activation=True."
        )
    weights = WeightImport(read_state_dict(source), "LightFlow-pytorch")
    for block in (*model.encoder, *model.decoder, *model.predictors):
        weights.assign(block.depthwise.kernel, f"{block.name}.0.weight", depthwise_kernel)
        _assign_batch_norm(weights, block.depthwise_norm, f"{block.name}.1")
        weights.assign(block.pointwise.kernel, f"{block.name}.3.weight", kernel)
        _assign_batch_norm(weights, block.pointwise_norm, f"{block.name}.4")
    weights.finish()
    return model


def _assign_batch_norm(weights, norm, prefix):
    weights.assign(norm.gamma, f"{prefix}.weight")
    weights.assign(norm.beta, f"{prefix}.bias")
    weights.assign(norm.moving_mean, f"{prefix}.running_mean")
    weights.assign(norm.moving_variance, f"{prefix}.running_var")
    weights.ignore(f"{prefix}.num_batches_tracked")
