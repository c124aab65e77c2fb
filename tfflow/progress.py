"""Progress bars and tables in the terminal, with rich."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Literal, TextIO

import numpy as np
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

SECONDS = 30.0  # between lines, if there is no terminal for a bar


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a standard stream is one; None is one that was closed (``>&-``)."""
    return stream is not None and stream.isatty()


def is_false(answer: object) -> bool:
    """Whether a callback has answered False, not None or anything else: then it wants an end."""
    return isinstance(answer, (bool, np.bool_)) and not answer


@contextlib.contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int | None], object]]:
    """A bar on standard error; yields ``update(done, total)``, ``total`` None if unknown.

    If standard error is a log file, not a terminal, a line now and then instead.
    """
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield _Lines(what)
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Lines:
    """Prints progress at most every ``SECONDS``; called like a bar's update."""

    def __init__(self, what):
        self.what, self.last = what, time.monotonic()

    def __call__(self, done, total):
        now = time.monotonic()
        if now - self.last >= SECONDS:
            self.last = now
            of_all = "" if total is None else f" of {total}"
            print(f"{self.what}: {done}{of_all}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def working(what: str) -> Iterator[None]:
    """Shows on standard error what is being done, by a spinner or a line now and then."""
    console = Console(file=sys.stderr)
    if console.is_terminal:
        with console.status(what):
            yield
        return
    start, done = time.monotonic(), threading.Event()

    def say():
        while not done.wait(SECONDS):
            print(f"{what}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)

    thread = threading.Thread(target=say, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def print_table(
    title: str,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    texts: Collection[int] = (),
) -> None:
    """Prints a table to standard output; the first column left-aligned, the others right-aligned.

    Columns whose numbers are in ``texts`` are left-aligned too, as text should be.
    """
    table = Table(box=box.SIMPLE_HEAD, show_header=any(header))
    for index, name in enumerate(header):
        side: Literal["left", "right"] = "left" if not index or index in texts else "right"
        table.add_column(name, justify=side, overflow="fold", no_wrap=bool(texts) and not index)
    for row in rows:
        table.add_row(*row)
    # In a file or a pipe, nothing is cut to the width of a missing terminal.
    console = Console(width=None if is_terminal(sys.stdout) else 120)
    console.print(title, soft_wrap=True, highlight=False, markup=False)
    console.print(table)
