"""FlyingThings3D, the whole release and the subset that FlowNet2 and others are trained on."""

import re
from pathlib import Path
from typing import Literal

from tfflow.data.datasets.base import FlowDataset, PairFiles
from tfflow.data.datasets.layout import (
    FolderFiles,
    find_release,
    listing,
    neighbour,
    one_of,
    one_or_both,
    subfolders,
)
from tfflow.data.files.errors import CorruptFileError
from tfflow.types import PathLike

_PASSES = ("clean", "final")
_CAMERAS = ("left", "right")
_STEPS = {"into_future": 1, "into_past": -1}  # direction: which frame the flow leads to

# Training pairs of the subset with NaN in their flow, as mmflow lists them in
# mmflow/datasets/flyingthings3d_subset.py.
# fmt: off
SUBSET_EXCLUDED = {
    ("left", "into_future"): (
        119, 879, 1717, 3147, 3149, 4117, 4118, 4154, 4304, 4573, 6336, 6337, 6922, 11530,
        14658, 15148, 15748, 16948, 17578,
    ),
    ("left", "into_past"): (
        53, 121, 161, 162, 163, 931, 4045, 4705, 4876, 5054, 5055, 6878,
    ),
    ("right", "into_future"): (
        3148, 3666, 4117, 6336,
    ),
    ("right", "into_past"): (
        53, 160, 161, 1549, 1648, 3147, 3148, 5034, 5054, 5055, 6878,
    ),
}
# fmt: on


class FlyingThings3D(FlowDataset):
    """FlyingThings3D: flying objects in short sequences of 960x540, 22,390 training frames.

    Source: Mayer et al., A Large Dataset to Train Convolutional Networks for Disparity, Optical
    Flow, and Scene Flow Estimation, CVPR 2016;
    https://lmb.informatik.uni-freiburg.de/resources/datasets/SceneFlowDatasets.en.html

    The layout::

        FlyingThings3D/
            frames_cleanpass/TRAIN/A/0000/left/0006.png ...     (or frames_cleanpass_webp, .webp)
            frames_finalpass/TRAIN/A/0000/left/0006.png ...
            optical_flow/TRAIN/A/0000/into_future/left/OpticalFlowIntoFuture_0006_L.pfm ...
            optical_flow/TRAIN/A/0000/into_past/left/OpticalFlowIntoPast_0006_L.pfm ...
            all_unused_files.txt                                (may be absent)

    with TEST beside TRAIN, B and C beside A, right (_R) beside left. The last frame of a sequence
    also has flow into the future, but no second image; likewise the first frame into the past.
    Pairs are named "A/0000/left/into_future/0006", with both passes "clean/A/...".

    Args:
        root: the folder that has optical_flow/, or its parent.
        pass_name: "clean", "final" or "both".
        split: "train" or "test"; both have flow.
        camera: "left", "right" or "both".
        direction: "into_future" (a frame and the next), "into_past" (and the one before) or "both".
        exclude: True: leave out the pairs with a frame in the authors' list of unused frames,
            all_unused_files.txt, if it lies in the folder or beside the frames; a path: the list
            to use; False: take all pairs.

    Raises:
        ValueError: an unknown pass, split, camera or direction.
        FileNotFoundError: `root` does not have this layout, or a file is missing.
        CorruptFileError: a line in the list of unused frames that is not like
            "TRAIN/A/0004/left/0006.png".
    """

    UNUSED_FILE = "all_unused_files.txt"

    def __init__(
        self,
        root: PathLike,
        pass_name: Literal["clean", "final", "both"] = "clean",
        split: Literal["train", "test"] = "train",
        camera: Literal["left", "right", "both"] = "left",
        direction: Literal["into_future", "into_past", "both"] = "into_future",
        exclude: bool | PathLike = True,
    ) -> None:
        passes, cameras, directions = _choices(pass_name, camera, direction)
        part = one_of("split", split, ("train", "test")).upper()
        release = find_release(root, "FlyingThings3D", [f"optical_flow/{part}"])
        flows = release / "optical_flow" / part
        pairs = []
        for name in passes:
            frames, extension = self._frames(release, name, part)
            unused = self._unused(release, frames, exclude)
            prefix = f"{name}/" if len(passes) > 1 else ""
            # Of one whose frames or flow are missing altogether, the other is there.
            for place in sorted(_sequences(frames / part) | _sequences(flows)):
                for eye in cameras:
                    images = FolderFiles(frames / part / place / eye, extension)
                    skip = unused.get(f"{part}/{place}/{eye}", ())
                    for way in directions:
                        pairs += _sequence_pairs(
                            images, flows / place / way / eye, f"{prefix}{place}", skip
                        )
        if not pairs:
            raise FileNotFoundError(f"expected sequences A/0000, A/0001, ... in {frames / part}")
        super().__init__(_name("things", passes, split, cameras, directions), pairs)

    @staticmethod
    def _frames(release, pass_name, part):
        folder = f"frames_{pass_name}pass"
        for name, extension in ((folder, ".png"), (f"{folder}_webp", ".webp")):
            if (release / name / part).is_dir():
                return release / name, extension
        raise FileNotFoundError(
            f"expected {folder}/{part} or {folder}_webp/{part} in {release}; there is "
            f"{listing(release)}"
        )

    @classmethod
    def _unused(cls, release, frames, exclude):
        """The frames not to use: {"TRAIN/A/0004/left": {"0006", ...}}."""
        if exclude is True:
            beside = (release / cls.UNUSED_FILE, frames / cls.UNUSED_FILE)
            exclude = next((path for path in beside if path.is_file()), False)
        if exclude is False:
            return {}
        unused = {}
        for number, line in enumerate(Path(exclude).read_text().splitlines(), start=1):
            frame = re.fullmatch(
                r"((?:TRAIN|TEST)/[ABC]/\d+/(?:left|right))/(\d+)\.\w+", line.strip()
            )
            if frame:
                unused.setdefault(frame[1], set()).add(frame[2])
            elif line.strip():
                raise CorruptFileError(
                    f"{exclude}, line {number}: expected a frame as TRAIN/A/0004/left/0006.png, "
                    f"got {line!r}"
                )
        return unused


