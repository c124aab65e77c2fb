"""Reads pairs in a TensorFlow graph, all cores at once: Python only checks the sums of PNGs.

Ordinary files are decoded here. Others (with a comment in the header, an unusual depth or damage)
go to Python's `FlowDataset.__getitem__`, which reads them or says what is wrong with which file.
"""

import atexit
import ctypes
import gc
import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfflow.data.datasets.base import FlowDataset, named
from tfflow.data.files.flows import FLO_MAGIC, MAX_DIMENSION
from tfflow.data.files.images import PNG_MAGIC, is_whole_png
from tfflow.vectors import UNKNOWN_THRESHOLD, filled, is_known

# The signature, and the length and name of the header, which must be the first chunk.
_PNG_START = PNG_MAGIC + b"\x00\x00\x00\x0dIHDR"
_LONGEST_HEADER = 64
# What begins the Exif data of a PNG, today and formerly, and XMP's.
_ORIENTATION_NOTES = (b"eXIf", b"Raw profile type exif", b"XML:com.adobe.xmp")

_SAMPLE = (tf.uint8, tf.uint8, tf.float32, tf.float32)


def reader(dataset):
    """A function that reads a sample of a data set inside a graph.

    Args:
        dataset: a `FlowDataset`, or any other sequence of `FlowSample`.

    Returns:
        A function: int64 index -> image1, image2 (H, W, 3) uint8, flow (H, W, 2) float32, finite
        everywhere, valid (H, W) float32, 1 where the flow is known.
    """

    def in_python(index):
        sample = tf.numpy_function(_python_reader(dataset), [index], _SAMPLE, stateful=False)
        return _shaped(*sample)

    # A class with a __getitem__ of its own knows better what its files mean.
    plain = getattr(type(dataset), "__getitem__", None) is FlowDataset.__getitem__
    columns = _columns(dataset.pairs) if plain else None
    if columns is None:
        return in_python

    def read(index):
        files = {role: (tf.io.read_file(paths[index]), form) for role, paths, form in columns}
        ready = tf.reduce_all([is_plain(content) for content, (is_plain, _) in files.values()])
        return tf.cond(ready, lambda: _assembled(files, index, in_python), lambda: in_python(index))

    return read


def _columns(pairs):
    """(role, paths, format) of every kind of file; None if TensorFlow can't decode them."""
    if not pairs or pairs[0].flow is None:
        return None
    columns = []
    for role in ("image1", "image2", "flow", "invalid"):
        paths = [getattr(pair, role) for pair in pairs]
        if all(path is None for path in paths):
            continue
        kinds = {Path(path).suffix.lower() if path is not None else None for path in paths}
        formats = _FLOWS if role == "flow" else _IMAGES
        if len(kinds) > 1 or not kinds <= set(formats):
            return None
        # As bytes: a name need not be Unicode.
        names = tf.constant([os.fsencode(path) for path in paths])
        columns.append((role, names, formats[kinds.pop()]))
    return columns


def _assembled(files, index, in_python):
    decoded = {role: decode(content) for role, (content, (_, decode)) in files.items()}
    image1, image2, (flow, valid) = decoded["image1"], decoded["image2"], decoded["flow"]
    sizes = [tf.shape(array)[:2] for array in (image1, image2, flow)]
    if "invalid" in decoded:
        valid = tf.where(decoded["invalid"][..., 0] > 127, 0.0, valid)
        sizes.append(tf.shape(decoded["invalid"])[:2])
    agree = tf.reduce_all(tf.stack(sizes) == sizes[0])
    return tf.cond(agree, lambda: _shaped(image1, image2, flow, valid), lambda: in_python(index))


def _shaped(image1, image2, flow, valid):
    return (
        tf.ensure_shape(image1, [None, None, 3]),
        tf.ensure_shape(image2, [None, None, 3]),
        tf.ensure_shape(flow, [None, None, 2]),
        tf.ensure_shape(valid, [None, None]),
    )


def _python_reader(dataset):
    def read(index):
        sample = dataset[int(index)]
        check_to_train_on(sample, dataset)
        flow, valid = np.asarray(filled(sample.flow), np.float32), sample.valid
        known = is_known(flow)
        valid = known if valid is None else known & np.asarray(valid).astype(bool)
        flow = np.where(valid[..., None], flow, np.float32(0))
        return sample.image1, sample.image2, flow, valid.astype(np.float32)

    return read


def check_to_train_on(sample, dataset):
    """Raises a ValueError for what a graph could only refuse without the sample's name."""
    if sample.flow is None:
        raise ValueError(f"{sample.name} of {named(dataset)} has no flow to train on")
    for name in ("image1", "image2"):
        image = getattr(sample, name)
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[-1] != 3:
            raise ValueError(
                f"{sample.name}: {name} must be (H, W, 3) uint8 to train on; got {image.shape} "
                f"{image.dtype}."
            )
    size = sample.image1.shape[:2]
    wanted = {"image2": (*size, 3), "flow": (*size, 2), "valid": size}
    for name, shape in wanted.items():
        found = getattr(sample, name)
        if found is not None and np.shape(found) != shape:
            raise ValueError(
                f"{sample.name}: image1 is {sample.image1.shape}, so {name} must be {shape}; got "
                f"{np.shape(found)}."
            )


def _outlive_python():
    """Keeps Python from deleting the remaining iterators when it ends.

    Deleting one waits for its reads in flight. A thread that reads in Python ends silently once
    Python shuts down, so the wait, after the script's last line, would never end.
    """
    for thing in gc.get_objects():
        # isinstance would ask what a proxy stands for.
        if issubclass(type(thing), tf.data.Iterator):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


atexit.register(_outlive_python)


# Formats: whether a file is plain, and what it holds -------------------------------------------


