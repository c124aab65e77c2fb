"""Middlebury."""

from typing import Literal

from tfflow.data.datasets.base import FlowDataset, PairFiles
from tfflow.data.datasets.layout import FolderFiles, find_release, one_of, subfolders
from tfflow.types import PathLike

_FRAMES = ("frame10", "frame11")


class Middlebury(FlowDataset):
    """Middlebury: 8 pairs of up to 640x480 with public ground truth, small motions.

    Source: Baker et al., A Database and Evaluation Methodology for Optical Flow, IJCV 2011;
    https://vision.middlebury.edu/flow/data

    The layout of the unpacked archives of two colour frames and of the flow::

        other-data/RubberWhale/frame10.png, frame11.png
        other-gt-flow/RubberWhale/flow10.flo
        eval-data/Army/frame10.png, frame11.png

    Scenes of other-data without a folder in other-gt-flow have no public flow and are left out.

    Args:
        root: the folder that has other-data/ and other-gt-flow/ (or eval-data/), or its parent.
        split: "training" or "test" (eval-data, without flow).

    Raises:
        ValueError: an unknown split.
        FileNotFoundError: `root` does not have this layout, or a file is missing.
    """

    def __init__(self, root: PathLike, split: Literal["training", "test"] = "training") -> None:
        if one_of("split", split, ("training", "test")) == "test":
            needed = ["eval-data"]
        else:
            needed = ["other-data", "other-gt-flow"]
        release = find_release(root, "Middlebury", needed)
        pairs = []
        for scene in subfolders(release / needed[-1]):
            frames = FolderFiles(release / needed[0] / scene.name, ".png")
            flow = None
            if split == "training":
                flow = FolderFiles(scene, ".flo").need("flow10", f"the scene {scene.name}")
            image1, image2 = (frames.need(name, f"the scene {scene.name}") for name in _FRAMES)
            pairs.append(PairFiles(f"{scene.name}/frame10", image1, image2, flow))
        if not pairs:
            raise FileNotFoundError(f"expected the folders of the scenes in {release / needed[-1]}")
        super().__init__("middlebury" if split == "training" else "middlebury-test", pairs)
