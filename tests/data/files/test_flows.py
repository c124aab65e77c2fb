"""Flow in its three formats: to the bit, and what is damaged."""

import os
import pickle
import struct

import numpy as np
import pytest

from tfflow.data.files.errors import CorruptFileError
from tfflow.data.files.flows import read_flow, read_pfm, write_flow, write_pfm
from tfflow.data.files.images import write_image

EXTENSIONS = (".flo", ".pfm", ".png", ".npy")


def random_flow(seed, shape, extension):
    generator = np.random.default_rng(seed)
    if extension == ".png":  # a multiple of 1/64 px is kept exactly
        samples = generator.integers(0, 65_536, (*shape, 2))
        return ((samples - 32_768) / 64).astype(np.float32)
    return (generator.normal(size=(*shape, 2)) * 10.0 ** generator.uniform(-6, 6)).astype(
        np.float32
    )


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (6, 1), (23, 31)])
def test_flow_round_trip(tmp_path, extension, shape):
    for seed in range(5):
        flow = random_flow(seed, shape, extension)
        mask = np.random.default_rng(seed).random(shape) < 0.7
        path = tmp_path / f"flow{extension.upper()}"
        write_flow(path, flow, mask)
        read, valid = read_flow(path)
        assert (read.dtype, valid.dtype) == (np.float32, bool)
        np.testing.assert_array_equal(valid, mask)
        np.testing.assert_array_equal(read, np.where(mask[..., None], flow, 0))
        write_flow(path, flow)  # over the first file
        read, valid = read_flow(path)
        np.testing.assert_array_equal(read, flow)
        assert valid.all()


def test_kitti_rounds_to_the_nearest_64th(tmp_path):
    flow = np.random.default_rng(0).uniform(-500, 500, (20, 30, 2))
    write_flow(tmp_path / "a.png", flow)
    assert np.abs(read_flow(tmp_path / "a.png")[0] - flow).max() <= 1 / 128 + 1e-4


def test_flo_bytes(tmp_path):
    """The format as flow-code's README lays it down: tag, width, height, then u and v by rows."""
    content = b"PIEH" + struct.pack("<ii", 3, 2) + struct.pack("<12f", *range(12))
    (tmp_path / "a.flo").write_bytes(content)
    flow, valid = read_flow(tmp_path / "a.flo")
    assert flow.shape == (2, 3, 2) and valid.all()
    assert flow[0, 1].tolist() == [2, 3] and flow[1, 0].tolist() == [6, 7]
    write_flow(tmp_path / "b.flo", flow)
    assert (tmp_path / "b.flo").read_bytes() == content


def test_flo_unknown_pixels(tmp_path):
    values = [1, 2, 1e10, 1e10, np.nan, 0, 0, -2e9, np.inf, 0, 1e9, 5]
    content = b"PIEH" + struct.pack("<ii", 6, 1) + struct.pack("<12f", *values)
    (tmp_path / "a.flo").write_bytes(content)
    flow, valid = read_flow(tmp_path / "a.flo")
    assert valid.tolist() == [[True, False, False, False, False, True]]
    assert flow[0].tolist() == [[1, 2], [0, 0], [0, 0], [0, 0], [0, 0], [1e9, 5]]


def test_kitti_bytes(tmp_path):
    cv2 = pytest.importorskip("cv2")
    bgr = np.zeros((2, 2, 3), np.uint16)
    bgr[0, 0] = 1, 32_768 - 64, 32_768 + 128  # valid, v, u: OpenCV's order is B, G, R
    bgr[1, 1] = 0, 5, 7  # not valid
    cv2.imwrite(str(tmp_path / "a.png"), bgr)
    flow, valid = read_flow(tmp_path / "a.png")
    assert valid.tolist() == [[True, False], [False, False]]
    assert flow[0, 0].tolist() == [2, -1] and not flow[1, 1].any()


@pytest.mark.parametrize("order, scale", [("<", "-1.0"), (">", "1"), ("<", "-2.5e-1")])
@pytest.mark.parametrize("end", ["\n", "\r\n", " "])
def test_pfm_bytes(tmp_path, order, scale, end):
    values = np.arange(18, dtype=np.float32).reshape(2, 3, 3)
    header = f"PF{end}3 2{end}{scale}{end}".encode()
    (tmp_path / "a.pfm").write_bytes(header + values[::-1].astype(f"{order}f4").tobytes())
    np.testing.assert_array_equal(read_pfm(tmp_path / "a.pfm"), values)
    flow, valid = read_flow(tmp_path / "a.pfm")
    np.testing.assert_array_equal(flow, values[..., :2])
    assert valid.all() and flow.dtype == np.float32


