"""Numbers and pictures for a model on data: evaluation, and flow for files."""

from tfflow.evaluation.evaluate import Evaluation, evaluate
from tfflow.evaluation.predict import predict_pairs, predict_video

__all__ = ["Evaluation", "evaluate", "predict_pairs", "predict_video"]
