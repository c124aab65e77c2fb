"""Clips drawn once and kept on disk, in the layout of COCO with videos ("CocoVID")."""

import json
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath

from tfflow.atomic_file import atomic_file
from tfflow.checks import whole_number
from tfflow.data.files.images import write_image
from tfflow.detection.clips import Clips, description
from tfflow.detection.coco import CocoClips
from tfflow.folder_lock import folder_lock
from tfflow.types import PathLike

ANNOTATIONS = "annotations.json"
_DONE = "done.jsonl"  # the clips' description, and a line for each finished clip


def write_clips(
    clips: Clips,
    folder: PathLike,
    *,
    workers: int = 1,
    progress: Callable[[int, int], object] | None = None,
) -> CocoClips:
    """Writes clips with their boxes to disk, or continues where an earlier call was interrupted::

        folder/annotations.json            videos, images, annotations, categories
        folder/CLIP/000000.jpg

    A second call for the same folder, in another process too, waits for the first.

    Args:
        clips: a sequence of clips with `classes`, such as `SyntheticClips`. A clip is written to a
            folder of its `name`; one that has none is named by its number.
        folder: created if missing. A later call expects the same clips. Sets without a method
            `describe` are told apart by their number of clips, their classes and the first clip.
        workers: number of threads that draw and write.
        progress: called with (clips done, clips in all).

    Returns:
        `CocoClips`, the clips as they are on disk: JPEG of high quality.

    Raises:
        FileExistsError: the folder holds other files.
        ValueError: it holds other clips, or two clips have the same name.
    """
    whole_number("workers", workers)
    folder = Path(folder)
    finished = folder / ANNOTATIONS
    wanted = description(clips)
    if not finished.is_file():
        # In this order: another process may begin or finish meanwhile. Its first file is _DONE,
        # which goes when the annotations are there.
        strange = _holds_files(folder) and not (folder / _DONE).is_file()
        if strange and not finished.is_file():
            raise FileExistsError(f"{folder} holds other files; give a new or an empty folder")
        folder.mkdir(parents=True, exist_ok=True)
        with folder_lock(folder):
            if not finished.is_file():  # another process may have been faster
                _write(clips, folder, wanted, workers, progress)
    _check_same(folder, json.loads(finished.read_text(encoding="utf-8")).get("info"), wanted)
    return CocoClips(finished, folder)


def _holds_files(folder):
    # Hidden files may be another process's lock, and what it is about to write.
    return folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir())


def _write(clips, folder, wanted, workers, progress):
    there, done = _done(folder)
    if there is not None:
        _check_same(folder, there, wanted)
    with ThreadPoolExecutor(workers) as executor, (folder / _DONE).open("a") as record:
        if there is None:
            record.write(json.dumps(wanted) + "\n")
            record.flush()
        # Not all at once: clips drawn but not yet recorded would fill the memory.
        waiting = deque()
        names = _Names(clip["name"] for clip in done)
        for number in range(len(done), len(clips)):
            waiting.append(executor.submit(_write_clip, clips, number, folder, names))
            if len(waiting) > 2 * workers:
                _note(record, done, waiting.popleft(), len(clips), progress)
        while waiting:
            _note(record, done, waiting.popleft(), len(clips), progress)
    with atomic_file(folder / ANNOTATIONS) as temporary:
        content = {"info": wanted, **_coco(done, clips.classes)}
        temporary.write_text(json.dumps(content), encoding="utf-8")
    (folder / _DONE).unlink()


def _check_same(folder, there, wanted):
    if there != wanted:
        there = there or {}
        differ = [name for name in {**wanted, **there} if there.get(name) != wanted.get(name)]
        raise ValueError(
            f"{folder} holds other clips: their {', '.join(differ)} differ from what is to be "
            "written. Give another folder, or delete this one."
        )


def _done(folder):
    """(the clips' description or None, the records of the finished clips)."""
    path = folder / _DONE
    if not path.is_file():
        return None, []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    if whole != lines:  # killed while writing the last one
        path.write_text("".join(whole), encoding="utf-8")
    described, *done = [json.loads(line) for line in whole] or [None]
    return described, done


def _note(record, done, waiting, count, progress):
    done.append(waiting.result())
    record.write(json.dumps(done[-1]) + "\n")
    record.flush()
    if progress:
        progress(len(done), count)


class _Names:
    """Names that are taken, each by one clip: its frames are in a folder of that name."""

    def __init__(self, taken):
        self._taken, self._lock = set(taken), threading.Lock()

    def take(self, name):
        path = PurePath(name)
        if not path.parts or path.is_absolute() or ".." in path.parts:
            raise ValueError(f"a clip's name is that of its folder within this one; got {name!r}")
        with self._lock:
            if name in self._taken:
                raise ValueError(f"two clips are named {name!r}; give each a name of its own")
            self._taken.add(name)


def _write_clip(clips, number, folder, names):
    clip = clips[number]
    name = str(getattr(clip, "name", f"clip_{number:06d}"))
    names.take(name)
    (folder / name).mkdir(parents=True, exist_ok=True)
    frames = []
    for time, frame in enumerate(clip):
        file_name = f"{name}/{time:06d}.jpg"
        write_image(folder / file_name, frame.image)
        objects = [
            {"bbox": [x1, y1, x2 - x1, y2 - y1], "category_id": kind, "instance_id": track}
            for (x1, y1, x2, y2), kind, track in zip(
                frame.boxes.tolist(), frame.classes.tolist(), frame.tracks.tolist()
            )
        ]
        height, width = frame.image.shape[:2]
        frames.append(
            {"file_name": file_name, "height": height, "width": width, "objects": objects}
        )
    return {"name": name, "frames": frames}


def _coco(done, classes):
    content = {"videos": [], "images": [], "annotations": []}
    for video, clip in enumerate(done):
        content["videos"].append({"id": video, "name": clip["name"]})
        for time, frame in enumerate(clip["frames"]):
            image = len(content["images"])
            entry = {"id": image, "video_id": video, "frame_id": time}
            objects = frame.pop("objects")
            content["images"].append({**entry, **frame})
            for item in objects:
                _, _, width, height = item["bbox"]
                entry = {"id": len(content["annotations"]) + 1, "image_id": image, "iscrowd": 0}
                content["annotations"].append({**entry, **item, "area": width * height})
    content["categories"] = [{"id": i, "name": name} for i, name in enumerate(classes)]
    return content
