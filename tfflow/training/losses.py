"""Losses over a pyramid of flows; tfflow/losses.py says how they are called."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import keras
from keras import ops

from tfflow.ops import resize, safe_norm, upsample_from_corner
from tfflow.types import Tensor


class PyramidLoss(keras.losses.Loss):
    """Base class: a loss that sees a model's whole dictionary of outputs and the validity."""

    takes_pyramid = True

    def __call__(
        self, y_true: Tensor, y_pred: dict[str, Tensor], sample_weight: Tensor | None = None
    ) -> Tensor:
        if sample_weight is None:
            return super().__call__(y_true, y_pred)
        shape = tuple(sample_weight.shape)
        if len(shape) == 1:
            return super().__call__(y_true, y_pred, sample_weight)  # weighs each pair's value
        if len(shape) == 3 or (len(shape) == 4 and shape[3] == 1):
            # Keras would multiply the final values with it; validity belongs inside the loss.
            return super().__call__({"flow": y_true, "valid": sample_weight}, y_pred)
        raise ValueError(
            "sample_weight must be the validity of each pixel, (B, H, W) or (B, H, W, 1), or a "
            f"weight for each pair, (B,); got {shape}."
        )

    def _truth(self, y_true):
        """Ground truth (B, H, W, 2), zero where unknown, and its validity (B, H, W, 1)."""
        flow, valid = (y_true["flow"], y_true["valid"]) if isinstance(y_true, dict) else (y_true, 1)
        # Unknown flow is often NaN or infinite, and NaN times 0 is NaN.
        finite = ops.all(ops.isfinite(flow), axis=-1, keepdims=True)
        if isinstance(y_true, dict):
            valid = valid[..., None] if len(valid.shape) == 3 else valid
        valid = ops.cast(finite, flow.dtype) * ops.cast(valid, flow.dtype)
        return ops.where(valid > 0, flow, ops.zeros_like(flow)), valid


