"""Images as people have them: kinds, sizes, and what is refused."""

import math

import keras
import numpy as np
import pytest
from PIL import Image

import tfflow
from tfflow import ops
from tfflow.data import TimedFrame
from tfflow.models.prediction import LARGEST_AREA, ImagePair, resize, working_size

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (40, 70, 3), np.uint8)


def test_resize_is_the_ops_resize():
    images = RNG.random((2, 37, 53, 3), np.float32)
    for size in ((64, 64), (20, 99), (37, 53), (1, 400), (300, 2)):
        np.testing.assert_allclose(resize(images, size), ops.resize(images, size), atol=1e-5)


def test_antialiased_resize_is_keras_own():
    images = RNG.random((2, 60, 53, 3), np.float32)
    for size in ((20, 99), (7, 52), (60, 11), (64, 64), (1, 1), (61, 500)):
        expected = keras.ops.image.resize(images, size, antialias=True, data_format="channels_last")
        np.testing.assert_allclose(resize(images, size, antialias=True), expected, atol=1e-5)


def test_any_number_of_channels_and_any_type():
    for channels in (1, 2, 5):
        images = RNG.integers(0, 256, (1, 40, 30, channels), np.uint8)
        expected = ops.resize(images.astype(np.float32), (50, 17))
        for kind in (np.uint8, np.float16, np.float64):
            resized = resize(images.astype(kind), (50, 17))
            assert resized.dtype == np.float32
            np.testing.assert_allclose(resized, expected, atol=1e-3)
    one = RNG.random((1, 1, 1, 3), np.float32)
    np.testing.assert_allclose(resize(one, (70, 33)), np.broadcast_to(one, (1, 70, 33, 3)))


def test_uint8_and_float_are_the_same_picture():
    for size in ((40, 70), (23, 64), (96, 70)):
        from_uint8 = ImagePair(IMAGE, IMAGE, size=size).image1
        assert from_uint8.dtype == np.float32 and from_uint8.max() <= 1
        images = IMAGE / np.float32(255)
        np.testing.assert_allclose(
            from_uint8, ImagePair(images, images, size=size).image1, atol=1e-6
        )
    # The caller's own array stays as it is, and what is made of it too.
    np.testing.assert_array_equal(images, IMAGE / np.float32(255))
    made = ImagePair(images, images, size=images.shape[:2]).image1
    images[:] = 0
    np.testing.assert_array_equal(made[0], IMAGE / np.float32(255))


def test_large_images_are_averaged_not_sampled():
    stripes = np.zeros((2000, 3000, 3), np.float32)
    stripes[:, ::2] = 1.0  # finer than the network's pixels: grey
    pair = ImagePair(stripes, stripes, size=(500, 512))
    np.testing.assert_allclose(pair.image1, 0.5, atol=0.06)


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


@pytest.mark.parametrize(
    ("image_size", "expected"),
    [
        ((436, 1024), (448, 1024)),
        ((384, 512), (384, 512)),
        ((320, 448), (384, 512)),
        ((192, 256), (384, 512)),
        ((128, 192), (256, 384)),  # twice, not more
        ((2, 3), (64, 64)),
        ((8, 20_000), (64, 22144)),
    ],
)
def test_the_preset_runs_small_images_larger(image_size, expected):
    assert tfflow.load("rillflow").least_area == 384 * 512
    made = tfflow.models.create("rillflow", width=0.25, least_area=384 * 512)
    model = type(made).from_config(made.get_config())
    assert model.working_size(image_size) == expected
    plain = tfflow.models.create("rillflow", width=0.25)
    assert plain.least_area == 0 and plain.working_size((8, 12)) == (64, 64)
    if math.prod(image_size) < 2**16:
        image = np.zeros((*image_size, 3), np.float32)
        assert model._flow_pair(image, image, None).image1.shape[1:3] == expected


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
        (IMAGE, IMAGE[None], r"image2 is a batch and image1 is a single"),
        (IMAGE[None], IMAGE, "image1 is a batch and image2 is a single image"),
        (np.zeros((3, 40, 70), np.uint8), IMAGE, r"numpy.moveaxis\(image1, -3, -1\)"),
        ([IMAGE, IMAGE[:20]], IMAGE, r"one size to be a batch; got \[\(20, 70, 3\), \(40, 70, 3\)"),
        ("a.png", IMAGE, r"not the name of one: tfflow.data.read_image\('a.png'\)"),
        (TimedFrame(IMAGE, 0.0), IMAGE, "as read_video gives them: give frame.image"),
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


@pytest.mark.parametrize("size", [(64, 64), (192, 256), (768, 1344)])
@pytest.mark.parametrize("image_size", [(40, 50), (540, 960), (2160, 3840)])
def test_no_product_of_matrices_takes_threads(size, image_size, monkeypatch):
    products, matmul = [], np.matmul

    def noted(one, other, out):
        products.append(len(one) * one.shape[1] * other.shape[1])
        return matmul(one, other, out=out)

    monkeypatch.setattr(np, "matmul", noted)
    resize(np.zeros((1, *image_size, 3), np.uint8), size, antialias=True)
    resize(np.zeros((1, *size, 3), np.float32), image_size)
    assert 0 < max(products) <= 2**18  # OpenBLAS's limit


@pytest.mark.parametrize("mode", ["P", "CMYK", "HSV", "YCbCr", "LA", "1"])
def test_pictures_whose_numbers_are_no_rgb_are_refused(mode):
    picture = Image.fromarray(np.zeros((8, 8, 3), np.uint8))
    other = picture.convert(mode)
    with pytest.raises(ValueError, match=rf'of mode {mode}, .*image.convert\("RGB"\)'):
        ImagePair(other, other, size=(8, 8))
    for good in ("L", "RGB", "RGBA"):
        ImagePair(*[picture.convert(good)] * 2, size=(8, 8))


def test_a_flow_at_the_networks_own_size_is_the_callers():
    model = tfflow.models.create("lightflow_0.5")
    pair = RNG.random((2, 64, 128, 3), np.float32)
    flow = model.predict_flow(*pair)
    before = flow.copy()
    flow += 1.0
    np.testing.assert_array_equal(model.predict_flow(*pair), before)
