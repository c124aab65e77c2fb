"""tfflow download: published checkpoints into the cache."""

from tfflow.cli import shared
from tfflow.startup import start_backend_quietly


def add(commands):
    parser = shared.command(
        commands,
        "download",
        run,
        "download published checkpoints",
        "Each is kept in the cache if every tensor of it has its place in the network. Afterwards "
        "--model NAME and tfflow.load(NAME) need no connection; they download it by themselves, "
        "too.",
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help="see tfflow models --checkpoints")
    parser.add_argument("--again", action="store_true", help="even if it is in the cache")


def run(arguments):
    from tfflow.weights import checkpoint, download_checkpoint

    for name in arguments.names:
        checkpoint(name)  # a misspelt name is found before the first download
    start_backend_quietly()
    for name in arguments.names:
        path = download_checkpoint(name, again=arguments.again)
        print(f"{name} -> {path}")
