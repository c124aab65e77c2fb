"""tfflow train-detector: the two stages of the detector for videos."""

from tfflow.cli import shared
from tfflow.cli.train import finish, sources
from tfflow.startup import start_backend_quietly

DESCRIPTION = """\
Trains the flow-guided detector, in two stages.

    tfflow train-detector images --data-dir clips        # one image at a time, no flow
    tfflow train-detector clips --data-dir clips         # key frames, flow and GRU

Without --dataset, synthetic clips are generated in the folder first. Real ones:

    tfflow train-detector images --dataset vid --data-dir ILSVRC2015
    tfflow train-detector images --dataset coco --data-dir folder --weights imagenet

A folder for coco is laid out as COCO 2017 (docs/own_detector.md), with images or videos of your
own. Of images without videos, the second stage makes clips by moving a window over each.

The second stage begins with the first one's result, runs/detector_images/model.keras, and with the
preset lightflow, which stays as it is unless --train-flow. Give both stages the same --size and
--alpha. Run the same command again and it goes on where it stopped. What comes out is what tfflow
train writes; best.keras is the one of the least validation loss.
"""


def add(commands):
    parser = shared.command(
        commands, "train-detector", run, "train a detector of objects in videos", DESCRIPTION
    )
    parser.add_argument("stage", choices=("images", "clips"))
    parser.add_argument("--dataset", choices=("synthetic", "vid", "coco"), default="synthetic")
    parser.add_argument("--data-dir", default="clips", help="where the clips lie [%(default)s]")
    parser.add_argument("--output", "-o", help="folder of the run [runs/detector_STAGE]")
    shared.size_option(
        parser, "height x width that images are stretched to, multiples of 32 [256x384]"
    )
    parser.add_argument("--alpha", type=float, help="width: factor on MobileNet's channels [0.5]")
    parser.add_argument("--batch-size", type=shared.whole_number, help="[images: 16, clips: 8]")
    parser.add_argument("--steps", type=int, help="number of steps; the schedule is scaled to it")
    parser.add_argument("--init", help='detector to begin with; "none" [clips: what images gave]')
    parser.add_argument("--flow", help="clips: preset or .keras file [lightflow]")
    parser.add_argument("--train-flow", action="store_true", help="train the flow network along")
    parser.add_argument(
        "--weights",
        help='of the backbone, to begin with: "imagenet" (downloaded) or a .h5 file of '
        "keras.applications [random]",
    )
    parser.add_argument("--seed", type=int, default=0)
    shared.import_option(parser)


def run(arguments):
    start_backend_quietly()
    from tfflow.detection import training
    from tfflow.recipes import Run

    given = {name: getattr(arguments, name) for name in ("weights", "size", "alpha", "batch_size")}
    settings = {name: value for name, value in given.items() if value is not None}
    settings["dataset"] = arguments.dataset
    if arguments.stage == "clips":
        settings |= {"flow": arguments.flow or "lightflow", "train_flow": arguments.train_flow}
    elif arguments.train_flow or arguments.flow:
        raise ValueError("the stage images has no flow network; leave out --flow and --train-flow")
    init = None if arguments.init is None else sources([arguments.init])
    options = {name: getattr(arguments, name) for name in ("data_dir", "output", "steps", "seed")}
    stage = training.STAGES[arguments.stage](**settings)
    finish(Run(stage, init=init, **options), "train-detector")