@keras.saving.register_keras_serializable(package="tfflow")
class MultiLevelEPE(PyramidLoss):
    """Weighted sum over pyramid levels of the end-point error, in network units.

    With e = ‖prediction - truth / flow_div‖_p at each pixel of a level, or (e + eps)^q if ``q`` is
    given: Σ_levels weight · Σ_pixels e · valid, averaged over the batch.

    Args:
        weights: Level name -> weight, e.g. ``{"level6": 0.32, …, "level2": 0.005}``; level N is
            the output ``flowN``. ``"level0"`` is the finest output resized to full size, as in
            LiteFlowNet2's training; ``"level6_M"`` and ``"level6_S"`` are the outputs of
            LiteFlowNet's units (``unit_outputs=True``), which its authors weigh like their level.
        flow_div: Network units are pixels / flow_div.
        p: Norm of the error vector, 1 or 2.
        q: Exponent of the robust form, or None for the plain one.
        eps: Added before the exponent is taken.
        reduction: ``"sum"``: over pixels, then the mean over the batch, as published;
            ``"mean"``: over a pair's known pixels, then the mean over the batch. Either way,
            splitting a batch does not change its gradient.
        resize_flow: ``"downsample"``: the truth is averaged to the level's size, over known pixels
            only, and a level's pixel is weighted by its known share; ``"upsample"``: the prediction
            is resized to the truth's size, for sparse truth.
        max_flow: Pixels whose true motion reaches this many pixels don't count.
        scale_as_level: Truth in pixels of the level instead of the full image.
        name: Name of the loss.

    Raises:
        ValueError: When called: a level's output is missing, or does not divide the truth's size.

    Source: FlowNet 2.0 (Ilg et al., 2017) and PWC-Net (Sun et al., 2018, equation 6), as in mmflow
    where all of the truth is known. (mmflow also averages unknown pixels, whatever their values,
    and counts a level's pixel fully if any of it is known.)
    """

    def __init__(
        self,
        weights: Mapping[str, float],
        flow_div: float = 20.0,
        p: Literal[1, 2] = 2,
        q: float | None = None,
        eps: float = 0.01,
        reduction: Literal["sum", "mean"] = "sum",
        resize_flow: Literal["downsample", "upsample"] = "downsample",
        max_flow: float | None = None,
        scale_as_level: bool = False,
        name: str = "multi_level_epe",
    ) -> None:
        super().__init__(name=name, reduction="sum_over_batch_size")
        if not weights or not all(re.fullmatch(r"level\d(_[MS])?", level) for level in weights):
            raise ValueError(
                f'weights must be like {{"level6": 0.32, "level5": 0.08}}; got {weights!r}.'
            )
        _check_choice("p", p, (1, 2))
        _check_choice("reduction", reduction, ("sum", "mean"))
        _check_choice("resize_flow", resize_flow, ("downsample", "upsample"))
        for what, value in (("flow_div", flow_div), ("q", q), ("max_flow", max_flow)):
            if value is not None and not value > 0:
                raise ValueError(f"{what} must be above 0; got {value!r}.")
        if not eps >= 0:
            raise ValueError(f"eps must be at least 0; got {eps!r}.")
        self.weights, self.flow_div = dict(weights), float(flow_div)
        self.p, self.q, self.eps = p, q, eps
        self.pixel_reduction, self.resize_flow = reduction, resize_flow
        self.max_flow, self.scale_as_level = max_flow, scale_as_level

    def call(self, y_true: Tensor, y_pred: dict[str, Tensor]) -> Tensor:
        return sum(self.per_level(y_true, y_pred).values())

    def per_level(self, y_true: Tensor, y_pred: dict[str, Tensor]) -> dict[str, Tensor]:
        """Each level's share of the loss: dict of level -> (B,)."""
        truth, valid = self._truth(y_true)
        if self.max_flow is not None:
            small = ops.cast(safe_norm(truth)[..., None] < self.max_flow, truth.dtype)
            valid = small * ops.cast(valid >= 0.5, truth.dtype)

        values = {}
        for level, weight in self.weights.items():
            prediction, target, known = self._same_size(
                _prediction(y_pred, level, ops.shape(truth)[1:3]), truth, valid
            )
            # Divided after averaging: whole pixels are then averaged without rounding.
            error = self._error(prediction - target / self.flow_div)
            values[level] = weight * self._reduce(error, known)
        return values

    def _same_size(self, prediction, truth, valid):
        size, full = ops.shape(prediction)[1:3], ops.shape(truth)[1:3]
        if self.resize_flow == "upsample":
            return resize(prediction, full), truth, valid
        truth, valid = known_average(truth, valid, size)
        if self.scale_as_level:
            truth = truth * ops.stack(
                [ops.cast(size[i], truth.dtype) / ops.cast(full[i], truth.dtype) for i in (1, 0)]
            )
        return prediction, truth, valid

    def _error(self, difference):
        norm1 = ops.sum(ops.abs(difference), axis=-1)
        error = safe_norm(difference) if self.p == 2 else norm1
        return error if self.q is None else (error + self.eps) ** self.q

    def _reduce(self, error, valid):
        if self.pixel_reduction == "mean":
            return known_mean(error[..., None], valid)
        return ops.sum(error * valid[..., 0], axis=(1, 2))

    def get_config(self) -> dict[str, Any]:
        return {
            "weights": self.weights,
            "flow_div": self.flow_div,
            "p": self.p,
            "q": self.q,
            "eps": self.eps,
            "reduction": self.pixel_reduction,
            "resize_flow": self.resize_flow,
            "max_flow": self.max_flow,
            "scale_as_level": self.scale_as_level,
            "name": self.name,
        }


@keras.saving.register_keras_serializable(package="tfflow")
class MultiLevelCharbonnier(MultiLevelEPE):
    """Like :class:`MultiLevelEPE`, with the generalised Charbonnier penalty (‖d‖² + eps)^q.

    LiteFlowNet and LiteFlowNet2 are fine-tuned with it (q = 0.2, eps = 0.01; eps is not squared, as
    in mmflow and Caffe's L1 loss layer).
    """

    def __init__(
        self,
        weights: Mapping[str, float],
        q: float = 0.2,
        eps: float = 0.01,
        name: str = "multi_level_charbonnier",
        **kwargs: Any,
    ) -> None:
        if q is None or kwargs.get("p", 2) != 2:
            raise ValueError(
                "MultiLevelCharbonnier needs an exponent q, and its norm is p=2; MultiLevelEPE has "
                f"the plain norms. Got q={q}, p={kwargs.get('p', 2)}."
            )
        super().__init__(weights, q=q, eps=eps, name=name, **kwargs)

    def _error(self, difference):
        return (ops.sum(ops.square(difference), axis=-1) + self.eps) ** self.q


@keras.saving.register_keras_serializable(package="tfflow")
class LightFlowL1(PyramidLoss):
    """LightFlow's loss: mean of `|prediction - truth / flow_div|` on the averaged flow.

    The truth is averaged over each pixel of the prediction's quarter resolution; the mean is over
    pixels and both components, then over the batch. Both are over the known part of the truth.

    Source: LightFlow-pytorch; the paper has one loss on the averaged prediction too.
    """

    def __init__(self, flow_div: float = 20.0, name: str = "lightflow_l1") -> None:
        super().__init__(name=name, reduction="sum_over_batch_size")
        self.flow_div = float(flow_div)

    def call(self, y_true: Tensor, y_pred: dict[str, Tensor]) -> Tensor:
        truth, valid = self._truth(y_true)
        prediction = _prediction(y_pred, "level2", None)
        size = ops.shape(prediction)[1:3]
        truth, valid = known_average(truth, valid, size)
        return known_mean(ops.abs(prediction - truth / self.flow_div), valid)

    def get_config(self) -> dict[str, Any]:
        return {"flow_div": self.flow_div, "name": self.name}


