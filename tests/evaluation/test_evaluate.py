"""Evaluation of anything with predict_flow, against mmflow's numbers and against plain sums."""

import math
import weakref

import numpy as np
import pytest
from golden_files import load

from tfflow.data import FlowSample, open_dataset
from tfflow.evaluation import evaluate


def sample(flow, valid=None, name="pair", occluded=None):
    image = np.zeros((*flow.shape[:2], 3), np.uint8)
    return FlowSample(image, image, flow, valid, name, occluded)


def uniform(u, v=0.0, shape=(2, 4)):
    return np.tile(np.array([u, v], np.float32), (*shape, 1))


class Still:
    """Predicts that nothing moves."""

    def predict_flow(self, image1, image2):
        return np.zeros((*image1.shape[:2], 2), np.float32)


class Given:
    """Predicts what it is given, pair by pair."""

    def __init__(self, *flows):
        self.flows = iter(flows)

    def predict_flow(self, image1, image2):
        return next(self.flows)


def golden_case(arrays, case, valid=True):
    mask = arrays[f"{case}.valid"] if valid else None
    return arrays[f"{case}.flow_pred"], sample(arrays[f"{case}.flow_gt"], mask, case)


@pytest.mark.parametrize("case", ["metrics0", "metrics1"])
def test_epe_and_fl_are_mmflows(case):
    description, arrays = load("losses")
    for valid, suffix in ((True, ""), (False, "_all_valid")):
        prediction, pair = golden_case(arrays, case, valid)
        result = evaluate(Given(prediction), [pair])
        # mmflow sums in float32.
        assert result.epe == pytest.approx(description[case][f"EPE{suffix}"], rel=1e-6)
        assert result.fl == pytest.approx(description[case][f"Fl{suffix}"], rel=1e-9)


def test_images_of_two_sizes_are_pooled_as_mmflow_pools_them():
    description, arrays = load("losses")
    (flow0, pair0), (flow1, pair1) = (golden_case(arrays, f"metrics{i}") for i in (0, 1))
    result = evaluate(Given(flow0, flow1), [pair0, pair1])
    assert result.epe == pytest.approx(description["metrics_both"]["EPE"], rel=1e-6)
    assert result.fl == pytest.approx(description["metrics_both"]["Fl"], rel=1e-9)
    of_each = [description[f"metrics{i}"]["EPE"] for i in (0, 1)]
    assert [pair.epe for pair in result.per_pair] == pytest.approx(of_each, rel=1e-6)
    assert result.pair_means["all"]["epe"] == pytest.approx(sum(of_each) / 2, rel=1e-6)
    assert abs(result.pair_means["all"]["epe"] - result.epe) > 0.01  # it is another number


def test_real_pairs_against_sums_by_hand(shared_dir):
    """Every number of two FlyingChairs pairs, pixel after pixel, the flow read without the reader.

    The predictions are those of OpenCV's DIS, whose EPE on these pairs is known.
    """
    cv2 = pytest.importorskip("cv2")
    release = shared_dir / "data" / "FlyingChairs_release"
    if not release.is_dir():
        pytest.skip("the real FlyingChairs pairs are not here (../shared/data)")

    class Dis:
        flows = ()

        def predict_flow(self, image1, image2):
            grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (image1, image2)]
            flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(*grey, None)
            self.flows += (flow,)
            return flow

    predictor = Dis()
    result = evaluate(predictor, open_dataset(f"chairs-all:{release}"))

    errors, motions = [], []
    for number, flow in zip(("00001", "00002"), predictor.flows):
        numbers = np.fromfile(release / "data" / f"{number}_flow.flo", "<f4")[3:].tolist()
        for (u, v), true_u, true_v in zip(
            flow.reshape(-1, 2).tolist(), numbers[0::2], numbers[1::2]
        ):
            errors.append(math.sqrt((u - true_u) ** 2 + (v - true_v) ** 2))
            motions.append(math.hypot(true_u, true_v))
    pixels = list(zip(errors, motions))

    def mean(values):
        values = list(values)
        return math.fsum(values) / len(values)

    assert result.errors.pixels == len(pixels) == 2 * 512 * 384
    assert result.epe == pytest.approx(mean(errors), rel=1e-9)
    assert result.zero_flow_epe == pytest.approx(mean(motions), rel=1e-9)
    assert result.fl == pytest.approx(
        100 * mean(e > 3 and e / max(m, 1e-9) > 0.05 for e, m in pixels)
    )
    for threshold in (1, 3, 5):
        expected = 100 * mean(e > threshold for e in errors)
        assert result.above[threshold] == pytest.approx(expected, rel=1e-12)
    assert result.by_speed == pytest.approx(
        {
            "s0_10": mean(e for e, m in pixels if m < 10),
            "s10_40": mean(e for e, m in pixels if 10 <= m < 40),
            "s40_plus": mean(e for e, m in pixels if m >= 40),
        },
        rel=1e-9,
    )
    half = len(errors) // 2
    of_each = [mean(errors[:half]), mean(errors[half:])]
    assert [pair.epe for pair in result.per_pair] == pytest.approx(of_each, rel=1e-9)
    # DIS "fast" on these pairs, noted with them when they were chosen.
    assert of_each == pytest.approx([6.58, 1.72], abs=0.01)


