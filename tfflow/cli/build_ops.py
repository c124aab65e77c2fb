"""tfflow build-ops: compiles the native ops ahead of their first use."""

from tfflow.cli import shared


def add(commands):
    parser = shared.command(
        commands,
        "build-ops",
        run,
        "compile the native ops",
        "Compiles correlation and warp for the installed TensorFlow, this processor and the NVIDIA "
        "GPUs that TensorFlow sees, into the user's cache (or $TFFLOW_CACHE), and shows what was "
        "built. Without this command, it happens when they are first needed; without a C++ "
        "compiler, or without nvcc on a GPU, the reference runs in their place.",
    )
    parser.add_argument("--force", action="store_true", help="compile even if they are there")


def run(arguments):
    from tfflow.native import build
    from tfflow.progress import print_table, progress_bar
    from tfflow.startup import start_backend_quietly

    start_backend_quietly()
    try:
        with progress_bar("compiling native ops") as bar:
            build.build(lambda done, total, what: bar(done, total), force=arguments.force)
    except build.BuildError as error:
        raise OSError(error) from error
    print_table("native ops", ("", ""), build.description(), texts=(1,))