@keras.saving.register_keras_serializable(package="tfflow")
class MaskFlowNetLoss(PyramidLoss):
    """MaskFlowNet's authors' loss: each level at full size, in pixels, the finest weighted most.

    Each prediction, in pixels, is upsampled to the truth's size as in the network;
    with e = ‖prediction - truth‖₂, or ‖prediction - truth‖₁^q if ``q`` is given, the loss is
    Σ_levels weight · mean of e over the known pixels, averaged over the batch.

    Args:
        q: Exponent of the robust form, 0.4 for fine-tuning, or None for the plain one.
        flow_div: Network units are pixels / flow_div.
        name: Name of the loss.

    Source: MaskFlowNet (Zhao et al., 2020), as released for MXNet.
    """

    weights: ClassVar = {
        "level6": 0.005, "level5": 0.01, "level4": 0.02, "level3": 0.08, "level2": 0.32
    }  # fmt: skip

    def __init__(
        self, q: float | None = None, flow_div: float = 20.0, name: str = "maskflownet_loss"
    ) -> None:
        super().__init__(name=name, reduction="sum_over_batch_size")
        self.q, self.flow_div = q, float(flow_div)

    def call(self, y_true: Tensor, y_pred: dict[str, Tensor]) -> Tensor:
        truth, valid = self._truth(y_true)
        total = 0.0
        for level, weight in self.weights.items():
            prediction = self.flow_div * _prediction(y_pred, level, None)
            factor = ops.shape(truth)[1] // ops.shape(prediction)[1]
            difference = upsample_from_corner(prediction, factor) - truth
            total = total + weight * known_mean(self._error(difference)[..., None], valid)
        return total

    def _error(self, difference):
        if self.q is None:
            return ops.sqrt(ops.sum(ops.square(difference), axis=-1) + 1e-8)
        return (ops.sum(ops.abs(difference), axis=-1) + 1e-8) ** self.q

    def get_config(self) -> dict[str, Any]:
        return {"q": self.q, "flow_div": self.flow_div, "name": self.name}


def average_pool(x: Tensor, size: tuple[Tensor, Tensor]) -> Tensor:
    """Mean over equal blocks, (B, H, W, C) -> (B, *size, C): torch's adaptive pooling."""
    return ops.mean(_blocks(x, size), axis=(2, 4))


def known_average(
    truth: Tensor, valid: Tensor, size: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """Mean over the known pixels of equal blocks, and the share of each block that is known.

    Args:
        truth: (B, H, W, C), zero where unknown.
        valid: (B, H, W, 1).
        size: (h, w) in blocks.

    Returns:
        (B, h, w, C), zero in blocks without a known pixel, and (B, h, w, 1).
    """
    share = average_pool(valid, size)
    return ops.divide_no_nan(average_pool(truth * valid, size), share), share


def known_mean(error: Tensor, valid: Tensor) -> Tensor:
    """Each pair's mean error, (B, h, w, C) -> (B,), pixels weighted by ``valid`` (B, h, w, 1)."""
    known = ops.sum(valid, axis=(1, 2, 3)) * error.shape[-1]
    return ops.divide_no_nan(ops.sum(error * valid, axis=(1, 2, 3)), known)


def _blocks(x, size):
    full = ops.shape(x)[1:3]
    for total, parts in zip(full, size):
        if isinstance(total, int) and isinstance(parts, int) and total % parts:
            raise ValueError(
                f"The ground truth is {full[0]}x{full[1]}, a prediction {size[0]}x{size[1]}: "
                "expected a whole number of pixels of the truth for each of the prediction. Train "
                "on crops whose sides are multiples of 64."
            )
    channels = x.shape[-1]
    return ops.reshape(x, (-1, size[0], full[0] // size[0], size[1], full[1] // size[1], channels))


def _prediction(outputs, level, full_size):
    """The output of a level; level0, unless the model has it, is the finest one at full size."""
    name = level.replace("level", "flow")
    if name in outputs:
        return outputs[name]
    pyramid = sorted(key for key in outputs if re.fullmatch(r"flow\d", key))
    if level == "level0" and pyramid:
        return resize(outputs[pyramid[0]], full_size)
    raise ValueError(f"The loss weighs {level!r}, but the model's outputs are {sorted(outputs)}.")


def _check_choice(name, value, choices):
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}; got {value!r}.")
