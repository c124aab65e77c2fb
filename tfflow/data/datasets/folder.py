"""A folder of your own images."""

import re
import statistics
import warnings
from itertools import pairwise

from tfflow.data.datasets.base import FlowDataset, PairFiles
from tfflow.data.datasets.layout import check_folder, listing, named_pairs
from tfflow.data.files.flows import FLOW_EXTENSIONS
from tfflow.data.files.images import IMAGE_EXTENSIONS, images_in
from tfflow.types import PathLike


class PairFolder(FlowDataset):
    """A plain folder of images: named pairs, or the frames of a video.

    If files are named NAME_img1.* and NAME_img2.*, these are the pairs, with ground truth in
    NAME_flow.flo, .pfm or .png (KITTI) if present; other files are ignored. Otherwise all images in
    the folder are frames of one video, and each is a pair with the next. Frames are sorted by name,
    numbers by value (frame9 before frame10), whatever their step; *_flow.* and hidden files are
    never frames. A step of at least twice the usual one is still a pair, with a warning that frames
    are missing. If the names, without their last number, form groups, each of two or more
    frames and all beginning with the same number (KITTI's 000000_10, 000000_11, 000001_10, …), each
    group is a video of its own.

    Args:
        root: the folder.

    Raises:
        FileNotFoundError: no such folder, no images in it, or a pair without its second image.
        ValueError: only one image.
    """

    def __init__(self, root: PathLike) -> None:
        folder = check_folder(root)
        pairs = named_pairs(folder, IMAGE_EXTENSIONS, FLOW_EXTENSIONS) or self._video(folder)
        super().__init__(folder.resolve().name, pairs)

    @staticmethod
    def _video(root):
        frames = images_in(root)
        if not frames:
            raise FileNotFoundError(
                f"no images in {root}: expected {', '.join(IMAGE_EXTENSIONS)}; "
                f"there is {listing(root)}. A published data set is opened by its kind, as "
                f"sintel-clean:{root}"
            )
        if len(frames) == 1:
            raise ValueError(f"expected two images or more in {root}, found only {frames[0].name}")
        videos = _videos(frames)
        gaps = [gap for video in videos for gap in _gaps(video)]
        if gaps:
            first, second = gaps[0]
            others = f" (and in other places, {len(gaps)} in all)" if len(gaps) > 1 else ""
            warnings.warn(
                f"{root}: by their numbers, frames are missing between {first.name} and "
                f"{second.name}{others}. They are a pair all the same, whose flow spans the gap; "
                "if that is not meant, put the frames after it into a folder of their own",
                stacklevel=4,  # whoever opens the folder
            )
        return [
            PairFiles(first.stem, first, second)
            for video in videos
            for first, second in pairwise(video)
        ]


def _videos(frames):
    """The frames of each video, grouped by what surrounds the last number in their names."""
    videos, firsts = {}, set()
    for frame in frames:
        name = _without_number(frame)
        if name not in videos:
            firsts.add(_number(frame))
        videos.setdefault(name, []).append(frame)
    # If a group has one frame only, or the groups begin with different numbers (a clock's 12.00.59
    # and 12.01.00), the part that differs does not name a video.
    parted = min(map(len, videos.values())) > 1 and len(firsts) == 1
    return list(videos.values()) if parted else [frames]


def _without_number(frame):
    return re.sub(r"\d+(\D*)$", r"*\1", frame.stem)


def _gaps(video):
    """The neighbouring frames whose numbers differ by at least twice the usual step."""
    steps = {
        (first, second): int(_number(second)) - int(_number(first))
        for first, second in pairwise(video)
        if _number(first) and _without_number(first) == _without_number(second)
    }
    usual = statistics.median_low(steps.values()) if steps else 0
    return [pair for pair, step in steps.items() if step >= 2 * usual > 0]


def _number(frame):
    """The last number in a frame's name; "" if there is none."""
    return re.search(r"(\d*)\D*$", frame.stem)[1]
