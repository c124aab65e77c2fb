"""Numbers and pictures for a model on data: evaluation, and flow for files."""

from tfflow.evaluation.errors import PixelErrors
from tfflow.evaluation.evaluate import evaluate
from tfflow.evaluation.predict import predict_pairs, write_prediction
from tfflow.evaluation.result import Evaluation, PairResult
from tfflow.evaluation.sparsification import sparsification
from tfflow.evaluation.submission import (
    Submission,
    missing_from_submission,
    write_submission,
)
from tfflow.evaluation.tables import write_csv, write_json
from tfflow.evaluation.tiles import TiledPredictor
from tfflow.evaluation.video import predict_video
from tfflow.evaluation.worst import write_worst_pairs

__all__ = [
    "Evaluation",
    "PairResult",
    "PixelErrors",
    "Submission",
    "TiledPredictor",
    "evaluate",
    "missing_from_submission",
    "predict_pairs",
    "predict_video",
    "sparsification",
    "write_csv",
    "write_json",
    "write_prediction",
    "write_submission",
    "write_worst_pairs",
]
