import numpy as np
import pytest

from tfflow.evaluation import sparsification


def test_the_least_trusted_pixels_are_left_out_first():
    errors = np.arange(10.0).reshape(2, 5)
    np.testing.assert_allclose(sparsification(errors, -errors, (1, 0.5, 0.1)), [4.5, 2.0, 0.0])
    np.testing.assert_allclose(sparsification(errors, errors, (1, 0.5, 0.1)), [4.5, 7.0, 9.0])
    # Where nothing is known of it, the order stays.
    np.testing.assert_allclose(sparsification(errors, np.zeros((2, 5)), (0.5,)), [2.0])


@pytest.mark.parametrize(
    ("errors", "confidence", "shares"),
    [((2, 3), (3, 2), (1,)), ((0,), (0,), (1,)), ((2,), (2,), (0.0,)), ((2,), (2,), (1.1,))],
)
def test_what_can_not_be_measured(errors, confidence, shares):
    with pytest.raises(ValueError, match="must be"):
        sparsification(np.zeros(errors), np.zeros(confidence), shares)


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.float16, np.int8])
def test_a_confidence_of_any_dtype(dtype):
    confidence = np.array([0, 1, 0, 1]).astype(dtype)
    np.testing.assert_allclose(sparsification([8.0, 1.0, 6.0, 3.0], confidence, (1, 0.5)), [4.5, 2])
