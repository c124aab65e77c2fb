"""RillFlow: it matches before it is trained, at any place of its window, and by what it should."""

import keras
import numpy as np
import pytest

import tfflow
from tfflow.models.parts import dtype_policy
from tfflow.models.rillflow import GlobalMatching, Matching, confidence_of, unit_length
from tfflow.ops import warp


@pytest.mark.parametrize("shift", [(0, 0), (2, -1), (-3, 3)])
def test_the_expected_displacement_of_a_shift_is_the_shift(shift):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(1, 16, 20, 48)).astype("f4")
    moved = np.roll(features, (shift[1], shift[0]), (1, 2))
    matching = Matching(3)
    matching(features, features)
    matching.log_temperature.assign(np.log(40.0))
    cost, expected, confidence = matching(unit_length(features), unit_length(moved))
    assert cost.shape == (1, 16, 20, 49)
    inner = np.s_[:, 3:-3, 3:-3]
    np.testing.assert_allclose(
        np.asarray(expected)[inner], np.broadcast_to(np.float32(shift), (1, 10, 14, 2)), atol=1e-3
    )
    assert np.asarray(confidence)[inner].min() > 0.99


def test_global_matching_finds_a_patch_wherever_it_went():
    rng = np.random.default_rng(0)
    features, other = rng.normal(size=(2, 2, 12, 20, 48)).astype("f4")
    other[:, 8:11, 15:19] = features[:, 1:4, 0:4]
    matching = GlobalMatching()
    matching(features, features)
    matching.log_temperature.assign(np.log(40.0))
    expected, confidence = matching(unit_length(features), unit_length(other))
    patch = np.asarray(expected)[:, 1:4, 0:4]
    np.testing.assert_allclose(patch, np.broadcast_to(np.float32((15, 7)), patch.shape), atol=0.1)
    sure = np.asarray(confidence)
    assert sure[:, 1:4, 0:4].min() > 0.98 > 0.9 > np.median(sure)  # the rest is nowhere


def test_a_place_that_another_pixel_wants_more_is_not_taken():
    """The first pixel is the second map's first one; the next is a little nearer to it than to its
    own, the second one."""
    ours, theirs = np.random.default_rng(1).normal(size=(2, 1, 8, 8, 48)).astype("f4")
    ours[0, 0, 0] = theirs[0, 0, 0]
    ours[0, 0, 1] = theirs[0, 0, 0] + 0.95 * theirs[0, 0, 1]
    matching = GlobalMatching()
    matching(ours, theirs)
    matching.log_temperature.assign(np.log(100.0))
    expected, confidence = matching(unit_length(ours), unit_length(theirs))
    np.testing.assert_allclose(np.asarray(expected)[0, 0, :2], 0.0, atol=0.1)
    assert np.asarray(confidence)[0, 0, 0] > 0.95
    # Where all looks alike, nobody is sure.
    _, confidence = matching(*2 * [unit_length(np.tile(ours[:, :1, :1], (1, 8, 8, 1)))])
    np.testing.assert_allclose(confidence, 1 / 64**2, rtol=1e-3)


def test_features_of_unit_length_and_no_mean():
    features = np.random.default_rng(1).normal(3, 2, (1, 4, 5, 16)).astype("f4")
    unit = np.asarray(unit_length(features))
    np.testing.assert_allclose(np.linalg.norm(unit, axis=-1), 1.0, atol=1e-4)
    np.testing.assert_allclose(unit.mean(-1), 0.0, atol=1e-6)
    # A uniform surface says nothing, and that is finite.
    assert np.isfinite(unit_length(np.full((1, 2, 2, 16), 5.0, "f4"))).all()


def test_the_untrained_network_answers_what_it_matched():
    """Its corrections begin near zero, so that training starts from matching, not from nothing."""
    keras.utils.set_random_seed(0)
    model = tfflow.models.create("rillflow")
    image = np.random.default_rng(2).random((1, 64, 128, 3), np.float32)
    outputs = model({"image1": image, "image2": image})
    features = model.encode(image)
    _, expected, _ = model.matching["6"](features["matched6"], features["matched6"])
    gate = 1 / (1 + np.exp(-1.0))
    np.testing.assert_allclose(
        outputs["flow6"], gate * np.asarray(expected) * 64 / model.flow_div, atol=0.05
    )


def test_an_open_gate_takes_the_match_over_the_whole_map_as_the_second_candidate():
    keras.utils.set_random_seed(0)
    model = tfflow.models.create("rillflow")
    image1, image2 = np.random.default_rng(4).random((2, 1, 128, 192, 3), np.float32)
    # The answer's outputs: correction, gate on the expected displacement, gate on the candidate.
    model.decoders["3"].answer.bias.assign([0, 0, -30, 30])
    model.propagation.distances.kernel.assign(np.zeros((3, 3, 48, 25)))
    outputs = model({"image1": image1, "image2": image2})
    everywhere = np.asarray(outputs["flow4_M"]) * model.flow_div / 8
    # Almost its own at first; at the border less, as local_average takes zeros from outside.
    propagated = np.asarray(model.propagation(everywhere, np.zeros((1, 8, 12, 48), np.float32)))
    np.testing.assert_allclose(propagated, everywhere, atol=0.1 * np.abs(everywhere).max())
    candidate = propagated.repeat(2, 1).repeat(2, 2)
    features1, features2 = (model.encode(image)["matched3"] for image in (image1, image2))
    _, expected, _ = model.candidate_matching(
        features1, warp(features2, candidate, padding="border")
    )
    np.testing.assert_allclose(
        outputs["flow3"], (candidate + np.asarray(expected)) * 8 / model.flow_div, atol=0.1
    )


def test_confidence_is_high_where_the_flow_joins_what_is_alike():
    keras.utils.set_random_seed(0)
    model = tfflow.models.create("rillflow")
    image, other = np.random.default_rng(3).random((2, 1, 128, 192, 3), np.float32)
    later = np.roll(image, (16, 32), (1, 2))  # whole pixels of every level that counts
    later[:, :, 96:] = other[:, :, 96:]  # the right half is gone
    features = [model.encode(each) for each in (image, later)]
    flow = np.broadcast_to(np.float32((8, 4)), (1, 32, 48, 2))  # in pixels of a quarter
    confidence = np.asarray(confidence_of(flow, *features))
    assert confidence.shape == (1, 128, 192, 1)
    left, right = np.s_[:, 32:-48, 16:32], np.s_[:, 32:-48, 128:-16]
    assert confidence[left].min() > 0.9 > 0.7 > confidence[right].mean()
    wrong = np.asarray(confidence_of(np.zeros_like(flow), *features))
    assert wrong[left].mean() < 0.7


def test_in_float64():
    images = np.random.default_rng(0).random((2, 64, 64, 3), np.float32)
    expected = tfflow.load().predict_flow(*images)
    with dtype_policy("float64"):
        model = tfflow.load()
    assert {weight.dtype for weight in model.trainable_weights} == {"float64"}
    np.testing.assert_allclose(model.predict_flow(*images), expected, atol=1e-3)


def test_width_out_of_range():
    with pytest.raises(ValueError, match="width must be above 0"):
        tfflow.models.create("rillflow", width=0)
