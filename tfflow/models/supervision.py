"""What ``fit`` and ``evaluate`` compare: a network's outputs with the true flow."""

import functools
import itertools
import re
from collections.abc import Callable
from typing import Any, Literal

import keras
from keras import ops

from tfflow.ops import resize, resize_flow
from tfflow.ops.arguments import floating, may_equal
from tfflow.types import ModelMixin, Tensor

# In a saved model's compile_config.
_OPTIMIZED = "optimized_weights"


class QuickToCompile(ModelMixin):
    """``compile`` for a model whose steps are quick without XLA, and that builds itself."""

    def compile(
        self, *args: Any, jit_compile: bool | Literal["auto"] = "auto", **kwargs: Any
    ) -> None:
        """As ``keras.Model.compile``; ``jit_compile="auto"`` leaves XLA off on TensorFlow."""
        if jit_compile == "auto" and keras.backend.backend() == "tensorflow":
            # XLA's depthwise convolutions make a step on a CPU ten times slower.
            jit_compile = False
        super().compile(*args, jit_compile=jit_compile, **kwargs)
        if self.optimizer is not None and self.built:
            # With its variables already there, TensorFlow traces the first step once, not twice.
            self.optimizer.build(self.trainable_variables)

    def make_train_function(self, force: bool = False) -> Any:
        if self.optimizer is not None and (force or self.train_function is None):
            self._follow_trained_parts()
        return super().make_train_function(force)

    def _follow_trained_parts(self):
        """Fits the optimizer to parts that were frozen or thawed since it was built."""
        optimizer = _inner(self.optimizer)
        known = {id(variable) for variable in optimizer._trainable_variables}
        trained = {id(variable) for variable in self.trainable_variables}
        if trained == known:
            return
        if int(ops.convert_to_numpy(optimizer.iterations)) == 0:
            self._build_optimizer(self.trainable_variables)
        # TensorFlow passes the variables by name, other backends and averages by their order.
        elif keras.backend.backend() != "tensorflow" or optimizer.use_ema or not trained <= known:
            own = known & {id(variable) for variable in self.weights}
            why = "as parts were frozen or thawed since" if own else "those of another network"
            raise ValueError(
                f"The optimizer of {self.name} has trained other weights than it would now, {why}, "
                "and can't go on. Call compile with a new one."
            )

    def _build_optimizer(self, variables):
        for each in (_inner(self.optimizer), self.optimizer):
            _unbuild(each)
        self.optimizer.build(variables)

    def get_compile_config(self) -> dict[str, Any]:
        """As Keras's, with the places in ``weights`` of those that the optimizer has a state for.

        Where parts were frozen since, these are more than the trained ones.
        """
        config = super().get_compile_config()
        if config and getattr(self.optimizer, "built", False):
            known = [id(variable) for variable in _inner(self.optimizer)._trainable_variables]
            places = {id(variable): place for place, variable in enumerate(self.weights)}
            if known != [id(variable) for variable in self.trainable_variables]:
                config[_OPTIMIZED] = [places[each] for each in known if each in places]
        return config

    def compile_from_config(self, config: dict[str, Any]) -> None:
        # Keras requires this of every model that overrides compile.
        config = dict(config)
        places = config.pop(_OPTIMIZED, None)
        self.compile(**keras.saving.deserialize_keras_object(config))
        if places is not None and self.optimizer is not None and self.built:
            weights = self.weights
            self._build_optimizer([weights[place] for place in places])


def _inner(optimizer):
    """The optimizer that has the state: the one within a LossScaleOptimizer."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def _unbuild(optimizer):
    """An optimizer without the variables that its first step would use; Keras has no way to."""
    kept = [
        variable
        for variable in optimizer._variables
        if variable is optimizer._iterations or variable is optimizer._learning_rate
    ]
    optimizer._variables.clear()
    optimizer._variables.extend(kept)
    optimizer._trainable_variables_indices.clear()
    optimizer.built = False


def check_no_classes(arguments: dict[str, Any]) -> None:
    """Raises ValueError if Keras's ``class_weight`` is among the arguments of ``fit``."""
    if arguments.get("class_weight") is not None:
        raise ValueError(
            "A flow has no classes, so class_weight can't be used. Give a weight for each pair, "
            "(B,), or pixel, (B, H, W), as sample_weight."
        )


