"""Training batches that are drawn on the device while they are used: no disk, no scene twice."""

import queue
import threading

import keras

from tfflow.data.synthetic import render_ops
from tfflow.data.synthetic.pool import make_pool
from tfflow.data.synthetic.scene import sample_scene


def scene_batches(config, batch_size, *, seed=0, start=0, threads=2):
    """Endless batches of synthetic scenes, drawn by `render_ops` under jit.

    Meant for a GPU; on a CPU `synthesize` and `training_pipeline` are ten times faster. The host
    has to sample the scenes (1 ms each) and to make the pools (0.1 s per texture), so give a
    configuration of more `textures` and `scenes_per_pool` than for a CPU, and no `motion_blur`,
    which costs as much again as four pictures.

    Args:
        config: `SceneConfig`; JPEG artefacts are left out. Scenes are drawn in the size that the
            network shall see: there is no crop.
        batch_size: pairs per batch; `scenes_per_pool` must be a multiple of it.
        seed: whole number. Batch n holds the scenes n * batch_size, ... of this seed.
        start: number of the first batch, to go on after an interruption.
        threads: CPU threads that make a pool.

    Yields:
        ({"image1", "image2"}, flow, valid) on the device: images (B, H, W, 3) float32 in [0, 1],
        flow (B, H, W, 2) float32 in pixels, valid (B, H, W) float32, all 1.

    Raises:
        ValueError: `scenes_per_pool` is no multiple of `batch_size`.
        RuntimeError: a Keras backend other than JAX and TensorFlow.
    """
    if config.scenes_per_pool % batch_size:
        raise ValueError(
            f"scenes_per_pool ({config.scenes_per_pool}) must be a multiple of batch_size "
            f"({batch_size}): a batch is drawn from one pool"
        )
    draw = _jit(lambda packed, *pool: _training_pair(render_ops.draw(packed, *pool, config=config)))
    # Scenes are sampled while the device draws; two batches ahead is enough.
    ready = queue.Queue(maxsize=2)
    ended = threading.Event()
    arguments = config, batch_size, seed, start, threads, ready, ended
    worker = threading.Thread(target=_sample, args=arguments, daemon=True)
    worker.start()
    pool = None
    try:
        while True:
            new_pool, packed = ready.get()
            if isinstance(packed, Exception):
                raise packed
            if new_pool is not None:
                pool = [keras.ops.convert_to_tensor(array) for array in new_pool]
            yield draw(packed, *pool)
    finally:
        ended.set()


def _sample(config, batch_size, seed, start, threads, ready, ended):
    """Puts (pool or None if it is the last one, packed scenes or an error) into a queue."""
    try:
        current = None
        batch = start
        while not ended.is_set():
            numbers = range(batch * batch_size, (batch + 1) * batch_size)
            scenes = [sample_scene(config, seed, number) for number in numbers]
            pool = None
            if scenes[0].pool != current:
                current = scenes[0].pool
                pool = make_pool(config, seed, current, threads=threads)
            _put(ready, ended, (pool, render_ops.pack_scenes(scenes)))
            batch += 1
    except Exception as error:  # it belongs to whoever reads the batches
        _put(ready, ended, (None, error))


def _put(ready, ended, item):
    while not ended.is_set():
        try:
            ready.put(item, timeout=0.5)
            return
        except queue.Full:
            continue


def _training_pair(drawn):
    image1, image2 = drawn["images"][:, 0], drawn["images"][:, 1]
    flow = drawn["flows"][:, 0]
    return {"image1": image1, "image2": image2}, flow, keras.ops.ones_like(flow[..., 0])


def _jit(function):
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.jit(function)
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=True)
    raise RuntimeError(
        f"scenes are drawn on the device with Keras on JAX or TensorFlow, not {backend}"
    )
