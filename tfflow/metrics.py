"""Metrics of optical flow; see :mod:`tfflow.training.metrics`."""

from tfflow.training.metrics import EndPointError, FlOutliers

__all__ = ["EndPointError", "FlOutliers"]
