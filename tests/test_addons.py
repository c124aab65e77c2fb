"""tfflow.addons against what TensorFlow Addons 0.23.0 gave, and where that gave nothing."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden_files import load

import tfflow.addons as tfa
from tfflow import ops

DESCRIPTION, ARRAYS = load("tfa_ops")


def cases(operation):
    found = [case for case in DESCRIPTION["cases"] if case["op"] == operation]
    return [pytest.param(case, id=case["name"]) for case in found]


def check_golden(function, case, inputs, names):
    """Values within 1e-5, gradients of sum(output · upstream) within 1e-4."""
    arrays = {
        name.split("/")[1]: array
        for name, array in ARRAYS.items()
        if name.startswith(case["name"] + "/")
    }
    variables = [tf.Variable(arrays[name]) for name in inputs]
    with tf.GradientTape() as tape:
        output = function(*variables)
        total = tf.reduce_sum(output * arrays["upstream"])
    np.testing.assert_allclose(output, arrays["output"], rtol=0, atol=1e-5)
    for name, gradient in zip(names, tape.gradient(total, variables)):
        np.testing.assert_allclose(
            tf.convert_to_tensor(gradient), arrays[name], rtol=0, atol=1e-4, err_msg=name
        )


def arguments(case):
    return {
        name: case[name]
        for name in (
            "kernel_size", "max_displacement", "stride_1", "stride_2", "pad", "data_format",
        )
    }  # fmt: skip


@pytest.mark.parametrize("case", cases("CorrelationCost"))
def test_correlation_cost_is_that_of_addons(case):
    layer = tfa.CorrelationCost(**arguments(case))
    check_golden(lambda a, b: layer([a, b]), case, ("input_a", "input_b"), ("grad_a", "grad_b"))


@pytest.mark.parametrize("case", cases("dense_image_warp"))
def test_dense_image_warp_is_that_of_addons(case):
    check_golden(tfa.dense_image_warp, case, ("image", "flow"), ("grad_image", "grad_flow"))


# The cost volume ---------------------------------------------------------------------------------


def by_definition(a, b, kernel, reach, stride1, stride2, pad):
    """The cost volume in loops over positions and displacements, (H, W, C) twice."""
    half, far = kernel // 2, 50
    border, steps = reach + half, reach // stride2
    moves = [stride2 * step for step in range(-steps, steps + 1)]
    starts = [
        [
            (n - pad) * stride1 + border - half + far
            for n in range(-(-(size + 2 * pad - 2 * border) // stride1))
        ]
        for size in a.shape[:2]
    ]
    a, b = (np.pad(x, ((far, far), (far, far), (0, 0))) for x in (a, b))

    def patch(x, i, j):
        return x[i : i + kernel, j : j + kernel]

    return np.array([
        [
            [np.mean(patch(a, i, j) * patch(b, i + v, j + u)) for v in moves for u in moves]
            for j in starts[1]
        ]
        for i in starts[0]
    ])  # fmt: skip


@pytest.mark.parametrize("data_format", tfa.DATA_FORMATS)
@pytest.mark.parametrize(
    "settings",
    [
        (1, 2, 1, 1, 2),  # as most networks have it
        (1, 2, 1, 1, 0),  # the border is lost
        (1, 2, 2, 1, 1),  # some of it, from an odd row on
        (1, 2, 1, 1, 4),  # more than the image
        (1, 3, 2, 2, 3),  # the displacement is not a multiple of its stride
        (1, 2, 3, 2, 2),
        (3, 2, 1, 1, 3),
        (3, 2, 2, 2, 2),
        (5, 1, 2, 1, 4),
        (3, 0, 1, 1, 0),  # no displacement at all
        (1, 1, 1, 3, 1),  # a stride beyond it
    ],
)
def test_correlation_cost_by_definition(settings, data_format):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 7, 10, 3)).astype(np.float32)
    expected = by_definition(a, b, *settings)
    layer = tfa.CorrelationCost(*settings, data_format)
    inputs = [a[None], b[None]]
    if data_format == "channels_first":
        expected = expected.transpose(2, 0, 1)
        inputs = [x.transpose(0, 3, 1, 2) for x in inputs]
    found = layer(inputs)
    np.testing.assert_allclose(found[0], expected, atol=1e-6)
    assert layer.compute_output_shape([x.shape for x in inputs]) == tuple(found.shape)


@pytest.mark.parametrize("settings", [(1, 2, 2, 1, 1), (5, 0, 1, 1, 7), (3, 2, 2, 2, 2)])
def test_correlation_cost_has_gradients(settings):
    a, b = np.random.default_rng(0).standard_normal((2, 1, 4, 5, 2))
    layer = tfa.CorrelationCost(*settings, "channels_last", dtype="float64")
    theoretical, numerical = tf.test.compute_gradient(lambda a, b: layer([a, b]), [a, b])
    for found, expected in zip(theoretical, numerical):
        np.testing.assert_allclose(found, expected, atol=1e-8)


def test_correlation_cost_of_one_pixel():
    one = np.full((1, 1, 1, 4), 3, np.float32)
    cost = tfa.CorrelationCost(1, 2, 1, 1, 2, "channels_last")([one, one])
    assert cost.shape == (1, 1, 1, 25)
    np.testing.assert_array_equal(np.flatnonzero(cost), [12])
    assert cost[0, 0, 0, 12] == 9


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_correlation_cost_computes_in_its_dtype(dtype):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 1, 6, 7, 5))
    layer = tfa.CorrelationCost(3, 2, 1, 1, 3, "channels_last", dtype=dtype)
    found = layer([a.astype(dtype), b.astype(dtype)])
    assert found.dtype == dtype
    tolerance = 1e-14 if dtype == "float64" else 3e-3
    expected = by_definition(a[0], b[0], 3, 2, 1, 1, 3)
    np.testing.assert_allclose(found[0], expected, atol=tolerance)


@pytest.mark.parametrize(
    ("data_format", "shape", "output"),
    [
        ("channels_last", (None, None, 4), (None, None, None, 25)),
        ("channels_first", (4, None, None), (None, 25, None, None)),
    ],
)
def test_correlation_cost_in_a_model_that_is_saved(tmp_path, data_format, shape, output):
    inputs = [keras.Input(shape), keras.Input(shape)]
    costs = tfa.layers.CorrelationCost(3, 2, 1, 1, 3, data_format, name="costs")(inputs)
    assert costs.shape == output
    model = keras.Model(inputs, costs)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_layer("costs").get_config() == model.get_layer("costs").get_config()
    size = (2, 9, 8, 4) if data_format == "channels_last" else (2, 4, 9, 8)
    maps = [np.random.default_rng(i).random(size, np.float32) for i in (1, 2)]
    np.testing.assert_array_equal(loaded(maps), model(maps))


def test_models_saved_with_addons_name_the_layer_like_this():
    assert keras.saving.get_registered_name(tfa.CorrelationCost) == "Addons>CorrelationCost"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernel_size": 2}, "kernel_size must be odd; got 2"),
        ({"kernel_size": 0}, "kernel_size must be a whole number of at least 1; got 0"),
        ({"max_displacement": -1}, "max_displacement must be a whole number of at least 0"),
        ({"stride_1": 0}, "stride_1 must be a whole number of at least 1; got 0"),
        ({"stride_2": 0}, "stride_2 must be a whole number of at least 1; got 0"),
        ({"pad": 1.5}, "pad must be a whole number of at least 0; got 1.5"),
        ({"data_format": "NHWC"}, "data_format must be one of .*; got 'NHWC'"),
    ],
)
def test_correlation_cost_says_which_argument_is_bad(change, message):
    good = dict(
        kernel_size=1, max_displacement=1, stride_1=1, stride_2=1, pad=1,
        data_format="channels_last",
    )  # fmt: skip
    with pytest.raises(ValueError, match=message):
        tfa.CorrelationCost(**{**good, **change})


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(1, 4, 5, 3)], "a list of two feature maps, .* got 1"),
        ([(1, 4, 5, 3)] * 3, "a list of two feature maps, .* got 3"),
        ([(4, 5, 3)] * 2, r"of one shape \(B, C, H, W\); got \(4, 5, 3\) and \(4, 5, 3\)"),
        ([(1, 3, 5, 5), (1, 3, 5, 4)], r"of one shape .* got \(1, 3, 5, 5\) and \(1, 3, 5, 4\)"),
        ([(1, 3, 2, 5)] * 2, r"maps larger than 2; got \(1, 3, 2, 5\) .* pad=2 keeps any size"),
    ],
)
def test_correlation_cost_says_what_is_wrong_with_the_maps(shapes, message):
    layer = tfa.CorrelationCost(1, 2, 1, 1, 1, "channels_first")
    with pytest.raises(ValueError, match=message):
        layer([np.zeros(shape, np.float32) for shape in shapes])


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_correlation_cost_whatever_keras_image_format_is(data_format):
    maps = [np.random.default_rng(0).random((1, 12, 12, 3), np.float32) for _ in range(2)]
    if data_format == "channels_first":
        maps = [each.transpose(0, 3, 1, 2) for each in maps]
    layer = tfa.CorrelationCost(3, 2, 1, 1, 3, data_format)
    expected = np.asarray(layer(maps))
    keras.config.set_image_data_format("channels_first")
    try:
        np.testing.assert_array_equal(layer(maps), expected)
    finally:
        keras.config.set_image_data_format("channels_last")


def test_correlation_cost_wants_a_list():
    with pytest.raises(ValueError, match="a list of two feature maps"):
        tfa.CorrelationCost(1, 2, 1, 1, 1, "channels_last")(np.zeros((2, 4, 5, 3), np.float32))


# Sampling ----------------------------------------------------------------------------------------


def test_dense_image_warp_is_backward_warping_turned_round():
    rng = np.random.default_rng(0)
    image = rng.random((2, 9, 11, 3), np.float32)
    flow = rng.normal(0, 3, (2, 9, 11, 2)).astype(np.float32)
    found = tfa.image.dense_image_warp(image, -flow[..., ::-1])
    np.testing.assert_array_equal(found, ops.warp(image, flow, padding="border"))


def test_dense_image_warp_samples_at_position_minus_flow():
    image = np.arange(12, dtype=np.float32).reshape(1, 3, 4, 1)
    down_one = np.zeros((1, 3, 4, 2), np.float32) + np.float32([1, 0])
    np.testing.assert_array_equal(
        tfa.dense_image_warp(image, down_one)[0, :, :, 0],
        [[0, 1, 2, 3], [0, 1, 2, 3], [4, 5, 6, 7]],
    )


@pytest.mark.parametrize("image_dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("flow_dtype", ["float16", "float32", "float64"])
def test_dense_image_warp_mixes_dtypes(image_dtype, flow_dtype):
    rng = np.random.default_rng(0)
    image = rng.random((1, 5, 7, 2))
    flow = rng.normal(0, 1, (1, 5, 7, 2)).astype(flow_dtype)
    found = tfa.dense_image_warp(image.astype(image_dtype), flow)
    assert found.dtype == image_dtype
    tolerance = {"float16": 2e-3, "float32": 1e-6, "float64": 1e-6}[image_dtype]
    expected = tfa.dense_image_warp(image, flow.astype("float64"))
    np.testing.assert_allclose(found, expected, atol=tolerance)


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (6, 1)])
def test_images_of_one_row_or_column(size):
    rng = np.random.default_rng(0)
    image = rng.random((1, *size, 2), np.float32)
    flow = rng.normal(0, 2, (1, *size, 2)).astype(np.float32)
    at = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), axis=-1) - flow[0]
    found = tfa.dense_image_warp(image, flow)
    points = at.reshape(1, -1, 2).astype(np.float32)
    np.testing.assert_allclose(
        found, tf.reshape(tfa.interpolate_bilinear(image, points), found.shape), atol=1e-6
    )
    if size == (1, 1):
        np.testing.assert_allclose(found, image, rtol=1e-6)


def test_where_the_flow_is_nan_or_leads_far_away():
    image = np.arange(12, dtype=np.float32).reshape(1, 3, 4, 1)
    flow = np.zeros((1, 3, 4, 2), np.float32)
    flow[0, 0, 0], flow[0, 1, 1], flow[0, 2, 2] = np.nan, 1e6, -1e6
    found = tfa.dense_image_warp(image, flow)[0, :, :, 0]
    assert np.isnan(found[0, 0])
    assert (found[1, 1], found[2, 2]) == (0, 11)


@pytest.mark.parametrize(
    ("indexing", "expected"), [("ij", [0, 9.75, 19, 4]), ("xy", [0, 12.75, 18, 15])]
)
def test_interpolate_bilinear(indexing, expected):
    # The numbers are those of tfa.image.interpolate_bilinear 0.23.0.
    grid = np.arange(20, dtype=np.float32).reshape(1, 4, 5, 1)
    points = np.float32([[[0, 0], [1.5, 2.25], [3, 4], [-3, 9]]])
    found = tfa.image.interpolate_bilinear(grid, points, indexing=indexing)
    np.testing.assert_allclose(found[0, :, 0], expected)
    # The same points in every grid of a batch; no points at all.
    both = tfa.interpolate_bilinear(np.concatenate([grid, grid + 1]), points, indexing)
    np.testing.assert_allclose(both[..., 0], [expected, np.add(expected, 1)])
    assert tfa.interpolate_bilinear(grid, points[:, :0]).shape == (1, 0, 1)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_interpolate_bilinear_keeps_the_dtype_of_the_grid(dtype):
    grid = np.arange(20).reshape(1, 4, 5, 1).astype(dtype)
    found = tfa.interpolate_bilinear(grid, np.full((1, 2, 2), 1.5, np.float16))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found[0, :, 0], [9, 9])
    assert np.isnan(tfa.interpolate_bilinear(grid, np.full((1, 1, 2), np.nan, dtype))).all()


def test_interpolate_bilinear_has_gradients():
    rng = np.random.default_rng(0)
    grid = rng.random((2, 5, 6, 2))
    points = rng.uniform(-1, 6, (2, 9, 2))
    theoretical, numerical = tf.test.compute_gradient(tfa.interpolate_bilinear, [grid, points])
    for found, expected in zip(theoretical, numerical):
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("sizes", [(6, 7), (None, None)])
def test_sampling_in_a_model_that_is_saved(tmp_path, sizes):
    inputs = [keras.Input((*sizes, 3)), keras.Input((*sizes, 2)), keras.Input((None, 2))]
    outputs = [
        tfa.dense_image_warp(inputs[0], inputs[1], name="warped"),
        tfa.interpolate_bilinear(inputs[0], inputs[2], "xy"),
    ]
    assert [output.shape for output in outputs] == [(None, *sizes, 3), (None, None, 3)]
    keras.Model(inputs, outputs).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    rng = np.random.default_rng(0)
    image = rng.random((2, 6, 7, 3), np.float32)
    flow = rng.normal(0, 2, (2, 6, 7, 2)).astype(np.float32)
    points = rng.uniform(-1, 8, (2, 5, 2)).astype(np.float32)
    warped, values = loaded.predict([image, flow, points], verbose=0)
    np.testing.assert_allclose(warped, tfa.dense_image_warp(image, flow), atol=1e-6)
    expected = tfa.interpolate_bilinear(image, points, "xy")
    np.testing.assert_allclose(values, expected, atol=1e-6)


def test_sampling_in_a_graph():
    compiled = tf.function(functools.partial(tfa.dense_image_warp, name="there"), autograph=False)
    image = tf.random.stateless_uniform((1, 5, 6, 2), (0, 0))
    flow = tf.random.stateless_normal((1, 5, 6, 2), (0, 1))
    np.testing.assert_allclose(compiled(image, flow), tfa.dense_image_warp(image, flow), atol=1e-6)
    graph = compiled.get_concrete_function(image, flow).graph
    assert any(node.name.startswith("there/") for node in graph.get_operations())


@pytest.mark.parametrize(
    ("image", "flow", "error", "message"),
    [
        ((4, 5, 3), (4, 5, 2), ValueError, r"an image \(B, H, W, C\) and a flow .* \(4, 5, 3\)"),
        ((1, 4, 5, 3), (1, 4, 5, 3), ValueError, r"got \(1, 4, 5, 3\) and \(1, 4, 5, 3\)"),
        ((1, 4, 5, 3), (1, 3, 5, 2), ValueError, r"of its size; got .* \(1, 3, 5, 2\)"),
        ((2, 4, 5, 3), (1, 4, 5, 2), ValueError, "of its size"),
    ],
)
def test_dense_image_warp_says_what_is_wrong(image, flow, error, message):
    with pytest.raises(error, match=message):
        tfa.dense_image_warp(np.zeros(image, np.float32), np.zeros(flow, np.float32))


@pytest.mark.parametrize(
    ("grid", "points"),
    [
        ((4, 5, 3), (1, 2, 2)),
        ((1, 4, 5, 3), (2, 2)),
        ((1, 4, 5, 3), (1, 2, 3)),
        ((2, 4, 5, 3), (3, 2, 2)),
    ],
)
def test_interpolate_bilinear_says_what_is_wrong(grid, points):
    with pytest.raises(ValueError, match=r"a grid \(B, H, W, C\) and points .* got \("):
        tfa.interpolate_bilinear(np.zeros(grid, np.float32), np.zeros(points, np.float32))


def test_integers_are_refused():
    image, flow = np.zeros((1, 4, 5, 3), np.uint8), np.zeros((1, 4, 5, 2), np.float32)
    with pytest.raises(TypeError, match="dense_image_warp expects floating-point .* uint8"):
        tfa.dense_image_warp(image, flow)
    with pytest.raises(TypeError, match="interpolate_bilinear expects floating-point .* int32"):
        tfa.interpolate_bilinear(flow, np.zeros((1, 3, 2), np.int32))


def test_unknown_indexing():
    with pytest.raises(ValueError, match="indexing must be 'ij' or 'xy'; got 'yx'"):
        tfa.interpolate_bilinear(np.zeros((1, 4, 5, 3)), np.zeros((1, 3, 2)), indexing="yx")


# As Addons' own tests have it -------------------------------------------------------------------


def test_paths_of_addons():
    from tfflow.addons.image import dense_image_warp, interpolate_bilinear
    from tfflow.addons.layers import CorrelationCost

    assert tfa.image.dense_image_warp is dense_image_warp is tfa.dense_image_warp
    assert tfa.image.interpolate_bilinear is interpolate_bilinear
    assert tfa.layers.CorrelationCost is CorrelationCost is tfa.CorrelationCost


def test_unknown_rank():
    rng = np.random.default_rng(0)
    image = rng.random((2, 5, 6, 3), np.float32)
    flow, points = rng.random((2, 5, 6, 2), np.float32), rng.random((2, 7, 2), np.float32)
    anything = tf.TensorSpec(None, tf.float32)
    for function, where in ((tfa.dense_image_warp, flow), (tfa.interpolate_bilinear, points)):
        expected = function(image, where)
        traced = function.get_concrete_function(anything, anything)
        np.testing.assert_allclose(traced(tf.constant(image), tf.constant(where)), expected)
        data = tf.data.Dataset.from_tensors((image, where)).map(
            lambda a, b: tf.numpy_function(lambda a, b: (a, b), [a, b], (tf.float32, tf.float32))
        )
        (found,) = data.map(function)
        np.testing.assert_allclose(found, expected)
        with pytest.raises(tf.errors.InvalidArgumentError):
            traced(tf.constant(image), tf.constant(image[0, 0]))


def test_unknown_rank_by_name():
    anything = tf.TensorSpec(None, tf.float32)
    traced = tfa.dense_image_warp.get_concrete_function(anything, anything)
    image = tf.random.normal((1, 2, 2, 1))
    flow = tf.zeros((1, 2, 2, 2))
    np.testing.assert_allclose(traced(image=image, flow=flow), image)
