"""tfflow stabilize: a video without the shaking of the camera."""

import itertools
from typing import get_args

from tfflow.cli import shared
from tfflow.tools.camera import CameraModel


def add(commands):
    parser = shared.command(
        commands,
        "stabilize",
        run,
        "remove the shaking of the camera from a video",
        "Smooths the path of the camera, which is estimated from the flow, and moves each frame to "
        "it. The sound is not copied.",
    )
    shared.clip_options(parser, "a .mp4 or .gif file")
    parser.add_argument(
        "--smoothing",
        type=float,
        default=10.0,
        metavar="FRAMES",
        help="standard deviation of the Gaussian that smooths the path [%(default)g]",
    )
    parser.add_argument(
        "--crop",
        type=float,
        default=0.1,
        metavar="SHARE",
        help="of width and height, cut off so that no border is seen; 0: black borders "
        "[%(default)g]",
    )
    parser.add_argument(
        "--motion",
        choices=get_args(CameraModel),
        default="similarity",
        help="model of the camera's motion [%(default)s]",
    )


def run(arguments):
    from tfflow import tools
    from tfflow.visualization import write_video

    predictor = shared.load_for_clip(arguments)
    with shared.open_clip(arguments) as (frames, counted):
        # Output lags behind; the times wait as long as the frames do.
        frames, timed = itertools.tee(frames)
        stable = tools.stabilize(
            predictor,
            (frame.image for frame in frames),
            smoothing=arguments.smoothing,
            crop=arguments.crop,
            model=arguments.motion,
            size=arguments.size,
        )
        write_video(arguments.output, zip(counted(stable), (frame.time for frame in timed)))
    print(f"stable -> {arguments.output}")
