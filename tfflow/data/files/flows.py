"""Optical flow files (.flo, .pfm, KITTI's .png, .npy) to NumPy arrays and back.

Flow is (H, W, 2) float32 in pixels, channel 0 = u to the right, 1 = v downwards, with a mask (H, W)
bool of the pixels where it is known.

Sources:
    .flo: Baker et al., A Database and Evaluation Methodology for Optical Flow, IJCV 2011
        (flow-code);
    .pfm: Debevec, Portable Float Map, as FlyingThings3D and ChairsSDHom use it for flow (u, v, 0);
    .png: KITTI 2012 and 2015 development kits;
    .npy: NumPy's own, (H, W, 2), NaN where the flow is not known.
"""

import io
import re
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tfflow.atomic_file import atomic_file
from tfflow.data.files.errors import CorruptFileError
from tfflow.data.files.images import PNG_MAGIC
from tfflow.types import Array, PathLike
from tfflow.vectors import UNKNOWN_THRESHOLD, filled, is_known

FLOW_EXTENSIONS = (".flo", ".pfm", ".png", ".npy")  # of the true flow in data sets

NPY_MAGIC = b"\x93NUMPY"
FLO_MAGIC = struct.pack("<f", 202021.25)  # the bytes "PIEH"
_FLO_HEADER_BYTES = 12
# Some programs write comments into it, as into a .ppm.
_PFM_HEADER = re.compile(
    rb"(P[Ff])#(-?\d{1,9})#(-?\d{1,9})#([-+.\deE]+)(?:\r\n|\s)".replace(
        b"#", rb"\s+(?:#[^\n]*\n\s*)*"
    )
)
MAX_DIMENSION = 99_999  # flow-code's limit; more is a damaged header

_UNKNOWN_VALUE = 1e10  # as flow-code writes it

_KITTI_SCALE = 64.0
_KITTI_OFFSET = 32_768.0
KITTI_RANGE = (-512.0, 65_535 / 64 - 512.0)  # px; what its 16 bits hold


def read_flow(path: PathLike) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Reads optical flow from a .flo, a .pfm, a KITTI .png or a .npy file.

    The format is recognised by its content; the extension of another format is an error.
    Pixels marked as unknown (KITTI: third channel 0; the others: NaN or a component over 1e9) have
    flow 0 and validity False.

    Args:
        path: the file.

    Returns:
        flow: (H, W, 2) float32, pixels.
        valid: (H, W) bool.

    Raises:
        CorruptFileError: the file is empty, truncated, damaged, or not what its extension says.
        ValueError: a one-channel .pfm, which is a disparity map (see `read_pfm`).
        OSError: the file can't be opened.
    """
    path = Path(path)
    content = path.read_bytes()
    extension = _flow_format(path, content)
    if extension == ".flo":
        return _split_unknown(_decode_flo(path, content))
    if extension == ".pfm":
        array = _decode_pfm(path, content)
        if array.ndim == 2:
            raise ValueError(
                f"{path}: expected flow, a .pfm of 3 channels (PF); this one has 1 channel (Pf), "
                "a disparity or depth map: read it with read_pfm"
            )
        return _split_unknown(array[..., :2])
    if extension == ".npy":
        return _split_unknown(_decode_npy(path, content))
    return _decode_kitti(path, content)


def write_flow(path: PathLike, flow: Array, valid: Array | None = None) -> None:
    """Writes optical flow in the format that the extension names: .flo, .pfm, .png (KITTI), .npy.

    .flo, .pfm and .npy keep float32 as it is; KITTI's .png rounds to 1/64 px and holds -512 to
    511.98 px. Pixels that are not valid are marked as unknown and their flow is lost. The file
    appears whole or not at all.

    Args:
        path: where to write; its folder must exist.
        flow: (H, W, 2) array, pixels; a masked array's masked pixels are not valid.
        valid: (H, W), bool or 0/1; None: all pixels are valid.

    Raises:
        ValueError: an unknown extension, a wrong shape, a validity that is not 0/1, or, in valid
            pixels, NaN, infinity or a value that the format can't hold.
        OSError: the file can't be written.
    """
    path = Path(path)
    encode = _FLOW_ENCODERS.get(path.suffix.lower())
    if encode is None:
        raise ValueError(
            f"cannot write flow to {path}: unknown extension {path.suffix!r}, "
            f"use one of {', '.join(_FLOW_ENCODERS)}"
        )
    masked = np.ma.getmaskarray(flow).any(axis=-1) if np.ma.isMaskedArray(flow) else None
    flow = np.asarray(filled(flow), np.float32)
    if flow.ndim != 3 or flow.shape[2] != 2 or 0 in flow.shape:
        raise ValueError(f"{path}: expected flow of shape (H, W, 2), got {flow.shape}")
    valid = _checked_validity(path, valid, flow.shape[:2])
    if masked is not None:
        valid = valid & np.logical_not(masked)
    bad = valid & ~is_known(flow)
    if bad.any():
        y, x = np.argwhere(bad)[0]
        raise ValueError(
            f"{path}: flow must be finite and at most {UNKNOWN_THRESHOLD:g} where it is valid; it "
            f"is not at {bad.sum()} pixels, first at row {y}, column {x}: {flow[y, x].tolist()}. "
            "Mark such pixels as not valid"
        )
    try:
        content = encode(flow, valid)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)


def read_pfm(path: PathLike) -> npt.NDArray[np.float32]:
    """Reads a portable float map of one or three channels, in either byte order.

    Args:
        path: the file.

    Returns:
        (H, W) or (H, W, 3) float32, the top row first (the file has the bottom row first). The
        magnitude of the header's scale is not applied, as in the readers of the data sets.

    Raises:
        CorruptFileError: the file is empty, truncated, damaged or not a .pfm.
        OSError: the file can't be opened.
    """
    path = Path(path)
    return _decode_pfm(path, path.read_bytes())


def write_pfm(path: PathLike, array: Array) -> None:
    """Writes a portable float map, little-endian, whole or not at all.

    Args:
        path: where to write, with the extension .pfm; its folder must exist.
        array: (H, W) or (H, W, 3), stored as float32; NaN and infinity are kept.

    Raises:
        ValueError: another shape or another extension.
        OSError: the file can't be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".pfm":
        raise ValueError(f"cannot write a portable float map to {path}: its extension must be .pfm")
    array = np.asarray(array, np.float32)
    if array.ndim not in (2, 3) or array.shape[2:] not in ((), (3,)) or 0 in array.shape:
        raise ValueError(f"{path}: expected an array (H, W) or (H, W, 3), got {array.shape}")
    content = _encode_pfm(array)
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)


