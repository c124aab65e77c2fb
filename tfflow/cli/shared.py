"""What the commands share. Nothing heavy is imported before a command runs."""

import argparse
import contextlib
import importlib
import itertools
import math
import os
import pathlib
import signal
import sys
import threading

import tfflow
from tfflow.atomic_file import check_writable
from tfflow.startup import start_backend_quietly


def command(commands, name, run, summary, description):
    parser = commands.add_parser(
        name,
        help=summary,
        description=description,
        # Several paragraphs stay as written; a single one is wrapped.
        formatter_class=argparse.RawDescriptionHelpFormatter
        if "\n" in description
        else argparse.HelpFormatter,
    )
    parser.set_defaults(run=run, parser=parser)
    parser.register("action", None, _Stored)
    return parser


class _Stored(argparse.Action):
    """Stores a value. A second output would be missing without a word: it is refused."""

    def __call__(self, parser, namespace, values, option=None):
        if self.dest == "output" and getattr(namespace, self.dest) is not self.default:
            parser.error(f"{option} is given twice; this command writes one output")
        setattr(namespace, self.dest, values)


def model_option(parser):
    parser.add_argument(
        "--model",
        default="rillflow",
        help="a preset or published checkpoint by name (tfflow models), a .keras or .tflite file, "
        "a preset's folder or address [%(default)s]",
    )
    parser.add_argument(
        "--engine",
        choices=("keras", "tflite"),
        help="what a preset runs on; tflite: its int8 file, without TensorFlow [keras]",
    )
    import_option(parser)


def import_option(parser):
    parser.add_argument(
        "--import",
        dest="imports",
        action="append",
        default=[],
        metavar="MODULE",
        help="import this module first, as python -m finds it: one that registers the classes of a "
        ".keras file of your own, or a network; may be given again",
    )


def import_modules(names):
    """Imports modules by name, from the current folder too."""
    if names:
        # The modules import the backend; multi-worker runs set up devices later.
        start_backend_quietly(use_devices=False)
        sys.path.insert(0, os.getcwd())
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise  # an import inside the module failed
            raise ValueError(
                f"--import {name}: there is no such module in {os.getcwd()} or among what is "
                "installed. Name it as for python -m, without .py"
            ) from None


def weights_option(parser):
    parser.add_argument(
        "--weights",
        metavar="FILE",
        help="weights for the network that --model names (tfflow models): another project's "
        "checkpoint (.pth, .safetensors, .npz) or a .weights.h5",
    )


def exported_model(parser):
    """What is exported: a Keras model."""
    parser.add_argument(
        "model", help="a .keras file, or a preset or published checkpoint by name (tfflow models)"
    )
    import_option(parser)


def calibration_options(parser):
    parser.add_argument(
        "--calibration",
        metavar="SOURCE",
        help="what int8's ranges are taken from: a folder of frames or pairs, a video, or a data "
        "set (as for evaluate) [synthetic scenes]",
    )
    parser.add_argument(
        "--outliers",
        type=float,
        metavar="SHARE",
        help="share of a tensor's values outside its range at either end; 0: minimum and maximum "
        "[0.001]",
    )


def check_calibration(arguments, uncalibrated):
    """Raises an error if there is a calibration for a quantization mode without one."""
    for name in ("calibration", "outliers"):
        if getattr(arguments, name) is not None and arguments.quantize in uncalibrated:
            raise ValueError(f"{arguments.quantize} is not calibrated; leave out --{name}")


def check_json(option, path):
    """Raises an error early unless JSON can be written there."""
    if path and pathlib.Path(path).suffix != ".json":
        raise ValueError(f"{option} must be named *.json; got {path}")
    if path:
        check_writable(path)


