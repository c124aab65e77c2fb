"""Reads the golden files: all of them where ../shared is there, else the compact ones in golden/.

The numbers come from the published PyTorch implementations; both sides make the same weights from
the tensors' names (golden_weights.py).
"""

import contextlib
import json
import pathlib

import numpy as np
import pytest
from golden_weights import golden_tensor

from tfflow.weights.state_dict import WeightImport

COMPACT = pathlib.Path(__file__).parent / "golden"
FULL = pathlib.Path(__file__).resolve().parents[2] / "shared" / "golden"


def load(name):
    """(description, arrays) of a golden file; skips the test where only the full set has it."""
    if not any((folder / f"{name}.npz").is_file() for folder in (FULL, COMPACT)):
        pytest.skip(f"{name} is among the full golden files alone, which are not here (../shared)")
    folder = FULL if (FULL / f"{name}.npz").is_file() else COMPACT
    description = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    with np.load(folder / f"{name}.npz") as archive:
        return description, dict(archive)


def images(arrays, case, *, bgr):
    """A case's two images as the networks here take them: {"image1": (B, H, W, 3) RGB, …}."""
    order = slice(None, None, -1 if bgr else 1)
    return {
        f"image{i}": nhwc(arrays[f"{case}.img{i}"])[..., order] / np.float32(255) for i in (1, 2)
    }


def state_dict(description):
    """The checkpoint that the golden numbers were made with."""
    return {e["key"]: golden_tensor(e["key"], e["shape"]) for e in description["state_dict"]}


@contextlib.contextmanager
def assignments():
    """While a checkpoint is loaded: tensor name -> the variable that it goes into."""
    found, assign = {}, WeightImport.assign

    def recording(self, variable, name, convert=None):
        found[name] = variable
        return assign(self, variable, name, convert)

    WeightImport.assign = recording
    try:
        yield found
    finally:
        WeightImport.assign = assign


def nhwc(array):
    """(B, C, H, W) to (B, H, W, C)."""
    return np.ascontiguousarray(np.moveaxis(array, 1, -1))


def assert_close(found, expected, tolerance=1e-4, what=""):
    """Asserts |found - expected| <= tolerance · max |expected|, the golden files' measure."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{what}: {found.shape}, expected {expected.shape}"
    ratio = np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-12)
    assert ratio <= tolerance, f"{what}: off by {ratio:.2e} of the largest value"
