"""Image files to NumPy arrays, (H, W, 3) uint8, RGB, and back."""

import os
import re
import struct
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from tfflow.atomic_file import atomic_file, check_writable
from tfflow.data.files.errors import CorruptFileError
from tfflow.types import Array, PathLike

# Tags of a TIFF.
_BITS_PER_SAMPLE, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
IMAGE_EXTENSIONS = (".png", ".ppm", ".pgm", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")

# What names begin with that no file manager shows, or that archives and servers leave.
HIDDEN = (".", "__MACOSX", "@eaDir")

# Pillow's options, lossless where a format allows that.
_IMAGE_WRITE_OPTIONS: dict[str, dict[str, Any]] = {
    ".png": {},
    ".ppm": {},
    ".jpg": {"quality": 95, "subsampling": 0},
    ".jpeg": {"quality": 95, "subsampling": 0},
    ".bmp": {},
    ".tif": {},
    ".tiff": {},
    ".webp": {"lossless": True},
}


def images_in(folder: Path) -> list[Path]:
    """The images of a folder, sorted by name, numbers by value; without ``*_flow.*`` and hidden."""

    def order(path):
        return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path.name)]

    found = (path for path in folder.iterdir() if path.suffix.lower() in IMAGE_EXTENSIONS)
    shown = (path for path in found if not path.name.startswith("."))
    return sorted((path for path in shown if not path.stem.endswith("_flow")), key=order)


def images_below(folder: Path, skipping: Collection[str] = ()) -> Iterator[Path]:
    """The images of a folder and of those in it, but hidden ones; in no order.

    Args:
        folder: the folder.
        skipping: names of files; a folder that holds one is passed over.
    """
    seen = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        where = os.path.realpath(place)
        if where in seen or not set(skipping).isdisjoint(files):
            folders.clear()  # a link to a folder above, or one to leave alone
            continue
        seen.add(where)
        folders[:] = [name for name in folders if not name.startswith(HIDDEN)]
        for name in files:
            path = Path(place, name)
            if path.suffix.lower() in IMAGE_EXTENSIONS and not name.startswith(HIDDEN):
                yield path


def image_size(path: PathLike) -> tuple[int, int]:
    """(width, height) by the file's header; (0, 0) if that can't be read."""
    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, ValueError, Image.DecompressionBombError):
        return 0, 0


def read_image(path: PathLike) -> npt.NDArray[np.uint8]:
    """Reads an image as RGB, whatever it is stored as.

    Grey is repeated over the three channels, transparency is dropped (the colours stay as stored,
    nothing is blended), 16 bits become 8, and the camera's orientation (EXIF) is applied.
    An animation gives its first frame.

    Args:
        path: a PNG, JPEG, PPM/PGM, BMP, TIFF, WebP or another format that Pillow reads.

    Returns:
        (H, W, 3) uint8, RGB.

    Raises:
        CorruptFileError: the file is empty, truncated, damaged or not an image.
        ValueError: an image of floating-point, 32-bit or signed values, whose range is not known,
            or of more pixels than Pillow opens.
        OSError: the file can't be opened.
    """
    path = Path(path)
    with open(path, "rb") as file:
        try:
            image: Image.Image = Image.open(file)
            image.load()
            kind, tags = image.format, getattr(image, "tag_v2", {})
            if image.format == "PNG":
                file.seek(0)
                if not is_whole_png(file.read()):
                    raise ValueError("its bytes do not add up to its checksums")
            image = ImageOps.exif_transpose(image)
        except MemoryError:
            raise
        except Image.DecompressionBombError as error:
            raise ValueError(
                f"{path} has more pixels than Pillow opens ({error}); cut it into pieces, or "
                "shrink it"
            ) from error
        except Exception as error:  # Pillow's decoders raise nearly any type on damaged files
            raise CorruptFileError(_image_complaint(path, error)) from error
    if image.mode.startswith("I"):
        values = np.asarray(image)
        # Pillow's mode "I" is 16 bits of a PNG or a PGM; of a TIFF, 32 or 16 with a sign.
        if image.mode == "I" and kind not in ("PNG", "PPM"):
            raise ValueError(
                f"{path}: expected 8 or 16 bits per channel, got 32-bit or signed values, whose "
                "range is not known; scale to 0..255 first"
            )
        # A TIFF may have fewer of 16 bits, as cameras do, and may count from white.
        (bits,) = tags.get(_BITS_PER_SAMPLE, (16,))
        values = (values >> (bits - 8)).astype(np.uint8)
        if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
            values = 255 - values
        return np.repeat(values[..., None], 3, axis=2)
    if image.mode == "F":
        raise ValueError(
            f"{path}: expected 8 or 16 bits per channel, got floating point; scale to 0..255 first"
        )
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")
    return np.array(image.convert("RGB"))


def is_whole_png(content):
    """Whether all chunks of a PNG are there, with the checksums that they were written with.

    Pillow does not look at those of the pixels; libpng, as TensorFlow uses it, refuses the file.
    """
    view, start, kind = memoryview(content), len(PNG_MAGIC), b""
    while kind != b"IEND":
        if start + 12 > len(view):
            return False
        length, kind = struct.unpack_from(">I4s", view, start)
        end = start + 8 + length
        if end + 4 > len(view):
            return False
        if zlib.crc32(view[start + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            return False
        start = end + 4
    return True


def write_image(path: PathLike, image: Array) -> None:
    """Writes an image in the format that the extension names, whole or not at all.

    Args:
        path: .png, .ppm, .bmp, .tif, .tiff, .webp (all lossless), .jpg or .jpeg; its folder must
            exist.
        image: (H, W, 3) RGB or (H, W) grey, uint8.

    Raises:
        TypeError: the array is not uint8.
        ValueError: a wrong shape or an unknown extension.
        OSError: the file can't be written.
    """
    path = Path(path)
    check_image_path(path)
    image = np.asarray(image)
    if image.dtype != np.uint8:
        raise TypeError(
            f"{path}: expected uint8 values 0..255, got {image.dtype}; scale and round first"
        )
    if image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)) or 0 in image.shape:
        raise ValueError(f"{path}: expected an image (H, W, 3) or (H, W), got {image.shape}")
    with atomic_file(path) as temporary:
        Image.fromarray(image).save(temporary, **_IMAGE_WRITE_OPTIONS[path.suffix.lower()])


def check_image_path(path):
    """Checks that an image can be written there, before the work that produces it.

    Raises:
        ValueError: an unknown extension.
        OSError: the file can't be written.
    """
    extension = Path(path).suffix
    if extension.lower() not in _IMAGE_WRITE_OPTIONS:
        raise ValueError(
            f"cannot write an image to {path}: unknown extension {extension!r}, "
            f"use one of {', '.join(_IMAGE_WRITE_OPTIONS)}"
        )
    check_writable(path)


def _image_complaint(path, error):
    size = path.stat().st_size
    if size == 0:
        return f"{path} is empty (0 bytes), expected an image"
    if isinstance(error, Image.UnidentifiedImageError):
        with open(path, "rb") as file:
            head = file.read(8)
        if head.startswith((b"II*\0", b"MM\0*")):
            return (
                f"{path}: a TIFF of a kind that Pillow does not read, such as RGB in floating "
                "point; save it with 8 bits per channel"
            )
        return f"{path}: expected an image (PNG, JPEG, PPM, ...), but it starts with {head!r}"
    return f"{path}: the image is damaged or truncated ({size} bytes; {error})"
