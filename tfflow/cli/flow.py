"""tfflow flow: flow between two images, in a folder of images, in a video, of a camera."""

import pathlib

from tfflow.cli import shared


def add(commands):
    parser = shared.command(
        commands,
        "flow",
        run,
        "flow between two images, in a folder of images, in a video, of a camera",
        "Writes for each pair the flow (.flo), its colours (_colors.png), and frames and flow side "
        "by side (_figure.png); for a video or a camera, a video of frames and flow, the flow "
        "itself, or both. Ctrl-C ends a video with the frames so far.",
    )
    parser.add_argument(
        "input",
        nargs="+",
        help="two images; or a folder of frames or pairs; or a video; or a camera: 0 for the first",
    )
    parser.add_argument(
        "-o",
        "--output",
        action="append",
        help="folder; for two images also a file: .flo, .pfm or .npy for the flow, an image for "
        "its colours; for a video or a folder of frames a .mp4 or .gif, and for the flow itself "
        "a .npz or a folder, and both if it is given again",
    )
    shared.model_option(parser)
    shared.size_option(parser)
    parser.add_argument(
        "--tiles",
        action="store_true",
        help="large images in full detail: a coarse look, then tile by tile, each of --size",
    )
    parser.add_argument(
        "--format",
        choices=("flo", "pfm", "png", "npy"),
        help="of the flow's files in a folder; png is KITTI's [flo]",
    )
    parser.add_argument(
        "--max-flow",
        type=shared.above_zero,
        help="motion in px of full colour [what 95 %% of the pixels keep below]",
    )
    parser.add_argument(
        "--occlusion",
        action="store_true",
        help="also pictures of what the second image hides, and of the flow's confidence; in a "
        "video, what the next frame hides is red; takes at least twice the time",
    )
    parser.add_argument("--limit", type=shared.whole_number, help="only the first so many pairs")
    video = parser.add_argument_group("for a video or a camera")
    video.add_argument(
        "--show",
        action="store_true",
        help="in a window, which Escape or q closes; -o may be left out",
    )
    video.add_argument(
        "--every",
        type=shared.whole_number,
        default=1,
        metavar="N",
        help="only every Nth frame; the flow is from one of these to the next [%(default)s]",
    )
    for name, which in (("--start", "before"), ("--end", "from")):
        video.add_argument(
            name,
            type=shared.parse_time,
            metavar="TIME",
            help=f"leave out frames {which} this time: seconds, mm:ss or hh:mm:ss",
        )
    shared.fps_option(video)


def run(arguments):
    inputs = [pathlib.Path(path) for path in arguments.input]
    if len(inputs) == 1:
        _one_input(inputs[0], arguments)
    elif len(inputs) == 2:
        _of_images(arguments)
        _two_images(inputs, arguments)
    else:
        raise ValueError(f"expected two images, a folder or a video; got {len(inputs)} names")


def _of_images(arguments):
    """Refuses what is for videos alone; the one -o becomes ``arguments.output``."""
    of_videos = arguments.show, arguments.every > 1, arguments.start, arguments.end, arguments.fps
    if any(of_videos):
        raise ValueError(
            "--show, --every, --start, --end and --fps are for a video; a folder of frames is one "
            "if -o is a .mp4, .gif or .npz"
        )
    if len(arguments.output or ()) != 1:
        raise ValueError("give -o once: where to write")
    (arguments.output,) = arguments.output


def _one_input(path, arguments):
    from tfflow.data.datasets import open_dataset
    from tfflow.data.files.camera import is_camera
    from tfflow.data.files.images import IMAGE_EXTENSIONS
    from tfflow.data.files.video import VIDEO_EXTENSIONS

    extension = path.suffix.lower()
    if is_camera(path) or (str(path).isdecimal() and not path.exists()):
        _video(int(str(path)) if str(path).isdecimal() else path, arguments)
        return
    if not path.exists() and extension in (*IMAGE_EXTENSIONS, *VIDEO_EXTENSIONS):
        raise FileNotFoundError(f"there is no file {path}")
    if path.is_dir() and any(map(_of_video, arguments.output or ())):
        _video(path, arguments)
    elif not path.is_file():
        _of_images(arguments)
        dataset = open_dataset(arguments.input[0])
        images = {pair.image1.parent.resolve() for pair in getattr(dataset, "pairs", ())}
        if pathlib.Path(arguments.output).resolve() in images:
            raise ValueError("-o is the images' own folder; its pictures would be the next input")
        _pairs(dataset, arguments)
    elif extension in VIDEO_EXTENSIONS:
        _video(path, arguments)
    elif extension in IMAGE_EXTENSIONS:
        raise ValueError(f"flow is between two images; got {path} alone. Give the second")
    else:
        raise ValueError(f"{path} is no video by its name: expected {', '.join(VIDEO_EXTENSIONS)}")


