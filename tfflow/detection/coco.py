"""Boxes in COCO's format: of videos, and of images alone."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfflow.checksum import sha256_of
from tfflow.data.files.errors import CorruptFileError
from tfflow.data.files.images import read_image
from tfflow.detection.clips import Clip, ClipSet, check_labelled_size, make_frame
from tfflow.types import PathLike

# Where a folder may have the boxes of a split, and then its images: COCO's own layout, what is
# near to it, and Roboflow's. "{list}" is the file's name behind "instances_".
_LISTS = (
    "annotations/instances_{split}*.json",
    "annotations/{split}*.json",
    "{split}.json",
    "{split}/_annotations.coco.json",
)
_IMAGES = ("{list}", "images/{list}", "{split}", "images/{split}", "images", ".")
_SPLITS = {"train": ("train",), "val": ("val", "valid")}


class CocoClips(ClipSet):
    """Clips whose boxes are in one JSON file in COCO's format, with or without videos.

    With videos ("CocoVID"), there are "videos" ({"id", "name"}) besides COCO's own entries; each
    image has "video_id" and "frame_id" (or "frame_index"), each annotation "instance_id" (or
    "track_id"), a number or text; frames' `tracks` are numbers in the order of the annotations.
    Without videos, as in COCO 2017, each image is a clip of one frame.

    Crowds ("iscrowd": 1), boxes without area and videos without images are left out. Category ids
    may have gaps, and instance ids may begin anew in each category. Annotations of images, and
    images of videos, that are not listed are left out, unless all are.

    Args:
        annotations: the JSON file.
        images: the folder that "file_name" starts from; of several, the first that holds the
            first image.

    Attributes:
        classes: the names of the categories, in the order of their ids. Of categories of one name
            (Roboflow's first may be the project's), the later ones have the id added, "dog (2)".
        stills: whether there are no videos.

    Raises:
        CorruptFileError: the file is not in this format; the message says what is wrong. A frame
            raises it too where the image has another size than the file says.
        FileNotFoundError: images are missing; the message says how many.
        OSError: the file can't be opened.
    """

    def __init__(self, annotations: PathLike, images: PathLike | Sequence[PathLike]) -> None:
        self.annotations = Path(annotations)
        text = self.annotations.read_text(encoding="utf-8")
        try:
            content = json.loads(text)
            categories = sorted(content["categories"], key=lambda one: one["id"])
            self.classes = _names(categories)
            self.stills = not content.get("videos")  # some tools write an empty list
            _check_ids(content, self.stills)
            self._objects = _objects(content, categories, self.stills)
            self._clips = _stills(content) if self.stills else _videos(content)
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise CorruptFileError(
                f"{annotations} is not COCO ({error!r}); expected "
                '{"categories" and "images" with "id", "annotations" with "image_id", '
                '"category_id" and "bbox"}; with "videos", also "video_id" and "frame_id" in each '
                'of "images", "instance_id" in each of "annotations"'
            ) from error
        one_folder = isinstance(images, (str, Path)) or not isinstance(images, Sequence)
        self.images = self._folder_of_images([images] if one_folder else images)

    def __len__(self) -> int:
        return len(self._clips)

    def describe(self) -> dict[str, Any]:
        """A dict, for JSON, of what tells these clips from others: the checksum of their list."""
        return {"source": "COCO", "list": sha256_of(self.annotations)}

    def _clip(self, index: int) -> Clip:
        name, keys = self._clips[index]
        return Clip(name, keys, self._read)

    def __repr__(self) -> str:
        of_what = "images" if self.stills else "clips"
        boxes = sum(len(self._objects.get(key[0], ())) for _, keys in self._clips for key in keys)
        return (
            f"{len(self)} {of_what} with {boxes} boxes of {len(self.classes)} classes "
            f"({self.annotations}, images in {self.images})"
        )

    def _folder_of_images(self, folders):
        names = [name for _, frames in self._clips for _, name, _ in frames]
        least, where = names, folders[0]
        for folder in map(Path, folders):
            missing = [name for name in names if not (folder / name).is_file()]
            if not missing:
                return folder
            if len(missing) < len(least):
                least, where = missing, folder
        raise FileNotFoundError(
            f"{len(least)} of the {len(names)} images that {self.annotations} lists are not in "
            f"{where if len(least) < len(names) else ' or '.join(map(str, folders))}, the first: "
            f"{least[0]}. Add them, or take them out of the list."
        )

    def _read(self, key):
        number, file_name, size = key
        image = read_image(self.images / file_name)
        check_labelled_size(self.images / file_name, image, self.annotations, size)
        objects = self._objects.get(number)
        return make_frame(image, *(zip(*objects) if objects else ([], [], [])))


def open_coco(folder: PathLike) -> tuple[CocoClips, CocoClips]:
    """The training and the validation set of a folder in COCO's layout::

        folder/annotations/instances_train2017.json, instances_val2017.json
        folder/train2017/000000000009.jpg, folder/val2017/...

    Also found: other years or none, ``annotations/train.json``, ``train.json``; images in
    ``images/train2017``, ``train``, ``images/train`` or ``images``; and Roboflow's
    ``train/_annotations.coco.json`` and ``valid/_annotations.coco.json``, beside their images.

    Returns:
        (training set, validation set), with the same classes.

    Raises:
        FileNotFoundError: There is no such file, or images are missing.
        ValueError: There are several such files, or the two have other classes.
        CorruptFileError: A file is not in COCO's format.
    """
    folder = Path(folder)
    train, val = (_open_split(folder, names) for names in _SPLITS.values())
    if train.classes != val.classes:
        differ = sorted({*train.classes} ^ {*val.classes}) or "their order"
        raise ValueError(
            f"{train.annotations} and {val.annotations} must have the same categories; "
            f"different: {differ}"
        )
    return train, val


def _open_split(folder, splits):
    patterns = [(split, each.format(split=split)) for split in splits for each in _LISTS]
    for split, pattern in patterns:
        found = sorted(folder.glob(pattern))
        if len(found) > 1:
            raise ValueError(
                f"{folder} has several files {pattern}: {', '.join(each.name for each in found)}. "
                "Leave one there."
            )
        if found:
            name = found[0].stem.removeprefix("instances_")
            places = [each.format(list=name, split=split) for each in _IMAGES]
            return CocoClips(found[0], [folder / place for place in dict.fromkeys(places)])
    there = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else None
    raise FileNotFoundError(
        f"{folder} has no boxes in COCO's format for {splits[0]}: looked for "
        f"{', '.join(pattern for _, pattern in patterns)}; "
        + (f"there is {', '.join(there[:20]) or 'nothing'}" if there is not None else "no folder")
    )


def _names(categories):
    """The categories' names, each once."""
    names = []
    for one in categories:
        name = str(one["name"])
        names.append(f"{name} ({one['id']})" if name in names else name)
    return tuple(names)


