"""The 16-bit PNG reader against files put together here, byte by byte, from the specification."""

import struct
import zlib
from itertools import pairwise

import numpy as np
import pytest

from tfflow.data import png16


def paeth(left, above, above_left):
    guess = left + above - above_left
    return min((left, above, above_left), key=lambda value: abs(guess - value))


def png_file(array, filters, header=None, pieces=1):
    """A PNG of (H, W, 3) uint16 whose rows use the filters in turn, in as many IDAT chunks."""
    height, width, _ = array.shape
    rows = array.astype(">u2").tobytes()
    rows = [rows[6 * width * y : 6 * width * (y + 1)] for y in range(height)]
    data = b""
    for y, row in enumerate(rows):
        kind = filters[y % len(filters)]
        above = rows[y - 1] if y else bytes(6 * width)
        data += bytes([kind])
        for x, value in enumerate(row):
            a = row[x - 6] if x >= 6 else 0
            b = above[x]
            c = above[x - 6] if x >= 6 else 0
            guess = (0, a, b, (a + b) // 2, paeth(a, b, c))[kind]
            data += bytes([(value - guess) % 256])
    data = zlib.compress(data)
    header = header or struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    cuts = [len(data) * i // pieces for i in range(pieces + 1)]
    chunks = [(b"IHDR", header), (b"tEXt", b"Title\0a text")]
    chunks += [(b"IDAT", data[start:end]) for start, end in pairwise(cuts)]
    chunks += [(b"IEND", b"")]
    return png16.SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


@pytest.fixture
def array():
    generator = np.random.default_rng(0)
    array = generator.integers(0, 65_536, (11, 7, 3)).astype(np.uint16)
    array[4:8] = 32_768 + np.arange(7)[:, None]  # smooth rows, too
    return array


@pytest.mark.parametrize("filters", [[0], [1], [2], [3], [4], [0, 1, 2, 3, 4]])
@pytest.mark.parametrize("pieces", [1, 3])
def test_decodes_every_row_filter(array, filters, pieces):
    decoded = png16.decode(png_file(array, filters, pieces=pieces))
    assert decoded.dtype == np.uint16
    np.testing.assert_array_equal(decoded, array)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (40, 63)])
def test_round_trip(shape):
    array = np.random.default_rng(1).integers(0, 65_536, (*shape, 3)).astype(np.uint16)
    np.testing.assert_array_equal(png16.decode(png16.encode(array)), array)


def test_opencv_reads_what_is_written(array):
    cv2 = pytest.importorskip("cv2")
    content = np.frombuffer(png16.encode(array), np.uint8)
    bgr = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(bgr[..., ::-1], array)


def test_every_truncation_is_noticed(array):
    content = png16.encode(array)
    for length in range(len(content) - 1):
        with pytest.raises(ValueError):
            png16.decode(content[:length])


def test_every_changed_byte_is_noticed(array):
    content = png16.encode(array)
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 0x55
        with pytest.raises(ValueError):
            png16.decode(bytes(damaged))


@pytest.mark.parametrize("size", [(7, 12), (7, 10), (8, 11), (6, 11), (60_000, 60_000)])
def test_size_that_is_not_the_data_s(array, size):
    header = struct.pack(">IIBBBBB", *size, 16, 2, 0, 0, 0)
    with pytest.raises(ValueError, match=f"promises {size[0]}x{size[1]} pixels"):
        png16.decode(png_file(array, [0], header))


@pytest.mark.parametrize("size", [(0, 11), (7, 0), (100_000, 1), (2**31 - 1, 2**31 - 1)])
def test_absurd_size(array, size):
    header = struct.pack(">IIBBBBB", *size, 16, 2, 0, 0, 0)
    with pytest.raises(ValueError, match=f"says {size[0]}x{size[1]}"):
        png16.decode(png_file(array, [0], header))


def test_other_kinds_of_png(array):
    for bits, color_type, name in (
        (8, 2, "8-bit RGB"),
        (16, 0, "16-bit grey"),
        (8, 6, "8-bit RGBA"),
    ):
        header = struct.pack(">IIBBBBB", 7, 11, bits, color_type, 0, 0, 0)
        with pytest.raises(ValueError, match=f"expected a PNG of 16-bit RGB, this one is {name}"):
            png16.decode(png_file(array, [0], header))
