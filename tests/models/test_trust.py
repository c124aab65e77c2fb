"""How far a flow can be trusted: both directions, and the networks' own confidence."""

import keras
import numpy as np
import pytest

import tfflow
from tfflow import tools
from tfflow.models import BothWays, ConfidentBothWays, ConfidentFlow, FlowStream

RNG = np.random.default_rng(0)
SIZE = (70, 90)


@pytest.fixture(scope="module")
def pair():
    image = RNG.integers(0, 256, (*SIZE, 3), np.uint8)
    return image, np.roll(image, (3, 5), (0, 1))


@pytest.fixture(scope="module")
def rillflow():
    return tfflow.load("rillflow")


def test_both_ways_are_two_predictions(rillflow, pair):
    found = rillflow.predict_flow(*pair, backward=True)
    assert isinstance(found, BothWays)
    forward, backward = found
    np.testing.assert_array_equal(forward, rillflow.predict_flow(*pair))
    np.testing.assert_array_equal(backward, rillflow.predict_flow(*pair[::-1]))
    np.testing.assert_array_equal(found.occlusion(), tools.occlusion(forward, backward))
    np.testing.assert_array_equal(found.confidence(), tools.confidence(forward, backward))


def test_the_networks_own_confidence_has_the_images_size(rillflow, pair):
    found = rillflow.predict_flow(*pair, confidence=True)
    assert isinstance(found, ConfidentFlow)
    flow, confidence = found
    np.testing.assert_array_equal(flow, rillflow.predict_flow(*pair))
    assert confidence.shape == SIZE and confidence.dtype == np.float32
    assert confidence.min() >= 0 and confidence.max() <= 1
    batch = rillflow.predict_flow(*(np.stack([image, image]) for image in pair), confidence=True)
    np.testing.assert_allclose(batch.confidence[1], confidence, atol=1e-4)


def test_a_stream_keeps_the_confidence(rillflow, pair):
    stream = FlowStream(rillflow, confidence=True)
    stream.next(pair[0])
    assert stream.confidence is None
    flow = stream.next(pair[1])
    expected = rillflow.predict_flow(*pair, confidence=True)
    np.testing.assert_allclose(flow, expected.flow, atol=1e-4)
    np.testing.assert_allclose(stream.confidence, expected.confidence, atol=1e-4)
    stream.reset()
    assert stream.confidence is None


def test_maskflownet_trusts_what_is_not_hidden():
    keras.utils.set_random_seed(0)
    model = tfflow.models.create("maskflownets")
    image1, image2 = RNG.random((2, 1, 64, 128, 3), np.float32)  # a size that needs no resizing
    hidden = np.asarray(model({"image1": image1, "image2": image2})["occlusion"])
    assert hidden.std() > 0.01  # a constant would prove nothing
    confidence = model.predict_flow(image1, image2, confidence=True).confidence
    np.testing.assert_allclose(confidence, 1 - hidden[..., 0], atol=1e-5)


def test_a_network_without_confidence_says_which_have_one(pair):
    model = tfflow.models.create("lightflow_0.5")
    with pytest.raises(ValueError, match="no confidence of its own; .*rillflow.*backward=True"):
        model.predict_flow(*pair, confidence=True)
    assert isinstance(model.predict_flow(*pair, backward=True), BothWays)


def test_both_ways_to_trust_together(rillflow, pair):
    found = rillflow.predict_flow(*pair, backward=True, confidence=True)
    assert isinstance(found, ConfidentBothWays)
    both = rillflow.predict_flow(*pair, backward=True)
    own = rillflow.predict_flow(*pair, confidence=True).confidence
    np.testing.assert_allclose(found.forward, both.forward, atol=1e-4)
    np.testing.assert_array_equal(found.backward, both.backward)
    np.testing.assert_array_equal(found.own, own)
    np.testing.assert_allclose(found.confidence(), own * (1 + both.confidence()) / 2, atol=1e-4)
    np.testing.assert_array_equal(found.occlusion(), tools.occlusion(*found[:2]))


def test_streams_without_confidence():
    with pytest.raises(ValueError, match="can't encode|no confidence"):
        FlowStream(tfflow.models.create("liteflownet2"), confidence=True)
