"""Results of a benchmark: the CSV beside it, and the table in the docs."""

import argparse
import csv


def options(script, names=None):
    """The command line of a script: ``--help``, and names where it takes some.

    Args:
        script: The script's docstring.
        names: What the names are, for ``--help``; None: it takes none.

    Returns:
        The names given.
    """
    parser = argparse.ArgumentParser(
        description=script, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if names:
        parser.add_argument("names", nargs="*", help=names)
    return getattr(parser.parse_args(), "names", [])


def write_csv(path, rows):
    """One line for each dict, with the first one's keys as columns."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def put_table(path, name, lines):
    """Puts lines into a page between its comments ``<!-- name -->`` and ``<!-- end of name -->``.

    Raises:
        ValueError: If the page has no such place.
    """
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    text = path.read_text(encoding="utf-8")
    if begin not in text or end not in text:
        raise ValueError(f"{path} has no place for the table: {begin.strip()} … {end.strip()}")
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    path.write_text(before + begin + "\n".join(lines) + "\n" + end + after, encoding="utf-8")
    print("\n".join(lines))
