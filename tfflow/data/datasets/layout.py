"""Looking for the files of a data set, and saying what is there when they are not."""

import os
import re
from pathlib import Path

from tfflow.data.datasets.base import PairFiles


def named_pairs(folder, image_extensions, flow_extensions):
    """The pairs NAME_img1.*, NAME_img2.*, NAME_flow.* of a folder, sorted by NAME; [] if none."""
    present = {}  # one look at the folder: FlyingChairs has 68,616 files
    for entry in os.scandir(folder):
        stem, extension = os.path.splitext(entry.name)
        name, _, role = stem.rpartition("_")
        allowed = {"img1": image_extensions, "img2": image_extensions, "flow": flow_extensions}
        if extension.lower() in allowed.get(role, ()) and not name.startswith("."):
            if role in present.setdefault(name, {}):
                raise ValueError(
                    f"{folder} has both {present[name][role].name} and {entry.name}; remove one"
                )
            present[name][role] = Path(entry.path)
    pairs = []
    for name in sorted(present):
        files = present[name]
        if "img1" in files or "img2" in files:
            for role in ("img1", "img2"):
                if role not in files:
                    raise FileNotFoundError(f"the pair {name} in {folder} has no {name}_{role}.*")
            pairs.append(PairFiles(name, files["img1"], files["img2"], files.get("flow")))
    return pairs


def check_folder(root):
    root = Path(root)
    if not root.is_dir():
        what = "a file, not a folder" if root.exists() else "no such folder"
        raise FileNotFoundError(f"expected a folder of images at {root}: {what}")
    return root


def listing(folder, limit=5):
    names = sorted(path.name for path in Path(folder).iterdir())
    if not names:
        return "nothing (the folder is empty)"
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def natural_order(path):
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path.name)]
