"""tfflow models: the networks and presets."""

import tfflow
from tfflow.cli.shared import command


def add(commands):
    command(commands, "models", run, "list the networks and presets", "The networks by name.")


def run(arguments):
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
