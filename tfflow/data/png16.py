"""PNG with three channels of 16 bits, in which KITTI stores flow; Pillow keeps 8 of the 16 bits.

Format: W3C, Portable Network Graphics (third edition).
"""

import struct
import zlib

import numpy as np
from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_MAX_DIMENSION = 99_999  # more is a damaged header
_COLOR_TYPES = {0: "grey", 2: "RGB", 3: "palette", 4: "grey and alpha", 6: "RGBA"}


def decode(content):
    """Decodes a PNG of three 16-bit channels.

    Args:
        content: the bytes of the whole file.

    Returns:
        (H, W, 3) uint16.

    Raises:
        ValueError: no PNG, another kind of PNG, damaged or truncated; the text says which. The
            caller knows the file's name and adds it.
    """
    if not content.startswith(SIGNATURE):
        raise ValueError(f"expected the PNG signature, the file starts with {content[:8]!r}")
    header, compressed = None, []
    for kind, data in _chunks(content):
        if kind == b"IHDR":
            header = data
        elif kind == b"IDAT":
            compressed.append(data)
    if header is None or len(header) != 13:
        raise ValueError("expected a PNG header (IHDR) of 13 bytes, found none")
    width, height, bits, color_type, *methods, interlaced = struct.unpack(">IIBBBBB", header)
    if methods != [0, 0]:
        raise ValueError(f"expected compression and filter 0, its header says {methods}")
    if (bits, color_type, interlaced) != (16, 2, 0):
        kind = _COLOR_TYPES.get(color_type, f"colour type {color_type}")
        order = ", interlaced" if interlaced else ""
        raise ValueError(f"expected a PNG of 16-bit RGB, this one is {bits}-bit {kind}{order}")
    compressed = b"".join(compressed)
    _check_data(width, height, compressed)
    # Pillow's decoder undoes PNG's row filters in C but hands out one byte of each 16-bit sample:
    # the upper one when told that samples are big-endian (as PNG's are), the lower one when told
    # that they are little-endian. Decoding twice gives both.
    try:
        upper, lower = (
            np.asarray(Image.frombytes("RGB", (width, height), compressed, "zip", mode))
            for mode in ("RGB;16B", "RGB;16L")
        )
    except ValueError as error:
        raise ValueError(f"its compressed data is damaged ({error})") from error
    return upper.astype(np.uint16) << 8 | lower


def encode(array):
    """Encodes (H, W, 3) uint16 as the bytes of a PNG file."""
    height, width, _ = array.shape
    samples = np.ascontiguousarray(array, dtype=">u2").view(np.uint8).reshape(height, 6 * width)
    # Row filter 2, "up": each byte minus the one above it (modulo 256); flow is smooth.
    filtered = np.empty((height, 1 + 6 * width), np.uint8)
    filtered[:, 0] = 2
    filtered[0, 1:] = samples[0]
    filtered[1:, 1:] = samples[1:] - samples[:-1]
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes(), 6)), (b"IEND", b"")]
    return SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _chunks(content):
    """Yields (kind, data) of each chunk, its checksum checked, up to and including IEND."""
    position = len(SIGNATURE)
    while position + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, position)
        end = position + 8 + length
        if end + 4 > len(content):
            break
        data = content[position + 8 : end]
        if zlib.crc32(kind + data) != struct.unpack_from(">I", content, end)[0]:
            raise ValueError(f"chunk {kind!r} at byte {position} has a wrong checksum")
        yield kind, data
        if kind == b"IEND":
            return
        position = end + 4
    raise ValueError(
        f"the PNG is truncated: it ends at byte {len(content)}, before its end mark (IEND)"
    )


def _check_data(width, height, compressed):
    """Checks the header's promise against the data, which Pillow fills up with black instead."""
    if not (0 < width <= _MAX_DIMENSION and 0 < height <= _MAX_DIMENSION):
        raise ValueError(f"its header says {width}x{height}; 1 to {_MAX_DIMENSION} is allowed")
    expected = height * (1 + 6 * width)
    try:
        found = len(zlib.decompressobj().decompress(compressed, expected + 1))
    except zlib.error as error:
        raise ValueError(f"its compressed data is damaged ({error})") from error
    if found != expected:
        raise ValueError(
            f"its header promises {width}x{height} pixels, {expected} bytes, and its data has "
            f"{'more' if found > expected else found}"
        )
