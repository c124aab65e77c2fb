"""Learning-rate schedules as the papers write them, in Keras's own classes.

Iterations count from 0: a milestone of 400 means that the 401st step is the first at the new
learning rate.
"""

import itertools
from collections.abc import Sequence

from keras.optimizers.schedules import CosineDecay, PiecewiseConstantDecay


def halved_at(
    base: float, milestones: Sequence[int], factor: float = 0.5
) -> PiecewiseConstantDecay:
    """``base``, times ``factor`` at each milestone (iterations), as FlowNet's S_long."""
    rates = [base * factor**i for i in range(len(milestones) + 1)]
    return _piecewise(milestones, rates)


def steps_table(rates: Sequence[float], lengths: Sequence[int]) -> PiecewiseConstantDecay:
    """``rates[i]`` for ``lengths[i]`` iterations, one after the other; the last one stays.

    >>> steps_table([1e-3, 1e-2, 5e-3], [10_000, 20_000, 10_000])
    """
    if not len(rates) == len(lengths) > 0:
        raise ValueError(
            f"Expected as many learning rates as lengths, at least one; got {len(rates)} and "
            f"{len(lengths)}."
        )
    return _piecewise(itertools.accumulate(lengths[:-1]), rates)


def _piecewise(milestones, rates):
    milestones = list(milestones) or [1]  # without one, the only rate stays; Keras wants one
    rates = [*rates, *rates] if len(rates) == 1 else list(rates)
    if any(later < earlier for earlier, later in itertools.pairwise([0, *milestones])):
        raise ValueError(f"milestones must rise from 0 on; got {milestones}.")
    # At the boundary itself, Keras still uses the old learning rate.
    return PiecewiseConstantDecay([milestone - 1 for milestone in milestones], rates)


def warmup_cosine(peak: float, steps: int, warmup: float = 0.05, final: float = 0.0) -> CosineDecay:
    """From 0 to ``peak`` over the share ``warmup`` of ``steps``, then a cosine to ``final``."""
    if not peak > 0:
        raise ValueError(f"peak must be a learning rate above 0; got {peak!r}.")
    if not 0 <= warmup < 1:
        raise ValueError(f"warmup is a share of the steps, from 0 to below 1; got {warmup!r}.")
    rising = max(1, int(steps * warmup))
    return CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, steps - rising),
        alpha=final / peak,
        warmup_target=peak,
        warmup_steps=rising,
    )
