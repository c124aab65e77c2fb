"""The report says what was measured, and the measure is right."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from tfflow.data import FlowSample
from tfflow.tflite import (
    ExportReport,
    FlowInterpreter,
    benchmark,
    benchmarking,
    operators,
    report,
    reporting,
)
from tfflow.tflite.benchmarking import delegation
from tfflow.tflite.memory import peak_memory

SIZE = (64, 128)


@pytest.mark.parametrize("form", ["float32", "float16", "weights", "dynamic", "int8", "int8_uint8"])
def test_all_of_light_flow_is_delegated(exported, form):
    number = sum(operators(exported[form]).values())
    assert delegation(exported[form]) == {
        "operators": number,
        "delegated": number,
        "partitions": 1,
    }


def test_delegation_sees_what_is_left_out(exported, tmp_path):
    from tfflow.tflite.graph import Graph

    # XNNPACK has no such operator.
    graph = Graph(exported["float32"].read_bytes())
    (flow,) = graph.subgraph.outputs
    zeros = graph.add_tensor("zeros", graph.shape(flow))
    graph.subgraph.operators.append(graph.new_operator("ZEROS_LIKE", [flow], [zeros]))
    graph.subgraph.outputs = [zeros]
    graph.model.signatureDefs[0].outputs[0].tensorIndex = zeros
    path = tmp_path / "zeros.tflite"
    path.write_bytes(graph.to_bytes())
    shares = delegation(path)
    assert shares["operators"] - shares["delegated"] == 1 and shares["partitions"] == 1


def test_benchmark(exported):
    result = benchmark(exported["int8_uint8"], threads=1, runs=20)
    assert result["threads"] == 1 and result["runs"] == 20
    assert 0 < result["min_ms"] <= result["median_ms"] <= result["p90_ms"]
    assert result["min_ms"] <= result["mean_ms"]


@pytest.mark.parametrize("settings", [{"runs": 0}, {"runs": 2.5}, {"warmup": -1}])
def test_benchmark_refuses(exported, settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))} must be a whole number"):
        benchmark(exported["int8"], **settings)


def test_benchmark_says_how_many_threads_there_were(exported):
    result = benchmark(exported["int8"], threads=None, runs=1, warmup=0)
    assert result["threads"] == min(4, os.cpu_count())


def test_report_with_truth(exported, model, pairs, tmp_path):
    samples, distances, keras_errors = [], [], []
    for index, pair in enumerate(pairs[4:]):
        keras_flow = model.predict_flow(*pair, size=SIZE)
        valid = np.zeros(SIZE, bool)
        valid[: 32 * (index + 1)] = True  # pairs weigh as many pixels as they have
        truth = np.where(valid[..., None], keras_flow + np.float32([3 + index, 4]), np.nan)
        samples.append(FlowSample(*pair, truth, valid, str(index)))
        keras_errors.append(np.full(valid.sum(), np.hypot(3 + index, 4)))
        file_flow = FlowInterpreter(exported["int8"]).predict_flow(*pair)
        distances.append(np.linalg.norm(file_flow - keras_flow, axis=-1))

    values = report(exported["int8"], model, samples, threads=(1, 2), runs=5)
    assert values["file"] == "int8.tflite" and values["size"] == [64, 128]
    assert values["model"] == "lightflow_0.5" and values["quantization"] == "int8"
    assert values["bytes"] == exported["int8"].stat().st_size
    assert values["operators"] == operators(exported["int8"])
    assert [latency["threads"] for latency in values["latency"]] == [1, 2]
    assert values["pairs"] == {"number": 2, "source": "given pairs"}
    assert values["difference_px"]["mean"] == pytest.approx(np.mean(distances), rel=1e-3)
    assert values["difference_px"]["max"] == pytest.approx(np.max(distances), rel=1e-3)
    assert values["difference_px"]["p99"] == pytest.approx(np.percentile(distances, 99), rel=1e-3)
    expected = np.concatenate(keras_errors).mean()
    assert values["epe_px"]["keras"] == pytest.approx(expected, rel=1e-5)
    assert abs(values["epe_px"]["file"] - expected) <= np.max(distances)
    motions = [np.linalg.norm(sample.flow, axis=-1)[sample.valid] for sample in samples]
    motion = np.concatenate(motions).mean()
    assert values["epe_px"]["zero_flow"] == pytest.approx(motion, rel=1e-5)
    assert values["float32"]["bytes"] > 2 * values["bytes"]
    assert [latency["threads"] for latency in values["float32"]["latency"]] == [1, 2]
    assert values["conditions"]["cores"] >= 1 and values["conditions"]["ai-edge-litert"]

    assert 1e6 < values["peak_memory"] < 1e9

    text = values.as_text()
    for part in ("int8.tflite", "64x128", "2 threads", "in the delegate (1 partition)", "Keras"):
        assert part in text
    assert f"; zero flow {motion:.3f} px" in text
    assert len({len(line) for line in text.splitlines()}) == 1  # a straight table

    path = values.write(tmp_path / "report.json")
    assert ExportReport(json.loads(path.read_text())) == values
    assert (tmp_path / "report.md").read_text() == text + "\n"
    picture = np.asarray(Image.open(tmp_path / "report.png"))
    assert picture.shape[0] > 2 * SIZE[0] and picture.shape[1] > 2 * SIZE[1]
    with pytest.raises(ValueError, match=r"must be named \*.json"):
        values.write(tmp_path / "report.txt")


def test_a_benchmark_of_a_slow_file_ends(exported, monkeypatch):
    monkeypatch.setattr(benchmarking, "SECONDS", 0.0)
    assert benchmark(exported["float32"], runs=50)["runs"] == 5


def test_peak_memory_of_nonsense(tmp_path):
    with pytest.raises(FileNotFoundError):
        peak_memory(tmp_path / "none.tflite")
    path = tmp_path / "broken.tflite"
    path.write_bytes(b"....TFL3" + bytes(100))
    with pytest.raises(ValueError, match="can't run"):
        peak_memory(path)


def test_report_without_truth_or_model(exported, model, pairs):
    values = report(exported["float32"], model, pairs[:1], runs=2)
    assert "epe_px" not in values and values["difference_px"]["max"] < 1e-3
    values = report(exported["float32"], runs=2)
    assert "difference_px" not in values and "pairs" not in values
    assert "EPE" not in values.as_text()


def test_what_is_pooled_over_many_pairs_takes_little_memory():
    lengths, values = reporting._Lengths(), np.random.default_rng(0).gamma(0.3, 5, 100_000)
    for part in np.split(values, 10):
        lengths.add(part.reshape(100, 100))
    assert lengths.count == values.size and lengths.largest == values.max()
    assert lengths.mean == pytest.approx(values.mean())
    for percent in (1, 50, 99, 100):
        expected = np.percentile(values, percent)
        assert lengths.percentile(percent) == pytest.approx(expected, rel=2e-3, abs=1e-6)
    lengths.add(np.float32([np.nan, np.inf]))
    assert np.isnan(lengths.mean) and np.isnan(lengths.largest)


def test_the_same_in_float32_has_the_same_signatures(exported, model, pairs, monkeypatch):
    given = {}

    def export(model, path, **settings):
        given.update(settings)
        return shutil.copy(exported["float32"], path)

    monkeypatch.setattr("tfflow.tflite.conversion.export", export)
    metadata = {"model": "x", "quantization": "int8", "warp_radius": 4}
    monkeypatch.setattr("tfflow.tflite.interpreter.metadata_of", lambda path: metadata)
    report(exported["int8"], model, pairs[:1], threads=(1,), runs=1)
    assert given["warp_radius"] == 4 and given["streaming"] is given["confidence"] is False


def test_report_on_synthetic_scenes_by_default(exported, model):
    pytest.importorskip("cv2")
    values = report(exported["float32"], model, runs=2)
    assert values["pairs"] == {"number": 8, "source": "synthetic pairs"}
    assert values["epe_px"]["file"] == pytest.approx(values["epe_px"]["keras"], rel=1e-4)


def test_report_without_pairs(exported, model):
    with pytest.raises(ValueError, match="pairs holds no pair"):
        report(exported["float32"], model, [], runs=2)


@pytest.mark.parametrize("kind", ["grey", "alpha", "example", "batch", "sparse", "nothing known"])
def test_report_of_whatever_pairs_export_takes(exported, model, pairs, kind):
    images = [image[..., 0] if kind == "grey" else image for image in pairs[0]]
    if kind == "alpha":
        images = [np.dstack([image, image[..., :1]]) for image in images]
    truth, valid = np.zeros((*SIZE, 2), np.float32), np.full(SIZE, kind != "nothing known")
    pair = (*images, truth, valid)
    if kind == "example":
        pair = {"image1": images[0], "image2": images[1]}, truth, valid
    if kind == "batch":
        stacked = [np.stack([each, each]) for each in (*images, truth)]
        pair = dict(zip(("image1", "image2"), stacked)), stacked[2]
    if kind == "sparse":
        truth[5:] = np.nan
    values = report(exported["float32"], model, [pair], runs=2)
    assert ("epe_px" in values) == (kind != "nothing known") and values.picture is not None
    assert all(np.isfinite(error) for error in values.get("epe_px", {}).values())
    assert values["pairs"]["number"] == (2 if kind == "batch" else 1)
