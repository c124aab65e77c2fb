"""Clips with a box around every object, drawn or read from files.

A set of clips is a sequence of clips, a clip is a sequence of `VideoFrame`, and `classes` names the
classes. Nothing is read or drawn before it is asked for.

    clips = SyntheticClips(SceneConfig(height=192, width=256), count=100, frames=8)
    for image, boxes, classes, tracks in clips[0]: ...
"""

import colorsys
import dataclasses
import json
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfflow.data.files.formats import CorruptFileError, read_image

# ImageNet VID's classes: WordNet's number and the name, in the order of the challenge.
IMAGENET_VID_CLASSES = {
    "n02691156": "airplane",
    "n02419796": "antelope",
    "n02131653": "bear",
    "n02834778": "bicycle",
    "n01503061": "bird",
    "n02924116": "bus",
    "n02958343": "car",
    "n02402425": "cattle",
    "n02084071": "dog",
    "n02121808": "domestic cat",
    "n02503517": "elephant",
    "n02118333": "fox",
    "n02510455": "giant panda",
    "n02342885": "hamster",
    "n02374451": "horse",
    "n02129165": "lion",
    "n01674464": "lizard",
    "n02484322": "monkey",
    "n03790512": "motorcycle",
    "n02324045": "rabbit",
    "n02509815": "red panda",
    "n02411705": "sheep",
    "n01726692": "snake",
    "n02355227": "squirrel",
    "n02129604": "tiger",
    "n04468005": "train",
    "n01662784": "turtle",
    "n04530566": "watercraft",
    "n02062744": "whale",
    "n02391049": "zebra",
}


class VideoFrame(NamedTuple):
    """One frame of a clip and the objects in it.

    Attributes:
        image: (H, W, 3) uint8, RGB.
        boxes: (N, 4) float32, x1, y1, x2, y2 in pixels; edges, so that a box around the whole image
            is (0, 0, W, H).
        classes: (N,) int64, positions in the set's `classes`.
        tracks: (N,) int64, the same for one object in all frames of a clip.
    """

    image: np.ndarray
    boxes: np.ndarray
    classes: np.ndarray
    tracks: np.ndarray


class Clip(Sequence):
    """The frames of one video, each read when it is asked for.

    Args:
        name: what to call it.
        keys: one of anything for each frame.
        read: from a key to its `VideoFrame`.
    """

    def __init__(self, name, keys, read):
        self.name = name
        self._keys, self._read = tuple(keys), read

    def __len__(self):
        return len(self._keys)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return Clip(self.name, self._keys[index], self._read)
        return self._read(self._keys[index])


class SyntheticClips(Sequence):
    """Clips of synthetic scenes: objects that move, deform and hide each other.

    The boxes are exact: they hold the pixels of an object that are seen in the frame, no more and
    no less. An object's class is the kind of its outline (`tfflow.data.scenes.shapes`): blob,
    polygon, ellipse, box, bars, branch, furniture, cluster, lattice. The scenes are those of
    `sample_scene(config, seed, index)`. Needs OpenCV.

    Args:
        config: `SceneConfig`; its `scenes_per_pool` scenes share outlines and textures.
        seed: whole number from 0 up.
        count: how many clips.
        frames: how many frames each has.
        step: time between two of them, whole: 4 gives every fourth frame, moved four times as far.
        hues: whether each class has a hue of its own. Outlines alone are hard to tell from each
            other, and from the patterns of a background; a detector learns them together sooner.
        smallest: objects of which fewer pixels are seen are left out of a frame, from 1 up.

    Attributes:
        classes: the names of the classes.

    Raises:
        ValueError: a number that is out of its range.
    """

    def __init__(self, config, *, seed=0, count=1000, frames=8, step=1, hues=False, smallest=32):
        from tfflow.data.scenes.shapes import SHAPES  # needs OpenCV: only where it is drawn

        numbers = {"count": count, "frames": frames, "step": step, "smallest": smallest}
        for name, value in numbers.items():
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        self.config, self.seed, self.count = config, seed, count
        self.frames, self.step, self.smallest = frames, step, smallest
        self.hues = hues
        self.classes = tuple(kind.__name__ for kind in SHAPES)

    def describe(self):
        """A dict that JSON can hold, of all that these clips are drawn from."""
        names = ("seed", "count", "frames", "step", "hues", "smallest")
        return {"scenes": self.config.to_dict(), **{name: getattr(self, name) for name in names}}

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        from tfflow.data.scenes import render, sample_scene

        index = range(self.count)[index]  # negative ones, and IndexError beyond the last
        scene = sample_scene(self.config, self.seed, index)
        kinds = [-1] + [shape_class(self.seed, scene.pool, shape) for shape in scene.shape[1:]]
        if self.hues:
            scene = _in_hues(scene, kinds, len(self.classes))
        rendered = render(scene, self.frames, step=self.step)

        def read(time):
            seen = np.bincount(rendered.ids[time].ravel(), minlength=len(kinds))
            boxes = rendered.boxes(time)
            layers = [layer for layer in boxes if seen[layer] >= self.smallest]
            return _frame(
                rendered.images[time],
                [boxes[layer] for layer in layers],
                [kinds[layer] for layer in layers],
                layers,
            )

        return Clip(f"scene_{index:06d}", range(self.frames), read)