def load(source, weights=None, engine=None):
    """Loads a flow network with tfflow.load; starts the backend quietly if one is needed.

    With ``weights``, ``source`` is a network's name, and the file is imported as by import-weights,
    or loaded directly if Keras wrote it.
    """
    if pathlib.Path(source).suffix != ".tflite" and engine != "tflite":
        start_backend_quietly()
    if weights is None:
        model = tfflow.load(source, engine=engine)
        if not hasattr(model, "predict_flow"):
            raise ValueError(
                f"{source} holds a {type(model).__name__}, which predicts no flow. For a detector: "
                "tfflow detect, tfflow export-detector."
            )
        return model
    if engine == "tflite":
        raise ValueError("--weights are for a Keras model; leave out --engine tflite.")
    if source not in tfflow.models.list():
        raise ValueError(
            f"--weights goes with a network's name as --model (tfflow models); got {source!r}, "
            "which needs no weights or is no network."
        )
    if weights.endswith(".weights.h5"):
        if not pathlib.Path(weights).is_file():
            raise FileNotFoundError(f"No weights at {weights}.")
        model = tfflow.models.create(source)
        model.load_weights(weights)
        return model
    from tfflow.weights.importing import import_checkpoint

    imported = import_checkpoint(source, weights)
    print(f"{weights}: {imported.taken}", file=sys.stderr)
    return imported.model


WORKING_SIZE = (
    "height x width that the network runs at [the next multiple that it takes; of images above a "
    "megapixel, about a megapixel; the preset rillflow, small images larger; of a .tflite file, "
    "its own]"
)


def size_option(parser, help=WORKING_SIZE, default=None):
    parser.add_argument("--size", type=parse_size, default=default, metavar="HxW", help=help)


def say_size(predictor, image, size):
    """Says, once per command, at what size a network runs images that are too large.

    Raises ValueError before any work if it does not run at ``size``.

    Args:
        predictor: A Keras network or detector; a .tflite file has a fixed size, so nothing is said.
        image: The first image; None if it can't be read.
        size: --size; if it is given, nothing is said.
    """
    if size is not None and hasattr(predictor, "working_size"):
        predictor.working_size(size, size)
    if size is not None or image is None or not hasattr(predictor, "multiple"):
        return
    from tfflow.models.prediction import working_size

    height, width = image.shape[:2]
    working = working_size((height, width), predictor.multiple)
    if working[0] < height:
        print(
            f"Images of {height}x{width} (height x width) are run at {working[0]}x{working[1]}; "
            "--size HxW chooses another.",
            file=sys.stderr,
        )


def clip_options(parser, output):
    """A video in, a file out, and what a network needs for the flow between the frames."""
    parser.add_argument("input", help="a video, or a folder of its frames")
    parser.add_argument("-o", "--output", required=True, help=output)
    model_option(parser)
    size_option(parser)
    fps_option(parser)
    parser.add_argument("--limit", type=whole_number, help="only the first so many frames")


def fps_option(parser):
    parser.add_argument(
        "--fps", type=above_zero, help="of a folder of frames: how many of them are a second [25]"
    )


