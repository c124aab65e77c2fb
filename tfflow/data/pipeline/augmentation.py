"""What training changes in its pairs, and by how much: the settings and their published values.

The changes themselves are in `photometric` (colours, noise) and `geometric` (flips, affine maps,
crop), as TensorFlow graphs. The order is the published one: brightness, contrast, saturation and
hue in random order, gamma, noise, horizontal flip, vertical flip, affine maps, crop.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class Colour:
    """Colour changes, the same for both images of a pair, and noise, drawn for each.

    Attributes:
        brightness, contrast, saturation: each a factor from 1 - x to 1 + x, x from 0 to 1. Contrast
            is relative to the image's mean grey, saturation to each pixel's.
        hue: a rotation by up to x of the full circle either way, 0 to 0.5.
        gamma: smallest and largest exponent.
        noise: largest standard deviation of Gaussian noise, in units of the range [0, 1]. Each
            pair has its own strength, each image its own noise.
        second: standard deviation of the second image's further change in brightness, and in the
            logarithms of contrast and gamma: light and exposure that change between the two.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    gamma: tuple[float, float] = (1.0, 1.0)
    noise: float = 0.0
    second: float = 0.0

    def __post_init__(self) -> None:
        for name in ("brightness", "contrast", "saturation", "noise", "second"):
            _check_range(name, getattr(self, name), 0, 1)
        _check_range("hue", self.hue, 0, 0.5)
        _check_pair("gamma", self.gamma)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Affine:
    """A random affine map: translation after rotation after shear after zoom.

    Attributes:
        translation: largest shift either way, as a share of the image's width and height.
        zoom: smallest and largest magnification.
        shear: smallest and largest s of diag(s, 1/s).
        rotation: largest angle either way, degrees.
    """

    translation: tuple[float, float] = (0.0, 0.0)
    zoom: tuple[float, float] = (1.0, 1.0)
    shear: tuple[float, float] = (1.0, 1.0)
    rotation: float = 0.0

    def __post_init__(self) -> None:
        if len(self.translation) != 2 or not all(0 <= x < 1 for x in self.translation):
            raise ValueError(f"translation must be two shares from 0 to 1, got {self.translation}")
        _check_pair("zoom", self.zoom)
        _check_pair("shear", self.shear)
        _check_range("rotation", self.rotation, 0, 180)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Augmentation:
    """All changes to a training pair.

    Attributes:
        colour: changes of colour and noise, or None.
        horizontal_flip, vertical_flip: probabilities.
        affine: the map that both images take, or None.
        relative: a further map of the second image, or None; it adds motion.
        keep_inside: draw maps until none shows anything outside its image. Otherwise the outside
            is black, and the flow is not valid there.
        square: rotate and shear in pixels, and shift by shares of the width in both directions.
            Otherwise, as in mmflow, all in coordinates where both sides of the image are 1.
    """

    colour: Colour | None = None
    horizontal_flip: float = 0.0
    vertical_flip: float = 0.0
    affine: Affine | None = None
    relative: Affine | None = None
    keep_inside: bool = True
    square: bool = False

    def __post_init__(self) -> None:
        _check_range("horizontal_flip", self.horizontal_flip, 0, 1)
        _check_range("vertical_flip", self.vertical_flip, 0, 1)


def _check_range(name, value, least, most):
    if not least <= value <= most:
        raise ValueError(f"{name} must be from {least} to {most}, got {value!r}")


def _check_pair(name, pair):
    if len(pair) != 2 or not 0 < pair[0] <= pair[1] < math.inf:
        raise ValueError(f"{name} must be (smallest, largest), both above 0, got {pair!r}")


NONE = Augmentation()

# Ours, for scenes that are varied enough already: usual changes of light. (A change of hue costs
# as much as all others together.)
LIGHT = Augmentation(
    colour=Colour(
        brightness=0.25, contrast=0.25, saturation=0.3, gamma=(0.75, 1.35), noise=0.02, second=0.02
    ),
    horizontal_flip=0.5,
    vertical_flip=0.1,
)  # fmt: skip

_JITTER: dict[str, Any] = {
    "brightness": 0.5, "contrast": 0.5, "saturation": 0.5, "hue": 0.5, "gamma": (0.7, 1.5)
}  # fmt: skip
_FLIPS: dict[str, Any] = {"horizontal_flip": 0.5, "vertical_flip": 0.5}
_SLIGHT = Affine(translation=(0.00375, 0.00375), zoom=(0.985, 1.015), rotation=1.0)
_SLIGHT_KITTI = Affine(translation=(0.0025, 0.0025), zoom=(0.99, 1.01), rotation=0.5)
_STEADY = Affine(translation=(0.02, 0.02), zoom=(0.98, 1.02), rotation=0.5)

# mmflow's for all its networks on FlyingChairs, FlyingThings3D and ChairsSDHom.
CHAIRS = Augmentation(
    colour=Colour(**_JITTER, noise=0.04),
    affine=Affine(
        translation=(0.05, 0.05), zoom=(1.0, 1.5), shear=(0.86, 1.16), rotation=10.0
    ),
    relative=_SLIGHT,
    **_FLIPS,
)  # fmt: skip

# mmflow's for fine-tuning LiteFlowNet on Sintel: without noise.
SINTEL = dataclasses.replace(CHAIRS, colour=Colour(**_JITTER))

# mmflow's for fine-tuning LiteFlowNet and LiteFlowNet2 on KITTI: colours and angles change little.
_KITTI_COLOUR = Colour(
    brightness=0.05, contrast=0.2, saturation=0.25, hue=0.1, gamma=(0.7, 1.5), noise=0.04
)
KITTI = Augmentation(
    colour=_KITTI_COLOUR,
    affine=_STEADY,
    relative=_SLIGHT_KITTI,
    **_FLIPS,
)  # fmt: skip

# mmflow's for LiteFlowNet2 on Sintel and KITTI together, one for each of the two.
MIX_SINTEL = dataclasses.replace(
    SINTEL,
    affine=Affine(translation=(0.05, 0.05), zoom=(1.0, 1.2), shear=(0.95, 1.1), rotation=5.0),
)
MIX_KITTI = dataclasses.replace(KITTI, colour=Colour(**_JITTER, noise=0.04))

# mmflow's for fine-tuning MaskFlowNet on Sintel (as MIX_SINTEL), KITTI 2015 and HD1K.
MASKFLOWNET_KITTI = dataclasses.replace(
    KITTI, colour=dataclasses.replace(_KITTI_COLOUR, noise=0.02)
)

# LightFlow-pytorch's: both images turned by up to 10 degrees, the second shifted by up to 10 pixels
# (of 512) and turned by up to 5 degrees more; colours unchanged.
LIGHTFLOW = Augmentation(
    affine=Affine(rotation=10.0),
    relative=Affine(translation=(10 / 512, 10 / 512), rotation=5.0),
    keep_inside=False,
    square=True,
    **_FLIPS,
)
