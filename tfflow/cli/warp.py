"""tfflow warp: an image, seen as another one shows the scene."""

import pathlib

from tfflow.cli import shared


def add(commands):
    parser = shared.command(
        commands,
        "warp",
        run,
        "move the second image's pixels to where the first image has them",
        "Writes the second image, warped backwards along the flow from the first: it looks like "
        "the first, with the second's light. Pixels that come from outside are black.",
    )
    parser.add_argument(
        "input", nargs="+", help="two images; with --flow, the second image suffices"
    )
    parser.add_argument("-o", "--output", required=True, help="an image")
    parser.add_argument(
        "--flow", metavar="FILE", help="the flow from the first image to the second [estimated]"
    )
    shared.model_option(parser)
    shared.size_option(parser)


def run(arguments):
    from tfflow import tools
    from tfflow.data.files.flows import read_flow
    from tfflow.data.files.images import check_image_path, read_image, write_image

    paths = arguments.input
    if len(paths) != 2 and not (arguments.flow and len(paths) == 1):
        raise ValueError(f"expected two images, or one and --flow; got {len(paths)} images")
    inputs = [*paths, *filter(None, [arguments.flow])]
    if pathlib.Path(arguments.output).resolve() in [pathlib.Path(p).resolve() for p in inputs]:
        raise ValueError(f"-o {arguments.output} is one of the inputs; give another name")
    check_image_path(arguments.output)
    if arguments.flow:
        estimates = {
            "--model": arguments.model != arguments.parser.get_default("model"),
            "--engine": arguments.engine,
            "--size": arguments.size,
        }
        if unused := [name for name, given in estimates.items() if given]:
            raise ValueError(f"{', '.join(unused)} would estimate the flow; --flow gives it")
        image = read_image(paths[-1])
        flow, known = read_flow(arguments.flow)
        flow[~known] = float("nan")
    else:
        other, image = shared.read_two_images(paths)
        predictor = shared.load(arguments.model, engine=arguments.engine)
        shared.say_size(predictor, image, arguments.size)
        flow = predictor.predict_flow(other, image, size=arguments.size)
    warped, inside = tools.warp(image, flow, return_mask=True)
    write_image(arguments.output, warped)
    print(f"{1 - inside.mean():.1%} of the pixels come from outside -> {arguments.output}")