class FlyingThings3DSubset(FlowDataset):
    """The subset of FlyingThings3D that FlowNet2 is trained on: 21,818 training frames.

    Frames that are too hard are left out, and there are masks of occluded pixels.

    Source: as `FlyingThings3D`, "DispNet/FlowNet2.0 dataset subsets" on its page; Ilg et al.,
    FlowNet 2.0: Evolution of Optical Flow Estimation with Deep Networks, CVPR 2017.

    The layout::

        FlyingThings3D_subset/
            train/
                image_clean/left/0000000.png ...
                image_final/left/0000000.png ...
                flow/left/into_future/0000000.flo ...
                flow/left/into_past/0000001.flo ...
                flow_occlusions/left/into_future/0000000.png ...    (may be left out)
            val/
                ...

    with right beside left. Frames are numbered through all sequences; a sequence ends where a flow
    file is missing, so the flow files define the pairs. Pairs are named
    "left/into_future/0000000", with both passes "clean/left/...".

    Args:
        root: the folder FlyingThings3D_subset or its parent.
        pass_name: "clean", "final" or "both".
        split: "train" or "val"; both have flow.
        camera: "left", "right" or "both".
        direction: "into_future" (a frame and the next), "into_past" (and the one before) or "both".
        exclude: leave out the training pairs of `SUBSET_EXCLUDED`, whose flow has NaN.

    Raises:
        ValueError: an unknown pass, split, camera or direction.
        FileNotFoundError: `root` does not have this layout, or a file is missing.
    """

    def __init__(
        self,
        root: PathLike,
        pass_name: Literal["clean", "final", "both"] = "clean",
        split: Literal["train", "val"] = "train",
        camera: Literal["left", "right", "both"] = "left",
        direction: Literal["into_future", "into_past", "both"] = "into_future",
        exclude: bool = True,
    ) -> None:
        passes, cameras, directions = _choices(pass_name, camera, direction)
        one_of("split", split, ("train", "val"))
        needed = [f"{split}/image_{name}" for name in passes] + [f"{split}/flow"]
        folder = find_release(root, "FlyingThings3D subset", needed) / split
        pairs = []
        for name in passes:
            prefix = f"{name}/" if len(passes) > 1 else ""
            for eye in cameras:
                images = FolderFiles(folder / f"image_{name}" / eye, ".png")
                for way in directions:
                    excluded = SUBSET_EXCLUDED[eye, way] if exclude and split == "train" else ()
                    place = f"{eye}/{way}"
                    pairs += self._pairs(folder, images, place, f"{prefix}{place}/", excluded)
        if not pairs:
            raise FileNotFoundError(f"expected flow left/into_future/*.flo in {folder / 'flow'}")
        super().__init__(_name("things-subset", passes, split, cameras, directions), pairs)

    @staticmethod
    def _pairs(folder, images, place, prefix, excluded):
        flows = FolderFiles(folder / "flow" / place, ".flo")
        occlusions = {}
        if (folder / "flow_occlusions" / place).is_dir():
            occlusions = FolderFiles(folder / "flow_occlusions" / place, ".png")
        step = _STEPS[flows.folder.name]
        return [
            PairFiles(
                prefix + number,
                images.need(number, flow),
                images.need(neighbour(number, step), flow),
                flow,
                occlusions.get(number),
            )
            for number, flow in flows.items()
            if int(number) not in excluded
        ]


def _choices(pass_name, camera, direction):
    return (
        one_or_both("pass_name", pass_name, _PASSES),
        one_or_both("camera", camera, _CAMERAS),
        one_or_both("direction", direction, tuple(_STEPS)),
    )


def _name(kind, passes, split, cameras, directions):
    """The name in tables; it lists what differs from clean, left, into_future and train."""
    parts = [kind]
    for chosen, usual in ((passes, "clean"), (cameras, "left"), (directions, "into_future")):
        if chosen != (usual,):
            parts.append("+".join(chosen))
    if split != "train":
        parts.append(split)
    return "-".join(parts)


def _sequences(folder):
    """The sequences of a folder, as "A/0000"."""
    return {
        f"{letter.name}/{sequence.name}"
        for letter in subfolders(folder)
        for sequence in subfolders(letter)
    }


def _sequence_pairs(images, folder, place, skip):
    """The pairs of one sequence, camera and direction; `folder` has its flow."""
    eye, way = folder.name, folder.parent.name
    flows = FolderFiles(folder, ".pfm")
    kind = "IntoFuture" if way == "into_future" else "IntoPast"
    ending = f"_{eye[0].upper()}"
    of_flow = {name.removesuffix(ending).rpartition("_")[2] for name in flows}
    first_to_last = sorted({*images, *of_flow})  # a frame or its flow may be missing
    numbers = first_to_last[:-1] if _STEPS[way] > 0 else first_to_last[1:]
    pairs = []
    for number in numbers:
        second = neighbour(number, _STEPS[way])
        if number in skip or second in skip:
            continue
        image = images.need(number, f"the pair {place}/{eye}/{way}/{number}")
        pairs.append(
            PairFiles(
                f"{place}/{eye}/{way}/{number}",
                image,
                images.need(second, image),
                flows.need(f"OpticalFlow{kind}_{number}{ending}", image),
            )
        )
    return pairs