def test_pixels_are_pooled_and_sorted_by_speed():
    slow, fast = uniform(3.0, 4.0), uniform(50.0, shape=(4, 4))
    valid = np.zeros((4, 4), bool)
    valid[:2] = True
    fast[2:] = np.nan
    result = evaluate(Still(), [sample(slow), sample(fast, valid, "fast")])
    assert result.epe == result.zero_flow_epe == pytest.approx((5.0 + 50.0) / 2)
    assert result.by_speed["s0_10"] == pytest.approx(5.0)
    assert np.isnan(result.by_speed["s10_40"])
    assert result.by_speed["s40_plus"] == pytest.approx(50.0)
    assert result.fl == 100.0
    assert [(pair.name, pair.epe) for pair in result.per_pair] == [("pair", 5.0), ("fast", 50.0)]
    assert "per_pair" not in result.as_dict()


@pytest.mark.parametrize("unknown", [np.nan, np.inf, 1e10])
@pytest.mark.parametrize("valid", [None, True])
def test_truth_that_is_no_number_is_not_known(unknown, valid):
    truth = uniform(3.0, 4.0, shape=(4, 4))
    truth[2:] = unknown
    valid = valid and np.ones((4, 4), bool)
    result = evaluate(Still(), [sample(truth, valid)])
    assert result.epe == pytest.approx(5.0) and result.errors.pixels == 8


def test_a_speed_on_the_border_belongs_to_the_faster_class():
    truth = np.concatenate([uniform(10.0, shape=(1, 2)), uniform(0.0, 40.0, shape=(1, 2))])
    by_speed = evaluate(Still(), [sample(truth)]).by_speed
    assert np.isnan(by_speed["s0_10"])
    assert (by_speed["s10_40"], by_speed["s40_plus"]) == (10.0, 40.0)


def test_shares_above_thresholds_and_outliers():
    # Errors of 1, 3, 5 and 6 px: an error equal to a threshold is not above it.
    truth = np.zeros((1, 4, 2), np.float32)
    truth[0, :, 1] = [1.0, 3.0, 5.0, 6.0]
    result = evaluate(Still(), [sample(truth)])
    assert result.above == {1: 75.0, 3: 50.0, 5: 25.0}
    assert result.fl == 50.0
    # 4 px of 100 px are below 5 %, 6 px are above; both are above 3 px.
    large = evaluate(Given(uniform(104.0), uniform(106.0)), 2 * [sample(uniform(100.0))])
    assert large.fl == 50.0 and large.above[3] == 100.0


def test_matched_and_unmatched():
    """Left half: matched, error 1; right half: occluded, error 4; the last row is not valid."""
    truth = np.zeros((4, 6, 2), np.float32)
    truth[:, :3, 0], truth[:, 3:, 0] = 1.0, 4.0
    truth[3] = 1000.0
    valid = np.ones((4, 6), bool)
    valid[3] = False
    occluded = np.zeros((4, 6), bool)
    occluded[:, 3:] = True
    whole = sample(uniform(2.0, shape=(2, 2)), name="without a mask")
    result = evaluate(Still(), [sample(truth, valid, "masked", occluded), whole])
    assert (result.matched.epe, result.matched.fl, result.matched.pixels) == (1.0, 0.0, 9)
    assert (result.unmatched.epe, result.unmatched.fl, result.unmatched.pixels) == (4.0, 100.0, 9)
    assert result.errors.pixels == 22 and result.epe == pytest.approx((9 + 36 + 8) / 22)
    assert result.pair_means["matched"]["epe"] == 1.0
    assert result.pair_means["unmatched"]["above_3_px"] == 100.0
    assert result.pair_means["all"]["epe"] == pytest.approx((2.5 + 2.0) / 2)
    assert result.as_dict()["matched"]["epe"] == 1.0

    without = evaluate(Still(), [whole])
    assert without.matched is without.unmatched is None
    assert set(without.pair_means) == {"all"} and "matched" not in without.as_dict()


def test_scenes():
    pairs = [
        sample(uniform(1.0), name="clean/alley_1/frame_0001"),
        sample(uniform(8.0, shape=(1, 2)), name="clean/wall/frame_0001"),
        sample(uniform(4.0, shape=(4, 4)), name="clean/alley_1/frame_0002"),
        sample(uniform(9.0), name="no_scene"),
    ]
    scenes = evaluate(Still(), pairs).scenes
    assert list(scenes) == ["clean/alley_1", "clean/wall"]
    assert scenes["clean/alley_1"].epe == pytest.approx((8 * 1 + 16 * 4) / 24)
    assert scenes["clean/alley_1"].fl == pytest.approx(100 * 16 / 24)
    assert scenes["clean/wall"].epe == 8.0


