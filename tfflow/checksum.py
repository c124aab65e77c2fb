"""SHA-256 of files."""

import hashlib


def sha256_of(path):
    """A file's SHA-256 in hexadecimal; the file is read in blocks."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