def above_zero(text):
    """An argument that is a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def video_detector(detector, schedule, flow=None, **options):
    """A VideoDetector; of a detector of images, whose boxes are carried along ``flow``.

    Args:
        detector: A FlowGuidedDetector or a DetectorInterpreter.
        schedule: Of key frames.
        flow: A preset's name or a file, for a detector without flow; None for the small file of
            ``rillflow``.
        **options: Of the VideoDetector.

    Raises:
        ValueError: If the detector has its own flow and ``flow`` is given, or has a GRU and no flow
            network.
    """
    from tfflow.detection import BoxPropagator, FixedInterval, VideoDetector

    in_keras = hasattr(detector, "flow_network")
    if detector.flow_network is not None if in_keras else detector.has_flow:
        if flow is not None:
            raise ValueError("the detector has its own flow; leave out --flow")
        return VideoDetector(detector, schedule=schedule, **options)
    if in_keras and detector.gru is not None:
        raise ValueError(
            "the detector joins key frames along the flow and has no flow network; make it with one"
        )
    of_images = VideoDetector(detector, schedule=FixedInterval(1), **options)
    if isinstance(schedule, FixedInterval) and schedule.n == 1 and flow is None:
        return of_images
    if flow is None:
        from tfflow.weights import preset_tflite

        flow = str(preset_tflite("rillflow", "small"))
    return BoxPropagator(of_images, load(flow), schedule)


def load_for_clip(arguments):
    """The predictor that ``clip_options`` name, once input and output were looked at."""
    from tfflow.data.files.video import check_other_file, read_video

    check_other_file(arguments.output, arguments.input)
    first = next(read_video(arguments.input, [], fps=arguments.fps), None)
    predictor = load(arguments.model, engine=arguments.engine)
    say_size(predictor, first and first.image, arguments.size)
    return predictor


@contextlib.contextmanager
def open_clip(arguments):
    """The frames of ``arguments.input``, with their times; what can't be read is said at the end.

    Ctrl-C ends them, so that what is written is whole, and is raised at the end.

    Yields:
        (iterator of :class:`tfflow.data.TimedFrame`, a function that passes an iterable on and
        shows the progress).
    """
    from tfflow.data.files.video import read_video
    from tfflow.progress import progress_bar

    left_out = []
    with noting_interrupts() as interrupted, progress_bar("frames") as update:

        def counted(items):
            for count, item in enumerate(items, 1):
                update(count, None)
                yield item

        frames = read_video(arguments.input, left_out, fps=arguments.fps)
        frames = itertools.islice(frames, arguments.limit)
        yield itertools.takewhile(lambda _: not interrupted(), frames), counted
    check_complete(left_out)
    if interrupted():
        raise KeyboardInterrupt  # a script must not take it for the whole


def read_two_images(paths):
    """Both images.

    Raises:
        ValueError: If their sizes differ.
    """
    from tfflow.data.files.images import read_image

    images = [read_image(path) for path in paths]
    if images[0].shape != images[1].shape:
        sizes = " and ".join("x".join(map(str, image.shape[:2])) for image in images)
        raise ValueError(f"both images must be of one size; got {sizes} (height x width)")
    return images


def first_image(dataset):
    """The first image of a data set; None if it can't be read, which the run itself reports."""
    from tfflow.evaluation.evaluate import read_sample

    sample = read_sample(dataset, 0, []) if len(dataset) else None
    return None if sample is None else sample.image1


def whole_number(text):
    """An argument that counts something: a whole number from 1 up."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 up, got {text!r}")
    return int(text)


def parse_size(text):
    """HxW as (height, width)."""
    height, separator, width = text.lower().partition("x")
    if not (separator and height.isdecimal() and width.isdecimal()):
        raise argparse.ArgumentTypeError(f"expected HEIGHTxWIDTH like 384x512, got {text!r}")
    return int(height), int(width)


def parse_time(text):
    """Seconds, from seconds, mm:ss or hh:mm:ss."""
    try:
        numbers = [float(part) for part in text.split(":")]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 3 or not all(0 <= number < math.inf for number in numbers):
        raise argparse.ArgumentTypeError(f"expected seconds, mm:ss or hh:mm:ss, got {text!r}")
    return sum(number * 60**place for place, number in enumerate(reversed(numbers)))


@contextlib.contextmanager
def noting_interrupts():
    """Ctrl-C is noted instead of raised, the first time: yields whether it was pressed.

    A job that a script put into the background ignores Ctrl-C, and goes on doing so.
    """
    pressed = threading.Event()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield pressed.is_set
        return

    def note(*_):
        signal.signal(signal.SIGINT, before)
        pressed.set()
        print("finishing what is being written; Ctrl-C again drops it", file=sys.stderr)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def check_complete(left_out, done=True):
    """Raises an error that lists what was left out, once all other work is done.

    Args:
        left_out: A sentence for each thing.
        done: Whether there was a rest.

    Raises:
        ValueError: If anything was left out.
    """
    if left_out:
        what = "\n  ".join(left_out)
        if done:
            what = f"not complete; the rest is done. What is left out:\n  {what}"
        raise ValueError(what)
