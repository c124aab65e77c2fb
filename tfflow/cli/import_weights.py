"""tfflow import-weights: another project's checkpoint as a Keras file."""

from tfflow.cli import shared
from tfflow.startup import start_backend_quietly
from tfflow.weights.projects import PROJECTS


def add(commands):
    parser = shared.command(
        commands,
        "import-weights",
        run,
        "turn another project's checkpoint into a .keras file",
        "Every tensor of the checkpoint must have its place in the network, or nothing is written.",
    )
    parser.add_argument("network", help="a network's name (tfflow models)")
    parser.add_argument("checkpoint", help=".pth, .safetensors or .npz")
    parser.add_argument(
        "-o", "--output", required=True, help="the .keras or .weights.h5 file to write"
    )
    parser.add_argument(
        "--project",
        choices=tuple(PROJECTS),
        help="where it comes from [told by the tensors' names]",
    )
    parser.add_argument(
        "--averaged",
        action="store_true",
        help="take the weights averaged over training (such as model_ema)",
    )


def run(arguments):
    from tfflow.progress import working
    from tfflow.weights.importing import check_output, import_checkpoint, save

    output = check_output(arguments.output)
    start_backend_quietly()
    with working(f"importing {arguments.checkpoint}"):
        imported = import_checkpoint(
            arguments.network,
            arguments.checkpoint,
            project=arguments.project,
            averaged=arguments.averaged,
        )
        save(imported.model, output)
    model = imported.model
    print(
        f"{len(model.weights)} tensors of {imported.project}, {model.count_params():,} numbers -> "
        f"{output} ({imported.taken})"
    )
    if output.suffix != ".keras" and imported.arguments:
        values = "".join(f", {name}={value!r}" for name, value in imported.arguments.items())
        print(f"These weights are for tfflow.models.create({arguments.network!r}{values}).")
