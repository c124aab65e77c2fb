"""tfflow motion-mask: what moves in another way than the camera."""

import itertools
import pathlib

import numpy as np

from tfflow.cli import shared


def add(commands):
    parser = shared.command(
        commands,
        "motion-mask",
        run,
        "mask what moves in another way than the camera",
        "Writes a mask, white where something moves by itself, of every frame but the last.",
    )
    shared.clip_options(parser, "a .mp4 or .gif file, or a folder for a .png of each frame")
    parser.add_argument(
        "--overlay", action="store_true", help="the frames, dark where nothing moves by itself"
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=1.0,
        metavar="PX",
        help="motion beside the camera's from which on a pixel is in the mask [%(default)g]",
    )
    parser.add_argument(
        "--relative",
        type=float,
        default=0.05,
        metavar="SHARE",
        help="of the camera's motion, which is added to the threshold [%(default)g]",
    )


def run(arguments):
    from tfflow import tools

    predictor = shared.load_for_clip(arguments)
    shares = []
    with shared.open_clip(arguments) as (frames, counted):
        frames, shown = itertools.tee(frames)
        masks = tools.motion_masks(
            predictor,
            (frame.image for frame in frames),
            size=arguments.size,
            threshold=arguments.threshold,
            relative=arguments.relative,
        )

        def pictures():
            for mask, ((image, time), (_, next_time)) in zip(
                counted(masks), itertools.pairwise(shown)
            ):
                shares.append(mask.mean())
                dark = image // 4 if arguments.overlay else np.zeros_like(image)
                light = image if arguments.overlay else np.full_like(image, 255)
                yield np.where(mask[..., None], light, dark), time, next_time
            if not shares:
                raise ValueError(
                    f"{arguments.input} has fewer than two frames; nothing moves in it"
                )

        _write(arguments.output, pictures())
    print(f"{np.mean(shares):.1%} of the picture moves by itself -> {arguments.output}")


def _write(output, pictures):
    from tfflow.data.files.flow_series import picture_series
    from tfflow.visualization import write_video

    if pathlib.Path(output).suffix:
        write_video(output, ((picture, time) for picture, time, _ in pictures))
        return
    with picture_series(output) as write:
        for each in pictures:
            write(*each)
