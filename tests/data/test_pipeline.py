import numpy as np
import pytest

from tfflow.data import FlowSample, training_pipeline


def coded_sample(number, height=40, width=60, valid=None):
    """A sample whose colours say where a pixel was and whose flow says so, too."""
    y, x = np.mgrid[:height, :width]
    image = np.stack([x, y, np.full_like(x, number)], axis=-1).astype(np.uint8)
    flow = np.stack([x + 0.25, y + 0.5], axis=-1).astype(np.float32)
    valid = np.ones((height, width), bool) if valid is None else valid
    return FlowSample(image, 255 - image, flow, valid, f"{number}")


SAMPLES = [coded_sample(number) for number in range(7)]
PLAIN = {"colour": 0.0, "noise": 0.0, "horizontal_flip": 0.0, "vertical_flip": 0.0}


def batches(samples=SAMPLES, batch_size=2, count=None, **arguments):
    arguments = {"crop": (24, 32), **PLAIN, **arguments}
    dataset = training_pipeline(samples, batch_size, **arguments)
    taken = dataset if count is None else dataset.take(count)
    return [({k: v.numpy() for k, v in x.items()}, f.numpy(), m.numpy()) for x, f, m in taken]


def numbers(taken):
    return [round(255 * value) for images, _, _ in taken for value in images["image1"][:, 0, 0, 2]]


def test_shapes_and_ranges():
    dataset = training_pipeline(SAMPLES, 3, crop=(24, 32))
    images, flow, valid = dataset.element_spec
    assert images["image1"].shape == images["image2"].shape == (3, 24, 32, 3)
    assert flow.shape == (3, 24, 32, 2) and valid.shape == (3, 24, 32)
    for images, _, valid in batches(count=4, colour=3.0, noise=0.2):
        for image in images.values():
            assert image.dtype == np.float32 and image.min() >= 0 and image.max() <= 1
        assert valid.dtype == np.float32 and (valid == 1).all()


@pytest.mark.parametrize("horizontal", [0.0, 1.0])
@pytest.mark.parametrize("vertical", [0.0, 1.0])
def test_crops_and_flips_take_the_flow_along(horizontal, vertical):
    corners = set()
    flips = {"horizontal_flip": horizontal, "vertical_flip": vertical}
    for images, flow, _ in batches(count=6, **flips):
        x, y = 255 * images["image1"][..., 0], 255 * images["image1"][..., 1]
        np.testing.assert_allclose(255 - 255 * images["image2"][..., 0], x, atol=1e-3)
        sign_x, sign_y = 1 - 2 * horizontal, 1 - 2 * vertical
        np.testing.assert_allclose(flow[..., 0], sign_x * (x + 0.25), atol=1e-3)
        np.testing.assert_allclose(flow[..., 1], sign_y * (y + 0.5), atol=1e-3)
        np.testing.assert_allclose(np.diff(x, axis=2), sign_x, atol=1e-3)
        np.testing.assert_allclose(np.diff(y, axis=1), sign_y, atol=1e-3)
        corners |= {(int(a.min()), int(b.min())) for a, b in zip(x.round(), y.round())}
    assert len(corners) > 6


def test_validity_is_cropped_and_flipped_along():
    y, x = np.mgrid[:40, :60]
    samples = [coded_sample(0, valid=(x + 2 * y) % 5 == 0)]
    for images, _, valid in batches(samples, count=3, horizontal_flip=0.5, vertical_flip=0.5):
        place = 255 * images["image1"]
        expected = (place[..., 0] + 2 * place[..., 1]).round() % 5 == 0
        np.testing.assert_array_equal(valid, expected)


def test_epochs_are_permutations():
    taken = numbers(batches(batch_size=3, count=7))
    epochs = [taken[:7], taken[7:14], taken[14:21]]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert epochs[0] != epochs[1] and epochs[0] != list(range(7))
    assert numbers(batches(batch_size=3, count=7, seed=1)) != taken
    in_order = numbers(batches(batch_size=3, count=7, shuffle=False))
    assert in_order == 3 * list(range(7))


def test_one_epoch():
    taken = batches(batch_size=3, repeat=False)
    assert [len(flow) for _, flow, _ in taken] == [3, 3, 1]
    assert sorted(numbers(taken)) == list(range(7))


