"""Synthetic scenes on disk: drawn once by `synthesize`, read by `SceneCache` as fast as memory."""

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Literal, overload

import numpy as np
import numpy.typing as npt

from tfflow.checks import whole_number
from tfflow.data.datasets.base import FlowSample
from tfflow.data.scenes import layout as scene_layout
from tfflow.data.scenes.config import SceneConfig
from tfflow.data.scenes.textures import Photographs
from tfflow.folder_lock import folder_lock
from tfflow.progress import progress_bar
from tfflow.types import PathLike


def synthesize(
    output: PathLike,
    count: int,
    config: SceneConfig | None = None,
    seed: int = 0,
    *,
    workers: int | None = None,
    layout: Literal["shards", "chairs"] = "shards",
    progress: Callable[[int, int], object] | bool | None = None,
) -> Path:
    """Draws synthetic scenes into a folder, or continues a folder that is not finished.

    A run that was killed and started again ends with the same bytes. A second call for the same
    folder, in another process too, waits for the first and draws what is missing then.

    Args:
        output: the folder; created if missing.
        count: number of scenes. A finished folder can be extended by asking for more.
        config: `SceneConfig`, by default `SceneConfig()`.
        seed: whole number; the same configuration and seed give the same scene for each number.
        workers: number of processes, by default one per core.
        layout: "shards" for `SceneCache`, or "chairs" for FlyingChairs' own layout (.ppm, .flo and
            a split file), which any optical-flow program reads; see `tfflow.data.scenes.layout`.
        progress: called with (scenes done, scenes in all); True shows a bar on stderr instead.

    Returns:
        The folder, a `pathlib.Path`.

    Raises:
        ValueError: a bad argument, or the folder holds scenes of another configuration, seed,
            layout or version, of other photographs, or more of them than asked for.
        NotADirectoryError: `output` is a file.
        FileExistsError: the folder holds something else.
        FileNotFoundError: there are no images in `SceneConfig.photographs`.
        RuntimeError: a worker failed; its message is included.
    """
    if layout not in scene_layout.LAYOUTS:
        raise ValueError(f"layout must be one of {scene_layout.LAYOUTS}, got {layout!r}")
    count, seed = whole_number("count", count), whole_number("seed", seed, 0)
    workers = (os.cpu_count() or 1) if workers is None else whole_number("workers", workers)
    if progress is True:
        with progress_bar("scenes") as update:
            return synthesize(
                output, count, config, seed, workers=workers, layout=layout, progress=update
            )
    progress = progress or (lambda done, count: None)
    root = Path(output)
    config = config or SceneConfig()
    wanted = scene_layout.describe(config, seed, count, layout)
    description = scene_layout.check_description(root, wanted)
    if scene_layout.is_finished(root, description):  # which may be a folder that is only read
        progress(count, count)
        return root
    if config.photographs and wanted["photographs"] is None:
        Photographs(config.photographs, config.texture_size)  # raises: they are gone

    def look():
        """The parts that are missing, each with its scenes."""
        parts = scene_layout.shards(description)
        missing = {n: parts[n] for n in scene_layout.missing_parts(root, description)}
        progress(count - sum(map(len, missing.values())), count)
        return missing

    root.mkdir(parents=True, exist_ok=True)
    with folder_lock(root, waiting=look):
        description = scene_layout.check_description(root, wanted)
        scene_layout.write_description(root, description)
        missing = look()
        done = count - sum(map(len, missing.values()))
        for number in _draw(root, list(missing), workers):
            done += len(missing[number])
            progress(done, count)
        if layout == "chairs":
            scene_layout.write_chairs_split(root, count)
    return root


def _draw(root, missing, workers):
    """Draws the missing parts in separate processes; yields each part's number when it is done.

    The processes are started as commands, not by multiprocessing, which would import the caller's
    main script again. Each takes neighbouring parts, which share pools.
    """
    if not missing:
        return
    package = str(Path(__file__).resolve().parents[3])  # the folder that holds tfflow/
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    # Without the working folder (-P): a random.py there would be taken for Python's.
    command = [sys.executable, "-P", "-m", "tfflow.data.scenes.drawing", str(root)]
    lots = [lot.tolist() for lot in np.array_split(missing, min(workers, len(missing)))]
    with contextlib.ExitStack() as files:
        # Not pipes, which fill up while the numbers are read.
        errors = [files.enter_context(tempfile.TemporaryFile("w+")) for _ in lots]
        processes = [
            subprocess.Popen(
                command + [str(number) for number in lot],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=error,
                text=True,
            )
            for lot, error in zip(lots, errors)
        ]
        yield from _collect(processes, errors)


