"""Tables that are made of the library itself."""

from sphinx.util.docutils import SphinxDirective

import tfflow
from tfflow.markdown import markdown_table
from tfflow.weights.checkpoints import RESULTS


class Table(SphinxDirective):
    """Base class: a table of a subclass's columns and rows, in Markdown."""

    columns, texts = (), ()

    def rows(self):
        raise NotImplementedError

    def run(self):
        lines = markdown_table(self.columns, self.rows(), texts=self.texts)
        return self.parse_text_to_nodes("\n".join(lines))


class Networks(Table):
    """Every registered network."""

    columns = ("network", "parameters", "GFLOPs", "", "published")
    texts = (0, 3, 4)

    def rows(self):
        for each in map(tfflow.models.entry, tfflow.models.list()):
            numbers = f"{each.parameters:,}", f"{each.gflops:.2f}"
            yield f"`{each.name}`", *numbers, each.description, each.paper


class Checkpoints(Table):
    """Every published checkpoint that has a name."""

    # In the order of RESULTS.
    columns = (
        *("checkpoint", "Chairs", "SDHom", "Sintel clean", "final", "KITTI 2012", "2015", "Fl"),
    )
    texts = (0,)

    def rows(self):
        for each in map(tfflow.weights.checkpoint, tfflow.weights.list_checkpoints()):
            results = (each.results.get(result, "") for result in RESULTS.values())
            yield f"`{each.name}`", *results


class Recipes(Table):
    """Every recipe."""

    columns = ("recipe", "begins with", "steps", "batch", "crop", "cost", "EPE to expect, px")
    texts = (0, 1, 4, 5, 6)

    def rows(self):
        for each in map(tfflow.recipes.get, tfflow.recipes.list()):
            begins = ", ".join(f"`{earlier}`" for earlier in each.starts_from.values())
            crop = "{}x{}".format(*each.crop)
            steps = f"{each.steps:,}"
            yield f"`{each.name}`", begins, steps, each.batch_size, crop, each.cost, each.expected


def setup(app):
    for name, table in (("networks", Networks), ("checkpoints", Checkpoints), ("recipes", Recipes)):
        app.add_directive(name, table)
    return {"parallel_read_safe": True}
