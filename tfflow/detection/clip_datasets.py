"""Clips of ImageNet VID."""

import hashlib
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tfflow.data.files.errors import CorruptFileError
from tfflow.data.files.images import read_image
from tfflow.detection.clips import Clip, ClipSet, check_labelled_size, make_frame
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


class ImageNetVID(ClipSet):
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
        FileNotFoundError: there are no clips; the message says where they were looked for. A frame
            raises it too where its boxes are missing.
        CorruptFileError: when a frame is read: its boxes are not in this format, or its image has
            another size than they are for.
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
        # A folder without frames is left out.
        found = sorted(path for path in self._images.glob(pattern) if path.is_dir())
        self._folders = [folder for folder in found if any(folder.glob("*.JPEG"))]
        if not self._folders:
            raise FileNotFoundError(f"expected clips as {self._images}/{pattern}, found none")

    def __len__(self) -> int:
        return len(self._folders)

    def __repr__(self) -> str:
        return f"{len(self)} clips of {len(self.classes)} classes ({self._images})"

    def describe(self) -> dict[str, Any]:
        """A dict, for JSON, of what tells these clips from others: their split and their names."""
        names = "\n".join(folder.relative_to(self._images).as_posix() for folder in self._folders)
        names = hashlib.sha256(names.encode()).hexdigest()
        return {"source": "ImageNet VID", "split": self._images.name, "names": names}

    def _clip(self, index: int) -> Clip:
        folder = self._folders[index]
        name = folder.relative_to(self._images)
        keys = [name / path.stem for path in sorted(folder.glob("*.JPEG"))]
        return Clip(name.as_posix(), keys, self._read)

    def _read(self, key):
        picture, path = self._images / f"{key}.JPEG", self._boxes / f"{key}.xml"
        image = read_image(picture)
        if not path.is_file():
            raise FileNotFoundError(f"{picture} has no boxes: expected them in {path}")
        try:
            size, objects = _contents(ElementTree.parse(path).getroot(), self._positions)
        except (ElementTree.ParseError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise CorruptFileError(
                f"{path} is not as ImageNet VID writes its boxes: {error!r}"
            ) from error
        check_labelled_size(picture, image, path, size)
        return make_frame(image, *(zip(*objects) if objects else ([], [], [])))


_SIDES = ("xmin", "ymin", "xmax", "ymax")


def _contents(root, positions):
    """((height, width), [(box, class, track)])."""
    size = tuple(int(root.find(f"size/{side}").text) for side in ("height", "width"))
    objects = []
    for item in root.iter("object"):
        box = [float(item.find(f"bndbox/{side}").text) for side in _SIDES]
        if not np.isfinite(box).all():
            raise ValueError(f"a box of {box}")
        kind = positions[item.find("name").text]
        objects.append((box, kind, int(item.find("trackid").text)))
    return size, objects
