"""MPI-Sintel."""

from collections.abc import Collection
from typing import Literal

from tfflow.data.datasets.base import FlowDataset, PairFiles
from tfflow.data.datasets.layout import (
    FolderFiles,
    find_release,
    neighbour,
    one_of,
    one_or_both,
    subfolders,
)
from tfflow.suggestion import suggestion
from tfflow.types import PathLike

PASSES = ("clean", "final")

# The validation split of PWC-Net, MaskFlowNet and others after them.
VALIDATION_SCENES = ("ambush_2", "ambush_6", "bamboo_2", "cave_4", "market_6", "temple_2")


class Sintel(FlowDataset):
    """MPI-Sintel: 1,041 pairs of 1024x436 from an animated film, rendered clean and final.

    Source: Butler et al., A Naturalistic Open Source Movie for Optical Flow Evaluation, ECCV 2012;
    http://sintel.is.tue.mpg.de

    The layout::

        MPI-Sintel-complete/
            training/
                clean/alley_1/frame_0001.png ...
                final/alley_1/frame_0001.png ...
                flow/alley_1/frame_0001.flo ...         (none for a scene's last frame)
                occlusions/alley_1/frame_0001.png ...   (may be left out)
                invalid/alley_1/frame_0001.png ...      (may be left out)
            test/
                clean/..., final/...

    Pairs are named "alley_1/frame_0001"; with both passes "clean/alley_1/frame_0001".

    Args:
        root: the folder that has training/ and test/, or its parent.
        pass_name: "clean", "final" or "both" (all clean pairs, then all final ones).
        split: "training" (all 23 scenes), "val" (`VALIDATION_SCENES`), "train" (the other 17) or
            "test" (without flow).
        scenes: names of the scenes to take; None: all of the split.

    Raises:
        ValueError: an unknown pass, split or scene.
        FileNotFoundError: `root` does not have this layout, or a file is missing.
    """

    def __init__(
        self,
        root: PathLike,
        pass_name: Literal["clean", "final", "both"] = "clean",
        split: Literal["training", "val", "train", "test"] = "training",
        scenes: Collection[str] | None = None,
    ) -> None:
        passes = one_or_both("pass_name", pass_name, PASSES)
        one_of("split", split, ("training", "train", "val", "test"))
        part = "test" if split == "test" else "training"
        needed = [f"{part}/{name}" for name in passes]
        if part == "training":
            needed.append("training/flow")
        folder = find_release(root, "MPI-Sintel", needed) / part
        pairs = []
        for name in passes:
            # Of a scene whose frames are missing altogether, the flow is there.
            places = [folder / each for each in (name, "flow") if (folder / each).is_dir()]
            there = sorted({scene.name for place in places for scene in subfolders(place)})
            prefix = f"{name}/" if len(passes) > 1 else ""
            for scene in _chosen_scenes(there, split, scenes, folder / name):
                pairs += _scene_pairs(folder, name, scene, f"{prefix}{scene}/")
        if not pairs:
            raise FileNotFoundError(f"expected frame_0001.png ... in the scenes of {folder}")
        super().__init__(_name(passes, split), pairs)


def _name(passes, split):
    of_pass = f"-{passes[0]}" if len(passes) == 1 else ""
    return f"sintel{of_pass}" + (f"-{split}" if split != "training" else "")


def _chosen_scenes(there, split, scenes, folder):
    if split in ("train", "val"):
        there = [scene for scene in there if (scene in VALIDATION_SCENES) == (split == "val")]
    if not there:
        raise FileNotFoundError(f"expected the folders of the scenes in {folder}, found none")
    if scenes is None:
        return there
    scenes = list(scenes)
    for scene in scenes:
        if scene not in there:
            hint = suggestion(scene, there)
            raise ValueError(f"no scene {scene!r} in {folder} (split {split!r}). {hint}")
    return [scene for scene in there if scene in scenes]


def _scene_pairs(folder, pass_name, scene, prefix):
    images = FolderFiles(folder / pass_name / scene, ".png")
    names = list(images)[:-1]
    if folder.name == "test":
        return [
            PairFiles(prefix + name, images[name], images.need(neighbour(name, 1), images[name]))
            for name in names
        ]
    flows = FolderFiles(folder / "flow" / scene, ".flo")
    masks = {
        kind: FolderFiles(folder / kind / scene, ".png")
        for kind in ("occlusions", "invalid")
        if (folder / kind).is_dir()
    }
    pairs = []
    for name in sorted({*names, *flows}):  # a frame or its flow may be missing
        image = images.need(name, f"the pair {scene}/{name}")
        mask = {kind: files.need(name, image) for kind, files in masks.items()}
        pairs.append(
            PairFiles(
                prefix + name,
                image,
                images.need(neighbour(name, 1), image),
                flows.need(name, image),
                mask.get("occlusions"),
                mask.get("invalid"),
            )
        )
    return pairs
