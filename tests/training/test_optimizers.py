"""Coupled weight decay and the published schedules."""

import keras
import numpy as np
import pytest

from tfflow.training.optimizers import AdamL2, ConvolutionMuon
from tfflow.training.schedules import halved_at, steps_table, warmup_cosine


def test_adam_l2_decays_through_the_moments():
    """Against Adam written out, on the gradient of loss + l2/2 |w|²; the bias is left out."""
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=3).astype("float32"), rng.normal(size=(4, 3))
    kernel, bias = (keras.Variable(start, name=name) for name in ("kernel", "bias"))
    optimizer = AdamL2(0.1, l2=0.3, epsilon=1e-8)
    optimizer = type(optimizer).from_config(optimizer.get_config())
    for gradient in gradients.astype("float32"):
        g = keras.ops.convert_to_tensor(gradient)
        optimizer.apply([g, g], [kernel, bias])

    for variable, l2 in ((kernel, 0.3), (bias, 0.0)):
        w, m, v = start.astype(np.float64), 0.0, 0.0
        for t, gradient in enumerate(gradients, start=1):
            g = gradient + l2 * w
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            w = w - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        np.testing.assert_allclose(variable, w, atol=1e-5)


def test_halved_at():
    schedule = halved_at(1e-4, [400, 600])
    assert [float(schedule(step)) for step in (0, 399, 400, 599, 600)] == pytest.approx(
        [1e-4, 1e-4, 5e-5, 5e-5, 2.5e-5]
    )


def test_steps_table():
    schedule = steps_table([1e-3, 1e-2, 5e-3], [10, 20, 10])
    rates = [float(schedule(step)) for step in (9, 10, 29, 30, 99)]
    assert rates == pytest.approx([1e-3, 1e-2, 1e-2, 5e-3, 5e-3])
    with pytest.raises(ValueError, match="as many learning rates as lengths"):
        steps_table([1e-3], [1, 2])
    with pytest.raises(ValueError, match="at least one; got 0 and 0"):
        steps_table([], [])


def test_a_rate_without_a_milestone_stays():
    for schedule in (halved_at(1e-4, []), steps_table([1e-4], [5])):
        assert [float(schedule(step)) for step in (0, 1, 10_000)] == pytest.approx([1e-4] * 3)


def test_warmup_cosine():
    schedule = warmup_cosine(2.0, 100, warmup=0.1)
    assert float(schedule(5)) == pytest.approx(1.0)
    assert float(schedule(10)) == pytest.approx(2.0)
    assert float(schedule(55)) == pytest.approx(1.0, abs=0.05)
    assert float(schedule(100)) == pytest.approx(0.0, abs=1e-6)


def test_convolution_muon_moves_kernels_in_all_directions_alike():
    """The step of a kernel is near an orthogonal matrix, of Adam's length; biases go by AdamW."""
    rng = np.random.default_rng(0)
    # Two directions of the gradient are a thousand times the others.
    left, right = (
        np.linalg.qr(rng.normal(size=(72, 16)))[0],
        np.linalg.qr(rng.normal(size=(16, 16)))[0],
    )
    sizes = np.array([1e3, 1e3] + [1.0] * 14)
    gradient = ((left * sizes) @ right).reshape(3, 3, 8, 16).astype("float32")
    kernel = keras.Variable(np.zeros((3, 3, 8, 16), "float32"), name="kernel")
    bias = keras.Variable(np.zeros(16, "float32"), name="bias")
    optimizer = ConvolutionMuon(0.01, adam_lr_ratio=0.5, weight_decay=0.0, adam_weight_decay=0.0)
    optimizer = type(optimizer).from_config(optimizer.get_config())
    optimizer.apply([keras.ops.convert_to_tensor(gradient), np.ones(16, "f4")], [kernel, bias])

    step = np.asarray(kernel).reshape(72, 16)
    lengths = np.linalg.svd(step / (0.01 * 0.2 * np.sqrt(72)), compute_uv=False)
    assert lengths[:2].max() < 1.3 and lengths[:2].min() > 0.6
    assert lengths[2:].min() > 1e-2  # a thousandth of the gradient, and not of the step
    assert (np.sum(step * gradient.reshape(72, 16)) < 0).all()
    np.testing.assert_allclose(bias, -0.005, rtol=1e-4)


def test_muon_leaves_out_what_it_is_told_to():
    def by_muon(**options):
        optimizer = ConvolutionMuon(0.1, **options)
        kernels = [keras.Variable(np.ones((3, 3, 8, 8)), name=n) for n in ("head", "embedding")]
        return [k.name for k in kernels if not optimizer._should_use_adamw(k)]

    assert by_muon() == ["head"]
    assert by_muon(exclude_embeddings=False) == ["head", "embedding"]
    assert by_muon(exclude_layers=["he.d"]) == []


def test_schedules_that_are_none():
    with pytest.raises(ValueError, match=r"milestones must rise from 0 on; got \[6, 3\]"):
        halved_at(1.0, [6, 3])
    with pytest.raises(ValueError, match="peak must be a learning rate above 0; got 0.0"):
        warmup_cosine(0.0, 10)
    for warmup in (-0.1, 1.0, 1.5):
        with pytest.raises(ValueError, match="warmup is a share of the steps"):
            warmup_cosine(1.0, 10, warmup=warmup)
