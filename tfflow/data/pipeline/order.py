"""The order of samples: a pure function of a sample's number, as a TensorFlow graph.

A run is one endless sequence of samples. The place of sample n in the data and its random changes
don't depend on what was read before or on the worker, so a run can resume anywhere.
"""

import numpy as np
import tensorflow as tf


class Order:
    """The place in the data of each sample number.

    Args:
        dataset: a data set, or a `Mixture` with its `datasets` and `ratios`. Without ratios, an
            epoch has every sample of all of them once. With ratios (2, 1, 1), of every four samples
            two are from the first one and one from each other, spread evenly; each data set then
            has epochs of its own.
        shuffle: a new order in every epoch.
        seed: whole number.
    """

    def __init__(self, dataset, shuffle, seed):
        self.datasets = list(getattr(dataset, "datasets", None) or [dataset])
        self.shuffle, self.seed = shuffle, seed
        self._lengths = np.array([len(part) for part in self.datasets], np.int64)
        ratios = getattr(dataset, "ratios", None)
        self._turns = None if ratios is None else _turns(ratios)

    def __call__(self, number):
        """(part int32, index int64 within it) of a sample whose number is int64."""
        if self._turns is not None:
            turns = tf.constant(self._turns)
            cycle, turn = number // len(self._turns), number % len(self._turns)
            part = turns[turn]
            # The number of samples from each part up to each turn of a cycle.
            taken = tf.math.cumsum(tf.one_hot(turns, len(self.datasets), dtype=tf.int64))
            own = cycle * taken[-1][part] + taken[turn][part] - 1
            return part, self._shuffled(own, tf.constant(self._lengths)[part], part)
        index = self._shuffled(number, tf.constant(self._lengths.sum()), 0)
        ends = tf.constant(np.cumsum(self._lengths))
        part = tf.reduce_sum(tf.cast(index >= ends, tf.int32))
        return part, index - (ends - self._lengths)[part]

    def _shuffled(self, number, length, part):
        epoch, place = number // length, number % length
        if not self.shuffle:
            return place
        # Data sets of equal length get different orders.
        seed = tf.stack([tf.cast(self.seed, tf.int64), epoch])
        seed = tf.random.experimental.stateless_fold_in(seed, tf.cast(part, tf.int64))
        return tf.random.experimental.index_shuffle(place, seed, length - 1)


def _turns(ratios):
    """The part at each turn of one cycle: the one that is furthest behind its share."""
    given, turns = np.zeros(len(ratios)), []
    for turn in range(1, sum(ratios) + 1):
        part = int(np.argmax(np.array(ratios) * turn / sum(ratios) - given))
        given[part] += 1
        turns.append(part)
    return np.array(turns, np.int32)