def _collect(processes, errors):
    """Yields the numbers that the workers print; ends all of them when one fails."""
    lines = SimpleQueue()

    def listen(i):
        for line in processes[i].stdout:
            lines.put((i, line))
        lines.put((i, None))

    threads = [
        threading.Thread(target=listen, args=(i,), daemon=True) for i in range(len(processes))
    ]
    for thread in threads:
        thread.start()
    running = len(processes)
    try:
        while running:
            i, line = lines.get()
            if line is not None:
                yield int(line)
                continue
            running -= 1
            if processes[i].wait():
                errors[i].seek(0)
                said = errors[i].read().strip()
                raise RuntimeError(f"a worker that draws scenes failed:\n{said}")
    finally:
        for process in processes:
            if process.poll() is None:
                process.terminate()
            process.wait()
        for thread in threads:
            thread.join()


class SceneCache(Sequence[FlowSample]):
    """Reads what `synthesize` has drawn: a sequence of `FlowSample`.

    Args:
        root: the folder.
        partial: use what exists of a cache that is still being drawn (the shards before the first
            missing one, as of now).

    Raises:
        FileNotFoundError: no cache there, or shards of it are missing (and not `partial`).
        ValueError: its scenes.json is damaged or of another version or layout.
    """

    def __init__(self, root: PathLike, partial: bool = False) -> None:
        self.root = Path(root)
        self.name = self.root.resolve().name
        self.description = scene_layout.read_description(root)
        if self.description["layout"] != "shards":
            raise ValueError(f"{root} is in FlyingChairs' layout: open it as FlyingChairs(root)")
        if self.description["version"] != scene_layout.VERSION:
            raise ValueError(
                f"{root} was drawn by version {self.description['version']} of the scenes, this is "
                f"version {scene_layout.VERSION}: draw it anew"
            )
        self.config = SceneConfig(**self.description["config"])
        parts = scene_layout.shards(self.description)
        first = min(scene_layout.missing_parts(root, self.description), default=len(parts))
        if first == 0 or (first < len(parts) and not partial):
            raise FileNotFoundError(
                f"{scene_layout.shard_folder(root, first)} is missing or damaged: the cache "
                "is not finished; call synthesize() with the same arguments again"
            )
        parts = parts[:first]
        self._indices = range(parts[-1].stop)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of every image."""
        return self.config.height, self.config.width

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, index: int) -> FlowSample: ...
    @overload
    def __getitem__(self, index: slice) -> "SceneCache": ...
    def __getitem__(self, index: int | slice) -> "FlowSample | SceneCache":
        """A `FlowSample` with its occlusion, or a part of the cache for a slice."""
        if isinstance(index, slice):
            part = object.__new__(SceneCache)
            part.__dict__.update(self.__dict__, _indices=self._indices[index])
            return part
        image1, image2, flow = self.read(index, slice(None), slice(None))
        image1, image2 = np.array(image1), np.array(image2)
        name = f"scene-{self._indices[index]:06d}"
        valid = np.abs(flow).max(axis=-1) < scene_layout.LARGEST_FLOW  # else it is cut off
        return FlowSample(image1, image2, flow, valid, name, self.occlusion(index))

    def read(
        self, index: int, rows: slice, columns: slice
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """A crop of one scene, without reading the rest.

        Args:
            index: number of the scene within this cache or part of a cache.
            rows, columns: slices.

        Returns:
            image1, image2 (h, w, 3) uint8, views of the file; flow (h, w, 2) float32, cut off at
            511.98 px.
        """
        number = self._indices[index]
        image1, image2 = self._array("images", number)[:, rows, columns]
        flow = self._array("flow", number)[rows, columns].astype(np.float32)
        flow *= np.float32(1 / scene_layout.FLOW_UNIT)
        return image1, image2, flow

    def occlusion(self, index: int) -> npt.NDArray[np.bool_]:
        """(H, W) bool: pixels of the first image that the second does not show."""
        bits = self._array("occlusion", self._indices[index])
        return np.unpackbits(bits, axis=-1, count=self.config.width).astype(bool)

    def _array(self, name, number):
        """One scene's entry in one of its shard's files."""
        shard, i = divmod(number, self.description["scenes_per_shard"])
        count = len(scene_layout.shards(self.description)[shard])
        height, width = self.size
        return scene_layout.open_array(self.root, shard, name, (count, height, width))[i]

    def __repr__(self) -> str:
        height, width = self.size
        return f"<SceneCache {self.root}: {len(self)} scenes of {height}x{width}>"
