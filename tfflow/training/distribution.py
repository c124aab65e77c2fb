"""Training on several devices and machines with ``tf.distribute`` and ``model.fit``::

    strategy = make_strategy("mirrored")
    with strategy.scope():
        model = tfflow.models.create("liteflownet")
        model.compile(optimizer, loss)
    batches = distribute(strategy, lambda share: training_pipeline(..., share=share))
    prepare(model)
    model.fit(batches, steps_per_epoch=1000)

Batch sizes are global: one device with batches of 8, two with 4 each, and two machines with 4 each
have the same data, the same gradient and the same weights.
"""

import functools
import json
import os
from collections.abc import Callable
from typing import Any, Literal, TypeAlias, get_args

import keras
import tensorflow as tf

from tfflow.data.pipeline.batches import WorkerShare

Strategy: TypeAlias = Literal["none", "mirrored", "multi-worker", "tpu"]
STRATEGIES = get_args(Strategy)


def make_strategy(name: Strategy) -> tf.distribute.Strategy:
    """A strategy by name.

    Args:
        name: ``"none"``: one device. ``"mirrored"``: all GPUs of this machine (or its logical CPU
            devices). ``"multi-worker"``: the machines of ``TF_CONFIG``, each with all its GPUs.
            ``"tpu"``: the TPU that the environment names; not tried yet.

    Raises:
        ValueError: For another name, or ``"multi-worker"`` without a ``TF_CONFIG`` that says where
            the workers are.
    """
    if name not in STRATEGIES:
        raise ValueError(f"distribute must be one of {', '.join(STRATEGIES)}; got {name!r}.")
    if name == "none":
        return tf.distribute.get_strategy()
    if name == "multi-worker":
        check_tf_config()
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "tpu":
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    return _mirrored()


