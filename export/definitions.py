"""Our presets: how each was trained, and the files that are made from it."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class File:
    """An exported file and its gates: the limits it must keep to be shipped.

    Attributes:
        form: Quantization mode, a key of ``tfflow.tflite.QUANTIZATIONS``.
        name: The file's name after the preset's name; None: its quantization mode.
        size: (height, width).
        streaming: Whether a video's frame can be encoded by itself.
        confidence: Whether it tells how far its flow can be trusted.
        megabytes: Largest size of the file.
        epe_loss: Largest growth of EPE over Keras, as a share, on every set of pairs.
        epe_slack: Growth in px that is allowed in any case: where motions are small, so is EPE.
        outliers: Share of a tensor's values that its range may leave out, for int8.
        keep_float: Layers that compute in float32, for int8.
        outside_delegate: Largest number of operators that XNNPACK does not take.
    """

    form: str
    name: str | None = None
    size: tuple[int, int] = (384, 512)
    streaming: bool = False
    confidence: bool = False
    megabytes: float
    epe_loss: float
    epe_slack: float = 0.06
    outliers: float | None = None
    keep_float: tuple[str, ...] = ()
    outside_delegate: int = 0

    def __post_init__(self):
        if self.name is None:
            object.__setattr__(self, "name", self.form)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preset:
    """A preset's card without the measured values.

    Attributes:
        model: Registry name of the network.
        arguments: Constructor arguments.
        description: One line for people.
        data: What it was trained on.
        commands: The training commands, in order.
        pairs_seen: Training pairs seen, repeats included.
        files: What is exported.
    """

    model: str
    arguments: dict
    description: str
    data: str
    commands: list[str]
    pairs_seen: int
    files: tuple[File, ...]


# Small motions need it: with its middle layer in int8, EPE on RubberWhale is 0.62 px instead of
# 0.48 (both with ranges over all values). What else was tried is in docs/rillflow.md.
RILLFLOW_IN_FLOAT = ("refinement",)

PRESETS = {
    "rillflow": Preset(
        model="rillflow",
        # The size of the files: Keras and they then agree on small images of their proportions.
        arguments={"least_area": 384 * 512},
        description="RillFlow, our own network, trained on synthetic scenes alone",
        data="4,000 synthetic scenes of tfflow, 320x448, SceneConfig's defaults, seed 0; "
        "1,000 with motion_scale=0.15, 4,000 with motion_scale=1.5, 2,000 with parallax=0.8 too; "
        "with fine_surfaces=0.6 1,500 with motion_scale=0.2, 1,500 with parallax=0.5; 1,500 with "
        "motion_scale=1.5 and parallax=0.5; 1,000 with motion_scale=0.2 and fine_surfaces=0.3, "
        "1,000 with motion_scale=1.5 and fine_surfaces=0.4; of 320x832 900 with motion_scale=1.5 "
        "and parallax=0.8, 500 with parallax=0.3, 400 with motion_scale=0.2 and fine_surfaces=0.5; "
        "in the last runs 16,900 more of these kinds, with other seeds",
        commands=[
            "tfflow train rillflow_synthetic --data-dir scenes --ema 0.998",
            "tfflow train rillflow_preset --data-dir scenes --ema 0.998",
            "tfflow train rillflow_preset --data-dir scenes --ema 0.998 --steps 3900 "
            "--init runs/rillflow_preset/model.keras --output runs/rillflow_again",
            "tfflow train rillflow_preset --data-dir scenes --ema 0.998 --steps 68000 "
            "--init runs/rillflow_again/model.keras --output runs/rillflow_longer",
            "tfflow train rillflow_wide --data-dir scenes --ema 0.998 --steps 10000 "
            "--init runs/rillflow_longer/model.keras",
        ],
        pairs_seen=696_800,
        files=(
            File(
                form="int8",
                megabytes=2.5,
                epe_loss=0.02,
                streaming=True,
                confidence=True,
                keep_float=RILLFLOW_IN_FLOAT,
                outside_delegate=400,
            ),
            File(
                form="float16",
                megabytes=3.5,
                epe_loss=0.001,
                streaming=True,
                confidence=True,
                outside_delegate=400,
            ),
            File(
                name="small",
                form="int8",
                size=(192, 256),
                megabytes=2.5,
                epe_loss=0.02,
                epe_slack=0.09,  # px: a pixel of this size covers several of the frame's
                keep_float=("down2", *RILLFLOW_IN_FLOAT),
                streaming=True,
                confidence=True,
                outside_delegate=400,
            ),
        ),
    ),
    "lightflow": Preset(
        model="lightflow",
        arguments={"predictor_activation": False, "freeze_statistics": True},
        description="LightFlow with linear predictors, trained on synthetic scenes alone",
        data="12,000 synthetic scenes of tfflow, 320x448, SceneConfig's defaults, seed 0; "
        "4,000 with motion_scale=0.15",
        commands=[
            "tfflow train lightflow_synthetic --data-dir scenes --steps 20000",
            "tfflow train lightflow_preset --data-dir scenes --ema 0.999",
            "tfflow train lightflow_fine --data-dir scenes --ema 0.999",
        ],
        pairs_seen=384_000,
        files=(
            File(form="int8", megabytes=3.0, epe_loss=0.02, epe_slack=0.02, outliers=2e-3),
            File(form="float16", megabytes=5.5, epe_loss=0.001),
        ),
    ),
}

# The networks of the Android and the web demo: name -> files, (preset, form). The first network is
# the default, for real time on a phone. GPUs get the float16 file, if there is one.
DEMO = {
    "rillflow_small": (("rillflow", "small"),),
    "rillflow": (("rillflow", "int8"), ("rillflow", "float16")),
    "lightflow": (("lightflow", "int8"), ("lightflow", "float16")),
}
# The Android demo's detector.
DEMO_DETECTORS = ("shapes",)
DEMO_ASSETS = "android_demo/app/src/main/assets"
