"""Siamese networks: encode and match are the call, and a stream gives the flows of its pairs."""

import itertools

import keras
import numpy as np
import pytest
from golden_files import load, state_dict

import tfflow
from tfflow.models import FlowStream

SLOW = pytest.mark.slow
NETWORKS = ("liteflownet2", pytest.param("liteflownet", marks=SLOW), "flownetc")


def clip(frames, height=128, width=192):
    """A moving pattern, (frames, height, width, 3) uint8."""
    noise = np.random.default_rng(3).random((height // 8 + 8, width // 8 + 16, 3))
    picture = (255 * noise.repeat(8, 0).repeat(8, 1)).astype(np.uint8)
    return np.stack([picture[i : i + height, 2 * i : 2 * i + width] for i in range(frames)])


def assert_equal_to_rounding(found, expected, name=""):
    """Images one by one and as a batch are other sums: equal but for the last bits."""
    tolerance = 1e-5 * max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance, err_msg=name)


def trained(name):
    model = tfflow.models.create(name)
    return tfflow.weights.load_mmflow(model, state_dict(load(name)[0]))


@pytest.mark.parametrize("name", NETWORKS)
def test_stream_equals_pairs(name):
    model = trained(name)
    stream = FlowStream(model)
    frames = clip(4, 120, 185)  # no multiples of anything
    flows = [stream.next(frame) for frame in frames]
    assert model.siamese and flows[0] is None
    for before, frame, flow in zip(frames, frames[1:], flows[1:]):
        expected = model.predict_flow(before, frame)
        assert np.abs(expected).max() > 1.0
        assert flow.shape == (120, 185, 2) and flow.dtype == np.float32
        np.testing.assert_allclose(flow, expected, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["liteflownet", "liteflownet2", "flownetc"])
def test_a_whole_clip(name):
    model, frames = trained(name), clip(30)
    stream = FlowStream(model)
    assert stream.next(frames[0]) is None
    for before, frame in itertools.pairwise(frames):
        np.testing.assert_allclose(stream.next(frame), model.predict_flow(before, frame), atol=1e-4)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("liteflownet2", {}),
        ("rillflow_0.5", {}),
        ("flownetc", {}),
        ("liteflownet", {"finest_level": 5, "use_regularization": False}),
        (
            "liteflownet",
            {"finest_level": 5, "use_matching": False, "image_pyramid": "halving"},
        ),
        ("liteflownet2", {"pseudo_level2": True, "unit_outputs": True}),
        ("liteflownet2", {"finest_level": 5, "image_pyramid": "triangle"}),
    ],
)
def test_match_is_the_call(name, arguments):
    keras.utils.set_random_seed(1)
    model = tfflow.models.create(name, **arguments)
    images = np.float32(clip(3, 64, 64)[:, None]) / 255
    expected = model({"image1": images[0], "image2": images[2]})
    features = [model.encode(image) for image in images]
    found = model.match(features[0], features[2])
    assert list(found) == list(expected)
    for key, value in expected.items():
        assert_equal_to_rounding(found[key], value, key)


def test_encode_takes_what_a_call_takes(small):
    frames = clip(2, 64, 64)[:, None]
    found = small.match(*map(small.encode, frames))["flow"]
    expected = small({"image1": frames[0], "image2": frames[1]})["flow"]
    assert_equal_to_rounding(found, expected)
    with pytest.raises(ValueError, match="Divide by 255, or pass uint8"):
        small.encode(np.float32(frames[0]))


def test_encode_in_mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = tfflow.models.create("flownetc")
        image = np.float32(clip(1, 64, 64)) / 255
        features = model.encode(image)
        assert all(each.dtype == "bfloat16" for each in features.values())
        assert model.match(features, features)["flow"].dtype == "float32"
    finally:
        keras.config.set_dtype_policy(before)


@pytest.fixture(scope="module")
def small():
    return tfflow.models.create("liteflownet2", finest_level=6)


def test_frames_of_another_size(small):
    stream = FlowStream(small)
    large, little = clip(2), clip(2, 64, 100)
    stream.next(large[0])
    with pytest.raises(ValueError, match=r"128x192 .*got 64x100.*reset\(\)"):
        stream.next(little[0])
    assert_equal_to_rounding(stream.next(large[1]), small.predict_flow(*large))
    stream.reset()
    assert stream.next(little[0]) is None
    assert_equal_to_rounding(stream.next(little[1]), small.predict_flow(*little))


def test_size_of_the_network(small):
    frames = clip(2)
    stream = FlowStream(small, size=(64, 128))
    stream.next(frames[0])
    expected = small.predict_flow(*frames, size=(64, 128))
    assert_equal_to_rounding(stream.next(frames[1]), expected)
    with pytest.raises(ValueError, match="multiples of 64; got 60x128"):
        FlowStream(small, size=(60, 128)).next(frames[0])


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (np.zeros((2, 64, 64, 3), np.uint8), r"one frame \(H, W, 3\) at a time; got \(2, 64"),
        (np.full((128, 192, 3), np.nan), "frame holds NaN"),
        (np.zeros((128, 192, 3), np.int32), "frame must be uint8"),
    ],
)
def test_a_bad_frame_changes_nothing(small, frame, message):
    stream, frames = FlowStream(small), clip(2)
    stream.next(frames[0])
    with pytest.raises(ValueError, match=message):
        stream.next(frame)
    assert stream.next(frames[1]) is not None


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("lightflow_0.5", {}, "works on both images together"),
        # It subtracts the mean colour of both images together.
        ("maskflownets", {}, "works on both images together"),
        ("liteflownet", {"implementation": "caffe"}, r"differently \(image_means\)"),
    ],
)
def test_networks_that_can_not(name, arguments, reason):
    model = tfflow.models.create(name, **arguments)
    message = f"{reason}.*These networks can: flownetc, liteflownet, liteflownet2, liteflownetx"
    assert not model.siamese
    with pytest.raises(ValueError, match=message):
        FlowStream(model)


def test_one_mean_makes_the_official_network_siamese():
    mean = (0.45, 0.43, 0.41)
    arguments = {"implementation": "caffe", "finest_level": 6, "image_means": (mean, mean)}
    assert tfflow.models.create("liteflownet", **arguments).siamese


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((64, 64, 3), "liteflownet2 expects"),
        ((1, 64, 64, 1), "liteflownet2 expects"),
        ((1, 60, 64, 3), "multiples of 64; got 60x64"),
    ],
)
def test_encode_refuses(small, shape, message):
    with pytest.raises(ValueError, match=message):
        small.encode(np.zeros(shape, np.float32))
