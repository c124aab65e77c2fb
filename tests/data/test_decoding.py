"""TensorFlow's reading of files against Python's, and who speaks when one is damaged."""

import numpy as np
import pytest
import tensorflow as tf

from tfflow.data import read_flow, read_image, write_flow, write_image
from tfflow.data.datasets import FlowDataset, PairFiles
from tfflow.data.decoding import reader


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
    getitem = type(data).__getitem__

    class Watched(type(data)):
        def __getitem__(self, index):
            calls.append(index)
            return getitem(self, index)

    data.__class__ = Watched
    read = tf.function(reader(data), input_signature=[tf.TensorSpec([], tf.int64)])
    return [array.numpy() for array in read(tf.constant(0, tf.int64))], len(calls)


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


def test_another_size_is_told(tmp_path, arrays):
    images, flow, valid = arrays
    data = dataset(tmp_path, images, flow, valid, ".png", ".flo")
    write_image(data.pairs[0].image2, images[1][:-2])
    with pytest.raises(tf.errors.OpError, match="images of one size"):
        in_graph(data)
