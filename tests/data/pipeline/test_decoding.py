"""TensorFlow's reading of files against Python's, and who speaks when one is damaged."""

import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfflow.data import FlowSample, read_flow, read_image, write_flow, write_image
from tfflow.data.datasets import FlowDataset, PairFiles
from tfflow.data.pipeline.decoding import reader


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (2, 12, 20, 3), np.uint8)
    flow = rng.normal(0, 9, (12, 20, 2)).astype(np.float32)
    return images, flow, rng.random((12, 20)) < 0.7


def dataset(folder, images, flow, valid, image_extension, flow_extension, invalid=None):
    files = [folder / f"img{i}{image_extension}" for i in (1, 2)]
    for path, image in zip(files, images):
        write_image(path, image)
    flow_file = folder / f"flow{flow_extension}"
    write_flow(flow_file, flow, valid)
    mask = None
    if invalid is not None:
        mask = folder / "invalid.png"
        write_image(mask, np.repeat(np.uint8(255) * invalid[..., None], 3, -1))
    return FlowDataset("x", [PairFiles("one", *files, flow_file, invalid=mask)])


def in_graph(data):
    """Read as the pipeline does; a sample that Python had to read counts."""
    calls = []
    getitem = FlowDataset.__getitem__

    def watched(self, index):
        calls.append(index)
        return getitem(self, index)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FlowDataset, "__getitem__", watched)
        return read_one(data), len(calls)


def read_one(data):
    read = tf.function(reader(data), input_signature=[tf.TensorSpec([], tf.int64)])
    return [array.numpy() for array in read(tf.constant(0, tf.int64))]


@pytest.mark.parametrize("extensions", [(".ppm", ".flo"), (".png", ".pfm"), (".png", ".png")])
def test_equal_to_python_without_python(tmp_path, arrays, extensions):
    data = dataset(tmp_path, *arrays, *extensions)
    (image1, image2, flow, valid), python = in_graph(data)
    files = data.pairs[0]
    np.testing.assert_array_equal(image1, read_image(files.image1))
    np.testing.assert_array_equal(image2, read_image(files.image2))
    expected, known = read_flow(files.flow)
    np.testing.assert_array_equal(valid, known)
    np.testing.assert_array_equal(flow[known], expected[known])
    assert (flow[~known] == 0).all() and python == 0


def test_invalid_masks_are_taken_out(tmp_path, arrays):
    images, flow, _ = arrays
    invalid = np.zeros((12, 20), bool)
    invalid[3:5] = True
    data = dataset(tmp_path, images, flow, None, ".png", ".flo", invalid)
    (_, _, _, valid), python = in_graph(data)
    np.testing.assert_array_equal(valid, ~invalid)
    assert python == 0


def test_unusual_files_are_read_in_python(tmp_path, arrays):
    """A comment in the header, and a format that TensorFlow's graph does not decode."""
    data = dataset(tmp_path, *arrays, ".ppm", ".flo")
    path = data.pairs[0].image1
    content = path.read_bytes()
    path.write_bytes(content.replace(b"P6", b"P6\n# a comment", 1))
    (image1, *_), python = in_graph(data)
    np.testing.assert_array_equal(image1, arrays[0][0])
    assert python == 1

    data = dataset(tmp_path, *arrays, ".bmp", ".flo")
    (image1, *_), python = in_graph(data)
    np.testing.assert_array_equal(image1, arrays[0][0])
    assert python == 1


@pytest.mark.parametrize("role", ["image1", "image2", "flow"])
@pytest.mark.parametrize("extensions", [(".ppm", ".flo"), (".png", ".pfm"), (".png", ".png")])
def test_a_cut_file_names_itself(tmp_path, arrays, role, extensions):
    data = dataset(tmp_path, *arrays, *extensions)
    path = getattr(data.pairs[0], role)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(tf.errors.OpError, match=path.name):
        in_graph(data)


