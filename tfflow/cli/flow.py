"""tfflow flow: flow between two images, in a folder of images, or in a video."""

import pathlib

from tfflow.cli.shared import check_complete, command, load, model_option


def add(commands):
    parser = command(
        commands,
        "flow",
        run,
        "flow between two images, in a folder of images, or in a video",
        "Writes for each pair the flow (.flo), its colours (_colors.png), and frames and flow side "
        "by side (_figure.png); for a video, a video of frames and flow.",
    )
    parser.add_argument(
        "input", nargs="+", help="two images; or a folder of frames or pairs; or a video"
    )
    parser.add_argument(
        "-o", "--output", required=True, help="folder; for a video a .mp4 or .gif file"
    )
    model_option(parser)
    parser.add_argument(
        "--format",
        default="flo",
        choices=("flo", "pfm", "png"),
        help="png is KITTI's [%(default)s]",
    )
    parser.add_argument(
        "--max-flow", type=float, help="motion in px of full colour [each picture's largest]"
    )
    parser.add_argument("--limit", type=int, help="only the first so many pairs")


def run(arguments):
    from tfflow.data.datasets import FlowDataset, PairFiles, open_dataset
    from tfflow.data.video import VIDEO_EXTENSIONS
    from tfflow.evaluation import predict_pairs, predict_video
    from tfflow.progress import progress_bar

    inputs = [pathlib.Path(path) for path in arguments.input]
    if len(inputs) == 1 and inputs[0].suffix.lower() in VIDEO_EXTENSIONS:
        predictor = load(arguments.model, engine=arguments.engine)
        left_out = []
        with progress_bar("frames") as progress:
            count = predict_video(
                predictor,
                inputs[0],
                arguments.output,
                max_flow=arguments.max_flow,
                limit=arguments.limit,
                progress=progress,
                complaints=left_out,
            )
        print(f"{count} pairs of frames -> {arguments.output}")
        return check_complete(left_out)
    if len(inputs) == 1:
        if inputs[0].resolve() == pathlib.Path(arguments.output).resolve():
            raise ValueError("-o is the input's own folder; its pictures would be the next input")
        dataset = open_dataset(arguments.input[0])
    elif len(inputs) == 2:
        dataset = FlowDataset("images", [PairFiles(inputs[0].stem, *inputs)])
    else:
        raise ValueError(f"expected two images, a folder or a video; got {len(inputs)} names")
    if arguments.limit:
        dataset = dataset[: arguments.limit]
    predictor = load(arguments.model, engine=arguments.engine)
    with progress_bar("pairs") as progress:
        results = predict_pairs(
            predictor,
            dataset,
            arguments.output,
            extension=f".{arguments.format}",
            max_flow=arguments.max_flow,
            progress=progress,
        )
    for result in results:
        epe = "" if result["epe"] is None else f", EPE {result['epe']:.2f} px"
        print(f"{result['name']}: mean motion {result['motion']:.2f} px{epe}")
    print(f"wrote {sum(len(result['files']) for result in results)} files to {arguments.output}")
