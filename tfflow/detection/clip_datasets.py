"""Clips of published data sets, and of any in COCO's format."""

import json
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tfflow.data.files.errors import CorruptFileError
from tfflow.data.files.images import read_image
from tfflow.detection.clips import Clip, make_frame
from tfflow.types import PathLike

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


class ImageNetVID(Sequence[Clip]):
    """ImageNet VID as unpacked: the clips of one split::

        root/Data/VID/val/ILSVRC2015_val_00000000/000000.JPEG
        root/Annotations/VID/val/ILSVRC2015_val_00000000/000000.xml

    The clips of "train" lie one folder deeper, in ILSVRC2015_VID_train_0000 and so on. The pixel
    numbers in the files are taken as edges and clipped to the image.

    Args:
        root: the folder ILSVRC2015, or ILSVRC.
        split: "train" or "val"; "test" has no boxes.

    Attributes:
        classes: the names of the 30 classes.

    Raises:
        ValueError: another split.
        FileNotFoundError: there are no clips; the message says where they were looked for.
    """

    def __init__(self, root: PathLike, split: Literal["train", "val"] = "val") -> None:
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

    def __len__(self) -> int:
        return len(self._folders)

    def __getitem__(self, index: int) -> Clip:  # type: ignore[override]  # no slices
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
        return make_frame(image, *(zip(*objects) if objects else ([], [], [])))


_VID_SIDES = ("xmin", "ymin", "xmax", "ymax")


class CocoVideo(Sequence[Clip]):
    """Clips whose boxes are in one JSON file, COCO's format with videos ("CocoVID").

    Besides COCO's own entries there are "videos" ({"id", "name"}); each image has "video_id" and
    "frame_id" (or "frame_index"), each annotation "instance_id" (or "track_id") and "bbox": left,
    top, width, height. Crowds ("iscrowd": 1) are left out.

    Args:
        annotations: the JSON file.
        images: the folder that "file_name" starts from.

    Attributes:
        classes: the names of the categories, in the order of their ids.

    Raises:
        CorruptFileError: the file is not in this format; the message says what is wrong.
        OSError: the file can't be opened.
    """

    def __init__(self, annotations: PathLike, images: PathLike) -> None:
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

    def __len__(self) -> int:
        return len(self._videos)

    def __getitem__(self, index: int) -> Clip:  # type: ignore[override]  # no slices
        video = self._videos[index]
        return Clip(self._names[video], self._frames[video], self._read)

    def _read(self, key):
        _, number, file_name = key
        objects = self._objects.get(number)
        image = read_image(self._folder / file_name)
        return make_frame(image, *(zip(*objects) if objects else ([], [], [])))


def _either(entry, *names):
    for name in names:
        if name in entry:
            return entry[name]
    raise KeyError(" or ".join(names))