def _of_video(output):
    return pathlib.Path(output).suffix.lower() in (".mp4", ".gif", ".npz")


def _two_images(paths, arguments):
    from tfflow.data.datasets import FlowDataset, PairFiles
    from tfflow.data.files.images import IMAGE_EXTENSIONS

    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"expected an image at {path}; there is no such file")
    dataset = FlowDataset("images", [PairFiles(paths[0].stem, *paths)])
    output = pathlib.Path(arguments.output)
    if output.suffix.lower() not in (".flo", ".pfm", ".npy", *IMAGE_EXTENSIONS):
        _pairs(dataset, arguments)
    elif arguments.format:
        raise ValueError(f"--format is for a folder of files; the name says what -o {output} is")
    elif arguments.occlusion:
        raise ValueError(f"--occlusion writes several files: -o must be a folder; got {output}")
    elif output.resolve() in [path.resolve() for path in paths]:
        raise ValueError(f"-o {output} is one of the images; give another name")
    else:
        _one_file(dataset[0], arguments)


def _video(source, arguments):
    """Of a file, or of a camera by its number or device."""
    outputs = arguments.output or []
    if not outputs and not arguments.show:
        raise ValueError("give -o, --show, or both")
    files = (".mp4", ".gif", ".npz")
    if arguments.format and all(pathlib.Path(o).suffix.lower() in files for o in outputs):
        raise ValueError("--format is for a folder of files; the names of -o say what they are")
    from tfflow.data.files.video import read_video
    from tfflow.evaluation import predict_video
    from tfflow.progress import progress_bar
    from tfflow.visualization import Window

    window = Window("tfflow") if arguments.show else None
    predictor = _predictor(arguments)
    left_out = []
    is_clip = not isinstance(source, int) and (source.is_file() or source.is_dir())
    if is_clip:
        first = next(read_video(source, [], fps=arguments.fps), None)
        shared.say_size(predictor, first and first.image, arguments.size)
        if source.is_dir():
            source = read_video(source, left_out, fps=arguments.fps)
    elif arguments.fps:
        raise ValueError("--fps is for a folder of frames; a camera has its own")
    with shared.noting_interrupts() as interrupted, progress_bar("frames") as update:

        def progress(done, total):
            update(done, total)
            return not interrupted()

        count = predict_video(
            predictor,
            source,
            outputs,
            extension=f".{arguments.format or 'flo'}",
            max_flow=arguments.max_flow,
            size=arguments.size,
            limit=arguments.limit,
            every=arguments.every,
            start=arguments.start or 0.0,
            end=arguments.end,
            occlusion=arguments.occlusion,
            show=window and window.show,
            progress=progress,
            complaints=left_out,
        )
    print(f"{count} pairs of frames -> {', '.join(outputs) or 'shown'}")
    shared.check_complete(left_out)
    if is_clip and interrupted():
        raise KeyboardInterrupt  # a script must not take it for the whole; a camera has no end


def _predictor(arguments):
    predictor = shared.load(arguments.model, engine=arguments.engine)
    if not arguments.tiles:
        return predictor
    from tfflow.evaluation import TiledPredictor

    return TiledPredictor(predictor)


def _one_file(sample, arguments):
    from tfflow.evaluation import write_prediction

    predictor = _predictor(arguments)
    shared.say_size(predictor, sample.image1, arguments.size)
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
    as_file = output.suffix[1:].isalpha() or output.suffix == ".mp4" or str(output) == "-"
    if as_file and not output.is_dir():
        raise ValueError(
            f"-o must be a folder, for the files of each pair; {output} is named as a file. A "
            "video or an .npz is written of a video"
        )
    if arguments.limit:
        dataset = dataset[: arguments.limit]
    predictor = _predictor(arguments)
    shared.say_size(predictor, shared.first_image(dataset), arguments.size)
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
    if results:
        count = sum(len(result["files"]) for result in results)
        print(f"wrote {count} files to {arguments.output}")
    shared.check_complete(left_out, done=bool(results))
