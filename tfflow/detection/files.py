"""A video file in, a video file with boxes out."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from tfflow.data.files.video import check_other_file, read_video
from tfflow.detection.video_detector import VideoDetector
from tfflow.progress import is_false
from tfflow.types import PathLike
from tfflow.visualization import draw_boxes, write_video


def detect_video(
    video: VideoDetector,
    source: PathLike,
    output: PathLike,
    *,
    classes: Sequence[str] | None = None,
    limit: int | None = None,
    fps: float | None = None,
    progress: Callable[[int, None], object] | None = None,
    complaints: list[str] | None = None,
) -> list[dict[str, Any]]:
    """Writes a video with the frames of another, boxes around the objects, and key frames marked.

    Args:
        video: A :class:`tfflow.detection.VideoDetector`.
        source: A video file, or a folder of its frames; see :func:`tfflow.data.read_video`.
        output: ``.mp4`` or ``.gif``.
        classes: Names of the classes; None for their numbers.
        limit: Use only the first ``limit`` frames.
        fps: Of a folder: frames a second.
        progress: Called with (frames done, None). If it returns False, this frame is the last.
        complaints: A list that collects what can't be read, instead of raising an error; see
            :func:`tfflow.data.read_video`.

    Returns:
        For each frame, a dict that JSON can hold: ``time`` (seconds from the first frame; where
        some are left out, it tells which are there), ``key`` (whether it was a key frame), and the
        lists ``boxes``, ``scores`` and ``classes``.

    Raises:
        FileNotFoundError: If there is no such video.
        ValueError: If it holds no frame or is a single picture, or the output is ``source`` or has
            another extension.
        CorruptFileError: If a frame can't be decoded, or the video is cut off; nothing is written.
        ImportError: If PyAV is missing.
    """
    check_other_file(output, source)
    frames = itertools.islice(read_video(source, complaints, fps=fps), limit)
    first = next(frames, None)
    if first is None:
        raise ValueError(f"{source} holds no frame.")
    results = []
    video.reset()

    def pictures():
        for frame, time in itertools.chain([first], frames):
            boxes, scores, kinds = video.next(frame)
            names = [classes[kind] if classes else str(kind) for kind in kinds]
            labels = [f"{name} {score:.2f}" for name, score in zip(names, scores)]
            results.append(
                {
                    "time": time,
                    "key": video.is_key,
                    "boxes": boxes.tolist(),
                    "scores": scores.tolist(),
                    "classes": names,
                }
            )
            last = progress is not None and is_false(progress(len(results), None))
            yield draw_boxes(frame, boxes, labels, kinds, key=video.is_key), time
            if last:
                return

    write_video(output, pictures())
    return results