def test_a_comment_in_the_header_of_a_pfm(tmp_path):
    values = np.arange(18, dtype=np.float32).reshape(2, 3, 3)
    header = b"PF\n# made by 2 programs\n#\n3 2\n# -5\n-1.0\n"
    (tmp_path / "a.pfm").write_bytes(header + values[::-1].tobytes())
    np.testing.assert_array_equal(read_pfm(tmp_path / "a.pfm"), values)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3), (1, 1)])
def test_pfm_round_trip(tmp_path, shape):
    array = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    array.flat[0] = np.inf  # as disparities mark what is unknown
    write_pfm(tmp_path / "a.pfm", array)
    np.testing.assert_array_equal(read_pfm(tmp_path / "a.pfm"), array)


def test_disparity_is_no_flow(tmp_path):
    write_pfm(tmp_path / "a.pfm", np.ones((4, 5)))
    with pytest.raises(ValueError, match="disparity"):
        read_flow(tmp_path / "a.pfm")


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_truncated_flow(tmp_path, extension):
    path = tmp_path / f"a{extension}"
    write_flow(path, random_flow(0, (9, 8), extension))
    content = path.read_bytes()
    for length in (0, 2, 5, 11, 12, 13, 40, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(CorruptFileError, match="expected") as caught:
            read_flow(path)
        assert str(path) in str(caught.value)


def test_truncation_says_how_many_bytes(tmp_path):
    write_flow(tmp_path / "a.flo", np.zeros((9, 8, 2)))
    content = (tmp_path / "a.flo").read_bytes()
    (tmp_path / "a.flo").write_bytes(content[:-100])
    with pytest.raises(
        CorruptFileError, match=r"expected 576 bytes .* 8x9 .* has 476: it is truncated"
    ):
        read_flow(tmp_path / "a.flo")
    (tmp_path / "a.flo").write_bytes(content + b"!")
    with pytest.raises(CorruptFileError, match="the file has 577"):
        read_flow(tmp_path / "a.flo")


@pytest.mark.parametrize("named", EXTENSIONS)
@pytest.mark.parametrize("content", EXTENSIONS)
def test_mislabelled_flow(tmp_path, named, content):
    write_flow(tmp_path / f"a{content}", np.zeros((4, 4, 2)))
    os.replace(tmp_path / f"a{content}", tmp_path / f"b{named}")
    if named == content:
        read_flow(tmp_path / f"b{named}")
    else:
        with pytest.raises(
            CorruptFileError, match=f"is named {named}, but its content is {content}"
        ):
            read_flow(tmp_path / f"b{named}")


def test_image_is_no_flow(tmp_path):
    write_image(tmp_path / "a.png", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(CorruptFileError, match="3 channels of 8 bits"):
        read_flow(tmp_path / "a.png")
    write_image(tmp_path / "a.jpg", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(CorruptFileError, match="starts with b'\\\\xff\\\\xd8"):
        read_flow(tmp_path / "a.jpg")


@pytest.mark.parametrize(
    "size", [(0, 5), (5, -1), (100_000, 1), (2**31 - 1, 2**31 - 1), (99_999, 99_999)]
)
def test_absurd_sizes_are_refused_before_allocation(tmp_path, size):
    width, height = size
    (tmp_path / "a.flo").write_bytes(b"PIEH" + struct.pack("<ii", width, height) + bytes(80))
    (tmp_path / "a.pfm").write_bytes(f"PF\n{width} {height}\n-1\n".encode() + bytes(80))
    for name in ("a.flo", "a.pfm"):
        with pytest.raises(CorruptFileError, match=f"{width}x{height}|header of a .pfm"):
            read_flow(tmp_path / name)


@pytest.mark.parametrize("header", [b"PF\n3\n", b"PF\na b\n-1\n", b"PF\n1 1\n0\n", b"PF\n1 1\nE\n"])
def test_damaged_pfm_header(tmp_path, header):
    (tmp_path / "a.pfm").write_bytes(header + bytes(12))
    with pytest.raises(CorruptFileError, match="header"):
        read_pfm(tmp_path / "a.pfm")


@pytest.mark.parametrize("text", [b"{'shape': (4, (5, 2)", b"[" * 4000, b"{'shape': 4\x00}", b""])
def test_damaged_npy_header(tmp_path, text):
    header = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text
    (tmp_path / "a.npy").write_bytes(header + bytes(160))
    with pytest.raises(CorruptFileError, match=r"a\.npy: the \.npy file is damaged"):
        read_flow(tmp_path / "a.npy")


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2e9])
def test_values_that_no_file_can_hold(tmp_path, extension, bad):
    path = tmp_path / f"a{extension}"
    flow = np.zeros((4, 5, 2), np.float32)
    write_flow(path, flow + 1)
    flow[2, 3, 1] = bad
    with pytest.raises(ValueError, match="first at row 2, column 3"):
        write_flow(path, flow)
    assert (read_flow(path)[0] == 1).all(), "the old file must stay"
    assert os.listdir(tmp_path) == [path.name], "nothing half-written"
    write_flow(path, flow, np.isfinite(flow).all(-1) & (np.abs(flow) < 1e9).all(-1))
    assert read_flow(path)[1].sum() == 19


@pytest.mark.parametrize("value", [-512.1, 512, 700])
def test_values_outside_of_kitti_range(tmp_path, value):
    flow = np.zeros((4, 5, 2))
    flow[1, 2, 0] = value
    with pytest.raises(ValueError, match=r"a\.png: KITTI.* row 1, column 2.*Write .flo"):
        write_flow(tmp_path / "a.png", flow)
    assert not os.listdir(tmp_path)
    for value in (-512, 511.98):
        write_flow(tmp_path / "a.png", np.full((1, 1, 2), value))
        assert abs(read_flow(tmp_path / "a.png")[0][0, 0, 0] - value) < 1 / 64


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3), (1, 4, 5, 2), (0, 5, 2)])
def test_wrong_flow_shape(tmp_path, shape):
    with pytest.raises(ValueError, match=r"expected flow of shape \(H, W, 2\)"):
        write_flow(tmp_path / "a.flo", np.zeros(shape))


