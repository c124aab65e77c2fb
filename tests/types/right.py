"""What users write: mypy finds nothing. Read by tests/test_types.py, never run."""

import pathlib

import keras
import numpy as np
from PIL import Image

import tfflow
from tfflow.data import (
    FlowSample,
    SceneCache,
    SceneConfig,
    open_dataset,
    read_image,
    synthesize,
    training_pipeline,
    write_flow,
    write_image,
)
from tfflow.detection import ByMotion, SyntheticClips, VideoDetector, load_detector
from tfflow.evaluation import evaluate, predict_pairs, write_csv, write_submission
from tfflow.losses import LightFlowL1, MultiLevelEPE
from tfflow.metrics import EndPointError, FlOutliers
from tfflow.recipes import Recipe, Run, drawn_scenes
from tfflow.training.callbacks import JsonLines
from tfflow.types import Predictor, Tensor
from tfflow.visualization import flow_figure, write_video

# Prediction, with images from anywhere.
model = tfflow.load()
image1, image2 = read_image("a.png"), read_image(pathlib.Path("b.png"))
flow = model.predict_flow(image1, image2, size=(384, 512))
height, width = flow.shape[:2]
model.predict_flow(np.asarray(Image.open("a.png")), np.zeros((4, 5, 3), np.float32))
model.predict_flow([image1, image1], [image2, image2])
write_flow("a.flo", flow, valid=np.ones((height, width), bool))
write_image("a_figure.png", flow_figure(image1, image2, flow, title="a"))
interpreter = tfflow.load("lightflow_int8.tflite", engine="tflite")
interpreter.predict_flow(image1, image2)
print(interpreter.size[0], interpreter.threads)
stream = tfflow.models.FlowStream(tfflow.models.create("liteflownet2"))
if (between := stream.next(image1)) is not None:
    print(between.mean())

# Export, with pairs in every form.
for pairs in ([(image1, image2)], open_dataset("sintel:/data/Sintel"), "clip.mp4", None):
    path = tfflow.tflite.export(model, "x.tflite", quantization="int8", calibration=pairs)
    print(tfflow.tflite.report(path, model, threads=[1, 2]).as_text(), path.stem)
print(tfflow.tflite.benchmark(path)["median_ms"] + 1, tfflow.tflite.read_metadata(path)["size"])


# A network, a recipe and a predictor of one's own.
@tfflow.models.register("mine", parameters=10, width=1.0)
class Mine(tfflow.models.FlowModel):
    def __init__(self, *, width: float = 1.0, name: str = "mine", **kwargs: object) -> None:
        super().__init__(name=name, **kwargs)
        self.convolution = keras.layers.Conv2D(2, 3, padding="same")
        self.build()

    def estimate(
        self, image1: Tensor, image2: Tensor, training: bool | None = None
    ) -> dict[str, Tensor]:
        return {"flow2": self.convolution(tfflow.ops.warp(image2, image1[..., :2]))}


@tfflow.recipes.register
def mine_scenes() -> Recipe:
    return Recipe(
        name="mine_scenes",
        source="ours",
        expected="3 px",
        cost="an hour",
        data=drawn_scenes(100, 10, height=320),
        model="mine",
        crop=(256, 320),
        loss=LightFlowL1(),
        batch_size=8,
        steps=100,
        optimizer=lambda steps: keras.optimizers.Adam(1e-3),
    )


class NoMotion:
    def predict_flow(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.zeros((*first.shape[:2], 2), np.float32)


# Training.
synthesize("scenes", 1000, SceneConfig(height=320), progress=True)
mine = tfflow.models.create("mine", width=0.5)
mine.compile(
    keras.optimizers.Adam(1e-3),
    loss=MultiLevelEPE({"level2": 1.0}, q=0.4, reduction="mean"),
    metrics=[EndPointError(), FlOutliers()],
)
mine.fit(
    training_pipeline(SceneCache("scenes")[:100], 8, crop=(256, 320)),
    callbacks=[JsonLines("log.jsonl")],
)
mine.save("mine.keras")
mine.start_from(tfflow.models.create("mine"))
tfflow.weights.load_mmflow(mine, {"conv.weight": np.zeros(3)})
tfflow.weights.load_liteflownet_official(mine, "liteflownet.npz")
Run("mine_scenes", data_dir="/data", precision="bfloat16").train()
Run(mine_scenes()).train()

# Evaluation, of anything that predicts, on anything that is a sequence of samples.
samples = [FlowSample(image1, image2, flow, None, "a")]
predictors: list[Predictor] = [NoMotion(), model, interpreter]
for predictor in predictors:
    result = evaluate(predictor, samples, progress=lambda done, total, epe: None)
    print(f"{result.epe:.2f}", result.above[3], result.errors.pixels)
    write_csv("a.csv", result)
predict_pairs(NoMotion(), open_dataset("folder:pairs"), "out", extension=".png")
write_submission(model, open_dataset("sintel-test:Sintel"), "sintel", benchmark="sintel")

# Videos.
video = VideoDetector(load_detector("detector.keras"), flow=model, schedule=ByMotion(8))
write_video(
    "boxes.mp4",
    [
        (tfflow.visualization.draw_boxes(f.image, video.next(f.image).boxes, [], []), f.time)
        for f in tfflow.data.read_video("clip.mp4")
    ],
)
write_video("flow.gif", [image1, image2], fps=10)
tfflow.detection.evaluate(video, SyntheticClips(SceneConfig(), count=3)[:2])
raise SystemExit(tfflow.cli.main(["models"]))
