"""LiteFlowNet's options: whose arithmetic, which ablation, and what is invalid."""

import dataclasses
from typing import Any

import numpy as np

from tfflow.models.layers import TAPS

COARSEST = 6

# The mean colour of the first and of the second image over the official training run, RGB.
MEAN1 = (0.454253, 0.434631, 0.411618)
MEAN2 = (0.452793, 0.433645, 0.410782)

# What the published implementations do differently. Weights work with the one they come from.
IMPLEMENTATIONS = {
    "mmflow": {
        "normalize_correlation": False,
        "mask_outside": True,
        "upsampling": "mmflow",
        "image_means": (MEAN1, MEAN1),
        "image_pyramid": "direct",
    },
    "caffe": {
        "normalize_correlation": True,
        "mask_outside": False,
        "upsampling": "bilinear",
        "image_means": (MEAN1, MEAN2),
        "image_pyramid": "triangle",
    },
}
# The best-known PyTorch port runs the official weights; its images are halved from level to level.
IMPLEMENTATIONS["sniklaus"] = {**IMPLEMENTATIONS["caffe"], "image_pyramid": "halving"}

# The ablations of the paper's table 4: W warps features, M, S and R are the units. All learn the
# residual of the coarser level's flow, as LiteFlowNet does. WSR's refinement is as deep as M and S
# together; its layers are not published, these are our reading.
ABLATIONS = {
    "M": {"use_warp": False, "use_refinement": False, "use_regularization": False},
    "MS": {"use_warp": False, "use_regularization": False},
    "WM": {"use_refinement": False, "use_regularization": False},
    "WMS": {"use_regularization": False},
    "WSR": {"use_matching": False, "refinement_channels": (128, 128, 128, 64, 64, 32, 32)},
    "ALL": {},
}

CHOICES = {
    "finest_level": (6, 5, 4, 3, 2),
    "implementation": tuple(IMPLEMENTATIONS),
    "normalize_correlation": (None, True, False),
    "mask_outside": (None, True, False),
    "upsampling": (None, *TAPS),
    "image_pyramid": (None, "direct", "halving", "triangle"),
}
# The length of each, where it is fixed.
CHANNELS = {
    "feature_channels": COARSEST,
    "estimator_channels": None,
    "refinement_channels": None,
    "regularization_channels": None,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a LiteFlowNet; :class:`LiteFlowNet` explains each one.

    Lists and arrays become tuples, and the implementation's values replace None.

    Raises:
        ValueError: If a value is invalid; the message says what is valid.
    """

    finest_level: int
    use_warp: bool
    use_matching: bool
    use_refinement: bool
    use_regularization: bool
    feature_channels: tuple
    estimator_channels: tuple
    refinement_channels: tuple | None
    regularization_channels: tuple
    matching_features: int
    regularization_features: int
    pseudo_level2: bool
    implementation: str
    normalize_correlation: bool | None
    mask_outside: bool | None
    upsampling: str | None
    image_means: Any
    image_pyramid: str | None
    unit_outputs: bool

    def __post_init__(self):
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, _as_tuples(getattr(self, field.name)))
        self._check_choices()
        self._check_channels()
        self._check_units()
        for switch, value in IMPLEMENTATIONS[self.implementation].items():
            if getattr(self, switch) is None:
                object.__setattr__(self, switch, value)

    def _check_choices(self):
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if value not in choices or isinstance(value, float):
                raise ValueError(f"{name} must be one of {choices}; got {value!r}.")
        means = self.image_means
        if means is not None and np.shape(means) != (2, 3):
            raise ValueError(
                f"image_means must be two colours, ((R, G, B), (R, G, B)); got {means!r}."
            )

    def _check_channels(self):
        for name, count in CHANNELS.items():
            channels = getattr(self, name)
            if channels is None and name == "refinement_channels":
                continue
            if (
                not isinstance(channels, tuple)
                or not channels
                or not all(isinstance(n, int) and n > 0 for n in channels)
                or (count and len(channels) != count)
            ):
                wanted = f"{count} whole numbers, one a level" if count else "whole numbers"
                raise ValueError(
                    f"{name} must be {wanted}, such as (128, 64, 32); got {channels!r}."
                )

    def _check_units(self):
        if not (self.use_matching or self.use_refinement):
            raise ValueError("A level without M and S has no flow: use_matching or use_refinement.")
        units = self.use_refinement and self.use_regularization
        if self.pseudo_level2 and not (units and self.finest_level == 3):
            raise ValueError(
                "pseudo_level2 continues the units S and R of level 3: it needs finest_level=3, "
                "use_refinement and use_regularization."
            )


def _as_tuples(value):
    """Lists, as a saved model's configuration has them, and arrays as plain tuples."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return tuple(map(_as_tuples, value)) if isinstance(value, list | tuple) else value
