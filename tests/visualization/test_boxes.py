"""Boxes in pictures: where they are, and that the rest is untouched."""

import numpy as np
import pytest

from tfflow.visualization import draw_boxes
from tfflow.visualization.boxes import class_color

IMAGE = np.full((120, 160, 3), 100, np.uint8)


def test_a_box_is_drawn_where_it_is():
    picture = draw_boxes(IMAGE, [(40, 50, 80, 90)], [""], [3])
    changed = (picture != IMAGE).any(-1)
    y, x = np.nonzero(changed)
    assert (x.min(), y.min(), x.max(), y.max()) == (40, 50, 79, 89)
    assert (picture[50, 40:80] == class_color(3)).all() and not changed[52:88, 42:78].any()
    assert (IMAGE == 100).all()


def test_labels_stand_above_or_inside():
    above = draw_boxes(IMAGE, [(40, 50, 80, 90)], ["cat 0.90"], [0])
    assert (above[40:49] != 100).any() and (above[51:60, 45:75] == 100).all()
    inside = draw_boxes(IMAGE, [(40, 2, 80, 90)], ["cat 0.90"], [0])
    assert (inside[4:14, 45:75] != 100).any()


def test_key_frames_are_marked():
    plain = draw_boxes(IMAGE, np.zeros((0, 4)), [], [])
    np.testing.assert_array_equal(plain, IMAGE)
    between = draw_boxes(IMAGE, np.zeros((0, 4)), [], [], key=False)
    key = draw_boxes(IMAGE, np.zeros((0, 4)), [], [], key=True)
    assert (key[0] == 255).all() and (key[:, -1] == 255).all() and (between[0] == 100).all()
    assert (between[-20:, -60:] != 100).any()


def test_float_images_and_boxes_beyond_the_edge():
    picture = draw_boxes(IMAGE / 255.0, [(-20, -20, 300, 300)], ["x"], [1])
    assert picture.dtype == np.uint8 and picture.shape == IMAGE.shape
    assert len({class_color(kind) for kind in range(30)}) == 30


def test_each_box_has_a_label_and_a_class():
    image, boxes = np.zeros((40, 60, 3), np.uint8), [[5, 5, 20, 20], [30, 5, 50, 20]]
    with pytest.raises(ValueError, match="shorter"):
        draw_boxes(image, boxes, ["one"], [0, 0])
