"""The detector, its training and saving, and its use on a video."""

import keras
import numpy as np
import pytest
from PIL import Image

import tfflow
from tfflow.detection import (
    Detections,
    FixedInterval,
    FlowGuidedDetector,
    VideoDetector,
    encode,
    head_losses,
)
from tfflow.models.prediction import resize


def make(**kwargs):
    """A small one of random weights, normalised so that its features depend on the image."""
    keras.utils.set_random_seed(0)
    model = FlowGuidedDetector(3, alpha=0.25, channels=16, depth=1, **kwargs)
    norms = [x for x in model.backbone.layers if isinstance(x, keras.layers.BatchNormalization)]
    momentum = norms[0].momentum
    for value in (0.0, momentum):
        for norm in norms:
            norm.momentum = value
        if value == 0.0:
            model.features(images(2, 128, 128), training=True)
    return model


@pytest.fixture(scope="module")
def detector():
    return make()


def images(*shape, seed=0):
    return np.random.default_rng(seed).random((*shape, 3), np.float32)


class Still:
    """A predictor for which nothing moves; notes what it was asked for."""

    def __init__(self, u=0.0):
        self.u, self.asked = u, []

    def predict_flow(self, image1, image2):
        self.asked.append((image1, image2))
        flow = np.zeros((*image1.shape[:2], 2), np.float32)
        flow[..., 0] = self.u
        return flow


@pytest.mark.parametrize("backbone", ["mobilenet", "mobilenet_v2"])
def test_shapes(backbone):
    model = make(backbone=backbone)
    outputs = model({"image": images(2, 64, 96)})
    shapes = {name: tuple(output.shape) for name, output in outputs.items()}
    assert shapes == {
        "classes": (2, 4, 6, 3),
        "sides": (2, 4, 6, 4),
        "centreness": (2, 4, 6, 1),
    }
    assert (np.asarray(outputs["sides"]) > 0).all()
    assert np.asarray(model.features(images(1, 64, 96))).min() == 0.0


def test_a_call_with_key_frames_is_its_parts(detector):
    keys = images(2, 3, 64, 64)
    flows = np.random.default_rng(1).normal(0, 20, (2, 2, 32, 32, 2)).astype(np.float32)
    flow = np.random.default_rng(2).normal(0, 20, (2, 32, 32, 2)).astype(np.float32)
    outputs = detector({"keys": keys, "key_flows": flows, "flow": flow})
    joined = detector.aggregate(detector.features(keys[:, 0]))
    for index in (1, 2):
        propagated = detector.propagate(joined, flows[:, index - 1])
        joined = detector.aggregate(detector.features(keys[:, index]), propagated)
    expected = detector.detect(detector.propagate(joined, flow))
    for name, output in outputs.items():
        np.testing.assert_allclose(output, expected[name], rtol=1e-4, atol=1e-4)


def test_one_key_frame_and_no_motion_is_the_image_alone(detector):
    image, none = images(1, 64, 64), np.zeros((1, 0, 8, 8, 2), np.float32)
    still = np.zeros((1, 8, 8, 2), np.float32)
    outputs = detector({"keys": image[:, None], "key_flows": none, "flow": still})
    np.testing.assert_allclose(outputs["classes"], detector({"image": image})["classes"], atol=1e-5)


def batches(clips):
    """Squares, each class of a colour of its own; images or clips of two key frames."""
    rng = np.random.default_rng(0)
    pictures = np.full((8, 64, 64, 3), 0.5, np.float32)
    truth = []
    for picture in pictures:
        kind, (x, y) = rng.integers(3), rng.integers(0, 32, 2)
        picture[y : y + 32, x : x + 32] = np.eye(3)[kind]
        truth.append(encode([(x, y, x + 32, y + 32)], [kind], (4, 4), stride=16, count=3))
    truth = {name: np.stack([one[name] for one in truth]) for name in truth[0]}
    if not clips:
        return {"image": pictures}, truth
    zeros = np.zeros((8, 32, 32, 2), np.float32)
    keys = np.stack([pictures, pictures], axis=1)
    return {"keys": keys, "key_flows": zeros[:, None], "flow": zeros}, truth


@pytest.mark.slow
def test_fit_learns_from_clips_and_trains_everything():
    model = make()
    model.compile(keras.optimizers.Adam(1e-2), loss=head_losses())
    before = [np.array(weight) for weight in model.trainable_weights]
    inputs, truth = batches(clips=True)
    history = model.fit(inputs, truth, batch_size=8, epochs=12, verbose=0).history
    for name, share in (("classes_loss", 0.97), ("sides_loss", 0.9)):
        assert history[name][-1] < share * history[name][0], (name, history[name])
    for old, weight in zip(before, model.trainable_weights):
        assert np.any(old != np.array(weight)), weight.path


