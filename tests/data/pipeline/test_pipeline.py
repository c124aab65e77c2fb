import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tfflow.data import FlowSample, open_dataset, training_pipeline
from tfflow.data.datasets import Mixture
from tfflow.data.files.flows import write_flow
from tfflow.data.files.images import write_image
from tfflow.data.pipeline.augmentation import CHAIRS, LIGHT, NONE, Augmentation, Colour
from tfflow.data.pipeline.batches import WorkerShare
from tfflow.data.pipeline.order import Order


def coded_sample(number, height=40, width=60, valid=None):
    """A sample whose colours say where a pixel was and whose flow says so, too."""
    y, x = np.mgrid[:height, :width]
    image = np.stack([x, y, np.full_like(x, number)], axis=-1).astype(np.uint8)
    flow = np.stack([x + 0.25, y + 0.5], axis=-1).astype(np.float32)
    valid = np.ones((height, width), bool) if valid is None else valid
    return FlowSample(image, 255 - image, flow, valid, f"{number}")


SAMPLES = [coded_sample(number) for number in range(7)]


def batches(samples=SAMPLES, batch_size=2, count=None, **arguments):
    arguments = {"crop": (24, 32), "augmentation": NONE, **arguments}
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
    strong = Colour(brightness=1.0, contrast=1.0, saturation=1.0, hue=0.5, noise=0.2)
    for images, _, valid in batches(count=4, augmentation=Augmentation(colour=strong)):
        for image in images.values():
            assert image.dtype == np.float32 and image.min() >= 0 and image.max() <= 1
        assert valid.dtype == np.float32 and (valid == 1).all()


@pytest.mark.parametrize("horizontal", [0.0, 1.0])
@pytest.mark.parametrize("vertical", [0.0, 1.0])
def test_crops_and_flips_take_the_flow_along(horizontal, vertical):
    corners = set()
    flips = Augmentation(horizontal_flip=horizontal, vertical_flip=vertical)
    for images, flow, _ in batches(count=6, augmentation=flips):
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
    flips = Augmentation(horizontal_flip=0.5, vertical_flip=0.5)
    for images, _, valid in batches(samples, count=3, augmentation=flips):
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


def test_same_seed_same_batches_from_wherever_it_starts():
    first = batches(count=8, augmentation=CHAIRS)
    again = batches(count=8, augmentation=CHAIRS)
    later = batches(count=3, start=5, augmentation=CHAIRS)
    for one, other in [*zip(first, again), *zip(first[5:], later)]:
        np.testing.assert_array_equal(one[0]["image2"], other[0]["image2"])
        np.testing.assert_array_equal(one[1], other[1])
    other_seed = batches(count=1, seed=1, augmentation=CHAIRS)[0]
    assert not np.array_equal(first[0][0]["image1"], other_seed[0]["image1"])