def test_wrong_validity(tmp_path):
    with pytest.raises(ValueError, match=r"validity of the flow's size \(4, 5\), got \(5, 4\)"):
        write_flow(tmp_path / "a.flo", np.zeros((4, 5, 2)), np.ones((5, 4)))
    with pytest.raises(ValueError, match="0/1"):
        write_flow(tmp_path / "a.flo", np.zeros((4, 5, 2)), np.full((4, 5), 0.5))


def test_unknown_extension_names_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match=r"'\.tif', use one of \.flo, \.pfm, \.png, \.npy"):
        write_flow(tmp_path / "a.tif", np.zeros((4, 5, 2)))
    with pytest.raises(ValueError, match=r"'\.gif', use one of \.png"):
        write_image(tmp_path / "a.gif", np.zeros((4, 5, 3), np.uint8))
    with pytest.raises(ValueError, match=r"must be \.pfm"):
        write_pfm(tmp_path / "a.png", np.zeros((4, 5)))


def test_failing_disk_leaves_nothing(tmp_path, monkeypatch):
    def write_half(self, content):
        with open(self, "wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError("No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", write_half)
    with pytest.raises(OSError, match="No space"):
        write_flow(tmp_path / "a.flo", np.zeros((4, 5, 2)))
    assert not os.listdir(tmp_path)


def test_missing_output_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="create it first"):
        write_flow(tmp_path / "missing" / "a.flo", np.zeros((4, 5, 2)))
    with pytest.raises(FileNotFoundError, match="create it first"):
        write_image(tmp_path / "missing" / "a.png", np.zeros((4, 5, 3), np.uint8))


def test_error_survives_another_process():
    error = pickle.loads(pickle.dumps(CorruptFileError("a.flo: expected")))
    assert isinstance(error, ValueError) and str(error) == "a.flo: expected"


def test_real_files(shared_dir):
    flow, valid = read_flow(shared_dir / "data/FlyingChairs_release/data/00001_flow.flo")
    assert flow.shape == (384, 512, 2) and valid.all()
    assert np.linalg.norm(flow, axis=-1).mean() == pytest.approx(6.05, abs=0.01)
    flow, valid = read_flow(shared_dir / "data/middlebury/other-gt-flow/RubberWhale/flow10.flo")
    assert 1 - valid.mean() == pytest.approx(0.016, abs=0.001)
    assert np.linalg.norm(flow[valid], axis=-1).mean() == pytest.approx(1.26, abs=0.01)


def test_masked_pixels_are_not_valid(tmp_path):
    flow = np.ma.masked_array(np.ones((4, 5, 2), np.float32), np.zeros((4, 5, 2), bool))
    flow[1, 2] = np.ma.masked
    write_flow(tmp_path / "a.flo", flow)
    _, valid = read_flow(tmp_path / "a.flo")
    assert (~valid).sum() == 1 and not valid[1, 2]