def test_images_alone_have_the_same_loss_as_still_clips_without_a_past(detector):
    detector.compile("sgd", loss=head_losses())
    (clip, truth), (image, _) = batches(clips=True), batches(clips=False)
    first = {**clip, "keys": clip["keys"][:, :1], "key_flows": clip["key_flows"][:, :0]}
    loss = detector.test_on_batch(image, truth)
    np.testing.assert_allclose(detector.test_on_batch(first, truth), loss, rtol=1e-4)


def test_images_of_uint8(detector):
    image = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), np.uint8)
    expected = detector({"image": image.astype(np.float32) / 255})
    for name, found in detector({"image": image}).items():
        np.testing.assert_allclose(found, expected[name], rtol=1e-4, atol=1e-4)


def test_saved_and_loaded(tmp_path):
    model = make(aggregation=False)
    model.compile("adam", loss=head_losses())
    model.save(tmp_path / "detector.keras")
    loaded = keras.saving.load_model(tmp_path / "detector.keras")
    assert loaded.get_config() == model.get_config()
    image = {"image": images(1, 64, 64)}
    for name, output in model(image).items():
        np.testing.assert_array_equal(loaded(image)[name], output)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make(backbone="vgg"), "backbone must be one of \\['mobilenet', 'mobilenet_v2'\\]"),
        (lambda: FlowGuidedDetector(0), "classes must be a whole number of at least 1; got 0"),
        (lambda: FlowGuidedDetector(3, alpha=0), "alpha must be above 0"),
    ],
)
def test_refuses_to_be_made(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_refuses_inputs(detector):
    with pytest.raises(ValueError, match="multiples of 32; got 64x70"):
        detector({"image": images(1, 64, 70)})
    with pytest.raises(ValueError, match="got \\['frame'\\]"):
        detector({"frame": images(1, 64, 64)})
    flows = np.zeros((1, 2, 8, 8, 2), np.float32)
    with pytest.raises(ValueError, match="key_flows \\(B, K - 1, h, w, 2\\); got"):
        detector({"keys": images(1, 2, 64, 64), "key_flows": flows, "flow": flows[:, 0]})


# With a flow network of its own -----------------------------------------------------------------


@pytest.fixture(scope="module")
def with_flow():
    return make(flow=tfflow.models.create("lightflow", width=0.25))


def test_its_own_flow_is_that_of_the_network_at_half_the_size(with_flow):
    image, key_image = images(2, 1, 128, 256)
    flow = np.asarray(with_flow.estimate_flow(image, key_image))
    halves = [resize(each, (64, 128)) for each in (image, key_image)]
    expected = with_flow.flow_network.predict_flow(*halves)
    assert flow.shape == (1, 64, 128, 2)
    np.testing.assert_allclose(flow, expected, atol=1e-4)


def test_clips_with_its_own_flow_are_clips_with_that_flow(with_flow):
    keys, image = images(2, 2, 128, 128), images(2, 128, 128, seed=1)
    outputs = with_flow({"keys": keys, "image": image})
    key_flow = np.asarray(with_flow.estimate_flow(keys[:, 1], keys[:, 0]))[:, None]
    flow = with_flow.estimate_flow(image, keys[:, 1])
    expected = with_flow({"keys": keys, "key_flows": key_flow, "flow": flow})
    for name, output in outputs.items():
        np.testing.assert_allclose(output, expected[name], rtol=1e-4, atol=1e-4)


def test_its_own_flow_in_a_video(with_flow):
    own = VideoDetector(with_flow, schedule=FixedInterval(3), score=0.0, most=5)
    given = VideoDetector(
        with_flow, with_flow.flow_network, FixedInterval(3), score=0.0, most=5, flow_scale=0.5
    )
    for frame in images(4, 128, 128):
        one, other = own.next(frame), given.next(frame)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-4)
    size = np.array([96, 128])
    small = VideoDetector(with_flow, with_flow.flow_network, size=size, flow_scale=1e-4)
    for frame in images(2, 96, 128):
        assert np.isfinite(small.next(frame).boxes).all()
    with pytest.raises(ValueError, match="flow_scale is for a flow of your own"):
        VideoDetector(with_flow, flow_scale=0.5)


def test_the_flow_network_is_trained_only_if_asked(with_flow):
    def trained(model):
        return sum("lightflow" in weight.path for weight in model.trainable_weights)

    assert trained(with_flow) == 0
    assert trained(make(flow=tfflow.models.create("lightflow", width=0.25), train_flow=True)) > 20


