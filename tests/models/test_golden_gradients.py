"""Losses of the networks, and their gradients, against mmflow's numbers.

With full truth alone: mmflow averages the zeros of unknown pixels into the truth, ours does not.
"""

import numpy as np
import pytest
import tensorflow as tf
from golden_files import assignments, images, load, nhwc, state_dict

import tfflow
from tfflow.losses import MultiLevelCharbonnier, MultiLevelEPE
from tfflow.weights import load_mmflow

LOSSES = {"MultiLevelEPE": MultiLevelEPE, "MultiLevelCharbonnierLoss": MultiLevelCharbonnier}
# In the measure of the golden files' README, where float32 itself is off by up to 1e-3.
TOLERANCES = {
    "liteflownet": 5e-3,
    "liteflownet2": 5e-3,
    "liteflownet2_ft_kitti": 5e-3,
    "flownets": 5e-3,
    "flownetc": 5e-3,
    "maskflownets": 1e-2,
    "maskflownet": 1e-2,
}


@pytest.mark.parametrize("name", TOLERANCES)
def test_losses_and_gradients_are_the_published_ones(name):
    description, arrays = load(name)
    if "a.gt" not in arrays:
        pytest.skip("its gradients are among the full golden files alone (../shared)")
    with assignments() as names:
        # Fine-tuned weights go into the network before _ft.
        model = tfflow.models.create(name.split("_ft")[0])
        load_mmflow(model, state_dict(description))
    config, case = description["loss"], description["cases"]["a"]
    robust = {key: config[key] for key in ("q", "eps") if config[key] is not None}
    loss = LOSSES[config["type"]](config["weights"], resize_flow=config["resize_flow"], **robust)
    inputs, truth = images(arrays, "a", bgr=True), nhwc(arrays["a.gt"])

    # Eagerly: that the compiled network is the same is test_registry.py's to say.
    with tf.GradientTape() as tape:
        outputs = model(inputs)
        value = loss(truth, outputs)
    gradients = tape.gradient(value, model.trainable_variables)
    assert float(value) == pytest.approx(case["loss_total"], rel=1e-5)
    for level, share in loss.per_level(truth, outputs).items():
        assert float(share[0]) == pytest.approx(case["loss_per_level"][level], rel=1e-5)

    gradient_of = {id(v): g for v, g in zip(model.trainable_variables, gradients)}
    found = {n: gradient_of[id(v)] for n, v in names.items() if id(v) in gradient_of}
    assert set(found) == set(case["grad_params"])
    norms = np.array([np.linalg.norm(np.asarray(found[key])) for key in case["grad_params"]])
    expected = arrays["a.grad.l2"]
    difference = np.abs(norms - expected) / (expected + 1e-3 * expected.max())
    assert difference.max() < TOLERANCES[name]
