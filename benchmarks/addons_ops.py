"""TensorFlow Addons' ops for native_ops.py, in an interpreter of their own (TensorFlow 2.15).

Reads a line of JSON per measurement, {"case": …, "backward": …}, and answers with the seconds.
"""

import json
import sys
import time

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa

functions = {}
CALLS = 10


def prepared(case, backward):
    rng = np.random.default_rng(0)
    first, second = (tf.constant(rng.standard_normal(s), "float32") for s in case["shapes"])
    if case["op"] == "correlation":
        reach = case["max_displacement"]
        layer = tfa.layers.CorrelationCost(
            1, reach, 1, case["displacement_stride"], reach, "channels_last"
        )
        op = lambda a, b: layer([a, b])  # noqa: E731
    else:
        op = tfa.image.dense_image_warp

    @tf.function
    def run(a, b):
        if not backward:
            return op(a, b)
        with tf.GradientTape() as tape:
            tape.watch((a, b))
            output = op(a, b)
        # With the output, which would not be computed otherwise.
        return output, tape.gradient(output, (a, b))

    return lambda: run(first, second)


for line in sys.stdin:
    if line not in functions:
        functions[line] = prepared(**json.loads(line))
        functions[line]()
    for _ in range(CALLS // 2):
        functions[line]()
    start = time.perf_counter()
    for _ in range(CALLS):
        functions[line]()
    print((time.perf_counter() - start) / CALLS, flush=True)