def _flow_format(path, content):
    """The extension for the flow format of `content`, which `path` must not contradict."""
    if not content:
        raise CorruptFileError(f"{path} is empty (0 bytes), expected flow")
    if content.startswith(FLO_MAGIC):
        found = ".flo"
    elif content.startswith(PNG_MAGIC):
        found = ".png"
    elif content.startswith(NPY_MAGIC):
        found = ".npy"
    elif re.match(rb"P[Ff]\s", content):
        found = ".pfm"
    else:
        raise CorruptFileError(
            f"{path}: expected flow as .flo (starting with b'PIEH'), .pfm (b'PF'), KITTI .png or "
            f".npy, but it starts with {content[:8]!r}"
        )
    extension = path.suffix.lower()
    if extension in _FLOW_ENCODERS and extension != found:
        raise CorruptFileError(
            f"{path} is named {extension}, but its content is {found}; rename it"
        )
    return found


def _decode_flo(path, content):
    if len(content) < _FLO_HEADER_BYTES:
        raise CorruptFileError(
            f"{path}: expected a header of {_FLO_HEADER_BYTES} bytes, the file has {len(content)}"
        )
    width, height = struct.unpack_from("<ii", content, 4)
    _check_size(path, width, height, 2, len(content) - _FLO_HEADER_BYTES)
    return np.frombuffer(content, "<f4", offset=_FLO_HEADER_BYTES).reshape(height, width, 2)


def _decode_pfm(path, content):
    header = _PFM_HEADER.match(content)
    if header is None:
        raise CorruptFileError(
            f"{path}: expected the header of a .pfm (PF or Pf, width, height, scale), "
            f"but it {f'starts with {content[:16]!r}' if content else 'is empty (0 bytes)'}"
        )
    channels = 3 if header[1] == b"PF" else 1
    width, height = int(header[2]), int(header[3])
    try:
        scale = float(header[4])
    except ValueError:
        scale = 0.0
    if scale == 0.0:
        raise CorruptFileError(
            f"{path}: expected a scale other than 0 in its header, got {header[4]!r}"
        )
    _check_size(path, width, height, channels, len(content) - header.end())
    array = np.frombuffer(content, "<f4" if scale < 0 else ">f4", offset=header.end())
    array = array.reshape((height, width, 3) if channels == 3 else (height, width))
    return array[::-1].astype(np.float32)