def _in_hues(scene, kinds, count):
    """The scene with its objects' textures as shades of their class's hue."""
    rng = np.random.default_rng([scene.seed, scene.index, 5])
    colour = scene.colour.copy()
    for layer, kind in enumerate(kinds):
        if kind < 0:
            continue
        hue, saturation = (kind + rng.uniform(-0.25, 0.25)) / count, rng.uniform(0.55, 0.95)
        shade = np.array(colorsys.hsv_to_rgb(hue % 1, saturation, 1.0))
        contrast, level = rng.uniform(0.5, 1.1), rng.uniform(100, 200)
        # Luminance around its mean, times the shade.
        colour[layer, :, :3] = contrast * shade[:, None] * np.array([0.299, 0.587, 0.114])
        colour[layer, :, 3] = shade * (level - contrast * 118)
    return dataclasses.replace(scene, colour=colour)


def shape_class(seed, pool, number):
    """The kind of an outline in a pool, as a position in `tfflow.data.scenes.shapes.SHAPES`.

    The outline itself does not say. It is the first thing that `make_shape` draws, with the random
    numbers that `make_pool` gives it.

    Args:
        seed: of the pool.
        pool: its number.
        number: of the outline in the pool.
    """
    from tfflow.data.scenes.shapes import SHAPES

    rng = np.random.default_rng([seed, pool, 3, number])
    return int(rng.choice(len(SHAPES), p=np.array(list(SHAPES.values()))))


