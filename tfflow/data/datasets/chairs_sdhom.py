"""ChairsSDHom."""

from typing import Literal

from tfflow.data.datasets.base import FlowDataset, PairFiles
from tfflow.data.datasets.layout import FolderFiles, find_release, one_of
from tfflow.types import PathLike

_EXCLUDED = ("08755",)  # has NaN in its flow; mmflow leaves it out


class ChairsSDHom(FlowDataset):
    """ChairsSDHom: chairs with small displacements, homogeneous backgrounds, 512x384.

    FlowNet2 is trained on it, for motions below a pixel.

    Source: Ilg et al., FlowNet 2.0: Evolution of Optical Flow Estimation with Deep Networks, CVPR
    2017; https://lmb.informatik.uni-freiburg.de/resources/datasets/FlyingChairs.en.html

    The layout::

        ChairsSDHom/data/
            train/
                t0/00001.png ...
                t1/00001.png ...
                flow/00001.pfm ...
            test/
                t0/..., t1/..., flow/...

    Args:
        root: the folder ChairsSDHom or its parent.
        split: "train" or "test"; both have flow.
        exclude: leave out the training pair 08755, whose flow has NaN.

    Raises:
        ValueError: an unknown split.
        FileNotFoundError: `root` does not have this layout, or a file is missing.
    """

    def __init__(
        self, root: PathLike, split: Literal["train", "test"] = "train", exclude: bool = True
    ) -> None:
        one_of("split", split, ("train", "test"))
        needed = [f"data/{split}/{folder}" for folder in ("t0", "t1", "flow")]
        release = find_release(root, "ChairsSDHom", needed)
        first, second = (FolderFiles(release / folder, ".png") for folder in needed[:2])
        flows = FolderFiles(release / needed[2], ".pfm")
        excluded = _EXCLUDED if exclude and split == "train" else ()
        pairs = [
            PairFiles(
                name,
                first.need(name, f"the pair {name}"),
                second.need(name, f"the pair {name}"),
                flows.need(name, f"the pair {name}"),
            )
            for name in sorted({*first, *flows}.difference(excluded))
        ]
        if not pairs:
            raise FileNotFoundError(f"expected the pairs' flow 00001.pfm ... in {flows.folder}")
        super().__init__("chairs-sdhom" if split == "train" else "chairs-sdhom-test", pairs)
