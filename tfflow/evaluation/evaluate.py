"""End-point error and its relatives, for anything with ``predict_flow`` on any data set."""

import dataclasses
import statistics
import time

import numpy as np

# Sintel's classes of true motion in px.
SPEEDS = {"s0_10": (0.0, 10.0), "s10_40": (10.0, 40.0), "s40_plus": (40.0, np.inf)}


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Results over all valid pixels of all pairs pooled; errors in pixels.

    Attributes:
        epe: Mean end-point error.
        fl: Outliers in percent (error above 3 px and above 5 % of the true motion).
        by_speed: EPE where the true motion is 0 to 10, 10 to 40, above 40 px; NaN for none.
        zero_flow_epe: The same error for a flow of zero everywhere: the mean true motion.
        pairs: Number of pairs.
        milliseconds: Median time of a call of ``predict_flow``, the first one left out.
        per_pair: (name, EPE) of every pair.
    """

    epe: float
    fl: float
    by_speed: dict
    zero_flow_epe: float
    pairs: int
    milliseconds: float
    per_pair: tuple

    def as_dict(self):
        """For JSON: everything but the list of pairs."""
        values = dataclasses.asdict(self)
        del values["per_pair"]
        return values


def evaluate(predictor, dataset, *, limit=None, progress=None):
    """Evaluates a predictor on a data set with ground truth.

    Args:
        predictor: Anything with ``predict_flow(image1, image2)``: a model, a ``FlowInterpreter``.
        dataset: A sequence of samples with ``image1``, ``image2``, ``flow``, ``valid``, ``name``.
        limit: Only the first so many pairs.
        progress: Called with (pairs done, pairs in all, EPE so far).

    Returns:
        An :class:`Evaluation`.

    Raises:
        ValueError: If the data set is empty, or has no ground truth or no valid pixel.
    """
    total = min(len(dataset), limit or len(dataset))
    if total == 0:
        raise ValueError(f"Nothing to evaluate on: {dataset!r} is empty.")
    sums, counts = dict.fromkeys(("all", *SPEEDS), 0.0), dict.fromkeys(("all", *SPEEDS), 0)
    motion_sum, outliers, per_pair, times = 0.0, 0, [], []
    for index in range(total):
        sample = dataset[index]
        if sample.flow is None:
            raise ValueError(f"{sample.name} has no ground truth; evaluate needs a flow file each.")
        start = time.perf_counter()
        flow = predictor.predict_flow(sample.image1, sample.image2)
        times.append(time.perf_counter() - start)

        valid = np.ones(flow.shape[:2], bool) if sample.valid is None else sample.valid
        truth = sample.flow[valid].astype(np.float64)
        error = np.linalg.norm(flow[valid] - truth, axis=-1)
        motion = np.linalg.norm(truth, axis=-1)
        for key, (low, high) in {"all": (0.0, np.inf), **SPEEDS}.items():
            chosen = (motion >= low) & (motion < high)
            sums[key] += error[chosen].sum()
            counts[key] += int(chosen.sum())
        motion_sum += motion.sum()
        outliers += int(((error > 3.0) & (error > 0.05 * motion)).sum())
        per_pair.append((sample.name, float(error.mean()) if error.size else float("nan")))
        if progress:
            progress(index + 1, total, sums["all"] / max(counts["all"], 1))

    if counts["all"] == 0:
        raise ValueError(f"No pixel of {dataset!r} has a known flow.")
    epe = {key: float(sums[key] / counts[key]) if counts[key] else float("nan") for key in sums}
    return Evaluation(
        epe=epe.pop("all"),
        fl=100.0 * outliers / counts["all"],
        by_speed=epe,
        zero_flow_epe=float(motion_sum / counts["all"]),
        pairs=total,
        milliseconds=1000.0 * statistics.median(times[1:] or times),
        per_pair=tuple(per_pair),
    )
