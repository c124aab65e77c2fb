"""Reads checkpoints of PyTorch projects as plain arrays and assigns them with checks.

An importer asks for every tensor that its network needs, by name and shape, and calls ``finish`` at
the end: either each tensor of the checkpoint was used exactly once, or the import fails and lists
what is missing, has another shape, or is left over. The model is changed only after that check.
"""

import pathlib
import pickle
import re
import typing
import warnings
import zipfile
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tfflow.types import PathLike

# Name -> array or tensor, or the file that holds them.
StateDict: typing.TypeAlias = Mapping[str, typing.Any] | PathLike

SUFFIXES = (".npz", ".safetensors", ".pth", ".pt", ".ckpt", ".tar")

# Keys under which training scripts save weights; below, those for averages over steps.
_PLAIN = ("state_dict", "model_state_dict", "model", "network", "net", "module")
_AVERAGED = (
    "state_dict_ema",
    "ema_state_dict",
    "model_ema",
    "ema_model",
    "model_ema_state_dict",
    "ema",
)
# What trainers put before the names: DataParallel, torch.compile, Lightning's usual attributes.
_PREFIXES = ("module.", "_orig_mod.", "model.", "network.", "net.")


def read_state_dict(
    source: StateDict, averaged: bool = False
) -> dict[str, npt.NDArray[typing.Any]]:
    """A checkpoint as a dict of name -> ndarray.

    Args:
        source: A dict or another mapping of arrays or tensors, or a path: ``.npz``,
            ``.safetensors`` (needs the package safetensors), ``.pth``, ``.pt``, ``.ckpt`` or
            ``.tar`` (needs PyTorch; read with ``weights_only=True``, so that no code of the file is
            run). Tensors wrapped in ``state_dict``, ``model`` or a similar key are unwrapped; the
            prefixes that DataParallel, ``torch.compile`` and Lightning put before the names are
            removed.
        averaged: Take the weights averaged over training (such as ``model_ema``) where the file has
            both kinds; otherwise a warning says that they are there. If it has only these, they are
            taken anyway.

    Returns:
        dict of name -> ndarray.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is of another kind or damaged, or has no averaged weights to take.
        ImportError: If the library that reads it is missing.
    """
    tensors, taken, passed_over = read_checkpoint(source, averaged)
    if passed_over:
        warnings.warn(taken, stacklevel=2)
    return tensors


class Checkpoint(typing.NamedTuple):
    """The result of :func:`read_checkpoint`.

    Attributes:
        tensors: name -> ndarray.
        taken: A text that says which of several weights these are.
        passed_over: Whether there are averaged weights that were not taken.
    """

    tensors: dict
    taken: str
    passed_over: bool


def read_checkpoint(source, averaged=False):
    """As :func:`read_state_dict`, but returns a :class:`Checkpoint`, which says what was taken."""
    tensors = dict(source) if isinstance(source, Mapping) else _read_file(pathlib.Path(source))
    taken, passed_over = [], False
    while True:
        _check_names(tensors)
        plain = next((key for key in _PLAIN if isinstance(tensors.get(key), Mapping)), None)
        average = next((key for key in _AVERAGED if isinstance(tensors.get(key), Mapping)), None)
        key = average if average and (averaged or plain is None) else plain
        if key is None:
            break
        passed_over |= average is not None and key != average
        taken.append(key)
        tensors = tensors[key]
    found_average = any(key in _AVERAGED for key in taken)
    wrapped = sorted(key for key, value in tensors.items() if isinstance(value, Mapping))
    if wrapped:
        raise ValueError(
            f"The checkpoint holds no tensors but parts: {', '.join(wrapped)}. Pass the part that "
            "holds the weights, as a dict."
        )
    tensors = {name: _as_array(name, tensor) for name, tensor in tensors.items()}
    tensors.pop("n_averaged", None)  # a counter of torch's AveragedModel

    beside = _averaged_beside(tensors)
    rest = {name: tensor for name, tensor in tensors.items() if name not in beside}
    if beside and (averaged or not rest):
        average = {new: tensors[name] for name, new in beside.items()}
        # EMAHook averages parameters only; batch norm's statistics stay as they are.
        tensors = {**rest, **average} if set(average) <= set(rest) else average
        found_average = True
        taken.append("the averaged weights beside the others")
    elif beside:
        tensors, passed_over = rest, True
    if averaged and not found_average:
        raise ValueError(
            "The checkpoint holds no averaged weights: looked for "
            f"{', '.join(_AVERAGED)}. Leave out averaged=True (--averaged)."
        )
    said = f"taken: {' / '.join(taken)}" if taken else "taken: all that is in it"
    passed_over = passed_over and not found_average
    if passed_over:
        said = f"taken: {' / '.join(taken) or 'the plain ones'}; there are averaged weights too"
        said += ", averaged=True (--averaged) takes them"
    return Checkpoint(_without_prefixes(tensors), said, passed_over)


