"""Evaluation of anything with predict_flow."""

import types

import numpy as np
import pytest

from tfflow.evaluation import evaluate


def sample(flow, valid=None, name="pair"):
    image = np.zeros((*flow.shape[:2], 3), np.uint8)
    return types.SimpleNamespace(image1=image, image2=image, flow=flow, valid=valid, name=name)


class Still:
    """Predicts that nothing moves."""

    def predict_flow(self, image1, image2):
        return np.zeros((*image1.shape[:2], 2), np.float32)


def test_pixels_are_pooled_and_sorted_by_speed():
    slow = np.zeros((2, 4, 2), np.float32)
    slow[..., 0], slow[..., 1] = 3.0, 4.0
    fast = np.zeros((4, 4, 2), np.float32)
    fast[..., 0] = 50.0
    valid = np.zeros((4, 4), bool)
    valid[:2] = True
    fast[2:] = np.nan
    result = evaluate(Still(), [sample(slow), sample(fast, valid, "fast")])
    assert result.epe == result.zero_flow_epe == pytest.approx((5.0 + 50.0) / 2)
    assert result.by_speed["s0_10"] == pytest.approx(5.0)
    assert np.isnan(result.by_speed["s10_40"])
    assert result.by_speed["s40_plus"] == pytest.approx(50.0)
    assert result.fl == 100.0
    assert [(pair.name, pair.epe) for pair in result.per_pair] == [("pair", 5.0), ("fast", 50.0)]
    assert "per_pair" not in result.as_dict()


def test_outliers_need_three_pixels_and_five_percent():
    class Off:
        def predict_flow(self, image1, image2):
            flow = np.full((*image1.shape[:2], 2), 0.0, np.float32)
            flow[..., 0] = 100.0 + 4.0
            return flow

    truth = np.zeros((2, 2, 2), np.float32)
    truth[..., 0] = 100.0
    assert evaluate(Off(), [sample(truth)]).fl == 0.0  # 4 px of 100 are below 5 %


def test_nothing_to_evaluate():
    with pytest.raises(ValueError, match="is empty"):
        evaluate(Still(), [])
    without = sample(np.zeros((2, 2, 2)))
    without.flow = None
    with pytest.raises(ValueError, match="no ground truth"):
        evaluate(Still(), [without])
    with pytest.raises(ValueError, match="known flow"):
        evaluate(Still(), [sample(np.zeros((2, 2, 2)), np.zeros((2, 2), bool))])
