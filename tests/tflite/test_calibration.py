"""Calibration: which pairs are taken, and the ranges that are read off them."""

import numpy as np
import pytest

from tfflow.data import FlowSample
from tfflow.tflite.calibration import MAX_PAIRS, OUTLIERS, as_pair, measure_ranges
from tfflow.tflite.graph import Graph

SIZE = (64, 128)
A, B = np.zeros((4, 5, 3)), np.ones((4, 5, 3))


@pytest.mark.parametrize(
    "item",
    [
        (A, B),
        [A, B],
        (A, B, "flow"),
        FlowSample(A, B, None, None, "name"),
        {"image1": A, "image2": B},
        ({"image2": B, "image1": A}, "flow", "valid"),
    ],
)
def test_pairs(item):
    image1, image2 = as_pair(item)
    np.testing.assert_array_equal(image1, A)
    np.testing.assert_array_equal(image2, B)


@pytest.mark.parametrize("item", [A, (A,), {"image1": A}, "ab", None, ()])
def test_no_pairs(item):
    with pytest.raises(ValueError, match="A pair must be"):
        as_pair(item)


def test_ranges(exported, model, pairs):
    content = exported["float32"].read_bytes()
    ranges = measure_ranges(content, pairs, SIZE)
    graph = Graph(content)
    computed = {graph.tensor_name(t) for op in graph.subgraph.operators for t in op.outputs}
    assert set(ranges) == computed | {"image1", "image2"}
    assert ranges["image1"] == ranges["image2"] == (0.0, 1.0)

    flows = [model.predict_flow(*pair, size=SIZE) for pair in pairs]
    outside = int(OUTLIERS * flows[0].size)
    assert outside > 0
    lows = [np.sort(flow, axis=None)[outside] for flow in flows]
    highs = [np.sort(flow, axis=None)[-1 - outside] for flow in flows]
    assert ranges["flow"] == pytest.approx((min(lows), max(highs)), rel=1e-3)


def test_an_endless_calibration_ends(exported, monkeypatch):
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield A, B

    monkeypatch.setattr("tfflow.tflite.calibration.MAX_PAIRS", 3)
    measure_ranges(exported["float32"].read_bytes(), endless(), SIZE)
    assert len(taken) == 3 and MAX_PAIRS >= 50
