"""Correlation, warp and resize against the published implementations' numbers, with gradients."""

import numpy as np
import pytest
import tensorflow as tf
from golden_files import assert_close, load, nhwc

from tfflow import ops

DESCRIPTION, ARRAYS = load("ops")
# For reference only: settings that these ops don't have (see the golden files' README).
NOT_OURS = ("corr.k3", "scaled_sqrt", "reflection", "ac_false", "one_row", "dcn.dg2")
CASES = [case for case in DESCRIPTION if not any(part in case for part in NOT_OURS)]


def cases(*families):
    return [case for case in CASES if case.split(".")[0] in families]


def check_gradients(function, inputs, case, names):
    """Compares the gradients of sum(output * gout), where the golden file has them."""
    if f"{case}.gout" not in ARRAYS:
        return
    variables = [tf.Variable(x) for x in inputs]
    with tf.GradientTape() as tape:
        output = function(*variables)
        gout = ARRAYS[f"{case}.gout"]
        gout = nhwc(gout.reshape(gout.shape[0], -1, *gout.shape[-2:]))
        total = tf.reduce_sum(output * gout)
    for name, gradient in zip(names, tape.gradient(total, variables)):
        assert_close(tf.convert_to_tensor(gradient), nhwc(ARRAYS[f"{case}.{name}"]), 1e-5, name)


@pytest.mark.parametrize("case", cases("corr", "corrblock"))
def test_correlation(case):
    config = DESCRIPTION[case]["config"]
    step = config.get("dilation_patch", 1)

    def function(a, b):
        cost = ops.correlation(
            a,
            b,
            config["max_displacement"] * step,  # there in steps, here in pixels
            stride=config.get("stride", 1),
            displacement_stride=step,
            normalize=DESCRIPTION[case].get("scaled", False),
        )
        return tf.nn.leaky_relu(cost, 0.1) if case.startswith("corrblock") else cost

    inputs = [nhwc(ARRAYS[f"{case}.x1"]), nhwc(ARRAYS[f"{case}.x2"])]
    expected = ARRAYS[f"{case}.out"]
    expected = nhwc(expected.reshape(expected.shape[0], -1, *expected.shape[-2:]))
    assert_close(function(*inputs), expected, 1e-5, case)
    check_gradients(function, inputs, case, ("gx1", "gx2"))


@pytest.mark.parametrize("case", cases("warp"))
def test_warp(case):
    config = DESCRIPTION[case]["config"]

    def function(image, flow):
        return ops.warp(
            image,
            flow,
            padding=config.get("padding_mode", "zeros"),
            mask_threshold=0.9999 if config["use_mask"] else None,
        )

    inputs = [nhwc(ARRAYS[f"{case}.feat"]), nhwc(ARRAYS[f"{case}.flow"])]
    assert_close(function(*inputs), nhwc(ARRAYS[f"{case}.out"]), 1e-5, case)
    check_gradients(function, inputs, case, ("gfeat", "gflow"))


@pytest.mark.parametrize("case", cases("localavg"))
def test_local_average(case):
    def function(distance, flow):
        return ops.local_average(flow, distance)

    inputs = [nhwc(ARRAYS[f"{case}.d"]), nhwc(ARRAYS[f"{case}.flow"])]
    assert_close(function(*inputs), nhwc(ARRAYS[f"{case}.out"]), 1e-5, case)
    check_gradients(function, inputs, case, ("gd", "gflow"))


@pytest.mark.parametrize("case", cases("upsample_buffer"))
def test_upsample_transposed(case):
    taps = np.transpose(ARRAYS[f"{case}.weight"], (2, 3, 0, 1))[..., 0]
    found = ops.upsample_transposed(nhwc(ARRAYS[f"{case}.x"]), taps)
    assert_close(found, nhwc(ARRAYS[f"{case}.out"]), 1e-5, case)


@pytest.mark.parametrize("case", cases("dcn"))
def test_deformable_convolution(case):
    def function(image, offsets, kernel):
        return ops.deformable_convolution(
            image, offsets, kernel, stride=DESCRIPTION[case]["config"].get("stride", 1)
        )

    kernel = np.transpose(ARRAYS[f"{case}.weight"], (2, 3, 1, 0))
    inputs = [nhwc(ARRAYS[f"{case}.x"]), nhwc(ARRAYS[f"{case}.offset"]), kernel]
    assert_close(function(*inputs), nhwc(ARRAYS[f"{case}.out"]), 1e-5, case)
    variables = [tf.Variable(x) for x in inputs]
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(function(*variables) * nhwc(ARRAYS[f"{case}.gout"]))
    of_image, of_offsets, of_kernel = tape.gradient(total, variables)
    assert_close(tf.convert_to_tensor(of_image), nhwc(ARRAYS[f"{case}.gx"]), 1e-5, "gx")
    assert_close(of_offsets, nhwc(ARRAYS[f"{case}.goffset"]), 1e-5, "goffset")
    of_kernel = np.transpose(of_kernel, (3, 2, 0, 1))
    assert_close(of_kernel, ARRAYS[f"{case}.gweight"], 1e-5, "gweight")


@pytest.mark.parametrize("case", cases("mask_upsample"))
def test_upsample_from_corner(case):
    found = ops.upsample_from_corner(nhwc(ARRAYS[f"{case}.x"]), DESCRIPTION[case]["factor"])
    assert_close(found, nhwc(ARRAYS[f"{case}.out"]), 1e-5, case)


@pytest.mark.parametrize("case", cases("resize"))
@pytest.mark.parametrize("known", [True, False], ids=["known_size", "unknown_size"])
def test_resize(case, known):
    image, size = nhwc(ARRAYS[f"{case}.x"]), DESCRIPTION[case]["size"]
    if known:
        resized = ops.resize(image, size)
    else:
        spec = tf.TensorSpec((None, None, None, image.shape[-1])), tf.TensorSpec((2,), tf.int32)
        graph = tf.function(lambda x, s: ops.resize(x, (s[0], s[1])), input_signature=spec)
        resized = graph(image, np.int32(size))
    assert_close(resized, nhwc(ARRAYS[f"{case}.out"]), 1e-5, case)
