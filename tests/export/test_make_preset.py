"""The gates that keep a bad file out of the package, and the card that says what is in it."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "export"))

import make_preset
from definitions import PRESETS, File

from tfflow.weights import presets

PATH = presets.preset_tflite("lightflow", "int8")
KERAS = {"held_out": {"epe": 4.0}, "middlebury": {"epe": 0.5}}


def plan(**changes):
    return File(**{"form": "int8", "megabytes": 3.0, "epe_loss": 0.02, **changes})


def test_a_good_file_passes():
    results = {"held_out": {"epe": 4.07}, "middlebury": {"epe": 0.55}}
    make_preset.gate(PATH, plan(), results, KERAS)


@pytest.mark.parametrize(
    ("changes", "epe", "why"),
    [
        ({"megabytes": 1.0}, 4.0, r"it has \d\.\d+ MB, allowed are 1.0"),
        ({}, 4.2, "EPE on held_out is 4.200 px, allowed 4.080"),
        ({"outside_delegate": -1}, 4.0, "XNNPACK leaves 0 of"),
    ],
)
def test_a_bad_file_is_refused(changes, epe, why):
    results = {"held_out": {"epe": epe}, "middlebury": {"epe": 0.5}}
    with pytest.raises(ValueError, match=f"{PATH.name} is not fit to ship: {why}"):
        make_preset.gate(PATH, plan(**changes), results, KERAS)


def test_the_package_holds_what_the_plans_name():
    for name, preset in PRESETS.items():
        card = presets.preset_card(name)
        assert card["model"] == preset.model and card["arguments"] == preset.arguments
        assert card["commands"] == preset.commands and card["pairs_seen"] == preset.pairs_seen
        for file in preset.files:
            assert presets.preset_tflite(name, file.name).stat().st_size < 1e6 * file.megabytes
            assert card["tflite"][file.name]["size"] == list(file.size)


def test_the_card_is_measured_again(monkeypatch, capsys):
    card = presets.preset_card("lightflow")
    monkeypatch.setattr(make_preset.tfflow, "load", lambda name: "keras")
    monkeypatch.setattr(make_preset.tflite, "FlowInterpreter", lambda path: path.stem.split("_")[1])
    monkeypatch.setattr(make_preset, "measure", lambda predictor, sets: card["results"][predictor])
    make_preset.check("lightflow", {})
    assert "again" in capsys.readouterr().out
    other = {"held_out": {**card["results"]["int8"]["held_out"], "epe": 99.0}}
    monkeypatch.setattr(make_preset, "measure", lambda predictor, sets: other)
    with pytest.raises(ValueError, match="the card of lightflow is not true here"):
        make_preset.check("lightflow", {})
