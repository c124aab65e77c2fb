"""The same file gives the same flow in other runtimes, old ones too, and on another processor.

What may differ is in docs/runtimes.md. A runtime that is not here is fetched by the slow tests.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from aarch64 import Unavailable, emulated_python
from run_files import flows_of

from tfflow.tflite import QUANTIZATIONS, FlowInterpreter, export
from tfflow.weights import presets

ROOT = Path(__file__).resolve().parents[2]
SIZE = (64, 128)
EQUAL = 1e-3  # px

OLD = "tflite-runtime==2.14.0"
NEW = "ai-edge-litert==2.3.0"
# What computes in floats; the kernels for integers round differently in the old runtime.
FLOAT_FORMS = ("float32", "float16", "weights")


@pytest.fixture(scope="module")
def two_pairs(pairs):
    return [np.stack(images) for images in zip(*pairs[4:6])]


@pytest.fixture(scope="module")
def files(exported, model, pairs, converted_once, tmp_path_factory):
    """A dict: form -> file; ``all_int8`` is int8 to the last layer."""
    path = tmp_path_factory.mktemp("all_int8") / "all_int8.tflite"
    export(model, path, size=SIZE, calibration=pairs[:4], heads_in_float=False)
    return {**exported, "all_int8": path}


@pytest.fixture(scope="module")
def preset_files():
    """The files that come with the package, by their names."""
    return {path.stem: path for path in sorted(presets.FOLDER.glob("*.tflite"))}


@pytest.fixture(scope="module")
def moving_pair():
    """A picture that moves by (6, 3) px, as large as the presets' files."""
    generator = np.random.default_rng(0)
    coarse = generator.random((50, 66, 3)).repeat(8, axis=0).repeat(8, axis=1)
    for axis in (0, 1):  # soft spots
        coarse = sum(np.roll(coarse, shift, axis) for shift in range(8)) / 8
    image = (255 * coarse).astype(np.uint8)
    return image[None, 5:389, 8:520], image[None, 2:386, 2:514]


@pytest.mark.parametrize("form", QUANTIZATIONS)
def test_compiled_model(exported, two_pairs, form):
    pytest.importorskip(
        "ai_edge_litert.compiled_model", reason="an older LiteRT", exc_type=ImportError
    )
    expected = flows_of(exported[form], *two_pairs)
    assert np.abs(expected).max() > 1.0
    found = flows_of(exported[form], *two_pairs, kernels="compiled")
    np.testing.assert_allclose(found, expected, rtol=0, atol=EQUAL)


def test_run_files_is_what_tfflow_runs(exported, two_pairs):
    found = flows_of(exported["int8_uint8"], *two_pairs)
    expected = FlowInterpreter(exported["int8_uint8"], threads=1).predict_flow(*two_pairs)
    np.testing.assert_array_equal(found, expected)


# Other runtimes ----------------------------------------------------------------------------------


def run_elsewhere(python, files, images, folder, kernels="default", **options):
    """Flows by name, from the Python whose command's beginning is given; all files must run."""
    np.savez(folder / "pairs.npz", image1=images[0], image2=images[1])
    script = [str(ROOT / "tests" / "run_files.py"), str(folder / "pairs.npz")]
    command = [*python, *script, str(folder / "flows.npz"), kernels, *map(str, files.values())]
    subprocess.run(command, check=True, timeout=1200, **options)
    with np.load(folder / "flows.npz") as flows:
        found = {name: flows[path.name] for name, path in files.items()}
    failed = {name: str(flow) for name, flow in found.items() if flow.ndim == 0}
    assert not failed
    return found


@pytest.fixture(scope="module")
def old_python(tmp_path_factory):
    """A Python with tflite-runtime: $TFFLOW_TFLITE_RUNTIME_PYTHON, or a new environment's."""
    if given := os.environ.get("TFFLOW_TFLITE_RUNTIME_PYTHON"):
        return [given]
    folder = tmp_path_factory.mktemp("tflite_runtime")
    python = str(folder / "bin" / "python")
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
        install = [python, "-m", "pip", "install", "-q", OLD, "numpy<2"]
        subprocess.run(install, check=True, capture_output=True, text=True, timeout=600)
    except subprocess.SubprocessError as error:
        reason = (getattr(error, "stderr", None) or str(error))[-300:]
        pytest.skip(f"{OLD} can't be installed, it needs Python 3.8 to 3.11: {reason}")
    return [python]


