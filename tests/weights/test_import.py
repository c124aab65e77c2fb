"""Importing checkpoints: every tensor used exactly once, or nothing is loaded."""

import pickle
import re
import types

import keras
import numpy as np
import pytest
from golden_files import load, state_dict

import tfflow
from tfflow.weights import load_lightflow_pytorch, read_state_dict
from tfflow.weights.state_dict import WeightImport, WrongNetwork, _reason, read_checkpoint

NAME = "lightflow_0.5"


@pytest.fixture(scope="module")
def tensors():
    return state_dict(load(NAME)[0])


@pytest.fixture(scope="module")
def model():
    return tfflow.models.create(NAME)


@pytest.mark.parametrize("kind", ["npz", "safetensors", "pth"])
def test_files_of_every_kind_load_the_same(kind, tensors, model, tmp_path):
    path = tmp_path / f"checkpoint.{kind}"
    if kind == "npz":
        np.savez(path, **tensors)
    elif kind == "safetensors":
        pytest.importorskip("safetensors.numpy").save_file(tensors, path)
    else:
        torch = pytest.importorskip("torch", reason="PyTorch is an extra; install it for .pth")
        wrapped = {f"module.{name}": torch.from_numpy(np.array(t)) for name, t in tensors.items()}
        torch.save({"state_dict": wrapped, "epoch": 3}, path)
    load_lightflow_pytorch(model, path)
    kernel = model.encoder[0].pointwise.kernel
    np.testing.assert_array_equal(
        np.asarray(kernel)[0, 0], tensors["conv1.3.weight"][:, :, 0, 0].transpose()
    )
    np.testing.assert_array_equal(
        np.asarray(model.predictors[4].pointwise_norm.moving_variance),
        tensors["conv16.4.running_var"],
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("conv3.3.weight"), "missing: conv3.3.weight"),
        (lambda t: t.update(extra=np.zeros(3)), "surplus: extra"),
        (lambda t: t.update({"conv3.3.weight": np.zeros((2, 2))}), "wrong shape: conv3.3.weight"),
        (lambda t: t.update({"conv1.1.bias": np.full(6, np.nan)}), "not finite: conv1.1.bias"),
    ],
)
def test_a_checkpoint_that_does_not_fit_changes_nothing(change, message, tensors, model):
    before = [np.asarray(w).copy() for w in model.weights]
    broken = dict(tensors)
    change(broken)
    with pytest.raises(ValueError, match=message):
        load_lightflow_pytorch(model, broken)
    for weight, value in zip(model.weights, before):
        np.testing.assert_array_equal(weight, value)


def test_another_width_is_refused_with_both_shapes(tensors):
    with pytest.raises(ValueError, match=r"conv1.3.weight is \(16, 6, 1, 1\).*\(1, 1, 6, 32\)"):
        load_lightflow_pytorch(tfflow.models.create("lightflow"), tensors)