def test_same_seed_same_batches_however_many_workers():
    augmented = {"colour": 1.0, "noise": 0.05, "horizontal_flip": 0.5, "vertical_flip": 0.5}
    first = batches(count=8, **augmented)
    again = batches(count=8, workers=3, **augmented)
    later = batches(count=3, start=5, **augmented)
    for one, other in [*zip(first, again), *zip(first[5:], later)]:
        np.testing.assert_array_equal(one[0]["image2"], other[0]["image2"])
        np.testing.assert_array_equal(one[1], other[1])
    other_seed = batches(count=1, seed=1, **augmented)[0]
    assert not np.array_equal(first[0][0]["image1"], other_seed[0]["image1"])


def test_colours_change_alike_in_both_images():
    """A moving thing must stay recognisable: the change between the frames is the smaller one."""
    grey = np.full((40, 60, 3), 100, np.uint8)
    sample = FlowSample(grey, grey, np.zeros((40, 60, 2), np.float32), np.ones((40, 60), bool), "")
    taken = batches([sample], batch_size=50, count=1, colour=1.0)[0][0]
    first, second = (taken[name][:, 0, 0] for name in ("image1", "image2"))
    assert 0.05 < first.std() < 0.3
    assert 0.001 < np.abs(first - second).mean() < 0.3 * first.std()


def test_noise_is_as_strong_as_asked_and_independent():
    grey = np.full((40, 60, 3), 128, np.uint8)
    sample = FlowSample(grey, grey, np.zeros((40, 60, 2), np.float32), np.ones((40, 60), bool), "")
    taken = batches([sample], batch_size=40, count=1, noise=0.1)[0][0]
    noise = [taken[name] - 128 / 255 for name in ("image1", "image2")]
    spread = noise[0].std(axis=(1, 2, 3))
    assert spread.max() < 0.11 and 0.03 < spread.mean() < 0.07
    assert abs((noise[0] * noise[1]).mean()) < 0.05 * spread.mean() ** 2


def test_scale_takes_the_flow_along():
    factors = []
    for images, flow, _ in batches(count=6, scale=(1.0, 2.0)):
        x = 255 * images["image1"][..., 0]
        by_image = 31 / (x[:, :, -1] - x[:, :, 0]).mean(1)
        by_flow = flow[..., 0].mean((1, 2)) / (x + 0.25).mean((1, 2))
        np.testing.assert_allclose(by_image, by_flow, rtol=0.08)
        # One pixel further in the magnified sample, the coded flow is one pixel longer.
        across = (flow[:, :, -1, 0] - flow[:, :, 0, 0]).mean(1)
        np.testing.assert_allclose(across, 31, atol=2.1)
        factors += by_flow.tolist()
    assert min(factors) < 1.3 and max(factors) > 1.5


def test_scene_cache_is_read_by_crops():
    class Cache:
        size = 40, 60

        def __len__(self):
            return 5

        def read(self, index, rows, columns):
            assert (rows.stop - rows.start, columns.stop - columns.start) == (24, 32)
            return tuple(array[rows, columns] for array in SAMPLES[index][:3])

    direct = batches(SAMPLES[:5], count=4)
    for one, other in zip(direct, batches(Cache(), count=4)):
        np.testing.assert_array_equal(one[0]["image1"], other[0]["image1"])
        np.testing.assert_array_equal(one[1], other[1])


def test_whole_samples():
    (images, flow, _), *_ = batches(crop=None, shuffle=False, count=1)
    assert images["image1"].shape == (2, 40, 60, 3)
    np.testing.assert_array_equal(flow[1], SAMPLES[1].flow)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"crop": (0, 5)}, "crop must be"),
        ({"scale": (2.0, 1.0)}, "scale must be"),
        ({"samples": []}, "is empty"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        batches(**arguments)


def test_bad_samples_are_told():
    mixed = [SAMPLES[0], coded_sample(1, 48, 60)]
    unknown = [SAMPLES[0]._replace(flow=None, valid=None)]
    for samples, arguments, message in [
        (SAMPLES, {"crop": (24, 80)}, "40x60 pixels, less than the crop 24x80"),
        (mixed, {"crop": None}, "give training_pipeline a crop"),
        (unknown, {}, "no flow to train on"),
    ]:
        with pytest.raises(Exception, match=message):
            batches(samples, count=1, **arguments)
