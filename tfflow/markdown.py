"""Tables in Markdown, for reports and pages."""


def markdown_table(heads, rows, *, texts=(0,)):
    """A table as lines, its columns as wide as their longest cell so that it reads well as it is.

    Args:
        heads: The columns' names.
        rows: Iterable of rows, each with a cell for every column; ``str`` is taken of each.
        texts: Numbers of the columns that stand to the left; the others stand to the right.

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