@pytest.mark.parametrize(("workers", "pieces"), [(2, 1), (1, 2), (2, 2)])
def test_workers_share_every_batch(workers, pieces):
    whole = batches(batch_size=4, count=5, augmentation=LIGHT)
    shares = [
        batches(
            batch_size=4,
            count=5 * pieces,
            augmentation=LIGHT,
            share=WorkerShare(i, workers, pieces),
        )
        for i in range(workers)
    ]
    for step, (images, flow, _) in enumerate(whole):
        parts = [part for share in shares for part in share[step * pieces : (step + 1) * pieces]]
        assert all(len(part[1]) == 4 // (workers * pieces) for part in parts)
        np.testing.assert_array_equal(np.concatenate([part[1] for part in parts]), flow)
        np.testing.assert_array_equal(
            np.concatenate([part[0]["image2"] for part in parts]), images["image2"]
        )


def test_data_sets_of_one_length_have_orders_of_their_own():
    mixture = SimpleNamespace(datasets=[range(50), range(50)], ratios=(1, 1))
    row = Order(mixture, shuffle=True, seed=0)
    places = [tuple(map(int, row(tf.constant(n, tf.int64)))) for n in range(200)]
    first, second = ([place for part, place in places if part == p] for p in (0, 1))
    assert sorted(second[:50]) == sorted(first[:50]) == list(range(50))
    assert sum(a == b for a, b in zip(first, second, strict=True)) < 20
    assert first[:50] != first[50:] and second[:50] != second[50:]


def test_a_mixture_keeps_its_ratios_and_each_part_its_augmentation():
    few, many = Named(SAMPLES[:2]), Named(coded_sample(10 + number) for number in range(5))
    flipped = Augmentation(horizontal_flip=1.0)
    mixture = Mixture([few, many], ratios=(1, 3))
    with pytest.raises(ValueError, match="has ratios.* no one epoch .*without ratios"):
        batches(mixture, repeat=False)
    taken = batches(mixture, batch_size=4, count=10, augmentation=[NONE, flipped])
    for images, flow, _ in taken:
        which = (255 * images["image1"][:, 0, 0, 2]).round()
        assert (which >= 10).sum() == 3
        np.testing.assert_array_equal(flow[:, 0, 0, 0] < 0, which >= 10)
    seen = [round(255 * v) for images, _, _ in taken for v in images["image1"][:, 0, 0, 2]]
    epochs = [v for v in seen if v >= 10]
    assert all(sorted(epochs[i : i + 5]) == list(range(10, 15)) for i in range(0, 30, 5))
    all_once = numbers(batches(Mixture([few, many]), batch_size=7, count=1))
    assert sorted(all_once) == [0, 1, *range(10, 15)]


class Named(list):
    name = "samples"


def test_whole_samples():
    (images, flow, _), *_ = batches(crop=None, shuffle=False, count=1)
    assert images["image1"].shape == (2, 40, 60, 3)
    np.testing.assert_array_equal(flow[1], SAMPLES[1].flow)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1"),
        ({"crop": (0, 5)}, "crop must be"),
        ({"samples": []}, "is empty"),
        ({"augmentation": "chairs"}, "expected an Augmentation"),
        ({"augmentation": [NONE, NONE]}, "an augmentation for each of 1 data sets"),
        ({"crop": None, "augmentation": CHAIRS}, "affine maps need a crop"),
        ({"batch_size": 3, "share": WorkerShare(0, 2)}, "choose a multiple of 2"),
        ({"share": WorkerShare(2, 2)}, "a worker from 0"),
        ({"start": -2}, "start must be a whole number of at least 0; got -2"),
        ({"start": 1.5}, "start must be a whole number"),
        ({"seed": 0.5}, "seed must be a whole number of at least 0; got 0.5"),
        ({"seed": None}, "seed must be a whole number of at least 0; got None"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        batches(**arguments)


def test_bad_samples_are_told():
    mixed = [SAMPLES[0], coded_sample(1, 48, 60)]
    unknown = [SAMPLES[0]._replace(flow=None, valid=None)]
    for samples, arguments, message in [
        (SAMPLES, {"crop": (24, 80)}, "is smaller than the crop"),
        (mixed, {"crop": None}, "Cannot add tensor to the batch"),
        (unknown, {}, "no flow to train on"),
    ]:
        with pytest.raises(Exception, match=message):
            batches(samples, count=1, **arguments)


SLOW = """
import time
import numpy as np
from tfflow.data import FlowSample

class Slow:
    def __len__(self):
        return 1000

    def __getitem__(self, index):
        time.sleep(0.5 if index > 4 else 0)
        image = np.zeros((8, 8, 3), np.uint8)
        return FlowSample(image, image, np.zeros((8, 8, 2), np.float32), None, "slow")
"""
BATCH = """
import gc
from slow import Slow
from tfflow.data import training_pipeline

gc.disable()
batches = iter(training_pipeline(Slow(), 2, crop=(8, 8), shuffle=False))
next(batches)
"""
GARBAGE = """
cycle = [batches]
cycle.append(cycle)
del batches, cycle
"""


@pytest.mark.parametrize("script", [BATCH, BATCH + GARBAGE], ids=["in use", "garbage"])
def test_python_ends_while_samples_are_read(tmp_path, script):
    # The data set is not the script's own class, which would keep the script's variables alive.
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "main.py").write_text(script)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    # A minute is for importing TensorFlow on a busy machine; the rest takes a second.
    subprocess.run([sys.executable, tmp_path / "main.py"], check=True, timeout=60, env=environment)


def test_what_a_mask_hides_is_not_known():
    flow = np.ma.masked_array(SAMPLES[0].flow, np.zeros((40, 60, 2), bool))
    flow[:, :10] = np.ma.masked
    flow.data[:, :10] = 500
    sample = SAMPLES[0]._replace(flow=flow, valid=None)
    ((_, found, valid),) = batches([sample], 1, 1, crop=(40, 60))
    np.testing.assert_array_equal(valid[0], np.arange(60) >= 10 + np.zeros((40, 1)))
    assert found.max() < 61


def test_a_row_alone():
    row = coded_sample(3, height=1)
    ((images, flow, valid),) = batches([row], 1, 1, crop=(1, 32))
    assert valid.all() and flow.shape == (1, 1, 32, 2)
    np.testing.assert_allclose(flow[..., 0] - 0.25, 255 * images["image1"][..., 0], atol=1e-3)


@pytest.mark.parametrize("crop", [64, (64,), (64.0, 64.0), (0, 64)])
def test_wrong_crops_are_told(crop):
    with pytest.raises(ValueError, match="crop must be|a side of crop must be a whole number"):
        training_pipeline(SAMPLES, 2, crop=crop)


def test_a_name_that_is_no_unicode(tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("this file system takes Unicode alone")
    for name in ("img1", "img2"):
        write_image(os.fsdecode(folder + f"/a_{name}.png".encode()), SAMPLES[0].image1)
    write_flow(os.fsdecode(folder + b"/a_flow.flo"), SAMPLES[0].flow)
    ((_, flow, _),) = batches(open_dataset(os.fsdecode(folder)), 1, 1, crop=(40, 60))
    np.testing.assert_array_equal(flow[0], SAMPLES[0].flow)
