"""Forward-backward consistency."""

import numpy as np
import pytest

from tfflow import tools


def test_flows_that_undo_each_other_agree():
    forward = np.broadcast_to(np.float32((3, -2)), (20, 30, 2))
    hidden = tools.occlusion(forward, -forward)
    assert hidden.dtype == bool
    expected = np.ones((20, 30), bool)
    expected[2:, :-3] = False  # the others leave the image
    np.testing.assert_array_equal(hidden, expected)
    trust = tools.confidence(forward, -forward)
    assert trust.dtype == np.float32 and (trust == 1).all()  # at the border too


def test_tolerance_grows_with_the_motion():
    def agree(motion, error):
        forward = np.zeros((1, 200, 2), np.float32)
        forward[..., 0] = motion
        backward = -forward
        backward[..., 0] += error
        hidden, trust = tools.occlusion(forward, backward), tools.confidence(forward, backward)
        stays = np.s_[:, :99]
        np.testing.assert_array_equal(hidden[stays], trust[stays] < np.exp(-1))
        return not hidden[0, 0]

    # The square root of 0.01 · 2 · motion² + 0.5: 0.71, 1.58 and 14.2 px.
    for motion, allowed, too_much in ((0, 0.70, 0.72), (10, 1.45, 1.7), (100, 13.0, 15.5)):
        assert agree(motion, allowed) and not agree(motion, too_much)


def test_batches_and_values_that_are_not_finite():
    rng = np.random.default_rng(0)
    forward, backward = rng.normal(0, 2, (2, 3, 16, 24, 2)).astype(np.float32)
    forward[1, 4, 5] = np.nan
    backward[2, 6:9, 6:9] = np.inf
    hidden, trust = tools.occlusion(forward, backward), tools.confidence(forward, backward)
    assert hidden.shape == trust.shape == (3, 16, 24)
    for i in range(3):
        np.testing.assert_array_equal(hidden[i], tools.occlusion(forward[i], backward[i]))
    assert hidden[1, 4, 5] and trust[1, 4, 5] == 0 and np.isfinite(trust).all()


def test_a_batch_of_none():
    none = np.zeros((0, 6, 8, 2), np.float32)
    hidden, trust = tools.occlusion(none, none), tools.confidence(none, none)
    assert hidden.shape == trust.shape == (0, 6, 8)
    assert tools.warp(none, none).shape == none.shape


def test_true_flows_find_true_occlusions():
    """A square that moves over a still background hides a strip of it."""
    forward, backward = np.zeros((2, 40, 60, 2), np.float32)
    forward[10:30, 10:30, 0], backward[10:30, 18:38, 0] = 8, -8
    expected = np.zeros((40, 60), bool)
    expected[10:30, 30:38] = True
    np.testing.assert_array_equal(tools.occlusion(forward, backward), expected)
    np.testing.assert_allclose(tools.confidence(forward, backward), ~expected, atol=1e-6)


@pytest.mark.parametrize(
    "shapes", [((8, 9, 2), (8, 8, 2)), ((8, 9, 3), (8, 9, 3)), ((8, 9), (8, 9))]
)
def test_what_is_no_pair_of_flows(shapes):
    with pytest.raises(ValueError, match="flows of one shape"):
        tools.occlusion(*map(np.zeros, shapes))


@pytest.mark.parametrize(
    "tolerances", [{"absolute": 0}, {"absolute": -0.2}, {"relative": -1}, {"relative": np.nan}]
)
def test_tolerances_out_of_their_range(tolerances):
    flow = np.zeros((4, 5, 2), np.float32)
    with pytest.raises(ValueError, match="relative must be at least 0 and absolute above 0"):
        tools.confidence(flow, flow, **tolerances)
