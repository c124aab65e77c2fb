"""Checkpoints of PyTorch projects as plain arrays, and their careful use.

An importer asks for every tensor that its network needs, by name and shape, and says at the end
that it is done: each tensor of the checkpoint is then used exactly once, or the import fails and
lists what was missing, of another shape, or left over. A model is written to only after that.
"""

import pathlib
import zipfile

import numpy as np


def read_state_dict(source):
    """A checkpoint as a dict of name -> ndarray.

    Args:
        source: A dict of arrays or tensors, or a path: ``.npz``, ``.safetensors`` (needs the extra
            ``import``), ``.pth``, ``.pt``, ``.ckpt`` or ``.tar`` (needs PyTorch, extra ``torch``;
            read with ``weights_only=True``, so that no code of the file is run). Tensors wrapped
            in ``state_dict`` are unwrapped; the prefix ``module.`` of DataParallel goes.

    Returns:
        dict of name -> ndarray.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is of another kind or damaged.
        ImportError: If the library that reads it is missing.
    """
    tensors = dict(source) if isinstance(source, dict) else _read_file(pathlib.Path(source))
    for wrapper in ("state_dict", "model_state_dict", "model"):
        if isinstance(tensors.get(wrapper), dict):
            tensors = tensors[wrapper]
            break
    tensors = {name: _as_array(name, tensor) for name, tensor in tensors.items()}
    return renamed(tensors, lambda name: name.removeprefix("module."))


def renamed(tensors, rename):
    """The tensors under other names.

    Raises:
        ValueError: If two come under one name; which of them is meant, nobody can tell.
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
            with np.load(path, allow_pickle=False) as archive:
                return dict(archive)
        if kind == ".safetensors":
            return _safetensors().load_file(path)
        if kind in (".pth", ".pt", ".ckpt", ".tar"):
            return dict(_torch().load(path, map_location="cpu", weights_only=True))
    except (ImportError, FileNotFoundError):
        raise
    except Exception as error:  # each library has its own kinds of them for a damaged file
        detail = "not a zip archive" if isinstance(error, zipfile.BadZipFile) else error
        raise ValueError(f"{path} can't be read as {kind}: {detail}") from error
    raise ValueError(
        f"{path}: expected .npz, .safetensors, .pth, .pt, .ckpt or .tar; got {kind or 'none'!r}."
    )


def _safetensors():
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError('Reading .safetensors needs: pip install "tfflow[import]"') from error
    return safetensors.numpy


def _torch():
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            'Reading a PyTorch checkpoint needs PyTorch: pip install "tfflow[torch]", or convert '
            "the file to .safetensors or .npz where PyTorch is."
        ) from error
    return torch


def _as_array(name, tensor):
    if hasattr(tensor, "detach"):  # a torch tensor, without importing torch
        tensor = tensor.detach().cpu()
        if str(tensor.dtype) == "torch.bfloat16":  # NumPy has no such numbers
            tensor = tensor.float()
        tensor = tensor.numpy()
    array = np.asarray(tensor)
    if array.dtype.kind not in "fiu":
        raise ValueError(
            f"Tensor {name!r} of the checkpoint is no array of numbers: {type(tensor)}."
        )
    return array


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
        except ValueError:  # another number of dimensions than its kind of layer has
            value = None
        if value is None or value.shape != tuple(variable.shape):
            self._problems.append(
                f"wrong shape: {name} is {tuple(found)}; {variable.path} {tuple(variable.shape)} "
                "was expected to take it"
            )
            return
        if not np.isfinite(value).all():
            self._problems.append(f"not finite: {name} holds NaN or infinite values")
        self._writes.append((variable, value))

    def ignore(self, name):
        """Says that a tensor is known and not needed."""
        self._used.add(name)

    def finish(self):
        """Writes all variables.

        Raises:
            ValueError: If a tensor is missing, misshapen or left over; nothing is written then.
        """
        surplus = [name for name in self._tensors if name not in self._used]
        self._problems += [f"surplus: {n} {self._tensors[n].shape}" for n in surplus]
        if self._problems:
            shown = self._problems[:20]
            more = len(self._problems) - len(shown)
            raise ValueError(
                f"This is no {self._project} checkpoint of this network "
                f"({len(self._problems)} of {len(self._used | set(self._tensors))} tensors don't "
                "fit); nothing was loaded.\n  "
                + "\n  ".join(shown)
                + (f"\n  … and {more} more" if more else "")
            )
        for variable, value in self._writes:
            variable.assign(value)
