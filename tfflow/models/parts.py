"""The parts of a model: frozen by name, or compiled as models of their own."""

import contextlib
import inspect
import itertools
import pathlib
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self

import keras

from tfflow.types import ModelMixin, PathLike

_PLAIN = (str, int, float, bool, type(None))


class WithParts(ModelMixin):
    """Freezes a model's parts; they stay frozen when it is saved and loaded, or cloned."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        model = super().__new__(cls, *args, **kwargs)
        vars(model)["_arguments"] = args, kwargs  # unseen by Keras: layers among them are no parts
        return model

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

    def load_weights(self, filepath: PathLike, *args: Any, **kwargs: Any) -> None:
        """As ``keras.Model.load_weights``; a file that does not fit changes nothing."""
        before = self.get_weights()
        try:
            super().load_weights(filepath, *args, **kwargs)
        except ValueError as error:
            self.set_weights(before)
            if not pathlib.Path(filepath).is_file():
                raise
            raise ValueError(
                f"the weights in {filepath} do not fit {self.name} ({self.count_params():,} "
                "parameters): they are of another network, or of this one with another width or "
                "other arguments."
            ) from error

    def get_config(self) -> dict[str, Any]:
        frozen = {"frozen_parts": self.frozen_parts} if self.frozen_parts else {}
        return {**super().get_config(), **self._own_arguments(), **frozen}

    def _own_arguments(self):
        """The arguments of a class that has some, but no ``get_config`` that knows them.

        Raises:
            NotImplementedError: If they are more than numbers, texts and sequences of these.
        """
        classes = type(self).__mro__
        owner, knower = (
            next(each for each in classes if method in vars(each))
            for method in ("__init__", "get_config")
        )
        if classes.index(knower) <= classes.index(owner):
            return {}
        signature = inspect.signature(owner.__init__)
        bound = signature.bind(self, *self._arguments[0], **self._arguments[1])
        bound.apply_defaults()
        known = {"self", *super().get_config()}
        variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        own = {
            name: value
            for name, value in bound.arguments.items()
            if name not in known and signature.parameters[name].kind not in variable
        }
        for name, value in own.items():
            if not all(isinstance(each, _PLAIN) for each in keras.tree.flatten(value)):
                raise NotImplementedError(
                    f"{owner.__name__} can't be saved or copied: its argument {name} is "
                    f"{value!r}, and only numbers, texts and sequences of these are kept by "
                    f'themselves. Give it a get_config: return {{**super().get_config(), "{name}": '
                    "…}."
                )
        return own

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

    def predict_on_batch(self, x: Any) -> Any:
        with alone():
            return super().predict_on_batch(x)


_ONE_AT_A_TIME = threading.RLock()


def alone() -> contextlib.AbstractContextManager[Any]:
    """Threads predict at the same time on TensorFlow, else one after the other.

    On JAX Keras passes a model's variables from one call to the next, and another thread would
    find them gone.
    """
    if keras.backend.backend() == "tensorflow":
        return contextlib.nullcontext()
    return _ONE_AT_A_TIME


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