class Supervised(QuickToCompile):
    """Keras training for a model with a dictionary of outputs and one flow as the target.

    The target is the true flow, (B, H, W, 2) in pixels, or ``{"flow": …}``; with losses or metrics
    for further outputs, a dictionary with the truth for each. ``sample_weight`` is the flow's
    validity, (B, H, W) or (B, H, W, 1), or a weight for each pair, (B,). Where the truth is NaN or
    infinite, it does not count in a loss, nor in the metrics of ``tfflow.metrics``.
    """

    def compile(  # type: ignore[override]  # with the names of Keras's first arguments
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: dict[str, float] | None = None,
        metrics: list[Any] | dict[str, Any] | None = None,
        weighted_metrics: list[Any] | dict[str, Any] | None = None,
        *,
        jit_compile: bool | Literal["auto"] = "auto",
        **kwargs: Any,
    ) -> None:
        """Like ``keras.Model.compile``, with the differences below.

        Args:
            optimizer: As in Keras.
            loss: A loss of ``tfflow.losses``, which sees the whole pyramid; one of Keras's, which
                sees ``flow``; or a dictionary of Keras's, output -> loss.
            loss_weights: For a dictionary of losses.
            metrics: A list of metrics of ``flow``, or a dictionary, output -> metrics. All of them
                are weighted: they see ``sample_weight``.
            weighted_metrics: The same.
            jit_compile: ``"auto"`` leaves XLA off on TensorFlow.
            **kwargs: As in Keras.

        Raises:
            ValueError: If losses are in a list, or one of ``tfflow.losses`` is in a dictionary or
                has ``loss_weights``.
        """
        if isinstance(loss, (list, tuple)):
            if len(loss) != 1:
                raise ValueError(
                    f"{self.name} has outputs by name: loss must be one loss or a dictionary, such "
                    f'as {{"flow": "mse"}}; got a list of {len(loss)}.'
                )
            loss = loss[0]
        alone = loss if _takes_pyramid(loss) else None
        for each in loss.values() if isinstance(loss, dict) else ():
            if _takes_pyramid(each):
                raise ValueError(
                    f"{type(each).__name__} is a loss of all outputs together; pass it as "
                    "loss=…, without the name of one."
                )
        if alone is not None and loss_weights is not None:
            raise ValueError(
                f"loss_weights is for a dictionary of losses; {type(alone).__name__} weighs the "
                "outputs itself."
            )
        metrics = _joined(metrics, weighted_metrics)
        of_flow = ("flow",) if metrics else ()
        self._measured_outputs = tuple(metrics) if isinstance(metrics, dict) else of_flow
        # Keras would keep these from an earlier call.
        for kept in ("loss", "_compile_loss", "_compile_metrics"):
            setattr(self, kept, None)
        super().compile(
            optimizer,
            loss=loss,
            loss_weights=loss_weights,
            weighted_metrics=metrics,
            jit_compile=jit_compile,
            **kwargs,
        )

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        """The loss of the whole pyramid, or of the outputs that have losses."""
        if y is None:
            raise ValueError(
                f"{self.name} needs the true flow, (B, H, W, 2), beside the images: fit(images, "
                "flow) or pairs of both."
            )
        named = self.loss if isinstance(self.loss, dict) else ()
        for what, given in (("target", y), ("sample_weight", sample_weight)):
            _check_names(what, given, {*y_pred, *named})
        if _takes_pyramid(self.loss):
            truth, weight = _of_flow(y, "target"), _of_flow(sample_weight, "sample_weight")
            _check_size_of(truth, y_pred["flow"])
            loss = self.loss(*self._at_network_size(truth, y_pred, weight))
        elif self.loss is None:
            loss = ops.zeros(())  # metrics alone
        else:
            by_name = isinstance(self.loss, dict)
            names = self.loss if by_name else _names(y)
            truth, outputs, weight = _chosen(names, y, y_pred, sample_weight)
            truth = {name: _known(truth[name], outputs[name]) for name in truth}
            compared = truth, outputs, weight
            loss = self._compile_loss(*(compared if by_name else _without_name(compared)))
        for regularization in self.losses:
            loss = loss + self._aggregate_additional_loss(regularization)
        return loss

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Metrics see ``flow``, full size and in pixels, and other outputs if they ask for them."""
        if not self._measured_outputs:
            return self.get_metrics_result()  # the loss alone
        compared = _chosen(self._measured_outputs, y, y_pred, sample_weight)
        return super().compute_metrics(x, *_without_name(compared))

    def _make_function(self, step_function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        make = functools.partial(super()._make_function, step_function, *args, **kwargs)
        if keras.backend.backend() != "tensorflow":
            return make()
        # Once weights came as (B,) and as (B, H, W), one function would be traced for any rank.
        by_ranks: dict[tuple[int | None, ...], Any] = {}

        def function(iterator):
            ranks, iterator = _ranks_of_next(iterator)
            if ranks not in by_ranks:
                by_ranks[ranks] = make()
            return by_ranks[ranks](iterator)

        return function

    def _at_network_size(self, truth, outputs, weight):
        """(truth, outputs, weight) with the truth at the size that the network runs at."""
        levels = sorted(int(name[4:]) for name in outputs if re.fullmatch(r"flow\d+", name))
        if not levels:
            return truth, outputs, weight
        finest = outputs[f"flow{levels[0]}"]
        stride = self.level_stride(levels[0])
        size = tuple(stride * side for side in ops.shape(finest)[1:3])
        if None not in truth.shape[1:3] and tuple(truth.shape[1:3]) == tuple(
            side and stride * side for side in finest.shape[1:3]
        ):
            return truth, outputs, weight
        of_pairs = weight is not None and len(weight.shape) < 3
        truth, share = _resized_truth(truth, size, None if of_pairs else weight)
        return truth, outputs, weight if of_pairs else share


def _ranks_of_next(iterator):
    """The number of dimensions of each part of the next batch, and the iterator with that batch."""
    if hasattr(iterator, "element_spec"):
        parts = iterator.element_spec
    else:
        parts = next(iterator)
        iterator = itertools.chain([parts], iterator)
    shapes = [getattr(part, "shape", None) for part in keras.tree.flatten(parts)]
    ranks = (None if shape is None else getattr(shape, "rank", len(shape)) for shape in shapes)
    return tuple(ranks), iterator


def _takes_pyramid(loss):
    return getattr(loss, "takes_pyramid", False)


def _joined(metrics, weighted_metrics):
    """Both arguments of ``compile`` as one: None, a list for ``flow``, or a dictionary of lists."""
    found = {}
    for given in (metrics, weighted_metrics):
        for name, each in (given if isinstance(given, dict) else {"flow": given}).items():
            if each is not None:
                each = each if isinstance(each, (list, tuple)) else [each]
                found[name] = [*found.get(name, ()), *each]
    if set(found) <= {"flow"}:
        return found.get("flow") or None
    return found


def _check_names(what, given, known):
    unknown = sorted(set(given) - known) if isinstance(given, dict) else ()
    if unknown:
        raise ValueError(
            f"{what} has {', '.join(unknown)}, which is no output of the network: it would not be "
            "used. Where the flow is known, (B, H, W), is the sample weight: fit(images, flow, "
            "valid), or (images, flow, valid) of a data set."
        )


def _names(target):
    return tuple(target) if isinstance(target, dict) else ("flow",)


def _of_flow(given, what):
    """A target or weight that may be in a dictionary by the outputs' names."""
    if not isinstance(given, dict):
        return given
    if "flow" not in given:
        raise ValueError(f'{what} must be an array or {{"flow": …}}; got {sorted(given)}.')
    return given["flow"]


