"""Tables in Markdown, for reports and pages."""


def markdown_table(heads, rows, *, texts=(0,)):
    """A table as lines, its columns as wide as their longest cell so that the source reads well.

    Args:
        heads: The columns' names.
        rows: Iterable of rows, each with a cell for every column; cells are passed to ``str``.
        texts: Numbers of the left-aligned columns; the others are right-aligned.

    Returns:
        A list of lines.
    """
    rows = [[str(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]

    def line(cells):
        sides = ("<" if column in texts else ">" for column in range(len(widths)))
        return "| " + " | ".join(map("{:{}{}}".format, cells, sides, widths)) + " |"

    rules = ("-" * width for width in widths)
    rules = [rule if column in texts else rule[1:] + ":" for column, rule in enumerate(rules)]
    return [line(rows[0]), f"| {' | '.join(rules)} |", *map(line, rows[1:])]
