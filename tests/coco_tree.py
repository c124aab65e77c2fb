"""A small set in COCO 2017's own layout: every field and oddity of the published files."""

import json

import numpy as np
from PIL import Image

CATEGORIES = {1: "person", 3: "car", 90: "toothbrush"}  # ids with gaps, as COCO's
_COLOURS = {1: (220, 40, 40), 3: (40, 200, 60), 90: (50, 70, 230)}


def write_coco_tree(root, train=6, val=2, size=(96, 128)):
    """Writes ``annotations/instances_train2017.json``, ``train2017/…jpg`` and the same for val.

    Coloured boxes on a grey pattern. The first image has no object, and stands for those that COCO
    has without annotations; the second is grey; the third has a crowd and a box without area.
    """
    for split, count in (("train", train), ("val", val)):
        rng = np.random.default_rng(count)
        images, annotations = [], []
        (root / f"{split}2017").mkdir(parents=True)
        for number in range(count):
            entry = {
                "license": 1,
                "file_name": f"{9 + 16 * number:012}.jpg",
                "coco_url": "http://images.cocodataset.org/",
                "height": size[0],
                "width": size[1],
                "date_captured": "2013-11-14 17:02:52",
                "flickr_url": "http://farm4.staticflickr.com/",
                "id": 9 + 16 * number,
            }
            images.append(entry)
            image, boxes = _draw(rng, size, 0 if number == 0 else int(rng.integers(1, 4)))
            annotations += [_annotation(entry, kind, box) for kind, box in boxes]
            picture = Image.fromarray(image)
            if number == 1:
                picture = picture.convert("L")
            if number == 2:
                crowd = _annotation(entry, 1, (0, 0, size[1], size[0]))
                crowd |= {"iscrowd": 1, "segmentation": {"counts": [0, 9], "size": list(size)}}
                annotations += [crowd, _annotation(entry, 3, (10.5, 20, 0, 14.25))]
            picture.save(root / f"{split}2017" / entry["file_name"], quality=95)
        for number, each in enumerate(annotations):
            each["id"] = 1768 + number
        content = {
            "info": {"description": "COCO 2017 Dataset", "version": "1.0", "year": 2017},
            "licenses": [{"id": 1, "name": "CC", "url": "http://creativecommons.org/"}],
            "images": images,
            "annotations": annotations,
            "categories": [
                {"supercategory": "thing", "id": number, "name": name}
                for number, name in CATEGORIES.items()
            ],
        }
        (root / "annotations").mkdir(exist_ok=True)
        path = root / "annotations" / f"instances_{split}2017.json"
        path.write_text(json.dumps(content))
    return root


def _draw(rng, size, count):
    """(image, [(category id, (left, top, width, height))])."""
    y, x = np.mgrid[: size[0], : size[1]]
    grey = 120 + 50 * np.sin(x / rng.uniform(4, 12) + y / rng.uniform(4, 12))
    image = np.repeat(grey[..., None], 3, axis=2)
    boxes = []
    for _ in range(count):
        kind = int(rng.choice(list(CATEGORIES)))
        height, width = (int(rng.uniform(0.25, 0.5) * side) for side in size)
        left = int(rng.integers(size[1] - width))
        top = int(rng.integers(size[0] - height))
        part = image[top : top + height, left : left + width]
        part[:] = 0.3 * part + 0.7 * np.array(_COLOURS[kind])
        boxes.append((kind, (left, top, width, height)))
    return image.astype(np.uint8), boxes


def _annotation(image, kind, box):
    left, top, width, height = box
    corners = [left, top, left + width, top, left + width, top + height, left, top + height]
    return {
        "segmentation": [corners],
        "area": float(width * height),
        "iscrowd": 0,
        "image_id": image["id"],
        "bbox": list(box),
        "category_id": kind,
    }