def _check_size_of(truth, output, name="flow"):
    wanted, found = tuple(output.shape), tuple(truth.shape)
    if name != "flow":
        # Classes may be numbers, without a channel for each; Keras knows of further dimensions.
        both = zip(wanted[:-1], found[:-1]) if len(wanted) == len(found) else ()
        if not all(may_equal(*sizes) for sizes in both):
            raise ValueError(f"The truth of {name} must be as large as it, {wanted}; got {found}.")
    elif len(found) != 4 or not all(map(may_equal, wanted, found)):
        raise ValueError(
            f"The true flow must be (B, H, W, 2) for images (B, H, W, 3); got {found} where the "
            f"predicted flow is {wanted}."
        )


def _chosen(names, target, outputs, sample_weight):
    """(targets, outputs, weights) of the outputs of these names, three dictionaries."""
    targets = target if isinstance(target, dict) else {"flow": target}
    for what, found in (("the model's outputs", outputs), ("the target", targets)):
        missing = sorted(set(names) - set(found))
        if missing:
            raise ValueError(
                f"The losses and metrics are for {sorted(names)}, but {what} "
                f"({', '.join(sorted(found))}) lack {', '.join(missing)}."
            )
    outputs = {name: outputs[name] for name in names}
    targets = {name: targets[name] for name in names}
    for name in names:
        _check_size_of(targets[name], outputs[name], name)
    if isinstance(sample_weight, dict):
        weights = {name: sample_weight.get(name) for name in names}
    else:
        weights = dict.fromkeys(names, sample_weight)
    weights = {name: _for_each_pixel(weights[name], outputs[name]) for name in names}
    return targets, outputs, weights


def _without_name(compared):
    """For a single output, three plain values, as Keras expects."""
    return [next(iter(d.values())) for d in compared] if len(compared[0]) == 1 else compared


def _known(truth, output):
    """The truth, replaced by the output where it is not finite, so that no error counts there."""
    if len(truth.shape) != len(output.shape):
        return truth  # Keras reports it
    truth = ops.cast(truth, output.dtype)
    return ops.where(ops.isfinite(truth), truth, ops.stop_gradient(output))


def _for_each_pixel(weight, output):
    """A weight for each pair (B,) as one for each pixel (B, H, W); any other as it is.

    Keras would multiply (B, H, W) values with (B,) weights along the width.
    """
    if weight is None or len(weight.shape) != 1:
        return weight
    weight = ops.cast(weight, output.dtype)
    return weight[:, None, None] * ops.ones_like(output[..., 0])


def _resized_truth(truth, size, valid=None):
    """The true flow at another size, in its pixels; means are over known pixels only.

    Returns:
        (B, *size, 2), NaN where nothing is known, and (B, *size, 1): the share of each pixel that
        is known.
    """
    truth = floating(truth)
    known = ops.all(ops.isfinite(truth), axis=-1, keepdims=True)
    truth = ops.where(known, truth, ops.zeros_like(truth))
    known = ops.cast(known, truth.dtype)
    if valid is not None:
        valid = ops.cast(valid, truth.dtype)
        known = known * (valid[..., None] if len(valid.shape) == 3 else valid)
    share = resize(known, size)
    return ops.where(share > 0, resize_flow(truth * known, size) / share, float("nan")), share
