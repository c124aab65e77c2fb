"""tfflow export with its options, and what runs the files, as they are typed."""

import json
import shutil
import sys

import keras
import numpy as np
import pytest
from small_network import Small

import tfflow
from tfflow.cli import main
from tfflow.data import read_flow, write_flow, write_image
from tfflow.tflite import read_metadata

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A small model without training, four frames, and a pair with its truth."""
    root = tmp_path_factory.mktemp("export")
    keras.utils.set_random_seed(0)
    Small().save(root / "model.keras")
    for name in ("frames/1", "frames/2", "frames/3", "frames/10", "pairs/x_img1", "pairs/x_img2"):
        (root / name).parent.mkdir(exist_ok=True)
        write_image(root / f"{name}.png", RNG.integers(0, 256, (64, 64, 3), np.uint8))
    write_flow(root / "pairs/x_flow.flo", np.full((64, 64, 2), 3.0, np.float32))
    for name, content in (("bad", "{}"), ("old", '{"golden": {"step": 8}, "models": []}')):
        (root / name).mkdir()
        (root / name / "models.json").write_text(content)
    return root


@pytest.fixture(scope="module", autouse=True)
def converted_once(root):
    """The conversion to float32, which every export begins with."""
    from tfflow.tflite import conversion

    original, known = conversion.convert, {}

    def convert(model, size, **settings):
        key = (size, *settings.items())
        return known.setdefault(key, known.get(key) or original(model, size, **settings))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversion, "convert", convert)
        yield


def run(capsys, *arguments):
    """(exit status, standard output, standard error)."""
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture(scope="module")
def int8(root):
    """The file that ``tfflow export`` makes of the frames."""
    path = root / "int8.tflite"
    status = main(
        [
            *("export", str(root / "model.keras"), "-o", str(path), "--size", "64x64"),
            *("--calibration", str(root / "frames"), "--outliers", "0", "--threads", "1,2"),
            *("--keep-float", "conv1", "--keep-float", "prediction"),
            *("--report", str(root / "int8.json"), "--evaluate", str(root / "pairs")),
        ]
    )
    assert status == 0
    return path


def test_export_passes_its_options_on(root, int8, tmp_path):
    report = json.loads((root / "int8.json").read_text())
    assert [latency["threads"] for latency in report["latency"]] == [1, 2]
    model = tfflow.load(root / "model.keras")
    expected = tfflow.tflite.export(
        model,
        tmp_path / "a.tflite",
        size=(64, 64),
        calibration=root / "frames",
        outliers=0,
        keep_float=["conv1", "prediction"],
    )
    assert int8.read_bytes() == expected.read_bytes()


def test_what_runs_a_tflite_file(root, int8, tmp_path, capsys):
    status, printed, error = run(
        capsys, "evaluate", "--model", int8, "--dataset", root / "pairs", "--engine", "tflite"
    )
    assert status == 0 and "EPE" in printed, error
    status, printed, error = run(capsys, "benchmark", int8, "--runs", 2, "--threads", 1, 2)
    assert status == 0 and "median ms" in printed, error
    frames = root / "frames"
    status, printed, error = run(
        capsys, "flow", frames / "1.png", frames / "2.png", "-o", tmp_path, "--model", int8
    )
    assert status == 0 and "mean motion" in printed, error


def test_flow_runs_on_the_engine_that_is_asked_for(root, tmp_path, capsys):
    frames = root / "frames"
    images = [tfflow.data.read_image(frames / f"{number}.png") for number in (1, 2)]
    for engine in ("tflite", "keras"):
        status, _, error = run(
            capsys,
            *("flow", frames / "1.png", frames / "2.png", "-o", tmp_path / engine),
            *("--model", "lightflow", "--engine", engine),
        )
        assert status == 0, error
        expected = tfflow.load("lightflow", engine=engine).predict_flow(*images)
        np.testing.assert_allclose(read_flow(tmp_path / engine / "1.flo")[0], expected, atol=1e-3)
    of_tflite, of_keras = (
        read_flow(tmp_path / engine / "1.flo")[0] for engine in ("tflite", "keras")
    )
    assert np.abs(of_tflite - of_keras).max() > 0.01


def test_flow_of_a_video_runs_on_the_engine_too(tmp_path, capsys, monkeypatch):
    pytest.importorskip("av", reason="PyAV is an extra; install tfflow[video]")
    from tfflow.visualization import write_video

    asked = []
    original = tfflow.load

    def load(source, *, engine=None):
        asked.append(engine)
        return original(source, engine=engine)

    monkeypatch.setattr(tfflow, "load", load)
    write_video(tmp_path / "clip.mp4", RNG.integers(0, 256, (3, 64, 64, 3), np.uint8), fps=10)
    status, printed, error = run(
        capsys,
        *("flow", tmp_path / "clip.mp4", "-o", tmp_path / "flow.mp4"),
        *("--model", "lightflow", "--engine", "tflite"),
    )
    assert status == 0 and "2 pairs" in printed, error
    assert asked == ["tflite"]


def test_sensitivity(root, tmp_path, capsys):
    status, printed, error = run(
        capsys,
        *("sensitivity", root / "model.keras", "--size", "64x64"),
        *("--calibration", root / "frames", "--evaluate", root / "pairs"),
        *("--report", tmp_path / "layers.json"),
    )
    assert status == 0 and "64x64, 1 pair:" in printed, error
    assert "| conv1 " in printed
    layers = json.loads((tmp_path / "layers.json").read_text())["layers"]
    assert {layer["name"] for layer in layers} == {"conv1", "prediction"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["layers.json", "layers.md"]


def test_streaming_and_warp_radius_are_passed_on(root, tmp_path, capsys, monkeypatch):
    from tfflow.tflite import conversion

    given = []

    def export(model, path, **options):
        given.append(options)
        raise ValueError("seen")

    monkeypatch.setattr(conversion, "export", export)
    command = ("export", root / "model.keras", "-o", tmp_path / "a.tflite")
    assert run(capsys, *command)[2] == "tfflow export: seen\n"
    assert run(capsys, *command, "--streaming", "--warp-radius", 4)[0] == 1
    assert not given[0]["streaming"] and "warp_radius" not in given[0]
    assert given[1]["streaming"] and given[1]["warp_radius"] == 4


def test_without_a_report_nothing_is_measured(root, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(tfflow.tflite, "report", None)  # would be called
    command = ("export", root / "model.keras", "--size", "64x64", "--quantize", "dynamic")
    status, printed, error = run(capsys, *command, "-o", tmp_path / "a.tflite", "--no-report")
    assert status == 0, error
    assert read_metadata(tmp_path / "a.tflite")["quantization"] == "dynamic"
    assert "latency" not in printed and "Kotlin" in printed
    with pytest.raises(SystemExit):
        run(capsys, *command, "-o", "b.tflite", "--no-report", "--report", tmp_path / "b.json")
    assert "not allowed with" in capsys.readouterr().err


def test_a_damaged_pair_is_left_out_of_the_report(root, int8, tmp_path, capsys):
    for name in ("x_img1.png", "x_img2.png", "x_flow.flo"):
        shutil.copy(root / "pairs" / name, tmp_path)
    write_image(tmp_path / "y_img1.png", np.zeros((64, 64, 3), np.uint8))
    write_image(tmp_path / "y_img2.png", np.zeros((32, 64, 3), np.uint8))
    (tmp_path / "z_img1.png").write_bytes(b"")
    (tmp_path / "z_img2.png").write_bytes(b"")
    out = tmp_path / "a.tflite"
    command = ("export", root / "model.keras", "-o", out, "--size", "64x64", "--threads", "1")
    status, printed, error = run(capsys, *command, "--quantize", "float32", "--evaluate", tmp_path)
    assert status == 1 and "px on 1 given pairs" in printed and "Kotlin" in printed
    assert "y: expected two images of one size" in error and "z_img1.png is empty" in error
    (tmp_path / "x_img1.png").write_bytes(b"")
    status, printed, error = run(capsys, *command, "--quantize", "float32", "--evaluate", tmp_path)
    assert status == 1 and "x_img1.png is empty" in error and "y: expected" in error


def test_the_file_says_what_it_is(int8):
    assert read_metadata(int8)["quantization"] == "int8"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("export {r}/int8.tflite -o {t}/a.tflite", "int8.tflite is exported already"),
        ("export {r}/model.keras -o {t}/a.tflite --outliers 0.7", "outliers must be the share"),
        ("export {r}/model.keras -o {t}/a.tflite --calibration {t}/absent", "absent"),
        (
            "export {r}/model.keras -o {t}/a.tflite --quantize float16 --outliers 0",
            "float16 is not calibrated; leave out --outliers",
        ),
        (
            "export {r}/model.keras -o {t}/a.tflite --quantize dynamic --calibration {r}/frames",
            "dynamic is not calibrated; leave out --calibration",
        ),
        ("export {r}/model.keras -o {t}/a.tflite --calibration {r}/frames/1.png", "the file"),
        ("export {r}/model.keras -o {t}/a.tflite --calibration {r}/absent.mp4", "No video at"),
        ("export {r}/model.keras -o {t}/a.tflite --keep-float convv1", "Did you mean 'conv1'"),
        ("export {r}/model.keras -o {t}/a.tflite --streaming", "streaming=True is impossible"),
        ("export {r}/model.keras -o {t}/a.tflite --report {t}/a.txt", "must be named *.json"),
        ("export {r}/model.keras -o {t}/a.tflite --no-report --threads 1", "is for the report"),
        ("export {r}/model.keras -o {t}/a.tflite --android-assets {r}/model.keras", "is a file;"),
        ("export {r}/model.keras -o {t}/a.tflite --android-assets {r}/bad", "no list of networks"),
        ("export {r}/model.keras -o {t}/a.tflite --android-assets {r}/old", "another golden pair"),
        ("sensitivity {r}/model.keras --report {t}/a.txt", "must be named *.json"),
        ("export-detector {r}/model.keras -o {t}/a.tflite", "expected a tfflow.detection.Flow"),
        ("flow {f} -o {t}/o --model {r}/model.keras --engine tflite", ".keras file runs on keras"),
        ("flow {f} -o {t}/o --model {r}/int8.tflite --engine keras", ".tflite file runs on tflite"),
        ("flow {f} -o {t}/o --model liteflownet2 --engine tflite", "network without weights"),
        ("evaluate --dataset {r}/pairs --model {r}/model.keras --engine tflite", "runs on keras"),
    ],
)
def test_what_can_not_work_is_one_clear_line(arguments, message, root, int8, tmp_path, capsys):
    words = arguments.format(r=root, t=tmp_path, f=f"{root}/frames").split()
    status, printed, error = run(capsys, *words)
    assert status == 1 and not printed
    # The frames' numbers have a gap, of which flow warns.
    error = "".join(line for line in error.splitlines(True) if not line.startswith("warning: "))
    assert message in error and error.startswith(f"tfflow {words[0]}: ") and error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("threads", ["0", "1,", "a", "1,-2"])
def test_numbers_of_threads(threads, root, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["export", str(root / "model.keras"), "-o", "a.tflite", "--threads", threads])
    assert "expected numbers of threads like 1,2,4" in capsys.readouterr().err


def test_a_network_of_ones_own(root, capsys, tmp_path, monkeypatch):
    """``--import`` makes its class known, in a module of the current folder."""
    (tmp_path / "my_networks.py").write_text(
        "import keras, tfflow\n"
        "@keras.saving.register_keras_serializable('mine')\n"
        "class Mine(tfflow.models.LightFlow):\n"
        "    pass\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    import my_networks

    my_networks.Mine(width=0.25, name="mine").save(tmp_path / "mine.keras")
    for table in (keras.saving.get_custom_objects(), sys.modules):
        table.pop("mine>Mine", None)
        table.pop("my_networks", None)
    pair = [root / f"frames/{number}.png" for number in (1, 2)]
    command = ["flow", *pair, "-o", tmp_path / "out", "--format", "flo", "--model", "mine.keras"]
    status, _, error = run(capsys, *command)
    assert status == 1 and "Mine" in error
    assert run(capsys, *command, "--import", "my_networks")[0] == 0
    for name in ("detect", "evaluate", "export", "flow", "submit"):
        with pytest.raises(SystemExit):
            main([name, "--help"])
        assert "--import MODULE" in capsys.readouterr().out
    status, _, error = run(capsys, *command, "--import", "my_netwroks")
    assert status == 1 and "no such module" in error
