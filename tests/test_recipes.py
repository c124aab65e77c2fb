"""Recipes and their runs: every recipe is well formed, trains, stops and goes on."""

import dataclasses
import functools
import importlib.util
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfflow
from tfflow import recipes
from tfflow.cli import main
from tfflow.cli.train import print_recipes, sources
from tfflow.data import CorruptFileError, FlowDataset, write_flow, write_image
from tfflow.data.pipeline.augmentation import LIGHTFLOW
from tfflow.evaluation.callback import EvaluatePairs
from tfflow.folder_lock import folder_lock
from tfflow.losses import MultiLevelEPE
from tfflow.models import registry
from tfflow.recipes.corrupt import without_corrupt
from tfflow.recipes.recipe import Stage, evenly
from tfflow.recipes.record import differences
from tfflow.recipes.run import Run
from tfflow.recipes.smoke import Noise, sample, smoke
from tfflow.training.callbacks import StopAtNaN
from tfflow.training.checkpoints import Checkpoints, Interrupted, NotFiniteError

TESTS = pathlib.Path(__file__).resolve().parent
SCRIPT = TESTS.parent / "train" / "train.py"
# One of each kind runs with the rest of the tests, all of them with the slow ones.
QUICK = ["lightflow_demo", "liteflownet_pre_M6S6"]
# Of little_network.py, where the network is not the point. It has batch norm, whose statistics are
# part of a run's state.
LITTLE = "little"


