"""Writes the pair of files that the tests of detection run: a detector's tensors, random weights.

    python android_demo/make_detector.py

Names and shapes are those of a detector exported by tfflow, at 32 x 64 pixels; what it finds means
nothing. What tfflow's Python finds with the same files is what the Java must find.
"""

import pathlib
import tempfile

import numpy as np
import tensorflow as tf

FOLDER = pathlib.Path(__file__).parent / "desktop" / "src" / "test" / "resources" / "detector"
SIZE, STRIDE, CHANNELS, CLASSES = (32, 64), 16, 5, 3
GRID = tuple(side // STRIDE for side in SIZE)
PLACES = GRID[0] * GRID[1]


def main():
    detector = _Detector(np.random.default_rng(5))
    FOLDER.mkdir(parents=True, exist_ok=True)
    for step in (detector.key, detector.between):
        content = converted(detector, step)
        path = FOLDER / f"detector_{step.__name__}.tflite"
        path.write_bytes(content)
        print(f"{path}  {len(content) / 1e3:.1f} kB")


class _Detector(tf.Module):
    def __init__(self, random):
        super().__init__()

        def weights(*shape):
            return tf.constant(random.normal(0, 1, shape), tf.float32)

        self.look = weights(4, 4, 6, CHANNELS)
        self.carry = weights(1, 1, CHANNELS, CHANNELS)
        self.sides, self.kinds = weights(1, 1, CHANNELS, 4), weights(1, 1, CHANNELS, CLASSES)

    def key(self, image, key_image, features):
        features = self._features(image, key_image, features)
        return {"features": features, **self._found(features)}

    def between(self, image, key_image, features):
        flow = tf.nn.avg_pool2d(image - key_image, STRIDE, STRIDE, "VALID")[..., :2]
        return {"flow": flow, **self._found(self._features(image, key_image, features))}

    def _features(self, image, key_image, old):
        pair = tf.concat([image, key_image], -1) - 0.5
        new = tf.nn.conv2d(pair, 0.5 * self.look, STRIDE, "VALID")
        return tf.tanh(new + _dense(old, self.carry))

    def _found(self, features):
        y, x = ((np.arange(side) + 0.5) * STRIDE for side in GRID)
        x, y = np.meshgrid(x, y)
        places = tf.constant(np.stack([x, y, x, y], -1), tf.float32)
        signs = tf.constant([-1.0, -1.0, 1.0, 1.0])
        boxes = places + 0.75 * STRIDE * tf.sigmoid(_dense(features, self.sides)) * signs
        return {
            "boxes": tf.reshape(boxes, (1, PLACES, 4)),
            "scores": tf.reshape(tf.sigmoid(_dense(features, self.kinds)), (1, PLACES, CLASSES)),
        }


def _dense(x, weights):
    return tf.nn.conv2d(x, weights, 1, "VALID")


def converted(module, step):
    """The .tflite of a step, with the names of its arguments and results as signature."""
    shapes = {"image": (*SIZE, 3), "key_image": (*SIZE, 3), "features": (*GRID, CHANNELS)}
    inputs = [tf.TensorSpec((1, *shape), tf.float32, name) for name, shape in shapes.items()]
    function = tf.function(step, input_signature=inputs)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={step.__name__: function})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[step.__name__])
        return converter.convert()


if __name__ == "__main__":
    main()