@pytest.fixture(scope="module")
def emulated(tmp_path_factory):
    """A function: what pip calls a runtime -> the command of an aarch64 Python that has it."""
    folder = tmp_path_factory.mktemp("aarch64")

    def python(runtime):
        try:
            return emulated_python(folder, runtime)
        except Unavailable as error:
            pytest.skip(f"no aarch64 to be had: {error}")

    return python


def distances(found, expected):
    """The largest distance between two flows' components, by name."""
    return {name: float(np.abs(found[name] - expected[name]).max()) for name in found}


@pytest.mark.slow
def test_old_runtime(old_python, files, two_pairs, tmp_path):
    found = run_elsewhere(old_python, files, two_pairs, tmp_path)
    here = {name: flows_of(path, *two_pairs) for name, path in files.items()}
    apart = distances(found, here)
    print(apart)
    assert max(apart[form] for form in FLOAT_FORMS) <= EQUAL
    for name, flow in found.items():  # by roundings, not by a mistake
        assert np.abs(flow - here[name]).mean() < 0.25 * np.abs(here[name]).mean()


@pytest.mark.slow
def test_old_runtime_understands_integers_alike(old_python, files, two_pairs, tmp_path):
    """With the plain kernels, which both runtimes have, there is no difference."""
    files = {name: path for name, path in files.items() if name != "dynamic"}
    found = run_elsewhere(old_python, files, two_pairs, tmp_path, "reference")
    here = {name: flows_of(path, *two_pairs, kernels="reference") for name, path in files.items()}
    apart = distances(found, here)
    print(apart)
    assert max(apart.values()) <= EQUAL


@pytest.mark.slow
def test_old_runtime_runs_the_presets(old_python, preset_files, moving_pair, tmp_path):
    found = run_elsewhere(old_python, preset_files, moving_pair, tmp_path)
    here = {name: flows_of(path, *moving_pair) for name, path in preset_files.items()}
    print(distances(found, here))
    for name, flow in found.items():
        if name.endswith("float16"):
            np.testing.assert_allclose(flow, here[name], rtol=0, atol=EQUAL)
        errors = [np.linalg.norm(each - (6, 3), axis=-1).mean() for each in (flow, here[name])]
        print(name, errors)
        assert max(errors) < 1.5 and abs(errors[0] - errors[1]) < 0.5


@pytest.mark.slow
def test_tfflow_in_the_old_runtime(old_python, preset_files, moving_pair, tmp_path):
    files = {"lightflow_int8": preset_files["lightflow_int8"]}
    expected = run_elsewhere(old_python, files, moving_pair, tmp_path)["lightflow_int8"]
    code = (
        "import sys, numpy, tfflow\n"
        "pairs = numpy.load(sys.argv[1])\n"
        "flow = tfflow.load(sys.argv[2]).predict_flow(pairs['image1'], pairs['image2'])\n"
        "numpy.save(sys.argv[3], flow)\n"
    )
    names = [str(tmp_path / "pairs.npz"), str(*files.values()), str(tmp_path / "flow.npy")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*old_python, "-c", code, *names], check=True, env=environment, timeout=300)
    np.testing.assert_allclose(np.load(names[2]), expected, rtol=0, atol=EQUAL)


@pytest.mark.slow
def test_aarch64(emulated, files, two_pairs, preset_files, moving_pair, tmp_path):
    python = emulated(NEW)
    apart = distances(
        run_elsewhere(python, files, two_pairs, tmp_path),
        {name: flows_of(path, *two_pairs) for name, path in files.items()},
    )
    found = run_elsewhere(python, preset_files, moving_pair, tmp_path)
    here = {name: flows_of(path, *moving_pair) for name, path in preset_files.items()}
    presets_apart = distances(found, here)
    print(apart, presets_apart)
    assert apart["all_int8"] == 0.0
    assert max(apart.values()) <= EQUAL
    for name, most in presets_apart.items():
        # Where float becomes int8, the last bit may round to the next step.
        assert most <= {"rillflow_int8": 0.25, "rillflow_small": 0.05}.get(name, 1e-4)
        assert np.abs(found[name] - here[name]).mean() <= 0.01


@pytest.mark.slow
def test_aarch64_in_the_old_runtime(emulated, files, two_pairs, tmp_path):
    found = run_elsewhere(emulated(OLD), files, two_pairs, tmp_path)
    here = {form: flows_of(files[form], *two_pairs) for form in FLOAT_FORMS}
    apart = distances({form: found[form] for form in FLOAT_FORMS}, here)
    print(apart)
    assert max(apart.values()) <= EQUAL
