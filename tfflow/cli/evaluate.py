"""tfflow evaluate: end-point error of a model on a data set."""

import math
import pathlib

from tfflow.atomic_file import check_writable
from tfflow.cli import shared

SPEEDS = {"s0_10": "0-10 px", "s10_40": "10-40 px", "s40_plus": "over 40 px"}


def add(commands):
    parser = shared.command(
        commands,
        "evaluate",
        run,
        "end-point error of a model on a data set",
        "EPE, outliers (Fl), shares above 1, 3 and 5 px, EPE by speed, matched and unmatched "
        "pixels and scenes, of a .keras file, a network with weights, a preset or a .tflite file. "
        "All valid pixels of all pairs are pooled; docs/evaluation.md defines each number.",
    )
    shared.model_option(parser)
    shared.weights_option(parser)
    parser.add_argument(
        "--dataset",
        required=True,
        help="kind:folder, e.g. chairs-val:/data/FlyingChairs_release, scenes:scenes, "
        "folder:pairs; or a folder alone",
    )
    parser.add_argument("--limit", type=shared.whole_number, help="only the first so many pairs")
    shared.size_option(parser)
    parser.add_argument("--json", metavar="FILE", help="also write the numbers to this file")
    parser.add_argument("--csv", metavar="FILE", help="also write a line of numbers for each pair")
    parser.add_argument(
        "--worst",
        type=int,
        default=0,
        metavar="N",
        help="draw the N pairs with the largest EPE into --output",
    )
    parser.add_argument("-o", "--output", metavar="DIR", help="folder for the pictures of --worst")


def run(arguments):
    from tfflow.data import open_dataset
    from tfflow.evaluation import evaluate, write_csv, write_json, write_worst_pairs
    from tfflow.progress import progress_bar
    from tfflow.weights import checkpoint, list_checkpoints
    from tfflow.weights.checkpoints import compare_with_published

    _check(arguments)
    dataset = open_dataset(arguments.dataset)
    predictor = shared.load(arguments.model, arguments.weights, arguments.engine)
    left_out = []
    shared.say_size(predictor, shared.first_image(dataset), arguments.size)
    with progress_bar("pairs") as progress:
        result = evaluate(
            predictor,
            dataset,
            limit=arguments.limit,
            size=arguments.size,
            progress=lambda done, total, epe: progress(done, total),
            complaints=left_out,
        )
    model = f"{arguments.model} ({arguments.weights})" if arguments.weights else arguments.model
    _print(f"{model} on {arguments.dataset}", result)
    if arguments.model in list_checkpoints() and not (arguments.limit or arguments.size):
        kind = arguments.dataset.partition(":")[0]
        for line in compare_with_published(checkpoint(arguments.model), kind, result.errors):
            print(line)
    if arguments.json:
        write_json(arguments.json, result)
    if arguments.csv:
        write_csv(arguments.csv, result)
    if arguments.worst:
        with progress_bar("pictures") as progress:
            pictures = write_worst_pairs(
                result,
                predictor,
                dataset,
                arguments.output,
                arguments.worst,
                size=arguments.size,
                model=model,
                progress=progress,
            )
        print(f"the worst {len(pictures)} of {result.pairs} pairs -> {arguments.output}")
    shared.check_complete(left_out)


def _check(arguments):
    """Raises now what would fail only at the end, perhaps after hours."""
    if arguments.worst < 0:
        raise ValueError(f"--worst takes a number of pairs; got {arguments.worst}")
    if bool(arguments.worst) != bool(arguments.output):
        raise ValueError("--worst N and --output DIR go together: how many pictures, and where to")
    if arguments.output and pathlib.Path(arguments.output).is_file():
        raise NotADirectoryError(f"--output {arguments.output} is a file; give a folder")
    shared.check_json("--json", arguments.json)
    for path in (arguments.json, arguments.csv):
        if path:
            check_writable(path)


def _print(title, result):
    from tfflow.progress import print_table

    groups = {"": result.errors}
    if result.matched is not None:
        groups = {
            "all (KITTI: occ)": result.errors,
            "matched (KITTI: noc)": result.matched,
            "unmatched": result.unmatched,
        }
    parts = groups.values()
    rows = [
        ("EPE", *(_pixels(part.epe, part.pixels) for part in parts)),
        ("EPE of zero flow", *(_pixels(part.zero_flow_epe, part.pixels) for part in parts)),
        ("Fl (over 3 px and 5 %)", *(_percent(part.fl) for part in parts)),
        *(
            (f"error over {threshold} px", *(_percent(part.above[threshold]) for part in parts))
            for threshold in result.above
        ),
        *(
            (f"EPE at {text}", *(_pixels(of.by_speed[key], of.speed_pixels[i]) for of in parts))
            for i, (key, text) in enumerate(SPEEDS.items())
        ),
        ("pixels", *(f"{part.pixels:,}" for part in parts)),
        ("pairs", str(result.pairs)),
        ("mean of the pairs' EPEs", _pixels(result.pair_means["all"]["epe"], result.errors.pixels)),
        ("time a pair (median)", f"{result.milliseconds:.1f} ms"),
    ]
    print_table(title, ("", *groups), rows)
    if len(result.scenes) > 1:
        print_table(
            "by scene",
            ("scene", "EPE", "Fl"),
            [
                (scene, _pixels(errors.epe, errors.pixels), _percent(errors.fl))
                for scene, errors in result.scenes.items()
            ],
        )


def _pixels(value, pixels):
    """An EPE over so many pixels."""
    if not pixels:
        return "no such pixels"
    return f"{value:.3f} px" if math.isfinite(value) else "not finite"


def _percent(value):
    return "no such pixels" if math.isnan(value) else f"{value:.2f} %"
