"""The parts of a model: frozen by name, or compiled as models of their own."""

import contextlib
import itertools
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import Any, Self

import keras

from tfflow.types import ModelMixin, PathLike


class WithParts(ModelMixin):
    """Freezes a model's parts; they stay frozen when it is saved and loaded, or cloned."""

    def freeze_parts(self, names: tuple[str, ...] | list[str]) -> None:
        """Freezes the weights of parts in training; all others are trained.

        The next ``fit`` does so. After the optimizer's first step, it may need
        ``compile`` with a new one: an error says so.

        Args:
            names: Names of layers of the network, and of nested layers as
                ``"flownet2css/flownetc"``.

        Raises:
            ValueError: If there is no such part.
        """
        if isinstance(names, str):
            raise ValueError(f"freeze must be a tuple of names, ({names!r},); got {names!r}.")
        self._thaw()
        for name in names:
            part = self
            for step in name.split("/"):
                found = parts_of(part)
                if step not in found:
                    raise ValueError(
                        f"freeze must name parts of {self.name}; got {name!r}, but the parts of "
                        f"{part.name} are {sorted(found)}."
                    )
                part = found[step]
            part.trainable = False
        self.train_function = None  # which has the parts that were trained before

    def _freeze_new_layers(self):
        """After a model is built: Keras has frozen no layer that did not exist yet."""
        if not self.trainable:
            for layer in self._flatten_layers():
                layer.trainable = False

    def _thaw(self):
        # Keras ignores a True where there is one already, also for the layers inside.
        for layer in self._flatten_layers():
            layer.trainable = True

    @property
    def frozen_parts(self) -> tuple[str, ...]:
        """The names of the outermost parts that keep their weights, as ``freeze_parts`` takes them.

        The configuration has them too: they stay frozen when a model is saved and loaded.
        """
        return _frozen(self) if self.trainable else ()

    def save(self, filepath: PathLike, *args: Any, **kwargs: Any) -> None:
        if pathlib.Path(filepath).suffix in (".h5", ".hdf5"):
            # Keras writes such a file without an error, and can never load it again.
            raise ValueError(
                f"{self.name} can't be saved as {filepath}: Keras's old format knows no models "
                "that are classes of their own. Name it *.keras, or save_weights to *.weights.h5."
            )
        super().save(filepath, *args, **kwargs)

    @property
    def dtype_policy(self) -> Any:
        return super().dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, policy: Any) -> None:
        # Keras would set it for this layer alone: for none inside, and for all after loading.
        raise ValueError(
            f"{self.name} has its precision from the start. Set Keras's policy before a network is "
            f"made, keras.config.set_dtype_policy({policy!r}), and copy weights by set_weights."
        )

    def in_float32(self) -> Self:
        """The model itself, or its float32 twin if it computes in mixed precision."""
        if {layer.compute_dtype for layer in (self, *self.layers)} <= {"float32"}:
            return self
        return self._float32_twin()

    def _float32_twin(self):
        twin = type(self).from_config({**self.get_config(), "dtype": "float32"})
        twin.set_weights(self.get_weights())
        return twin

    def get_config(self) -> dict[str, Any]:
        frozen = {"frozen_parts": self.frozen_parts} if self.frozen_parts else {}
        return {**super().get_config(), **frozen}

    def _trackable_children(self, save_type="checkpoint", **kwargs):
        # tf.train.Checkpoint and tf.saved_model.save call this, and Keras leaves out layers in a
        # list or a dictionary.
        children = super()._trackable_children(save_type, **kwargs)
        return {**children, **{f"part {name}": part for name, part in _all_parts(self)}}


class CompiledPart(keras.Model):
    """A model's function as a model of its own: Keras only compiles a model's call.

    Args:
        model: The model.
        function: ``function(inputs)``, with the inputs of ``predict_on_batch``.
    """

    def __init__(self, model: Any, function: Callable[[Any], Any]) -> None:
        super().__init__(name=f"part_of_{model.name}", autocast=False)  # it casts for itself
        # Part of the model, so that backends that pass weights as arguments find them.
        self.whole, self.function = model, function
        self.jit_compile = model.jit_compile

    def build(self, *args: Any, **kwargs: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        return self.function(inputs)


@contextlib.contextmanager
def dtype_policy(policy: Any) -> Iterator[None]:
    """The precision of networks that are made inside this context."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def parts_of(layer):
    """The layers directly inside a layer, by name.

    A layer without a name of its own is called by its class and its place among such layers, as
    "conv2d", "conv2d_1": Keras numbers them through all networks of a process. The second layer of
    one name gets a number too.
    """
    named = {}
    for part in layer._flatten_layers(include_self=False, recursive=False):
        name = re.sub(r"_\d+$", "", part.name) if _is_named_by_keras(part) else part.name
        numbered = (f"{name}_{number}" for number in itertools.count(1))
        named[next(n for n in itertools.chain([name], numbered) if n not in named)] = part
    return named


def name_parts(layer):
    """Gives the parts that have none of their own the names that they have in `parts_of`."""
    for name, part in parts_of(layer).items():
        part.name = name
        if not isinstance(part, keras.Model):  # whose parts know each other by their names
            name_parts(part)


def weights_of(layer):
    """All weights of a layer by their place in it, such as "level5/matching/conv1/kernel"."""
    parts = parts_of(layer)
    of_parts = {id(weight) for part in parts.values() for weight in part.weights}
    found = {weight.name: weight for weight in layer.weights if id(weight) not in of_parts}
    for name, part in parts.items():
        found |= {f"{name}/{place}": weight for place, weight in weights_of(part).items()}
    return found


def _is_named_by_keras(layer):
    name = re.sub(r"_\d+$", "", layer.name).replace("_", "")
    return name == type(layer).__name__.lower()


def _frozen(layer):
    names = []
    for name, part in parts_of(layer).items():
        names += [f"{name}/{inner}" for inner in _frozen(part)] if part.trainable else [name]
    return tuple(names)


def _all_parts(layer):
    for name, part in parts_of(layer).items():
        yield name, part
        yield from ((f"{name}/{inner}", each) for inner, each in _all_parts(part))
