"""Numbers for a model on a data set."""

from tfflow.evaluation.evaluate import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
