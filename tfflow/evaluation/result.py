"""Results of an evaluation: the errors of each pair, and from them those of all and of scenes."""

import dataclasses
import functools
import math
import statistics
from typing import Any

from tfflow.evaluation.errors import THRESHOLDS, PixelErrors


@dataclasses.dataclass(frozen=True, slots=True)
class PairResult:
    """The errors of one pair.

    Attributes:
        index: Its place in the data set.
        name: Its name there.
        milliseconds: Time of the call of ``predict_flow``.
        errors: :class:`PixelErrors` over its valid pixels.
        matched: The same where the second image shows the pixel; None where that is not known.
        unmatched: The same where it does not; None where that is not known.
    """

    index: int
    name: str
    milliseconds: float
    errors: PixelErrors
    matched: PixelErrors | None = None
    unmatched: PixelErrors | None = None

    @property
    def epe(self) -> float:
        """Mean end-point error over its valid pixels, px; NaN if it has none."""
        return self.errors.epe

    @property
    def scene(self) -> str:
        """The part of the name before its last slash; "" if there is no slash."""
        return self.name.rpartition("/")[0]


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Results of a predictor on a data set; errors in pixels, shares in percent.

    Which average is which:

    * ``epe``, ``fl``, ``above``, ``by_speed``, ``zero_flow_epe``, and all numbers of ``errors``,
      ``matched``, ``unmatched`` and ``scenes``, pool pixels: the sum over all valid pixels of all
      pairs divided by their number. mmflow computes EPE and Fl this way, and KITTI 2015's server Fl
      (its development kit, evaluate_scene_flow.cpp).
    * ``pair_means`` gives every pair the same weight: the mean over pairs of each pair's mean over
      its own valid pixels. KITTI 2012's server averages this way (its development kit,
      evaluate_flow.cpp): its Avg-All is ``pair_means["all"]["epe"]``, its Out-Noc
      ``pair_means["matched"]["above_3_px"]``, which has no 5 % condition.
    * Sintel's server scores a fixed random part of its test set's pixels (the bundler's README,
      which does not say how it averages them). Sintel's images have one size and nearly all pixels
      are valid, so the two averages hardly differ.

    Matched pixels are those that the second image shows as well (Sintel's word; KITTI: noc);
    unmatched ones are occluded or have left the image. Together they are Sintel's "all" and KITTI's
    occ.

    Attributes:
        per_pair: A :class:`PairResult` for every pair.
    """

    per_pair: tuple

    @functools.cached_property
    def errors(self) -> PixelErrors:
        """:class:`PixelErrors` over all valid pixels of all pairs."""
        return _pooled(pair.errors for pair in self.per_pair)

    @functools.cached_property
    def matched(self) -> PixelErrors | None:
        """The same over matched pixels, KITTI's noc; None if no pair has a mask of occlusions."""
        return _pooled(pair.matched for pair in self.per_pair)

    @functools.cached_property
    def unmatched(self) -> PixelErrors | None:
        """The same over unmatched, that is occluded pixels; None if no pair has a mask."""
        return _pooled(pair.unmatched for pair in self.per_pair)

    @functools.cached_property
    def scenes(self) -> dict[str, PixelErrors]:
        """Scene -> :class:`PixelErrors` over its pairs; pairs without a scene are left out."""
        scenes: dict[str, PixelErrors] = {}
        for pair in self.per_pair:
            if pair.scene:
                scenes[pair.scene] = scenes.get(pair.scene, PixelErrors()) + pair.errors
        return scenes

    @functools.cached_property
    def pair_means(self) -> dict[str, dict[str, float]]:
        """Mean over pairs of each pair's own EPE and shares.

        ``{"all": {"epe": …, "fl": …, "above_1_px": …, …}}``, with ``"matched"`` and
        ``"unmatched"`` where there are masks. A pair without such pixels does not count.
        """
        groups = {
            "all": [pair.errors for pair in self.per_pair],
            "matched": [pair.matched for pair in self.per_pair],
            "unmatched": [pair.unmatched for pair in self.per_pair],
        }
        counted = {
            name: [each for each in of if each and each.pixels] for name, of in groups.items()
        }
        return {name: _means(each) for name, each in counted.items() if each}

    @property
    def epe(self) -> float:
        """Mean end-point error, px."""
        return self.errors.epe

    @property
    def fl(self) -> float:
        """Fl-all, percent of pixels with an error above 3 px and above 5 % of the true motion."""
        return self.errors.fl

    @property
    def above(self) -> dict[int, float]:
        """1, 3, 5 (px) -> percent of pixels with a larger error."""
        return self.errors.above

    @property
    def by_speed(self) -> dict[str, float]:
        """EPE where the true motion is 0 to 10, 10 to 40, 40 px and up; NaN without such pixels."""
        return self.errors.by_speed

    @property
    def zero_flow_epe(self) -> float:
        """EPE of a flow that is zero everywhere, px, which is the mean true motion."""
        return self.errors.zero_flow_epe

    @property
    def pairs(self) -> int:
        """Number of pairs."""
        return len(self.per_pair)

    @property
    def milliseconds(self) -> float:
        """Median time of a call of ``predict_flow``, without the first one."""
        times = [pair.milliseconds for pair in self.per_pair]
        return statistics.median(times[1:] or times)

    def worst(self, count: int) -> tuple[PairResult, ...]:
        """The pairs with the largest EPE, largest first; one that is not finite is the largest."""

        def badness(pair):
            return pair.epe if math.isfinite(pair.epe) else math.inf

        counted = [pair for pair in self.per_pair if pair.errors.pixels]
        return tuple(sorted(counted, key=badness, reverse=True)[:count])

    def as_dict(self) -> dict[str, Any]:
        """For JSON: everything but the list of pairs."""
        values = {
            "epe": self.epe,
            "fl": self.fl,
            "above": {f"{threshold}_px": share for threshold, share in self.above.items()},
            "by_speed": self.by_speed,
            "zero_flow_epe": self.zero_flow_epe,
            "pixels": self.errors.pixels,
            "pairs": self.pairs,
            "milliseconds": self.milliseconds,
            "pair_means": self.pair_means,
            "scenes": {scene: errors.as_dict() for scene, errors in self.scenes.items()},
        }
        for name in ("matched", "unmatched"):
            if getattr(self, name) is not None:
                values[name] = getattr(self, name).as_dict()
        return values


def _pooled(parts):
    known = [part for part in parts if part is not None]
    return sum(known, PixelErrors()) if known else None


def _means(parts):
    return {
        "epe": statistics.fmean(part.epe for part in parts),
        "fl": statistics.fmean(part.fl for part in parts),
        **{
            f"above_{threshold}_px": statistics.fmean(part.above[threshold] for part in parts)
            for threshold in THRESHOLDS
        },
    }