def _check_names(tensors):
    """Raises ValueError unless these are tensors, or parts of a checkpoint, by name."""
    found = f"a {type(tensors).__name__}"
    if isinstance(tensors, Mapping):
        alien = next((key for key in tensors if not isinstance(key, str)), None)
        if alien is None:
            return
        found = f"the key {alien!r} of type {type(alien).__name__}"
    raise ValueError(
        f"The checkpoint holds {found}; expected a dict of name -> tensor, such as a network's "
        "state_dict()."
    )


def _averaged_beside(tensors):
    """Names of averaged tensors among plain ones -> their plain names."""
    names = {}
    for name in tensors:
        first, dot, rest = name.partition(".")
        if dot and first in _AVERAGED:
            names[name] = rest
    # mmcv's EMAHook: "ema_" and the name with underscores for its dots.
    for name in tensors:
        twin = "ema_" + name.replace(".", "_")
        if twin in tensors:
            names[twin] = name
    return names


def _without_prefixes(tensors):
    """The tensors without the prefixes that trainers add, however often repeated."""

    def bare(name):
        while name.startswith(("module.", "_orig_mod.")):
            name = name.removeprefix("module.").removeprefix("_orig_mod.")
        return name.replace("._orig_mod.", ".")  # a part that was compiled

    tensors = renamed(tensors, bare)
    for prefix in _PREFIXES:
        if tensors and all(name.startswith(prefix) for name in tensors):
            return _without_prefixes(
                renamed(tensors, lambda name, prefix=prefix: name.removeprefix(prefix))
            )
    return tensors


def renamed(tensors, rename):
    """The tensors under other names.

    Raises:
        ValueError: If two get the same name, so that it is unclear which one is meant.
    """
    result, origin = {}, {}
    for name, tensor in tensors.items():
        new = rename(name)
        if new in result:
            raise ValueError(
                f"The checkpoint holds {origin[new]!r} and {name!r}, which are one tensor ({new}). "
                "Remove one of them."
            )
        result[new], origin[new] = tensor, name
    return result


def _read_file(path):
    if not path.is_file():
        raise FileNotFoundError(f"No checkpoint at {path}.")
    kind = path.suffix.lower()
    try:
        if kind == ".npz":
            archive = np.load(path, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise ValueError("it is one array, as np.save writes; np.savez writes them by name")
            with archive:
                return dict(archive)
        if kind == ".safetensors":
            return _safetensors().load_file(path)
        if kind in SUFFIXES:
            if damaged := _damaged_part(path):
                raise ValueError(f"{damaged} in it is damaged")
            return import_torch().load(path, map_location="cpu", weights_only=True)
    except (ImportError, FileNotFoundError):
        raise
    except Exception as error:  # each library raises its own kinds for a damaged file
        raise ValueError(f"{path} can't be read as {kind}: {_reason(error, path)}") from error
    raise ValueError(
        f"{path}: expected {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}; got {kind or 'none'!r}."
    )


def _damaged_part(path):
    """The first part of a .pth whose checksum is wrong, or None; torch does not compare them.

    A file before PyTorch 1.6 has none, nor has one with ``set_crc32_options(False)``.
    """
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        has_checksums = any(part.CRC for part in archive.infolist())
        return archive.testzip() if has_checksums else None


def _reason(error, path):
    if isinstance(error, zipfile.BadZipFile):
        return "it is no zip archive" if not zipfile.is_zipfile(path) else f"{error}"
    if isinstance(error, pickle.UnpicklingError):
        other = re.search(r"GLOBAL ([\w.]+)", str(error))
        if other is None:
            return "it is damaged, or no file of PyTorch's."
        return (
            f"it holds other things than tensors ({other[1]}), which might run code. If you trust "
            f"it, torch.save(torch.load({str(path)!r}, weights_only=False)['state_dict'], "
            "'plain.pth'), and take that."
        )
    return str(error) or "it is empty."


def _safetensors():
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError("Reading .safetensors needs: pip install safetensors") from error
    return safetensors.numpy


def import_torch() -> typing.Any:
    """PyTorch's module.

    Raises:
        ImportError: If it is missing; the message says what to install.
    """
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            "Reading a PyTorch checkpoint needs PyTorch: pip install torch, or convert the file to "
            ".safetensors or .npz where PyTorch is."
        ) from error
    return torch


