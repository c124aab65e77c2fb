"""The process that draws scenes to disk: `python -m tfflow.data.scenes.drawing FOLDER PART...`.

Started by `tfflow.data.synthesize`, which writes the folder's description first. Prints the number
of each part when it is written.
"""

import os
import sys
import threading

from tfflow.data.scenes import layout as scene_layout
from tfflow.data.scenes.config import SceneConfig
from tfflow.data.scenes.opencv import cv2
from tfflow.data.scenes.rendering import render
from tfflow.data.scenes.scene import sample_scene


def draw_part(root, number):
    """Draws and writes one part of a folder of scenes."""
    description = scene_layout.read_description(root)
    config, seed = SceneConfig(**description["config"]), description["seed"]
    part = scene_layout.shards(description)[number]
    if description["layout"] == "chairs":
        for index in part:
            scene_layout.write_chairs_pair(root, index, render(sample_scene(config, seed, index)))
    else:
        scenes = [render(sample_scene(config, seed, index)) for index in part]
        scene_layout.write_shard(root, number, scenes)


def _end_with_parent():
    # The parent never writes to this pipe: its end means that the parent is gone.
    sys.stdin.read()
    os._exit(1)


def _main(root, numbers):
    cv2.setNumThreads(1)  # one process per core is faster than one scene on all cores
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for number in numbers:
        draw_part(root, int(number))
        print(number, flush=True)


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2:])
