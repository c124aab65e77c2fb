"""KITTI 2012 and 2015."""

from typing import Any, Literal

from tfflow.data.datasets.base import FlowDataset, PairFiles
from tfflow.data.datasets.layout import FolderFiles, find_release, one_of
from tfflow.types import PathLike


class _Kitti(FlowDataset):
    """What both years share: frames NAME_10 and NAME_11, flow with and without occluded pixels.

    The folder of images may have more frames (the multi-view extension); only these two are used.
    """

    def __init__(
        self, root: PathLike, title: str, name: str, split: Literal["training", "test"], images: str
    ) -> None:
        one_of("split", split, ("training", "test"))
        part = "testing" if split == "test" else "training"
        needed = [f"{part}/{images}"] + (["training/flow_occ"] if split == "training" else [])
        folder = find_release(root, title, needed) / part
        frames = FolderFiles(folder / images, ".png")
        flows: Any = {}
        visible: Any = {}
        if split == "training":
            flows = FolderFiles(folder / "flow_occ", ".png")
        if flows and (folder / "flow_noc").is_dir():
            visible = FolderFiles(folder / "flow_noc", ".png")
        pairs = []
        for first in sorted({*flows, *(frame for frame in frames if frame.endswith("_10"))}):
            image = frames.need(first, f"the pair {first}")
            pairs.append(
                PairFiles(
                    first,
                    image,
                    frames.need(first.removesuffix("10") + "11", image),
                    flows.need(first, image) if split == "training" else None,
                    flow_noc=visible.need(first, image) if visible else None,
                )
            )
        if not pairs:
            raise FileNotFoundError(f"expected pairs *_10.png and *_11.png in {folder / images}")
        super().__init__(name if split == "training" else f"{name}-test", pairs)


class Kitti2012(_Kitti):
    """KITTI 2012: 194 pairs of about 1240x376 from a car, static scenes, truth at about half.

    Source: Geiger et al., Are We Ready for Autonomous Driving? The KITTI Vision Benchmark Suite,
    CVPR 2012; https://www.cvlibs.net/datasets/kitti/eval_stereo_flow.php?benchmark=flow

    The layout::

        data_stereo_flow/
            training/
                colored_0/000000_10.png, 000000_11.png ...
                image_0/000000_10.png, 000000_11.png ...    (the same in grey)
                flow_occ/000000_10.png ...
                flow_noc/000000_10.png ...                  (without occluded pixels; may be absent)
            testing/
                colored_0/..., image_0/...

    Args:
        root: the folder that has training/ and testing/, or its parent.
        split: "training" or "test" (195 pairs without flow).
        images: "colored_0" or "image_0", the grey ones that the flow was measured on.

    Raises:
        ValueError: an unknown split or folder of images.
        FileNotFoundError: `root` does not have this layout, or a file is missing.
    """

    def __init__(
        self,
        root: PathLike,
        split: Literal["training", "test"] = "training",
        images: Literal["colored_0", "image_0"] = "colored_0",
    ) -> None:
        one_of("images", images, ("colored_0", "image_0"))
        super().__init__(root, "KITTI 2012", "kitti2012", split, images)


class Kitti2015(_Kitti):
    """KITTI 2015: 200 pairs of about 1242x375 from a car, with other cars that move.

    Source: Menze and Geiger, Object Scene Flow for Autonomous Vehicles, CVPR 2015;
    https://www.cvlibs.net/datasets/kitti/eval_scene_flow.php?benchmark=flow

    The layout::

        data_scene_flow/
            training/
                image_2/000000_10.png, 000000_11.png ...
                flow_occ/000000_10.png ...
                flow_noc/000000_10.png ...          (without occluded pixels; may be absent)
            testing/
                image_2/...

    Args:
        root: the folder that has training/ and testing/, or its parent.
        split: "training" or "test" (200 pairs without flow).

    Raises:
        ValueError: an unknown split.
        FileNotFoundError: `root` does not have this layout, or a file is missing.
    """

    def __init__(self, root: PathLike, split: Literal["training", "test"] = "training") -> None:
        super().__init__(root, "KITTI 2015", "kitti2015", split, "image_2")
