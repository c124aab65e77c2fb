"""HD1K."""

from itertools import groupby
from typing import Literal

from tfflow.data.datasets.base import FlowDataset, PairFiles
from tfflow.data.datasets.layout import FolderFiles, find_release, neighbour, one_of
from tfflow.types import PathLike


class HD1K(FlowDataset):
    """HD1K: street scenes of 2560x1080 from a standing or driving car, truth where reliable.

    Source: Kondermann et al., The HCI Benchmark Suite: Stereo and Flow Ground Truth with
    Uncertainties for Urban Autonomous Driving, CVPR Workshops 2016;
    http://hci-benchmark.iwr.uni-heidelberg.de

    The layout, SEQUENCE_FRAME::

        hd1k_full_package/
            hd1k_input/image_2/000000_0010.png, 000000_0011.png ...
            hd1k_flow_gt/flow_occ/000000_0010.png ...
            hd1k_challenge/image_2/000000_10.png, 000000_11.png ...

    A pair is a frame and the next one of its sequence. The last frame of a sequence also has
    flow, but no second image.

    Args:
        root: the folder that has hd1k_input/ and hd1k_flow_gt/, or its parent.
        split: "training" or "test" (hd1k_challenge, without flow).

    Raises:
        ValueError: an unknown split.
        FileNotFoundError: `root` does not have this layout, or a file is missing.
    """

    def __init__(self, root: PathLike, split: Literal["training", "test"] = "training") -> None:
        if one_of("split", split, ("training", "test")) == "test":
            needed = ["hd1k_challenge/image_2"]
        else:
            needed = ["hd1k_input/image_2", "hd1k_flow_gt/flow_occ"]
        release = find_release(root, "HD1K", needed)
        images = FolderFiles(release / needed[0], ".png")
        flows = FolderFiles(release / needed[1], ".png") if split == "training" else None
        for name, flow in (flows or {}).items():
            images.need(name, flow)
        pairs = []
        for _, frames in groupby(images, lambda name: name.rpartition("_")[0]):
            for first in list(frames)[:-1]:
                image = images[first]
                flow = None if flows is None else flows.need(first, image)
                second = images.need(neighbour(first, 1), image)
                pairs.append(PairFiles(first, image, second, flow))
        if not pairs:
            raise FileNotFoundError(f"expected frames 000000_0010.png ... in {images.folder}")
        super().__init__("hd1k" if split == "training" else "hd1k-test", pairs)