@pytest.mark.parametrize("role", ["image1", "flow"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.97])
def test_a_png_damaged_in_its_middle_names_itself(tmp_path, arrays, role, share):
    data = dataset(tmp_path, *arrays, ".png", ".png")
    path = getattr(data.pairs[0], role)
    content = bytearray(path.read_bytes())
    content[int(share * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(tf.errors.OpError, match=path.name):
        in_graph(data)
    assert path.name in data.readable()[1][0]


def test_another_size_is_told(tmp_path, arrays):
    images, flow, valid = arrays
    data = dataset(tmp_path, images, flow, valid, ".png", ".flo")
    write_image(data.pairs[0].image2, images[1][:-2])
    with pytest.raises(tf.errors.OpError, match="images of one size"):
        in_graph(data)


def png(bits, colour, pixels=b"", *, width=20, height=12, compression=0, filters=0, interlace=0):
    """A PNG of zeros, or of given rows, with any header and right checksums."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, compression, filters, interlace)
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    rows = pixels or bytes(height * (1 + width * samples * bits // 8))
    chunks = [
        (b"IHDR", header),
        (b"PLTE", bytes(3)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    if colour != 3:
        del chunks[1]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


WIDE = 100_000
FLOWS = {
    "an 8-bit picture": (".png", png(8, 2)),
    "16-bit grey": (".png", png(16, 0)),
    "16-bit RGBA": (".png", png(16, 6)),
    "a palette": (".png", png(8, 3)),
    "interlaced": (".png", png(16, 2, interlace=1)),
    "another compression": (".png", png(16, 2, compression=1)),
    "another filter": (".png", png(16, 2, filters=1)),
    "too wide": (".png", png(16, 2, width=WIDE, height=1)),
    "of no width": (".png", png(16, 2, b"\0" * 12, width=0)),
    "short of rows": (".png", png(16, 2, bytes(5 * 121))),
    "another size": (".png", png(16, 2, height=11)),
    "a .flo too wide": (".flo", struct.pack("<fii", 202021.25, WIDE, 1) + bytes(8 * WIDE)),
    "a .flo of no height": (".flo", struct.pack("<fii", 202021.25, 20, 0)),
    "a .flo of another start": (".flo", struct.pack("<fii", 1.0, 20, 12) + bytes(8 * 240)),
    "a .flo with more": (".flo", struct.pack("<fii", 202021.25, 20, 12) + bytes(8 * 241)),
    "a .pfm of scale 0": (".pfm", b"PF\n20 12\n-0.0\n" + bytes(12 * 240)),
    "a .pfm of disparity": (".pfm", b"Pf\n20 12\n-1.0\n" + bytes(4 * 240)),
    "a .pfm of no width": (".pfm", b"PF\n0 12\n-1.0\n"),
    "a .pfm with more": (".pfm", b"PF\n20 12\n-1.0\n" + bytes(12 * 241)),
}


@pytest.mark.parametrize("what", FLOWS)
def test_training_refuses_the_flow_that_evaluation_refuses(what, tmp_path, arrays):
    extension, content = FLOWS[what]
    data = dataset(tmp_path, *arrays, ".png", extension)
    data.pairs[0].flow.write_bytes(content)
    with pytest.raises(ValueError, match="flow."):
        data[0]
    with pytest.raises(tf.errors.OpError):
        in_graph(data)


@pytest.mark.parametrize("kind", [(8, 0), (8, 2), (8, 6), (16, 0), (16, 2), (8, 4)])
def test_images_of_any_kind_are_what_evaluation_reads(kind, tmp_path, arrays):
    data = dataset(tmp_path, *arrays, ".png", ".flo")
    bits, colour = kind
    samples = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    rows = np.random.default_rng(0).integers(0, 256, (12, 1 + 20 * samples * bits // 8), np.uint8)
    rows[:, 0] = 0  # no filter
    data.pairs[0].image1.write_bytes(png(bits, colour, rows.tobytes()))
    (image1, *_), _ = in_graph(data)
    np.testing.assert_array_equal(image1, data[0].image1)


@pytest.mark.parametrize("extension", [".flo", ".pfm"])
def test_the_largest_known_flow_is_known_in_both(extension, tmp_path, arrays):
    images, flow, _ = arrays
    flow[0, 0] = 1e9
    data = dataset(tmp_path, images, flow, None, ".png", extension)
    (_, _, _, valid), python = in_graph(data)
    np.testing.assert_array_equal(valid, data[0].valid)
    assert valid.all() and python == 0


def test_a_class_of_ones_own_says_what_its_files_mean(tmp_path, arrays):
    class Mine(FlowDataset):
        """Its flow has the other sign, and counts in the left half only."""

        def __getitem__(self, index):
            sample = super().__getitem__(index)
            if isinstance(index, slice):
                return sample
            valid = sample.valid.copy()
            valid[:, 10:] = False
            return sample._replace(flow=-sample.flow, valid=valid)

    plain = dataset(tmp_path, *arrays, ".png", ".flo")
    mine = Mine(plain.name, plain.pairs)
    for data in (mine, mine[:1], mine.readable()[0], mine.without([])):
        *_, flow, valid = read_one(data)
        np.testing.assert_array_equal(flow[valid > 0], -arrays[1][valid > 0])
        assert valid[:, :10].any() and not valid[:, 10:].any()


@pytest.mark.parametrize("extension", [".png", ".ppm"])
def test_a_turned_picture_is_turned_as_evaluation_turns_it(extension, tmp_path, arrays):
    data = dataset(tmp_path, *arrays, extension, ".flo")
    if extension == ".png":
        for path in data.pairs[0][1:3]:
            exif = Image.Exif()
            exif[0x0112] = 3  # by 180 degrees
            Image.open(path).save(path, exif=exif)
    (image1, *_), python = in_graph(data)
    np.testing.assert_array_equal(image1, read_image(data.pairs[0].image1))
    turned = extension == ".png"
    np.testing.assert_array_equal(image1, arrays[0][0][::-1, ::-1] if turned else arrays[0][0])
    assert python == turned


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image1": np.zeros((8, 9, 3))}, r"s: image1 must be \(H, W, 3\) uint8 .* float64"),
        ({"image2": np.zeros((8, 9), np.uint8)}, r"s: image2 must be .* \(8, 9\) uint8"),
        ({"image2": np.zeros((8, 7, 3), np.uint8)}, r"s: image1 is .* image2 must be \(8, 9, 3\)"),
        ({"flow": np.zeros((4, 9, 2))}, r"flow must be \(8, 9, 2\); got \(4, 9, 2\)"),
        ({"valid": np.zeros((8, 9, 1), bool)}, r"valid must be \(8, 9\); got \(8, 9, 1\)"),
    ],
)
def test_a_sample_that_no_graph_takes_is_named(changes, message):
    image = np.zeros((8, 9, 3), np.uint8)
    sample = FlowSample(image, image, np.zeros((8, 9, 2), np.float32), None, "s")
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        read_one([sample._replace(**changes)])


def test_names_of_files_may_be_text(tmp_path, arrays):
    data = dataset(tmp_path, *arrays, ".png", ".flo")
    named = FlowDataset("x", [PairFiles(*(each and str(each) for each in data.pairs[0]))])
    for one, other in zip(read_one(data), read_one(named), strict=True):
        np.testing.assert_array_equal(one, other)
