"""Pixel errors as running sums: a handful of numbers for any number of pixels."""

import dataclasses
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tfflow.vectors import length

# Sintel's classes of true motion in px, from the first number up to but excluding the second.
SPEEDS = {"s0_10": (0.0, 10.0), "s10_40": (10.0, 40.0), "s40_plus": (40.0, math.inf)}

# px; for each, the share of pixels with a larger error is given.
THRESHOLDS = (1, 3, 5)


@dataclasses.dataclass(frozen=True, slots=True)
class PixelErrors:
    """Sums over a set of pixels; sets are joined by adding them, so all pixels weigh the same.

    Attributes:
        pixels: Number of pixels.
        error: Sum of the end-point errors, px.
        motion: Sum of the true motion's lengths, px.
        outliers: Number of pixels with an error above 3 px and above 5 % of the true motion.
        over: Numbers of pixels with an error above 1, 3 and 5 px.
        speed_pixels: Numbers of pixels with a true motion under 10, 10 to 40, and over 40 px.
        speed_errors: Sums of their end-point errors, px.
    """

    pixels: int = 0
    error: float = 0.0
    motion: float = 0.0
    outliers: int = 0
    over: tuple = (0,) * len(THRESHOLDS)
    speed_pixels: tuple = (0,) * len(SPEEDS)
    speed_errors: tuple = (0.0,) * len(SPEEDS)

    @classmethod
    def measure(cls, flow: npt.NDArray[Any], truth: npt.NDArray[Any]) -> "PixelErrors":
        """The sums over given pixels.

        Args:
            flow: The prediction, (N, 2), px. A pixel without a finite value is an outlier.
            truth: The true flow, (N, 2), px, finite.
        """
        truth = np.asarray(truth, np.float64)
        error = length(flow - truth)
        motion = length(truth)
        classes = [(motion >= low) & (motion < high) for low, high in SPEEDS.values()]
        return cls(
            pixels=error.size,
            error=float(error.sum()),
            motion=float(motion.sum()),
            # "Not at most" rather than "above", so that NaN counts.
            outliers=int((~((error <= 3.0) | (error <= 0.05 * motion))).sum()),
            over=tuple(int((~(error <= threshold)).sum()) for threshold in THRESHOLDS),
            speed_pixels=tuple(int(of.sum()) for of in classes),
            speed_errors=tuple(float(error[of].sum()) for of in classes),
        )

    def __add__(self, other: "PixelErrors") -> "PixelErrors":
        def added(a, b):
            return tuple(x + y for x, y in zip(a, b)) if isinstance(a, tuple) else a + b

        names = [field.name for field in dataclasses.fields(self)]
        return PixelErrors(*(added(getattr(self, name), getattr(other, name)) for name in names))

    @property
    def epe(self) -> float:
        """Mean end-point error, px."""
        return _ratio(self.error, self.pixels)

    @property
    def fl(self) -> float:
        """Percent of pixels with an error above 3 px and above 5 % of the true motion."""
        return 100.0 * _ratio(self.outliers, self.pixels)

    @property
    def above(self) -> dict[int, float]:
        """Threshold in px -> percent of pixels with a larger error."""
        shares = (100.0 * _ratio(number, self.pixels) for number in self.over)
        return dict(zip(THRESHOLDS, shares))

    @property
    def by_speed(self) -> dict[str, float]:
        """``s0_10``, ``s10_40``, ``s40_plus`` -> EPE of such pixels, px; NaN without any."""
        return dict(zip(SPEEDS, map(_ratio, self.speed_errors, self.speed_pixels)))

    @property
    def zero_flow_epe(self) -> float:
        """EPE of a flow that is zero everywhere, px, which is the mean true motion."""
        return _ratio(self.motion, self.pixels)

    def as_dict(self) -> dict[str, float]:
        """All numbers by name, flat: ``pixels``, ``epe``, ``fl``, ``above_1_px`` … ``s0_10`` …"""
        return {
            "pixels": self.pixels,
            "epe": self.epe,
            "fl": self.fl,
            **{f"above_{threshold}_px": share for threshold, share in self.above.items()},
            **self.by_speed,
            "zero_flow_epe": self.zero_flow_epe,
        }


def _ratio(total, number):
    return total / number if number else math.nan
