"""tfflow models: the networks, presets and published checkpoints."""

import tfflow
from tfflow.cli import shared


def add(commands):
    parser = shared.command(
        commands,
        "models",
        run,
        "list the networks, presets and published checkpoints",
        "The networks by name, or published checkpoints of them.",
    )
    parser.add_argument(
        "--checkpoints",
        nargs="?",
        const="",
        metavar="NETWORK",
        help="published checkpoints, of all networks or of one, to be loaded by their names",
    )


def run(arguments):
    if arguments.checkpoints is None:
        _networks()
    else:
        _checkpoints(arguments.checkpoints)


def _networks():
    from tfflow.detection.presets import detector_card, list_detectors
    from tfflow.progress import print_table
    from tfflow.weights import presets

    rows = []
    for name in tfflow.models.list():
        entry = tfflow.models.entry(name)
        parameters = "" if entry.parameters is None else f"{entry.parameters:,}"
        rows.append((name, parameters, ", ".join(presets.list_presets(name)), entry.description))
    print_table("networks", ("name", "parameters", "presets", ""), rows, texts=(2, 3))
    cards = [detector_card(name) for name in list_detectors()]
    rows = [(card["name"], card["description"]) for card in cards]
    print_table("detectors of objects in videos (tfflow detect)", ("name", ""), rows, texts=(1,))
    print("Published checkpoints of these networks: tfflow models --checkpoints")


def _checkpoints(network):
    from tfflow.progress import print_table
    from tfflow.weights import checkpoint, list_checkpoints

    if network:
        tfflow.models.entry(network)  # raises, with the nearest name
    found = [checkpoint(name) for name in list_checkpoints(network or None)]
    rows = [
        (
            each.name,
            f"{each.network}, trained on {' + '.join(each.trained_on).replace('_', ' ')}: "
            f"{_published(each) or 'nothing published'}\n{each.short_terms}",
            f"{each.megabytes:.0f}",
            "yes" if each.path.is_file() else "",
        )
        for each in found
    ]
    print_table(
        "published checkpoints, with their published EPE in px and Fl in %",
        ("name", "network, data, results, terms", "MB", "here"),
        rows,
        texts=(1,),
    )
    terms = {line for each in found for line in each.terms}
    print("The terms in full, as far as known here; their owners' pages decide:", end="\n  ")
    print(*sorted(terms), sep="\n  ")


def _published(found):
    names = {"epe": "", "fl": " Fl"}
    return ", ".join(f"{kind}{names[what]} {x:g}" for (kind, what), x in found.results.items())