def test_linear_predictors_are_refused(tensors):
    model = tfflow.models.create(NAME, predictor_activation=False)
    with pytest.raises(ValueError, match="predictor_activation=True"):
        load_lightflow_pytorch(model, tensors)


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="No checkpoint at"):
        read_state_dict(tmp_path / "absent.npz")
    (tmp_path / "broken.npz").write_bytes(b"PK but no archive")
    for error, told in (
        (
            pickle.UnpicklingError("Unsupported global: GLOBAL pathlib.PosixPath was"),
            "PosixPath.*tr",
        ),
        (pickle.UnpicklingError("Unsupported operand 60"), "damaged, or no file of PyTorch's"),
        (EOFError(), "it is empty"),
    ):
        assert re.search(told, _reason(error, "a.pth"))
    with pytest.raises(ValueError, match="can't be read as .npz"):
        read_state_dict(tmp_path / "broken.npz")
    with (tmp_path / "one.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ValueError, match="it is one array, as np.save writes"):
        read_state_dict(tmp_path / "one.npz")
    (tmp_path / "model.h5").write_bytes(b"")
    with pytest.raises(ValueError, match="expected .npz, .safetensors"):
        read_state_dict(tmp_path / "model.h5")


@pytest.mark.parametrize("suffix", [".npz", ".pth"])
def test_a_file_with_changed_bytes_is_refused(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    if suffix == ".npz":
        np.savez(path, a=np.ones(4096, np.float32))
    else:
        torch = pytest.importorskip("torch")
        torch.save({"a": torch.ones(4096)}, path)
    content = bytearray(path.read_bytes())
    place = content.index(np.ones(64, np.float32).tobytes())
    content[place : place + 64] = bytes(64)
    path.write_bytes(content)
    with pytest.raises(ValueError, match="can't be read as .*(CRC|in it is damaged)"):
        read_state_dict(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([np.zeros(2), np.zeros(2)], "holds a list; expected a dict"),
        ({0: np.zeros(2)}, "the key 0 of type int; expected"),
        ({"state_dict": {1.5: np.zeros(2), "a": np.zeros(2)}}, "the key 1.5 of type float;"),
    ],
)
def test_what_holds_no_tensors_by_name(content, message, tmp_path):
    torch = pytest.importorskip("torch")
    torch.save(keras.tree.map_structure(torch.from_numpy, content), tmp_path / "a.pth")
    with pytest.raises(ValueError, match=message):
        read_state_dict(tmp_path / "a.pth")


@pytest.mark.parametrize("kind", ["sparse", "float8", "meta"])
def test_tensors_without_a_plain_array(kind):
    torch = pytest.importorskip("torch")
    tensor = torch.ones(2, 2)
    if kind == "sparse":
        tensor = tensor.to_sparse()
    else:
        tensor = tensor.to("meta" if kind == "meta" else torch.float8_e4m3fn)
    with pytest.raises(ValueError, match="Tensor 'a.weight' of the checkpoint can't be read"):
        read_state_dict({"a.weight": tensor})


def test_any_mapping_will_do(tmp_path):
    np.savez(tmp_path / "a.npz", **PLAIN)
    with np.load(tmp_path / "a.npz") as archive:
        for mapping in (archive, types.MappingProxyType(PLAIN)):
            assert list(read_state_dict(mapping)) == list(PLAIN)
    wrapped = types.MappingProxyType({"state_dict": types.MappingProxyType(PLAIN)})
    assert list(read_state_dict(wrapped)) == list(PLAIN)


PLAIN = {"conv1.0.weight": np.ones(2), "conv1.0.bias": np.zeros(2)}
AVERAGE = {name: value + 5 for name, value in PLAIN.items()}


def prefixed(prefix, tensors=PLAIN):
    return {prefix + name: value for name, value in tensors.items()}


@pytest.mark.parametrize(
    "checkpoint",
    [
        prefixed("_orig_mod."),
        prefixed("module.module."),
        prefixed("_orig_mod.module."),
        prefixed("module._orig_mod."),
        {"state_dict": prefixed("model."), "epoch": 3},
        {"state_dict": prefixed("model._orig_mod."), "pytorch-lightning_version": "2.5"},
        {"model": {"state_dict": prefixed("net.module.")}},
        {"conv1._orig_mod.0.weight": np.ones(2), "conv1._orig_mod.0.bias": np.zeros(2)},
        {"module": PLAIN},
        {**prefixed("module."), "n_averaged": np.array(7)},
    ],
)
def test_wrappers_are_taken_off(checkpoint):
    found = read_state_dict(checkpoint)
    assert list(found) == list(PLAIN)
    np.testing.assert_array_equal(found["conv1.0.weight"], 1)


@pytest.mark.parametrize(
    "checkpoint",
    [
        {"state_dict": PLAIN, "state_dict_ema": AVERAGE},
        {"model": prefixed("module."), "model_ema": prefixed("module.", AVERAGE), "epoch": 1},
        {"model": PLAIN, "ema": {"module": AVERAGE, "decay": 0.99}},
        {"state_dict": {**prefixed("model."), **prefixed("model_ema.", AVERAGE)}},
        {**PLAIN, "ema_conv1_0_weight": np.ones(2) + 5},  # of parameters alone
    ],
)
def test_averaged_weights_are_chosen_and_said(checkpoint):
    for averaged, expected, text in ((False, 1, "averaged weights too"), (True, 6, "taken: ")):
        found, said, passed_over = read_checkpoint(checkpoint, averaged)
        assert list(found) == list(PLAIN) and text in said and passed_over is not averaged
        np.testing.assert_array_equal(found["conv1.0.weight"], expected)
    with pytest.warns(UserWarning, match="averaged weights too"):
        read_state_dict(checkpoint)


def test_averaged_weights_alone_are_taken():
    found, said, _ = read_checkpoint({"model_ema": AVERAGE, "epoch": 2})
    np.testing.assert_array_equal(found["conv1.0.bias"], 5)
    assert said == "taken: model_ema"
    with pytest.raises(ValueError, match="holds no averaged weights"):
        read_state_dict(PLAIN, averaged=True)
    with pytest.raises(ValueError, match="no tensors but parts: generator"):
        read_state_dict({"generator": PLAIN})


def test_what_a_process_of_a_pool_says_comes_back():
    error = pickle.loads(pickle.dumps(WrongNetwork("does not fit", ["a", "b"])))
    assert error.problems == ["a", "b"] and str(error) == "does not fit\n  a\n  b"


def test_numbers_beyond_float32_are_not_finite():
    variable = keras.Variable(np.zeros(2, np.float32))
    plan = WeightImport({"w": np.array([1.0, 1e200])}, "a project")
    plan.assign(variable, "w")
    with pytest.raises(WrongNetwork, match="not finite: w"):
        plan.finish()
