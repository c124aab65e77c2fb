"""The package as a whole: quick to import, and not tied to TensorFlow."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import tfflow

TESTS = pathlib.Path(__file__).parent
needs_jax = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed"
)


def run(code, **environment):
    """Runs Python code in a process of its own; returns what it printed."""
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_import_brings_in_nothing_heavy():
    heavy = run(
        "import sys, tfflow, tfflow.cli; tfflow.models.list();"
        "heavy = {'tensorflow', 'keras', 'cv2', 'av', 'torch', 'PIL'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert heavy == "[]"


# What XLA compiles for these tests runs once: not worth its optimising.
COMPILED_ONCE = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


@needs_jax
def test_runs_on_jax_where_there_is_no_tensorflow():
    printed = run(
        "import sys; sys.modules['tensorflow'] = None\n"
        "import numpy as np, keras, tfflow\n"
        "from tfflow.losses import MultiLevelEPE\n"
        "from tfflow.metrics import EndPointError\n"
        "model = tfflow.models.create('liteflownet_pre_M6S6')\n"
        "image = np.random.default_rng(0).random((50, 70, 3), np.float32)\n"
        "print(model.predict_flow(image, image[::-1]).shape)\n"
        "model.compile('adam', loss=MultiLevelEPE({'level6': 1.0}), metrics=[EndPointError()])\n"
        "images = {f'image{i}': np.ones((2, 64, 64, 3), np.float32) for i in (1, 2)}\n"
        "truth, valid = np.ones((2, 64, 64, 2), np.float32), np.ones((2, 64, 64), np.float32)\n"
        "model.freeze_parts([model.layers[0].name])\n"
        "model.fit(images, truth, sample_weight=valid, verbose=0)\n"
        "model.freeze_parts(())\n"
        "try: model.fit(images, truth, sample_weight=valid, verbose=0)\n"
        "except ValueError as error: print(str(error)[-28:])\n"
        "assert np.isfinite(model.predict_flow(image, image)).all()\n"
        "none = np.zeros((0, 8, 9, 2), np.float32)\n"
        "assert tfflow.ops.warp(none, none).shape == none.shape\n"
        "assert tfflow.addons.image.dense_image_warp(none, none).shape == none.shape\n"
        # Keras lends a model's variables to one call after the other.
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(3) as threads:\n"
        "    flows = list(threads.map(lambda _: model.predict_flow(image, image), range(12)))\n"
        "assert all((flow == flows[0]).all() for flow in flows)\n"
        "print(keras.backend.backend())",
        KERAS_BACKEND="jax",
        XLA_FLAGS=COMPILED_ONCE,
    )
    assert printed.splitlines() == ["(50, 70, 2)", "Call compile with a new one.", "jax"]


@needs_jax
def test_layers_that_are_not_told_find_out_on_jax_that_they_train():
    printed = run(
        "import numpy as np, keras, tfflow\n"
        "from tfflow.tflite import prepare_for_int8\n"
        "class Own(tfflow.models.FlowModel):\n"
        "    multiple, flow_div = 4, 20.0\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.first = tfflow.models.layers.Convolution(8, 3, 2)\n"
        "        self.dropout = keras.layers.Dropout(0.5, seed=0)\n"
        "        self.head = keras.layers.Conv2D(2, 1, kernel_regularizer='l2')\n"
        "        self.build()\n"
        "    def estimate(self, image1, image2, training=None):\n"
        "        x = self.first(keras.ops.concatenate([image1, image2], axis=-1))\n"
        "        return {'flow1': self.head(self.dropout(x))}\n"
        "keras.utils.set_random_seed(0)\n"
        "model = Own()\n"
        "image = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)\n"
        "data = {'image1': image, 'image2': image}, np.ones((2, 32, 32, 2), np.float32)\n"
        "model.compile(keras.optimizers.SGD(0.0), loss='mse')\n"
        "def losses():\n"
        "    trained = model.fit(*data, verbose=0).history['loss'][0]\n"
        "    return abs(trained / model.evaluate(*data, verbose=0) - 1)\n"
        "with_dropout = losses()\n"
        "model.dropout.rate = 0.0\n"
        "model.compile(keras.optimizers.SGD(0.0), loss='mse')\n"
        "without = losses()\n"
        "prepare_for_int8(model)\n"
        "print(with_dropout > 0.1, without < 4e-6, 1e-5 < losses() < 1e-2)\n",
        KERAS_BACKEND="jax",
        XLA_FLAGS=COMPILED_ONCE,
    )
    assert printed == "True True True"


def smallest_of_each_class():
    """The registered networks, one of each class."""
    entries = sorted(map(tfflow.models.entry, tfflow.models.list()), key=lambda e: e.parameters)
    return list({entry.model_class(): entry.name for entry in reversed(entries)}.values())


@pytest.mark.slow
@needs_jax
@pytest.mark.parametrize("name", smallest_of_each_class())
def test_every_network_runs_on_jax(name):
    printed = run(
        "import numpy as np, tfflow\n"
        f"model = tfflow.models.create('{name}')\n"
        "image = np.random.default_rng(0).random((64, 64, 3), np.float32)\n"
        "print(model.predict_flow(image, image[::-1]).shape)",
        KERAS_BACKEND="jax",
        XLA_FLAGS=COMPILED_ONCE,
    )
    assert printed == "(64, 64, 2)"


NETWORKS = {
    "rillflow": "model = tfflow.load()\n",
    "lightflow": "model = tfflow.models.create('lightflow_0.5')\n"
    "tfflow.weights.load_lightflow_pytorch(model, state_dict(load('lightflow_0.5')[0]))\n",
    "liteflownet": "model = tfflow.models.create('liteflownet_pre_M5S5R5')\n"
    "tfflow.weights.load_mmflow(model, state_dict(load('liteflownet_pre_M5S5R5')[0]))\n",
}


@needs_jax
@pytest.mark.parametrize(
    "network",
    [
        "rillflow",
        pytest.param("lightflow", marks=pytest.mark.slow),
        pytest.param("liteflownet", marks=pytest.mark.slow),
    ],
)
def test_jax_and_tensorflow_give_the_same_numbers(network, tmp_path):
    code = (
        "import sys, numpy as np, tfflow\n"
        "from golden_files import load, state_dict\n"
        "from tfflow import ops\n"
        f"{NETWORKS[network]}"
        "rng = np.random.default_rng(0)\n"
        "a, b = rng.random((2, 1, 64, 64, 3), np.float32)\n"
        "flow = rng.normal(0, 9, (1, 64, 64, 2)).astype('float32')\n"
        f"np.savez(r'{tmp_path}/' + sys.argv[1], \n"
        "         model=model.predict_on_batch({'image1': a, 'image2': b})['flow'],\n"
        "         warp=ops.warp(a, flow, mask_threshold=0.9999),\n"
        "         sparse=ops.correlation(a, b, 4, displacement_stride=2, stride=2),\n"
        "         interleaved=ops.correlation(a, b, 4, displacement_stride=2),\n"
        "         resize=ops.resize(a, (37, 90)))\n"
    )
    found = []
    for backend in ("jax", "tensorflow"):
        path = f"sys.argv.append('{backend}.npz'); sys.path.insert(0, r'{TESTS}')"
        run(f"import sys; {path}\n{code}", KERAS_BACKEND=backend, XLA_FLAGS=COMPILED_ONCE)
        found.append(np.load(tmp_path / f"{backend}.npz"))
    for key in found[0].files:
        expected = found[1][key]
        np.testing.assert_allclose(
            found[0][key], expected, atol=2e-5 * np.abs(expected).max(), err_msg=key
        )
