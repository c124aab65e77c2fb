"""Images as people have them: kinds, sizes, and what is refused."""

import keras
import numpy as np
import pytest

import tfflow
from tfflow import ops
from tfflow.models.prediction import LARGEST_AREA, ImagePair, resize, working_size

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (40, 70, 3), np.uint8)


def test_resize_is_the_ops_resize():
    images = RNG.random((2, 37, 53, 3), np.float32)
    for size in ((64, 64), (20, 99), (37, 53)):
        np.testing.assert_allclose(resize(images, size), ops.resize(images, size), atol=1e-5)


def test_sizes_go_up_to_the_next_multiple():
    pair = ImagePair(IMAGE, IMAGE, multiple=64)
    assert pair.image1.shape == (1, 64, 128, 3)
    assert ImagePair(IMAGE, IMAGE, size=(32, 32)).image2.shape == (1, 32, 32, 3)


@pytest.mark.parametrize(
    ("image_size", "expected"),
    [
        ((436, 1024), (448, 1024)),  # Sintel
        ((1024, 1024), (1024, 1024)),
        ((1080, 1920), (768, 1344)),
        ((2250, 4000), (768, 1344)),
        ((4320, 7680), (768, 1344)),  # 8K needs no more memory than this
        ((3840, 2160), (1344, 768)),
        ((30, 200_000), (64, 83584)),
    ],
)
def test_large_images_are_run_at_a_megapixel(image_size, expected):
    assert working_size(image_size, 64) == expected


def test_a_large_pair_keeps_its_own_pixels():
    image = np.zeros((1500, 2000, 3), np.uint8)
    pair = ImagePair(image, image, multiple=64)
    height, width = pair.image1.shape[1:3]
    assert (height, width) == (896, 1152) and height * width <= 1.1 * LARGEST_AREA
    flow = pair.restore(np.ones((1, height, width, 2), np.float32))
    assert flow.shape == (1500, 2000, 2)
    np.testing.assert_allclose(flow[0, 0], (2000 / width, 1500 / height), rtol=1e-6)


def test_restore_scales_u_with_the_width_and_v_with_the_height():
    pair = ImagePair(IMAGE, IMAGE, size=(80, 280))
    flow = pair.restore(np.ones((1, 80, 280, 2), np.float32))
    assert flow.shape == (40, 70, 2)
    np.testing.assert_allclose(flow[..., 0], 0.25)
    np.testing.assert_allclose(flow[..., 1], 0.5)


def test_grey_and_alpha_are_converted():
    grey = IMAGE[..., 0]
    expected = np.repeat(grey[None, ..., None], 3, axis=-1) / np.float32(255)
    np.testing.assert_array_equal(ImagePair(grey, grey[..., None]).image1, expected)
    rgba = np.concatenate([IMAGE, IMAGE[..., :1]], axis=-1)
    np.testing.assert_array_equal(ImagePair(rgba, IMAGE).image1, ImagePair(IMAGE, IMAGE).image1)


@pytest.mark.parametrize(
    ("image1", "image2", "message"),
    [
        (IMAGE, IMAGE[:20], "one size"),
        (IMAGE, IMAGE[None], "one size"),
        (np.zeros((4, 5, 2), np.uint8), IMAGE, "image1 must be an image"),
        (np.zeros((0, 5, 3), np.uint8), IMAGE, "image1 must be an image"),
        (IMAGE.astype(np.float32), IMAGE, "Divide by 255"),
        (IMAGE.astype(np.uint16), IMAGE, "uint8 in 0..255 or float"),
        (np.full((40, 70, 3), np.nan), IMAGE, "NaN or infinite"),
    ],
)
def test_what_is_no_image_is_refused(image1, image2, message):
    with pytest.raises(ValueError, match=message):
        ImagePair(image1, image2)


class Mover(tfflow.models.FlowModel):
    """Says that everything moves by what the first image's red is, times 20 px; counts its runs."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.sizes = []

    def estimate(self, image1, image2, training=None):
        return {"flow2": keras.ops.repeat(image1[:, ::4, ::4, :1], 2, axis=-1)}

    def predict_on_batch(self, inputs):
        self.sizes.append(inputs["image1"].shape[:3])
        return self(inputs)


def test_small_motions_are_looked_at_again():
    slow, fast = (np.full((60, 100, 3), red, np.float32) for red in (0.1, 0.5))
    model = Mover(fine_below=8.0)
    first = np.stack([fast, slow])
    flow = model.predict_flow(first, first)
    assert model.sizes == [(2, 64, 128), (1, 128, 256)]
    # In pixels of the images, which are as wide as 100/128 and 100/256 of the network's.
    np.testing.assert_allclose(flow[0, ..., 0], 0.5 * 20 * 100 / 128, rtol=1e-5)
    np.testing.assert_allclose(flow[1, ..., 1], 0.1 * 20 * 60 / 128, rtol=1e-5)

    model.sizes.clear()
    single = model.predict_flow(slow, slow)
    assert model.sizes == [(1, 64, 128), (1, 128, 256)]
    np.testing.assert_array_equal(single, flow[1])

    model.sizes.clear()
    model.predict_flow(slow, slow, size=(64, 64))
    model.predict_flow(fast, fast)
    large = np.zeros((1025, 1024, 3), np.uint8)
    model.predict_flow(large, large)
    model.fine_below = None
    model.predict_flow(slow, slow)
    assert [size[0] for size in model.sizes] == [1, 1, 1, 1]


def test_fine_below_is_kept_and_checked():
    model = tfflow.models.create("lightflow_0.5", fine_below=8.0)
    assert type(model).from_config(model.get_config()).fine_below == 8.0
    assert tfflow.models.create("lightflow_0.5").fine_below is None
    with pytest.raises(ValueError, match="fine_below must be a length"):
        tfflow.models.create("lightflow_0.5", fine_below=-1)
