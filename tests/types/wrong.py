"""Mistakes: mypy finds each of them. Read by tests/test_types.py, never run."""

import numpy as np

import tfflow
from tfflow.data import (
    FlyingChairs,
    SceneCache,
    SceneConfig,
    read_flow,
    read_image,
    synthesize,
    training_pipeline,
    write_image,
)
from tfflow.detection import ByMotion, SyntheticClips, VideoDetector, load_detector
from tfflow.evaluation import evaluate, write_submission
from tfflow.losses import MultiLevelEPE
from tfflow.recipes import Run
from tfflow.tflite import FlowInterpreter, benchmark, export
from tfflow.training.callbacks import JsonLines
from tfflow.visualization import flow_figure, flow_to_image

model = tfflow.models.create("lightflow")
image = read_image("a.png")
flow = model.predict_flow(image, image)

model.predict_flow("a.png", "b.png")  # wrong
model.predict_flow(image, image, size="384x512")  # wrong
model.predict_flow(image)  # wrong
print(flow.shap)  # wrong
FlowInterpreter("x.tflite").predict_flow("a.png", image)  # wrong
FlowInterpreter("x.tflite", threads="4")  # wrong
tfflow.load("x.tflite", engine="tensorflow")  # wrong
tfflow.load(image)  # wrong
tfflow.loads("lightflow")  # wrong
tfflow.models.create(1)  # wrong
tfflow.data.read_picture("a.png")  # wrong
export(model, "x.tflite", quantization="int9")  # wrong
export(model, "x.tflite", size="384x512")  # wrong
export("lightflow", "x.tflite")  # wrong
export(model, "x.tflite", calibration=7)  # wrong
benchmark("x.tflite", threads=(1, 2))  # wrong
read_flow(flow)  # wrong
write_image(image, "a.png")  # wrong
flow_to_image("a.flo")  # wrong
flow_figure(image, image, "a.flo")  # wrong
synthesize("scenes", "1000")  # wrong
synthesize("scenes", 10, layout="kitti")  # wrong
FlyingChairs("/data", split="test")  # wrong
training_pipeline(SceneCache("scenes"), 8, crop="256x320")  # wrong
training_pipeline("scenes", 8, crop=(256, 320))  # wrong
tfflow.ops.warp(image, flow, padding="reflect")  # wrong
tfflow.ops.correlation(image, image, max_displacement="4")  # wrong
evaluate("lightflow", [])  # wrong
evaluate(model, "sintel:/data")  # wrong
evaluate(model, []).epe.mean()  # wrong
write_submission(model, [], "out", "sintel")  # wrong
MultiLevelEPE(0.32)  # wrong
MultiLevelEPE({"level2": 1.0}, reduction="max")  # wrong
JsonLines(3.5)  # wrong
Run(3)  # wrong
VideoDetector("detector.keras")  # wrong
VideoDetector(load_detector("detector.keras"), schedule=10)  # wrong
ByMotion("8")  # wrong
SyntheticClips(SceneConfig(), count=1)["all"]  # wrong
np.asarray(VideoDetector(load_detector("x")).next("a.png").boxes)  # wrong
tfflow.weights.load_mmflow(model, 5)  # wrong
tfflow.cli.main("models --help", 1)  # wrong
