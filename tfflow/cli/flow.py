"""tfflow flow: flow between two images, in a folder of images, or in a video."""

import pathlib

from tfflow.cli.shared import (
    check_complete,
    command,
    first_image,
    load,
    model_option,
    say_size,
    size_option,
    whole_number,
)


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
        "-o",
        "--output",
        required=True,
        help="folder; for a video a .mp4 or .gif file; for two images also a file: .flo or .pfm "
        "for the flow, an image for its colours",
    )
    model_option(parser)
    size_option(parser)
    parser.add_argument(
        "--tiles",
        action="store_true",
        help="large images in full detail: a coarse look, then tile by tile, each of --size",
    )
    parser.add_argument(
        "--format",
        choices=("flo", "pfm", "png"),
        help="of the flow's files in a folder; png is KITTI's [flo]",
    )
    parser.add_argument(
        "--max-flow",
        type=float,
        help="motion in px of full colour [what 95 %% of the pixels keep below]",
    )
    parser.add_argument(
        "--occlusion",
        action="store_true",
        help="also pictures of what the second image hides, and of the flow's confidence; takes "
        "at least twice the time",
    )
    parser.add_argument("--limit", type=whole_number, help="only the first so many pairs")


def run(arguments):
    inputs = [pathlib.Path(path) for path in arguments.input]
    if len(inputs) == 1:
        _one_input(inputs[0], arguments)
    elif len(inputs) == 2:
        _two_images(inputs, arguments)
    else:
        raise ValueError(f"expected two images, a folder or a video; got {len(inputs)} names")


def _one_input(path, arguments):
    from tfflow.data.datasets import open_dataset
    from tfflow.data.files.images import IMAGE_EXTENSIONS
    from tfflow.data.files.video import VIDEO_EXTENSIONS

    extension = path.suffix.lower()
    if not path.exists() and extension in (*IMAGE_EXTENSIONS, *VIDEO_EXTENSIONS):
        raise FileNotFoundError(f"there is no file {path}")
    if not path.is_file():
        if path.resolve() == pathlib.Path(arguments.output).resolve():
            raise ValueError("-o is the input's own folder; its pictures would be the next input")
        _pairs(open_dataset(arguments.input[0]), arguments)
    elif extension in VIDEO_EXTENSIONS:
        _video(path, arguments)
    elif extension in IMAGE_EXTENSIONS:
        raise ValueError(f"flow is between two images; got {path} alone. Give the second")
    else:
        raise ValueError(f"{path} is no video by its name: expected {', '.join(VIDEO_EXTENSIONS)}")


def _two_images(paths, arguments):
    from tfflow.data.datasets import FlowDataset, PairFiles
    from tfflow.data.files.images import IMAGE_EXTENSIONS

    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"expected an image at {path}; there is no such file")
    dataset = FlowDataset("images", [PairFiles(paths[0].stem, *paths)])
    output = pathlib.Path(arguments.output)
    if output.suffix.lower() not in (".flo", ".pfm", *IMAGE_EXTENSIONS):
        _pairs(dataset, arguments)
    elif arguments.format:
        raise ValueError(f"--format is for a folder of files; the name says what -o {output} is")
    elif arguments.occlusion:
        raise ValueError(f"--occlusion writes several files: -o must be a folder; got {output}")
    elif output.resolve() in [path.resolve() for path in paths]:
        raise ValueError(f"-o {output} is one of the images; give another name")
    else:
        _one_file(dataset[0], arguments)


def _video(path, arguments):
    if arguments.format:
        raise ValueError("--format is for files of flow; of a video a video is written")
    if arguments.occlusion:
        raise ValueError("--occlusion is for images; for a video's frames, write them to a folder")
    from tfflow.data.files.video import read_video
    from tfflow.evaluation import predict_video
    from tfflow.progress import progress_bar

    predictor = _predictor(arguments)
    first = next(read_video(path, []), None)
    say_size(predictor, first and first.image, arguments.size)
    left_out = []
    with progress_bar("frames") as progress:
        count = predict_video(
            predictor,
            path,
            arguments.output,
            max_flow=arguments.max_flow,
            size=arguments.size,
            limit=arguments.limit,
            progress=progress,
            complaints=left_out,
        )
    print(f"{count} pairs of frames -> {arguments.output}")
    check_complete(left_out)


def _predictor(arguments):
    predictor = load(arguments.model, engine=arguments.engine)
    if not arguments.tiles:
        return predictor
    from tfflow.evaluation import TiledPredictor

    return TiledPredictor(predictor)


def _one_file(sample, arguments):
    from tfflow.evaluation import write_prediction

    predictor = _predictor(arguments)
    say_size(predictor, sample.image1, arguments.size)
    flow = write_prediction(
        predictor,
        sample,
        arguments.output,
        max_flow=arguments.max_flow,
        size=arguments.size,
    )
    print(f"mean motion {((flow**2).sum(-1) ** 0.5).mean():.2f} px -> {arguments.output}")


def _pairs(dataset, arguments):
    from tfflow.evaluation import predict_pairs
    from tfflow.progress import progress_bar

    output = pathlib.Path(arguments.output)
    if output.exists() and not output.is_dir():
        raise ValueError(f"-o must be a folder, for the files of each pair; {output} is a file")
    if arguments.limit:
        dataset = dataset[: arguments.limit]
    predictor = _predictor(arguments)
    say_size(predictor, first_image(dataset), arguments.size)
    left_out = []
    with progress_bar("pairs") as progress:
        results = predict_pairs(
            predictor,
            dataset,
            arguments.output,
            extension=f".{arguments.format or 'flo'}",
            max_flow=arguments.max_flow,
            size=arguments.size,
            occlusion=arguments.occlusion,
            model=arguments.model,
            progress=progress,
            complaints=left_out,
        )
    for result in results:
        epe = "" if result["epe"] is None else f", EPE {result['epe']:.2f} px"
        print(f"{result['name']}: mean motion {result['motion']:.2f} px{epe}")
    print(f"wrote {sum(len(result['files']) for result in results)} files to {arguments.output}")
    check_complete(left_out)
