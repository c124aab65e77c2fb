"""What a VideoDetector runs its frames on. :class:`KerasEngine` is for a Keras model.

An engine has a ``size`` (None for any), a ``multiple``, and four functions of frames of one size,
(1, H, W, 3) float32 RGB in [0, 1]:

* ``first(image)``: a key frame without a past;
* ``flow(image, key_image, features)``: (h, w, 2), to the key frame, in pixels of its own grid;
* ``key(image, key_image, features, flow)``: a key frame with a past;
* ``between(image, key_image, features, flow)``: any other frame.

``features`` is the last key frame's result; ``flow`` is the result of ``flow`` for the same images,
None if it was not called. The other three return a dict: ``boxes`` (1, N, 4) px, ``scores``
(1, N, classes) in [0, 1], and for key frames ``features``.
"""

import numpy as np

from tfflow.models.parts import CompiledPart
from tfflow.models.prediction import resize


class KerasEngine:
    """Runs a :class:`tfflow.detection.FlowGuidedDetector`.

    Args:
        detector: The detector.
        predictor: Anything with ``predict_flow(image1, image2)``; None for the detector's own
            flow network. Without either, each key frame starts anew, and there are no others.
        flow_scale: The predictor gets the images at this times their size.
    """

    size = None

    def __init__(self, detector, predictor, flow_scale):
        self.multiple = detector.multiple
        self._detector = detector
        self._predictor, self._flow_scale = predictor, flow_scale
        self._first = _part(detector, _first)
        self._flow = _part(detector, _flow)
        self._key = _part(detector, _key)
        self._between = _part(detector, _between)

    def first(self, image):
        return self._first.predict_on_batch({"image": image})

    def flow(self, image, key_image, features=None):
        if self._predictor is None:
            pair = {"image": image, "key_image": key_image}
            return self._flow.predict_on_batch(pair)["flow"][0]
        size = [max(1, round(self._flow_scale * side)) for side in image.shape[1:3]]
        pair = (resize(each, size, antialias=True)[0] for each in (image, key_image))
        return np.asarray(self._predictor.predict_flow(*pair), np.float32)

    def key(self, image, key_image, features, flow=None):
        if self._predictor is None and self._detector.flow_network is None:
            return self.first(image)
        flow = self.flow(image, key_image) if flow is None else flow
        return self._key.predict_on_batch(
            {"image": image, "features": features, "flow": flow[None]}
        )

    def between(self, image, key_image, features, flow=None):
        flow = self.flow(image, key_image) if flow is None else flow
        return self._between.predict_on_batch({"features": features, "flow": flow[None]})


def _part(detector, function):
    return CompiledPart(detector, lambda inputs: function(detector, **inputs))


def _flow(detector, image, key_image):
    return {"flow": detector.estimate_flow(image, key_image)}


def _first(detector, image):
    return _of_key(detector, detector.aggregate(detector.features(image, training=False)))


def _key(detector, image, features, flow):
    propagated = detector.propagate(features, flow)
    return _of_key(
        detector, detector.aggregate(detector.features(image, training=False), propagated)
    )


def _of_key(detector, features):
    return {"features": features, **found(detector, features)}


def _between(detector, features, flow):
    return found(detector, detector.propagate(features, flow))


def found(detector, features):
    """The boxes of all places and their scores, from a frame's features."""
    boxes, scores = detector.boxes_and_scores(detector.detect(features))
    return {"boxes": boxes, "scores": scores}
