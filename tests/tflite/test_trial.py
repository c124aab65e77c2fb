"""No file gets its name before it was loaded and run, with finite and plausible flow."""

import keras
import numpy as np
import pytest

import tfflow
from tfflow.tflite import FlowInterpreter, another_process, conversion, export, trial

SIZE = (64, 64)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_named(bad, tmp_path):
    model = tfflow.models.create("lightflow_0.5")
    weight = model.encoder[1].pointwise.kernel
    values = np.array(weight)
    values[0, 0, 3, 1] = bad
    weight.assign(values)
    with pytest.raises(ValueError, match=r"1 of its \d+ weights .*/conv2/pointwise/kernel"):
        export(model, tmp_path / "bad.tflite", size=SIZE)
    assert not [*tmp_path.iterdir()]


def test_flow_beyond_reason_is_an_error_of_the_export(tiny, tmp_path):
    kernel = np.array(tiny.prediction.kernel)
    tiny.prediction.kernel.assign(kernel * 1e8)
    try:
        with pytest.raises(ValueError, match=r"its flow is up to .* px long"):
            export(tiny, tmp_path / "far.tflite", size=SIZE, quantization="float32")
    finally:
        tiny.prediction.kernel.assign(kernel)
    assert not [*tmp_path.iterdir()]


def test_a_crash_is_an_error_of_the_export(tiny, tmp_path, monkeypatch):
    path = export(tiny, tmp_path / "good.tflite", size=SIZE, quantization="float32")
    trial.try_out(path)
    kills = tmp_path / "kills.py"
    kills.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    run = another_process.subprocess.run
    monkeypatch.setattr(
        another_process.subprocess,
        "run",
        lambda command, **options: run([command[0], str(kills)], **options),
    )
    with pytest.raises(ValueError, match="ends the process with SIGSEGV"):
        export(tiny, tmp_path / "bad.tflite", size=SIZE, quantization="float32")
    assert {each.name for each in tmp_path.iterdir()} == {"good.tflite", "kills.py"}


def test_a_file_that_can_not_be_loaded(tmp_path):
    path = tmp_path / "empty.tflite"
    path.write_bytes(b"\x1c\0\0\0TFL3" + bytes(60))
    with pytest.raises(ValueError, match="can't be loaded or run"):
        trial.try_out(path)


@pytest.fixture(scope="module")
def siamese():
    """A siamese network, whose conversion to float32 is made once for all forms."""
    keras.utils.set_random_seed(0)
    model = tfflow.models.create("rillflow_0.5")
    graph = conversion.convert(model, SIZE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversion, "convert", lambda *_, **__: graph)
        yield model


@pytest.mark.parametrize("quantization", ["int8", "dynamic"])
def test_siamese_networks_run_in_int8(quantization, siamese, pairs, tmp_path):
    """Their two images' features are halves of one batch, which XNNPACK must be able to part."""
    path = export(
        siamese, tmp_path / "x.tflite", size=SIZE, quantization=quantization, calibration=pairs[:1]
    )
    flow = FlowInterpreter(path).predict_flow(*pairs[0])
    assert np.isfinite(flow).all()