class ImageNetVID(Sequence):
    """ImageNet VID, as it is unpacked: the clips of a split.

        root/Data/VID/val/ILSVRC2015_val_00000000/000000.JPEG
        root/Annotations/VID/val/ILSVRC2015_val_00000000/000000.xml

    The clips of "train" lie one folder deeper, in ILSVRC2015_VID_train_0000 and so on. Numbers of
    pixels are taken as edges, as they stand in the files, and cut at the image's.

    Args:
        root: the folder ILSVRC2015, or ILSVRC.
        split: "train" or "val"; "test" has no boxes.

    Attributes:
        classes: the names of the 30 classes.

    Raises:
        ValueError: another split.
        FileNotFoundError: there are no clips; the message says where they were looked for.
    """

    def __init__(self, root, split="val"):
        if split not in ("train", "val"):
            raise ValueError(f'split must be "train" or "val", got {split!r}')
        self.classes = tuple(IMAGENET_VID_CLASSES.values())
        self._positions = {code: i for i, code in enumerate(IMAGENET_VID_CLASSES)}
        self._images = Path(root) / "Data" / "VID" / split
        self._boxes = Path(root) / "Annotations" / "VID" / split
        for folder in (self._images, self._boxes):
            if not folder.is_dir():
                raise FileNotFoundError(
                    f"{root} holds no ImageNet VID: expected the folder {folder}; give the folder "
                    "that holds Data/ and Annotations/"
                )
        pattern = "*/*/" if split == "train" else "*/"
        self._folders = sorted(path for path in self._images.glob(pattern) if path.is_dir())
        if not self._folders:
            raise FileNotFoundError(f"expected clips as {self._images}/{pattern}, found none")

    def __len__(self):
        return len(self._folders)

    def __getitem__(self, index):
        folder = self._folders[index]
        name = folder.relative_to(self._images)
        keys = [name / path.stem for path in sorted(folder.glob("*.JPEG"))]
        return Clip(name.as_posix(), keys, self._read)

    def _read(self, key):
        image = read_image(self._images / f"{key}.JPEG")
        path = self._boxes / f"{key}.xml"
        objects = []
        try:
            for item in ElementTree.parse(path).getroot().iter("object"):
                box = [float(item.find(f"bndbox/{side}").text) for side in _VID_SIDES]
                kind = self._positions[item.find("name").text]
                objects.append((box, kind, int(item.find("trackid").text)))
        except (ElementTree.ParseError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise CorruptFileError(
                f"{path} is not as ImageNet VID writes its boxes: {error!r}"
            ) from error
        return _frame(image, *(zip(*objects) if objects else ([], [], [])))


_VID_SIDES = ("xmin", "ymin", "xmax", "ymax")


class CocoVideo(Sequence):
    """Clips whose boxes stand in one JSON file, COCO's with videos ("CocoVID").

    Beside COCO's own entries there are "videos" ({"id", "name"}); each image has "video_id" and
    "frame_id" (or "frame_index"), each annotation "instance_id" (or "track_id") and "bbox": left,
    top, width, height. Crowds ("iscrowd": 1) are left out.

    Args:
        annotations: the JSON file.
        images: the folder that "file_name" starts from.

    Attributes:
        classes: the names of the categories, in the order of their ids.

    Raises:
        CorruptFileError: the file is not such a one; the message says what is wrong.
        OSError: the file can't be opened.
    """

    def __init__(self, annotations, images):
        self._folder = Path(images)
        text = Path(annotations).read_text(encoding="utf-8")
        try:
            content = json.loads(text)
            categories = sorted(content["categories"], key=lambda one: one["id"])
            positions = {one["id"]: i for i, one in enumerate(categories)}
            self.classes = tuple(one["name"] for one in categories)
            self._names = {one["id"]: one["name"] for one in content["videos"]}
            frames = defaultdict(list)
            for one in content["images"]:
                time = _either(one, "frame_id", "frame_index")
                frames[one["video_id"]].append((time, one["id"], one["file_name"]))
            self._objects = defaultdict(list)
            for one in content["annotations"]:
                if not one.get("iscrowd"):
                    x, y, width, height = one["bbox"]
                    track = _either(one, "instance_id", "track_id")
                    found = ((x, y, x + width, y + height), positions[one["category_id"]], track)
                    self._objects[one["image_id"]].append(found)
            self._frames = {video: sorted(frames[video]) for video in self._names}
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptFileError(
                f"{annotations} is not COCO with videos ({error!r}); expected "
                '{"categories", "videos", "images" with "video_id" and "frame_id", "annotations" '
                'with "instance_id"}'
            ) from error
        self._videos = tuple(self._names)

    def __len__(self):
        return len(self._videos)

    def __getitem__(self, index):
        video = self._videos[index]
        return Clip(self._names[video], self._frames[video], self._read)

    def _read(self, key):
        _, number, file_name = key
        objects = self._objects.get(number)
        image = read_image(self._folder / file_name)
        return _frame(image, *(zip(*objects) if objects else ([], [], [])))


def _either(entry, *names):
    for name in names:
        if name in entry:
            return entry[name]
    raise KeyError(" or ".join(names))


def _frame(image, boxes, classes, tracks):
    height, width = image.shape[:2]
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    return VideoFrame(
        image,
        np.clip(boxes, 0, np.float32([width, height, width, height])),
        np.asarray(classes, np.int64).reshape(-1),
        np.asarray(tracks, np.int64).reshape(-1),
    )
