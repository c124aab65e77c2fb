"""Native ops where TensorFlow and Keras take them: graphs, replicas, XLA, files; and where not."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden_files import assert_close

from tfflow import models, ops, tflite
from tfflow.losses import MultiLevelEPE
from tfflow.ops import native as native_ops

RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((2, 12, 14, 5)).astype(np.float32)
FLOW = RNG.standard_normal((2, 12, 14, 2)).astype(np.float32)
pytestmark = pytest.mark.usefixtures("native")


def network(features, flow):
    warped = ops.warp(features, flow, mask_threshold=0.9999)
    return ops.correlation(features, warped, 2, normalize=True)


class Network(keras.Model):
    def call(self, inputs):
        return network(inputs["features"], inputs["flow"])


def expected():
    with native_ops.reference_ops():
        return network(FEATURES, FLOW)


def kinds_of_operations(graph):
    functions = [f.graph for f in getattr(graph, "_functions", {}).values() if hasattr(f, "graph")]
    return {op.type for g in (graph, *functions) for op in g.get_operations()}


def has_native_ops(graph):
    return any(kind.startswith("Tfflow") for kind in kinds_of_operations(graph))


def test_in_a_function_of_unknown_sizes():
    specs = [tf.TensorSpec((None, None, None, 5)), tf.TensorSpec((None, None, None, 2))]
    function = tf.function(network, input_signature=specs)
    assert has_native_ops(function.get_concrete_function().graph)
    assert_close(function(FEATURES, FLOW), expected(), 1e-5)


def test_shapes_are_inferred():
    graph = tf.Graph()
    with graph.as_default():
        a = tf.compat.v1.placeholder("float32", (None, 9, None, 3))
        cost = ops.correlation(a, a, 4, stride=2, displacement_stride=2)
        assert cost.shape.as_list() == [None, 5, None, 25]
        flow = tf.compat.v1.placeholder("float32", (2, None, 7, 2))
        warped, mask = ops.warp(a, flow, return_mask=True)
        assert warped.shape.as_list() == [2, 9, 7, 3] and mask.shape.as_list() == [2, 9, 7, 1]


def test_xla_takes_the_reference():
    function = tf.function(network, jit_compile=True)
    assert_close(function(FEATURES, FLOW), expected(), 1e-5)

    @tf.function(jit_compile=True)
    def within(features, flow):
        return tf.while_loop(
            lambda i, x: i < 2,
            lambda i, x: (i + 1, tf.function(ops.warp)(x, flow)),
            (tf.constant(0), features),
        )[1]

    within(FEATURES, FLOW)


def test_gradients_under_xla():
    @tf.function(jit_compile=True)
    def gradients(features, flow):
        with tf.GradientTape() as tape:
            tape.watch((features, flow))
            total = tf.reduce_sum(network(features, flow) ** 2)
        return tape.gradient(total, (features, flow))

    for found in gradients(tf.constant(FEATURES), tf.constant(FLOW)):
        assert np.isfinite(found).all()


def test_half_precision_takes_the_reference():
    for dtype in ("float16", "bfloat16"):
        cost = network(*(tf.cast(x, dtype) for x in (FEATURES, FLOW)))
        assert cost.dtype == dtype
        assert_close(tf.cast(cost, "float32"), expected(), 5e-2)


def test_symbolic_tensors_take_the_reference():
    features, flow = (keras.Input(batch_shape=x.shape) for x in (FEATURES, FLOW))
    model = keras.Model([features, flow], network(features, flow))
    assert_close(model([FEATURES, FLOW]), expected(), 1e-5)


@pytest.mark.parametrize("way", ["model.export", "tf.saved_model", "archive"])
def test_saved_models_hold_no_native_ops(tmp_path, way):
    model = Network()
    inputs = {"features": FEATURES, "flow": FLOW}
    model(inputs)
    model.predict(inputs, verbose=0)  # traced with the native ops
    signature = {
        name: tf.TensorSpec((None, *array.shape[1:]), name=name) for name, array in inputs.items()
    }
    if way == "model.export":
        model.export(tmp_path / "saved", input_signature=[signature], verbose=False)
    elif way == "archive":
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint("serve", lambda x: model(x), input_signature=[signature])
        archive.write_out(tmp_path / "saved", verbose=False)
    else:
        module = tf.Module()
        module.serve = tf.function(lambda inputs: model(inputs), input_signature=[signature])
        tf.saved_model.save(module, str(tmp_path / "saved"), signatures=module.serve)
    saved = tf.saved_model.load(str(tmp_path / "saved"))
    function = next(iter(saved.signatures.values())) if saved.signatures else saved.serve
    assert not has_native_ops(getattr(function, "graph", None) or tf.Graph())
    content = (tmp_path / "saved" / "saved_model.pb").read_bytes()
    assert b"Tfflow" not in content


class Small(models.FlowModel):
    """Both operations between two convolutions: quick to trace and to convert."""

    def __init__(self):
        super().__init__(name="small")
        self.features = keras.layers.Conv2D(4, 5, 4, "same", name="features")
        self.prediction = keras.layers.Conv2D(2, 3, padding="same", name="prediction")
        self.build()

    def estimate(self, image1, image2, training=None):
        one, other = self.features(image1), self.features(image2)
        coarse = self.prediction(ops.correlation(one, other, 2))
        return {"flow2": coarse + ops.warp(other, coarse)[..., :2]}


def test_a_model_trains_and_is_exported(tmp_path):
    model = Small()
    images = {f"image{i}": RNG.random((1, 64, 64, 3), np.float32) for i in (1, 2)}
    model.compile("sgd", loss=MultiLevelEPE({"level2": 0.01}))
    assert np.isfinite(model.train_on_batch(images, np.zeros((1, 64, 64, 2), np.float32)))
    path = tflite.export(model, tmp_path / "a.tflite", size=(64, 64), quantization="float32")
    found = tflite.FlowInterpreter(path).predict_flow(images["image1"], images["image2"])
    assert_close(found, model.predict_flow(images["image1"], images["image2"]), 1e-4)


def test_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = models.create("lightflow_0.5")
    finally:
        keras.config.set_dtype_policy("float32")
    images = {f"image{i}": RNG.random((1, 64, 64, 3), np.float32) for i in (1, 2)}
    assert np.isfinite(model(images)["flow"]).all()


REPLICAS = """
import keras, numpy as np, tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)
from tfflow import ops
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2
with strategy.scope():
    scale = tf.Variable(2.0)
