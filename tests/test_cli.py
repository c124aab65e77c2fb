"""The tfflow command: what a newcomer types, and what it says when that can't work."""

import json
import shlex
import shutil
import signal
import subprocess
import sys
import time
import warnings

import cv2
import keras
import numpy as np
import pytest
from golden_files import assert_close, images, load, nhwc, state_dict
from small_network import Small

import tfflow
from tfflow import progress
from tfflow.cli import main
from tfflow.cli.shared import parse_time
from tfflow.data import read_flow, read_image, write_flow, write_image
from tfflow.visualization import flow_to_image, write_video
from tfflow.visualization.colors import usual_motion
from tfflow.weights.presets import preset_tflite

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two frames, a pair with its truth, and a small model without training."""
    root = tmp_path_factory.mktemp("cli")
    keras.utils.set_random_seed(0)
    Small().save(root / "model.keras")
    (root / "pairs").mkdir()
    for name in ("a.png", "b.png", "pairs/x_img1.png", "pairs/x_img2.png"):
        write_image(root / name, RNG.integers(0, 256, (48, 80, 3), np.uint8))
    write_flow(root / "pairs/x_flow.flo", np.full((48, 80, 2), 3.0, np.float32))
    return root


def run(capsys, *arguments):
    """(exit status, standard output, standard error)."""
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_flow_of_two_images(folder, tmp_path, capsys):
    out = tmp_path / "out"
    status, printed, _ = run(
        capsys,
        "flow",
        folder / "a.png",
        folder / "b.png",
        "-o",
        out,
        "--model",
        folder / "model.keras",
    )
    assert status == 0 and "mean motion" in printed
    flow, valid = read_flow(out / "a.flo")
    expected = tfflow.load(folder / "model.keras").predict_flow(
        read_image(folder / "a.png"), read_image(folder / "b.png")
    )
    np.testing.assert_allclose(flow, expected, atol=1e-4)
    assert valid.all()
    assert read_image(out / "a_colors.png").shape == (48, 80, 3)
    assert read_image(out / "a_figure.png").ndim == 3


@pytest.mark.parametrize("format", ["png", "pfm"])
def test_flow_of_a_folder_with_truth(format, folder, tmp_path, capsys):
    model = folder / "model.keras"
    status, printed, _ = run(
        capsys, "flow", folder / "pairs", "-o", tmp_path, "--model", model, "--format", format
    )
    assert status == 0 and "EPE" in printed
    assert read_flow(tmp_path / f"x.{format}")[0].shape == (48, 80, 2)


def test_flow_of_a_video(folder, tmp_path, capsys):
    pytest.importorskip("av", reason="PyAV is an extra; install tfflow[video]")
    clip, out = tmp_path / "clip.mp4", tmp_path / "flow.mp4"
    write_video(clip, RNG.integers(0, 256, (4, 64, 96, 3), np.uint8), fps=10)
    status, printed, _ = run(capsys, "flow", clip, "-o", out, "--model", folder / "model.keras")
    assert status == 0 and "3 pairs" in printed
    frames = list(tfflow.data.read_video(out))
    assert [frame.image.shape for frame in frames] == [(64, 192, 3)] * 3
    assert [frame.time for frame in frames] == pytest.approx([0, 0.1, 0.2])


@pytest.fixture
def clip(tmp_path):
    """Ten frames, ten a second."""
    pytest.importorskip("av", reason="PyAV is an extra; install tfflow[video]")
    write_video(tmp_path / "clip.mp4", RNG.integers(0, 256, (10, 64, 96, 3), np.uint8), fps=10)
    return tmp_path / "clip.mp4"


class Interrupting:
    """A predictor during whose third pair, and some later ones, Ctrl-C is pressed."""

    def __init__(self, *pairs):
        self.pairs, self.count = pairs, 0

    def predict_flow(self, image1, image2):
        self.count += 1
        if self.count in self.pairs:
            signal.raise_signal(signal.SIGINT)
        return np.ones((*image1.shape[:2], 2), np.float32)


def test_a_part_of_a_video_and_its_flow(clip, tmp_path, capsys):
    words = ("--engine", "tflite", "--start", "0:00:00.2", "--end", "0:01", "--every", "2")
    outputs = ("-o", tmp_path / "a.mp4", "-o", tmp_path / "flows", "--format", "npy")
    status, printed, error = run(capsys, "flow", clip, *outputs, *words)
    assert status == 0 and "3 pairs of frames -> " in printed, error
    assert [f.time for f in tfflow.data.read_video(tmp_path / "a.mp4")] == pytest.approx(
        [0, 0.2, 0.4]
    )
    assert len(list((tmp_path / "flows").glob("*.npy"))) == 3
    assert "0.2,0.4" in (tmp_path / "flows/times.csv").read_text()


def test_an_interrupt_leaves_a_playable_video(clip, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(tfflow, "load", lambda source, engine: Interrupting(3))
    outputs = ("-o", tmp_path / "a.mp4", "-o", tmp_path / "a.npz")
    status, printed, error = run(capsys, "flow", clip, *outputs, "--engine", "tflite")
    assert status == 130 and "3 pairs" in printed and "Ctrl-C again drops it" in error
    assert len(list(tfflow.data.read_video(tmp_path / "a.mp4"))) == 3
    with np.load(tmp_path / "a.npz") as flows:
        assert flows.files == ["000000", "000001", "000002", "times"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_interrupt_leaves_nothing(clip, tmp_path, capsys, monkeypatch):
    class Twice(Interrupting):
        def predict_flow(self, image1, image2):
            signal.raise_signal(signal.SIGINT)
            return super().predict_flow(image1, image2)

    monkeypatch.setattr(tfflow, "load", lambda source, engine: Twice(1))
    status, _, error = run(capsys, "flow", clip, "-o", tmp_path / "a.mp4", "--engine", "tflite")
    assert status == 130 and error.endswith("interrupted\n")
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_background_job_goes_on_ignoring_ctrl_c(clip, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(tfflow, "load", lambda source, engine: Interrupting(3))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        words = ("flow", clip, "-o", tmp_path / "a.mp4", "--engine", "tflite")
        assert run(capsys, *words)[0] == 0
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(list(tfflow.data.read_video(tmp_path / "a.mp4"))) == 9


def test_flow_of_a_camera(clip, tmp_path, capsys, monkeypatch):
    capture = cv2.VideoCapture  # reads a clip as it reads a camera
    monkeypatch.setattr(cv2, "VideoCapture", lambda number: capture(str(clip)))
    words = ("flow", "0", "-o", tmp_path / "a.mp4", "--engine", "tflite")
    assert run(capsys, *words)[0] == 0
    assert len(list(tfflow.data.read_video(tmp_path / "a.mp4"))) == 9
    monkeypatch.setattr(tfflow, "load", lambda source, engine: Interrupting(3))
    status, printed, _ = run(capsys, *words)
    assert status == 0 and "3 pairs" in printed, "which is how a camera ends"
    assert len(list(tfflow.data.read_video(tmp_path / "a.mp4"))) == 3


def test_flow_in_a_window(clip, capsys, monkeypatch):
    shown = []

    class Screen:
        """In place of a Window, which has tests of its own."""

        def __init__(self, title):
            pass

        def show(self, picture):
            shown.append(picture.shape)
            return len(shown) < 4

    monkeypatch.setattr(tfflow.visualization, "Window", Screen)
    status, printed, _ = run(capsys, "flow", clip, "--show", "--engine", "tflite")
    assert status == 0 and "4 pairs of frames -> shown" in printed and shown == [(64, 192, 3)] * 4


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1.5", 1.5), ("1:30", 90), ("01:00:00.25", 3600.25)]
)
def test_times(text, seconds):
    assert parse_time(text) == seconds


def test_as_a_module():
    command = [sys.executable, "-m", "tfflow", "--version"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert tfflow.__version__ in result.stdout


def test_large_images_by_tiles(tmp_path, capsys):
    for name in ("a.png", "b.png"):
        write_image(tmp_path / name, RNG.integers(0, 256, (400, 900, 3), np.uint8))
    pair = ("flow", tmp_path / "a.png", tmp_path / "b.png", "--engine", "tflite", "-o")
    assert run(capsys, *pair, tmp_path / "plain.flo")[0] == 0
    status, printed, _ = run(capsys, *pair, tmp_path / "tiles.flo", "--tiles")
    assert status == 0 and "mean motion" in printed
    plain, tiled = (read_flow(tmp_path / f"{name}.flo")[0] for name in ("plain", "tiles"))
    assert tiled.shape == (400, 900, 2) and np.abs(tiled - plain).max() > 0.1
    status, _, error = run(capsys, *pair, tmp_path / "c.flo", "--tiles", "--size", "64x64")
    assert status == 1 and "runs at 384x512 only" in error


def test_flow_of_a_pair_into_one_file(folder, tmp_path, capsys):
    pair = ("flow", folder / "a.png", folder / "b.png", "--engine", "tflite", "-o")
    for name in ("out.flo", "out.pfm", "out.png"):
        status, printed, error = run(capsys, *pair, tmp_path / name)
        assert status == 0 and "mean motion" in printed, error
    flow, _ = read_flow(tmp_path / "out.flo")
    np.testing.assert_array_equal(flow, read_flow(tmp_path / "out.pfm")[0])
    colours = flow_to_image(flow, usual_motion(flow))
    np.testing.assert_array_equal(read_image(tmp_path / "out.png"), colours)
    assert run(capsys, *pair, folder / "a.png")[2].endswith(
        "is one of the images; give another name\n"
    )


def test_flow_of_a_folder_goes_on_after_what_can_not_be_read(tmp_path, capsys):
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(5):
        shape = (48, 80, 3) if number < 4 else (40, 80, 3)
        write_image(frames / f"{number}.png", RNG.integers(0, 256, shape, np.uint8))
    (frames / "1.png").write_bytes(b"no picture")
    words = ("flow", frames, "-o", tmp_path / "out", "--engine", "tflite")
    status, printed, error = run(capsys, *words)
    assert status == 1 and "wrote 3 files" in printed
    assert [path.name for path in sorted(tmp_path.glob("out/*.flo"))] == ["2.flo"]
    assert "  0: " in error and "  1: " in error and "3: expected two images of one size" in error
    for source in (frames, f"folder:{frames}"):
        status, _, error = run(capsys, "flow", source, "-o", frames, "--engine", "tflite")
        assert status == 1 and "the images' own folder" in error
    assert len([*frames.iterdir()]) == 5
    for name in ("flow.flo", "flow.png"):
        status, _, error = run(capsys, "flow", frames, "-o", tmp_path / name, "--engine", "tflite")
        assert status == 1 and "is named as a file" in error and not (tmp_path / name).exists()


def test_frames_that_are_missing_are_said_in_one_line(folder, tmp_path, capsys):
    for number in (1, 2, 5):
        shutil.copy(folder / "a.png", tmp_path / f"{number}.png")
    model = folder / "model.keras"
    status, _, error = run(capsys, "flow", tmp_path, "-o", tmp_path / "out", "--model", model)
    assert status == 0
    (line,) = (line for line in error.splitlines() if "missing" in line)
    assert line.startswith(f"warning: {tmp_path}: ") and "tfflow/" not in error


def test_a_file_whose_name_begins_as_an_option_does(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("-a.png", "--b.png"):
        shutil.copy(folder / "a.png", name)
    command = ["flow", "-a.png", "--b.png", "-o", "x.flo", "--model", folder / "model.keras"]
    assert run(capsys, *command)[0] == 0 and (tmp_path / "x.flo").is_file()


def test_flow_as_kittis_png_beyond_its_range(folder, tmp_path, capsys, monkeypatch):
    class Fast:
        def predict_flow(self, image1, image2):
            flow = np.ones((*image1.shape[:2], 2), np.float32)
            flow[0, :3] = 600.0
            return flow

    monkeypatch.setattr(tfflow, "load", lambda source, engine: Fast())
    words = ("flow", folder / "pairs", "-o", tmp_path, "--format", "png", "--engine", "tflite")
    status, printed, error = run(capsys, *words)
    assert status == 1 and "wrote 3 files" in printed and "x: 3 pixels move by more" in error
    flow, valid = read_flow(tmp_path / "x.png")
    assert (~valid).sum() == 3 and (flow[valid] == 1).all()


def test_a_pair_without_a_known_pixel(folder, tmp_path, capsys):
    pairs = tmp_path / "pairs"
    shutil.copytree(folder / "pairs", pairs)
    flow = np.zeros((48, 80, 2), np.float32)
    write_flow(pairs / "x_flow.flo", flow, np.zeros((48, 80), bool))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        words = ("flow", pairs, "-o", tmp_path / "out", "--engine", "tflite")
        status, printed, error = run(capsys, *words)
    assert status == 0 and "mean motion" in printed and "EPE" not in printed, error


def test_evaluation_goes_on_after_a_damaged_pair(folder, tmp_path, capsys):
    pairs = tmp_path / "pairs"
    shutil.copytree(folder / "pairs", pairs)
    for name in ("img1.png", "img2.png", "flow.flo"):
        shutil.copy(pairs / f"x_{name}", pairs / f"a_{name}")
    (pairs / "a_img2.png").write_bytes(b"no picture")
    status, printed, error = run(capsys, "evaluate", "--dataset", pairs, "--engine", "tflite")
    assert status == 1 and "a: " in error and "a_img2.png" in error
    assert "EPE of zero flow" in printed


def test_evaluate(folder, tmp_path, capsys):
    numbers = tmp_path / "numbers.json"
    status, printed, _ = run(
        capsys,
        *("evaluate", "--model", folder / "model.keras"),
        *("--dataset", folder / "pairs", "--json", numbers),
    )
    assert status == 0 and "EPE of zero flow" in printed
    assert json.loads(numbers.read_text())["zero_flow_epe"] == pytest.approx(3 * 2**0.5)


@pytest.mark.slow  # tests/cli/test_export.py has a quicker one, in int8
def test_export_and_benchmark(folder, tmp_path, capsys):
    out = tmp_path / "model.tflite"
    status, printed, _ = run(
        capsys,
        *("export", folder / "model.keras", "-o", out, "--size", "64x128"),
        *("--quantize", "float32", "--report", tmp_path / "report.json"),
    )
    assert status == 0 and out.stat().st_size > 4096
    assert json.loads((tmp_path / "report.json").read_text())
    status, printed, _ = run(capsys, "benchmark", out, "--runs", 2)
    assert status == 0 and "median ms" in printed
    status, printed, _ = run(
        capsys, "evaluate", "--model", out, "--dataset", folder / "pairs", "--limit", 1
    )
    assert status == 0 and "EPE" in printed


def test_synthesize(tmp_path, capsys):
    out, photographs = tmp_path / "scenes", tmp_path / "photographs"
    photographs.mkdir()
    tfflow.data.write_image(photographs / "wall.png", np.full((400, 400, 3), 90, np.uint8))
    status, printed, _ = run(
        capsys, "synthesize", out, "--count", 2, "--size", "64x96", "--workers", 1,
        "--photographs", photographs,
    )  # fmt: skip
    assert status == 0 and "2 scenes" in printed
    assert tfflow.data.open_dataset(str(out))[1].flow.shape == (64, 96, 2)
    config = json.loads((out / "scenes.json").read_text())["config"]
    assert config["photographs"] == str(tmp_path / "photographs")


def test_models(capsys):
    status, printed, _ = run(capsys, "models")
    assert status == 0 and "lightflow_0.75" in printed and "2,540,390" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("flow {f}/a.png {f}/b.png -o {t} --model lighflow", "Did you mean 'lightflow'"),
        ("flow {f}/a.png {f}/absent.png -o {t} --model {f}/model.keras", "expected an image at"),
        ("flow {f}/a.png -o {t}", "Give the second"),
        ("flow {f}/absent.mp4 -o {t}.mp4", "there is no file"),
        ("flow {f}/a.png {f}/b.png", "give -o once"),
        ("flow {f}/a.png {f}/b.png -o {t} -o {t}2", "give -o once"),
        ("flow {f}/a.png {f}/b.png -o {t} --every 2", "are for a video; a folder of frames"),
        ("flow {f}/pairs -o {t} --show", "are for a video; a folder of frames"),
        ("flow {f}/a.png {f}/b.png -o {t}.txt", "-o must be a folder"),
        ("flow {f}/a.png {f}/b.png -o -", "-o must be a folder"),
        ("flow {f}/a.png {f}/b.png -o {t} --size 100x100", "Nearest: 64x64, 64x128, 128x64"),
        ("track {f}/a.png -o {t}.csv", "is one picture. Give a video, or a folder"),
        ("flow {f}/a.png {f}/b.png -o {t} --model {f}/junk.keras", "it is no zip archive"),
        ("train drone", "--import MODULE, on the command line"),
        ("flow {f}/a.mp4", "give -o, --show, or both"),
        ("flow {f}/a.mp4 -o {t}.mp4 --format npy", "--format is for a folder of files"),
        ("flow 97 -o {t}.avi --engine tflite", "use .mp4 or .gif for pictures"),
        ("flow 97 -o {t}.mp4 --engine tflite", "there is no picture from camera 97"),
        ("flow {f}/a.png {f}/b.png -o {t}.flo --format pfm", "--format is for a folder"),
        ("export lightflow -o {t}.tflite --report {t}/none/a.json", "does not exist; create it"),
        ("flow {f}/model.keras -o {t}", "is no video by its name"),
        ("flow {f}/pairs -o {f}/a.png", "-o must be a folder"),
        ("flow {f}/empty -o {t} --model {f}/model.keras", "no images"),
        ("flow {f}/a.png {f}/b.png {f}/a.png -o {t} --model {f}/model.keras", "two images"),
        ("flow {f}/a.png {f}/b.png -o {f}/text.tflite", "-o must be a folder"),
        ("flow {f}/a.png {f}/b.png -o {t} --model {f}/text.tflite", "text.tflite"),
        ("evaluate --model {f}/model.keras --dataset chair:{f}", "Did you mean 'chairs'"),
        ("evaluate --model {f}/absent.keras --dataset {f}/pairs", "No model at"),
        ("export {f}/model.keras -o {t}/x.tflite --size 100x128", "multiple"),
        ("export {f}/model.keras -o {t}/x.tflite --quantize int4", "int4"),
        ("benchmark {f}/text.tflite", "text.tflite"),
        ("benchmark {f}/model.keras", "tfflow export makes a .tflite file"),
        ("submit --dataset sintel-test:{f} --benchmark sintel -o {t}", "no MPI-Sintel at"),
        ("submit --dataset sintel-test:{f}/none --benchmark sintel -o {t}", "expected MPI-Sintel"),
        ("evaluate --dataset chairs:{f}/none", "expected FlyingChairs, that is a folder with"),
        ("detect {f}/a.mp4 -o {t}.mp4 --model {f}/flow.tflite", "is no detector: that is two"),
    ],
)
def test_what_can_not_work_is_one_clear_line(arguments, message, folder, tmp_path, capsys):
    (folder / "empty").mkdir(exist_ok=True)
    (folder / "text.tflite").write_text("no model")
    (folder / "junk.keras").write_text("no network")
    (folder / "a.mp4").touch()
    shutil.copy(preset_tflite("lightflow"), folder / "flow.tflite")
    words = arguments.format(f=folder, t=tmp_path / "out").split()
    status, _, error = run(capsys, *words)
    assert status == 1
    assert message in error and f"tfflow {words[0]}: " in error
    assert "Traceback" not in error
    assert not list(tmp_path.rglob("*.*"))  # nothing half-written


@pytest.mark.parametrize(
    ("arguments", "usage", "message"),
    [
        ("detct a.mp4", "tfflow [-h]", "no command 'detct'. Did you mean 'detect'?"),
        ("xyz", "tfflow [-h]", "no command 'xyz'. Known: flow, detect"),
        ("export lightflow -o a.tflite --quantise int8", "tfflow export", "mean '--quantize'?"),
        ("models --nonsense", "tfflow models", "unknown argument '--nonsense'. Known: -h, --help"),
        (
            "flow a.mp4 -o a.gif --start 1:2:3:4",
            "tfflow flow",
            "expected seconds, mm:ss or hh:mm:ss",
        ),
        ("flow a.mp4 -o a.gif --end=-1", "tfflow flow", "expected seconds, mm:ss or hh:mm:ss"),
        ("flow a.png b.png -o x --limit 0", "tfflow flow", "whole number from 1 up, got '0'"),
        ("evaluate --dataset x --limit=-1", "tfflow evaluate", "whole number from 1 up, got '-1'"),
        ("flow a.png b.png -o ''", "tfflow [-h]", 'an argument is empty ("")'),
        ("track a.mp4 -o a.gif -o a.csv", "tfflow track", "-o is given twice; this command writes"),
    ],
)
def test_a_wrong_word_gets_a_usage_and_a_sentence(arguments, usage, message, capsys):
    with pytest.raises(SystemExit) as end:
        main(shlex.split(arguments))
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert f"usage: {usage}" in error and message in error


def test_benchmark_takes_presets(capsys):
    status, printed, error = run(capsys, "benchmark", "lightflow", "--runs", 2)
    assert status == 0 and "lightflow" in printed, error
    status, printed, error = run(capsys, "benchmark", "none.tflite", "lightflow", "--runs", 2)
    assert status == 1 and "lightflow" in printed and "no model file none.tflite" in error


def test_the_shipped_detector_says_what_it_knows(tmp_path, capsys):
    pytest.importorskip("av", reason="PyAV is an extra; install tfflow[video]")
    write_video(tmp_path / "clip.gif", np.zeros((2, 64, 96, 3), np.uint8), 10)
    words = ("detect", tmp_path / "clip.gif", "-o", tmp_path / "out.gif")
    status, _, error = run(capsys, *words)
    assert status == 0 and "knows synthetic shapes alone, no real objects" in error


def test_a_log_file_gets_a_line_now_and_then(capsys, monkeypatch):
    with progress.progress_bar("scenes") as update:
        update(1, 7)  # not before there is news
    monkeypatch.setattr(progress, "SECONDS", 0.01)
    with progress.progress_bar("scenes") as update:
        time.sleep(0.02)
        update(2, 7)
        time.sleep(0.02)
        update(3, None)
    assert capsys.readouterr().err.splitlines() == ["scenes: 2 of 7", "scenes: 3"]
    said = ""
    with progress.working("exporting"):
        for _ in range(3000):  # a thread says it
            time.sleep(0.01)
            said += capsys.readouterr().err
            if said:
                break
    assert said.startswith("exporting: ")


def test_help_is_there_for_every_command(capsys):
    for command in ("flow", "evaluate", "export", "benchmark", "synthesize", "models"):
        with pytest.raises(SystemExit) as end:
            main([command, "--help"])
        assert end.value.code == 0
        assert len(capsys.readouterr().out) > 100


@pytest.mark.parametrize("output", ["imported.keras", "imported.weights.h5"])
def test_import_weights(output, tmp_path, capsys):
    description, arrays = load("liteflownet_pre_M6S6")
    np.savez(tmp_path / "mmflow.npz", **state_dict(description))
    name = "liteflownet_pre_M6S6"
    status, printed, _ = run(
        capsys, "import-weights", name, tmp_path / "mmflow.npz", "-o", tmp_path / output
    )
    assert status == 0 and "36 tensors of mmflow, 1,245,476 numbers" in printed
    if output.endswith(".keras"):
        model = tfflow.load(tmp_path / output)
    else:
        model = tfflow.models.create(name)
        model.load_weights(tmp_path / output)
    flow = model(images(arrays, "a", bgr=True))["flow6"]
    assert_close(flow, nhwc(arrays["a.pred.level6"]), 1e-5)


def test_import_weights_says_what_is_wrong(tmp_path, capsys):
    tensors = state_dict(load("liteflownet_pre_M6S6")[0])
    np.savez(tmp_path / "mmflow.npz", **tensors)
    np.savez(tmp_path / "raft.npz", **{"fnet.conv1.weight": np.zeros(3)})

    def fails(network, checkpoint, output="x.keras"):
        path = tmp_path / output
        status, _, error = run(capsys, "import-weights", network, tmp_path / checkpoint, "-o", path)
        assert status == 1 and not path.exists()
        return error

    assert "missing: decoder.decoders.level6.NetR" in fails("liteflownet_pre_M6S6R6", "mmflow.npz")
    assert "mmflow, which has no lightflow" in fails("lightflow", "mmflow.npz")
    assert "its first tensors: fnet.conv1.weight" in fails("liteflownet", "raft.npz")
    assert "must be named *.keras or *.weights.h5" in fails(
        "liteflownet_pre_M6S6", "mmflow.npz", "x.onnx"
    )
    assert "Did you mean 'liteflownet'" in fails("litefflownet", "mmflow.npz")