def _check_ids(content, stills):
    """Raises ValueError if an id stands twice, or all that is listed belongs to nothing listed."""
    for kind in ("categories", "images", *(() if stills else ("videos",))):
        counts = Counter(one["id"] for one in content[kind])
        twice = [number for number, count in counts.items() if count > 1]
        if twice:
            raise ValueError(f"{len(twice)} ids stand twice in {kind}, the first: {twice[0]!r}")
    _check_some_belong(content, "annotations", "image_id", "images")
    if not stills:
        _check_some_belong(content, "images", "video_id", "videos")


def _check_some_belong(content, parts, name, wholes):
    listed, named = {one["id"] for one in content[wholes]}, [one[name] for one in content[parts]]
    if named and listed and listed.isdisjoint(named):
        raise ValueError(
            f"all {len(named)} {parts} are of {wholes} that are not listed, the first: "
            f"{named[0]!r}; the {wholes}' ids are like {content[wholes][0]['id']!r}"
        )


def _objects(content, categories, stills):
    """Image id -> [(box, class, track)], of the boxes that are seen."""
    positions = {one["id"]: place for place, one in enumerate(categories)}
    sizes = {one["id"]: _key(one)[2] for one in content["images"]}
    objects = defaultdict(list)
    tracks = {}  # ids may be text
    for number, one in enumerate(content["annotations"]):
        # Without a box: a mask or key points alone.
        if not int(one.get("iscrowd") or 0) and one["bbox"]:
            x, y, width, height = map(float, one["bbox"])
            if not np.isfinite([x, y, width, height]).all():
                raise ValueError(
                    f"an annotation of image {one['image_id']!r} has a bbox of {one['bbox']}"
                )
            kind = positions[one["category_id"]]
            name = number if stills else (kind, _either(one, "instance_id", "track_id"))
            track = tracks.setdefault(name, len(tracks))
            box = (x, y, x + width, y + height)
            if _is_seen(box, sizes.get(one["image_id"], (None, None))):
                objects[one["image_id"]].append((box, kind, track))
    return dict(objects)


def _is_seen(box, size):
    """Whether a box has area within an image of (height, width), where that is known."""
    left, top, right, bottom = box
    height, width = (math.inf if side is None else side for side in size)
    return max(left, 0) < min(right, width) and max(top, 0) < min(bottom, height)


def _stills(content):
    """[(name, [key of its only frame])]."""
    return [(str(one["file_name"]), [_key(one)]) for one in content["images"]]


def _videos(content):
    """[(name, keys of its frames, in order of time)], of those with frames."""
    frames = defaultdict(dict)
    for one in content["images"]:
        time = float(_either(one, "frame_id", "frame_index"))  # as text, 10 would be before 9
        if frames[one["video_id"]].setdefault(time, _key(one)) != _key(one):
            raise ValueError(f"two images of video {one['video_id']!r} are its frame {time:g}")
    return [
        (one["name"], [key for _, key in sorted(frames[one["id"]].items())])
        for one in content["videos"]
        if frames[one["id"]]
    ]


def _key(image: dict[str, Any]) -> tuple[Any, str, tuple[int | None, ...]]:
    size = (image.get("height"), image.get("width"))  # some tools write them as text
    size_in_pixels = tuple(None if side is None else int(side) for side in size)
    return image["id"], str(image["file_name"]), size_in_pixels


def _either(entry, *names):
    for name in names:
        if entry.get(name) is not None:
            return entry[name]
    raise KeyError(" or ".join(names))
