"""Finds the files of a data set, and says what is there if they are missing."""

import os
import re
from pathlib import Path

from tfflow.data.datasets.base import PairFiles
from tfflow.data.files.images import HIDDEN


class FolderFiles(dict):
    """The files of one extension in a folder, {name without it: path}, sorted by name.

    It lists the folder once and opens no files: data sets have tens of thousands.

    Args:
        folder: the folder.
        extension: such as ".png".

    Raises:
        FileNotFoundError: no such folder.
    """

    def __init__(self, folder, extension):
        self.folder, self.extension = Path(folder), extension
        if not self.folder.is_dir():
            raise FileNotFoundError(f"expected the folder {folder} with *{extension} files")
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
        super().__init__(
            (name.removesuffix(extension), self.folder / name)
            for name in names
            if name.endswith(extension) and not name.startswith(".")
        )

    def need(self, name, needed_by):
        """The path of a file that must be there.

        Raises:
            FileNotFoundError: it is missing; `needed_by` says why that matters.
        """
        if name not in self:
            missing = self.folder / f"{name}{self.extension}"
            raise FileNotFoundError(f"{needed_by} needs {missing}, which is missing")
        return self[name]


def find_release(root, what, needed):
    """The folder that has all folders in `needed`: `root` or a direct subfolder.

    Raises:
        FileNotFoundError: there is none; says what was looked for and what is there.
        ValueError: several folders in `root` have them.
    """
    root = check_folder(root, f"{what}, that is a folder with {', '.join(needed)},")
    has = {folder: _present(folder, needed) for folder in (root, *subfolders(root))}
    complete = [folder for folder, present in has.items() if len(present) == len(needed)]
    if root in complete:
        return root
    if len(complete) > 1:
        raise ValueError(
            f"expected one {what} at {root}, found {' and '.join(map(str, complete))}; name one"
        )
    if complete:
        return complete[0]
    nearest = max(has, key=lambda folder: len(has[folder]))
    if has[nearest]:
        missing = [folder for folder in needed if folder not in has[nearest]]
        raise FileNotFoundError(
            f"no complete {what} at {root}: {nearest} has {', '.join(has[nearest])}, but no "
            f"{', '.join(missing)}; there is {listing(nearest)}"
        )
    raise FileNotFoundError(
        f"no {what} at {root}: looked for {', '.join(needed)} there and in its folders; "
        f"there is {listing(root)}"
    )


def _present(folder, needed):
    # Not Path.is_dir, which raises in a folder that may not be read, such as a disk's lost+found.
    return [name for name in needed if os.path.isdir(folder / name)]


def subfolders(folder):
    """The folders in a folder, sorted by name, without those that systems hide."""
    with os.scandir(folder) as entries:
        names = sorted(e.name for e in entries if not e.name.startswith(HIDDEN) and e.is_dir())
    return [Path(folder) / name for name in names]


def one_of(argument, value, options):
    """`value`, if it is one of the options.

    Raises:
        ValueError: it is not.
    """
    if value not in options:
        *others, last = map(repr, options)
        raise ValueError(f"expected {argument} {', '.join(others)} or {last}, got {value!r}")
    return value


def one_or_both(argument, value, options):
    """The options that `value` stands for: itself, or all of them for "both"."""
    one_of(argument, value, (*options, "both"))
    return options if value == "both" else (value,)


def neighbour(name, step):
    """The name of the frame `step` later: neighbour("frame_0009", 1) is "frame_0010".

    Raises:
        ValueError: a name that doesn't end in a number.
    """
    head, number = re.fullmatch(r"(.*?)(\d*)", name).groups()
    if not number:
        raise ValueError(f"expected a frame whose name ends in its number, got {name!r}")
    return f"{head}{int(number) + step:0{len(number)}d}"


def named_pairs(folder, image_extensions, flow_extensions, *, flow_alone=True):
    """The pairs NAME_img1.*, NAME_img2.*, NAME_flow.* of a folder, sorted by NAME; [] if none.

    A flow alone may be what was predicted for other images; without `flow_alone` it is an error.
    """
    present = {}  # list the folder once: FlyingChairs has 68,616 files
    for entry in os.scandir(folder):
        stem, extension = os.path.splitext(entry.name)
        name, _, role = stem.rpartition("_")
        role = role.lower()  # as extensions
        allowed = {"img1": image_extensions, "img2": image_extensions, "flow": flow_extensions}
        if extension.lower() in allowed.get(role, ()) and not name.startswith("."):
            if role in present.setdefault(name, {}):
                raise ValueError(
                    f"{folder} has both {present[name][role].name} and {entry.name}; remove one"
                )
            present[name][role] = Path(entry.path)
    pairs = []
    # Numbers by value: with six digits, 100000 would come before 10001.
    for name in sorted(present, key=lambda name: (len(name) if name.isdecimal() else 0, name)):
        files = present[name]
        if "img1" in files or "img2" in files or not flow_alone:
            for role in ("img1", "img2"):
                if role not in files:
                    raise FileNotFoundError(f"the pair {name} in {folder} has no {name}_{role}.*")
            pairs.append(PairFiles(name, files["img1"], files["img2"], files.get("flow")))
    return pairs


def check_folder(root, what="a folder of images"):
    root = Path(root)
    if not root.is_dir():
        found = "a file, not a folder" if root.exists() else "no such folder"
        raise FileNotFoundError(f"expected {what} at {root}: {found}")
    return root


def listing(folder, limit=5):
    names = sorted(path.name for path in Path(folder).iterdir())
    if not names:
        return "nothing (the folder is empty)"
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
