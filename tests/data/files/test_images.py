"""Images: every kind becomes RGB, damaged ones are named."""

import os
import struct

import numpy as np
import pytest
from PIL import Image

from tfflow.data.files.errors import CorruptFileError
from tfflow.data.files.flows import write_flow
from tfflow.data.files.images import read_image, write_image


@pytest.fixture
def rgb():
    return np.random.default_rng(0).integers(0, 256, (13, 17, 3)).astype(np.uint8)


@pytest.mark.parametrize("extension", [".png", ".ppm", ".bmp", ".tif", ".TIFF", ".webp"])
def test_lossless_image_round_trip(tmp_path, rgb, extension):
    write_image(tmp_path / f"a{extension}", rgb)
    read = read_image(tmp_path / f"a{extension}")
    assert read.dtype == np.uint8 and read.flags.writeable
    np.testing.assert_array_equal(read, rgb)


def test_jpeg_is_close(tmp_path):
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    image = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], 128), axis=-1).astype(np.uint8)
    write_image(tmp_path / "a.jpg", image)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - image).mean() < 2


def test_other_modes_become_rgb(tmp_path, rgb):
    grey = rgb[..., 0]
    write_image(tmp_path / "grey.png", grey)
    np.testing.assert_array_equal(read_image(tmp_path / "grey.png"), np.dstack([grey] * 3))
    Image.fromarray(grey).save(tmp_path / "grey.pgm")
    np.testing.assert_array_equal(read_image(tmp_path / "grey.pgm"), np.dstack([grey] * 3))
    Image.fromarray(np.dstack([rgb, grey])).save(tmp_path / "rgba.png")
    np.testing.assert_array_equal(read_image(tmp_path / "rgba.png"), rgb)
    Image.fromarray(np.dstack([grey, grey // 2]), "LA").save(tmp_path / "la.png")
    np.testing.assert_array_equal(read_image(tmp_path / "la.png"), np.dstack([grey] * 3))
    palette = Image.fromarray(rgb).quantize(16)
    palette.save(tmp_path / "palette.png", transparency=0)
    np.testing.assert_array_equal(read_image(tmp_path / "palette.png"), palette.convert("RGB"))
    black_and_white = Image.fromarray(grey).convert("1")
    black_and_white.save(tmp_path / "bits.png")
    np.testing.assert_array_equal(read_image(tmp_path / "bits.png"), black_and_white.convert("RGB"))


def test_16_bits_become_the_upper_8(tmp_path):
    cv2 = pytest.importorskip("cv2")
    array = np.random.default_rng(0).integers(0, 65_536, (6, 7, 3)).astype(np.uint16)
    for name, values in (
        ("rgb.png", array[..., ::-1]),
        ("grey.png", array[..., 0]),
        ("grey.tif", array[..., 0]),
    ):
        cv2.imwrite(str(tmp_path / name), values)
    np.testing.assert_array_equal(read_image(tmp_path / "rgb.png"), array >> 8)
    for name in ("grey.png", "grey.tif"):
        np.testing.assert_array_equal(read_image(tmp_path / name)[..., 1], array[..., 0] >> 8)


def test_values_without_a_range_are_refused(tmp_path):
    Image.fromarray(np.ones((4, 5), np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(ValueError, match="floating point"):
        read_image(tmp_path / "float.tif")
    for values in (np.full((4, 5), 100_000, np.int32), np.arange(20, dtype=np.int32)[None]):
        Image.fromarray(values).save(tmp_path / "int.tif")
        with pytest.raises(ValueError, match="32-bit"):
            read_image(tmp_path / "int.tif")


def test_exif_orientation_is_applied(tmp_path, rgb):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees clockwise
    Image.fromarray(rgb).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), np.rot90(rgb, -1))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("extension", [".png", ".ppm", ".jpg", ".bmp", ".tif", ".webp"])
def test_truncated_image(tmp_path, rgb, extension):
    path = tmp_path / f"a{extension}"
    write_image(path, rgb)
    content = path.read_bytes()
    for length in (0, 1, 10, len(content) // 2):
        path.write_bytes(content[:length])
        with pytest.raises(CorruptFileError) as caught:
            read_image(path)
        assert str(path) in str(caught.value)


def test_a_png_with_a_wrong_checksum(tmp_path, rgb):
    """Training's decoder refuses it, so reading does too."""
    path = tmp_path / "a.png"
    write_image(path, rgb)
    content = bytearray(path.read_bytes())
    content[content.rindex(b"IEND") - 5] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptFileError, match=r"a\.png: the image is damaged .*checksums"):
        read_image(path)


def test_what_is_no_image(tmp_path):
    write_flow(tmp_path / "a.flo", np.zeros((4, 5, 2)))
    with pytest.raises(CorruptFileError, match=r"expected an image .* starts with b'PIEH"):
        read_image(tmp_path / "a.flo")
    (tmp_path / "a.png").write_text("no image")
    with pytest.raises(CorruptFileError, match="starts with b'no image'"):
        read_image(tmp_path / "a.png")
    (tmp_path / "float_rgb.tif").write_bytes(b"II*\0" + bytes(60))
    with pytest.raises(CorruptFileError, match="a TIFF of a kind that Pillow does not read"):
        read_image(tmp_path / "float_rgb.tif")
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "missing.png")


def test_absurd_image_size_is_refused(tmp_path):
    (tmp_path / "a.ppm").write_bytes(b"P6\n90000 90000\n255\n" + bytes(100))
    with pytest.raises(
        ValueError, match=r"a.ppm has more pixels than .* \(8100000000 pixels\)"
    ) as raised:
        read_image(tmp_path / "a.ppm")
    assert not isinstance(raised.value, CorruptFileError)


def test_wrong_image_arrays(tmp_path):
    with pytest.raises(TypeError, match=r"expected uint8 values 0\.\.255, got float64"):
        write_image(tmp_path / "a.png", np.zeros((4, 5, 3)))
    for shape in ((4,), (4, 5, 4), (1, 4, 5, 3), (0, 5, 3)):
        with pytest.raises(ValueError, match=r"expected an image \(H, W, 3\) or \(H, W\)"):
            write_image(tmp_path / "a.png", np.zeros(shape, np.uint8))
    assert not os.listdir(tmp_path)


def little_tiff(path, bits, photometric, row):
    """A TIFF of one grey row, by the letter of TIFF 6.0: Pillow writes no 12 bits."""
    tags = [(256, row[1]), (257, 1), (258, bits), (259, 1), (262, photometric), (273, 8)]
    tags += [(277, 1), (278, 1), (279, len(row[0]))]
    directory = b"".join(struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in tags)
    path.write_bytes(
        struct.pack("<2sHI", b"II", 42, 8 + len(row[0]))
        + row[0]
        + struct.pack("<H", len(tags))
        + directory
        + bytes(4)
    )
    return path


def test_tiffs_of_12_bits_and_those_that_count_from_white(tmp_path):
    ramp = np.linspace(0, 4095, 16).astype(int)
    packed = b"".join((int(a) << 12 | int(b)).to_bytes(3, "big") for a, b in ramp.reshape(-1, 2))
    found = read_image(little_tiff(tmp_path / "12.tif", 12, 1, (packed, 16)))
    np.testing.assert_array_equal(found[0, :, 1], ramp >> 4)
    for photometric, expected in ((1, [0, 127, 255]), (0, [255, 128, 0])):
        row = np.array([0, 0x7FFF, 0xFFFF], "<u2").tobytes() + bytes(2)
        path = little_tiff(tmp_path / "16.tif", 16, photometric, (row, 3))
        np.testing.assert_array_equal(read_image(path)[0, :, 2], expected)