@functools.cache
def _mirrored():
    # A second one in a process counts its reductions anew, and TensorFlow mixes them up.
    # Without GPUs, TensorFlow's own choice would be one CPU device, however many there are.
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def check_tf_config() -> None:
    """Checks the environment variable that says who the workers are and which one this is.

    Raises:
        ValueError: If it is missing or malformed; with an example.
    """
    example = (
        '{"cluster": {"worker": ["host0:12345", "host1:12345"]}, '
        '"task": {"type": "worker", "index": 0}}'
    )
    text = os.environ.get("TF_CONFIG", "")
    try:
        config = json.loads(text)
        workers, task = config["cluster"]["worker"], config["task"]
        well_formed = task["type"] == "worker" and 0 <= task["index"] < len(workers)
    except (ValueError, KeyError, TypeError):
        well_formed = False
    if not well_formed:
        raise ValueError(
            "multi-worker needs the environment variable TF_CONFIG, the same on every machine but "
            f"for the index, as in TF_CONFIG='{example}'; got {text!r}. train/launch.sh and "
            "train/slurm.sh set it."
        )


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes what all share: checkpoints, logs, models."""
    resolver = strategy.cluster_resolver
    return not (resolver and resolver.task_type) or resolver.task_id == 0


def distribute(
    strategy: tf.distribute.Strategy, make_batches: Callable[..., tf.data.Dataset]
) -> Any:
    """The data of this worker and its devices.

    Args:
        strategy: A ``tf.distribute`` strategy.
        make_batches: ``make_batches(share=…) -> tf.data.Dataset``, such as
            :func:`tfflow.data.training_pipeline` with all but its ``share`` given.

    Returns:
        What ``model.fit`` takes.
    """
    if strategy.num_replicas_in_sync == 1:
        return make_batches(share=WorkerShare())
    return strategy.distribute_datasets_from_function(
        lambda context: make_batches(share=share(strategy))
    )


def share(strategy: tf.distribute.Strategy) -> WorkerShare:
    """The share of every batch that this worker reads."""
    resolver = strategy.cluster_resolver
    cluster = resolver.cluster_spec().as_dict() if resolver and resolver.task_type else {}
    workers = len(cluster.get("worker", ["this one"]))
    worker = resolver.task_id if workers > 1 else 0
    return WorkerShare(worker, workers, strategy.num_replicas_in_sync // workers)


def prepare(model: keras.Model) -> "InputClock":
    """Fixes what Keras 3's ``fit`` gets wrong under strategies, and measures the wait for data.

    Call it after ``compile``. What it fixes, in Keras 3.15 (keras-team/keras#20585):

    * ``fit`` averages over devices a batch that may be a dict, and scalars over a first axis that
      they lack: both fail with several workers.
    * Gradients are clipped before the devices' shares are summed, so the step depends on the number
      of devices.
    * Overflow of float16 gradients is only checked on the first device.
    * Batch norm sees one device's part of a batch, unless it was made with ``synchronized=True``.

    Args:
        model: A compiled model, made in the strategy's scope.

    Returns:
        The :class:`InputClock` that runs while ``model.fit`` trains.
    """
    if model.steps_per_execution != 1:
        raise ValueError(
            "prepare runs one batch at a time: compile the model with steps_per_execution=1; got "
            f"{model.steps_per_execution}."
        )
    strategy = model.distribute_strategy
    clock = InputClock()
    make_without_clock, make_of_devices = model.make_train_function, model.make_predict_function

    def make_train_function(force=False):
        if strategy.num_replicas_in_sync > 1:
            _prepare_optimizer(model.optimizer)  # compile may have brought another one
            for layer in model._flatten_layers():
                if isinstance(layer, keras.layers.BatchNormalization):
                    layer.synchronized = True
        if model.train_function is None or force:
            make_without_clock(force)  # it refuses an optimizer that has trained other parts
            model.train_function = clock.measured(_training_step(model, strategy))
        return model.train_function

    def symbolic_build(iterator=None, data_batch=None):
        if iterator is not None:
            _, _, batches = next(iter(iterator))
            data_batch = keras.tree.map_structure(
                lambda value: strategy.experimental_local_results(value)[0], next(batches)
            )
        with strategy.scope():
            model._symbolic_build(data_batch=data_batch)

    def make_predict_function(force=False):
        if model.predict_function is not None and not force:
            return
        make_of_devices(force=True)
        of_devices = model.predict_function
        of_first = tf.function(lambda data: model.predict_step(data[0]), reduce_retracing=True)

        def predict(data):
            # A batch that is not spread over the devices runs on this worker's first one: all would
            # predict the same, and give one result each.
            spread = any(
                isinstance(value, tf.distribute.DistributedValues)
                for value in keras.tree.flatten(data[0])
            )
            return of_devices(data) if spread else of_first(data)

        model.predict_function = predict

    model.make_train_function = make_train_function
    if strategy.num_replicas_in_sync > 1:
        model._maybe_symbolic_build = symbolic_build
        model.make_predict_function = make_predict_function
    return clock


def broadcast(model: keras.Model, step: int) -> int:
    """Gives all workers the chief's weights and optimizer state, as after loading a checkpoint.

    Returns:
        The chief's step.
    """
    strategy = model.distribute_strategy
    if strategy.num_replicas_in_sync == 1:
        return step
    chief = is_chief(strategy)

    def of_chief(value):
        context = tf.distribute.get_replica_context()
        mine = tf.cast(chief and context.replica_id_in_sync_group == 0, value.dtype)
        return context.all_reduce("SUM", value * mine)

    @tf.function(reduce_retracing=True)
    def everywhere(value):
        return strategy.experimental_local_results(strategy.run(of_chief, args=(value,)))[0]

    for variable in (*model.variables, *model.optimizer.variables):
        value = tf.convert_to_tensor(keras.ops.convert_to_numpy(variable))
        variable.assign(everywhere(value))
    return int(everywhere(tf.constant(step, tf.int64)))


class InputClock:
    """How long the devices waited for data, in seconds."""

    def __init__(self) -> None:
        self._waited: Any = 0.0

    def measured(self, step: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def train_function(iterator):
            logs, waited = step(iterator)
            self._waited += waited
            return logs

        return train_function

    def take(self) -> float:
        """The seconds since the last call."""
        waited, self._waited = self._waited, 0.0
        return float(waited)


def _training_step(model, strategy):
    """A function that takes a batch from an iterator and trains on it: (logs, seconds waited)."""
    train_step = model.train_step
    if model.jit_compile:
        train_step = tf.function(train_step, jit_compile=True, reduce_retracing=True)

    def step(iterator):
        before = tf.timestamp()
        with tf.control_dependencies([before]):
            batch = next(iterator)
        tensors = tf.nest.flatten(
            [strategy.experimental_local_results(value) for value in tf.nest.flatten(batch)]
        )
        with tf.control_dependencies(tensors):
            waited = tf.timestamp() - before
        logs = strategy.run(train_step, args=(batch,))
        mean = {name: strategy.reduce("MEAN", value, axis=None) for name, value in logs.items()}
        return mean, waited

    if model.run_eagerly:
        return step
    return tf.function(tf.autograph.experimental.do_not_convert(step), reduce_retracing=True)


def _prepare_optimizer(optimizer):
    if getattr(optimizer, "clips_whole_gradients", False):
        return
    optimizer.clips_whole_gradients = True
    scaled = getattr(optimizer, "inner_optimizer", None)
    if scaled is not None:
        _agree_on_overflow(optimizer)
        optimizer = scaled
    clip = optimizer._clip_gradients

    def clip_whole_gradients(gradients):
        if not any((optimizer.clipnorm, optimizer.clipvalue, optimizer.global_clipnorm)):
            return gradients
        context = tf.distribute.get_replica_context()
        gradients = clip(context.all_reduce("SUM", list(gradients)))
        # The optimizer will sum them over the devices, which now have the same ones.
        return [gradient / context.num_replicas_in_sync for gradient in gradients]

    optimizer._clip_gradients = clip_whole_gradients


def _agree_on_overflow(optimizer):
    check = optimizer.check_finite

    def check_everywhere(gradients):
        context = tf.distribute.get_replica_context()
        finite = context.all_reduce("SUM", tf.cast(check(gradients), tf.float32))
        return finite >= context.num_replicas_in_sync - 0.5

    optimizer.check_finite = check_everywhere
