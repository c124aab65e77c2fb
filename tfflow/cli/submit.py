"""tfflow submit: a test set's flow for the servers of Sintel and KITTI."""

import sys

from tfflow.cli import shared


def add(commands):
    parser = shared.command(
        commands,
        "submit",
        run,
        "write a test set's flow for the server of Sintel or KITTI",
        "Sintel: a folder for the bundler that comes with it; KITTI 2012 and 2015: the .zip to "
        "upload. What the server wants and is not there is said before anything is predicted.",
    )
    shared.model_option(parser)
    shared.weights_option(parser)
    parser.add_argument(
        "--dataset",
        required=True,
        help="the test set as kind:folder, e.g. sintel-test:/data/MPI-Sintel-complete",
    )
    parser.add_argument(
        "--benchmark", required=True, choices=("sintel", "kitti2012", "kitti2015"), help="whose"
    )
    parser.add_argument(
        "-o", "--output", required=True, help="a new folder (Sintel) or a .zip file (KITTI)"
    )
    shared.size_option(parser)


def run(arguments):
    from tfflow.data import open_dataset
    from tfflow.evaluation import missing_from_submission, write_submission
    from tfflow.progress import progress_bar

    dataset = open_dataset(arguments.dataset)
    missing = missing_from_submission(dataset, arguments.benchmark)
    if missing:
        shown = "; ".join(missing[:3]) + ("; …" if len(missing) > 3 else "")
        print(
            f"tfflow submit: not complete, the server will refuse it: {len(missing)} missing "
            f"({shown})",
            file=sys.stderr,
        )
    predictor = shared.load(arguments.model, arguments.weights, arguments.engine)
    shared.say_size(predictor, shared.first_image(dataset), arguments.size)
    with progress_bar("pairs") as progress:
        submission = write_submission(
            predictor,
            dataset,
            arguments.output,
            arguments.benchmark,
            size=arguments.size,
            progress=progress,
        )
    print(f"{submission.pairs} pairs -> {submission.path}")
    print(submission.next_step)
