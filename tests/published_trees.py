"""Small files for trees in the layouts of published data sets, and what their tests look at."""

import numpy as np

from tfflow.data.files.flows import write_flow
from tfflow.data.files.images import write_image

SHAPE = (4, 6)


def put_image(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, np.full((*SHAPE, 3), value, np.uint8))


def put_mask(path, *pixels):
    mask = np.zeros(SHAPE, np.uint8)
    for pixel in pixels:
        mask[pixel] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, mask)


def put_flow(path, value, unknown=()):
    valid = np.ones(SHAPE, bool)
    for pixel in unknown:
        valid[pixel] = False
    path.parent.mkdir(parents=True, exist_ok=True)
    write_flow(path, np.full((*SHAPE, 2), value), valid)


def names(dataset):
    return [pair.name for pair in dataset.pairs]


def values(sample):
    """The grey values of both images, and the flow, of a sample that has one of each."""
    return sample.image1[0, 0, 0], sample.image2[0, 0, 0], sample.flow[0, 0, 0]


def roots_of(folder):
    """A data set opens by its own folder, and by the one that holds it among others."""
    (folder.parent / "another").mkdir(exist_ok=True)
    return folder, folder.parent, str(folder)