features = tf.reshape(tf.range(2 * 6 * 7 * 3, dtype="float32"), (2, 6, 7, 3)) / 100
@tf.function
def step(x):
    def replica(x):
        with tf.GradientTape() as tape:
            moved = ops.warp(x, scale * x[..., :2])
            loss = tf.reduce_sum(ops.correlation(x, moved, 1))
        return tape.gradient(loss, scale)
    return strategy.reduce("SUM", strategy.run(replica, (x,)), axis=None)
with tf.GradientTape() as tape:
    moved = ops.warp(features, scale * features[..., :2])
    loss = tf.reduce_sum(ops.correlation(features, moved, 1))
np.testing.assert_allclose(step(features), 2 * tape.gradient(loss, scale), rtol=1e-4)
"""


def test_in_every_replica():
    ran = subprocess.run([sys.executable, "-c", REPLICAS], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-3000:]


def test_wrong_choice(monkeypatch):
    monkeypatch.setenv("TFFLOW_OPS", "fast")
    with pytest.raises(ValueError, match=r"TFFLOW_OPS must be one of .* 'fast'"):
        network(FEATURES, FLOW)


JAX = """
import sys
import numpy as np
from tfflow import ops
ops.correlation(np.ones((1, 4, 5, 3), np.float32), np.ones((1, 4, 5, 3), np.float32), 1)
assert "tensorflow" not in sys.modules and "tfflow.native.build" not in sys.modules
"""


def test_other_backends_know_nothing_of_it():
    pytest.importorskip("jax")
    environment = {key: value for key, value in os.environ.items() if key != "TFFLOW_OPS"}
    ran = subprocess.run(
        [sys.executable, "-c", JAX],
        capture_output=True,
        text=True,
        env={**environment, "KERAS_BACKEND": "jax"},
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
