"""How well a confidence tells right flow from wrong: sparsification.

Pixels are left out, the least trusted first, and the EPE of the rest should fall. The oracle leaves
out those of the largest error first; the area between both curves (AUSE) is what the confidence
lacks. Source: Ilg et al., "Uncertainty Estimates and Multi-Hypotheses Networks for Optical Flow",
ECCV 2018, section 5.1.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tfflow.types import Array

SHARES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)


def sparsification(
    errors: Array, confidence: Array, shares: Sequence[float] = SHARES
) -> npt.NDArray[np.float64]:
    """The mean error of the most trusted pixels of an image.

    Args:
        errors: End-point errors, px, of any shape: (H, W), or those of the known pixels alone.
        confidence: Of the same shape; larger is surer, in any unit and
            of any dtype. ``-errors`` is the oracle.
        shares: Which shares of the pixels to keep, in (0, 1].

    Returns:
        float64, a mean error in px for each share.

    Raises:
        ValueError: If the shapes differ, there is no pixel, or a share is not in (0, 1].
    """
    # Not as it is: -1 of uint8 is 255, and there is none of bool.
    errors, confidence = np.asarray(errors, np.float64), np.asarray(confidence, np.float64)
    if errors.shape != confidence.shape or errors.size == 0:
        raise ValueError(
            "errors and confidence must be of one shape, with at least one pixel; got "
            f"{errors.shape} and {confidence.shape}."
        )
    if not all(0 < share <= 1 for share in shares):
        raise ValueError(f"shares must be above 0 and at most 1; got {tuple(shares)}.")
    order = np.argsort(-confidence, axis=None, kind="stable")
    sums = np.cumsum(errors.ravel()[order])
    counts = np.maximum(1, np.round(np.multiply(shares, errors.size))).astype(int)
    return sums[counts - 1] / counts