def _decode_npy(path, content):
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except Exception as error:  # NumPy reads the header with Python's parser
        raise CorruptFileError(f"{path}: the .npy file is damaged or truncated ({error})") from None
    if array.ndim != 3 or array.shape[2] != 2 or array.dtype.kind not in "fiu" or 0 in array.shape:
        raise CorruptFileError(
            f"{path}: expected flow, numbers of shape (H, W, 2); got {array.dtype} of shape "
            f"{array.shape}"
        )
    return array.astype(np.float32)


def _check_size(path, width, height, channels, available):
    """Checks a header's promise against the bytes that follow it, before anything is allocated."""
    if not (0 < width <= MAX_DIMENSION and 0 < height <= MAX_DIMENSION):
        raise CorruptFileError(
            f"{path}: expected a width and a height of 1 to {MAX_DIMENSION}, "
            f"its header says {width}x{height}"
        )
    expected = 4 * width * height * channels
    if available != expected:
        raise CorruptFileError(
            f"{path}: expected {expected} bytes after the header, for {width}x{height} pixels of "
            f"{channels} float32; the file has {available}: it is "
            f"{'truncated' if available < expected else 'damaged'}"
        )


def _decode_kitti(path, content):
    import cv2  # slow to import, so only where needed

    # Blue, green, red; None if truncated or damaged.
    array = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None:
        raise CorruptFileError(
            f"{path}: expected flow in KITTI's 16-bit RGB PNG; the file is damaged or truncated "
            f"({len(content)} bytes)"
        )
    if array.dtype != np.uint16 or array.shape[2:] != (3,):
        channels = array.shape[2] if array.ndim == 3 else 1
        raise CorruptFileError(
            f"{path}: expected flow in KITTI's 16-bit RGB PNG; this one has {channels} channels "
            f"of {8 * array.itemsize} bits"
        )
    valid = array[..., 0] > 0
    flow = (array[..., :0:-1].astype(np.float32) - _KITTI_OFFSET) / _KITTI_SCALE
    return np.where(valid[..., None], flow, 0).astype(np.float32), valid


def _encode_flo(flow, valid):
    height, width, _ = flow.shape
    marked = np.where(valid[..., None], flow, _UNKNOWN_VALUE).astype("<f4")
    return FLO_MAGIC + struct.pack("<ii", width, height) + marked.tobytes()


def _encode_flow_pfm(flow, valid):
    marked = np.where(valid[..., None], flow, _UNKNOWN_VALUE)
    return _encode_pfm(np.concatenate([marked, np.zeros_like(marked[..., :1])], axis=2))


def _encode_pfm(array):
    height, width = array.shape[:2]
    kind = "PF" if array.ndim == 3 else "Pf"
    return f"{kind}\n{width} {height}\n-1.0\n".encode() + array[::-1].astype("<f4").tobytes()


def _encode_kitti(flow, valid):
    samples = np.rint(np.where(valid[..., None], flow, 0) * _KITTI_SCALE + _KITTI_OFFSET)
    outside = ((samples < 0) | (samples > 65_535)).any(axis=2)
    if outside.any():
        y, x = np.argwhere(outside)[0]
        raise ValueError(
            f"KITTI's .png holds -512 to 511.98 px; {outside.sum()} pixels are outside, first at "
            f"row {y}, column {x}: {flow[y, x].tolist()}. Write .flo or .pfm, or mark them as not "
            "valid"
        )
    import cv2

    image = np.zeros((*valid.shape, 3), np.uint16)  # blue, green, red
    image[..., 0] = valid
    image[valid, 1:] = samples[valid][:, ::-1]
    return cv2.imencode(".png", image)[1].tobytes()


def _encode_npy(flow, valid):
    file = io.BytesIO()
    np.save(file, np.where(valid[..., None], flow, np.float32(np.nan)))
    return file.getvalue()


_FLOW_ENCODERS = {
    ".flo": _encode_flo,
    ".pfm": _encode_flow_pfm,
    ".png": _encode_kitti,
    ".npy": _encode_npy,
}


FLOW_FORMATS = tuple(_FLOW_ENCODERS)  # what write_flow writes and read_flow reads


def _split_unknown(flow):
    valid = is_known(flow)
    return np.where(valid[..., None], flow, 0).astype(np.float32), valid


def _checked_validity(path, valid, shape):
    if valid is None:
        return np.ones(shape, bool)
    valid = np.asarray(valid)
    if valid.shape != shape:
        raise ValueError(
            f"{path}: expected a validity of the flow's size {shape}, got {valid.shape}"
        )
    if valid.dtype != bool and not np.isin(valid, (0, 1)).all():
        raise ValueError(
            f"{path}: expected a validity of bool or 0/1, got other values ({valid.dtype})"
        )
    return valid.astype(bool)
