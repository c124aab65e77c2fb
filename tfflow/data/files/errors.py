"""What is wrong with a file, and how it is said."""


class CorruptFileError(ValueError):
    """A file that is not what its name or header says: truncated, damaged, mislabelled, empty."""


def error_text(error):
    """What an error says, without the numbers that the system's own errors begin with."""
    if isinstance(error, OSError) and error.errno is not None and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)