@pytest.fixture(scope="module", autouse=True)
def eager():
    """Two steps take less time than tracing them into a graph."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module", autouse=True)
def little():
    """The little network and its recipe, for these tests alone: others go over all there are."""
    spec = importlib.util.spec_from_file_location("little_network", TESTS / "little_network.py")
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    yield
    del registry._ENTRIES[LITTLE], recipes._recipes()[LITTLE]


def run(name, output, changes=None, **options):
    training = Run(name, smoke=True, output=output, **options)
    training.recipe = dataclasses.replace(training.recipe, **(changes or {}))
    return training.train()


def log_of(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").open()]


# Recipes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in recipes.list()],
)
def test_every_recipe_trains(name, tmp_path):
    model = run(name, tmp_path)
    assert (tmp_path / "model.keras").is_file() and (tmp_path / "best.keras").is_file()
    (log,) = log_of(tmp_path)
    assert np.isfinite([log["loss"], log["epe"], log["val_epe"]]).all()
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


@pytest.mark.parametrize("name", recipes.list())
def test_every_recipe_fits_its_network_and_its_beginning(name):
    recipe = recipes.get(name)
    assert recipe.name == name and recipe.source and recipe.cost and recipe.expected
    assert all(side % 64 == 0 for side in recipe.crop)
    for other in recipe.starts_from.values():
        assert other in recipes.list()
    # The schedule ends with the run, at its smallest rate unless it is the last of several cycles.
    rate = recipe.optimizer(recipe.steps)._learning_rate
    rates = [float(rate(step)) for step in np.linspace(0, recipe.steps - 1, 50).astype(int)]
    assert max(rates) > 0 and min(rates) == pytest.approx(rates[-1], abs=1e-7)


@functools.cache
def network(name):
    return tfflow.models.create(name)


def stages():
    """(network, network it begins with) of the recipes; several recipes have the same two."""
    known = {}
    for name in recipes.list():
        if name.startswith("liteflownet"):
            recipe = recipes.get(name)
            for part, other in recipe.starts_from.items():
                known.setdefault((recipe.model, recipes.get(other).model), part)
    return known


@pytest.mark.parametrize(("name", "other"), list(stages()))
def test_a_stage_can_begin_with_the_one_before(name, other):
    assert stages()[name, other] == ""
    earlier = network(other)
    model = network(name) if name != other else tfflow.models.create(name)
    new = model.start_from(earlier)
    assert len(new) < len(model.weights)


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        # Iteration: rate, out of the tables of the specifications.
        ("liteflownet_pre_M6S6", {0: 1e-4, 119_999: 1e-4, 120_000: 5e-5, 240_000: 6.25e-6}),
        ("liteflownet_pre_M3S3R3", {0: 5e-5, 199_999: 1.25e-5, 200_000: 6.25e-6}),
        ("liteflownet_things", {0: 3e-6, 400_000: 3.75e-7}),
        ("flownets_chairs", {399_999: 1e-4, 400_000: 5e-5, 1_000_000: 6.25e-6}),
        ("flownetc_things", {0: 1e-5, 500_000: 6.25e-7}),
        ("maskflownets_things", {0: 1e-4, 500_000: 6.25e-6}),
        ("maskflownet_sintel", {0: 5e-5, 99_999: 5e-5, 200_000: 3e-5, 999_999: 1.25e-7}),
        ("lightflow_chairs", {0: 1e-3, 58 * 173: 5e-4, 347 * 173: 3.125e-5}),
    ],
)
def test_published_schedules(name, rates):
    recipe = recipes.get(name)
    optimizer = recipe.optimizer(recipe.steps)
    for iteration, rate in rates.items():
        assert float(optimizer._learning_rate(iteration)) == pytest.approx(rate)


CHAIRS, THINGS, KITTI = (320, 448), (384, 768), (320, 896)
FIVE = {"level6": 0.32, "level5": 0.08, "level4": 0.02, "level3": 0.01, "level2": 0.005}
FOUR = {level: weight for level, weight in FIVE.items() if level != "level2"}
ZERO = {"level0": 6.25e-4}


@pytest.mark.parametrize(
    ("name", "crop", "batch", "l2", "weights", "start"),
    [
        # Crop, batch, weight decay, levels and beginning, out of the tables of the specifications.
        ("lightflow_chairs", CHAIRS, 128, 4e-5, None, None),
        ("liteflownet_pre_M6S6", CHAIRS, 8, 4e-4, {"level6": 0.32}, None),
        ("liteflownet_pre_M4S4R4", CHAIRS, 8, 4e-4, dict([*FIVE.items()][:3]), "M5S5R5"),
        ("liteflownet_pre_M2S2R2", CHAIRS, 8, 4e-4, FIVE, "M3S3R3"),
        ("liteflownet2_pre_M3S3R3", CHAIRS, 8, 4e-4, FOUR | ZERO, "M4S4R4"),
        ("liteflownet_things", THINGS, 8, 4e-4, FIVE, "M2S2R2"),
        ("liteflownet_sintel", THINGS, 4, 4e-4, FIVE, "things"),
        ("liteflownet_kitti", KITTI, 4, 4e-4, FIVE, "things"),
        ("liteflownet2_sintel_kitti", (320, 768), 4, 4e-4, FOUR | ZERO, "things"),
        ("liteflownet2_kitti", KITTI, 4, 4e-4, FOUR | ZERO, "sintel_kitti"),
        ("flownets_chairs", (384, 448), 8, 4e-4, FIVE, None),
        ("flownetc_sintel", THINGS, 8, 4e-4, FIVE, "chairs"),
        ("flownet2sd", CHAIRS, 8, 4e-4, FIVE, None),
        ("flownet2css_sd", (384, 448), 8, 4e-4, FIVE, "css_things"),
        ("flownet2_chairs", (384, 448), 8, 4e-4, {"level1": 0.005}, "flownet2css_sd"),
        ("maskflownets_chairs", (384, 448), 8, 0.0, FIVE, None),
        ("maskflownet_things", THINGS, 8, 4e-4, FIVE, "chairs"),
        ("maskflownet_kitti", KITTI, 4, 0.0, dict(zip(FIVE, (0.005, 0.01, 0.02, 0.08, 0.32))),
         "sintel"),
    ],
)  # fmt: skip
def test_published_settings(name, crop, batch, l2, weights, start):
    recipe = recipes.get(name)
    assert recipe.crop == crop and recipe.batch_size == batch
    optimizer = recipe.optimizer(recipe.steps)
    assert optimizer.l2 == l2 and optimizer.epsilon == 1e-8
    assert weights is None or recipe.loss.weights == weights
    begins = next(iter(recipe.starts_from.values()), None)
    assert begins is None if start is None else begins.endswith(start)


def test_published_losses():
    sintel, kitti = (recipes.get(f"liteflownet_{name}").loss for name in ("sintel", "kitti"))
    assert (sintel.q, sintel.eps, sintel.resize_flow) == (0.2, 0.01, "downsample")
    assert (kitti.q, kitti.eps, kitti.resize_flow) == (0.2, 0.01, "upsample")
    robust = recipes.get("flownet2css_sd").loss
    assert (robust.p, robust.q, robust.eps) == (1, 0.4, 0.01)
    assert recipes.get("flownet2_things").loss.flow_div == 1.0
    assert recipes.get("maskflownets_sintel").loss.q == 0.4


def test_where_the_data_is_looked_for(tmp_path):
    training = Run("lightflow_chairs", data_dir=tmp_path / "absent", output=tmp_path / "run")
    with pytest.raises(FileNotFoundError, match=r"absent: no such folder.*data_dir \(--data-dir\)"):
        training.train()


def test_unknown_recipe_suggests_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'lightflow_chairs'"):
        recipes.get("lightflow_chair")


def test_the_list_names_every_recipe(capsys):
    print_recipes()
    printed = capsys.readouterr().out
    assert all(name in printed for name in recipes.list())


# Beginnings ------------------------------------------------------------------------------------


def test_a_stage_takes_the_result_of_another(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    training = Run("liteflownet_pre_M6S6R6")
    with pytest.raises(FileNotFoundError, match="Train that first, give --init FILE .*, or"):
        training.initial_weights()
    earlier = tfflow.models.create("liteflownet_pre_M6S6")
    pathlib.Path("runs/liteflownet_pre_M6S6").mkdir(parents=True)
    earlier.save("runs/liteflownet_pre_M6S6/model.keras")
    model = tfflow.models.create("liteflownet_pre_M6S6R6")
    training.initialize(model)
    mine = model.weights_by_name()
    for name, weight in earlier.weights_by_name().items():
        np.testing.assert_array_equal(mine[name], weight)


def test_import_makes_a_class_of_ones_own_known(tmp_path, monkeypatch, capsys):
    """In --init, as the other commands of tfflow take it."""
    (tmp_path / "my_stages.py").write_text(
        "import keras, tfflow\n"
        "@keras.saving.register_keras_serializable('mine')\n"
        "class Earlier(tfflow.models.LightFlow):\n"
        "    pass\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    import my_stages

    my_stages.Earlier(name="earlier").save("earlier.keras")
    keras.saving.get_custom_objects().pop("mine>Earlier")
    del sys.modules["my_stages"]
    initialized = []

    def begin(training):
        model = training.recipe.create()
        training.initialize(model)
        initialized.append(model)

    monkeypatch.setattr(Run, "train", begin)
    command = ["train", "lightflow_chairs", "--init", "earlier.keras"]
    assert main(command) == 1
    assert "Earlier" in capsys.readouterr().err
    assert main([*command, "--import", "my_stages"]) == 0
    expected = tfflow.load("earlier.keras").get_weights()
    np.testing.assert_array_equal(initialized[0].get_weights()[0], expected[0])


def test_parts_begin_with_files_of_their_own():
    given = sources(["flownet2css=a.keras", "flownet2sd=b.keras"])
    assert given == {"flownet2css": "a.keras", "flownet2sd": "b.keras"}
    assert Run("flownet2_chairs", init=given).initial_weights() == given
    assert sources(["all.keras"]) == {"": "all.keras"}
    assert Run("flownet2_chairs", init=sources(["none"])).initial_weights() == {}
    for whole, expected in (("rillflow", {"": "rillflow"}), ("none", {})):  # as for --init
        assert Run("flownet2_chairs", init=whole).initial_weights() == expected
    with pytest.raises(ValueError, match=r"init must be a file, .*; got \['a.keras'\]"):
        Run("flownet2_chairs", init=["a.keras"])


@pytest.mark.parametrize(
    "source",
    ["https://host/a.keras?token=b=c", "hf://user/a=b", "./lr=1e-3.keras", "runs/lr=1e-3/a.keras"],
)
def test_files_and_addresses_may_have_an_equals_sign(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("runs/lr=1e-3").mkdir(parents=True)
    pathlib.Path("runs/lr=1e-3/a.keras").touch()
    assert sources([source]) == {"": source}
    assert sources([f"css/flownetc={source}"]) == {"css/flownetc": source}


def test_a_part_that_the_network_has_not():
    for part in ("encoder", "conv1"):  # a layer is no network
        training = Run("lightflow_chairs", init=sources([f"{part}=a.keras"]))
        with pytest.raises(ValueError, match=f"'{part}', which is no network .* lightflow: none"):
            training.initialize(training.recipe.create())


# Options ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        (LITTLE, "float16"),
        pytest.param("lightflow_demo", "float16", marks=pytest.mark.slow),
        pytest.param("lightflow_demo", "bfloat16", marks=pytest.mark.slow),
    ],
)
def test_half_precision(tmp_path, name, precision):
    model = run(name, tmp_path, precision=precision)
    assert model.dtype_policy.name == f"mixed_{precision}"
    assert np.isfinite(log_of(tmp_path)[0]["loss"])
    assert keras.config.dtype_policy().name == "float32"
    again = run(name, tmp_path, precision=precision)  # finished: what came out
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_a_result_without_checkpoints_is_not_overwritten(tmp_path):
    run(LITTLE, tmp_path)
    before = (tmp_path / "model.keras").read_bytes()
    shutil.rmtree(tmp_path / "checkpoints")
    with pytest.raises(ValueError, match="model.keras, but no checkpoints"):
        run(LITTLE, tmp_path)
    assert (tmp_path / "model.keras").read_bytes() == before


def test_accumulated_steps_are_one_large_one(tmp_path):
    """A batch of 2 in two parts: the same samples, schedule and updates (no batch norm here)."""
    whole = run("liteflownet_pre_M6S6", tmp_path / "whole")
    parts = run("liteflownet_pre_M6S6", tmp_path / "parts", accumulate=2)
    assert [log["step"] for log in log_of(tmp_path / "parts")] == [4]
    keras.utils.set_random_seed(0)
    start = tfflow.models.create("liteflownet_pre_M6S6").get_weights()
    # Adam magnifies what rounding does to gradients of almost zero, but few are.
    for one, other, before in zip(whole.get_weights(), parts.get_weights(), start, strict=True):
        assert np.linalg.norm(one - other) < 0.05 * np.linalg.norm(one - before)
    with pytest.raises(ValueError, match="can't be made of 3 equal parts"):
        run("liteflownet_pre_M6S6", tmp_path / "x", accumulate=3)


def test_averaged_weights_come_out_and_training_goes_on_without(tmp_path):
    plain = run(LITTLE, tmp_path / "plain", steps=8)
    averaged = run(LITTLE, tmp_path / "ema", steps=8, ema=0.9)
    losses = [[log["loss"] for log in log_of(tmp_path / name)] for name in ("plain", "ema")]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    change = [np.abs(a - b).max() for a, b in zip(plain.get_weights(), averaged.get_weights())]
    assert max(change) > 1e-4


def test_the_average_forgets_by_updates_however_many_steps_one_takes():
    for recipe in (
        recipes.get("lightflow_demo").accumulated(4).averaged(0.9),
        recipes.get("lightflow_demo").averaged(0.9).accumulated(4),
    ):
        optimizer = recipe.optimizer(100)
        assert optimizer.gradient_accumulation_steps == 4
        assert optimizer.ema_momentum**4 == pytest.approx(0.9)


def test_the_average_and_the_parts_leave_the_optimizer_as_it_is():
    """What Keras's configuration has no word for stays too."""

    def excluding(steps):
        made = keras.optimizers.AdamW(lambda: 1e-3, weight_decay=0.1)
        made.exclude_from_weight_decay(var_names=["kernel"])
        return made

    recipe = dataclasses.replace(recipes.get(LITTLE), optimizer=excluding)
    optimizer = recipe.accumulated(2).averaged(0.9).optimizer(1)
    kernel, bias = (keras.Variable(np.ones(2, "f4"), name=name) for name in ("kernel", "bias"))
    optimizer.build([kernel, bias])
    assert optimizer.use_ema and optimizer.gradient_accumulation_steps == 2
    for _ in range(2):
        optimizer.apply([np.zeros(2, "f4")] * 2)
    assert np.all(np.asarray(kernel) == 1) and np.all(np.asarray(bias) < 1)
    # And in another run's folder it is told.
    plain = dataclasses.replace(recipe, optimizer=lambda steps: keras.optimizers.AdamW(1e-3))
    excluded = dataclasses.replace(plain, optimizer=lambda steps: excluded_from(plain))
    assert list(differences(plain.record(), excluded.record())) == [
        "optimizer.AdamW.exclude_from_weight_decay None, not kernel"
    ]
    scaled = dataclasses.replace(
        plain, optimizer=lambda _: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())
    )
    assert scaled.averaged(0.9).optimizer(1).inner_optimizer.use_ema
    shared = keras.optimizers.SGD()
    shared.build([kernel])
    with pytest.raises(ValueError, match="must be made anew at each call"):
        dataclasses.replace(plain, optimizer=lambda _: shared).averaged(0.9).optimizer(1)