def _is_png(content, *kinds):
    """Whether a file is a PNG of one of these kinds, with all of its bytes as they were written.

    A kind is five bytes: bits per sample, colour type (0 grey, 2 RGB), compression, filter,
    interlacing. TensorFlow would convert any kind to the requested one.
    """
    start = tf.strings.substr(tf.strings.join([content, "\0" * 29]), 0, 29)
    size = tf.io.decode_raw(tf.strings.substr(start, 16, 8), tf.int32, little_endian=False)
    known = tf.strings.substr(start, 24, 5) == tf.constant(kinds)
    # TensorFlow's error would not name the file. zlib's sum leaves other threads their turn.
    whole = tf.numpy_function(is_whole_png, [content], tf.bool, stateful=False)
    return (
        (tf.strings.substr(start, 0, 16) == _PNG_START)
        & tf.reduce_all((size > 0) & (size <= MAX_DIMENSION))
        & tf.reduce_any(known)
        & tf.ensure_shape(whole, [])
    )


def _is_png_image(content):
    # Where there are notes about how to turn it, Python reads them.
    notes = [tf.size(tf.strings.split(content, mark)) > 1 for mark in _ORIENTATION_NOTES]
    plain = _is_png(content, b"\x08\x00\0\0\0", b"\x08\x02\0\0\0")
    return plain & ~tf.reduce_any(notes)


def _is_kitti(content):
    return _is_png(content, b"\x10\x02\0\0\0")


def _decode_png(content):
    return tf.io.decode_png(content, channels=3)


def _decode_kitti(content):
    # R, G = 64 flow + 2^15, B = 1 where it is known.
    pixels = tf.cast(tf.io.decode_png(content, channels=3, dtype=tf.uint16), tf.float32)
    valid = tf.cast(pixels[..., 2] > 0, tf.float32)
    return (pixels[..., :2] - 32768.0) / 64.0 * valid[..., None], valid


def _header(content):
    """The words of a text header, at least four of them; the rest is pixels."""
    text = tf.strings.substr(content, 0, tf.minimum(tf.strings.length(content), _LONGEST_HEADER))
    return tf.concat([tf.strings.split(text), tf.fill([4], "")], 0)


def _has_header_and(content, size):
    """Whether a file is four words, one blank and `size` bytes."""
    length = tf.strings.length(content) - size
    plausible = (length > 0) & (length <= _LONGEST_HEADER)
    header = tf.strings.substr(content, 0, tf.where(plausible, length, 0))
    ends = tf.strings.length(tf.strings.strip(header)) == length - 1
    return plausible & ends & (tf.size(tf.strings.split(header)) == 4)


def _number(word):
    plain = tf.strings.regex_full_match(word, r"\d{1,5}")
    return tf.strings.to_number(tf.where(plain, word, "0"), tf.int32)


def _is_ppm(content):
    words = _header(content)
    size = 3 * _number(words[1]) * _number(words[2])
    known = (words[0] == "P6") & (words[3] == "255") & (size > 0)
    return known & _has_header_and(content, size)


def _decode_ppm(content):
    words = _header(content)
    width, height = _number(words[1]), _number(words[2])
    pixels = tf.io.decode_raw(_tail(content, 3 * width * height), tf.uint8)
    return tf.reshape(pixels, [height, width, 3])


def _is_pfm(content):
    words = _header(content)
    size = 12 * _number(words[1]) * _number(words[2])
    negative = tf.strings.regex_full_match(words[3], r"-[1-9]\d*(\.\d*)?")  # little-endian
    known = (words[0] == "PF") & negative & (size > 0)
    return known & _has_header_and(content, size)


def _decode_pfm(content):
    words = _header(content)
    width, height = _number(words[1]), _number(words[2])
    values = tf.io.decode_raw(_tail(content, 12 * width * height), tf.float32)
    return _split_unknown(tf.reshape(values, [height, width, 3])[::-1, :, :2])


def _flo_size(content):
    header = tf.strings.substr(content, 4, 8)
    return tf.unstack(tf.io.decode_raw(header, tf.int32), num=2)


def _is_flo(content):
    long_enough = tf.strings.length(content) >= 12
    content = tf.where(long_enough, content, "." * 12)
    width, height = _flo_size(content)
    start = tf.strings.substr(content, 0, 4) == FLO_MAGIC
    size = 12 + 8 * tf.cast(width, tf.int64) * tf.cast(height, tf.int64)
    whole = tf.cast(tf.strings.length(content), tf.int64) == size
    positive = (width > 0) & (height > 0)
    return start & whole & positive & (tf.maximum(width, height) <= MAX_DIMENSION)


def _decode_flo(content):
    width, height = _flo_size(content)
    values = tf.io.decode_raw(content, tf.float32)[3:]  # three numbers of four bytes: the header
    return _split_unknown(tf.reshape(values, [height, width, 2]))


def _split_unknown(flow):
    # Comparisons with NaN are false.
    known = tf.reduce_all(tf.abs(flow) <= UNKNOWN_THRESHOLD, -1)
    return tf.where(known[..., None], flow, 0.0), tf.cast(known, tf.float32)


def _tail(content, length):
    """The last `length` bytes of a string."""
    total = tf.strings.length(content)
    return tf.strings.substr(content, tf.maximum(total - length, 0), length)


# Extension -> (whether a file is complete and in the form that the decoder knows, the decoder).
_IMAGES = {".png": (_is_png_image, _decode_png), ".ppm": (_is_ppm, _decode_ppm)}
_FLOWS = {
    ".flo": (_is_flo, _decode_flo),
    ".pfm": (_is_pfm, _decode_pfm),
    ".png": (_is_kitti, _decode_kitti),
}