def test_the_worst_pairs():
    broken = uniform(0.0)
    broken[0, 0] = np.nan
    pairs = [sample(uniform(float(u)), name=f"{u}") for u in (2, 7, 5)]
    blind = sample(uniform(9.0), np.zeros((2, 4), bool), "nothing known")
    result = evaluate(Given(*3 * [uniform(0.0)], broken, broken), [*pairs, pairs[0], blind])
    assert [(pair.index, pair.name) for pair in result.worst(3)] == [(3, "2"), (1, "7"), (2, "5")]
    assert len(result.worst(9)) == 4
    # What is not finite is no result that could be averaged away, and an outlier.
    assert math.isnan(result.epe) and result.per_pair[3].errors.fl == pytest.approx(100 / 8)


def test_memory_holds_one_pair_at_a_time():
    images, alive = [], []

    class Fresh:
        def __len__(self):
            return 5

        def __getitem__(self, index):
            pair = sample(uniform(1.0), name=f"{index}")
            images.append(weakref.ref(pair.image1))
            return pair

    def count(*_):
        alive.append(sum(image() is not None for image in images))

    result = evaluate(Still(), Fresh(), progress=count)
    assert alive == 5 * [1] and result.pairs == 5


def test_size_and_limit_and_progress():
    class Sized:
        def predict_flow(self, image1, image2, *, size=None):
            assert size == (64, 128)
            return uniform(0.0)

    calls = []
    pairs = [sample(uniform(u)) for u in (1.0, 3.0, 100.0)]
    result = evaluate(
        Sized(), pairs, limit=2, size=(64, 128), progress=lambda *values: calls.append(values)
    )
    assert result.pairs == 2 and result.milliseconds >= 0
    assert calls == [(1, 2, 1.0), (2, 2, 2.0)]


def test_nothing_to_evaluate():
    with pytest.raises(ValueError, match="is empty"):
        evaluate(Still(), [])
    with pytest.raises(ValueError, match="first 0 pairs"):
        evaluate(Still(), [sample(np.zeros((2, 2, 2)))], limit=0)
    with pytest.raises(ValueError, match="no ground truth"):
        evaluate(Still(), [sample(np.zeros((2, 2, 2)))._replace(flow=None)])
    complaints = []
    pairs = [sample(np.ones((2, 2, 2))), sample(np.zeros((2, 2, 2)))._replace(flow=None)]
    assert evaluate(Still(), pairs, complaints=complaints).pairs == 1
    assert "no ground truth" in complaints[0]
    with pytest.raises(ValueError, match="known flow"):
        evaluate(Still(), [sample(np.zeros((2, 2, 2)), np.zeros((2, 2), bool))])
    with pytest.raises(ValueError, match=r"images' size, \(2, 4, 2\); got \(4, 2, 2\)"):
        evaluate(Given(uniform(0.0, shape=(4, 2))), [sample(uniform(1.0))])


def test_a_prediction_that_is_a_list_or_masked():
    truth = [sample(uniform(1.0))]
    expected = evaluate(Given(uniform(0.0)), truth).epe
    assert evaluate(Given(uniform(0.0).tolist()), truth).epe == expected
    hidden = np.ma.masked_array(uniform(0.0), mask=np.zeros(uniform(0.0).shape, bool))
    assert evaluate(Given(hidden), truth).epe == expected
    hidden[0, 0] = np.ma.masked
    assert np.isnan(evaluate(Given(hidden), truth).epe)  # no flow is no right flow


def test_a_truth_of_another_size_is_said_to_be_so():
    image = np.zeros((8, 10, 3), np.uint8)
    wrong = FlowSample(image, image, np.zeros((4, 10, 2), np.float32), None, "wrong")
    right = wrong._replace(flow=np.zeros((8, 10, 2), np.float32), name="right")
    predictor = Given(np.zeros((8, 10, 2), np.float32))
    with pytest.raises(ValueError, match=r"wrong: expected a true flow of the images' size"):
        evaluate(predictor, [wrong])
    complaints = []
    assert evaluate(predictor, [wrong, right], complaints=complaints).pairs == 1
    assert complaints[0].startswith("wrong: expected")


def test_masked_truth_is_not_known():
    image = np.zeros((8, 10, 3), np.uint8)
    truth = np.ma.masked_array(np.zeros((8, 10, 2), np.float32), np.zeros((8, 10, 2), bool))
    truth[0] = 100
    truth[0] = np.ma.masked
    pair = FlowSample(image, image, truth, None, "masked")
    result = evaluate(Given(np.ones((8, 10, 2), np.float32)), [pair])
    assert result.errors.pixels == 70 and result.epe == pytest.approx(2**0.5)


@pytest.mark.parametrize("name", ["valid", "occluded"])
def test_a_mask_of_another_size_is_told(name):
    image = np.zeros((8, 9, 3), np.uint8)
    sample = FlowSample(image, image, np.zeros((8, 9, 2), np.float32), None, "a pair")
    message = rf"{name} of a pair must be a mask .*\(8, 9\); got \(8, 9, 1\)"
    with pytest.raises(ValueError, match=message):
        evaluate(Still(), [sample._replace(**{name: np.ones((8, 9, 1), bool)})])