def excluded_from(recipe):
    made = recipe.optimizer(1)
    made.exclude_from_weight_decay(var_names=["kernel"])
    return made


def test_a_smoke_run_has_a_folder_of_its_own_and_begins_anew(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert Run(LITTLE).folder == pathlib.Path("runs", LITTLE)
    assert Run(LITTLE, output="~/x").folder == pathlib.Path.home() / "x"
    for precision in ("float32", "bfloat16"):
        Run(LITTLE, smoke=True, precision=precision).train()
    assert "going on" not in capsys.readouterr().out
    folder = pathlib.Path("runs", f"{LITTLE}_smoke")
    assert len(log_of(folder)) == 1
    # A recipe of that name may have been trained there.
    (folder / "notes.txt").write_text("mine")
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {"smoke": False}))
    with pytest.raises(ValueError, match="holds another run .*smoke False, not True"):
        Run(LITTLE, smoke=True).train()
    assert (folder / "model.keras").is_file() and (folder / "notes.txt").is_file()


def test_a_smoke_run_tries_the_weights_that_it_is_given(tmp_path, capsys):
    run(LITTLE, tmp_path / "first").save(tmp_path / "first.keras")
    run(LITTLE, tmp_path / "second", init=tmp_path / "first.keras")
    assert "starts from" in capsys.readouterr().out
    with pytest.raises(FileNotFoundError, match="none"):
        run(LITTLE, tmp_path / "third", init=tmp_path / "none.keras")


