"""tfflow synthesize: synthetic scenes with exact flow."""

from tfflow.cli import shared


def add(commands):
    parser = shared.command(
        commands,
        "synthesize",
        run,
        "generate synthetic scenes with exact flow",
        "Writes pairs of frames of layered moving worlds into a folder, to train and calibrate on. "
        "Interrupted, it goes on where it was when called again.",
    )
    parser.add_argument("output", help="folder")
    parser.add_argument(
        "--count", type=shared.whole_number, default=1000, help="number of pairs [%(default)s]"
    )
    shared.size_option(parser, "[384x512]", default=(384, 512))
    parser.add_argument("--seed", type=int, default=0, help="the same seed, the same scenes [0]")
    parser.add_argument("--motion-scale", type=float, default=1.0, help="factor on all motion [1]")
    parser.add_argument(
        "--photographs", default="", metavar="FOLDER", help="cut most surfaces from its pictures"
    )
    parser.add_argument("--workers", type=shared.whole_number, help="processes [one a core]")
    parser.add_argument(
        "--layout", default="shards", choices=("shards", "chairs"), help="chairs: FlyingChairs' own"
    )


def run(arguments):
    from tfflow.data import SceneConfig, synthesize
    from tfflow.progress import progress_bar

    config = SceneConfig(
        height=arguments.size[0],
        width=arguments.size[1],
        motion_scale=arguments.motion_scale,
        photographs=arguments.photographs,
    )
    with progress_bar("scenes") as progress:
        synthesize(
            arguments.output,
            arguments.count,
            config=config,
            seed=arguments.seed,
            workers=arguments.workers,
            layout=arguments.layout,
            progress=progress,
        )
    print(f"{arguments.count} scenes in {arguments.output}")
