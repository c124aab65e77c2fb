"""LightFlow against the PyTorch implementation's numbers."""

import numpy as np
import pytest
from golden_files import assert_close, load, nhwc, state_dict

import tfflow
from tfflow.models.parts import dtype_policy


@pytest.mark.parametrize("name", ["lightflow", "lightflow_0.75", "lightflow_0.5"])
def test_equals_the_published_implementation(name):
    description, arrays = load(name)
    model = tfflow.models.create(name)
    tfflow.weights.load_lightflow_pytorch(model, state_dict(description))
    assert model.count_params() > description["parameter_count"]  # with moving statistics
    for case in {key.split(".")[0] for key in arrays}:
        images = [nhwc(arrays[f"{case}.img{i}"]) for i in (1, 2)]
        inputs = {f"image{i + 1}": x / np.float32(255) for i, x in enumerate(images)}
        outputs = model(inputs)
        assert_close(outputs["flow2"], nhwc(arrays[f"{case}.pred.level2"]), 1e-5, f"{case} flow2")
        if f"{case}.flow" in arrays:
            flow = nhwc(arrays[f"{case}.flow"])
            assert_close(outputs["flow"], flow, 1e-5, f"{case} flow")
            assert_close(model.predict_flow(*images), flow, 1e-5, f"{case} predict_flow")


def test_linear_predictors_have_a_bias_and_no_activation():
    model = tfflow.models.create("lightflow", predictor_activation=False)
    assert sum(int(np.prod(v.shape)) for v in model.trainable_variables) == 2_540_380
    bias = model.predictors[-1].pointwise.bias
    bias.assign([-5.0, 0.0])
    images = np.full((1, 64, 64, 3), 0.5, np.float32)
    with_bias = np.asarray(model({"image1": images, "image2": images})["flow2"])
    bias.assign([0.0, 0.0])
    without = np.asarray(model({"image1": images, "image2": images})["flow2"])
    np.testing.assert_allclose(with_bias[..., 0] - without[..., 0], -1.0, atol=1e-5)


def test_flow_is_float32_in_mixed_precision():
    inputs = {f"image{i}": np.zeros((1, 64, 64, 3), np.float32) for i in (1, 2)}
    with dtype_policy("mixed_bfloat16"):
        outputs = tfflow.models.create("lightflow_0.5")(inputs)
    assert {name: value.dtype.name for name, value in outputs.items()} == {
        "flow": "float32",
        "flow2": "float32",
    }


def test_width_out_of_range():
    with pytest.raises(ValueError, match="width must be above 0"):
        tfflow.models.create("lightflow", width=0)
