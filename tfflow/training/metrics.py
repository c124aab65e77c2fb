"""Metrics of optical flow; tfflow/metrics.py names the public ones."""

import keras
from keras import ops

from tfflow.ops import safe_norm
from tfflow.ops.arguments import may_equal
from tfflow.types import Tensor


class _PixelMean(keras.metrics.Metric):
    """Mean of a subclass's values over all valid pixels seen so far. Lower is better."""

    def __init__(self, name: str, dtype: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)
        # Read by EarlyStopping, ModelCheckpoint and ReduceLROnPlateau, as in Keras's own metrics.
        self._direction = "down"
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def values(self, flow: Tensor, truth: Tensor) -> Tensor:
        """(B, H, W) for a flow and its truth (B, H, W, 2)."""
        raise TypeError(f"{type(self).__name__} must define values(flow, truth).")

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Adds a batch.

        Args:
            y_true: Ground truth in pixels, (B, H, W, 2); any value where it is not valid. NaN and
                infinity are not valid.
            y_pred: Predicted flow in pixels, (B, H, W, 2).
            sample_weight: Validity (B, H, W) or (B, H, W, 1), 1 = known; or a weight for each pair,
                (B,); None = all valid.

        Raises:
            ValueError: If truth and prediction differ in size, or ``sample_weight`` has another
                number of dimensions.
        """
        shapes = tuple(y_true.shape), tuple(y_pred.shape)
        if any(len(shape) != 4 for shape in shapes) or not all(map(may_equal, *shapes)):
            raise ValueError(
                f"The true and the predicted flow must both be (B, H, W, 2); got {shapes[0]} and "
                f"{shapes[1]}."
            )
        truth, flow = ops.cast(y_true, self.dtype), ops.cast(y_pred, self.dtype)
        valid = ops.cast(ops.all(ops.isfinite(truth), axis=-1), self.dtype)
        if sample_weight is not None:
            valid = valid * _as_map(ops.cast(sample_weight, self.dtype))
        values = self.values(flow, truth)
        # Unknown truth may be NaN, which a weight of zero would not remove.
        self.total.assign_add(ops.sum(ops.where(valid > 0, values * valid, 0.0)))
        self.count.assign_add(ops.sum(valid))

    def result(self) -> Tensor:
        return ops.divide_no_nan(self.total, self.count)


def _as_map(weight):
    """Weights of pixels, or of pairs, as (B, H, W) or (B, 1, 1)."""
    dimensions = len(weight.shape)
    if dimensions == 1:
        return weight[:, None, None]
    if dimensions == 3:
        return weight
    if dimensions == 4:
        return weight[..., 0]
    raise ValueError(
        "sample_weight must be the validity of each pixel, (B, H, W) or (B, H, W, 1), or a weight "
        f"for each pair, (B,); got {tuple(weight.shape)}."
    )


@keras.saving.register_keras_serializable(package="tfflow")
class EndPointError(_PixelMean):
    """End-point error (EPE): mean distance of predicted and true flow vectors, in pixels."""

    def __init__(self, name: str = "epe", dtype: str | None = None) -> None:
        super().__init__(name, dtype)

    def values(self, flow: Tensor, truth: Tensor) -> Tensor:
        return safe_norm(flow - truth)


@keras.saving.register_keras_serializable(package="tfflow")
class FlOutliers(_PixelMean):
    """Fl-all: share of outliers in percent, as KITTI 2015 defines them.

    A pixel is an outlier if its end-point error is above 3 px and above 5 % of the true motion.
    """

    def __init__(self, name: str = "fl", dtype: str | None = None) -> None:
        super().__init__(name, dtype)

    def values(self, flow: Tensor, truth: Tensor) -> Tensor:
        error, motion = safe_norm(flow - truth), safe_norm(truth)
        # "Not at most" rather than "above", so that a flow of NaN counts.
        near = ops.logical_or(error <= 3.0, error <= 0.05 * motion)
        return 100.0 * ops.cast(ops.logical_not(near), self.dtype)
