"""tfflow interpolate: the picture between two, or more frames for a video."""

import argparse
import pathlib

from tfflow.cli import shared


def add(commands):
    parser = shared.command(
        commands,
        "interpolate",
        run,
        "the picture between two images, or more frames for a video",
        "Moves the pixels of both images along the flow to the time in between.",
    )
    parser.add_argument("input", nargs="+", help="two images, or a video")
    parser.add_argument(
        "-o", "--output", required=True, help="an image; for a video a .mp4 or .gif file"
    )
    parser.add_argument(
        "--time",
        type=_share,
        metavar="T",
        help="of two images: from 0, the first, to 1, the second [0.5]",
    )
    parser.add_argument(
        "--factor",
        type=shared.whole_number,
        metavar="N",
        help="of a video: how many times as many frames [2]",
    )
    parser.add_argument(
        "--slow",
        action="store_true",
        help="of a video: as slow motion, as many frames a second as before",
    )
    shared.model_option(parser)
    shared.size_option(parser)
    shared.fps_option(parser)
    parser.add_argument("--limit", type=shared.whole_number, help="only the first so many frames")


def run(arguments):
    if len(arguments.input) == 2:
        if arguments.factor or arguments.slow or arguments.limit or arguments.fps:
            raise ValueError(
                "--factor, --slow, --fps and --limit are for a video; --time for two images"
            )
        _two_images(arguments)
    elif len(arguments.input) == 1:
        if arguments.time is not None:
            raise ValueError("--time is for two images; for a video, --factor")
        if arguments.factor == 1:
            raise ValueError("--factor 1 is the video as it is; expected 2 or more")
        (arguments.input,) = arguments.input
        _video(arguments)
    else:
        raise ValueError(f"expected two images or a video; got {len(arguments.input)} names")


def _share(text):
    """An argument from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return value


def _two_images(arguments):
    from tfflow import tools
    from tfflow.data.files.images import check_image_path, write_image
    from tfflow.tools.both_ways import both_ways

    output = pathlib.Path(arguments.output)
    if output.resolve() in [pathlib.Path(path).resolve() for path in arguments.input]:
        raise ValueError(f"-o {output} is one of the images; give another name")
    check_image_path(output)
    images = shared.read_two_images(arguments.input)
    predictor = shared.load(arguments.model, engine=arguments.engine)
    shared.say_size(predictor, images[0], arguments.size)
    flows = both_ways(predictor, *images, arguments.size)
    time = 0.5 if arguments.time is None else arguments.time
    write_image(output, tools.interpolate(*images, *flows, time=time))
    print(f"time {time:g} -> {output}")


def _video(arguments):
    from tfflow import tools
    from tfflow.visualization import write_video

    factor = arguments.factor or 2
    predictor = shared.load_for_clip(arguments)
    slowed = factor if arguments.slow else 1
    with shared.open_clip(arguments) as (frames, counted):
        more = tools.interpolate_clip(predictor, frames, factor, size=arguments.size)
        write_video(arguments.output, ((image, slowed * time) for image, time in counted(more)))
    print(f"{factor} times the frames -> {arguments.output}")
