"""FLOPs of a .tflite file, counted by hand for a network small enough."""

import keras
import pytest

import tfflow
from tfflow.models import FlowModel
from tfflow.models.layers import Convolution, TransposedConvolution
from tfflow.ops import correlation, lite
from tfflow.tflite import export, read_metadata
from tfflow.tflite.flops import flops
from tfflow.weights.presets import preset_tflite


class Tiny(FlowModel):
    def __init__(self):
        super().__init__(name="tiny")
        self.first = Convolution(4, 3, strides=2, name="first")
        self.depthwise = keras.layers.DepthwiseConv2D(3, padding="same", name="depthwise")
        self.up = TransposedConvolution(2, name="up")
        self.build()

    def estimate(self, image1, image2, training=None):
        features = self.depthwise(self.first(image1))
        cost = correlation(features, self.depthwise(self.first(image2)), 1)
        return {"flow1": self.up(features) + keras.ops.mean(cost)}


def test_operations_are_counted(tmp_path):
    path = export(Tiny(), tmp_path / "tiny.tflite", size=(64, 64), quantization="float32")
    pixels = 32 * 32
    first = pixels * 4 * 3 * 3 * 3
    depthwise = pixels * 4 * 3 * 3
    up = pixels * 4 * 4 * 4 * 2  # every input pixel into 4x4 of both channels
    cost = 3 * pixels * (lite.TILE + 2) * 4  # three rows of tiles against a window each
    assert flops(path) == 2 * (2 * first + 2 * depthwise + up + cost)


def test_light_flow_has_what_the_paper_says():
    # 0.82 GFLOPs for 512x384; joining the two images costs two small convolutions more.
    path = preset_tflite("lightflow", "float16")
    assert read_metadata(path)["size"] == [384, 512]
    assert abs(flops(path) / 1e9 - 0.823) < 0.03


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lightflow_0.5", "rillflow", "liteflownet2", "flownets"])
def test_the_registry_says_what_is_counted(name, tmp_path):
    model = tfflow.models.create(name)
    path = export(model, tmp_path / "model.tflite", size=(384, 512), quantization="float32")
    # How a cost volume is tiled for LiteRT changes a little. FlowNetS's transposed convolutions
    # become ordinary ones over a row and a column more, LightFlow's first is of all channels.
    tolerance = {"flownets": 0.03, "lightflow_0.5": 0.06}.get(name, 0.01)
    assert flops(path) / 1e9 == pytest.approx(tfflow.models.entry(name).gflops, rel=tolerance)
