"""Tables that are made of the library itself: ``{networks}`` and ``{recipes}``."""

from sphinx.util.docutils import SphinxDirective

import tfflow
from tfflow.markdown import markdown_table


class Networks(SphinxDirective):
    """Every registered network."""

    def run(self):
        columns = ("network", "parameters", "GFLOPs", "", "published")
        entries = map(tfflow.models.entry, tfflow.models.list())
        rows = [
            (f"`{e.name}`", f"{e.parameters:,}", f"{e.gflops:.2f}", e.description, e.paper)
            for e in entries
        ]
        return self.parse_text_to_nodes("\n".join(markdown_table(columns, rows, texts=(0, 3, 4))))


class Recipes(SphinxDirective):
    """Every recipe, in the order of its family."""

    def run(self):
        columns = ("recipe", "begins with", "steps", "batch", "crop", "cost", "EPE to expect, px")
        rows = []
        for name in tfflow.recipes.list():
            recipe = tfflow.recipes.get(name)
            begins = ", ".join(f"`{earlier}`" for earlier in recipe.starts_from.values())
            size = "{}x{}".format(*recipe.crop)
            rows.append(
                (f"`{name}`", begins, f"{recipe.steps:,}", recipe.batch_size, size, recipe.cost)
                + (recipe.expected,)
            )
        return self.parse_text_to_nodes(
            "\n".join(markdown_table(columns, rows, texts=(0, 1, 4, 5, 6)))
        )


def setup(app):
    app.add_directive("networks", Networks)
    app.add_directive("recipes", Recipes)
    return {"parallel_read_safe": True}
