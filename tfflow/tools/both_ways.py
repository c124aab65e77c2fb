"""The flow of both directions, of predictors that offer it and of those that do not."""

import inspect

import numpy as np


def both_ways(predictor, image1, image2, size=None):
    """(forward, backward) flow between two images, each (H, W, 2).

    A predictor whose ``predict_flow`` has no argument ``backward`` is called twice.

    Raises:
        ValueError: If the images differ in size.
    """
    if np.shape(image1) != np.shape(image2):
        raise ValueError(
            f"all frames must be of one size; got {np.shape(image2)} after {np.shape(image1)}."
        )
    predict = predictor.predict_flow
    options = {} if size is None else {"size": size}
    if "backward" in inspect.signature(predict).parameters:
        return predict(image1, image2, backward=True, **options)
    forward = np.array(predict(image1, image2, **options))  # it may fill one array again
    return forward, predict(image2, image1, **options)
