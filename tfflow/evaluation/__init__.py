"""Numbers and pictures for a model on data: evaluation, and flow for files."""

from tfflow.evaluation.errors import PixelErrors
from tfflow.evaluation.evaluate import evaluate
from tfflow.evaluation.predict import predict_pairs, predict_video
from tfflow.evaluation.result import Evaluation, PairResult
from tfflow.evaluation.tables import write_csv, write_json
from tfflow.evaluation.worst import write_worst_pairs

__all__ = [
    "Evaluation",
    "PairResult",
    "PixelErrors",
    "evaluate",
    "predict_pairs",
    "predict_video",
    "write_csv",
    "write_json",
    "write_worst_pairs",
]
