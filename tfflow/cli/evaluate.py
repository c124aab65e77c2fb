"""tfflow evaluate: end-point error of a model on a data set."""

import json
import math
import pathlib

from tfflow.cli.shared import command, load, model_option


def add(commands):
    parser = command(
        commands,
        "evaluate",
        run,
        "end-point error of a model on a data set",
        "EPE, outliers (Fl) and EPE by speed of a .keras file, a preset or a .tflite file.",
    )
    model_option(parser)
    parser.add_argument(
        "--dataset",
        required=True,
        help="kind:folder, e.g. chairs-val:/data/FlyingChairs_release, scenes:scenes, "
        "folder:pairs; or a folder alone",
    )
    parser.add_argument("--limit", type=int, help="only the first so many pairs")
    parser.add_argument("--json", help="also write the numbers to this file")


def run(arguments):
    from tfflow.data import open_dataset
    from tfflow.evaluation import evaluate
    from tfflow.progress import print_table, progress_bar

    dataset = open_dataset(arguments.dataset)
    predictor = load(arguments.model)
    with progress_bar("pairs") as progress:
        result = evaluate(
            predictor,
            dataset,
            limit=arguments.limit,
            progress=lambda done, total, epe: progress(done, total),
        )
    speeds = {"s0_10": "0-10 px", "s10_40": "10-40 px", "s40_plus": "over 40 px"}
    print_table(
        f"{arguments.model} on {arguments.dataset}",
        ("", ""),
        [
            ("EPE", f"{result.epe:.3f} px"),
            ("EPE of zero flow", f"{result.zero_flow_epe:.3f} px"),
            ("Fl (over 3 px and 5 %)", f"{result.fl:.2f} %"),
            *(
                (f"EPE at {speeds[key]}", "no such pixels" if math.isnan(epe) else f"{epe:.3f} px")
                for key, epe in result.by_speed.items()
            ),
            ("pairs", str(result.pairs)),
            ("time a pair (median)", f"{result.milliseconds:.1f} ms"),
        ],
    )
    if arguments.json:
        path = pathlib.Path(arguments.json)
        path.write_text(json.dumps(result.as_dict(), indent=2) + "\n", encoding="utf-8")
