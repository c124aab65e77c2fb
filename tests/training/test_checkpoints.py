"""Checkpoints hold everything, appear whole, and say when they don't fit."""

import keras
import numpy as np
import pytest

from tfflow.training.checkpoints import Checkpoints, SaveCheckpoints, fit_calls


def model(units=2, steps=0, **optimizer):
    keras.utils.set_random_seed(1)
    made = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units)])
    made.compile(keras.optimizers.Adam(**optimizer), "mse")
    made.optimizer.build(made.trainable_variables)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, units))
    for _ in range(steps):
        made.train_on_batch(x, y)
    return made


def state(made):
    return [np.asarray(v) for v in (*made.variables, *made.optimizer.variables)]


@pytest.mark.parametrize(
    "optimizer", [{}, {"use_ema": True}, {"gradient_accumulation_steps": 2}], ids=str
)
def test_all_state_comes_back(tmp_path, optimizer):
    trained, checkpoints = model(steps=3, **optimizer), Checkpoints(tmp_path)
    checkpoints.save(trained, 3)
    fresh = model(**optimizer)
    assert checkpoints.restore(fresh) == 3
    for one, other in zip(state(trained), state(fresh), strict=True):
        np.testing.assert_array_equal(one, other)


def test_random_numbers_go_on(tmp_path):
    def with_dropout(seed):
        made = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5, seed=seed)])
        made.compile("sgd", "mse")
        return made

    one, other, checkpoints = with_dropout(1), with_dropout(2), Checkpoints(tmp_path)
    x = np.ones((1, 3))
    one(x, training=True)
    checkpoints.save(one, 1)
    checkpoints.restore(other)
    for _ in range(4):
        np.testing.assert_array_equal(one(x, training=True), other(x, training=True))


def test_the_newest_two_stay(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.restore(model()) == 0
    for step in (5, 10, 15):
        checkpoints.save(model(), step)
    assert checkpoints.steps() == [10, 15]
    # What an interrupted save leaves behind is not one of them.
    (tmp_path / ".ab12cd34.step-00000020.weights.h5").write_bytes(b"half")
    assert checkpoints.restore(model()) == 15


def test_later_ones_of_another_run_do_not_push_out_a_new_one(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    for step in (2000, 3000, 10):
        checkpoints.save(model(), step)
    assert checkpoints.steps() == [10, 2000, 3000]


def test_steps_are_counted_where_keras_runs_several_at_once(tmp_path):
    made = model()
    made.compile("sgd", "mse", steps_per_execution=2)
    save = SaveCheckpoints(Checkpoints(tmp_path, keep=9), step=7)
    made.fit(np.zeros((10, 3)), np.zeros((10, 2)), 2, epochs=2, callbacks=[save], verbose=0)
    assert save.checkpoints.steps() == [12, 17]


def test_what_does_not_fit_is_told(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(model(units=2), 5)
    with pytest.raises(ValueError, match="does not fit this network"):
        checkpoints.restore(model(units=4))
    for other in ({"use_ema": True}, {"amsgrad": True}):  # Keras itself goes on without moments
        with pytest.raises(ValueError, match="does not fit this network and optimizer"):
            checkpoints.restore(model(units=2, **other))
    checkpoints.path(5).write_bytes(b"damaged")
    with pytest.raises(ValueError, match="is damaged"):
        checkpoints.restore(model(units=2))


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, [(0, 0, 2, 10), (20, 2, 3, 5)]),
        (3, [(3, 0, 1, 7), (10, 1, 2, 10), (20, 2, 3, 5)]),
        (20, [(20, 2, 3, 5)]),
        (22, [(22, 2, 3, 3)]),
        (25, []),
    ],
)
def test_fit_calls(step, expected):
    assert list(fit_calls(step, 25, 10)) == expected


def test_at_least_one_is_kept(tmp_path):
    with pytest.raises(ValueError, match="keep must be a whole number of at least 1; got 0"):
        Checkpoints(tmp_path, keep=0)