@pytest.mark.slow
def test_the_flow_network_learns_along(with_flow):
    model = make(flow=tfflow.models.create("lightflow", width=0.25), train_flow=True)
    model.compile("adam", loss=head_losses())
    before = [np.array(weight) for weight in model.flow_network.trainable_weights]
    statistics = [np.array(weight) for weight in model.flow_network.non_trainable_weights]
    truth = encode([(8, 8, 56, 56)], [1], (8, 8), stride=16, count=3)
    clip = {"keys": images(1, 2, 128, 128), "image": images(1, 128, 128, seed=1)}
    model.train_on_batch(clip, {name: target[None] for name, target in truth.items()})
    changed = [
        np.any(old != np.array(new))
        for old, new in zip(before, model.flow_network.trainable_weights)
    ]
    assert np.mean(changed) > 0.5  # random weights leave the deepest levels without a say
    for old, new in zip(statistics, model.flow_network.non_trainable_weights):
        np.testing.assert_array_equal(old, new)


def test_saved_with_its_flow_network(with_flow, tmp_path):
    with_flow.save(tmp_path / "detector.keras")
    loaded = keras.saving.load_model(tmp_path / "detector.keras")
    clip = {"keys": images(1, 1, 128, 128), "image": images(1, 128, 128, seed=1)}
    for name, output in with_flow(clip).items():
        np.testing.assert_array_equal(loaded(clip)[name], output)


def test_starts_from_a_detector_of_images(with_flow):
    earlier = make(aggregation=False)
    model = make(flow=tfflow.models.create("lightflow", width=0.25))
    for weight in model.head[0].weights:
        weight.assign(weight * 0)
    assert model.start_from(earlier) == ["gru", "flow_network"]
    image = {"image": images(1, 64, 64)}
    for one, other in zip(model.features(image["image"]), earlier.features(image["image"])):
        np.testing.assert_array_equal(one, other)
    # A fresh GRU hardly changes what the head was trained on.
    one, other = (np.asarray(each(image)["classes"]) for each in (model, earlier))
    assert np.abs(one - other).max() < 0.2 * np.abs(other - other.mean()).max() + 0.05
    with pytest.raises(ValueError, match="classes_head has other shapes in the two detectors"):
        FlowGuidedDetector(4, alpha=0.25, channels=16, depth=1).start_from(earlier)
    named, other = (
        FlowGuidedDetector(names, alpha=0.25, channels=16, depth=1, aggregation=False)
        for names in (("cat", "dog"), ("dog", "cat"))
    )
    with pytest.raises(ValueError, match="find them under wrong names: cat, dog and dog, cat"):
        named.start_from(other)
    with pytest.raises(TypeError, match="expects a FlowGuidedDetector; got str"):
        model.start_from("detector.keras")


def test_flow_must_be_a_network(detector):
    with pytest.raises(TypeError, match="flow must be a network of tfflow.models, or None"):
        make(flow=Still())
    with pytest.raises(ValueError, match="was made without a flow network"):
        detector({"keys": images(1, 1, 64, 64), "image": images(1, 64, 64)})


# Videos -----------------------------------------------------------------------------------------


def test_key_frames_and_what_is_between(detector):
    predictor = Still()
    video = VideoDetector(detector, predictor, FixedInterval(3), score=0.0, most=5)
    frames = images(7, 50, 90)
    assert video.is_key is None
    found, keys = [], []
    for frame in frames:
        found.append(video.next(frame))
        keys.append(video.is_key)
    assert keys == [True, False, False, True, False, False, True]
    for result in found:
        assert isinstance(result, Detections) and len(result.boxes) == 5
        assert (result.boxes[:, 2:] >= result.boxes[:, :2]).all() and (result.boxes >= 0).all()
        assert (result.boxes <= [90, 50, 90, 50]).all()
    # Nothing moves, so that the frames in between show what the key frame showed.
    np.testing.assert_allclose(found[1].boxes, found[0].boxes, atol=1e-3)
    np.testing.assert_allclose(found[2].scores, found[0].scores, atol=1e-5)
    assert np.abs(found[3].scores - found[2].scores).max() > 1e-6
    # Flow goes from the current frame to the last key frame, at half of 64x96.
    assert [pair[0].shape for pair in predictor.asked] == [(32, 48, 3)] * 6
    asked = [[pair[0].mean(), pair[1].mean()] for pair in predictor.asked]
    key_images = [key for _, key in asked]
    assert key_images[0] == key_images[1] == key_images[2] != key_images[3]
    assert asked[2][0] == key_images[3]  # the third one became the key frame


def test_the_first_frame_is_the_detector_alone_in_pixels_of_the_frame(detector):
    from tfflow.detection import decode

    frame = images(1, 64, 64)
    video = VideoDetector(detector, Still(), score=0.0, most=20)
    expected = decode(detector({"image": frame}), 16, score=0.0, most=20)[0]
    found = video.next(frame[0])
    np.testing.assert_allclose(found.boxes, np.clip(expected.boxes, 0, 64), atol=1e-2)


