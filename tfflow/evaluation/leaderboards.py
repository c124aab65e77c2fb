"""What the servers of Sintel and KITTI expect: which pairs, under which names, in which file.

Sources:
    Sintel: README of the bundler (Wulff, 2012), which comes with the data set;
    KITTI: readme.txt of the development kits, stereo_flow (2012) and scene_flow (2015).
"""

import dataclasses
import re
from typing import Literal, TypeAlias

SINTEL_PASSES = ("clean", "final")
SINTEL_PAIRS = 552  # of each pass: 564 frames in twelve scenes
SINTEL_SCENES = (
    "ambush_1",
    "ambush_3",
    "bamboo_3",
    "cave_3",
    "market_1",
    "market_4",
    "mountain_2",
    "PERTURBED_market_3",
    "PERTURBED_shaman_1",
    "temple_1",
    "tiger",
    "wall",
)


@dataclasses.dataclass(frozen=True)
class Sintel:
    """A folder from which the bundler makes one file: PASS/SCENE/frame0001.flo.

    These are the names in the bundler's README; the images are named frame_0001.png.
    """

    suffix = ""
    names = "PASS/SCENE/frame_0001, both passes of the test set"
    next_step = (
        "Run the bundler of the Sintel download on it, `bundler {path}/clean {path}/final "
        "sintel.lzma`, and upload sintel.lzma at http://sintel.is.tue.mpg.de."
    )

    def member(self, name):
        """The file for a pair, clean/wall/frame0001.flo; None if no such pair has that name."""
        found = re.fullmatch(r"(\w+)/(\w+)/frame_?(\d{4})", name)
        if not found or found[1] not in SINTEL_PASSES or found[2] not in SINTEL_SCENES:
            return None
        return f"{found[1]}/{found[2]}/frame{found[3]}.flo"

    def missing(self, members):
        """What the server wants but is not there, one text each."""
        scenes = {f"{p}/{scene}": set() for p in SINTEL_PASSES for scene in SINTEL_SCENES}
        for member in members:
            scene, _, file = member.rpartition("/")
            scenes[scene].add(int(file[5:9]))
        texts = []
        for scene, frames in scenes.items():
            # The two passes have the same frames, numbered from 1.
            twin = scenes["/".join([_other_pass(scene), scene.partition("/")[2]])]
            wanted = set(range(1, max(frames | twin, default=0) + 1))
            if not frames:
                texts.append(f"{scene}: all frames")
            elif wanted - frames:
                texts.append(f"{scene}: frames {', '.join(map(str, sorted(wanted - frames)))}")
        if not texts:
            # How long a scene is does not show in its own frames, but in the number of all.
            for each in SINTEL_PASSES:
                count = sum(len(scenes[f"{each}/{scene}"]) for scene in SINTEL_SCENES)
                if count < SINTEL_PAIRS:
                    lacking = f"{SINTEL_PAIRS - count} of {SINTEL_PAIRS} pairs"
                    texts.append(f"{each}: {lacking}, the last ones of some scenes")
        return tuple(texts)


@dataclasses.dataclass(frozen=True)
class Kitti:
    """A .zip of KITTI's 16-bit PNGs, FOLDER000000_10.png and so on.

    Attributes:
        pairs: Number of pairs of the test set.
        folder: The PNGs' folder in the .zip, "" or with a slash at its end.
        page: The server's page.
    """

    pairs: int
    folder: str
    page: str

    suffix = ".zip"
    names = "000000_10"

    @property
    def next_step(self):
        return f"Upload {{path}} at {self.page}."

    def member(self, name):
        """The file for a pair, FOLDER000007_10.png; None if no such pair has that name."""
        found = re.fullmatch(r"(\d{6})_10", name)
        if not found or int(found[1]) >= self.pairs:
            return None
        return f"{self.folder}{found[1]}_10.png"

    def missing(self, members):
        """What the server wants but is not there, one text each."""
        wanted = [f"{self.folder}{number:06d}_10.png" for number in range(self.pairs)]
        there = set(members)
        return tuple(member for member in wanted if member not in there)


Benchmark: TypeAlias = Literal["sintel", "kitti2012", "kitti2015"]
BENCHMARKS: dict[Benchmark, Sintel | Kitti] = {
    "sintel": Sintel(),
    "kitti2012": Kitti(
        195, "", "https://www.cvlibs.net/datasets/kitti/eval_stereo_flow.php?benchmark=flow"
    ),
    "kitti2015": Kitti(
        200, "flow/", "https://www.cvlibs.net/datasets/kitti/eval_scene_flow.php?benchmark=flow"
    ),
}


def _other_pass(scene):
    return SINTEL_PASSES[scene.startswith(SINTEL_PASSES[0])]
