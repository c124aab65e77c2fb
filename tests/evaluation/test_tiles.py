"""Large images by tiles: seams, large motion, what is taken and what is not, any predictor."""

import itertools

import cv2
import numpy as np
import pytest

from tfflow.evaluation import TiledPredictor
from tfflow.evaluation.tiles import _look_up, _spans
from tfflow.models.prediction import working_size


class Dis:
    """A true predictor that needs uint8 and takes no size; notes the sizes that it got."""

    def __init__(self):
        self.method = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self.sizes = []

    def predict_flow(self, image1, image2):
        self.sizes.append(image1.shape[:2])
        grey = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (image1, image2))
        return self.method.calc(*grey, None)


class Network:
    """Runs at multiples of 8, or at a size of its own; its answer is a constant flow."""

    def __init__(self, flow=(0.0, 0.0), fixed=None, multiple=8):
        self.answer, self.fixed, self.multiple, self.calls = flow, fixed, multiple, []

    def working_size(self, image_size, size=None):
        if self.fixed and size not in (None, self.fixed):
            raise ValueError("runs at one size only")
        return self.fixed or size or working_size(image_size, self.multiple)

    def predict_flow(self, image1, image2, *, size=None):
        self.calls.append((image1.shape, size, image1.dtype))
        return np.full((*image1.shape[:2], 2), self.answer, np.float32)


def textured(height, width, seed=0):
    noise = np.random.default_rng(seed).random((height, width, 3), np.float32)
    image = sum(cv2.GaussianBlur(noise, (0, 0), sigma) - 0.5 for sigma in (1, 2, 4, 8, 16))
    return np.uint8(np.clip(128 + 90 * image / image.std() / 2, 0, 255))


