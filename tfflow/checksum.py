"""SHA-256 of files."""

import hashlib


def sha256_of(path):
    """A file's SHA-256 in hexadecimal; the file is read in blocks."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
