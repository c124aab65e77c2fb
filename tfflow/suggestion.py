"""Suggestions for a misspelt name."""

import difflib


def suggestion(word, known):
    """A sentence: the nearest of the known names, or all of them where none is near."""
    known = list(known)
    near = difflib.get_close_matches(str(word), known, n=1, cutoff=0.5)
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known) or 'none'}."
