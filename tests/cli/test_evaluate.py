"""tfflow evaluate and tfflow submit, as they are typed."""

import csv
import json
import zipfile

import keras
import numpy as np
import pytest
from golden_files import load, state_dict

import tfflow
from tfflow.cli import main
from tfflow.data import read_flow, write_flow
from tfflow.data.files.images import write_image
from tfflow.evaluation.leaderboards import SINTEL_PASSES, SINTEL_SCENES

HEIGHT, WIDTH = 48, 80


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A model without training, in its forms, and Sintel's and KITTI's layouts with a few pairs."""
    root = tmp_path_factory.mktemp("evaluate")
    keras.utils.set_random_seed(0)
    model = tfflow.models.create("lightflow_0.5")
    model.save(root / "model.keras")
    model.save_weights(root / "model.weights.h5")
    tfflow.tflite.export(model, root / "model.tflite", size=(64, 128), quantization="float32")
    generator = np.random.default_rng(0)

    def image(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, generator.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8))

    sintel = root / "sintel"
    for each in SINTEL_PASSES:
        for part, scenes in (("training", ("alley_1", "market_2")), ("test", SINTEL_SCENES)):
            for scene in scenes:
                for frame in (1, 2):
                    image(sintel / part / each / scene / f"frame_000{frame}.png")
    occluded = np.zeros((HEIGHT, WIDTH), np.uint8)
    occluded[:, :20] = 255
    for scene, motion in (("alley_1", 3.0), ("market_2", 30.0)):
        for kind in ("flow", "occlusions"):
            (sintel / "training" / kind / scene).mkdir(parents=True)
        flow = np.full((HEIGHT, WIDTH, 2), [motion, 0.0], np.float32)
        write_flow(sintel / f"training/flow/{scene}/frame_0001.flo", flow)
        write_image(sintel / f"training/occlusions/{scene}/frame_0001.png", occluded)
    for number in range(200):
        for frame in (10, 11):
            image(root / f"kitti/testing/image_2/{number:06d}_{frame}.png")
    return root


def run(capsys, *arguments):
    """(exit status, standard output, standard error)."""
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def epe(capsys, path, *arguments):
    status, _, error = run(capsys, "evaluate", *arguments, "--json", path)
    assert status == 0, error
    return json.loads(path.read_text())["epe"]


def test_a_model_in_all_its_forms(root, tmp_path, capsys):
    data = ("--dataset", f"sintel-clean:{root}/sintel")
    numbers = tmp_path / "numbers.json"
    size = ("--size", "64x128")
    expected = epe(capsys, numbers, "--model", root / "model.keras", *size, *data)
    weights = ("--model", "lightflow_0.5", "--weights", root / "model.weights.h5")
    assert epe(capsys, numbers, *weights, *size, *data) == pytest.approx(expected, rel=1e-6)
    tflite = epe(capsys, numbers, "--model", root / "model.tflite", *data)
    assert tflite == pytest.approx(expected, rel=1e-4)
    preset = epe(capsys, numbers, "--model", "lightflow", *data)
    assert np.isfinite(preset) and preset != pytest.approx(expected, rel=1e-3)


def test_another_projects_checkpoint(root, tmp_path, capsys):
    name = "liteflownet_pre_M6S6"
    tensors = state_dict(load(name)[0])
    np.savez(tmp_path / "mmflow.npz", **tensors)
    status, _, error = run(
        capsys,
        *("evaluate", "--model", name, "--weights", tmp_path / "mmflow.npz"),
        *("--dataset", f"sintel-clean:{root}/sintel", "--json", tmp_path / "numbers.json"),
    )
    assert status == 0, error
    model = tfflow.models.create(name)
    tfflow.weights.load_mmflow(model, tensors)
    dataset = tfflow.data.open_dataset(f"sintel-clean:{root}/sintel")
    expected = tfflow.evaluation.evaluate(model, dataset).epe
    assert json.loads((tmp_path / "numbers.json").read_text())["epe"] == pytest.approx(expected)


def test_everything_that_evaluate_writes(root, tmp_path, capsys):
    status, printed, error = run(
        capsys,
        *("evaluate", "--model", root / "model.tflite", "--dataset", f"sintel:{root}/sintel"),
        *("--csv", tmp_path / "pairs.csv", "--json", tmp_path / "numbers.json"),
        *("--worst", 2, "--output", tmp_path / "worst"),
    )
    assert status == 0, error
    for words in ("matched (KITTI: noc)", "error over 3 px", "by scene", "final/market_2"):
        assert words in printed
    with open(tmp_path / "pairs.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [
        f"{each}/{scene}/frame_0001" for each in SINTEL_PASSES for scene in ("alley_1", "market_2")
    ]
    values = json.loads((tmp_path / "numbers.json").read_text())
    # Pairs of one size: the mean of the lines is the mean over pixels.
    assert values["epe"] == pytest.approx(np.mean([float(row["epe"]) for row in rows]))
    assert values["zero_flow_epe"] == pytest.approx(16.5)
    assert values["unmatched"]["pixels"] == 4 * 20 * HEIGHT
    assert set(values["scenes"]) == {row["scene"] for row in rows}
    worst = sorted(rows, key=lambda row: -float(row["epe"]))[:2]
    assert sorted(path.name for path in (tmp_path / "worst").glob("*.png")) == [
        f"worst_{rank}_{row['name'].replace('/', '_')}.png" for rank, row in enumerate(worst, 1)
    ]


def test_a_flow_that_is_not_finite_is_said_to_be_so(root, capsys, monkeypatch):
    class NotFinite:
        def predict_flow(self, image1, image2):
            return np.full((HEIGHT, WIDTH, 2), np.nan, np.float32)

    monkeypatch.setattr(tfflow, "load", lambda *_, **__: NotFinite())
    data = f"sintel-clean:{root}/sintel"
    status, printed, _ = run(capsys, "evaluate", "--model", "any", "--dataset", data)
    assert status == 0
    lines = [line.strip("│ ") for line in printed.splitlines()]
    for name in ("EPE  ", "EPE at 0-10 px", "mean of the pairs' EPEs", "market_2"):
        (line,) = [line for line in lines if line.startswith(name)]
        assert "not finite" in line and "no such" not in line
    (line,) = [line for line in lines if line.startswith("EPE at over 40 px")]
    assert "no such pixels" in line and "not finite" not in line


def test_submit_to_sintel(root, tmp_path, capsys):
    status, printed, error = run(
        capsys,
        *("submit", "--model", root / "model.tflite", "--dataset", f"sintel-test:{root}/sintel"),
        *("--benchmark", "sintel", "-o", tmp_path / "lightflow_0.5"),
    )
    assert status == 0
    assert "(clean: 540 of 552 pairs" in error  # each scene has its first pair alone
    assert "24 pairs" in printed and "bundler" in printed
    for each in SINTEL_PASSES:
        for scene in SINTEL_SCENES:
            path = tmp_path / "lightflow_0.5" / each / scene / "frame0001.flo"
            assert read_flow(path)[0].shape == (HEIGHT, WIDTH, 2)


def test_submit_to_kitti_says_what_is_missing_before_it_starts(root, tmp_path, capsys):
    (root / "kitti/testing/image_2/000007_10.png").rename(tmp_path / "away.png")
    try:
        status, printed, error = run(
            capsys,
            *("submit", "--model", root / "model.tflite", "--benchmark", "kitti2015"),
            *("--dataset", f"kitti2015-test:{root}/kitti", "-o", tmp_path / "kitti.zip"),
        )
    finally:
        (tmp_path / "away.png").rename(root / "kitti/testing/image_2/000007_10.png")
    assert status == 0 and "199 pairs" in printed
    assert "1 missing (flow/000007_10.png)" in error
    with zipfile.ZipFile(tmp_path / "kitti.zip") as archive:
        assert len(archive.namelist()) == 199


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--worst 3", "--worst N and --output DIR go together"),
        ("-o {t}/out", "--worst N and --output DIR go together"),
        ("--worst -1 -o {t}/out", "got -1"),
        ("--worst 1 -o {r}/model.keras", "model.keras is a file; give a folder"),
        ("--csv {t}/absent/a.csv", "absent does not exist; create it"),
        ("--json {t}/absent/a.json", "absent does not exist; create it"),
        ("--model {r}/model.keras --weights x.pth", "goes with a network's name"),
        ("--model lightflow --weights {t}/absent.weights.h5", "No weights at"),
        ("--model {r}/model.tflite --size 128x128", "runs at 64x128 only"),
    ],
)
def test_what_can_not_work_fails_at_once(arguments, message, root, tmp_path, capsys):
    status, printed, error = run(
        capsys,
        *("evaluate", "--dataset", f"sintel:{root}/sintel"),
        *arguments.format(r=root, t=tmp_path).split(),
    )
    assert status == 1 and not printed
    assert message in error and error.startswith("tfflow evaluate: ") and error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_training_pairs_are_no_submission(root, tmp_path, capsys):
    status, _, error = run(
        capsys,
        *("submit", "--model", root / "model.tflite", "--benchmark", "sintel"),
        *("--dataset", f"sintel:{root}/sintel", "-o", tmp_path / "out"),
    )
    assert status == 1 and "the pairs of its test set" in error
    assert not list(tmp_path.iterdir())
