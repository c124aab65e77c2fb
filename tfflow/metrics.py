"""Metrics of optical flow, over all valid pixels of all images pooled."""

from tfflow.training.metrics import EndPointError, FlOutliers

__all__ = ["EndPointError", "FlOutliers"]