def test_an_optimizer_of_another_network_is_told(tmp_path):
    optimizer = recipes.get(LITTLE).optimizer(2)
    changes = {"optimizer": lambda steps: optimizer}
    run(LITTLE, tmp_path / "first", changes)
    with pytest.raises(ValueError, match="those of another network"):
        run(LITTLE, tmp_path / "second", changes)


def test_a_second_smoke_run_does_not_touch_what_the_first_is_writing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Run(LITTLE, smoke=True).train()
    folder = pathlib.Path("runs", f"{LITTLE}_smoke")
    monkeypatch.setattr("tfflow.folder_lock._LOOK_AGAIN", 0.05)
    with (
        folder_lock(folder),
        pytest.raises(ValueError, match="Another process is training"),
    ):
        Run(LITTLE, smoke=True).train()
    assert (folder / "model.keras").is_file()


@pytest.mark.parametrize("name", ["steps", "batch_size", "steps_per_epoch"])
def test_a_recipe_of_nothing_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} of little must be a whole number .* got 0"):
        dataclasses.replace(recipes.get(LITTLE), **{name: 0})


def test_batch_statistics_are_frozen_as_late_in_a_shorter_run():
    recipe = recipes.get("lightflow_synthetic")
    whole, short = (
        r.freeze_statistics_after * r.steps_per_epoch / r.steps
        for r in (recipe, recipe.with_steps(recipe.steps // 4))
    )
    assert short == pytest.approx(whole, rel=0.1)
    assert recipe.accumulated(2).freeze_statistics_after == recipe.freeze_statistics_after
    assert recipes.get(LITTLE).with_steps(5).freeze_statistics_after is None


# Endurance -------------------------------------------------------------------------------------


def test_a_folder_of_another_run_is_left_alone(tmp_path):
    run(LITTLE, tmp_path)
    with pytest.raises(ValueError, match=f"recipe {LITTLE}, not lightflow_chairs"):
        run("lightflow_chairs", tmp_path)
    with pytest.raises(ValueError, match="seed 0, not 1"):
        run(LITTLE, tmp_path, seed=1)
    for changes, told in (
        (
            {"optimizer": lambda steps: keras.optimizers.Adam(0.5)},
            r"learning_rate 0.001\d*, not 0.5",
        ),
        ({"optimizer": lambda steps: keras.optimizers.SGD()}, "optimizer Adam, not SGD"),
        ({"loss": MultiLevelEPE({"level2": 1.0}, q=0.4)}, "loss.MultiLevelEPE.q "),
        ({"loss": MultiLevelEPE({"level2": 0.5})}, r"'level2', 1.0.*not .*'level2', 0.5"),
        ({"loss": MultiLevelEPE({"level2": 1.0, "level3": 1.0})}, "not .*'level3'"),
        ({"steps_per_epoch": 1}, "steps_per_epoch 2, not 1"),
        ({"augmentation": LIGHTFLOW}, "augmentation.Augmentation.affine"),
    ):
        with pytest.raises(ValueError, match=told):
            run(LITTLE, tmp_path, changes)
    run(LITTLE, tmp_path, {"source": "another paper", "cost": "less"})


def test_more_data_than_before_is_told(tmp_path, capsys):
    samples = Noise([sample(number) for number in range(4)])
    for count in (3, 3, 4):
        run(LITTLE, tmp_path, {"data": lambda folder, n=count: (samples[:n], samples[:1])})
        told = capsys.readouterr().out
        assert ("last started on other data (samples [3], not [4])" in told) == (count == 4)
    run(LITTLE, tmp_path, {"data": lambda folder: (samples, samples[:1])}, data_dir=tmp_path)
    assert f"not {tmp_path}" in capsys.readouterr().out


def test_two_processes_do_not_train_in_one_folder(tmp_path):
    with folder_lock(tmp_path), pytest.raises(ValueError, match="Another process is training in"):
        run(LITTLE, tmp_path)
    run(LITTLE, tmp_path)


def test_a_damaged_record_is_named(tmp_path):
    run(LITTLE, tmp_path, steps=2)
    (tmp_path / "run.json").write_text("")
    with pytest.raises(ValueError, match=r"run.json is damaged.*Delete it to go on"):
        run(LITTLE, tmp_path, steps=2)
    (tmp_path / "run.json").unlink()
    run(LITTLE, tmp_path, steps=2)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param(LITTLE, {"ema": 0.9}, marks=pytest.mark.slow),
        (LITTLE, {"ema": 0.9, "int8": True}),
        pytest.param("lightflow_demo", {"ema": 0.9}, marks=pytest.mark.slow),
        pytest.param("lightflow_demo", {}, marks=pytest.mark.slow),
        pytest.param("lightflow_demo", {"accumulate": 2}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_an_interrupted_run_ends_with_the_same_weights(tmp_path, name, options, monkeypatch):
    class StopAfter(keras.callbacks.Callback):
        def __init__(self, count):
            super().__init__()
            self.left = count

        def on_train_batch_begin(self, batch, logs=None):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGTERM)

    whole = run(name, tmp_path / "whole", steps=10, **options)

    made = Run.callbacks
    for interruption in (StopAfter(3), StopAfter(4), StopAfter(99)):
        monkeypatch.setattr(Run, "callbacks", lambda *a, i=interruption: [i, *made(*a)])
        try:
            resumed = run(name, tmp_path / "cut", steps=10, **options)
        except Interrupted as end:
            assert "the same command goes on" in str(end)
    assert [log["epoch"] for log in log_of(tmp_path / "cut")] == [1, 2, 3]
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("part", "moment"), [(EvaluatePairs, "on_epoch_end"), (StopAtNaN, "on_train_batch_end")]
)
def test_an_epoch_that_is_done_is_written_down_before_the_end(tmp_path, part, moment, monkeypatch):
    """SIGTERM while an epoch is validated, or after its last batch."""
    calls = []
    original = getattr(part, moment)

    def asked_to_end(self, number, logs=None):
        calls.append(number)
        if len(calls) == (1 if moment == "on_epoch_end" else 4):
            os.kill(os.getpid(), signal.SIGTERM)
        return original(self, number, logs)

    monkeypatch.setattr(part, moment, asked_to_end)
    with pytest.raises(Interrupted, match="stopped after step 4"):
        run(LITTLE, tmp_path, steps=8)
    assert [log["epoch"] for log in log_of(tmp_path)] == [1]
    assert (tmp_path / "best.keras").is_file()
    run(LITTLE, tmp_path, steps=8)
    assert [log["epoch"] for log in log_of(tmp_path)] == [1, 2]


def test_a_run_of_an_earlier_version_had_no_int8(tmp_path):
    run(LITTLE, tmp_path)
    record = json.loads((tmp_path / "run.json").read_text())
    del record["int8"]
    (tmp_path / "run.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match="int8 False, not True"):
        run(LITTLE, tmp_path, int8=True)
    run(LITTLE, tmp_path)


def test_training_goes_without_tensorflows_remapper(tmp_path, monkeypatch):
    """It fails on leaky ReLU's gradient, with a line that looks like an error of the training."""

    def remapping():
        return tf.config.optimizer.get_experimental_options().get("remapping", True)

    seen, fit = [], Run.fit
    monkeypatch.setattr(Run, "fit", lambda *args: (seen.append(remapping()), fit(*args)))
    run(LITTLE, tmp_path)
    assert seen == [False] and remapping()


def test_killed_in_mid_epoch_it_ends_with_the_same_weights(tmp_path):
    """SIGKILL, which nothing can catch, and the same command again."""
    command = [sys.executable, SCRIPT, LITTLE, "--smoke", "--steps", "24"]
    command += ["--import", "little_network"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": TESTS}
    killed = subprocess.Popen([*command, "--output", tmp_path / "killed"], **quiet)
    whole = subprocess.Popen([*command, "--output", tmp_path / "whole"], **quiet)
    checkpoints = Checkpoints(tmp_path / "killed" / "checkpoints")
    deadline = time.monotonic() + 200
    while max(checkpoints.steps(), default=0) < 8 and time.monotonic() < deadline:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed" / "model.keras").exists()
    again = subprocess.run([*command, "--output", tmp_path / "killed"], check=False, **quiet)
    assert again.returncode == whole.wait(timeout=200) == 0
    models = [tfflow.load(tmp_path / name / "model.keras") for name in ("whole", "killed")]
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(one, other)


class NaNForFastFlow(MultiLevelEPE):
    """No number for a batch with the one pair that moves by 20 pixels."""

    def call(self, y_true, y_pred):
        fastest = keras.ops.max(keras.ops.abs(y_true["flow"]))
        return super().call(y_true, y_pred) * keras.ops.sqrt(10.0 - fastest)


def test_killed_before_the_last_save_it_still_ends(tmp_path):
    """A finished run makes its model again, with the averaged weights."""
    first = run(LITTLE, tmp_path, ema=0.9)
    (tmp_path / "model.keras").unlink()
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write('{"epoch": 2, "lo')  # and a line that a full disk cut off
    again = run(LITTLE, tmp_path, ema=0.9)
    for one, other in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (tmp_path / "model.keras").is_file()


def test_a_failed_beginning_leaves_the_folder_free(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = dataclasses.replace(smoke(recipes.get(LITTLE)))
    with pytest.raises(FileNotFoundError, match=r"nowhere\.keras"):
        Run(recipe, init={"": "nowhere.keras"}, output="run").train()
    Run(recipe, output="run").train()
    assert pathlib.Path("run/model.keras").is_file()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"init": {"": "nowhere.keras"}}, "nowhere"),
        ({"init": {"": "rillflow"}}, "rillflow"),
        ({"init": {"encoder": "rillflow"}}, "'encoder', which is no network within little"),
        ({"also_evaluate": "nowhere"}, "nowhere"),
        ({"also_evaluate": "folder:frames"}, "has no ground truth"),
    ],
)
def test_what_is_wrong_is_told_before_data_is_read(wrong, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("frames").mkdir()
    for number in (1, 2):
        write_image(f"frames/a_img{number}.png", sample(0).image1)
    read = []
    recipe = dataclasses.replace(recipes.get(LITTLE), data=read.append)
    with pytest.raises((FileNotFoundError, ValueError), match=told):
        Run(recipe, **wrong).train()
    assert not read and not pathlib.Path("runs").exists()


def test_the_validation_set_is_there_and_has_truth(tmp_path):
    samples = Noise([sample(number) for number in range(3)])
    for held_out, told in (
        (samples[:0], "little has nothing to be validated on"),
        (Noise([sample(0)._replace(flow=None, valid=None)]), "noise-0 has no ground truth"),
        ([sample(0)._replace(valid=np.zeros((80, 104), bool))], "No pixel of .* has a known flow"),
    ):
        with pytest.raises(ValueError, match=told):
            run(LITTLE, tmp_path, {"data": lambda folder, last=held_out: (samples, last)})
        assert not (tmp_path / "log.jsonl").exists()


def test_pairs_to_evaluate_on_are_spread_evenly():
    assert evenly(range(1041), 50)[:2] == range(0, 42, 21)
    assert [len(evenly(range(count), 50)) for count in (0, 1, 50, 51, 100)] == [0, 1, 50, 26, 50]


def test_weights_that_are_no_numbers_are_not_saved(tmp_path, monkeypatch):
    class Spoil(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                self.model.trainable_variables[0].assign(self.model.trainable_variables[0] * np.nan)

    made = Run.callbacks
    monkeypatch.setattr(Run, "callbacks", lambda *a: [Spoil(), *made(*a)])
    with pytest.raises(NotFiniteError, match="is not finite after step 8"):
        run(LITTLE, tmp_path, steps=8)
    assert Checkpoints(tmp_path / "checkpoints").steps() == [4]


def test_what_does_not_go_together_is_told():
    with pytest.raises(ValueError, match="one device only"):
        Run("lightflow_demo", accumulate=2, distribute="mirrored")


def test_int8_is_for_networks_of_flow(tmp_path):
    training = Run(LITTLE, smoke=True, output=tmp_path, int8=True)
    training.recipe = Stage(
        **{field.name: getattr(training.recipe, field.name) for field in dataclasses.fields(Stage)}
    )
    with pytest.raises(ValueError, match="int8 is for flow networks"):
        training.check()
    with pytest.raises(ValueError, match="no convolution to be rounded"):
        Run("lightflow_chairs", smoke=True, output=tmp_path, int8=True).check()


def test_nan_stops_with_the_batch_that_caused_it(tmp_path):
    slow, fast = sample(0), sample(1)._replace(flow=np.full((80, 104, 2), 20, np.float32))
    samples = Noise([*[slow] * 5, fast])
    changes = {
        "data": lambda folder: (samples, samples[:2]),
        "loss": NaNForFastFlow({"level2": 1.0}),
    }
    with pytest.raises(NotFiniteError, match=r"step \d; .*nan_batch\.npz"):
        run(LITTLE, tmp_path, changes, steps=6, seed=3)
    saved = np.load(tmp_path / "nan_batch.npz")
    assert np.abs(saved["flow"]).max() > 10 > np.abs(saved["before_flow"]).max()
    assert saved["image1"].shape == (2, 64, 64, 3)
    assert not (tmp_path / "model.keras").exists()


def test_a_sample_smaller_than_the_crop_is_named(tmp_path, capsys):
    small = sample(0)._replace(image1=np.zeros((40, 60, 3), np.uint8), name="tiny/1")
    small = small._replace(image2=small.image1, flow=small.flow[:40, :60])
    small = small._replace(valid=small.valid[:40, :60])
    samples = [*[sample(1)] * 3, small]
    changes = {"data": lambda folder: (samples, samples[:2])}
    expected = "tiny/1 of a list of 4 samples is 40x60 .*smaller than little's crops of 64x64"
    with pytest.raises(ValueError, match=expected):
        run(LITTLE, tmp_path, changes, steps=6)
    assert "training on a list of 4 samples, validating" in capsys.readouterr().out


# Real files ------------------------------------------------------------------------------------


def chairs_tree(folder):
    """FlyingChairs' layout: three pairs for training, one for validation."""
    data = folder / "FlyingChairs_release" / "data"
    data.mkdir(parents=True)
    for number in range(4):
        pair = sample(number)
        write_image(data / f"{number + 1:05d}_img1.ppm", pair.image1)
        write_image(data / f"{number + 1:05d}_img2.ppm", pair.image2)
        write_flow(data / f"{number + 1:05d}_flow.flo", pair.flow)
    (data.parent / "FlyingChairs_train_val.txt").write_text("1\n1\n1\n2\n")
    return folder


def test_real_files_from_disk_to_weights(tmp_path):
    data = chairs_tree(tmp_path)
    recipe = recipes.get("lightflow_chairs")
    changes = {"data": recipe.data, "augmentation": recipe.augmentation}
    run(LITTLE, tmp_path / "run", changes, data_dir=data)
    assert log_of(tmp_path / "run")[0]["step"] == 2


def test_a_damaged_file_is_named_or_left_out(tmp_path):
    data = chairs_tree(tmp_path)
    damaged = next(data.rglob("*_img2.ppm"))
    damaged.write_bytes(damaged.read_bytes()[:-9])
    changes = {"data": recipes.get("lightflow_chairs").data, "batch_size": 2}
    with pytest.raises(Exception, match=damaged.name):
        run(LITTLE, tmp_path / "run", changes, data_dir=data)
    run(LITTLE, tmp_path / "skipping", changes, data_dir=data, skip_corrupt=True)
    record = json.loads((tmp_path / "skipping" / "skipped.json").read_text())
    assert damaged.name in record["why"][0] and record["names"] == [damaged.name[:5]]


def test_what_is_left_out_is_of_these_files(tmp_path, capsys):
    """Names may repeat in a data set of one's own; an attempt that never began says nothing."""
    data = chairs_tree(tmp_path)
    damaged = next(data.rglob("00002_img2.ppm"))
    damaged.write_bytes(damaged.read_bytes()[:-9])

    def pairs(folder):
        train, held_out = recipes.get("lightflow_chairs").data(folder)
        return FlowDataset("own", [files._replace(name="0") for files in train.pairs]), held_out

    changes = {"data": pairs, "batch_size": 2}
    folder = tmp_path / "run"
    with pytest.raises(ValueError, match="smaller than little's crops"):
        run(LITTLE, folder, {**changes, "crop": (4096, 4096)}, data_dir=data, skip_corrupt=True)
    assert json.loads((folder / "skipped.json").read_text())["positions"] == [1]
    damaged.write_bytes(next(data.rglob("00003_img2.ppm")).read_bytes())
    run(LITTLE, folder, changes, data_dir=data, skip_corrupt=True)
    assert json.loads((folder / "skipped.json").read_text())["positions"] == []
    assert "skipping 1 pairs" in capsys.readouterr().out


@pytest.mark.parametrize("which", ["00003_img2.ppm", "00004_img2.ppm"])  # of training, validation
def test_a_file_that_is_damaged_later_is_left_out_by_the_next_start(which, tmp_path):
    data = chairs_tree(tmp_path)
    for path in [*data.rglob("00004_*")]:
        shutil.copy(path, path.with_name(path.name.replace("4", "5")))
    (data / "FlyingChairs_release/FlyingChairs_train_val.txt").write_text("1\n1\n1\n2\n2\n")
    data_of = recipes.get("lightflow_chairs").data
    changes = {"data": data_of, "batch_size": 2, "steps_per_epoch": 2}
    start = functools.partial(run, LITTLE, tmp_path / "run", data_dir=data, skip_corrupt=True)
    start(changes, steps=4)
    damaged = next(data.rglob(which))
    damaged.write_bytes(damaged.read_bytes()[:-9])
    (tmp_path / "run/model.keras").unlink()
    for path in (tmp_path / "run/checkpoints").glob("*4.weights.h5"):
        path.unlink()  # as if it had been killed after step 2
    with pytest.raises(CorruptFileError, match=f"{which}.* the same command reads them again"):
        start(changes, steps=4)
    start(changes, steps=4)


def test_what_was_left_out_is_not_taken_for_other_pairs(tmp_path, capsys):
    data = chairs_tree(tmp_path)
    damaged = next(data.rglob("00002_img2.ppm"))
    damaged.write_bytes(damaged.read_bytes()[:-9])
    dataset, _ = recipes.get("lightflow_chairs").data(data)
    record = tmp_path / "skipped.json"
    assert len(without_corrupt(dataset, record)) == len(dataset) - 1
    assert "read again" not in capsys.readouterr().out
    first, second, third = dataset.pairs
    moved = FlowDataset("moved", [second, first, third])
    left = without_corrupt(moved, record)
    assert "are read again" in capsys.readouterr().out
    assert "00002" not in [pair.name for pair in left.pairs]
    record.write_text("{")
    with pytest.raises(ValueError, match="skipped.json is damaged.*have all files read again"):
        without_corrupt(dataset, record)


def test_a_damaged_file_of_the_validation_set(tmp_path):
    data = chairs_tree(tmp_path)
    damaged = next(data.rglob("00004_img2.ppm"))
    damaged.write_bytes(damaged.read_bytes()[:-9])
    intact = [damaged.with_name(f"00005_{role}") for role in ("img1.ppm", "img2.ppm", "flow.flo")]
    for path in intact:
        shutil.copy(path.with_name(path.name.replace("5", "1")), path)
    (data / "FlyingChairs_release/FlyingChairs_train_val.txt").write_text("1\n1\n1\n2\n2\n")
    changes = {"data": recipes.get("lightflow_chairs").data, "batch_size": 2}
    with pytest.raises(CorruptFileError, match=damaged.name):
        run(LITTLE, tmp_path / "run", changes, data_dir=data)
    assert not Checkpoints(tmp_path / "run" / "checkpoints").steps()
    run(LITTLE, tmp_path / "skipping", changes, data_dir=data, skip_corrupt=True)
    record = json.loads((tmp_path / "skipping" / "skipped_validation.json").read_text())
    assert record["names"] == ["00004"]


def test_recipes_are_cut_down_honestly():
    small = smoke(recipes.get("flownet2css_sd"))
    assert small.loss.q == 0.4 and len(small.augmentation) == 2
    assert small.model == "flownet2css_sd" and small.steps == 2


@pytest.mark.parametrize(
    "options",
    [{"steps": 0}, {"steps": -3}, {"steps": 2.5}, {"steps": 4.0}, {"accumulate": 0}, {"seed": -1}],
)
def test_counts_are_whole_numbers(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"{name} must be a whole number .*; got"):
        tfflow.recipes.Run("lightflow_demo", **options)


def test_numbers_of_numpy_are_written_down():
    options = Run(LITTLE, seed=np.int64(3), ema=np.float32(0.5)).options
    assert json.dumps([options.seed, options.ema]) == "[3, 0.5]"


def test_an_average_needs_a_momentum():
    with pytest.raises(ValueError, match="must be in"):
        Run(LITTLE, ema=0)


def test_the_workers_of_a_cluster_have_addresses_without_users(tmp_path):
    ssh = tmp_path / "ssh"
    ssh.write_text('#!/bin/sh\necho "$@"\n')
    ssh.chmod(0o755)
    command = ["sh", SCRIPT.with_name("launch.sh"), "me@host0", "host1", "--", "little"]
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GRACE": "0"}
    out = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert f"-tt me@host0 cd '{tmp_path}' &&" in out and "-tt host1 cd" in out
    assert f"exec '{SCRIPT.parents[1]}/.venv/bin/python' -m tfflow train  'little'" in out
    assert out.count('{"worker": ["host0:12345", "host1:12346"]}') == 2
