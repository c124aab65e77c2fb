"""Everything about synthetic scenes that can be adjusted."""

import os
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from tfflow.checks import OPENCVS_LONGEST, whole_number
from tfflow.types import PathLike

# The files that say what a folder of scenes holds, by its layout.
DESCRIPTIONS = {"shards": "scenes.json", "chairs": "FlyingChairs_scenes.json"}
_PROBABILITIES = (
    "parallax",
    "fine_surfaces",
    "photograph_share",
    "still_camera",
    "fast_background",
    "attached_object",
    "fast_object",
    "non_rigid",
    "light",
    "drop_shadow",
    "blur",
    "motion_blur",
    "jpeg",
)


@dataclass(frozen=True)
class SceneConfig:
    """What scenes are like.

    Motions are pixels per frame step, meant for frames of 512x384, and do not change with the
    frame's size: `motion_scale` multiplies all of them, rotation, zoom and deformation included.
    The defaults follow FlyingChairs. Length of the flow in pixels over all pixels, measured on nine
    real pairs (two fast backgrounds make up the upper half) and on 500 scenes of 384x512::

                     mean   25 %   50 %   75 %   90 %   99 %    mean of a pair
        FlyingChairs 10.5    1.5    4.7     24     27     71    3 to 31
        scenes       11.5    2.1    5.0     16     32     76    0.7 to 43, half over 7

    Colours, textures and outlines come from a pool, see `Pool`.

    Attributes:
        height, width: size of a frame in pixels.
        objects: smallest and largest number of objects in front of the background.
        object_size: smallest and largest size of an object, as a fraction of sqrt(height * width);
            log-uniform between them.
        motion_scale: factor on all motion; 0 gives a still world.
        parallax: probability of a world with depth that the camera travels through, mostly ahead:
            near things move more than far ones, and away from one point. Half of them also move by
            themselves. 0 leaves scenes as they were before this was added.
        travel: typical growth per step of the nearest things that the camera travels towards.
        still_camera: probability that the background does not move at all.
        background_speed: mean of the slow (exponential) and maximum of the fast (uniform)
            translations of the background, in pixels.
        fast_background: probability of a fast background.
        background_rotation, background_zoom: typical rotation (degrees) and relative zoom of the
            background per step (scale of a Laplace distribution).
        attached_object: probability that an object stands still on the background.
        object_speed: mean of the slow and maximum of the fast translations relative to the
            background.
        fast_object: probability of a fast object.
        object_rotation, object_zoom: as for the background, relative to it.
        shear: typical shear per step.
        acceleration: typical change of a motion per step, relative to the motion itself.
        non_rigid: probability that a layer deforms.
        deformation: largest amplitude of a deformation in pixels.
        brightness: typical log change of brightness between two frames, overall and per layer.
        colour: typical log change of one colour channel's gain between two frames.
        light: probability of a soft light or shadow edge that moves over the scene.
        drop_shadow: probability that an object casts a soft shadow.
        noise: largest standard deviation of the sensor noise, in grey levels of 255.
        blur: probability of a blurred background, and, independently, of a blurred picture.
        blur_sigma: largest standard deviation of these blurs, in pixels.
        motion_blur: probability that the shutter stays open for a part of the step.
        jpeg: probability of JPEG artefacts.
        textures, texture_size: number of textures in the pool, and their side in pixels.
        fine_surfaces: probability that a texture is without large light and dark patches, as cloth,
            asphalt and plaster are: only its detail tells how it moves. 0 leaves scenes as they
            were before this was added.
        photographs: a folder of images, at any depth, from which textures are cut; their shorter
            side must be at least half of `texture_size`, others are passed over. Empty: all
            textures are drawn. The same scenes need the same images under the same names.
        photograph_share: probability that a texture is cut from one of them.
        shapes, shape_size: number of shapes in the pool, and their side in pixels.
        scenes_per_pool: number of scenes after which a new pool is made.

    Raises:
        ValueError: a value is out of its range; the message says which.
    """

    height: int = 384
    width: int = 512
    objects: tuple[int, int] = (5, 16)
    object_size: tuple[float, float] = (0.14, 0.9)
    motion_scale: float = 1.0
    parallax: float = 0.0
    travel: float = 0.12
    still_camera: float = 0.06
    background_speed: tuple[float, float] = (2.0, 40.0)
    fast_background: float = 0.33
    background_rotation: float = 0.35
    background_zoom: float = 0.006
    attached_object: float = 0.15
    object_speed: tuple[float, float] = (6.0, 100.0)
    fast_object: float = 0.2
    object_rotation: float = 4.0
    object_zoom: float = 0.04
    shear: float = 0.012
    acceleration: float = 0.1
    non_rigid: float = 0.25
    deformation: float = 6.0
    brightness: float = 0.05
    colour: float = 0.02
    light: float = 0.25
    drop_shadow: float = 0.25
    noise: float = 5.0
    blur: float = 0.2
    blur_sigma: float = 1.5
    motion_blur: float = 0.08
    jpeg: float = 0.1
    textures: int = 96
    texture_size: int = 768
    fine_surfaces: float = 0.0
    photographs: PathLike = ""
    photograph_share: float = 0.7
    shapes: int = 192
    shape_size: int = 192
    scenes_per_pool: int = 2000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            self._check(field, value)
            # NumPy's numbers too, which JSON could not hold.
            if field.type is PathLike:
                value = os.path.abspath(os.path.expanduser(value)) if value else ""
            elif field.type in (int, float):
                value = field.type(value)
            else:
                value = tuple(each.item() if hasattr(each, "item") else each for each in value)
            object.__setattr__(self, field.name, value)
        if min(self.height, self.width) < 32:
            raise ValueError(f"a frame must be at least 32x32, got {self.height}x{self.width}")
        if max(self.height, self.width) > OPENCVS_LONGEST:
            raise ValueError(
                f"OpenCV draws frames of at most {OPENCVS_LONGEST} px a side, got "
                f"{self.height}x{self.width}"
            )
        for name in ("texture_size", "shape_size"):
            whole_number(f"SceneConfig.{name}", getattr(self, name), 16)
        if self.objects[1] > 254:
            raise ValueError(f"a scene holds at most 254 objects, got objects={self.objects}")

    @staticmethod
    def _check(field, value):
        if field.type is int:
            whole_number(f"SceneConfig.{field.name}", value)
            return
        if field.type is PathLike:
            if not isinstance(value, str | os.PathLike):
                raise TypeError(f"SceneConfig.{field.name} must be a path, got {value!r}")
            return
        numbers = np.atleast_1d(np.asarray(value))
        if field.type is float and field.name in _PROBABILITIES:
            good, wanted = numbers.shape == (1,) and 0 <= value <= 1, "a probability from 0 to 1"
        elif field.type is float:
            good = numbers.shape == (1,) and 0 <= value < np.inf
            wanted = "a number from 0 up"
        else:
            good = numbers.shape == (2,) and 0 <= value[0] <= value[1] < np.inf
            wanted = "two numbers from 0 up, the smaller one first"
        if not good:
            raise ValueError(f"SceneConfig.{field.name} must be {wanted}, got {value!r}")

    def to_dict(self) -> dict[str, Any]:
        """The configuration as a dict that JSON can hold; `SceneConfig(**d)` is its inverse."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