def _as_array(name, tensor):
    try:
        if hasattr(tensor, "detach"):  # a torch tensor, without importing torch
            tensor = tensor.detach().cpu()
            if str(tensor.dtype) == "torch.bfloat16":  # NumPy has no bfloat16
                tensor = tensor.float()
            tensor = tensor.numpy()
        array = np.asarray(tensor)
    except (RuntimeError, TypeError, ValueError) as error:  # sparse, quantized, without values, …
        raise ValueError(
            f"Tensor {name!r} of the checkpoint can't be read as a plain array: {error}. Save it "
            "as one, with to_dense() or dequantize()."
        ) from error
    if array.dtype.name == "bfloat16":
        array = array.astype(np.float32)
    if array.dtype.kind not in "fiu":
        raise ValueError(
            f"Tensor {name!r} of the checkpoint is no array of numbers, but of {array.dtype}."
        )
    return array


class WrongNetwork(ValueError):
    """A checkpoint doesn't fit the network.

    Attributes:
        summary: What the error says first.
        problems: What doesn't fit, a line for each tensor.
    """

    def __init__(self, summary, problems):
        super().__init__("\n  ".join([summary, *problems]))
        self.summary, self.problems = summary, problems

    def __reduce__(self):  # from a process of a pool
        return type(self), (self.summary, self.problems)


class WeightImport:
    """Collects what goes into which variable, and writes it only when everything fits.

    Args:
        tensors: A state dict as :func:`read_state_dict` returns it.
        project: Name of the checkpoint's project, for messages.
    """

    def __init__(self, tensors, project):
        self._tensors, self._project = tensors, project
        self._used, self._problems, self._writes = set(), [], []

    def assign(self, variable, name, convert=None):
        """Plans that tensor ``name``, after ``convert``, becomes the value of ``variable``."""
        if name in self._used:
            raise ValueError(f"{name} would go into {variable.path} and into another weight too.")
        self._used.add(name)
        if name not in self._tensors:
            self._problems.append(f"missing: {name}, for {variable.path} {tuple(variable.shape)}")
            return
        value = self._tensors[name]
        found = value.shape
        try:
            value = convert(value) if convert else value
        except ValueError:  # not as many dimensions as its kind of layer has
            value = None
        if value is None or value.shape != tuple(variable.shape):
            self._problems.append(
                f"wrong shape: {name} is {tuple(found)}; {variable.path} {tuple(variable.shape)} "
                "was expected to take it"
            )
            return
        with np.errstate(over="ignore"):  # float64 may hold more than the network does
            finite = np.isfinite(value.astype(np.float32)).all()
        if not finite:
            self._problems.append(f"not finite: {name} holds NaN or infinite values")
        self._writes.append((variable, value))

    def ignore(self, name):
        """Says that a tensor is known and not needed."""
        self._used.add(name)

    def finish(self):
        """Writes all variables.

        Raises:
            WrongNetwork: If a tensor is missing, misshapen or left over; nothing is written then.
        """
        surplus = [name for name in self._tensors if name not in self._used]
        self._problems += [f"surplus: {n} {self._tensors[n].shape}" for n in surplus]
        if self._problems:
            shown = self._problems[:20]
            more = len(self._problems) - len(shown)
            raise WrongNetwork(
                f"This is no {self._project} checkpoint of this network "
                f"({len(self._problems)} of {len(self._used | set(self._tensors))} tensors don't "
                "fit); nothing was loaded.",
                shown + ([f"… and {more} more"] if more else []),
            )
        for variable, value in self._writes:
            variable.assign(value)
