"""A profile's times are LiteRT's own, and each belongs to the layer that took it."""

import pytest

import tfflow
from tfflow.cli import main
from tfflow.tflite import benchmark, export, profile, profiling
from tfflow.tflite.benchmarking import delegation


def by_name(rows):
    return {row["name"]: row for row in rows}


@pytest.fixture(scope="module", params=["float32", "int8"])
def found(request, tiny, pairs, tmp_path_factory):
    path = tmp_path_factory.mktemp("profile") / "tiny.tflite"
    export(tiny, path, size=(256, 256), quantization=request.param, calibration=pairs[:2])
    return path, profile(path, runs=9)


def test_each_layer_has_its_convolution(found):
    _, values = found
    layers = by_name(values["layers"])
    assert {"first", "second", "third", "prediction"} <= set(layers)
    kinds = values["kinds"]
    assert sum(row["calls"] for row in kinds if "Convolution" in row["name"]) == 4
    assert [row["ms"] for row in kinds] == sorted((row["ms"] for row in kinds), reverse=True)


def test_the_sums_are_the_run(found):
    path, values = found
    for name in ("kinds", "layers"):
        assert sum(row["ms"] for row in values[name]) == pytest.approx(values["ms"])
    assert 0.2 < values["ms"] / benchmark(path)["median_ms"] < 5
    assert {name: values[name] for name in ("operators", "delegated", "partitions")} == delegation(
        path
    )


def test_what_runs_outside_is_counted_and_belongs_to_its_layer(tmp_path):
    path = tfflow.weights.preset_tflite("rillflow")
    values = profile(path, runs=1)
    share = delegation(path)
    outside = sum(row["calls"] for row in values["outside"])
    assert outside == share["operators"] - share["delegated"] > 0
    # Of eight warps, two for the confidence.
    assert by_name(values["outside"])["GATHER"]["calls"] == 4 * 8
    assert {"features2", "decoder2", "decoder6"} <= set(by_name(values["layers"]))


def test_the_order_of_what_the_delegate_kept_decides():
    class Graph:
        def __init__(self, names):
            self.subgraph = type("", (), {"operators": names})

        def name(self, operator):
            return operator

    names = ["PAD", "CONV_2D", "LEAKY_RELU", "GATHER", "RESHAPE", "FULLY_CONNECTED", "ADD"]
    events = [
        ("Convolution (NHWC, F32) IGEMM", 8, 2, 1.0),  # the padding has become a part of it
        ("LeakyReLU (NC)", 8, 3, 1.0),
        ("GATHER", 2, 3, 1.0),
        ("Copy (NC, X32)", 8, 0, 1.0),  # of nothing that the file has
        ("Fully Connected (NC, F32) GEMM", 8, 1, 1.0),
        ("Add (ND)", 8, 2, 1.0),
    ]
    graph = Graph(names)
    assert profiling._operators(graph, [[0, 1, 2], [4, 5, 6]], events) == [1, 2, 3, 4, 5, 6]
    for others in ([[0, 1, 2]], [[0, 1, 2], [4, 5, 6], [3]]):
        assert profiling._operators(graph, others, events) == []  # of another division


def test_the_command(found, capsys):
    path, _ = found
    assert main(["benchmark", str(path), "--profile", "--runs", "2"]) == 0
    printed = capsys.readouterr().out
    assert "by layer" in printed and "prediction" in printed and "Convolution" in printed
    assert main(["benchmark", str(path), "--profile", "--threads", "2"]) == 1
    assert "--profile is of one thread" in capsys.readouterr().err


def test_a_litert_without_a_profiler_is_named(found, monkeypatch, capsys):
    path, _ = found
    monkeypatch.setattr(profiling, "__name__", "tfflow.tflite.no_such_module")
    with pytest.raises(RuntimeError, match="can't time the operators of .*no_such_module"):
        profile(path)
    assert main(["benchmark", str(path), "--profile"]) == 1
    assert "can't time the operators" in capsys.readouterr().err
    with pytest.raises(ValueError, match="at least 1"):
        profile(path, runs=0)