def test_a_larger_frame_is_averaged_as_in_training(detector):
    """And boxes are in pixels of the frame."""
    from tfflow.detection import decode

    frame = images(1, 128, 256)
    channels = [Image.fromarray(frame[0, ..., i]) for i in range(3)]
    small = [np.asarray(each.resize((64, 64), Image.Resampling.BILINEAR)) for each in channels]
    small = np.stack(small, axis=-1)[None]
    expected = decode(detector({"image": small}), 16, score=0.0, most=20)[0]
    video = VideoDetector(detector, Still(), score=0.0, most=20, size=(64, 64))
    found = video.next(frame[0])
    expected = np.clip(expected.boxes * [4, 2, 4, 2], 0, [256, 128, 256, 128])
    np.testing.assert_allclose(found.boxes, expected, atol=0.1)


def test_objects_move_with_the_flow(detector):
    # Half of the size: a flow of -8 px there is -16 px here, one feature.
    video = VideoDetector(detector, Still(-8.0), FixedInterval(9), score=0.0, most=1000)
    frame = images(64, 128)
    video.next(frame)
    moved = video._engine.between(frame[None], frame[None], video._features)
    key = detector.aggregate(detector.features(frame[None]))
    expected = np.zeros((1, 4, 8, 16), np.float32)
    expected[:, :, 1:] = np.asarray(key)[:, :, :-1]
    boxes, scores = detector.boxes_and_scores(detector.detect(expected))
    np.testing.assert_allclose(moved["boxes"], boxes, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(moved["scores"], scores, rtol=1e-4, atol=1e-5)


def test_key_frames_are_joined_by_the_gru(detector):
    video = VideoDetector(detector, Still(), FixedInterval(1))
    frames = images(3, 64, 64)
    joined = None
    for frame in frames:
        video.next(frame)
        own = detector.features(frame[None])
        joined = detector.aggregate(own, joined)
    np.testing.assert_allclose(video._features, joined, rtol=1e-4, atol=1e-5)
    assert np.abs(video._features - np.asarray(own)).max() > 1e-4


def test_another_size_is_an_error_and_changes_nothing(detector):
    frames = images(4, 64, 64)
    results = []
    video = VideoDetector(detector, Still(), FixedInterval(2), score=0.0, most=5)
    for disturbed in (False, True):
        video.reset()
        found = [video.next(frame) for frame in frames[:2]]
        if disturbed:
            with pytest.raises(ValueError, match="frames are 64x64 .*; got 32x64"):
                video.next(frames[0][:32])
            with pytest.raises(ValueError, match="one frame"):
                video.next(frames)
            assert video.is_key is False
        results.append(found + [video.next(frame) for frame in frames[2:]])
    for one, other in zip(*results):
        np.testing.assert_array_equal(one.boxes, other.boxes)
        np.testing.assert_array_equal(one.scores, other.scores)


def test_a_predictor_that_fails_changes_nothing(detector):
    class Failing(Still):
        def predict_flow(self, image1, image2):
            raise RuntimeError("no flow today")

    video = VideoDetector(detector, Failing())
    video.next(images(64, 64))
    before = video._features
    with pytest.raises(RuntimeError, match="no flow today"):
        video.next(images(64, 64, seed=1))
    assert video.is_key and video._features is before and video._age == 0


def test_after_reset_any_size_is_right(detector):
    video = VideoDetector(detector, Still(), score=0.0, most=5)
    first = video.next(images(64, 64))
    video.next(images(64, 64, seed=1))
    video.reset()
    assert video.is_key is None
    assert len(video.next(images(32, 96)).boxes) == 5 and video.is_key
    video.reset()
    np.testing.assert_array_equal(video.next(images(64, 64)).boxes, first.boxes)


def test_video_detector_refuses(detector):
    with pytest.raises(TypeError, match="must have predict_flow"):
        VideoDetector(detector, lambda a, b: None)
    with pytest.raises(TypeError, match="got NoneType. A detector that was made with flow=…"):
        VideoDetector(detector)
    for options in ({"score": 30}, {"overlap": -2}, {"most": -1}):
        with pytest.raises(ValueError, match=f"{next(iter(options))} must"):
            VideoDetector(detector, Still(), **options)
    with pytest.raises(TypeError, match="schedule must be a KeyFrameSchedule"):
        VideoDetector(detector, Still(), 5)
    with pytest.raises(ValueError, match="flow_scale must be"):
        VideoDetector(detector, Still(), flow_scale=0)
    with pytest.raises(ValueError, match="multiples of 32; got 60x64"):
        VideoDetector(detector, Still(), size=(60, 64))
