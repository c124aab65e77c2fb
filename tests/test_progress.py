"""Tables in the terminal."""

import sys

from tfflow.progress import print_table


def test_a_table_where_standard_output_is_closed(monkeypatch, capsys):
    rows = [("a", "1.0")]
    print_table("title", ("", "number"), rows)
    assert "1.0" in capsys.readouterr().out
    monkeypatch.setattr(sys, "stdout", None)  # as of "tfflow models >&-"
    print_table("title", ("", "number"), rows)