def scene(height, width, scale, rotation, shift):
    """Two images of a textured plane, and the flow between them, which is affine."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    turn = scale * np.array(
        [[np.cos(rotation), -np.sin(rotation)], [np.sin(rotation), np.cos(rotation)]]
    )
    centre = np.array([width / 2, height / 2])
    matrix = np.column_stack([turn, centre - turn @ centre + shift])
    second = textured(height, width)
    ends = cv2.transform(np.dstack([x, y]), matrix).astype(np.float32)
    first = cv2.remap(second, ends[..., 0], ends[..., 1], cv2.INTER_CUBIC, None, cv2.BORDER_REFLECT)
    return first, second, ends - np.dstack([x, y])


def epe(flow, truth, border=0):
    error = np.linalg.norm(flow - truth, axis=-1)
    return error[border:-border, border:-border].mean() if border else error.mean()


@pytest.mark.parametrize("overlap", [0, 0.1, 0.25, 0.5])
@pytest.mark.parametrize("length", [100, 101, 130, 399, 1000])
def test_weights_sum_to_one_everywhere(length, overlap):
    total, step = np.zeros(length), 0.0
    spans = _spans(length, 100, overlap)
    for place, weights in spans:
        assert place.stop - place.start == 100 and (weights > 0).all()
        total[place] += weights
        step = max(step, np.abs(np.diff(weights)).max())
    np.testing.assert_allclose(total, 1, rtol=1e-6)
    assert (spans[0].place.start, spans[-1].place.stop) == (0, length)
    overlaps = [
        before.place.stop - after.place.start for before, after in itertools.pairwise(spans)
    ]
    assert all(each >= int(100 * overlap) - 1 for each in overlaps)
    if overlap and length > 101:
        assert step < 2 / (100 * overlap)  # no edge


def test_sizes_grow_by_no_more_than_four_from_a_quarter_of_a_megapixel():
    def sizes(predictor, full):
        tiled = TiledPredictor(predictor)
        return tiled._sizes(full, tiled._runs_at(full))

    large = [(768, 1344), (1821, 3213), (4320, 7680)]
    network = Network(multiple=64)
    assert sizes(network, (4320, 7680)) == [(384, 640), *large]
    assert sizes(network, (2160, 3840)) == [(384, 640), (768, 1344), (2160, 3840)]
    file = Network(fixed=(384, 512))
    assert sizes(file, (2160, 3840)) == [(384, 512), (911, 1402), (2160, 3840)]
    assert sizes(file, (300, 2000)) == [(300, 512), (300, 2000)]
    assert sizes(Dis(), (1500, 2000)) == [(443, 591), (887, 1182), (1500, 2000)]


def test_tiles_are_more_accurate_than_a_coarse_look_and_have_no_seams():
    image1, image2, truth = scene(480, 640, 1.01, 0.01, (60, -25))
    dis = Dis()
    flow = TiledPredictor(dis).predict_flow(image1, image2, size=(160, 214))
    assert dis.sizes[0] == (160, 214) and set(dis.sizes) == {(160, 214)} and len(dis.sizes) > 10
    assert flow.dtype == np.float32 and flow.shape == (480, 640, 2)

    small = [
        cv2.resize(image, (214, 160), interpolation=cv2.INTER_AREA) for image in (image1, image2)
    ]
    coarse = cv2.resize(Dis().predict_flow(*small), (640, 480)) * np.float32([640 / 214, 3])
    assert epe(flow, truth, 70) < 0.5 * epe(coarse, truth, 70)
    assert epe(flow, truth, 70) < 0.15
    jumps = np.abs(np.diff((flow - truth)[70:-70, 70:-70], axis=1)).max()
    assert jumps < 0.5, "no tile's edge is seen"


def test_motions_are_composed_where_the_rest_ends():
    """A coarse flow that is wrong by a constant: the rest leads back to the true flow."""
    image1, image2, truth = scene(300, 300, 1.2, 0.0, (0, 0))

    class Oracle:
        """Answers the coarse look with a wrong flow; to a tile, what is truly left of it."""

        def predict_flow(self, image1, image2):
            if self.coarse is None:
                self.coarse = cv2.resize(truth, (100, 100), interpolation=cv2.INTER_AREA) / 3
                self.coarse += np.float32([0.4, 0])
                return self.coarse
            # The warped image shows c = 0.2 (p - 150) + 1.2 at p, so that r + 0.2 r = -1.2.
            return np.full((*image1.shape[:2], 2), (-1.0, 0.0), np.float32)

    oracle = Oracle()
    oracle.coarse = None
    flow = TiledPredictor(oracle).predict_flow(image1, image2, size=(100, 100))
    assert np.abs((flow - truth)[20:-20, 20:-20]).max() < 0.02


def test_sides_that_opencv_does_not_take():
    """Its look-up ends at 32,767 px; here both ends of a line scan move."""
    image = np.random.default_rng(0).integers(0, 256, (16, 33_000, 3), np.uint8)
    image1 = np.repeat(image, 4, axis=0)
    flow = TiledPredictor(Network()).predict_flow(
        image1, np.roll(image1, 3, axis=1), size=(64, 512)
    )
    assert flow.shape == (64, 33_000, 2) and (flow == 0).all()


@pytest.mark.parametrize("start", [0, 20_000, 39_990])
def test_looking_up_in_a_long_array_is_looking_up_in_its_part(start):
    array = np.random.default_rng(0).integers(0, 256, (5, 40_000, 3), np.uint8)
    part = array[:, max(0, start - 100) : start + 200]
    rng = np.random.default_rng(1)
    x = np.float32(rng.uniform(start - 20, start + 80, (6, 7)))
    y = np.float32(rng.uniform(-3, 8, (6, 7)))
    for interpolation in (cv2.INTER_LINEAR, cv2.INTER_CUBIC):
        found = _look_up(array, x.copy(), y.copy(), interpolation)
        edge = {"borderMode": cv2.BORDER_REPLICATE}
        expected = cv2.remap(part, x - max(0, start - 100), y, interpolation, **edge)
        np.testing.assert_allclose(found, expected, atol=1)


def test_a_large_change_needs_a_better_match():
    image1, image2, truth = scene(200, 300, 1.0, 0.0, (0, 0))
    tiled = TiledPredictor(Network((0.5, 0.0)))
    assert np.ptp(tiled.predict_flow(image1, image2, size=(104, 152))[..., 0]) < 1e-4, "is small"

    class Wild(Network):
        def predict_flow(self, image1, image2, *, size=None):
            flow = super().predict_flow(image1, image2, size=size)
            return flow if len(self.calls) == 1 else flow + 30

    flow = TiledPredictor(Wild()).predict_flow(image1, image2, size=(104, 152))
    np.testing.assert_allclose(flow, truth, atol=1e-4)
    shifted = np.roll(image1, (30, 30), (0, 1))
    flow = TiledPredictor(Wild()).predict_flow(image1, shifted, size=(104, 152))
    np.testing.assert_allclose(flow[20:150, 20:250], 30, atol=1e-4)


def test_a_network_runs_at_its_own_size_or_at_the_one_that_is_asked_for():
    image = np.zeros((300, 400, 3), np.uint8)
    network = Network()
    TiledPredictor(network).predict_flow(image, image)
    assert network.calls == [((300, 400, 3), (304, 400), np.uint8)], "fits as it is"
    network = Network()
    TiledPredictor(network, overlap=0).predict_flow(image, image, size=(152, 200))
    assert {call[0] for call in network.calls} == {(152, 200, 3)}
    assert [call[1] for call in network.calls] == [None] + 4 * [(152, 200)]
    network = Network(fixed=(96, 128))
    TiledPredictor(network).predict_flow(image, image)
    assert {call[0] for call in network.calls} == {(96, 128, 3)}
    with pytest.raises(ValueError, match="one size only"):
        TiledPredictor(network).predict_flow(image, image, size=(64, 64))


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float64])
def test_batches_grey_and_alpha(dtype):
    network = Network((1.0, 2.0))
    images = np.zeros((2, 90, 120, 4), dtype)
    flow = TiledPredictor(network).predict_flow(images, images, size=(40, 48))
    assert flow.shape == (2, 90, 120, 2) and {call[0][2] for call in network.calls} == {3}
    assert {call[2] for call in network.calls} == {
        np.dtype(np.uint8 if dtype == np.uint8 else "f4")
    }
    assert TiledPredictor(network).predict_flow(images[0, ..., 0], images[1, ..., 0]).shape[2:] == (
        2,
    )


def test_what_is_refused():
    image = np.zeros((90, 120, 3), np.uint8)
    tiled = TiledPredictor(Network())
    for pair, message in (
        ((image, image[:80]), "one size and number"),
        ((image, image[None]), "one size and number"),
        ((image.astype(int), image.astype(int)), "uint8 in 0..255 or float"),
        (("a.png", image), "not the name of one"),
    ):
        with pytest.raises(ValueError, match=message):
            tiled.predict_flow(*pair, size=(40, 40))
    for overlap in (-0.1, 0.6, float("nan")):
        with pytest.raises(ValueError, match=r"from 0 to 0\.5"):
            TiledPredictor(Network(), overlap=overlap)


@pytest.mark.parametrize("types", [(np.float32, np.float32), (np.uint8, np.float64)])
def test_sharp_edges_in_float_and_two_types(types):
    """Cubic interpolation goes beyond black and white there; networks refuse such values."""

    class Strict(Network):
        def predict_flow(self, image1, image2, *, size=None):
            for image in (image1, image2):
                assert image.dtype == np.float32 and 0 <= image.min() <= image.max() <= 1
            return super().predict_flow(image1, image2, size=size)

    board = (np.indices((90, 120)).sum(axis=0) // 5 % 2)[..., None].repeat(3, axis=-1)
    images = (np.multiply(board, 255 if t == np.uint8 else 1).astype(t) for t in types)
    network = Strict((0.4, 0.3))  # so that the next look is at places between pixels
    TiledPredictor(network).predict_flow(*images, size=(40, 48))
    assert len(network.calls) > 4


def test_predictors_that_fill_one_array_again_or_give_another_type():
    texture = np.random.default_rng(0).integers(0, 255, (60, 75, 3), np.uint8)
    texture = cv2.resize(texture, (300, 240), interpolation=cv2.INTER_CUBIC)
    images = texture[10:210, 10:260], texture[12:212, 7:257]

    filled = {}

    class Again(Dis):
        def predict_flow(self, image1, image2):
            flow = super().predict_flow(image1, image2)
            kept = filled.setdefault(flow.shape, flow)
            kept[:] = flow
            return kept

    class Double(Dis):
        def predict_flow(self, image1, image2):
            return super().predict_flow(image1, image2).astype(np.float64).tolist()

    expected = TiledPredictor(Dis()).predict_flow(*images, size=(96, 128))
    for predictor in (Again(), Double()):
        found = TiledPredictor(predictor).predict_flow(*images, size=(96, 128))
        np.testing.assert_array_equal(found, expected)
    # Images no larger than a tile are taken in the same forms.
    small = [image[:64, :96] for image in images]
    expected = TiledPredictor(Dis()).predict_flow(*small, size=(96, 128))
    batch = TiledPredictor(Dis()).predict_flow(*(image[None] for image in small), size=(96, 128))
    np.testing.assert_array_equal(batch[0], expected)
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in small]
    assert TiledPredictor(Dis()).predict_flow(*grey, size=(96, 128)).shape == (64, 96, 2)
    with pytest.raises(ValueError, match="size must be"):
        TiledPredictor(Dis()).predict_flow(*images, size=(96,))
