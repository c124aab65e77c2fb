"""The detector that comes with the package finds shapes, on key frames and between them."""

import json
import pathlib

import pytest
from shape_clips import shapes_clips

from tfflow.cli import main
from tfflow.detection import DetectorInterpreter, FixedInterval, VideoDetector, evaluate, presets
from tfflow.visualization import write_video


@pytest.fixture(scope="module")
def clips():
    return shapes_clips(count=4, frames=11)


def test_finds_shapes(clips):
    detector = DetectorInterpreter(presets.detector_files("shapes"), threads=1)
    assert detector.classes == clips.classes
    video = VideoDetector(detector, schedule=FixedInterval(10), score=0.05)
    result = evaluate(video, clips)
    assert result.key_frames == 8 and result.ap50 > 0.65


def test_the_command_without_options(clips, tmp_path, capsys):
    write_video(tmp_path / "clip.mp4", [frame.image for frame in clips[0]], 10)
    arguments = [str(tmp_path / "clip.mp4"), "-o", str(tmp_path / "boxes.mp4")]
    assert main(["detect", *arguments, "--json", str(tmp_path / "boxes.json")]) == 0
    assert "11 frames, 2 of them key frames" in capsys.readouterr().out
    results = json.loads((tmp_path / "boxes.json").read_text())
    assert sum(len(each["boxes"]) for each in results) > 11


def test_card():
    card = presets.detector_card("shapes")
    assert presets.list_detectors() == ["shapes"] and len(card["classes"]) == 9
    exact, near = (card["results"][form]["ap"] for form in ("float32", card["form"]))
    assert near >= 0.97 * exact > 0.3


def test_a_damaged_file_is_said_to_be(tmp_path, monkeypatch):
    for path in presets.FOLDER.iterdir():
        content = bytearray(path.read_bytes())
        if path.suffix == ".tflite":
            content[1000] ^= 1
        pathlib.Path(tmp_path, path.name).write_bytes(content)
    monkeypatch.setattr(presets, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match="is damaged: its SHA-256 is"):
        presets.detector_files("shapes")
