"""Errors of files, and their messages."""


class CorruptFileError(ValueError):
    """A file that is not what its name or header says: truncated, damaged, mislabelled, empty."""


def error_text(error):
    """An error's message, without the numbers that system errors begin with."""
    if isinstance(error, OSError) and error.errno is not None and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)
