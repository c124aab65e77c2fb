"""Boxes to targets and back, non-maximum suppression, and the losses on such targets."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfflow.detection import FocalLoss, decode, encode, head_losses, overlaps, suppress

BOXES = np.array([(10, 20, 70, 90), (100, 30, 200, 120), (120, 50, 160, 90)], np.float32)
CLASSES = np.array([0, 2, 1])
SIZE = (10, 14)


def targets(**kwargs):
    return encode(BOXES, CLASSES, SIZE, stride=16, count=3, **kwargs)


def perfect(target):
    """What a head would answer that knows the target: large logits, sides of 1 where none are."""
    certain = np.clip(target["centreness"], 1e-6, 1 - 1e-6)
    return {
        "classes": np.where(target["classes"] > 0, 12.0, -12.0)[None].astype(np.float32),
        "sides": np.maximum(target["sides"], 1.0)[None],
        "centreness": np.log(certain / (1 - certain))[None],
    }


def test_boxes_come_back():
    found = decode(perfect(targets()), 16)[0]
    assert len(found.boxes) == 3 and (np.diff(found.scores) <= 0).all()
    order = np.argsort(found.classes)
    np.testing.assert_array_equal(found.classes[order], [0, 1, 2])
    np.testing.assert_allclose(found.boxes[order], BOXES[[0, 2, 1]], atol=1e-3)


def test_the_smaller_of_two_boxes_is_taken():
    target = targets(radius=float("inf"))
    row, column = 4, 8  # the place (136, 72), in both of the last boxes
    np.testing.assert_array_equal(target["classes"][row, column], [0, 1, 0])
    np.testing.assert_array_equal(target["sides"][row, column], [16, 22, 24, 18])
    expected = np.sqrt(16 / 24 * 18 / 22)
    np.testing.assert_allclose(target["centreness"][row, column, 0], expected, rtol=1e-6)
    assert target["classes"][2, 7, 2] == 1 and target["classes"][0, 0].sum() == 0
    assert (target["centreness"][target["classes"].sum(-1) == 0] == -1).all()


def test_only_the_middle_of_a_box_is_taken():
    whole, middle = (targets(radius=radius)["classes"].sum() for radius in (float("inf"), 1.0))
    assert 3 <= middle < whole


def test_no_boxes():
    target = encode([], [], SIZE, stride=16, count=3)
    assert target["classes"].sum() == 0 and (target["centreness"] == -1).all()
    found = decode(perfect(target), 16)[0]
    assert found.boxes.shape == (0, 4) and found.scores.shape == found.classes.shape == (0,)


def test_overlaps():
    boxes = [(0, 0, 4, 4), (2, 0, 6, 4), (4, 4, 8, 8), (1, 1, 1, 1)]
    expected = [[1, 1 / 3, 0, 0], [1 / 3, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(overlaps(boxes, boxes), expected)


def test_suppression():
    boxes = [(0, 0, 10, 10), (0, 0, 10, 9), (0, 0, 10, 4), (50, 50, 60, 60)]
    scores = [0.5, 0.9, 0.8, 0.1]
    np.testing.assert_array_equal(suppress(boxes, scores, 0.5), [1, 2, 3])
    np.testing.assert_array_equal(suppress(boxes, scores, 0.3), [1, 3])
    np.testing.assert_array_equal(suppress(boxes, scores, 1.0), [1, 2, 0, 3])


def test_each_class_is_suppressed_by_itself_and_the_best_stay():
    target = encode(BOXES[:1], [0], SIZE, stride=16, count=3)
    outputs = perfect(target)
    outputs["classes"][..., 1] = outputs["classes"][..., 0] - 11.5  # the same boxes, less certain
    found = decode(outputs, 16, score=0.05)[0]
    np.testing.assert_array_equal(found.classes, [0, 1])
    np.testing.assert_allclose(found.boxes, BOXES[[0, 0]], atol=1e-3)
    np.testing.assert_array_equal(decode(outputs, 16, score=0.05, most=1)[0].classes, [0])
    assert len(decode(outputs, 16, score=0.99)[0].boxes) == 0


def test_refused():
    with pytest.raises(ValueError, match="Each box needs a class; got 3 boxes, 2 classes"):
        encode(BOXES, CLASSES[:2], SIZE, stride=16, count=3)
    with pytest.raises(ValueError, match="Classes must lie in 0..1; got 0 to 2"):
        encode(BOXES, CLASSES, SIZE, stride=16, count=2)


def losses(target, answer):
    return {
        name: float(loss(target[name][None], answer[name])) for name, loss in head_losses().items()
    }


def test_a_perfect_answer_costs_little_and_a_wrong_one_much():
    target = targets()
    answer = perfect(target)
    good = losses(target, answer)
    assert good["classes"] < 1e-3 and good["sides"] < 1e-5
    wrong = {**answer, "classes": -answer["classes"], "sides": 2 * answer["sides"]}
    bad = losses(target, wrong)
    assert bad["classes"] > 1.0
    assert bad["sides"] == pytest.approx(1 - 0.25 + 0.0, abs=1e-4)  # a quarter of the area
    # Where there is no object, sides and centre-ness are nobody's business.
    nothing = encode([], [], SIZE, stride=16, count=3)
    assert losses(nothing, answer)["sides"] == losses(nothing, answer)["centreness"] == 0.0


def test_centreness_is_best_at_its_target():
    target = targets()
    best = losses(target, perfect(target))["centreness"]
    for change in (-0.5, 0.5):
        other = perfect(target)
        other["centreness"] = other["centreness"] + change
        assert losses(target, other)["centreness"] > best + 0.01


def test_focal_loss_by_hand():
    loss = head_losses()["classes"]
    truth, logits = np.zeros((1, 1, 2, 1)), np.zeros((1, 1, 2, 1))
    truth[0, 0, 0] = 1.0
    expected = (0.25 + 0.75) * 0.5**2 * np.log(2.0)  # both at a score of a half, one object
    assert float(loss(truth, logits)) == pytest.approx(expected, rel=1e-5)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert float(again(truth, logits)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_focal_loss_of_sure_places_has_a_gradient(gamma):
    truth = np.reshape([1.0, 0.0, 1.0], (1, 1, 3, 1))
    logits = keras.Variable(np.reshape([40.0, -120.0, 0.0], (1, 1, 3, 1)))
    with tf.GradientTape() as tape:
        loss = FocalLoss(gamma=gamma)(truth, logits)
    gradient = tape.gradient(loss, logits.value).numpy()
    assert np.isfinite(gradient).all() and gradient[0, 0, 2, 0] < 0
    if not gamma:  # alpha · cross entropy
        np.testing.assert_allclose(float(loss), 0.25 * np.log(2.0) / 2, rtol=1e-5)


def test_focal_loss_refuses():
    with pytest.raises(ValueError, match="gamma must be 0 or more; got -1"):
        FocalLoss(gamma=-1)
