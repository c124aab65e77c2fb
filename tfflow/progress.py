"""Progress bars and tables in the terminal, with rich."""

import contextlib
import sys

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table


@contextlib.contextmanager
def progress_bar(what):
    """A bar on standard error; yields ``update(done, total)``, ``total`` None if unknown."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    console = Console(file=sys.stderr)
    options = {"console": console, "transient": True, "disable": not console.is_terminal}
    with Progress(*columns, TimeRemainingColumn(), **options) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextlib.contextmanager
def working(what):
    """Says on standard error, with a spinner, what is being done."""
    with Console(file=sys.stderr).status(what):
        yield


def print_table(title, header, rows, *, texts=False):
    """Prints a table to standard output; the first column to the left, the others to the right.

    With ``texts``, all columns stand to the left.
    """
    table = Table(box=box.SIMPLE_HEAD, show_header=any(header))
    for index, name in enumerate(header):
        side = "right" if index and not texts else "left"
        table.add_column(name, justify=side, overflow="fold", no_wrap=texts and not index)
    for row in rows:
        table.add_row(*row)
    # Into a file or a pipe, nothing is cut to the width of a terminal that is not there.
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(title, soft_wrap=True, highlight=False, markup=False)
    console.print(table)
